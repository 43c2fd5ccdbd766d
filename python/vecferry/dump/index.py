"""Where in the files of a dump which rows are: one scan, kept for the length of the process."""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vecferry._core import DumpError
from vecferry.dump.changes import Change, changes_of
from vecferry.dump.files import DumpFiles, find_files
from vecferry.dump.scan import scan_file
from vecferry.dump.sums import check_sums
from vecferry.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry._core import DumpPiece, DumpSettings
    from vecferry.dump.scan import Stretch
    from vecferry.model import Table


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one INSERT statement that lie together: `(1,'a'),(2,'b')`."""

    file: str
    start: int
    """In bytes of the file as it was before it was compressed."""
    end: int
    line: int
    """Where it starts, from 1."""
    rows: int
    columns: tuple[str, ...] | None
    """The columns that the statement lists."""
    settings: DumpSettings


@dataclass(slots=True)
class Index:
    """What is where in a dump."""

    files: DumpFiles
    statements: list[DumpPiece] = field(default_factory=list)
    """All but INSERT, in order."""
    pieces: dict[tuple[str | None, str], list[Piece]] = field(default_factory=dict)
    """By database, as far as the dump tells, and table, in order."""
    tables: dict[tuple[str | None, str], Table] = field(default_factory=dict)
    """Those that were asked about, by database and name."""
    digests: dict[str, str] = field(default_factory=dict)
    """By file; of the bytes as they were before they were compressed."""
    changes: list[Change] = field(default_factory=list)
    """What changes rows otherwise than by adding some that the dump holds."""
    unfinished: list[str] = field(default_factory=list)
    """Files whose last line does not say that they are whole."""
    writer: str = ""
    """What wrote it, where the header says so."""
    compressed: bool = False
    """Whether a file is."""
    size: int = 0
    """Bytes of all files, uncompressed."""
    server: str = ""
    """The version of the server that was dumped, as the header says it."""

    @property
    def digest(self) -> str:
        """What tells the dump's content from any other's."""
        return "+".join(self.digests[name] for name in self.files.names)


_lock = threading.Lock()
_kept: dict[tuple[tuple[str, int, int], ...], Index] = {}


def index_of(place: str) -> Index:
    """Returns the index of the dump at `place`; the files are scanned once as long as they do not change.

    Raises:
        SourceError: there is no dump, or it cannot be read to its end.
    """
    files = find_files(place)
    with _lock:
        known = tuple((files.path(name), *stamp(files.path(name))) for name in files.names)
        if known not in _kept:
            _kept.clear()
            _kept[known] = _scanned(files)
        return _kept[known]


def stamp(path: str) -> tuple[int, int]:
    """Returns the size of a file and the nanosecond in which it was last written to."""
    try:
        found = Path(path).stat()
    except OSError as error:
        raise SourceError(f"the dump {path} cannot be read: {error.strerror}") from error
    return found.st_size, found.st_mtime_ns


def _scanned(files: DumpFiles) -> Index:
    check_sums(files)
    index = Index(files)
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="vecferry-scan") as pool:
        for name in files.names:
            path = files.path(name)
            try:
                _add(index, name, scan_file(path, pool))
            except (DumpError, OSError) as error:
                raise unreadable(path, error) from error
    return index


def _add(index: Index, name: str, stretches: Sequence[Stretch]) -> None:
    line = 0
    for stretch in stretches:
        for found in stretch.pieces:
            if found.kind != "insert":
                index.statements.append(found)
                _change(index, changes_of(found, found.line + line))
            elif found.rows:
                place = (found.database, found.table or "")
                piece = Piece(
                    name, found.start, found.end, found.line + line, found.rows, found.columns, found.settings
                )
                index.pieces.setdefault(place, []).append(piece)
        line += stretch.lines
    first, last = stretches[0], stretches[-1]
    content = "".join(stretch.digest for stretch in stretches)
    index.digests[name] = content if len(stretches) == 1 else hashlib.sha256(content.encode()).hexdigest()[:32]
    index.size += last.end
    index.compressed |= first.compression != "none"
    index.writer = first.writer or index.writer
    index.server = first.settings.server or index.server
    if index.files.closed and not last.complete:
        index.unfinished.append(name)


def _change(index: Index, changes: Sequence[Change]) -> None:
    """Forgets the rows of tables that are emptied, or keeps what else is done to them."""
    for change in changes:
        if change.all_rows and change.table is not None:
            index.pieces.pop((change.database, change.table), None)
        else:
            index.changes.append(change)


def unreadable(path: str, error: Exception) -> SourceError:
    """Returns the user's sentence for what the reader says of a file."""
    words = error.strerror if isinstance(error, OSError) else str(error)
    return SourceError(f"the dump {path} cannot be read: {words}")
