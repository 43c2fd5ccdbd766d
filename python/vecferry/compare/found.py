"""What a comparison finds: frozen, and small enough to be kept for every chunk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["missing", "extra", "cell", "oracle"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row or cell that differs, as it is shown."""

    kind: Kind
    """`missing`: the target has not the row; `extra`: the source has it not; `cell`: both have it."""
    key: str
    """The row's key, `id = 7`; of a table without one, its values."""
    column: str | None = None
    source: str | None = None
    """The source's value, shortened."""
    target: str | None = None
    """The target's value, shortened."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison of some rows found; the numbers count all, the differences are some of each kind."""

    rows_source: int = 0
    rows_target: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    """Rows that both sides have, with a cell that differs."""
    cells: dict[str, int] = field(default_factory=dict)
    """Cells that differ, by column of the source."""
    expected: dict[str, int] = field(default_factory=dict)
    """Cells that differ as the plan announced, by `column` and kind, with a line feed between."""
    differences: tuple[Difference, ...] = ()
    oracle: dict[str, int] = field(default_factory=dict)
    """Values that the oracle agreed with, by column."""
    halves: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Greatest error and cosine error of halfvec columns."""
    complete: bool = True
    """Whether the numbers count all; where very many rows differ they are at least so large."""

    @property
    def equal(self) -> bool:
        """Whether nothing differs beyond what is expected."""
        return not (self.missing or self.extra or self.different or self.cells)


def total(found: Iterable[Found], most: int) -> Found:
    """Adds up; of each kind, and for cells of each column, `most` differences are kept.

    Args:
        found: in the order in which differences are to be shown.
        most: how many.
    """
    items = tuple(found)
    cells, expected, oracle = Counter[str](), Counter[str](), Counter[str]()
    halves: dict[str, tuple[float, float]] = {}
    for item in items:
        cells.update(item.cells)
        expected.update(item.expected)
        oracle.update(item.oracle)
        for column, (greatest, cosine) in item.halves.items():
            old = halves.get(column, (0.0, 0.0))
            halves[column] = (max(old[0], greatest), max(old[1], cosine))
    return Found(
        rows_source=sum(item.rows_source for item in items),
        rows_target=sum(item.rows_target for item in items),
        missing=sum(item.missing for item in items),
        extra=sum(item.extra for item in items),
        different=sum(item.different for item in items),
        cells=dict(cells),
        expected=dict(expected),
        differences=_some((difference for item in items for difference in item.differences), most),
        oracle=dict(oracle),
        halves=halves,
        complete=all(item.complete for item in items),
    )


def _some(differences: Iterable[Difference], most: int) -> tuple[Difference, ...]:
    seen = Counter[tuple[str, str | None]]()
    kept = []
    for difference in differences:
        seen[difference.kind, difference.column] += 1
        if seen[difference.kind, difference.column] <= most:
            kept.append(difference)
    return tuple(kept)
