"""How many rows of each table a dump holds, and whether it is whole."""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vecferry._core import DumpScan

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a dump holds; `complete` is whether its closing line is there, `size` its text's bytes."""

    rows: dict[str, int]
    complete: bool
    size: int


def scan(path: Path) -> Scanned:
    """Reads a plain or compressed dump to its end; a file that is no SQL by its name has a size and nothing else.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no dump, breaks off, or its compressed data are damaged.
    """
    if ".sql" not in path.suffixes:
        return Scanned({}, complete=False, size=path.stat().st_size)
    return _scanned(DumpScan(str(path)))


class StreamScan:
    """Reads a dump while it is written, in a thread. Use it as a context manager."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self._found: Scanned | None = None
        self._fault = ""
        self._thread = threading.Thread(target=self._read, args=(reader,), name="vecferry-scan", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Leaves it open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the thread."""
        self._end()

    def feed(self, block: bytes) -> None:
        """Takes the next part of the text; after a fault it is passed over."""
        left = memoryview(block)
        try:
            while left and not self._fault:
                left = left[os.write(self._writer, left) :]
        except BrokenPipeError:
            return

    def finish(self) -> Scanned:
        """Returns what was read.

        Raises:
            ValueError: the text is no dump, or breaks off.
        """
        self._end()
        if self._found is None:
            raise ValueError(self._fault)
        return self._found

    def _end(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
        self._thread.join()

    def _read(self, reader: int) -> None:
        try:
            try:
                opened = DumpScan(reader)
            finally:
                # It has opened the pipe anew: once it is gone, so is the last reader, and `feed` is told.
                os.close(reader)
            self._found = _scanned(opened)
        except (OSError, ValueError) as error:
            # The error itself would keep the pipe open.
            self._fault = str(error) or type(error).__name__


def _scanned(opened: DumpScan) -> Scanned:
    rows: Counter[str] = Counter()
    for piece in opened:
        if piece.table is not None and piece.kind in {"create table", "insert"}:
            rows[piece.table] += piece.rows
    return Scanned(dict(rows), opened.complete, opened.size)
