"""Which columns of a table its rows are told apart and walked by; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.model import Table

INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
# Types whose values compare as they sort. An enum sorts by number but compares as text; a float's literal
# is not the stored value; a prefix of a text is not the text.
_ORDERED = INTEGERS | {"char", "varchar", "binary", "varbinary", "date", "datetime", "timestamp", "decimal"}


def chunk_key(table: Table) -> tuple[str, ...]:
    """Returns the columns that ranges of the table's rows are cut by; empty where there are none.

    That is the primary key, or else the first unique index over whole columns that are all NOT NULL, if every
    column has a type whose values compare as they sort.
    """
    candidates = [table.primary_key] if table.primary_key else _unique_keys(table)
    for key in candidates:
        if all(table.column(name).data_type in _ORDERED for name in key):
            return key
    return ()


def integer_key(table: Table, key: Sequence[str]) -> bool:
    """Returns whether `key` is one integer."""
    return len(key) == 1 and table.column(key[0]).data_type in INTEGERS


def _unique_keys(table: Table) -> list[tuple[str, ...]]:
    keys = []
    for index in table.indexes:
        if not index.unique or index.kind != "BTREE":
            continue
        if any(not part.name or part.prefix is not None or part.descending for part in index.columns):
            continue
        key = tuple(part.name for part in index.columns)
        if not any(table.column(name).nullable for name in key):
            keys.append(key)
    return keys
