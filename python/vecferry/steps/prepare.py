"""Makes the target ready for rows: the extension, emptied tables, created tables, columns altered to `vector`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified, quote

if TYPE_CHECKING:
    from vecferry.model import DdlObject, Plan
    from vecferry.target.connect import Connection


def prepare(connection: Connection, plan: Plan) -> None:
    """Does all of it in one transaction: after a failure the target is as it was.

    Raises:
        psycopg.Error: the server refused a statement.
    """
    with connection.transaction():
        for extension in plan.extensions:
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {quote(extension)}".encode())
        if any(table.create for table in plan.tables):
            _ensure_schema(connection, plan.target_schema)
        if plan.truncate:
            names = ", ".join(qualified(plan.target_schema, name) for name in plan.truncate)
            connection.execute(f"TRUNCATE {names} CASCADE".encode())
        for table in plan.tables:
            for statement in table.before:
                connection.execute(statement.encode())
        for table in plan.tables:
            if table.create is not None:
                for statement in (*(item.statement for item in table.requires), table.create, *table.finish):
                    connection.execute(statement.encode())


def _ensure_schema(connection: Connection, schema: str) -> None:
    # CREATE SCHEMA IF NOT EXISTS asks for the right to create even where there is nothing to do.
    row = connection.execute("SELECT to_regnamespace(%s) IS NULL", [quote(schema)]).fetchone()
    if row and row[0]:
        connection.execute(f"CREATE SCHEMA {quote(schema)}".encode())


def discard(connection: Connection, plan: Plan) -> None:
    """Drops what an abandoned run created, and empties the other tables, which were empty before it."""
    with connection.transaction():
        for view in plan.views:
            connection.execute(f"DROP VIEW IF EXISTS {qualified(plan.target_schema, view.name)} CASCADE".encode())
        existing = [qualified(plan.target_schema, table.target) for table in plan.tables if table.create is None]
        if existing:
            connection.execute(f"TRUNCATE {', '.join(existing)} CASCADE".encode())
        for table in plan.tables:
            if table.create is not None:
                place = qualified(plan.target_schema, table.target)
                connection.execute(f"DROP TABLE IF EXISTS {place} CASCADE".encode())
                for item in table.requires:
                    connection.execute(_drop(plan.target_schema, item).encode())


def _drop(schema: str, item: DdlObject) -> str:
    name = qualified(schema, item.name)
    return f"DROP FUNCTION IF EXISTS {name}()" if item.kind == "function" else f"DROP TYPE IF EXISTS {name}"
