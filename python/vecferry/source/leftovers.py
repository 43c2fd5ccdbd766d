"""What a database holds besides tables, views, rows and keys: none of it is carried, and a plan says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.mapping.leftovers import not_carried, trigger
from vecferry.source.flavor import plain_text
from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.model import Loss

_TRIGGERS = """
SELECT event_object_table AS owner, trigger_name AS name FROM information_schema.triggers
WHERE trigger_schema = DATABASE() ORDER BY 1, 2
"""
_ROUTINES = """
SELECT routine_name AS name, routine_type AS kind FROM information_schema.routines
WHERE routine_schema = DATABASE() ORDER BY 1, 2
"""
_EVENTS = "SELECT event_name AS name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY 1"


def read_leftovers(connection: Connection[Any], tables: frozenset[str]) -> tuple[Loss, ...]:
    """Returns a loss for each routine and event, and for each trigger of `tables`.

    Raises:
        SourceError: the server refused a query.
    """
    losses = [not_carried(plain_text(name), plain_text(kind).lower()) for name, kind in rows(connection, _ROUTINES)]
    losses += [not_carried(plain_text(name), "event") for (name,) in rows(connection, _EVENTS)]
    losses += [
        trigger(plain_text(table), plain_text(name))
        for table, name in rows(connection, _TRIGGERS)
        if plain_text(table) in tables
    ]
    return tuple(losses)
