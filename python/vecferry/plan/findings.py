"""What a plan asks of the two ends, and what they answer; the decisions themselves stay pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vecferry.convert.embeddings import Census
    from vecferry.mapping.checks import Check
    from vecferry.model import Chunk
    from vecferry.origin import Answer, Reference


@dataclass(frozen=True, slots=True)
class Look:
    """What was found by looking into one source table."""

    key: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    row_bytes: int
    rows: int
    """Rows, estimated."""
    census: dict[str, Census] = field(default_factory=dict)
    """By text column."""
    absent: frozenset[str] = frozenset()
    """Columns whose values the source does not tell."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An expression or view that PostgreSQL is asked about, without anything being made."""

    kind: Literal["boolean", "value", "view"]
    relations: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Tables with their columns and types; of an expression, the one table."""
    text: str


@dataclass(slots=True)
class Questions:
    """What a draft of the plan wants to know."""

    checks: dict[str, list[Check]] = field(default_factory=dict)
    """By source table."""
    references: list[Reference] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known by now; what was not asked yet is taken to be fine."""

    looks: dict[str, Look] = field(default_factory=dict)
    """By source table."""
    answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)
    """By source table, column and kind of check; without those that found nothing."""
    orphans: dict[tuple[str, str], Answer] = field(default_factory=dict)
    """By source table and foreign key; without those that found nothing."""
    refusals: dict[Probe, str] = field(default_factory=dict)
    """PostgreSQL's words, by probe; without those that it takes."""

    def found(self, table: str, column: str, kind: str) -> bool:
        """Says whether a check found anything."""
        return (table, column, kind) in self.answers
