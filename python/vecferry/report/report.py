"""The result of a run: one frozen model behind the console's table and the `--json` object."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from vecferry.model import Loss  # noqa: TC001 - part of the dataclass that asdict walks
from vecferry.report.details import Details, Failure, SearchPoint  # noqa: TC001 - the same

if TYPE_CHECKING:
    from vecferry.report.verification import Verification

Status = Literal["ok", "differences", "rejected", "smoke failed", "nothing to do", "stopped"]


@dataclass(frozen=True, slots=True)
class TableResult:
    """What came of one table; bytes are of source data, as read."""

    name: str
    rows_source: int
    rows_target: int
    rows_rejected: int
    bytes_read: int
    seconds: float
    """Time that workers spent on the table, added up."""
    verified: Literal["equal", "different", "not checked"]


@dataclass(frozen=True, slots=True)
class VectorResult:
    """What came of one embedding column."""

    table: str
    column: str
    dimensions: int
    type: str
    rows: int
    index: str | None
    recall_at_10: float | None
    """Share of the exact ten nearest that the index finds, mean over sampled stored vectors; None: not measured."""
    problems: tuple[str, ...] = ()
    """What verification found wrong, a sentence each."""


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """A sequence as it was left; `last_value` is None where the next value is the first."""

    sequence: str
    last_value: int | None


@dataclass(frozen=True, slots=True)
class RejectResult:
    """Values of a column that could not be carried, for one reason; they are in the reject store."""

    table: str
    column: str | None
    reason: str
    action: str
    """`reject`: their rows were left out; `null`: they became NULL."""
    count: int
    message: str
    """Of the first."""
    examples: tuple[str, ...] = ()
    """The keys of a few, as JSON."""


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """What came of a statement or a request of `[smoke]`."""

    name: str
    kind: Literal["sql", "http"]
    passed: bool
    expected: str
    found: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """The whole result of a `migrate`."""

    run_id: str
    status: Status
    seconds: dict[str, float]
    """Wall time by step: plan, load, keys, vector_index, sequences, verify, total."""
    tables: tuple[TableResult, ...]
    vectors: tuple[VectorResult, ...]
    sequences: tuple[SequenceResult, ...]
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = field(default=())
    rejects: tuple[RejectResult, ...] = ()
    smoke: tuple[SmokeResult, ...] = ()
    report: str | None = None
    verification: Verification | None = None
    """What came of comparing every cell; None where a finished run was only counted again."""
    failure: Failure | None = None
    """Why the run stopped; it has a status of its own, `stopped`, and no tables."""
    search: tuple[SearchPoint, ...] = ()
    """What `vecferry verify --search` measured since."""
    search_problems: tuple[str, ...] = ()
    details: Details | None = None
    """What a report directory gets besides."""

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; its names are stable."""
        return asdict(self)
