"""What the target holds: pgvector, tables with their columns, and the objects that a load drops and restores."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vecferry.errors import TargetError
from vecferry.mapping.identifiers import qualified, quote
from vecferry.model import TargetColumn, TargetObject, TargetState, TargetTable

if TYPE_CHECKING:
    from vecferry.config import DatabaseURL
    from vecferry.target.connect import Connection

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typtype::text, NOT a.attnotnull,
       a.atthasdef OR a.attidentity <> '', a.attidentity <> '', a.attgenerated <> ''
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(tables)s)
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

_INDEXES = """
SELECT t.relname, c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s) AND NOT i.indisunique
ORDER BY t.relname, c.relname
"""

_FOREIGN_KEYS = """
SELECT t.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k
JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s) AND k.contype = 'f'
  AND k.conparentid = 0
ORDER BY t.relname, k.conname
"""

_PGVECTOR = """
SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'vector'
"""

_RIGHTS = """
SELECT has_database_privilege(current_database(), 'CREATE')
    OR to_regnamespace('vecferry') IS NOT NULL AND to_regnamespace(%(schema)s) IS NOT NULL,
  coalesce(has_schema_privilege(to_regnamespace(%(schema)s), 'CREATE'), true), current_user
"""

_CLOSURE = """
WITH RECURSIVE closure(oid) AS (
  SELECT c.oid FROM pg_class c
  WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY(%(tables)s)
  UNION
  SELECT k.conrelid FROM pg_constraint k JOIN closure ON k.confrelid = closure.oid WHERE k.contype = 'f'
)
SELECT n.nspname, c.relname, c.reltuples::bigint FROM closure
JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2
"""


def read_target(connection: Connection, database: str, schema: str, tables: tuple[str, ...]) -> TargetState:
    """Reads what the target holds of `tables` in `schema`; changes nothing.

    Raises:
        psycopg.Error: the server refused a query.
    """
    names = {"schema": quote(schema), "tables": list(tables)}
    columns: dict[str, list[TargetColumn]] = defaultdict(list)
    for table, name, kind, typtype, nullable, default, identity, generated in connection.execute(_COLUMNS, names):
        columns[table].append(TargetColumn(name, kind, typtype, nullable, default or generated, identity))
    objects: dict[str, list[TargetObject]] = defaultdict(list)
    for table, name, definition in connection.execute(_INDEXES, names):
        objects[table].append(TargetObject("index", table, name, definition))
    for table, name, definition in connection.execute(_FOREIGN_KEYS, names):
        statement = f"ALTER TABLE {qualified(schema, table)} ADD CONSTRAINT {quote(name)} {definition}"
        objects[table].append(TargetObject("foreign key", table, name, statement))
    version = connection.info.parameter_status("server_version") or "unknown"
    pgvector = connection.execute(_PGVECTOR).fetchone()
    return TargetState(
        server=version.split(" ")[0],
        database=database,
        pgvector=pgvector[0] if pgvector else None,
        tables=tuple(
            TargetTable(name, tuple(found), _is_empty(connection, schema, name), tuple(objects[name]))
            for name, found in columns.items()
        ),
    )


def check_rights(connection: Connection, url: DatabaseURL, schema: str) -> None:
    """Makes sure that the user may create what every run creates.

    Raises:
        TargetError: a right is missing; the statement that gives it is in the message.
    """
    row = connection.execute(_RIGHTS, {"schema": quote(schema)}).fetchone()
    in_database, in_schema, user = row or (True, True, "")
    if not in_database:
        what, grant = f"permission denied for database {url.database}", f"ON DATABASE {quote(url.database)}"
    elif not in_schema:
        what, grant = f"permission denied for schema {schema}", f"ON SCHEMA {quote(schema)}"
    else:
        return
    raise TargetError(f"the target {url.place} would refuse: {what}: GRANT CREATE {grant} TO {quote(str(user))}")


def truncation_closure(
    connection: Connection, schema: str, tables: tuple[str, ...]
) -> tuple[tuple[str, str, int], ...]:
    """Returns every table that `TRUNCATE tables CASCADE` empties: schema, name, estimated rows."""
    found = connection.execute(_CLOSURE, {"schema": quote(schema), "tables": list(tables)}).fetchall()
    return tuple((str(namespace), str(name), max(0, int(rows))) for namespace, name, rows in found)


def taken_names(connection: Connection, schema: str) -> set[str]:
    """Returns the names of all relations in `schema`: an index cannot have one of them."""
    query = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
    return {str(row[0]) for row in connection.execute(query, [quote(schema)])}


def _is_empty(connection: Connection, schema: str, table: str) -> bool:
    row = connection.execute(f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(schema, table)})".encode()).fetchone()
    return bool(row and row[0])
