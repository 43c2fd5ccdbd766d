"""mariadb-dump and mysqldump: one stream of text, compressed and counted as it comes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from vecferry.backups.command import Scope, dump_arguments
from vecferry.backups.dumped import Dump
from vecferry.backups.folder import DUMP
from vecferry.backups.frames import FRAME_BYTES, SUFFIXES, Compression, FrameFile
from vecferry.backups.manifest import BackupFile, BinlogPosition
from vecferry.backups.process import running
from vecferry.backups.scan import StreamScan

if TYPE_CHECKING:
    from vecferry.backups.client import Client
    from vecferry.backups.folder import Folder
    from vecferry.backups.meter import Meter
    from vecferry.backups.scan import Scanned
    from vecferry.config import DatabaseURL

_HEAD_BYTES = 1 << 16
_TAIL_BYTES = 256
_CLOSING = re.compile(rb"(?:^|\n)-- Dump completed[^\n]*\n*\Z")
_POSITION = re.compile(
    rb"^-- CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)',"
    rb" (?:MASTER|SOURCE)_LOG_POS=(\d+);",
    re.MULTILINE,
)
"""What `--master-data=2` writes into the head of a dump."""


def run(
    program: Client,
    url: DatabaseURL,
    login: str,
    scope: Scope,
    folder: Folder,
    compression: Compression,
    meter: Meter,
) -> Dump:
    """Dumps into one file of `folder`.

    Args:
        program: mariadb-dump or mysqldump.
        url: the source.
        login: the text of the client's option file.
        scope: what is dumped.
        folder: gets the file, under its partial name.
        compression: of the file.
        meter: is told how far it is.

    Raises:
        SourceError: the client failed, or ended without its closing line.
        UsageError: the client cannot be started.
        OSError: the file cannot be written, e.g. on a full disk.
    """
    arguments = dump_arguments(program, scope)
    name = DUMP + SUFFIXES[compression]
    head = tail = b""
    with (
        running(program, url, login, arguments) as client,
        FrameFile(folder.partial(name), compression, _threads()) as file,
        StreamScan() as counter,
    ):
        while block := client.output.read(FRAME_BYTES):
            head = head or block[:_HEAD_BYTES]
            tail = (tail + block[-_TAIL_BYTES:])[-_TAIL_BYTES:]
            counter.feed(block)
            file.write(block)
            meter.advance(file.text_bytes, file.bytes)
        words = list(client.finish())
        if not _CLOSING.search(tail):
            raise client.failed("ended without the closing line of a dump")
        file.finish()
        rows: dict[str, int] | None = None
        try:
            rows = _rows(counter.finish())
        except ValueError as error:
            words.append(f"rows could not be counted: {error}")
    found = _POSITION.search(head) if scope.position else None
    position = BinlogPosition(found[1].decode(errors="replace"), int(found[2])) if found else None
    written = BackupFile(name, file.bytes, file.text_bytes, file.sha256, compression)
    return Dump(tuple(arguments), (written,), rows, position, tuple(words))


def _rows(scanned: Scanned) -> dict[str, int]:
    if not scanned.complete:
        raise ValueError("the dump's reader misses its closing line")
    return scanned.rows


def _threads() -> int:
    return max(1, min(4, os.cpu_count() or 1))
