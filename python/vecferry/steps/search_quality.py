"""Measures what a vector index finds of the exact answer, and how fast, at several settings; changes nothing.

The exact answers come from the same server with index scans off, each a scan of the table, so their number is bounded
by time. A search here is what an application sends: one statement, its vector as text, the answer read.
"""

from __future__ import annotations

import json
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Literal

import psycopg

from vecferry.mapping.nearest import indexes_of
from vecferry.recall import mean, percentile, recall, smallest_reaching
from vecferry.report.search import ReachResult, RecallResult, SearchResult, VectorCensus
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vecferry.mapping.nearest import Nearest
    from vecferry.target.connect import Connection
    from vecferry.target.vector_indexes import VectorIndex

SETTINGS = {"hnsw": "hnsw.ef_search", "ivfflat": "ivfflat.probes"}
"""What tells an index how much to look at, by its method."""
EF_SEARCH = (10, 40, 100, 200, 400)
"""40 is pgvector's default."""
PROBES = (1, 4, 10, 20, 40)
"""1 is pgvector's default."""
WANTED = (0.95, 0.99)
POOR = 0.8
"""The recall at 10 that an index must reach at the largest setting, or something is wrong with it."""
_FEW, _MANY = 10, 100
_EXACT_SHARE = 0.6
"""Of the time, the most that exact searches may take together; a census may take half of that before."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured for an index."""

    queries: int = 20
    """Of each kind: stored vectors, and the same with noise."""
    seconds: float = 60.0
    """The most that one index may take, give or take a search."""
    noise: float = 0.1
    """The length of the noise, against the vector's own."""
    seed: int = 1
    settings: tuple[int, ...] = EF_SEARCH
    """Values of `hnsw.ef_search`."""


@dataclass(frozen=True, slots=True)
class _Query:
    kind: Literal["stored", "perturbed"]
    vector: str
    exact: tuple[float, ...]
    """Distances of the hundred nearest."""
    exact_ms: float


@dataclass(frozen=True, slots=True)
class _Found:
    few: tuple[float, ...]
    many: tuple[float, ...]
    milliseconds: float
    """Of the search for few."""


def measure_index(
    target: Connection, index: VectorIndex, effort: Effort, expected_distance: str | None = None
) -> SearchResult:
    """Checks an index and measures its searches.

    Args:
        target: a connection that may be read-only.
        index: what the catalog says of it.
        effort: how much is measured.
        expected_distance: the distance that the application searches by; None where nobody knows.

    Raises:
        psycopg.Error: the server refused a query.
    """
    started = time.monotonic()
    nearest = index.nearest
    result = SearchResult(
        index.table,
        index.column,
        index.name,
        index.method,
        index.operator_class,
        problems=_wrong(index, expected_distance),
        setting=SETTINGS[index.method],
    )
    if not index.valid:
        return result
    if nearest is None:
        return replace(result, notes=("searches over bits and sparse vectors are not measured",))
    result = _measured(target, index, nearest, effort, result)
    return replace(result, seconds=round(time.monotonic() - started, 3))


def _wrong(index: VectorIndex, expected_distance: str | None) -> tuple[str, ...]:
    if not index.valid:
        return (f"the index {index.name} is invalid: REINDEX it",)
    if expected_distance and index.distance and index.distance != expected_distance:
        wanted = index.operator_class.replace(index.distance, expected_distance)
        words = f"is of {index.operator_class}, but searches by {expected_distance} distance need {wanted}"
        return (f"the index {index.name} {words}",)
    return ()


def _measured(
    target: Connection, index: VectorIndex, nearest: Nearest, effort: Effort, result: SearchResult
) -> SearchResult:
    started = time.monotonic()
    exact_until = started + effort.seconds * _EXACT_SHARE
    census = _census(target, nearest, started + effort.seconds * _EXACT_SHARE / 2)
    result = replace(result, census=census, notes=_remarks(census, nearest.distance))
    vectors = _samples(target, nearest, census.rows if census else index.rows, effort, exact_until)
    if not vectors:
        return _noted(result, "not measured: no vector with a length was found in time")
    serves, chosen = _used(target, index.name, nearest, vectors[0])
    if not serves:
        problem = f"a search for the nearest does not use the index {index.name}"
        return replace(result, problems=(*result.problems, problem))
    if not chosen:
        result = _noted(result, "left to itself, PostgreSQL scans the table: right for a small one, else run ANALYZE")
    queries = _answered(target, nearest, _with_noise(vectors, effort), exact_until)
    if not queries:
        return _noted(result, f"not measured: no exact search ended within {effort.seconds * _EXACT_SHARE:g} s")
    settings = effort.settings if index.method == "hnsw" else PROBES
    found = _searched(target, result.setting, settings, nearest, queries, started + effort.seconds)
    asked = len(found[settings[0]])
    if asked < 2 * len(vectors):
        result = _noted(result, f"{asked} of {2 * len(vectors)} queries were measured: more did not fit the time")
    rows = tuple(
        row
        for setting in settings
        for kind in ("stored", "perturbed")
        for row in _row(setting, kind, queries, found[setting], index)
    )
    exact_ms = percentile([query.exact_ms for query in queries], 0.5)
    result = replace(result, exact_p50_ms=round(exact_ms, 3), measured=rows, reaches=_reaches(rows))
    return replace(result, problems=(*result.problems, *_poor(result, index)))


