"""The order in which a table's rows are walked: its key, the index that holds it, and one query shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.select import quote, range_condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.model import Table


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


def _index(table: Table, key: Sequence[str]) -> str:
    if tuple(key) == table.primary_key:
        return "PRIMARY"
    return next(
        index.name
        for index in table.indexes
        if index.unique and tuple(part.name for part in index.columns) == tuple(key)
    )
