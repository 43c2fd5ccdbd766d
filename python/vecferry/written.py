"""Numbers of a JSON text, digit for digit."""

from __future__ import annotations


class Written(str):
    """A number as it was written; Python's own would round it."""

    __slots__ = ()