def _noted(result: SearchResult, note: str) -> SearchResult:
    return replace(result, notes=(*result.notes, note))


# --- what is stored ------------------------------------------------------------------------------


def _census(target: Connection, nearest: Nearest, deadline: float) -> VectorCensus | None:
    """Counts in one scan; equal vectors are told by a hash of their bytes, 16 a row instead of thousands."""
    kind = nearest.vector.split("(")[0].rsplit(".", 1)[-1]
    where = f" WHERE {nearest.condition}" if nearest.condition else ""
    query = (
        "SELECT coalesce(sum(n), 0)::bigint, coalesce(sum(n) FILTER (WHERE h IS NULL), 0)::bigint,"
        " coalesce(sum(n) FILTER (WHERE zero), 0)::bigint,"
        " coalesce(sum(n - 1) FILTER (WHERE h IS NOT NULL), 0)::bigint,"
        " coalesce(max(n) FILTER (WHERE h IS NOT NULL), 0)::bigint FROM ("
        f"SELECT md5({kind}_send({nearest.operand})) AS h, {nearest.norm} = 0 AS zero, count(*) AS n"
        f" FROM {nearest.table}{where} GROUP BY 1, 2) AS counted"
    )
    try:
        with bounded(target, deadline):
            row = target.execute(query.encode(), prepare=False).fetchone()
    except psycopg.errors.QueryCanceled:
        return None
    return VectorCensus(*row) if row else None


def _remarks(census: VectorCensus | None, distance: str) -> tuple[str, ...]:
    if census is None:
        return ("NULLs, zeros and duplicates were not counted: that did not fit the time",)
    notes = []
    if census.zeros and distance == "cosine":
        notes.append(f"{count_words(census.zeros, 'vector')} of length 0: no search by cosine distance finds them")
    if census.largest_group >= _FEW:
        notes.append(
            f"{census.largest_group:,} rows hold the same vector: the ten nearest of a search near it are all of these"
        )
    return tuple(notes)


def _samples(target: Connection, nearest: Nearest, rows: int, effort: Effort, deadline: float) -> tuple[str, ...]:
    # A share that is too small, by an old estimate or for many NULLs, finds too few: then all are looked at.
    share = min(100.0, 100.0 * 5 * effort.queries / rows) if rows > 0 else 100.0
    found: list[tuple[str, ...]] = []
    for percent in dict.fromkeys((share, 100.0)):
        try:
            with bounded(target, deadline):
                found = target.execute(nearest.sample(percent, effort.queries, effort.seed), prepare=False).fetchall()
        except psycopg.errors.QueryCanceled:
            break
        if len(found) == effort.queries:
            break
    return tuple(str(row[0]) for row in found)


def _with_noise(vectors: Sequence[str], effort: Effort) -> list[tuple[Literal["stored", "perturbed"], str]]:
    """Returns each vector, and after it the same with noise, so that both kinds fit the time equally."""
    generator = random.Random(effort.seed)  # noqa: S311 - a sample, no secret
    queries: list[tuple[Literal["stored", "perturbed"], str]] = []
    for vector in vectors:
        queries.append(("stored", vector))
        queries.append(("perturbed", perturbed(vector, effort.noise, generator)))
    return queries


def perturbed(vector: str, noise: float, generator: random.Random) -> str:
    """Returns a vector with gaussian noise whose expected length is `noise` times the vector's own.

    Args:
        vector: pgvector's text, which is a JSON array.
        noise: e.g. 0.1.
        generator: seeded.
    """
    values = [float(value) for value in json.loads(vector)]
    spread = noise * sqrt(sum(value * value for value in values) / len(values))
    return "[" + ",".join(f"{value + generator.gauss(0, spread):.9g}" for value in values) + "]"


# --- searches ------------------------------------------------------------------------------------


@contextmanager
def bounded(target: Connection, deadline: float) -> Iterator[None]:
    """Opens a transaction whose statements end at a time of `time.monotonic()`, with QueryCanceled."""
    left = max(1, int(1000 * (deadline - time.monotonic())))
    with target.transaction():
        target.execute(f"SET LOCAL statement_timeout = {left}".encode(), prepare=False)
        yield


