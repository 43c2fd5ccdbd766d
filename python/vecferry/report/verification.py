"""The result of a verification: one frozen model behind the console's tables and the `--json` object."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vecferry.report.report import VectorResult  # noqa: TC001 - part of the dataclass that asdict walks

Level = Literal["counts", "sample", "full"]


@dataclass(frozen=True, slots=True)
class TableVerification:
    """What came of comparing one table."""

    name: str
    rows_source: int
    rows_target: int
    rows_compared: int
    """Rows of the source that were compared cell by cell."""
    rows_missing: int
    """Rows that the target has not."""
    rows_extra: int
    """Rows that the source has not."""
    rows_different: int
    """Rows that both have, with a cell that differs."""
    cells_different: dict[str, int]
    """Cells that differ, by column."""
    verified: Literal["equal", "different", "not checked"]
    complete: bool = True
    """Whether the numbers count all; where very many rows differ they are at least so large."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs; of each kind, table and column some are listed, the tables' numbers count all."""

    kind: Literal["missing", "extra", "cell", "oracle", "count", "structure"]
    table: str
    key: str | None = None
    column: str | None = None
    source: str | None = None
    """The source's value, shortened; of a structure, what is wrong."""
    target: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """A loss that the plan announced and the comparison met."""

    table: str
    column: str
    kind: str
    found: int
    planned: int | None
    """How many values the plan counted; None where there is no plan."""


@dataclass(frozen=True, slots=True)
class OracleResult:
    """How many sampled embeddings a second reader, orjson and numpy, agreed with."""

    table: str
    column: str
    rows: int


@dataclass(frozen=True, slots=True)
class HalfResult:
    """How far a halfvec column is from its source."""

    table: str
    column: str
    greatest_error: float
    """The largest difference of a component."""
    cosine_error: float
    """The largest cosine distance of a vector from its source."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole result of a `verify`."""

    status: Literal["ok", "differences"]
    level: Level
    run_id: str | None
    """The run in the target's ledger whose plan was used; None where there is none."""
    seconds: dict[str, float]
    """Wall time by step: plan, cells, structure, total."""
    tables: tuple[TableVerification, ...]
    differences: tuple[Difference, ...]
    losses: tuple[ExpectedLoss, ...] = ()
    oracle: tuple[OracleResult, ...] = ()
    halfvecs: tuple[HalfResult, ...] = ()
    vectors: tuple[VectorResult, ...] = ()
    notes: tuple[str, ...] = field(default=())
    report: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; its names are stable."""
        return asdict(self)
