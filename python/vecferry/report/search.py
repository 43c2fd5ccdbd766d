"""The result of measuring searches: one frozen model behind the console's tables and the `--json` object."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from vecferry.report.details import SearchPoint

HNSW = "hnsw.ef_search"


@dataclass(frozen=True, slots=True)
class RecallResult:
    """What searches through an index found at one setting, and how long they took as a client sees it."""

    setting: int
    """`hnsw.ef_search`, or `ivfflat.probes`."""
    kind: Literal["stored", "perturbed"]
    """Whether the queries are stored vectors, or stored vectors with noise."""
    queries: int
    recall_at_10: float
    """Share of the exact ten nearest that were found, mean over the queries."""
    recall_at_100: float
    p50_ms: float
    """Median time of a search for the ten nearest, in milliseconds."""
    p95_ms: float


@dataclass(frozen=True, slots=True)
class ReachResult:
    """The smallest setting from which on both kinds of queries have a recall; None: not one that was measured."""

    k: Literal[10, 100]
    recall: float
    setting: int | None


@dataclass(frozen=True, slots=True)
class VectorCensus:
    """The vectors of a column that crowd results or vanish from them; numbers are of rows."""

    rows: int
    nulls: int
    zeros: int
    """Vectors of length 0: under cosine they are not in the index."""
    duplicates: int
    """Rows whose vector another row holds already."""
    largest_group: int
    """The most rows that hold the same vector."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What came of one vector index."""

    table: str
    column: str
    index: str
    method: str
    """`hnsw` or `ivfflat`; empty where the index is missing."""
    operator_class: str
    problems: tuple[str, ...] = ()
    """What makes searches wrong, a sentence each."""
    notes: tuple[str, ...] = ()
    """What a user should know, and what was not measured and why."""
    setting: str = ""
    """What the measured settings are of: `hnsw.ef_search` or `ivfflat.probes`."""
    census: VectorCensus | None = None
    """None where it could not be counted in time."""
    exact_p50_ms: float | None = None
    """Median time of an exact search for the hundred nearest, a scan of the table, in milliseconds."""
    measured: tuple[RecallResult, ...] = ()
    reaches: tuple[ReachResult, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What came of one query of the user's own."""

    line: int
    """Of the file, from 1."""
    table: str
    column: str
    k: int
    expected: tuple[str, ...]
    ranks: tuple[int | None, ...]
    """The place of each expected id among the `k` found, from 1; None: not among them."""
    hits: int
    """How many of the expected ids are among the `k` found."""
    passed: bool
    """Whether there were as many hits as possible, or as many as the query asks for."""
    found: tuple[str, ...]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class SearchReport:
    """The whole result of measuring searches."""

    indexes: tuple[SearchResult, ...]
    queries: tuple[QueryResult, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every index serves its searches and every query of the user's own found what it must."""
        return not any(entry.problems for entry in self.indexes) and all(entry.passed for entry in self.queries)

    @property
    def points(self) -> tuple[SearchPoint, ...]:
        """What a migration's report shows of it: the measurements of HNSW indexes."""
        return tuple(
            SearchPoint(entry.index, one.kind, one.setting, one.recall_at_10, one.recall_at_100, one.p50_ms, one.p95_ms)
            for entry in self.indexes
            for one in entry.measured
            if entry.setting == HNSW
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, a sentence each, without anything of a row."""
        found = [f"{entry.table}.{entry.column}: {problem}" for entry in self.indexes for problem in entry.problems]
        missed = sum(not query.passed for query in self.queries)
        if missed:
            found.append(f"of {len(self.queries):,} searches of your own, {missed:,} found less than they must")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; its names are stable."""
        return {"passed": self.passed, **asdict(self)}
