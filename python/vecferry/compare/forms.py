"""Columns as they were read back → one Arrow form for both sides: int64, large_string or large_binary; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.compare import vectors

if TYPE_CHECKING:
    from vecferry.compare.pairs import Pair

_Form = Callable[[pa.Array, "Pair"], pa.Array]

_BEFORE_CHRIST = " BC"


def source_form(pair: Pair, column: pa.Array) -> pa.Array:
    """Brings a column of the source to its canonical form, of the same length with the same nulls."""
    return FORMS[pair.form][0](_plain(column), pair)


def target_form(pair: Pair, column: pa.Array) -> pa.Array:
    """Does the same for a column of the target."""
    return FORMS[pair.form][1](_plain(column), pair)


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    # ADBC names types that Arrow does not know, as vector, by an extension type over their bytes.
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _integer(column: pa.Array, _: Pair) -> pa.Array:
    return column.cast(pa.int64())


def _double(column: pa.Array, _: Pair) -> pa.Array:
    # By their bits: -0.0 and 0.0 are equal as numbers.
    return column.cast(pa.float64()).view(pa.int64())


def _text(column: pa.Array, _: Pair) -> pa.Array:
    return column.cast(pa.large_string())


def _bytes(column: pa.Array, _: Pair) -> pa.Array:
    return column.cast(pa.large_binary())


def _padded(column: pa.Array, _: Pair) -> pa.Array:
    return pc.ascii_rtrim(column.cast(pa.large_string()), " ")


def _fraction(column: pa.Array, pair: Pair) -> pa.Array:
    """Drops the zeros at the end of a fraction, which the source prints and the target does not."""
    column = column.cast(pa.large_string())
    if not pair.fraction:
        return column
    return pc.ascii_rtrim(pc.ascii_rtrim(column, "0"), ".")


def _whole(column: pa.Array, _: Pair) -> pa.Array:
    """Drops the zeros before a number, which `zerofill` prints."""
    trimmed = pc.ascii_ltrim(column.cast(pa.large_string()), "0")
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar("0", pa.large_string()), trimmed)


def _number(column: pa.Array, pair: Pair) -> pa.Array:
    column = pc.replace_substring_regex(_fraction(column, pair), r"^(-?)0+(\d)", r"\1\2")
    return pc.if_else(pc.equal(column, "-0"), pa.scalar("0", pa.large_string()), column)


def _moment(column: pa.Array, _: Pair) -> pa.Array:
    """Tells years before the first as MySQL does: what PostgreSQL calls 1 BC is the year 0."""
    column = column.cast(pa.large_string())
    early = pc.ends_with(column, _BEFORE_CHRIST)
    if not pc.any(early).as_py():
        return column
    values = [_year_zero(value) for value in column.filter(early).to_pylist()]
    return pc.replace_with_mask(column, pc.fill_null(early, fill_value=False), pa.array(values, pa.large_string()))


def _year_zero(value: str) -> str:
    year, rest = value.removesuffix(_BEFORE_CHRIST).split("-", 1)
    return f"{int(year) - 1:04d}-{rest}" if int(year) == 1 else value


def _address(column: pa.Array, _: Pair) -> pa.Array:
    values = [None if value is None else str(ipaddress.ip_interface(value)) for value in column.to_pylist()]
    return pa.array(values, pa.large_string())


def _json(column: pa.Array, _: Pair) -> pa.Array:
    return vectors.json_form(column)


def _vector(column: pa.Array, _: Pair) -> pa.Array:
    return vectors.from_text(column)


def _half(column: pa.Array, _: Pair) -> pa.Array:
    return vectors.to_half(vectors.from_text(column))


def _packed(column: pa.Array, _: Pair) -> pa.Array:
    return vectors.from_packed(column)


def _wire(column: pa.Array, _: Pair) -> pa.Array:
    return column.cast(pa.large_binary())


FORMS: Final[dict[str, tuple[_Form, _Form]]] = {
    "integer": (_integer, _integer),
    "whole": (_whole, _text),
    "number": (_number, _text),
    "double": (_double, _double),
    "text": (_text, _text),
    "padded": (_padded, _padded),
    "bytes": (_bytes, _bytes),
    "moment": (_fraction, _moment),
    "address": (_address, _address),
    "json": (_json, _json),
    "vector": (_vector, _wire),
    "halfvec": (_half, _wire),
    "packed": (_packed, _wire),
}
"""What is done on the source's side and on the target's, by form."""