def _used(target: Connection, index: str, nearest: Nearest, vector: str) -> tuple[bool, bool]:
    """Returns whether the index can serve a search, and whether PostgreSQL chooses it by itself."""
    query, values = b"EXPLAIN (FORMAT JSON) " + nearest.distances(10), {"vector": vector}
    with target.transaction():
        own = target.execute(query, values, prepare=False).fetchone()
        _prefer_index(target)
        led = target.execute(query, values, prepare=False).fetchone()
    return led is not None and index in indexes_of(led[0]), own is not None and index in indexes_of(own[0])


def _prefer_index(target: Connection) -> None:
    target.execute("SET LOCAL enable_seqscan = off", prepare=False)
    target.execute("SET LOCAL enable_sort = off", prepare=False)


def _answered(
    target: Connection, nearest: Nearest, queries: Sequence[tuple[Literal["stored", "perturbed"], str]], deadline: float
) -> list[_Query]:
    """Returns the queries with their exact answers, as many pairs as fit the time."""
    answered: list[_Query] = []
    for kind, vector in queries:
        if time.monotonic() >= deadline:
            break
        try:
            with bounded(target, deadline):
                target.execute("SET LOCAL enable_indexscan = off", prepare=False)
                exact, milliseconds = _timed(target, nearest, vector, _MANY)
        except psycopg.errors.QueryCanceled:
            break
        answered.append(_Query(kind, vector, exact, milliseconds))
    return answered[: len(answered) // 2 * 2]


def _searched(
    target: Connection, name: str, settings: Sequence[int], nearest: Nearest, queries: Sequence[_Query], deadline: float
) -> dict[int, list[_Found]]:
    """Returns what the searches for the first queries found, by setting: the same number for each."""
    found: dict[int, list[_Found]] = {setting: [] for setting in settings}
    with target.transaction():
        _prefer_index(target)
        target.execute(f"SET LOCAL {name} = {max(settings)}".encode(), prepare=False)
        # Nobody asks how long the first search takes that finds the index's pages on the disk.
        _timed(target, nearest, queries[0].vector, _MANY)
        for number, query in enumerate(queries):
            if number and number % 2 == 0 and time.monotonic() >= deadline:
                break
            for setting in settings:
                target.execute(f"SET LOCAL {name} = {setting}".encode(), prepare=False)
                many, _ = _timed(target, nearest, query.vector, _MANY)
                few, milliseconds = _timed(target, nearest, query.vector, _FEW)
                found[setting].append(_Found(few, many, milliseconds))
    return found


def _timed(target: Connection, nearest: Nearest, vector: str, limit: int) -> tuple[tuple[float, ...], float]:
    started = time.perf_counter()
    # Never prepared: the generic plan of a prepared statement outlives the settings that tell exact from index.
    rows = target.execute(nearest.distances(limit), {"vector": vector}, prepare=False).fetchall()
    return tuple(float(row[0]) for row in rows), 1000 * (time.perf_counter() - started)


# --- figures -------------------------------------------------------------------------------------


def _row(
    setting: int,
    kind: Literal["stored", "perturbed"],
    queries: Sequence[_Query],
    found: Sequence[_Found],
    index: VectorIndex,
) -> Iterator[RecallResult]:
    distance, dimensions = index.distance or "", index.dimensions
    pairs = [(query, result) for query, result in zip(queries, found, strict=False) if query.kind == kind]
    few = [recall(result.few, query.exact, _FEW, distance, dimensions) for query, result in pairs]
    many = [recall(result.many, query.exact, _MANY, distance, dimensions) for query, result in pairs]
    known = [(a, b) for a, b in zip(few, many, strict=True) if a is not None and b is not None]
    if not known:
        return
    times = [result.milliseconds for _, result in pairs]
    yield RecallResult(
        setting,
        kind,
        len(known),
        round(mean([a for a, _ in known]), 4),
        round(mean([b for _, b in known]), 4),
        round(percentile(times, 0.5), 3),
        round(percentile(times, 0.95), 3),
    )


def _poor(result: SearchResult, index: VectorIndex) -> tuple[str, ...]:
    largest = max(row.setting for row in result.measured)
    best = min(row.recall_at_10 for row in result.measured if row.setting == largest)
    if best >= POOR:
        return ()
    cure = "larger m and ef_construction" if index.method == "hnsw" else "fewer lists, now that the table is full"
    share = f"even at {result.setting} = {largest} searches find {best:.2f} of the ten nearest"
    return (f"{share}: build the index {index.name} again with {cure}",)


def _reaches(rows: Sequence[RecallResult]) -> tuple[ReachResult, ...]:
    few: dict[int, list[float]] = {}
    many: dict[int, list[float]] = {}
    for row in rows:
        few.setdefault(row.setting, []).append(row.recall_at_10)
        many.setdefault(row.setting, []).append(row.recall_at_100)
    return tuple(
        [ReachResult(10, wanted, smallest_reaching(few, wanted)) for wanted in WANTED]
        + [ReachResult(100, wanted, smallest_reaching(many, wanted)) for wanted in WANTED]
    )
