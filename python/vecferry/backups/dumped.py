"""What a client left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.backups.manifest import BackupFile, BinlogPosition


@dataclass(frozen=True, slots=True)
class Dump:
    """The files of a dump and what is known of them.

    Args:
        arguments: what the client was told besides its login.
        files: what is in the folder, still under partial names.
        rows: of each table; None where they could not be counted.
        position: what the client found out of the binary log.
        words: what it said, and what went wrong without ending it.
    """

    arguments: tuple[str, ...]
    files: tuple[BackupFile, ...]
    rows: dict[str, int] | None
    position: BinlogPosition | None
    words: tuple[str, ...]
