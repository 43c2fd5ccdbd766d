"""How far a run is: the state behind both displays, safe to move from several threads."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 15.0
"""Rates are means over this long: chunks arrive in lumps."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows and bytes per second."""

    rows: float = 0.0
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class TableState:
    """How far one table has come; `rows` and `size` are estimates."""

    name: str
    rows: int = 0
    size: int = 0
    rows_done: int = 0
    size_done: int = 0
    rate: Rate = Rate()
    rows_before: int = 0
    """How many of `rows_done` an earlier run carried."""
    last_advance: float | None = None

    @property
    def share(self) -> float:
        """How much is done, 0 to 1, by rows; estimates may be passed."""
        return min(1.0, self.rows_done / self.rows) if self.rows else float(self.rows_done > 0)

    @property
    def seconds_left(self) -> float | None:
        """A guess from the present rate; None while there is no rate."""
        return max(0, self.rows - self.rows_done) / self.rate.rows if self.rate.rows > 0 else None


@dataclass(frozen=True, slots=True)
class TotalState:
    """How far all tables together have come.

    `share` is that of the bytes: a big table counts for more than a small one, and because it rests on each
    table's share of its own rows, it does not matter that bytes are estimated otherwise than they are counted.
    """

    rows: int
    rows_done: int
    rows_before: int
    size_done: int
    rate: Rate
    share: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the build of an index is in its present phase."""

    name: str
    phase: str
    done: int
    total: int
    phase_began: float
    now: float

    @property
    def share(self) -> float | None:
        """How much of the phase is done, 0 to 1; None where the server gives no total."""
        return min(1.0, self.done / self.total) if self.total > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """A guess from the phase's mean speed; None before anything is done."""
        elapsed = self.now - self.phase_began
        if not 0 < self.done < self.total or elapsed <= 0:
            return None
        return elapsed * (self.total - self.done) / self.done


class Board:
    """Steps, tables and indexes with how far they are; what it hands out is frozen."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._steps: dict[str, float] = {}
        self._load_began = clock()
        self._tables: dict[str, TableState] = {}
        self._recent: dict[str, deque[tuple[float, int, int]]] = {}
        self._indexes: dict[str, IndexState] = {}

    def begin(self, step: str) -> None:
        """A step starts."""
        with self._lock:
            self._steps[step] = self._clock()
            if step == "load":
                self._load_began = self._clock()

    def end(self, step: str) -> None:
        """A step ended; the indexes it showed are done."""
        with self._lock:
            self._steps.pop(step, None)
            self._indexes.clear()

    def steps(self) -> tuple[tuple[str, float], ...]:
        """Returns the running steps with the seconds they have taken so far."""
        with self._lock:
            now = self._clock()
            return tuple((step, now - began) for step, began in self._steps.items())

    def table(self, name: str, rows: int, size: int) -> None:
        """A table will be loaded; saying so twice counts once."""
        with self._lock:
            known = self._tables.get(name, TableState(name))
            self._tables[name] = replace(known, rows=rows, size=size)

    def resumed(self, table: str, rows: int, size: int) -> None:
        """An earlier run carried so much of `table`: it is done, but says nothing of the speed."""
        with self._lock:
            state = self._tables.get(table, TableState(table))
            self._tables[table] = replace(
                state,
                rows_before=state.rows_before + rows,
                rows_done=state.rows_done + rows,
                size_done=state.size_done + size,
            )

    def advance(self, table: str, rows: int, size: int) -> TableState:
        """More of `table` is done; returns how far it is."""
        with self._lock:
            now = self._clock()
            state = self._tables.get(table, TableState(table))
            self._recent.setdefault(table, deque()).append((now, rows, size))
            state = replace(state, last_advance=now, rows_done=state.rows_done + rows, size_done=state.size_done + size)
            self._tables[table] = state = self._rated(state, now)
            return state

    def tables(self) -> tuple[TableState, ...]:
        """Returns every table."""
        with self._lock:
            now = self._clock()
            return tuple(self._rated(state, now) for state in self._tables.values())

    @property
    def total(self) -> TotalState:
        """All tables together."""
        tables = self.tables()
        weights = [table.size or table.rows or 1 for table in tables]
        whole = sum(weights)
        done = sum(table.share * weight for table, weight in zip(tables, weights, strict=True))
        speed = sum(
            weight * table.rate.rows / table.rows for table, weight in zip(tables, weights, strict=True) if table.rows
        )
        return TotalState(
            rows=sum(table.rows for table in tables),
            rows_done=sum(table.rows_done for table in tables),
            rows_before=sum(table.rows_before for table in tables),
            size_done=sum(table.size_done for table in tables),
            rate=Rate(sum(table.rate.rows for table in tables), sum(table.rate.size for table in tables)),
            share=done / whole if whole else 0.0,
            seconds_left=(whole - done) / speed if speed > 0 else None,
        )

    def index(self, name: str, phase: str, done: int, total: int) -> IndexState:
        """An index build is this far; returns it."""
        with self._lock:
            now = self._clock()
            known = self._indexes.get(name)
            began = known.phase_began if known is not None and known.phase == phase else now
            self._indexes[name] = IndexState(name, phase, done, total, began, now)
            return self._indexes[name]

    def indexes(self) -> tuple[IndexState, ...]:
        """Returns the indexes that the running step has told of."""
        with self._lock:
            return tuple(self._indexes.values())

    def _rated(self, state: TableState, now: float) -> TableState:
        recent = self._recent.get(state.name)
        if recent is None:
            return state
        while recent and recent[0][0] < now - WINDOW_SECONDS:
            recent.popleft()
        span = max(min(now - self._load_began, WINDOW_SECONDS), 0.001)
        rows = sum(entry[1] for entry in recent)
        size = sum(entry[2] for entry in recent)
        return replace(state, rate=Rate(rows / span, size / span))
