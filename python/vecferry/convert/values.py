"""Arrow columns as they were read → wire columns: exactly what COPY BINARY of the target's type expects.

Pure functions. Each encoder takes the column and the target's type in full and returns an Arrow array whose
wire form, as the ADBC driver writes it, is what the type's receive function reads
(https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"). Casts are checked: a value that
does not fit raises instead of changing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.errors import InvalidValueError, one_line
from vecferry.mapping.typemap import modifier

Encoder = Callable[[pa.Array, str], pa.Array]

_MICROSECONDS_A_DAY = 24 * 3600 * 1_000_000


def encode(wire: str, column: pa.Array, read_type: str, target_type: str) -> pa.Array:
    """Converts one column of a batch.

    Args:
        wire: the kind of wire column, a key of `ENCODERS`.
        column: the values as the reader returned them, of any length, nulls kept.
        read_type: the type table's name of the values' Arrow type; a decimal arrives as text.
        target_type: PostgreSQL's type in full.

    Returns:
        An Arrow array of the same length with the same nulls.

    Raises:
        InvalidValueError: a value does not fit the target's type; the message says which and why.
    """
    try:
        if read_type.startswith("decimal("):
            column = column.cast(_decimal_type(read_type))
        return ENCODERS[wire](column, target_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise InvalidValueError(f"a value does not fit {target_type}: {one_line(error)}") from error


def _decimal_type(name: str) -> pa.DataType:
    """Returns the Arrow type of the type table's `decimal(65,30)`."""
    precision, scale = (int(part) for part in name[len("decimal(") : -1].split(","))
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)  # noqa: PLR2004


def _cast(to: pa.DataType) -> Encoder:
    return lambda column, _: column.cast(to)


def _text(column: pa.Array, _: str) -> pa.Array:
    return (
        column if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else column.cast(pa.string())
    )


def _numeric(column: pa.Array, _: str) -> pa.Array:
    if pa.types.is_integer(column.type):
        return column.cast(pa.decimal128(20, 0))
    return column


def _bool(column: pa.Array, target_type: str) -> pa.Array:
    outside = pc.sum(pc.and_(pc.not_equal(column, 0), pc.not_equal(column, 1))).as_py()
    if outside:
        raise ValueError(f"{outside} values are neither 0 nor 1, and {target_type} holds nothing else")
    return pc.not_equal(column, 0)


def _bit_bool(column: pa.Array, _: str) -> pa.Array:
    return pc.not_equal(column.cast(pa.binary()), pa.scalar(b"\x00", pa.binary()))


def _bit(column: pa.Array, target_type: str) -> pa.Array:
    bits = modifier(target_type)

    def one(value: bytes | None) -> bytes | None:
        if value is None:
            return None
        count = bits if bits is not None else 8 * len(value)
        padding = -count % 8
        whole = int.from_bytes(value, "big") << padding
        return count.to_bytes(4, "big") + whole.to_bytes((count + padding) // 8, "big")

    return pa.array([one(value) for value in column.to_pylist()], pa.binary())


def _jsonb(column: pa.Array, _: str) -> pa.Array:
    """`jsonb_recv` (src/backend/utils/adt/jsonb.c): the version byte 1, then the text."""
    text = column.cast(pa.large_binary())
    return pc.binary_join_element_wise(pa.scalar(b"\x01", pa.large_binary()), text, pa.scalar(b"", pa.large_binary()))


def _text_list(column: pa.Array, _: str) -> pa.Array:
    parts = pc.split_pattern(column, ",")
    empty = pa.array([[]], parts.type)[0]
    return pc.if_else(pc.equal(column, ""), empty, parts)


def _uuid(column: pa.Array, _: str) -> pa.Array:
    import polars as pl  # noqa: PLC0415 - importing it takes longer than connecting to both servers

    digits = pl.Series("uuid", column).str.replace_all("-", "", literal=True)
    if digits.str.len_bytes().ne(32).any():
        wrong = digits.filter(digits.str.len_bytes() != 32)[0]  # noqa: PLR2004
        raise ValueError(f"{wrong!r} is not a UUID")
    return digits.str.decode("hex", strict=True).to_arrow().cast(pa.binary(16))


def _time(column: pa.Array, _: str) -> pa.Array:
    if pc.any(pc.or_(pc.less(column, 0), pc.greater_equal(column, _MICROSECONDS_A_DAY))).as_py():
        raise ValueError("it is negative or beyond 24 hours: declare the column as interval")
    return column.cast(pa.time64("us"))


ENCODERS: Final[dict[str, Encoder]] = {
    "int16": _cast(pa.int16()),
    "int32": _cast(pa.int32()),
    "int64": _cast(pa.int64()),
    "float32": _cast(pa.float32()),
    "float64": _cast(pa.float64()),
    "numeric": _numeric,
    "bool": _bool,
    "bit_bool": _bit_bool,
    "bit": _bit,
    "text": _text,
    "jsonb": _jsonb,
    "bytea": _cast(pa.large_binary()),
    "text[]": _text_list,
    "uuid": _uuid,
    "uuid_bytes": _cast(pa.binary(16)),
    "date": _cast(pa.date32()),
    "time": _time,
    "timestamp": _cast(pa.timestamp("us")),
    "timestamptz": _cast(pa.timestamp("us", "UTC")),
    "interval": _cast(pa.duration("us")),
}
"""Wire columns by name; the two kinds of embedding column are `convert.embeddings`'."""
