"""The live board as it is drawn: running steps, active tables, all tables together, index builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from vecferry.report.console import seconds_words, size_words

if TYPE_CHECKING:
    from vecferry.cli.board import Board, TableState, TotalState

FRAMES_PER_SECOND = 8
MOST_ACTIVE = 8
"""Tables shown one by one; 500 are not drawn."""
ACTIVE_SECONDS = 30.0
"""A table whose last chunk is older than this is not being worked on, whatever the estimate says."""
LINES_AROUND = 8
"""Lines of the board that are not tables, and some air."""


class LiveBoard:
    """Draws a board at the foot of the terminal until it is stopped; nothing of it stays behind."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console
        self._spinner = Spinner("dots", style="cyan")
        self._live: Live | None = None

    def start(self) -> None:
        """Begins to draw."""
        self._live = Live(
            console=self._console,
            get_renderable=lambda: self,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def stop(self) -> None:
        """Takes the board away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def tick(self, step: str, seconds: float, work: str) -> None:
        """Leaves a line for a finished step."""
        done = "ok" if self._console.options.ascii_only else "✓"
        line = Text.assemble(
            (done, "green"),
            f" {step_words(step):<15}",
            f"{seconds_words(seconds):>10}",
            (f"   {work}" if work else "", "dim"),
        )
        self._console.print(line, soft_wrap=True)

    def print(self, line: str) -> None:
        """Leaves a line of text."""
        self._console.print(Text(line, style="yellow"), soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draws the present state."""
        for step, seconds in self._board.steps():
            yield self._step(step, seconds)
            if step == "load":
                yield _tables(self._board, console.height)
        if indexes := _indexes(self._board):
            yield indexes

    def _step(self, step: str, seconds: float) -> RenderableType:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_row(self._spinner, Text(f"{step_words(step):<15}{seconds_words(seconds):>10}"))
        return grid


def step_words(step: str) -> str:
    """`vector_index` is `vector index` to a reader."""
    return step.replace("_", " ")


def active(tables: tuple[TableState, ...], most: int) -> tuple[TableState, ...]:
    """Returns the tables that are being worked on, at most `most`, in a steady order."""
    newest = max((table.last_advance or 0.0 for table in tables), default=0.0)
    at_work = [
        table
        for table in tables
        if table.last_advance is not None and table.share < 1.0 and newest - table.last_advance < ACTIVE_SECONDS
    ]
    latest = sorted(at_work, key=lambda table: table.last_advance or 0.0, reverse=True)[:most]
    return tuple(sorted(latest, key=lambda table: table.name))


def _tables(board: Board, height: int) -> RenderableType:
    tables = board.tables()
    grid = _grid()
    shown = active(tables, max(1, min(MOST_ACTIVE, height - LINES_AROUND)))
    for table in shown:
        _add(grid, table.name, table)
    finished = sum(table.share >= 1.0 for table in tables)
    _add(grid, f"{finished} of {len(tables)} tables", board.total, style="bold")
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=3, min_width=14)
    grid.add_column(ratio=4, min_width=8)
    for _ in range(5):
        grid.add_column(no_wrap=True, justify="right")
    return grid


def _add(grid: Table, name: str, table: TableState | TotalState, style: str = "") -> None:
    left = table.seconds_left
    grid.add_row(
        Text(f"  {name}", style=style),
        ProgressBar(total=1.0, completed=table.share),
        f"{table.share:.0%}",
        f"{_short(table.rows_done)}/{_short(table.rows)} rows",
        f"{_short(table.rate.rows)}/s",
        f"{size_words(table.rate.size)}/s",
        f"{seconds_words(left)} left" if left is not None and table.share < 1.0 else "",
    )


def _indexes(board: Board) -> RenderableType | None:
    indexes = board.indexes()
    if not indexes:
        return None
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=3, min_width=14)
    grid.add_column(ratio=2, min_width=8)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_column(no_wrap=True, justify="right")
    for index in indexes[-MOST_ACTIVE:]:
        share = index.share
        grid.add_row(
            Text(f"  {index.name}"),
            ProgressBar(total=None if share is None else 1.0, completed=share or 0.0, pulse=share is None),
            "" if share is None else f"{share:.0%}",
            Text(index.phase.removeprefix("building index: "), style="dim"),
            f"{seconds_words(index.seconds_left)} left" if index.seconds_left is not None else "",
        )
    return Group(grid)


def _short(number: float) -> str:
    """Returns a count in at most five characters: `999`, `12.3k`, `4.5M`, `1.2G`."""
    thousand = 1000
    for unit in ("", "k", "M"):
        if number < thousand:
            return f"{number:.0f}" if not unit else f"{number:.1f}{unit}"
        number /= thousand
    return f"{number:.1f}G"
