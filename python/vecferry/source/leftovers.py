"""What a database holds besides tables, rows and keys: none of it is carried, and a plan says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.model import Loss
from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection

_VIEWS = "SELECT table_name AS name FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY 1"
_TRIGGERS = """
SELECT event_object_table AS owner, trigger_name AS name FROM information_schema.triggers
WHERE trigger_schema = DATABASE() ORDER BY 1, 2
"""
_ROUTINES = """
SELECT routine_name AS name, LOWER(routine_type) AS kind FROM information_schema.routines
WHERE routine_schema = DATABASE() ORDER BY 1
"""
_CHECKS = """
SELECT t.table_name AS owner, c.constraint_name AS name, c.check_clause AS clause
FROM information_schema.table_constraints t
JOIN information_schema.check_constraints c
  ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name {same_table}
WHERE t.constraint_schema = DATABASE() AND t.constraint_type = 'CHECK' ORDER BY 1, 2
"""
_CHECK_COLUMNS = """
SELECT COUNT(*) AS here, COALESCE(SUM(LOWER(column_name) = 'table_name'), 0) AS with_table
FROM information_schema.columns
WHERE LOWER(table_schema) = 'information_schema' AND LOWER(table_name) = 'check_constraints'
"""


def read_leftovers(connection: Connection[Any], tables: frozenset[str]) -> tuple[Loss, ...]:
    """Returns a loss for each view and routine, and for each trigger and CHECK of `tables`.

    Raises:
        SourceError: the server refused a query.
    """
    losses = [Loss(str(name), None, "this view is not carried") for (name,) in rows(connection, _VIEWS)]
    losses += [Loss(str(name), None, f"this {kind} is not carried") for name, kind in rows(connection, _ROUTINES)]
    losses += [
        Loss(str(table), None, f"trigger {name} is not carried")
        for table, name in rows(connection, _TRIGGERS)
        if table in tables
    ]
    [(here, with_table)] = rows(connection, _CHECK_COLUMNS)
    if here:
        query = _CHECKS.format(same_table="AND c.table_name = t.table_name" if with_table else "")
        losses += [
            Loss(str(table), None, f"CHECK {name} is not carried: {clause}")
            for table, name, clause in rows(connection, query)
            if table in tables and not str(clause).lower().lstrip("(").startswith("json_valid")
        ]
    return tuple(losses)
