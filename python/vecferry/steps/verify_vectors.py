"""Checks embedding columns: the type, the index, and searches that must find what is stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg

from vecferry.mapping.identifiers import qualified, quote
from vecferry.mapping.nearest import Nearest, indexes_of
from vecferry.recall import mean, recall, slack
from vecferry.report.report import VectorResult

if TYPE_CHECKING:
    from vecferry.model import EmbeddingSpec, Plan
    from vecferry.target.connect import Connection

SAMPLE = 20
"""How many stored vectors are searched for."""
EXACT_SECONDS = 20
"""Most time that exact searches, each a scan of the table, may take for one column."""
EF_SEARCH = 100
"""`hnsw.ef_search` of the sampled searches; pgvector's default is 40."""
LOST_SHARE = 0.1
"""Most of the sample that may not find itself: HNSW's graph reaches not quite every vector of scattered data."""
MAX_EF_SEARCH = 1000
"""pgvector allows no more (`HNSW_MAX_EF_SEARCH` in its src/hnsw.h)."""


def verify_vectors(target: Connection, plan: Plan) -> tuple[VectorResult, ...]:
    """Checks every embedding column of the plan.

    Raises:
        psycopg.Error: the server refused a query.
    """
    return tuple(_verify(target, plan.target_schema, spec) for spec in plan.embeddings)


def _column(schema: str, spec: EmbeddingSpec) -> Nearest:
    table, name = qualified(schema, spec.table), quote(spec.column)
    if "halfvec" in (spec.statement or ""):
        vector = f"halfvec({spec.dimensions})"
        return Nearest(table, name, f"({name}::{vector})", vector, spec.distance)
    return Nearest(table, name, name, f"vector({spec.dimensions})", spec.distance)


def _verify(target: Connection, schema: str, spec: EmbeddingSpec) -> VectorResult:
    column = _column(schema, spec)
    found = target.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s",
        [column.table, spec.column],
    ).fetchone()
    kind = str(found[0]) if found else "missing"
    if kind != f"vector({spec.dimensions})":
        problem = f"its type is {kind}, not vector({spec.dimensions})"
        return VectorResult(spec.table, spec.column, spec.dimensions, kind, 0, spec.index, None, (problem,))
    [filled] = target.execute(f"SELECT count({column.column}) FROM {column.table}".encode()).fetchone() or (0,)
    problems: tuple[str, ...] = ()
    found_share = None
    if spec.index is not None:
        problems = _index_problems(target, schema, spec.index, column)
        if filled and not problems:
            found_share, problems = _search(target, column, spec.dimensions)
    return VectorResult(spec.table, spec.column, spec.dimensions, kind, int(filled), spec.index, found_share, problems)


def _index_problems(target: Connection, schema: str, index: str, column: Nearest) -> tuple[str, ...]:
    state = target.execute(
        "SELECT i.indisvalid, o.opcname FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[0]"
        " WHERE i.indexrelid = to_regclass(%s)",
        [qualified(schema, index)],
    ).fetchone()
    if state is None:
        return (f"the index {index} is missing",)
    valid, operator_class = state
    if not valid:
        return (f"the index {index} is invalid",)
    wanted = f"{column.vector.split('(')[0]}_{column.distance}_ops"
    if operator_class != wanted:
        return (f"the index {index} is of {operator_class}, but searches by {column.distance} distance need {wanted}",)
    query = f"SELECT {column.column}::text FROM {column.table} WHERE {column.column} IS NOT NULL LIMIT 1"
    stored = target.execute(query.encode()).fetchone()
    if stored is None:
        return ()
    with target.transaction():
        _prefer_index(target)
        plan = target.execute(b"EXPLAIN (FORMAT JSON) " + column.distances(10), {"vector": stored[0]}).fetchone()
    if plan is None or index not in indexes_of(plan[0]):
        return (f"a search for the nearest does not use the index {index}",)
    return ()


def _prefer_index(target: Connection) -> None:
    # The planner may rightly scan a small table; the question is whether the index can serve the query.
    target.execute("SET LOCAL enable_seqscan = off")
    target.execute("SET LOCAL enable_sort = off")


def _search(target: Connection, column: Nearest, dimensions: int) -> tuple[float | None, tuple[str, ...]]:
    """Searches for stored vectors through the index, and exactly.

    Returns:
        The mean share of the exact ten nearest that the index finds, None where no exact search ended in time; and
        problems.
    """
    shares: list[float] = []
    lost = 0
    samples = _samples(target, column)
    deadline = time.monotonic() + EXACT_SECONDS
    for vector in samples:
        near = _near(target, column, vector, EF_SEARCH)
        exact = _exact(target, column, vector, deadline)
        share = recall(near, exact, 10, column.distance, dimensions)
        if share is not None:
            shares.append(share)
        if not _finds_itself(near, exact, column.distance, dimensions):
            # An approximate index may miss one: what even its widest search does not find is lost to it.
            widest = _near(target, column, vector, MAX_EF_SEARCH)
            lost += not _finds_itself(widest, exact, column.distance, dimensions)
    found = round(mean(shares), 4) if shares else None
    if lost <= LOST_SHARE * len(samples):
        return found, ()
    problems = (f"{lost} of {len(samples)} stored vectors are not found as their own nearest",)
    return found, problems


def _finds_itself(near: list[float], exact: list[float], distance: str, dimensions: int) -> bool:
    """Whether a search for a stored vector found one as near as any: itself, or what is at the same distance."""
    if exact:
        return recall(near, exact, 1, distance, dimensions) == 1
    # A vector is at distance 0 from itself, but has no largest inner product with itself.
    return bool(near) and (distance == "ip" or min(near) <= slack(distance, dimensions, 0.0))


def _samples(target: Connection, column: Nearest) -> list[str]:
    [rows] = target.execute(f"SELECT count(*) FROM {column.table}".encode()).fetchone() or (0,)
    share = min(100.0, 100.0 * 5 * SAMPLE / max(1, rows))
    return [str(row[0]) for row in target.execute(column.sample(share, SAMPLE, 1))]


def _near(target: Connection, column: Nearest, vector: str, ef_search: int) -> list[float]:
    with target.transaction():
        _prefer_index(target)
        target.execute(f"SET LOCAL hnsw.ef_search = {ef_search}".encode())
        return _distances(target, column, vector)


def _exact(target: Connection, column: Nearest, vector: str, deadline: float) -> list[float]:
    left = int(1000 * (deadline - time.monotonic()))
    if left <= 0:
        return []
    try:
        with target.transaction():
            target.execute("SET LOCAL enable_indexscan = off")
            target.execute(f"SET LOCAL statement_timeout = {left}".encode())
            return _distances(target, column, vector)
    except psycopg.errors.QueryCanceled:
        return []


def _distances(target: Connection, column: Nearest, vector: str) -> list[float]:
    # Never prepared: the generic plan of a prepared statement outlives the settings that tell exact from index.
    rows = target.execute(column.distances(10), {"vector": vector}, prepare=False)
    return [float(row[0]) for row in rows]
