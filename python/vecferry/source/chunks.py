"""Cuts a table into chunks: key ranges of about the same number of bytes.

No query reads more than one chunk's worth of index entries, and none starts over from the beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql

from vecferry.mapping.keys import integer_key
from vecferry.mapping.select import literal
from vecferry.model import Chunk
from vecferry.source.connect import refused
from vecferry.source.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymysql.connections import Connection

    from vecferry.model import Table

    Bound = tuple[str, ...]

DENSE = 0.25
"""The share of a key's numbers that are taken from which on ranges are cut by arithmetic."""


def plan_chunks(
    connection: Connection[Any], table: Table, key: Sequence[str], row_bytes: int, chunk_bytes: int
) -> tuple[Chunk, ...]:
    """Cuts `table` into chunks of about `chunk_bytes`.

    The first chunk has no lower end and the last no upper end, so that rows outside today's first and last
    key belong to one too. A table without rows has no chunks; one without a key is one chunk.

    Args:
        connection: an open connection to the source.
        table: the table as the catalog describes it.
        key: what `chunk_key` said.
        row_bytes: how large a row is taken to be.
        chunk_bytes: how large a chunk is wanted.

    Raises:
        SourceError: the server refused a query.
    """
    if not key:
        return (Chunk(table.name, 0, rows=table.rows_estimate),)
    size = max(1, chunk_bytes // max(1, row_bytes))
    try:
        if integer_key(table, key):
            ends = _ends(connection, table, key)
            if ends is None:
                return ()
            span = ends[1] - ends[0] + 1
            if span <= size:
                return (Chunk(table.name, 0, rows=min(span, table.rows_estimate or span)),)
            if table.rows_estimate >= DENSE * span:
                return _by_arithmetic(table, ends[0], span, size)
        return _by_walking(connection, table, key, size)
    except pymysql.err.Error as error:
        raise refused(error, connection, f"cut table {table.name} into chunks") from error


def _ends(connection: Connection[Any], table: Table, key: Sequence[str]) -> tuple[int, int] | None:
    first = _first(connection, walk(table, key))
    last = _first(connection, walk(table, key, backwards=True))
    return None if first is None or last is None else (int(first[0]), int(last[0]))


def _by_arithmetic(table: Table, smallest: int, span: int, size: int) -> tuple[Chunk, ...]:
    count = -(-span // size)
    bounds: list[Bound] = [(literal(smallest - 1 + number * size),) for number in range(1, count)]
    return _chunks(table, bounds, min(size, -(-table.rows_estimate // count)))


def _by_walking(connection: Connection[Any], table: Table, key: Sequence[str], size: int) -> tuple[Chunk, ...]:
    if _first(connection, walk(table, key)) is None:
        return ()
    bounds: list[Bound] = []
    # The bound is a chunk's last row; it is one only if another row follows.
    row = _first(connection, walk(table, key, limit=2, offset=size - 1), second=True)
    while row is not None:
        bounds.append(tuple(literal(value) for value in row))
        row = _first(connection, walk(table, key, bounds[-1], limit=2, offset=size - 1), second=True)
    return _chunks(table, bounds, size)


def _chunks(table: Table, bounds: list[Bound], rows: int) -> tuple[Chunk, ...]:
    ends: list[Bound | None] = [None, *bounds, None]
    last = len(bounds)
    left = max(0, table.rows_estimate - last * rows)
    return tuple(
        Chunk(table.name, number, ends[number], ends[number + 1], min(rows, left) if number == last else rows)
        for number in range(last + 1)
    )


def _first(connection: Connection[Any], query: str, *, second: bool = False) -> tuple[Any, ...] | None:
    """Returns the first row, provided that with `second` there is another."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    return rows[0] if len(rows) > second else None
