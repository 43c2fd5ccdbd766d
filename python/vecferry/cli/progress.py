"""What stderr shows of a run: a live board on a terminal, plain lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Self

from vecferry.cli.board import Board, IndexState, Rate, TableState, TotalState
from vecferry.cli.live import LiveBoard
from vecferry.cli.output import progress_console
from vecferry.progress import Progress
from vecferry.report.console import seconds_words, size_words
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

SECONDS_BETWEEN_LINES = 5.0


class Screen(Progress):
    """A progress that owns a part of stderr while it is entered; this one shows nothing."""

    def __enter__(self) -> Self:
        """Begins to show."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves stderr to others."""

    def paused(self) -> AbstractContextManager[None]:
        """Leaves stderr to others for a while, e.g. for a question."""
        return nullcontext()


def screen_for(*, quiet: bool = False) -> Screen:
    """Returns the screen that suits stderr."""
    if quiet:
        return Screen()
    console = progress_console()
    return LiveProgress(console) if console.is_terminal and not console.is_dumb_terminal else PlainProgress(console)


class LiveProgress(Screen):
    """A board that is drawn again a few times a second, with what is finished ticked off above it."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = Board(clock)
        self._live = LiveBoard(self._board, console)

    def __enter__(self) -> Self:
        """Begins to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the board away; the ticked lines stay."""
        self._live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Takes the board away for a while."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def begin(self, step: str) -> None:
        """Shows the step as running."""
        self._board.begin(step)

    def end(self, step: str, seconds: float) -> None:
        """Ticks the step off."""
        self._live.tick(step, seconds, load_words(self._board.total) if step == "load" else "")
        self._board.end(step)

    def table(self, name: str, rows: int, size: int) -> None:
        """Takes the table into account."""
        self._board.table(name, rows, size)

    def resumed(self, table: str, rows: int, size: int) -> None:
        """Takes into account what is there already."""
        self._board.resumed(table, rows, size)

    def advance(self, table: str, rows: int, size: int) -> None:
        """Moves the table's bar and the overall one."""
        self._board.advance(table, rows, size)

    def index(self, name: str, phase: str, done: int, total: int) -> None:
        """Moves the index's bar."""
        self._board.index(name, phase, done, total)

    def note(self, text: str) -> None:
        """Prints the sentence above the board."""
        self._live.print(f"note: {text}")


class PlainProgress(Screen):
    """Lines for a log: each step's start and end, each table and index now and then, each table's end."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._board = Board(clock)
        self._lock = threading.Lock()
        self._last_line: dict[tuple[str, str], float] = {}
        self._told: dict[str, int] = {}

    def begin(self, step: str) -> None:
        """Prints that the step starts."""
        self._board.begin(step)
        self._print(f"{step}: started")

    def end(self, step: str, seconds: float) -> None:
        """Prints how long the step took; for the load, also the tables whose end was not told yet."""
        work = ""
        if step == "load":
            with self._lock:
                left = [t for t in self._board.tables() if t.rows_done != self._told.get(t.name, 0)]
            for table in left:
                self._print(table_end_words(table))
            work = f", {load_words(self._board.total)}"
        self._board.end(step)
        self._print(f"{step}: done in {seconds_words(seconds)}{work}")

    def table(self, name: str, rows: int, size: int) -> None:
        """Takes the table into account."""
        self._board.table(name, rows, size)

    def resumed(self, table: str, rows: int, size: int) -> None:
        """Takes into account what is there already."""
        self._board.resumed(table, rows, size)

    def advance(self, table: str, rows: int, size: int) -> None:
        """Prints a line if the table has come to its end, or if five seconds have passed since its last."""
        state = self._board.advance(table, rows, size)
        with self._lock:
            at_end = state.rows_done >= state.rows and table not in self._told
            if at_end:
                self._told[table] = state.rows_done
            elif not self._is_time(("table", table)):
                return
        self._print(table_end_words(state) if at_end else table_words(state))

    def index(self, name: str, phase: str, done: int, total: int) -> None:
        """Prints a line if five seconds have passed since the last."""
        state = self._board.index(name, phase, done, total)
        with self._lock:
            if not self._is_time(("index", name)):
                return
        self._print(index_words(state))

    def note(self, text: str) -> None:
        """Prints the sentence."""
        self._print(f"note: {text}")

    def _is_time(self, key: tuple[str, str]) -> bool:
        now = self._clock()
        if now - self._last_line.setdefault(key, now) < SECONDS_BETWEEN_LINES:
            return False
        self._last_line[key] = now
        return True

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)


def load_words(total: TableState | TotalState) -> str:
    """`1,234,567 rows, 2.3 GB`, and how many of the rows an earlier run carried."""
    before = f" ({total.rows_before:,} of them earlier)" if total.rows_before else ""
    return f"{count_words(total.rows_done, 'row')}, {size_words(total.size_done)}{before}"


def table_end_words(table: TableState) -> str:
    """`load: documents: 1,234,567 rows, 2.3 GB`, a table's last line."""
    return f"load: {table.name}: {load_words(table)}"


def table_words(table: TableState) -> str:
    """`load: documents: 10 of 40 rows (25%), 2 rows/s, 1.0 MB/s, about 15 s left`."""
    rate: Rate = table.rate
    left = f", about {seconds_words(table.seconds_left)} left" if table.seconds_left is not None else ""
    return (
        f"load: {table.name}: {table.rows_done:,} of {table.rows:,} rows ({table.share:.0%}), "
        f"{rate.rows:,.0f} rows/s, {size_words(rate.size)}/s{left}"
    )


def index_words(index: IndexState) -> str:
    """`documents_embedding_hnsw: loading tuples, 45%, about 12 s left`."""
    share = f", {index.share:.0%}" if index.share is not None else ""
    left = f", about {seconds_words(index.seconds_left)} left" if index.seconds_left is not None else ""
    return f"{index.name}: {index.phase}{share}{left}"
