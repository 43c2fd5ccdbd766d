"""Makes primary keys, unique constraints, indexes and foreign keys after the data; what is there already stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import quote

if TYPE_CHECKING:
    from vecferry.model import DdlObject, Plan
    from vecferry.target.connect import Connection

_ORDER = {"primary key": 0, "unique": 1, "index": 2, "foreign key": 3}

_EXISTING = """
SELECT t.relname, k.conname, 'foreign key' FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND k.contype = 'f'
UNION ALL
SELECT t.relname, c.relname, 'index' FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND i.indisvalid
"""


def make_keys(connection: Connection, plan: Plan) -> None:
    """Makes what the plan asks for and is not there, foreign keys last.

    Raises:
        psycopg.Error: the server refused a statement, e.g. a row breaks a foreign key.
    """
    for item in missing_keys(connection, plan):
        connection.execute(item.statement.encode())


def missing_keys(connection: Connection, plan: Plan) -> list[DdlObject]:
    """Returns the keys and indexes that the plan asks for and the target lacks, in the order to make them."""
    # A foreign key and the index that MySQL made for it have the same name; primary and unique keys are indexes, too.
    found = connection.execute(_EXISTING, {"schema": quote(plan.target_schema)}).fetchall()
    there = {(str(table), str(name), str(kind)) for table, name, kind in found}
    wanted = [item for table in plan.tables for item in table.after]
    missing = [item for item in wanted if (item.table, item.name, _kind(item)) not in there]
    return sorted(missing, key=lambda item: _ORDER[item.kind])


def _kind(item: DdlObject) -> str:
    return "foreign key" if item.kind == "foreign key" else "index"
