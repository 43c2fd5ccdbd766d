"""How many rows of each table a dump holds, and whether it is whole."""

from __future__ import annotations

import os
import re
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}
_INSERT = re.compile(rb"(?:INSERT|REPLACE)(?: IGNORE)? INTO `((?:[^`]|``)+)`(?: \([^)]*\))? VALUES")
_CREATE = re.compile(rb"CREATE TABLE `((?:[^`]|``)+)`")
_STRING = re.compile(rb"'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a dump holds; `complete` is whether its last line says so, `size` its text's bytes."""

    rows: dict[str, int]
    complete: bool
    size: int


def scan(path: Path | int) -> Scanned:
    """Reads a dump to its end.

    Args:
        path: a plain or compressed file, or the descriptor of a plain one.

    Raises:
        OSError: the file cannot be read, or is not what its compression says.
    """
    rows: dict[str, int] = defaultdict(int)
    size, last, table = 0, b"", None
    with open(path, "rb") as raw:  # noqa: PTH123 - a descriptor is no path
        compression = None if isinstance(path, int) else _MAGIC.get(raw.peek(2)[:2])
        stream = pa.CompressedInputStream(raw, compression) if compression else raw
        pending = b""
        while block := stream.read(1 << 20):
            size += len(block)
            lines = (pending + block).split(b"\n")
            pending = lines.pop()
            for line in lines:
                table = _line(line, table, rows)
                last = line or last
        last = pending or last
    return Scanned(dict(rows), last.startswith(b"-- Dump completed"), size)


class StreamScan:
    """Reads a dump while it is written, in a thread. Use it as a context manager."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self._found: Scanned | None = None
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._read, args=(reader,), name="vecferry-scan", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Leaves it open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the thread."""
        self._close()
        self._thread.join()

    def feed(self, block: bytes) -> None:
        """Takes the next part of the text; after a fault it is passed over."""
        left = memoryview(block)
        while left and self._fault is None:
            try:
                left = left[os.write(self._writer, left) :]
            except BrokenPipeError:
                return

    def finish(self) -> Scanned:
        """Returns what was read.

        Raises:
            ValueError: the text is no dump.
        """
        self._close()
        self._thread.join()
        if self._found is None:
            raise ValueError(str(self._fault))
        return self._found

    def _close(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1

    def _read(self, reader: int) -> None:
        try:
            self._found = scan(reader)
        except Exception as error:  # noqa: BLE001 - it is told by whoever asks for the result
            self._fault = error


def _line(line: bytes, table: str | None, rows: dict[str, int]) -> str | None:
    """Returns the table whose rows go on in the next line."""
    if found := _CREATE.match(line):
        rows[_name(found[1])] += 0
        return None
    if found := _INSERT.match(line):
        table, line = _name(found[1]), line[found.end() :]
    if table is None:
        return None
    bare = _STRING.sub(b"", line)
    rows[table] += bare.count(b"(")
    return None if bare.endswith(b";") else table


def _name(quoted: bytes) -> str:
    return quoted.replace(b"``", b"`").decode()
