"""Asks before something is emptied."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vecferry.cli.progress import Screen


def asker(screen: Screen, *, agreed: bool) -> Callable[[str], bool]:
    """Returns the question for the pipeline to put.

    What will be emptied is always listed on stderr. With `agreed` nobody is asked; without a terminal
    nobody can be, and the answer is no.
    """

    def ask(text: str) -> bool:
        with screen.paused():
            _tell(f"{text}\n")
            if agreed:
                return True
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                return False
            _tell("Go on? [y/N] ")
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return ask


def _tell(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
