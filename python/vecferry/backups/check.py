"""`check_backup`: a backup read back, against what its manifest says."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from vecferry.backups.folder import DUMP_FOLDER
from vecferry.backups.manifest import NAME, BackupFile, Manifest, ManifestError, TableRows, read_manifest
from vecferry.backups.scan import scan
from vecferry.errors import UsageError, one_line
from vecferry.progress import Progress
from vecferry.words import count_words

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.config import SourceScope

_LONGEST_AGE = timedelta(days=1)
"""How long after its backup an interrupted migration may go on without another one."""


@dataclass(frozen=True, slots=True)
class BackupCheck:
    """What reading a backup back has shown; `tables` is what was counted."""

    directory: str
    status: Literal["ok", "damaged"]
    problems: tuple[str, ...]
    manifest: Manifest | None
    tables: tuple[TableRows, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON has it."""
        return asdict(self)


def check_backup(directory: Path, progress: Progress | None = None) -> BackupCheck:
    """Reads a backup back: that every file is there, is the one that was written and whole, and has every row.

    Args:
        directory: the backup's folder.
        progress: is told how far it is.

    Raises:
        UsageError: there is no such folder.
    """
    if not directory.is_dir():
        raise UsageError(f"--check: {directory} is no folder")
    watch = progress or Progress()
    began = time.monotonic()
    watch.begin("check")
    try:
        manifest = read_manifest((directory / NAME).read_bytes())
    except FileNotFoundError:
        return _damaged(directory, f"{NAME} is missing: this is no backup, or one that was not finished", began)
    except OSError as error:
        return _damaged(directory, f"{NAME} cannot be read: {error.strerror}", began)
    except ManifestError as error:
        return _damaged(directory, str(error), began)
    problems: list[str] = []
    rows: Counter[str] = Counter()
    done, total = 0, sum(file.bytes for file in manifest.files)
    watch.index("check", "reading files", done, total)
    for file in manifest.files:
        problems += _file(directory, file, rows)
        done += file.bytes
        watch.index("check", "reading files", done, total)
    if not manifest.files:
        problems.append(f"{NAME} names no file")
    # A table whose file cannot be read has been told of by its file.
    problems += [
        f"table {table.name} has {count_words(rows[table.name], 'row')}, and {NAME} says {table.rows:,}"
        for table in manifest.tables
        if rows[table.name] != table.rows
    ]
    counted = tuple(TableRows(table.name, rows[table.name]) for table in manifest.tables)
    seconds = round(time.monotonic() - began, 3)
    watch.end("check", seconds)
    return BackupCheck(str(directory), "damaged" if problems else "ok", tuple(problems), manifest, counted, seconds)


def earlier_backup(directory: Path, scope: SourceScope) -> Manifest | None:
    """Returns the manifest of a backup that an earlier call has made of the same tables; None if there is no backup.

    Its files are not read, but have their sizes.

    Raises:
        UsageError: there is another backup, or one that is older than a day.
    """
    try:
        manifest = read_manifest((directory / NAME).read_bytes())
        whole = all((directory / file.name).stat().st_size == file.bytes for file in manifest.files)
        age = datetime.now(UTC) - datetime.fromisoformat(manifest.finished)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ManifestError) as error:
        raise UsageError(f"--backup: {directory} holds something else already: {one_line(error)}") from None
    same = (manifest.server.place, manifest.include, manifest.exclude) == (scope.url.place, scope.tables, scope.exclude)
    if not (same and whole) or age > _LONGEST_AGE:
        raise UsageError(
            f"--backup: {directory} holds a backup of {manifest.server.place} of {manifest.finished}, which is not"
            " today's of this source and these tables: name another folder, or leave the option out"
        )
    return manifest


def _damaged(directory: Path, problem: str, began: float) -> BackupCheck:
    return BackupCheck(str(directory), "damaged", (problem,), None, (), round(time.monotonic() - began, 3))


def _file(directory: Path, file: BackupFile, rows: Counter[str]) -> list[str]:
    """Returns what is wrong with a file, and adds the rows that it holds."""
    inside = PurePosixPath(file.name)
    if inside.is_absolute() or ".." in inside.parts:
        return [f"{NAME} names the file {file.name}, which is outside of the backup"]
    path = directory / inside
    problems = []
    try:
        size = path.stat().st_size
        if size != file.bytes:
            problems.append(f"{file.name} has {size:,} bytes, and {NAME} says {file.bytes:,}")
        with path.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
                problems.append(f"{file.name} is not the file that was written: its SHA-256 is another")
        scanned = scan(path)
    except FileNotFoundError:
        return [f"{file.name} is missing"]
    except (OSError, ValueError) as error:
        return [*problems, f"{file.name} cannot be read: {one_line(error)}"]
    for name, count in scanned.rows.items():
        rows[name] += count
    if scanned.size != file.uncompressed_bytes:
        problems.append(
            f"{file.name} holds {scanned.size:,} bytes of text, and {NAME} says {file.uncompressed_bytes:,}"
        )
    # mydumper's files have no closing line.
    if inside.parts[0] != DUMP_FOLDER and not scanned.complete:
        problems.append(f"{file.name} has no closing line: the dump broke off")
    return problems
