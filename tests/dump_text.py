"""A dump's statements, from its text or made by a test."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vecferry._core import DumpScan

if TYPE_CHECKING:
    from vecferry._core import DumpPiece


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a statement, see `vecferry.dump.statement`."""

    no_backslash_escapes: bool = False
    ansi_quotes: bool = False
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, see `vecferry.dump.statement`."""

    kind: str
    text: str | None
    table: str | None = None
    database: str | None = None
    line: int = 1
    settings: Settings = field(default_factory=Settings)


def split(text: bytes) -> list[DumpPiece]:
    """Returns the statements of a dump, as the reader finds them in a file."""
    with tempfile.NamedTemporaryFile(suffix=".sql") as file:
        file.write(text)
        file.flush()
        return list(DumpScan(file.name))
