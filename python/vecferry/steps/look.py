"""Looks into the source's tables: chunks, row sizes, what texts hold; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.convert.embeddings import census
from vecferry.plan.embeddings import EMBEDDING_TYPES
from vecferry.plan.findings import Look

if TYPE_CHECKING:
    from vecferry.model import Table
    from vecferry.origin import Session


def look(source: Session, table: Table, chunk_bytes: int) -> Look:
    """Looks into one table.

    Args:
        source: an open source.
        table: the table's catalog entry.
        chunk_bytes: how much source data a chunk may hold, in bytes.

    Raises:
        SourceError: the source refused.
    """
    found = source.survey(table, chunk_bytes)
    return Look(
        key=found.key,
        chunks=found.chunks,
        row_bytes=found.row_bytes,
        rows=found.rows,
        absent=found.absent,
        census={
            column.name: census(found.texts[column.name])
            for column in table.columns
            if column.data_type in EMBEDDING_TYPES and column.name in found.texts
        },
    )
