"""Looks into the source's tables: chunks, row sizes, what texts hold; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.convert.embeddings import census
from vecferry.mapping.select import quote
from vecferry.plan.build import Flaw, Look, needs_boolean_look
from vecferry.plan.columns import EMBEDDING_TYPES
from vecferry.source.chunks import chunk_key, plan_chunks
from vecferry.source.query import rows
from vecferry.source.sample import sample

_DATES = frozenset({"date", "datetime", "timestamp"})
_EXAMPLES = 3

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.model import Table


def look(connection: Connection[Any], table: Table, chunk_bytes: int) -> Look:
    """Looks into one table.

    Args:
        connection: an open connection to the source.
        table: the table's catalog entry.
        chunk_bytes: how much source data a chunk may hold, in bytes.
    """
    key = chunk_key(table)
    found = sample(connection, table, key)
    row_bytes = max(1, found.row_bytes, found.row_bytes_max_stratum // 4)
    chunks = plan_chunks(connection, table, key, row_bytes, chunk_bytes)
    rows_estimate = max(table.rows_estimate, found.rows)
    not_boolean, zero_dates = _flaws(connection, table, key)
    return Look(
        key=key,
        chunks=chunks,
        row_bytes=max(1, found.row_bytes),
        rows=rows_estimate,
        census={
            column.name: census(found.texts[column.name])
            for column in table.columns
            if column.data_type in EMBEDDING_TYPES and column.name in found.texts
        },
        not_boolean=not_boolean,
        zero_dates=zero_dates,
    )


def _flaws(connection: Connection[Any], table: Table, key: tuple[str, ...]) -> tuple[frozenset[str], tuple[Flaw, ...]]:
    """Finds in one scan the `tinyint(1)` columns that are no booleans, and the dates that are none."""
    tests = {
        column.name: f"{quote(column.name)} NOT IN (0, 1)" for column in table.columns if needs_boolean_look(column)
    }
    dates = {
        column.name: f"(MONTH({quote(column.name)}) = 0 OR DAY({quote(column.name)}) = 0)"
        for column in table.columns
        if column.data_type in _DATES
    }
    tests |= dates
    if not tests:
        return frozenset(), ()
    place = quote(table.name)
    [counts] = rows(connection, f"SELECT {', '.join(f'SUM({test})' for test in tests.values())} FROM {place}")
    found = {name: int(count) for name, count in zip(tests, counts, strict=True) if count}
    flaws = []
    for name in dates.keys() & found.keys():
        examples: tuple[str, ...] = ()
        if key:
            listed = ", ".join(quote(part) for part in key)
            query = f"SELECT {listed} FROM {place} WHERE {tests[name]} LIMIT {_EXAMPLES}"
            examples = tuple(_shown(key, row) for row in rows(connection, query))
        flaws.append(Flaw(name, found[name], examples))
    return frozenset(found.keys() - dates.keys()), tuple(sorted(flaws, key=lambda flaw: flaw.column))


def _shown(key: tuple[str, ...], row: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in zip(key, row, strict=True))
