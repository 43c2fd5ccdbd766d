"""The checks of `mapping.checks` on stored values (`dump.values`) instead of in a server's words; pure.

A mask is true where MySQL's condition is, and never null: where the condition is NULL, nothing is counted or changed.
A repair gives stored values again, those that the server would print of its expression.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.dump import shapes
from vecferry.dump.json_texts import escaped_mask, json_mask, quoted, without_escapes
from vecferry.dump.values import holds, integers, microseconds
from vecferry.mapping.checks import MOST_KEY_BYTES
from vecferry.mapping.ranges import INTEGERS, precision_and_scale, range_of
from vecferry.mapping.typemap import base_type, enum_labels, modifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from vecferry.mapping.checks import Check
    from vecferry.model import Column, Table

_DAY = 24 * 3600 * 1_000_000
_EPOCH = {"date": "1970-01-01"}
_COMMON_YEAR = "0000-02-29"
"""A day that the server does not know: it takes year 0 for a common year (`calc_days_in_year` of its my_time.c)."""
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_NUL = re.compile(b"\0")
_UUID = "^[0-9A-Fa-f]{32}$"
_UUID_BYTES = 16


def mask(kind: str, values: pa.Array, column: Column, target_type: str = "", labels: Sequence[str] = ()) -> pa.Array:
    """Returns which values a check is about.

    Args:
        kind: the check's: a key of `mapping.checks.SENTENCES`, or one of `FACTS` except `key-too-long`.
        values: what `dump.values.stored` gave.
        column: the source's column.
        target_type: PostgreSQL's type in full, `Check.target_type` or `ColumnPlan.target_type`.
        labels: of the target's enum type, `Check.labels` or `ColumnPlan.labels`.

    Returns:
        A boolean array of the same length without nulls.

    Raises:
        UnreadableError: a value cannot be of the column's type.
    """
    if kind == "null":
        return pc.is_null(values)
    found = _MASKS[kind](values, column, target_type, tuple(labels))
    return pc.fill_null(found, False)


def mask_of(check: Check, values: Mapping[str, pa.Array], source: Table) -> pa.Array:
    """Returns which rows a check is about.

    Args:
        check: a check of one of the table's columns, or of an index.
        values: stored values, by column of the source.
        source: the table.

    Returns:
        A boolean array without nulls, one value a row.

    Raises:
        UnreadableError: a value cannot be of its column's type.
    """
    if check.kind == "key-too-long":
        sizes = [pc.fill_null(pc.binary_length(values[name]), 0).cast(pa.int64()) for name in check.columns]
        return pc.greater(reduce(pc.add, sizes), MOST_KEY_BYTES)
    column = source.column(check.column)
    return mask(check.kind, values[check.column], column, check.target_type, check.labels)


def repaired(
    kind: str, policy: str, current: pa.Array, original: pa.Array, asked: pa.Array, column: Column, target_type: str
) -> pa.Array:
    """Returns stored values as a policy changes them.

    Args:
        kind: the check's.
        policy: one of `config.POLICIES`.
        current: the values, as repairs before this one left them.
        original: the values before all repairs, which is what conditions are about.
        asked: the check's mask on `original`.
        column: the source's column.
        target_type: PostgreSQL's type in full.
    """
    if not pc.any(asked).as_py():
        return current
    if policy == "null":
        return pc.if_else(asked, pa.scalar(None, current.type), current)
    if kind == "zero-date":
        return pc.if_else(asked, _EPOCH.get(column.data_type, "1970-01-01 00:00:00"), current)
    if kind == "nul-byte":
        return pc.replace_substring(current, "\0", "\ufffd")
    if kind == "json-escape":
        return _each(current, asked, without_escapes)
    if kind == "json-text":
        return pc.replace_with_mask(
            current, asked, pa.array(map(quoted, original.filter(asked).to_pylist()), pa.string())
        )
    if kind == "too-precise":
        return _truncated(current, column, target_type)
    return pc.utf8_slice_codeunits(current, 0, modifier(target_type))


def original_bytes(values: pa.Array, asked: pa.Array) -> pa.Array:
    """Returns the bytes that a guard keeps of the values in question, a text's in UTF-8, and null for the others."""
    return pc.if_else(asked, values.cast(pa.binary()), pa.scalar(None, pa.binary()))


def _each(values: pa.Array, asked: pa.Array, change: Callable[[str], str]) -> pa.Array:
    changed = [text if text is None else change(text) for text in values.filter(asked).to_pylist()]
    return pc.replace_with_mask(values, asked, pa.array(changed, pa.string()))


# --- numbers -------------------------------------------------------------------------------------


def _out_of_range(values: pa.Array, column: Column, target_type: str, _: tuple[str, ...]) -> pa.Array:
    if column.data_type == "time":
        size = microseconds(values, column)
        return pc.or_(pc.less(size, 0), pc.greater_equal(size, _DAY))
    if column.data_type in INTEGERS:
        held = range_of(target_type)
        return _outside(integers(values, column), held) if held else _none(values)
    digits = precision_and_scale(target_type)
    if digits is None:
        return _none(values)
    return pc.match_substring_regex(values, f"^-?0*[1-9][0-9]{{{digits[0] - digits[1]},}}")


