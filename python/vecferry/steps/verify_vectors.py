"""Checks embedding columns: the type, the index, and searches that must find what is stored."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from vecferry.mapping.ddl import OPERATORS, Distance
from vecferry.mapping.identifiers import qualified, quote
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
_TOLERANCE = 1e-6


def verify_vectors(target: Connection, plan: Plan) -> tuple[VectorResult, ...]:
    """Checks every embedding column of the plan.

    Raises:
        psycopg.Error: the server refused a query.
    """
    return tuple(_verify(target, plan.target_schema, spec) for spec in plan.embeddings)


@dataclass(frozen=True, slots=True)
class _Column:
    """The texts that queries on an embedding column are made of."""

    table: str
    name: str
    operand: str
    """What the index is on: the column, or its cast to halfvec."""
    vector: str
    """The type that a query's vector is cast to."""
    distance: Distance

    def nearest(self, limit: int) -> bytes:
        """The ten nearest by distance; `%(vector)s` is the query's vector as text."""
        # psycopg takes a % in a statement with values for the beginning of a placeholder.
        table, name, operand = (part.replace("%", "%%") for part in (self.table, self.name, self.operand))
        order = f"{operand} {OPERATORS[self.distance]} %(vector)s::{self.vector}"
        # A scan that sorts would end with the NULLs, which the index does not hold.
        return f"SELECT {order} FROM {table} WHERE {name} IS NOT NULL ORDER BY {order} LIMIT {limit}".encode()


def _column(schema: str, spec: EmbeddingSpec) -> _Column:
    statement = spec.statement or ""
    table, name = qualified(schema, spec.table), quote(spec.column)
    if "halfvec" in statement:
        vector = f"halfvec({spec.dimensions})"
        return _Column(table, name, f"({name}::{vector})", vector, spec.distance)
    return _Column(table, name, name, f"vector({spec.dimensions})", spec.distance)


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
    [filled] = target.execute(f"SELECT count({column.name}) FROM {column.table}".encode()).fetchone() or (0,)
    problems: tuple[str, ...] = ()
    recall = None
    if spec.index is not None:
        problems = _index_problems(target, schema, spec.index, column)
        if filled and not problems:
            recall, problems = _search(target, column)
    return VectorResult(spec.table, spec.column, spec.dimensions, kind, int(filled), spec.index, recall, problems)


def _index_problems(target: Connection, schema: str, index: str, column: _Column) -> tuple[str, ...]:
    state = target.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [qualified(schema, index)]
    ).fetchone()
    if state is None:
        return (f"the index {index} is missing",)
    if not state[0]:
        return (f"the index {index} is invalid",)
    query = f"SELECT {column.name}::text FROM {column.table} WHERE {column.name} IS NOT NULL LIMIT 1"
    stored = target.execute(query.encode()).fetchone()
    if stored is None:
        return ()
    with target.transaction():
        _prefer_index(target)
        plan = target.execute(b"EXPLAIN (FORMAT JSON) " + column.nearest(10), {"vector": stored[0]}).fetchone()
    if plan is None or index not in _index_names(plan[0]):
        return (f"a search for the nearest does not use the index {index}",)
    return ()


def _prefer_index(target: Connection) -> None:
    # The planner may rightly scan a small table; the question is whether the index can serve the query.
    target.execute("SET LOCAL enable_seqscan = off")
    target.execute("SET LOCAL enable_sort = off")


def _index_names(node: Any) -> set[str]:  # noqa: ANN401 - EXPLAIN's JSON
    if isinstance(node, list):
        return set().union(*(_index_names(item) for item in node))
    if isinstance(node, dict):
        own = {str(node["Index Name"])} if "Index Name" in node else set()
        return own.union(*(_index_names(value) for value in node.values()))
    return set()


def _search(target: Connection, column: _Column) -> tuple[float | None, tuple[str, ...]]:
    """Searches for stored vectors through the index, and exactly.

    Returns:
        The mean share of the exact ten nearest that the index finds (told by distance, so that ties count as
        found), None where no exact search ended in time; and problems.
    """
    shares: list[float] = []
    lost = 0
    samples = _samples(target, column)
    deadline = time.monotonic() + EXACT_SECONDS
    for vector in samples:
        with target.transaction():
            _prefer_index(target)
            target.execute(f"SET LOCAL hnsw.ef_search = {EF_SEARCH}".encode())
            near = [float(row[0]) for row in target.execute(column.nearest(10), {"vector": vector})]
        exact = _exact(target, column, vector, deadline)
        if exact:
            shares.append(sum(value <= exact[-1] + _TOLERANCE for value in near) / len(exact))
        # A vector is at distance 0 from itself, but has no largest inner product with itself.
        best = 0.0 if column.distance != "ip" else (exact[0] if exact else float("inf"))
        lost += not near or near[0] > best + _TOLERANCE
    recall = round(sum(shares) / len(shares), 4) if shares else None
    problems = (f"{lost} of {len(samples)} stored vectors are not found as their own nearest",) if lost else ()
    return recall, problems


def _samples(target: Connection, column: _Column) -> list[str]:
    [rows] = target.execute(f"SELECT count(*) FROM {column.table}".encode()).fetchone() or (0,)
    share = min(100.0, 100.0 * 5 * SAMPLE / max(1, rows))
    # A vector of zeros has no direction and, under cosine, no place in the index.
    query = (
        f"SELECT {column.name}::text FROM {column.table} TABLESAMPLE BERNOULLI ({share:.6f}) REPEATABLE (1)"
        f" WHERE vector_norm({column.name}) > 0 LIMIT {SAMPLE}"
    )
    return [str(row[0]) for row in target.execute(query.encode())]


def _exact(target: Connection, column: _Column, vector: str, deadline: float) -> list[float]:
    left = int(1000 * (deadline - time.monotonic()))
    if left <= 0:
        return []
    try:
        with target.transaction():
            target.execute("SET LOCAL enable_indexscan = off")
            target.execute(f"SET LOCAL statement_timeout = {left}".encode())
            return [float(row[0]) for row in target.execute(column.nearest(10), {"vector": vector})]
    except psycopg.errors.QueryCanceled:
        return []
