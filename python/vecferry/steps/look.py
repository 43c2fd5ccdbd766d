"""Looks into the source's tables: chunks, row sizes, what texts hold; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.convert.embeddings import census
from vecferry.mapping.select import quote
from vecferry.plan.build import Look, needs_boolean_look
from vecferry.plan.columns import EMBEDDING_TYPES
from vecferry.source.chunks import chunk_key, plan_chunks
from vecferry.source.query import rows
from vecferry.source.sample import sample

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.model import Table


def look(connection: Connection, table: Table, chunk_bytes: int) -> Look:
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
    if key and len(chunks) > 1:
        rows_estimate = max(rows_estimate, 1)
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
        not_boolean=_not_boolean(connection, table),
    )


def _not_boolean(connection: Connection, table: Table) -> frozenset[str]:
    columns = [column.name for column in table.columns if needs_boolean_look(column)]
    if not columns:
        return frozenset()
    tests = ", ".join(f"MAX({quote(name)} NOT IN (0, 1))" for name in columns)
    [answer] = rows(connection, f"SELECT {tests} FROM {quote(table.name)}")
    return frozenset(name for name, outside in zip(columns, answer, strict=True) if outside)
