"""A dump's statements, from its text."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from vecferry._core import DumpScan

if TYPE_CHECKING:
    from vecferry._core import DumpPiece


def split(text: str) -> list[DumpPiece]:
    """Returns the statements of a dump, as the reader finds them in a file."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".sql") as file:
        file.write(text)
        file.flush()
        return list(DumpScan(file.name))
