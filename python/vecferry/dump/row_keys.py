"""The keys of a batch's rows: how they sort, and how a person reads them; pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.dump.values import integers, microseconds
from vecferry.mapping.ranges import INTEGERS
from vecferry.mapping.typemap import enum_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vecferry.model import Column, Table

Key = tuple[tuple[Any, ...], str]
"""What a row's key sorts by, and its words: `id = 7`."""


def smallest_keys(
    values: Mapping[str, pa.Array], source: Table, key: Sequence[str], asked: pa.Array, most: int
) -> tuple[Key, ...]:
    """Returns the smallest keys of the rows in question, in their order.

    Numbers, dates and times sort as the server sorts them, an enum's labels by their numbers, texts by their bytes,
    which is not always a collation's order.

    Args:
        values: stored values, by column of the source.
        source: the table.
        key: the columns of its key.
        asked: which rows, a boolean array without nulls.
        most: how many keys.
    """
    if not key:
        return ()
    columns = [source.column(name) for name in key]
    rows = pa.table(
        [_sortable(values[column.name].filter(asked), column) for column in columns],
        names=[str(n) for n in range(len(key))],
    )
    order = pc.select_k_unstable(rows, most, [(name, "ascending") for name in rows.column_names])
    plain = [values[name].filter(asked).take(order).to_pylist() for name in key]
    sorts = [column.to_pylist() for column in rows.take(order).columns]
    return tuple(
        (sort, ", ".join(f"{column.name} = {shown(value, column)}" for column, value in zip(columns, row, strict=True)))
        for sort, row in zip(zip(*sorts, strict=True), zip(*plain, strict=True), strict=True)
    )


def shown(value: str | bytes | None, column: Column) -> str:
    """Returns a stored value as the examples of a plan show it, whose values come from a server's driver."""
    if value is None or isinstance(value, bytes):
        return repr(value)
    try:
        return _plain(value, column)
    except (ValueError, ArithmeticError):
        return repr(value)


def _plain(value: str, column: Column) -> str:
    kind = column.data_type
    if kind in INTEGERS:
        return str(int(value))
    if kind == "decimal":
        return str(Decimal(value))
    if kind in {"float", "double"}:
        return str(float(value))
    if kind == "date":
        return str(date.fromisoformat(value))
    if kind in {"datetime", "timestamp"}:
        return str(datetime.fromisoformat(value))
    if kind == "time":
        [size] = microseconds(pa.array([value]), column).to_pylist()
        return str(timedelta(microseconds=size))
    return repr(value)


def _sortable(values: pa.Array, column: Column) -> pa.Array:
    kind = column.data_type
    if kind in INTEGERS:
        return integers(values, column)
    if kind == "decimal":
        return values.cast(pa.decimal256(column.precision or 65, column.scale or 0))
    if kind in {"float", "double"}:
        return values.cast(pa.float64())
    if kind == "time":
        return microseconds(values, column)
    if kind == "enum":
        return pc.index_in(values, pa.array(enum_labels(column.column_type), pa.string()))
    return values