def _outside(values: pa.Array, held: tuple[int, int]) -> pa.Array:
    lowest, highest = (0, 2**64 - 1) if pa.types.is_uint64(values.type) else (-(2**63), 2**63 - 1)
    found = _none(values)
    if held[0] > lowest:
        found = pc.or_(found, pc.less(values, pa.scalar(held[0], values.type)))
    if held[1] < highest:
        found = pc.or_(found, pc.greater(values, pa.scalar(held[1], values.type)))
    return found


def _none(values: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(False, pa.bool_()), len(values))


def _kept_digits(column: Column, target_type: str) -> int | None:
    if column.data_type == "decimal":
        digits = precision_and_scale(target_type)
        return digits[1] if digits else None
    return modifier(target_type)


def _too_precise(values: pa.Array, column: Column, target_type: str, _: tuple[str, ...]) -> pa.Array:
    kept = _kept_digits(column, target_type)
    return _none(values) if kept is None else pc.match_substring_regex(values, rf"\.[0-9]{{{kept}}}[0-9]*[1-9]")


def _truncated(values: pa.Array, column: Column, target_type: str) -> pa.Array:
    kept = _kept_digits(column, target_type)
    cut, by = (rf"(\.[0-9]{{{kept}}})[0-9]+$", r"\1") if kept else (r"\.[0-9]+$", "")
    shorter = pc.replace_substring_regex(values, cut, by)
    # A decimal has no negative zero.
    return pc.replace_substring_regex(shorter, r"^-(0*\.?0*)$", r"\1") if column.data_type == "decimal" else shorter


def _not_boolean(values: pa.Array, column: Column, *_: object) -> pa.Array:
    return _outside(integers(values, column), (0, 1))


# --- dates ---------------------------------------------------------------------------------------


def _zero_date(values: pa.Array, column: Column, *_: object) -> pa.Array:
    try:
        values.cast(pa.date32() if column.data_type == "date" else pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    else:
        return pc.starts_with(values, _COMMON_YEAR)
    import polars as pl  # noqa: PLC0415 - importing it takes longer than connecting to both servers

    text = pl.Series("date", values).to_frame().lazy()
    year, month, day = (
        pl.col("date").str.slice(start, length).cast(pl.Int32, strict=False)
        for start, length in ((0, 4), (5, 2), (8, 2))
    )
    leap = ((year % 4 == 0) & (year % 100 != 0)) | ((year % 400 == 0) & (year != 0))
    last = pl.when(month == 2).then(28 + leap.cast(pl.Int32)).otherwise(30 + (month + month // 8) % 2)  # noqa: PLR2004 - February
    wrong = (month == 0) | (day == 0) | (day > last)
    return _array(text.select(pl.col("date").str.contains(_DATE) & wrong))


def _array(frame: pl.LazyFrame) -> pa.Array:
    found = frame.collect().to_series().to_arrow()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


# --- texts ---------------------------------------------------------------------------------------


def _nul_byte(values: pa.Array, *_: object) -> pa.Array:
    return pc.match_substring(values, "\0") if holds(values, _NUL) else _none(values)


def _too_long(values: pa.Array, _: Column, target_type: str, __: tuple[str, ...]) -> pa.Array:
    most = modifier(target_type)
    return _none(values) if most is None else pc.greater(pc.utf8_length(values), most)


def _not_uuid(values: pa.Array, *_: object) -> pa.Array:
    if pa.types.is_binary(values.type):
        return pc.not_equal(pc.binary_length(values), _UUID_BYTES)
    return pc.invert(pc.match_substring_regex(pc.replace_substring(values, "-", ""), _UUID))


def _unknown_label(values: pa.Array, _: Column, __: str, labels: tuple[str, ...]) -> pa.Array:
    return pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, pa.array(labels, pa.string()))))


def _empty_label(values: pa.Array, column: Column, *_: object) -> pa.Array:
    # Where '' is a label, too, a dump does not tell it from the number 0; nobody asks then.
    return _none(values) if "" in enum_labels(column.column_type) else pc.equal(values, "")


def _untold_label(values: pa.Array, column: Column, target_type: str, _: tuple[str, ...]) -> pa.Array:
    unknown = _unknown_label(values, column, target_type, enum_labels(column.column_type))
    return pc.and_(unknown, pc.not_equal(values, ""))


def _json_escape(values: pa.Array, *_: object) -> pa.Array:
    return escaped_mask(values)


def _json_text(values: pa.Array, _: Column, target_type: str, __: tuple[str, ...]) -> pa.Array:
    if base_type(target_type) == "jsonb":
        escaped = escaped_mask(values)
        if pc.any(escaped).as_py():
            values = _each(values, escaped, without_escapes)
    return pc.invert(json_mask(values))


# --- shapes --------------------------------------------------------------------------------------


def _other_shape(values: pa.Array, _: Column, target_type: str, __: tuple[str, ...]) -> pa.Array:
    return shapes.other_shape(values, target_type)


_MASKS: dict[str, Callable[[pa.Array, Column, str, tuple[str, ...]], pa.Array]] = {
    "zero-date": _zero_date,
    "nul-byte": _nul_byte,
    "json-escape": _json_escape,
    "json-text": _json_text,
    "out-of-range": _out_of_range,
    "too-precise": _too_precise,
    "too-long": _too_long,
    "unknown-label": _unknown_label,
    "not-uuid": _not_uuid,
    "other-shape": _other_shape,
    "not-boolean": _not_boolean,
    "empty-label": _empty_label,
    "untold-label": _untold_label,
}
"""By kind of check; each may leave nulls where it does not know."""
