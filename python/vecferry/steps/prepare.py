"""Makes the target ready for rows: the extension, emptied tables, created tables, columns altered to `vector`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from vecferry.mapping.ddl import drop_object
from vecferry.mapping.identifiers import qualified, quote
from vecferry.target.connect import PATH

if TYPE_CHECKING:
    from vecferry.model import DdlObject, Plan
    from vecferry.target.connect import Connection


def prepare(connection: Connection, plan: Plan) -> None:
    """Does all of it in one transaction: after a failure the target is as it was.

    Raises:
        psycopg.Error: the server refused a statement.
    """
    with connection.transaction():
        if any(table.create for table in plan.tables):
            _ensure_schema(connection, plan.target_schema)
        _create_extensions(connection, plan)
        if plan.truncate:
            names = ", ".join(qualified(plan.target_schema, name) for name in plan.truncate)
            connection.execute(f"TRUNCATE {names} CASCADE".encode())
        for table in plan.tables:
            for statement in table.before:
                connection.execute(statement.encode())
        # A table that is called like the sequence of another has to be there before it: PostgreSQL then gives the
        # sequence another name.
        for table in sorted(plan.tables, key=lambda table: not table.target.endswith("_seq")):
            if table.create is not None:
                for statement in (*(item.statement for item in table.requires), table.create, *table.finish):
                    connection.execute(statement.encode())


def _ensure_schema(connection: Connection, schema: str) -> None:
    # CREATE SCHEMA IF NOT EXISTS asks for the right to create even where there is nothing to do.
    row = connection.execute("SELECT to_regnamespace(%s) IS NULL", [quote(schema)]).fetchone()
    if row and row[0]:
        connection.execute(f"CREATE SCHEMA {quote(schema)}".encode())


def _create_extensions(connection: Connection, plan: Plan) -> None:
    """Creates what is missing where everyone sees it; left to itself, PostgreSQL may take a schema of the user's."""
    row = connection.execute("SELECT has_schema_privilege(to_regnamespace('public'), 'CREATE')").fetchone()
    schema = "public" if row and row[0] else plan.target_schema
    for extension in plan.extensions:
        connection.execute(f"CREATE EXTENSION IF NOT EXISTS {quote(extension)} SCHEMA {quote(schema)}".encode())
    connection.execute(PATH)


def discard(connection: Connection, plan: Plan) -> None:
    """Drops what an abandoned run created, and empties the other tables, which were empty before it."""
    with connection.transaction():
        for view in plan.views:
            connection.execute(f"DROP VIEW IF EXISTS {qualified(plan.target_schema, view.name)} CASCADE".encode())
        existing = [qualified(plan.target_schema, table.target) for table in plan.tables if table.create is None]
        if existing:
            _empty(connection, plan, existing)
        for table in plan.tables:
            if table.create is not None:
                place = qualified(plan.target_schema, table.target)
                connection.execute(f"DROP TABLE IF EXISTS {place} CASCADE".encode())
                for item in table.requires:
                    connection.execute(_drop(plan.target_schema, item).encode())


def _empty(connection: Connection, plan: Plan, places: list[str]) -> None:
    """Empties tables without CASCADE: a table outside the run may reference them, and hold rows that do not."""
    try:
        with connection.transaction():
            connection.execute(f"TRUNCATE {', '.join(places)}".encode())
    except psycopg.errors.FeatureNotSupported:
        for table in plan.tables:
            for item in table.after if table.create is None else ():
                if item.kind == "foreign key":
                    connection.execute(drop_object(plan.target_schema, item.kind, item.table, item.name).encode())
        for place in places:
            connection.execute(f"DELETE FROM {place}".encode())


def _drop(schema: str, item: DdlObject) -> str:
    name = qualified(schema, item.name)
    return f"DROP FUNCTION IF EXISTS {name}()" if item.kind == "function" else f"DROP TYPE IF EXISTS {name}"
