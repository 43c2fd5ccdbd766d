"""What `report.json` and `report.html` tell of a run besides its result; frozen, its names are stable."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run stopped."""

    sentence: str
    exit_code: int
    advice: str
    """How to go on."""


@dataclass(frozen=True, slots=True)
class TableProgress:
    """How far a table of a stopped run is; rows and bytes marked `about` are the plan's estimates."""

    name: str
    rows_about: int
    rows_written: int
    rows_rejected: int
    bytes_about: int
    bytes_read: int
    chunks: int
    chunks_committed: int


@dataclass(frozen=True, slots=True)
class StepTime:
    """When a step ran, in seconds since the call began."""

    name: str
    start: float
    seconds: float
    finished: bool


@dataclass(frozen=True, slots=True)
class Throughput:
    """The speed of the load in equal stretches of working time; time in which nothing was loaded is left out."""

    seconds: float
    """The length of a stretch."""
    rows_per_second: tuple[float, ...]
    bytes_per_second: tuple[float, ...]
    """Of source data, as read."""


@dataclass(frozen=True, slots=True)
class EmbeddingCensus:
    """What an embedding column holds, by a sample of its rows."""

    table: str
    column: str
    forms: dict[str, int]
    """Forms of the source's texts with the number of sampled rows of each: `JSON object`, `JSON array`."""
    rows: int
    """How many rows of the target the rest is of."""
    complete: bool
    """Whether these are all rows."""
    nulls: int
    zeros: int
    """Vectors of zeros, which a cosine index leaves out."""
    dimensions: dict[str, int]
    """Numbers of dimensions with the number of rows of each."""
    norm_least: float | None
    norm_mean: float | None
    norm_greatest: float | None
    norm_edges: tuple[float, ...]
    """The bounds of the histogram's bars, one more than there are bars."""
    norm_counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IndexBuild:
    """An HNSW index as it stands."""

    index: str
    table: str
    column: str
    statement: str
    seconds: float | None
    """How long its build took; None where this call did not build it."""
    size: int | None
    """In bytes; None where there is no such index."""
    valid: bool


@dataclass(frozen=True, slots=True)
class SearchPoint:
    """How good and how fast searches through an index are at one `hnsw.ef_search`."""

    index: str
    kind: str
    """What is searched for, e.g. stored or perturbed vectors."""
    ef_search: int
    recall10: float
    recall100: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One of the two servers: its version and the settings that matter for a migration."""

    end: str
    """`source` or `target`."""
    place: str
    """`host:port/database`."""
    version: str
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Details:
    """All of it; what could not be learned is empty, and `notes` says why."""

    version: str
    """vecferry's."""
    started: str
    """When the call began, ISO 8601 in UTC."""
    finished: str
    source: str
    target: str
    target_schema: str
    options: dict[str, object]
    """The call's options by name, without URLs."""
    chosen: tuple[str, ...]
    """Those that are not at their defaults."""
    steps: tuple[StepTime, ...] = ()
    progress: tuple[TableProgress, ...] = ()
    """Only of a run that stopped."""
    throughput: Throughput | None = None
    census: tuple[EmbeddingCensus, ...] = ()
    indexes: tuple[IndexBuild, ...] = ()
    servers: tuple[ServerFacts, ...] = ()
    notes: tuple[str, ...] = field(default=())
