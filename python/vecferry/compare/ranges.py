"""Chunks of the source as ranges of the target, where both sides sort a key alike; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import quote
from vecferry.mapping.typemap import base_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.compare.pairs import Pair
    from vecferry.model import Chunk

_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric"})
_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_MOMENTS = {
    ("date", "date"), ("datetime", "timestamp without time zone"), ("timestamp", "timestamp without time zone"),
    ("timestamp", "timestamp with time zone"),
}  # fmt: skip
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_MOMENT = re.compile(r"'(?!0000)\d{4}-(?!00)\d\d-(?!00)\d\d[^']*'")


def is_range(key: Sequence[Pair], chunks: Sequence[Chunk]) -> bool:
    """Says whether ranges of the key hold the same rows on both sides.

    Numbers and moments sort alike everywhere. Texts do not: MySQL sorts by the column's collation, PostgreSQL by its
    own.
    """
    if not key or not all(_sorts_alike(pair) for pair in key):
        return False
    if len(chunks) > 1 and any(chunk.lower is None and chunk.upper is None for chunk in chunks):
        return False  # parts of a dump, which no key cuts
    bounds = [bound for chunk in chunks for bound in (chunk.lower, chunk.upper) if bound is not None]
    return all(_literal(pair, value) is not None for bound in bounds for pair, value in zip(key, bound, strict=True))


def range_condition(key: Sequence[Pair], chunk: Chunk) -> str:
    """Returns the condition `lower < key <= upper` in PostgreSQL's words; empty where both ends are open."""
    names = ", ".join(quote(pair.target) for pair in key)
    parts = []
    for bound, operator in ((chunk.lower, ">"), (chunk.upper, "<=")):
        if bound is not None:
            values = ", ".join(_literal(pair, value) or "NULL" for pair, value in zip(key, bound, strict=True))
            parts.append(f"({names}) {operator} ({values})")
    condition = " AND ".join(parts)
    # What no range of the source has must still be seen.
    nulls = [f"{quote(pair.target)} IS NULL" for pair in key if pair.nullable]
    return f"({condition}) OR {' OR '.join(nulls)}" if nulls and condition and chunk.lower is None else condition


def _sorts_alike(pair: Pair) -> bool:
    base = base_type(pair.target_type)
    if pair.source_type in _INTEGERS | {"decimal"}:
        return base in _NUMBERS
    return (pair.source_type, base) in _MOMENTS


def _literal(pair: Pair, value: str) -> str | None:
    """Returns a bound, a literal of MySQL, as one of PostgreSQL."""
    if pair.source_type in _INTEGERS | {"decimal"}:
        return value if _NUMBER.fullmatch(value) else None
    if not _MOMENT.fullmatch(value):
        return None
    return f"{value[:-1]}+00'" if base_type(pair.target_type) == "timestamp with time zone" else value
