"""What integer and decimal types can hold, on both sides.

Sources: MySQL's manual, "Integer Types"; PostgreSQL's, "Numeric Types".
"""

from __future__ import annotations

import re

INTEGERS: dict[str, tuple[int, int]] = {
    "tinyint": (-(2**7), 2**7 - 1),
    "tinyint unsigned": (0, 2**8 - 1),
    "smallint": (-(2**15), 2**15 - 1),
    "smallint unsigned": (0, 2**16 - 1),
    "mediumint": (-(2**23), 2**23 - 1),
    "mediumint unsigned": (0, 2**24 - 1),
    "int": (-(2**31), 2**31 - 1),
    "int unsigned": (0, 2**32 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "bigint unsigned": (0, 2**64 - 1),
    "year": (0, 2155),
}
"""MySQL's integer types, inclusive."""

_POSTGRES: dict[str, tuple[int, int]] = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "boolean": (0, 1),
}


def range_of(postgres_type: str) -> tuple[int, int] | None:
    """Returns the whole numbers that a type holds, inclusive; None where it holds any, or none is asked of it."""
    digits = precision_and_scale(postgres_type)
    if digits is not None:
        largest = 10 ** (digits[0] - digits[1]) - 1
        return -largest, largest
    return _POSTGRES.get(postgres_type)


def precision_and_scale(postgres_type: str) -> tuple[int, int] | None:
    """Returns the numbers of `numeric(p,s)` or `numeric(p)`; None for other types."""
    match = re.fullmatch(r"numeric\((\d+)(?:,(\d+))?\)", postgres_type)
    return (int(match[1]), int(match[2] or 0)) if match else None
