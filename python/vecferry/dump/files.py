"""Which files a dump consists of, and what is no dump at all."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from vecferry.dump.sums import MANIFEST
from vecferry.errors import SourceError

_DATA = re.compile(r"(?P<name>.+)\.sql(?:\.(?:gz|zst|xz))?$")
_SCHEMA = ("-schema-create", "-schema-sequence", "-schema-tablespace", "-schema")
_AFTERWARDS = ("-schema-view", "-schema-triggers", "-schema-post", "-checksum")
_BACKUP = ("dump.sql.zst", "dump.sql.gz", "dump.sql.xz", "dump.sql")
_BACKUP_FOLDER = "dump"
_HEAD_BYTES = 4096
_LOOKED_AT = (
    (b"PGDMP", "a PostgreSQL dump in pg_dump's own format: restore it with pg_restore"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"\xfebin", "a binary log: replay it into a server, and dump that"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (b"BZh", "compressed by bzip2: pipe it through, bzcat FILE | vecferry migrate --source -"),
)
_MAGIC = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0")
_TAR_MARK = slice(257, 262)


@dataclass(frozen=True, slots=True)
class DumpFiles:
    """The files of a dump, in the order in which a server would be given them."""

    directory: str
    """What the names are relative to."""
    names: tuple[str, ...]
    closed: bool
    """Whether each ends with a line that says that it is whole; mydumper says so in a file of its own."""
    backup: str | None = None
    """The directory of `vecferry backup` that they belong to."""

    def path(self, name: str) -> str:
        """Returns the path of a file."""
        return os.path.join(self.directory, name)  # noqa: PTH118 - a chunk's path is text


def find_files(place: str) -> DumpFiles:
    """Returns the files of the dump at `place`: a file, or a directory of `vecferry backup` or mydumper.

    Raises:
        SourceError: there is none.
    """
    path = Path(place)
    try:
        if path.is_dir():
            return _directory(path)
        check_file(path)
    except OSError as error:
        raise SourceError(f"the dump {place} cannot be read: {error.strerror}") from error
    return DumpFiles(str(path.parent), (path.name,), closed=True)


def _directory(path: Path) -> DumpFiles:
    present = sorted(entry.name for entry in path.iterdir() if entry.is_file())
    found = [name for name in present if _DATA.match(name)]
    if "metadata" in present and found:
        return DumpFiles(str(path), tuple(sorted(found, key=_turn)), closed=False)
    if "metadata.partial" in present:
        raise SourceError(f"mydumper has not finished the dump in {path}: it still calls its record metadata.partial")
    if MANIFEST in present:
        return replace(_backup(path, present), backup=str(path))
    if len(found) == 1:
        check_file(path / found[0])
        return DumpFiles(str(path), (found[0],), closed=True)
    if any(name.endswith((".ibd", ".frm", ".MYD")) for name in present) or (path / "mysql").is_dir():
        raise SourceError(f"{path} holds a server's own files, not a dump: start a server on it and name that")
    if found:
        raise SourceError(f"{path} holds {len(found)} SQL files and no record of mydumper's: name one of them")
    raise SourceError(f"{path} holds no dump: no .sql file, compressed or not")


def _backup(path: Path, present: list[str]) -> DumpFiles:
    if (path / _BACKUP_FOLDER).is_dir():
        return _directory(path / _BACKUP_FOLDER)
    for name in _BACKUP:
        if name in present:
            check_file(path / name)
            return DumpFiles(str(path), (name,), closed=True)
    raise SourceError(f"the backup in {path} has no dump, only its {MANIFEST}: take another one")


def _turn(name: str) -> tuple[int, str]:
    """Returns where a file of mydumper's comes: databases, tables, rows, then what is made of tables."""
    match = _DATA.match(name)
    stem = match["name"] if match else name
    for place, ending in enumerate(_SCHEMA):
        if stem.endswith(ending):
            return place, name
    for place, ending in enumerate(_AFTERWARDS):
        if stem.endswith(ending):
            return len(_SCHEMA) + 1 + place, name
    return len(_SCHEMA), name


def check_file(path: Path, name: str = "") -> None:
    """Refuses what is no text and nothing that is read compressed.

    Args:
        path: the file.
        name: what it is called, where that is not its path.

    Raises:
        SourceError: it is no dump.
        OSError: it cannot be opened.
    """
    name = name or str(path)
    with path.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    if not head:
        raise SourceError(f"{name} is empty: it is no dump")
    for mark, what in _LOOKED_AT:
        if head.startswith(mark):
            raise SourceError(f"{name} is {what}")
    if path.suffix in {".ibd", ".MYD", ".frm"}:
        raise SourceError(f"{name} is a server's own file, not a dump: start a server on it and name that")
    if head[_TAR_MARK] == b"ustar":
        raise SourceError(f"{name} is a tar archive: unpack it first")
    if head.startswith(_MAGIC):
        return
    if b"PostgreSQL database dump" in head or b"PostgreSQL database cluster dump" in head:
        raise SourceError(f"{name} is a PostgreSQL dump: load it with psql")
    # A dump of binary columns may hold NUL bytes, but not before its first statement.
    if b"\0" in head[:256]:
        raise SourceError(f"{name} is a binary file, not a dump")
