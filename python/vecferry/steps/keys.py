"""Makes primary keys, unique constraints, indexes and foreign keys after the data; what is there already stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import quote

if TYPE_CHECKING:
    from vecferry.model import DdlObject, Plan
    from vecferry.target.connect import Connection

_ORDER = {"primary key": 0, "unique": 1, "index": 2, "foreign key": 3}

_EXISTING = """
SELECT t.relname, k.conname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s)
UNION
SELECT t.relname, c.relname FROM pg_index i
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
    found = connection.execute(_EXISTING, {"schema": quote(plan.target_schema)}).fetchall()
    there = {(str(table), str(name)) for table, name in found}
    wanted = [item for table in plan.tables for item in table.after]
    return sorted((item for item in wanted if (item.table, item.name) not in there), key=lambda item: _ORDER[item.kind])
