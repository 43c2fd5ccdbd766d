"""Rows of a dump's INSERT statements → the batches that a server's rows are read as; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.dump.conditions import mask, original_bytes, repaired
from vecferry.dump.row_keys import smallest_keys
from vecferry.dump.values import UnreadableError, raw_kind, stored, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vecferry.model import ColumnPlan, Table, TablePlan


def columns_read(table: TablePlan) -> tuple[str, ...]:
    """Returns the columns of the source that a plan reads, in its order."""
    return tuple(column.source or column.name for column in table.columns)


def wanted(source: Table, columns: Iterable[str], fields: Sequence[str], charset: str) -> list[tuple[str, int, str]]:
    """Returns what the row parser is asked for.

    Args:
        source: the table.
        columns: the columns of it that are needed.
        fields: what the fields of a row are: the INSERT's list of columns, or else all columns of the table.
        charset: the parser's `settings.charset`.

    Returns:
        Of each column its name, its field's number and the kind of its raw values, by number.

    Raises:
        ValueError: the rows have no such column, as with what the server computes in dumps by MySQL's own program.
    """
    places = {name.lower(): place for place, name in enumerate(fields)}
    found = []
    for name in dict.fromkeys(columns):
        column = source.column(name)
        if name.lower() not in places:
            computed = ", which the server computes" if column.generated else ""
            raise ValueError(f"its rows have no values of the column {name}{computed}")
        found.append((name, places[name.lower()], raw_kind(column, charset)))
    return sorted(found, key=lambda entry: entry[1])


def stored_columns(
    raw: pa.StructArray | pa.RecordBatch, source: Table, names: Sequence[str], zone: str | None = None
) -> dict[str, pa.Array]:
    """Returns the stored values of a batch, by column of the source.

    Args:
        raw: what the row parser gave, a child for each name in order.
        source: the table.
        names: the columns' names, in the order of `wanted`.
        zone: the parser's `settings.time_zone`.

    Raises:
        UnreadableError: a value cannot be of its column's type.
        ValueError: this machine knows no such time zone.
    """
    children = raw.columns if isinstance(raw, pa.RecordBatch) else raw.flatten()
    return {name: stored(child, source.column(name), zone=zone) for name, child in zip(names, children, strict=True)}


def read_batch(values: Mapping[str, pa.Array], source: Table, table: TablePlan) -> pa.RecordBatch:
    """Returns the columns of `TablePlan.reads`, as `source.read.read_chunk` yields them of a server.

    Args:
        values: what `stored_columns` gave.
        source: the table.
        table: its plan.

    Raises:
        UnreadableError: a value is none of the type that it is read as; the message names the row by its key.
    """
    masks: dict[tuple[str, str], pa.Array] = {}

    def asked(kind: str, column: ColumnPlan) -> pa.Array:
        if (column.name, kind) not in masks:
            name = column.source or column.name
            found = mask(kind, values[name], source.column(name), column.target_type, column.labels)
            masks[column.name, kind] = found
        return masks[column.name, kind]

    plans = {column.name: column for column in table.columns}
    key = table.key if set(table.key) <= values.keys() else ()
    try:
        arrays = [_column(values, source, column, asked) for column in table.columns]
        for guard in table.guards:
            column = plans[guard.column]
            found = asked(guard.reason, column)
            arrays += [found.cast(pa.int64()), original_bytes(values[column.source or column.name], found)]
    except UnreadableError as error:
        row = pa.array(place == error.row for place in range(len(next(iter(values.values())))))
        raise error.at(", ".join(words for _, words in smallest_keys(values, source, key, row, 1))) from error
    return pa.record_batch(arrays, names=[column.name for column in table.reads])


def _column(
    values: Mapping[str, pa.Array], source: Table, plan: ColumnPlan, asked: Callable[[str, ColumnPlan], pa.Array]
) -> pa.Array:
    name = plan.source or plan.name
    column, original = source.column(name), values[name]
    current = original
    for kind, policy in plan.repairs:
        current = repaired(kind, policy, current, original, asked(kind, plan), column, plan.target_type)
    return typed(current, column, plan.read_type)
