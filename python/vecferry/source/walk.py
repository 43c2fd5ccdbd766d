"""The order in which a table's rows are walked: its key, the index that holds it, and one query shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.select import quote, range_condition

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


def walk(
    table: Table,
    key: Sequence[str],
    lower: Sequence[str] | None = None,
    *,
    listed: str = "",
    limit: int = 1,
    offset: int = 0,
    backwards: bool = False,
) -> str:
    """Returns a query of `limit` rows in the key's order after `lower`, of the key or of what is `listed`.

    The index is forced: left to itself the server may sort a whole secondary index instead.
    """
    names = [quote(name) for name in key]
    statement = f"SELECT {listed or ', '.join(names)} FROM {quote(table.name)}"
    if key:
        statement += f" FORCE INDEX ({quote(_index(table, key))})"
        condition = range_condition(key, lower)
        statement += f" WHERE {condition}" if condition else ""
        statement += " ORDER BY " + ", ".join(f"{name} DESC" if backwards else name for name in names)
    return f"{statement} LIMIT {limit}" + (f" OFFSET {offset}" if offset else "")


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


def _index(table: Table, key: Sequence[str]) -> str:
    if tuple(key) == table.primary_key:
        return "PRIMARY"
    return next(
        index.name
        for index in table.indexes
        if index.unique and tuple(part.name for part in index.columns) == tuple(key)
    )
