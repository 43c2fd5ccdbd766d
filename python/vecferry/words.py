"""Phrases that several rooms say to a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def count_words(number: int, thing: str) -> str:
    """Returns `1 row`, `1,234 rows`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def rows_words(count: int | None) -> str:
    """Returns `1 row`, `1,234 rows`, or `some rows` where they could not be counted."""
    return "some rows" if count is None else count_words(count, "row")


def at_words(examples: Sequence[str]) -> str:
    """Returns ` (at id = 1; id = 2)` for the end of a phrase; nothing where there are no examples."""
    return f" (at {'; '.join(examples)})" if examples else ""
