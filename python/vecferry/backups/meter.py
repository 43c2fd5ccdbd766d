"""How fast a backup goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from vecferry.report.console import size_words

if TYPE_CHECKING:
    from vecferry.progress import Progress


class Meter:
    """Tells a watcher how much text came and how much was written. Use it as a context manager."""

    def __init__(self, watch: Progress) -> None:
        self._watch = watch
        self._began = time.monotonic()
        self.seconds = 0.0
        """How long the block took."""

    def __enter__(self) -> Self:
        """Begins."""
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the clock."""
        self.seconds = time.monotonic() - self._began

    def advance(self, text: int, written: int) -> None:
        """So many bytes of text have come in all, so many are in files."""
        rate = text / max(time.monotonic() - self._began, 0.001)
        came = f"{size_words(text)} of text, {size_words(rate)}/s, " if text else ""
        self._watch.index("backup", f"{came}{size_words(written)} written", 0, 0)
