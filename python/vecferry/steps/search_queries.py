"""Runs a search of the user's own as an application would, and finds the expected ids in its answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from vecferry.errors import UsageError
from vecferry.report.search import QueryResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.mapping.nearest import Nearest
    from vecferry.queries import Query
    from vecferry.target.connect import Connection


def ask(
    target: Connection, line: int, query: Query, nearest: Nearest, dimensions: int, key: str, vector: Sequence[float]
) -> QueryResult:
    """Runs a search with the target's own settings, by whatever plan PostgreSQL chooses.

    Args:
        target: a connection that may be read-only.
        line: of the file, for the result and for messages.
        query: what is asked.
        nearest: the search by the index of the column.
        dimensions: of the column; 0 where it has none of its own.
        key: the column of the ids.
        vector: the query's vector.

    Raises:
        UsageError: the vector has another length than the column's.
        psycopg.Error: the server refused the query.
    """
    if dimensions and len(vector) != dimensions:
        place = f"{query.table}.{query.column}"
        raise UsageError(
            f"--query, line {line}: the vector has {len(vector)} numbers, but {place} has {dimensions} dimensions"
        )
    text = "[" + ",".join(f"{value:.9g}" for value in vector) + "]"
    started = time.perf_counter()
    rows = target.execute(nearest.ids(key, query.k), {"vector": text}, prepare=False).fetchall()
    taken = 1000 * (time.perf_counter() - started)
    found = tuple(str(row[0]) for row in rows)
    expected = tuple(dict.fromkeys(query.expected))
    ranks = tuple(found.index(entry) + 1 if entry in found else None for entry in expected)
    hits = sum(rank is not None for rank in ranks)
    passed = hits >= query.needed
    return QueryResult(line, query.table, query.column, query.k, expected, ranks, hits, passed, found, round(taken, 3))
