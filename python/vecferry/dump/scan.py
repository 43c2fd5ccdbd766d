"""One file of a dump, scanned from end to end: as a whole where it is compressed, else in stretches side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vecferry._core import DumpScan, DumpSettings, split_points

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from vecferry._core import DumpPiece

PIECE_BYTES = 1024 * 1024
"""About how many bytes of rows are read at once; a row is never cut."""
STRETCH_BYTES = 64 * 1024 * 1024
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class State:
    """What the statements before a place have set."""

    settings: DumpSettings
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a scan of a stretch has found."""

    start: int
    end: int
    """Where the first statement begins that is not in it."""
    lines: int
    """How many ends of lines are in it; the lines of its pieces are counted from 1."""
    pieces: tuple[DumpPiece, ...]
    before: State
    after: State
    digest: str
    complete: bool
    writer: str | None
    compression: str

    @property
    def settings(self) -> DumpSettings:
        """The settings at its end."""
        return self.after.settings


def scan_file(path: str, pool: Executor) -> list[Stretch]:
    """Scans a file.

    Where a plain file is cut is a guess, which the scan of the stretch before confirms; a wrong one costs that the
    next stretch is scanned again.

    Args:
        path: the file.
        pool: what scans stretches side by side.

    Raises:
        DumpError: it is no dump, or ends within a statement.
        OSError: it cannot be read.
    """
    start = State(DumpSettings())
    points = split_points(path, Path(path).stat().st_size // STRETCH_BYTES)
    if not points:
        return [_scan(path, 0, None, start)]
    # What the head of a dump sets holds for all of it, mostly.
    likely = _scan(path, 0, _HEAD_BYTES, start).after
    bounds = [0, *points]
    ends = [*points, None]
    guesses = [
        pool.submit(_scan, path, begin, end, likely if begin else start)
        for begin, end in zip(bounds, ends, strict=True)
    ]
    found: list[Stretch] = []
    place, state = 0, start
    for begin, end, guess in zip(bounds, ends, guesses, strict=True):
        if end is not None and place >= end:
            guess.cancel()
            continue  # a statement before it reaches beyond it
        confirmed = begin == place and (likely if begin else start) == state
        stretch = guess.result() if confirmed else _scan(path, place, end, state)
        found.append(stretch)
        place, state = stretch.end, stretch.after
    return found


def _scan(path: str, start: int, end: int | None, state: State) -> Stretch:
    scan = DumpScan(
        path, start=start, end=end, settings=state.settings, database=state.database, piece_bytes=PIECE_BYTES
    )
    pieces = tuple(scan)
    return Stretch(
        start=start,
        end=scan.size,
        lines=scan.line - 1,
        pieces=pieces,
        before=state,
        after=State(scan.settings, scan.database),
        digest=scan.digest,
        complete=scan.complete,
        writer=scan.writer,
        compression=scan.compression,
    )
