"""Which tables the patterns of `--tables` and `--exclude` mean."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vecferry.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


def matching(names: Iterable[str], include: tuple[str, ...], exclude: tuple[str, ...]) -> list[str]:
    """Returns the names that are asked for, in their order.

    Args:
        names: names of the source's tables.
        include: shell patterns; none means every table.
        exclude: shell patterns of names to leave out.

    Raises:
        UsageError: a pattern of `include` matches no table.
    """
    known = list(names)
    for pattern in include:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UsageError(f"--tables {pattern!r} matches no table of the source")
    return [name for name in known if (not include or matches(name, include)) and not matches(name, exclude)]


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the shell patterns matches `name`; case counts."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
