"""Rows kept aside, as COPY reads them, until all is known that stands before them."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vecferry.errors import TargetError
from vecferry.script.output import GzipStream

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.script.output import Compression, Output


class Spool:
    """A file without a name, so that nothing of it outlives the process; one for all tables.

    Args:
        directory: where it lies; None for the machine's place for temporary files.
        compression: how the script is compressed: rows are only once.
    """

    def __init__(self, directory: Path | None, compression: Compression | None) -> None:
        self._place = directory
        self._compression = compression
        self._parts: dict[str, list[tuple[int, int]]] = {}
        self._current: str | None = None
        self._began = 0
        self._stream: Any = None
        try:
            self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - it is closed by close()
        except OSError as error:
            raise self._full(error) from error

    def write(self, table: str, data: bytes | memoryview) -> None:
        """Adds rows to a table's.

        Raises:
            TargetError: the disk is full.
        """
        try:
            if table != self._current:
                self._end()
                self._begin(table)
            if self._stream is not None:
                self._stream.write(data)
                return
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._full(error) from error

    def copy(self, table: str, output: Output) -> None:
        """Writes a table's rows out.

        Raises:
            TargetError: they cannot be written, or read again.
        """
        self._end()
        for start, end in self._parts.get(table, ()):
            output.raw_from(self._file.fileno(), start, end)

    def close(self) -> None:
        """Gives the room back."""
        self._file.close()

    def _begin(self, table: str) -> None:
        self._current, self._began = table, self._file.tell()
        if self._compression is not None:
            descriptor = os.dup(self._file.fileno())
            if self._compression == "gzip":
                self._stream = GzipStream(os.fdopen(descriptor, "wb"))
            else:
                sink = pa.PythonFile(os.fdopen(descriptor, "wb", buffering=0), "w")
                self._stream = pa.CompressedOutputStream(sink, self._compression)

    def _end(self) -> None:
        if self._current is None:
            return
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._parts.setdefault(self._current, []).append((self._began, self._file.seek(0, os.SEEK_CUR)))
        self._current = None

    def _full(self, error: OSError) -> TargetError:
        where = self._place or tempfile.gettempdir()
        return TargetError(
            f"cannot keep rows in {where}: {error.strerror or error}",
            advice="rows wait there until the dump is read; they take as much room as the script (see TMPDIR)",
        )
