"""Looks into the source's tables: chunks, row sizes, what texts hold; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.convert.embeddings import census
from vecferry.plan.embeddings import EMBEDDING_TYPES
from vecferry.plan.findings import Look
from vecferry.source.chunks import chunk_key, plan_chunks
from vecferry.source.sample import sample

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.model import Table


def look(connection: Connection[Any], table: Table, chunk_bytes: int) -> Look:
    """Looks into one table.

    Args:
        connection: an open connection to the source.
        table: the table's catalog entry.
        chunk_bytes: how much source data a chunk may hold, in bytes.

    Raises:
        SourceError: the server refused a query.
    """
    key = chunk_key(table)
    found = sample(connection, table, key)
    row_bytes = max(1, found.row_bytes, found.row_bytes_max_stratum // 4)
    return Look(
        key=key,
        chunks=plan_chunks(connection, table, key, row_bytes, chunk_bytes),
        row_bytes=max(1, found.row_bytes),
        rows=max(table.rows_estimate, found.rows),
        census={
            column.name: census(found.texts[column.name])
            for column in table.columns
            if column.data_type in EMBEDDING_TYPES and column.name in found.texts
        },
    )
