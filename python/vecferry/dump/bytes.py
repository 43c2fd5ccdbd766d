"""The bytes of a dump's files, uncompressed: one opened file for all threads of the process."""

from __future__ import annotations

import threading
from pathlib import Path

from vecferry._core import DumpFile
from vecferry.dump.index import stamp

_lock = threading.Lock()
_opened: dict[tuple[str, int, int], DumpFile] = {}
_MOST = 16
"""How many files are held open."""


def opened(path: str) -> DumpFile:
    """Returns the file at `path`; threads share it, so that what is compressed is uncompressed once for all of them.

    Raises:
        SourceError: it is gone.
        OSError: it cannot be opened.
    """
    known = (path, *stamp(path))
    with _lock:
        if known not in _opened:
            if len(_opened) >= _MOST:
                _opened.pop(next(iter(_opened)))
            _opened[known] = DumpFile(path)
        return _opened[known]


def read_plain(path: str, start: int, end: int) -> bytes:
    """Reads bytes as the load does not, where the file is not compressed.

    Raises:
        OSError: the file cannot be read.
        ValueError: it ends before.
    """
    file = opened(path)
    if file.compression != "none":
        return file.read(start, end)
    with Path(path).open("rb") as plain:
        plain.seek(start)
        data = plain.read(end - start)
    if len(data) != end - start:
        raise ValueError(f"the file ends before byte {end}")
    return data
