"""What a database holds besides tables, views, rows and keys: none of it is carried, and a plan says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.model import Loss
from vecferry.source.flavor import plain_text
from vecferry.source.query import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pymysql.connections import Connection

_TRIGGERS = """
SELECT event_object_table AS owner, trigger_name AS name FROM information_schema.triggers
WHERE trigger_schema = DATABASE() ORDER BY 1, 2
"""
_ROUTINES = """
SELECT routine_name AS name, routine_type AS kind FROM information_schema.routines
WHERE routine_schema = DATABASE() ORDER BY 1, 2
"""
_EVENTS = "SELECT event_name AS name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY 1"

# The columns as TypeORM's MigrationExecutor and MysqlQueryRunner make them, under the tables' default names.
_TYPEORM = {
    "migrations": (frozenset({"id", "timestamp", "name"}), "migrations"),
    "typeorm_metadata": (
        frozenset({"type", "database", "schema", "table", "name", "value"}),
        "views and generated columns",
    ),
}


def read_leftovers(connection: Connection[Any], tables: frozenset[str]) -> tuple[Loss, ...]:
    """Returns a loss for each routine and event, and for each trigger of `tables`.

    Raises:
        SourceError: the server refused a query.
    """
    losses = [
        Loss(plain_text(name), None, f"this {plain_text(kind).lower()} is not carried")
        for name, kind in rows(connection, _ROUTINES)
    ]
    losses += [Loss(plain_text(name), None, "this event is not carried") for (name,) in rows(connection, _EVENTS)]
    losses += [
        Loss(plain_text(table), None, f"trigger {plain_text(name)} is not carried")
        for table, name in rows(connection, _TRIGGERS)
        if plain_text(table) in tables
    ]
    return tuple(losses)


def typeorm_record(table: str, columns: Iterable[str]) -> Loss | None:
    """Returns the loss of a table in which TypeORM keeps its own record of the source; None of any other table."""
    expected, record = _TYPEORM.get(table, (frozenset(), ""))
    if not expected or expected != set(columns):
        return None
    reason = f"TypeORM's own record of the source's {record} is not carried: TypeORM keeps its own in the target"
    return Loss(table, None, reason)
