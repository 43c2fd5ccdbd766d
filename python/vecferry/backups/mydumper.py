"""mydumper: a folder of files, which it writes and compresses itself with several connections."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from vecferry.backups.command import Scope, mydumper_arguments
from vecferry.backups.dumped import Dump
from vecferry.backups.folder import DUMP_FOLDER, sync_folder
from vecferry.backups.manifest import BackupFile, BinlogPosition
from vecferry.backups.process import memory_file, path_of, running
from vecferry.backups.scan import scan
from vecferry.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vecferry.backups.client import Client
    from vecferry.backups.folder import Folder
    from vecferry.backups.frames import Compression
    from vecferry.backups.meter import Meter
    from vecferry.backups.process import Running
    from vecferry.config import DatabaseURL

_LOOK_SECONDS = 0.2
_THREADS = 4
_PLAIN = re.compile(r"[\w$ -]+")
"""Names that mydumper gets right: it writes others into its statements, and its files' names, as they are."""
_METADATA = "metadata"
_POSITION = re.compile(
    r"^SHOW MASTER STATUS:\n\tLog: (?P<file>.+)\n\tPos: (?P<offset>\d+)\n\tGTID:(?P<gtid>.*)$", re.MULTILINE
)


def run(
    program: Client,
    url: DatabaseURL,
    login: str,
    scope: Scope,
    names: tuple[str, ...],
    left_out: tuple[str, ...],
    folder: Folder,
    compression: Compression | None,
    meter: Meter,
    *,
    encrypted: bool,
    locked: bool,
) -> Dump:
    """Dumps into the folder `dump` of `folder`.

    Args:
        program: mydumper.
        url: the source.
        login: the text of the client's option file.
        scope: what is dumped.
        names: of the tables and views in it.
        left_out: the names of those that are not.
        folder: gets the files, in a folder under its partial name.
        compression: of the files; None for gzip.
        encrypted: whether our own connection to the source runs over TLS.
        locked: whether writers are kept out of the tables meanwhile.
        meter: is told how far it is.

    Raises:
        SourceError: the client failed, or did not say that it had finished.
        UsageError: the client cannot be started, or cannot do what is asked, or a name is beyond it.
        OSError: a file cannot be written, e.g. on a full disk.
    """
    if compression == "zstd":
        raise UsageError("--compress: mydumper writes and compresses its own files: gzip or none")
    for name in (scope.database, *names, *left_out):
        if not _PLAIN.fullmatch(name):
            raise UsageError(f"--client: mydumper does not quote the name {name!r}: use mariadb-dump or mysqldump")
    place = folder.partial(DUMP_FOLDER)
    place.mkdir(mode=0o700)
    with ExitStack() as stack:
        skipped = None
        if left_out:
            lines = "".join(f"{scope.database}.{name}\n" for name in left_out)
            skipped = stack.enter_context(memory_file(lines))
        arguments = mydumper_arguments(
            url,
            scope,
            str(place),
            path_of(skipped) if skipped is not None else None,
            encrypted=encrypted,
            locked=locked,
            gzip=compression != "none",
            threads=_THREADS,
        )
        inherit = () if skipped is None else (skipped,)
        client = stack.enter_context(running(program, url, login, arguments, read=False, inherit=inherit))
        while not client.ended(_LOOK_SECONDS):
            meter.advance(0, _size(place))
        words = client.finish()
        position = _finished(client, place)
        files, rows = _described(client, place)
    told = tuple(argument for argument in arguments if not argument.startswith(("--outputdir=", "--omit-from-file=")))
    return Dump(told, files, rows, position, words)


def _finished(client: Running, place: Path) -> BinlogPosition | None:
    """Reads the file in which mydumper says, at its end, that it has finished."""
    try:
        text = (place / _METADATA).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    if "\nFinished dump at:" not in text:
        raise client.failed("ended without saying that its dump is finished")
    found = _POSITION.search(text)
    return BinlogPosition(found["file"], int(found["offset"]), found["gtid"].strip() or None) if found else None


def _described(client: Running, place: Path) -> tuple[tuple[BackupFile, ...], dict[str, int]]:
    files: list[BackupFile] = []
    rows: Counter[str] = Counter()
    for path in sorted(_files(place)):
        path.chmod(0o600)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        try:
            scanned = scan(path)
        except ValueError as error:
            raise client.failed(f"wrote a file that cannot be read back, {error}") from None
        for name, count in scanned.rows.items():
            rows[name] += count
        name = f"{DUMP_FOLDER}/{path.relative_to(place).as_posix()}"
        compression: Compression = "gzip" if path.suffix == ".gz" else "none"
        files.append(BackupFile(name, path.stat().st_size, scanned.size, digest, compression))
    sync_folder(place)
    return tuple(files), dict(rows)


def _size(place: Path) -> int:
    """Returns how much is written so far."""
    size = 0
    for path in _files(place):
        with suppress(FileNotFoundError):  # it has its final name by now
            size += path.stat().st_size
    return size


def _files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file())
