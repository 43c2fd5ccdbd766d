"""In which order tables are filled whose foreign keys are there already; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.model import Catalog


def filling_order(catalog: Catalog) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the tables, each behind those that it references, and those of them that are in a circle or behind one.

    A table that references itself alone is in none: PostgreSQL proves its rows when all of them are there.
    """
    names = [table.name for table in catalog.tables]
    waiting = {
        table.name: {key.referenced_table for key in table.foreign_keys} & set(names) - {table.name}
        for table in catalog.tables
    }
    order: list[str] = []
    while ready := [name for name in names if name in waiting and not waiting[name]]:
        order += ready
        for name in ready:
            del waiting[name]
        for others in waiting.values():
            others.difference_update(ready)
    circle = tuple(name for name in names if name in waiting)
    return (*order, *circle), circle
