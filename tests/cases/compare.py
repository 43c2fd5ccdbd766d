"""Reads every table of both ends and says where values differ. Shares no code with vecferry."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from tests.cases.canonical import from_source, from_target

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    import psycopg

    from tests.conftest import MySQLDatabase, PostgresDatabase

_SHOWN = 5


@dataclass(frozen=True)
class _Column:
    name: str
    source: str
    """MySQL's bare type."""
    target: str
    """PostgreSQL's base type, without a modifier."""


def differences(
    mysql: MySQLDatabase,
    postgres: PostgresDatabase,
    *,
    schema: str = "public",
    skip_tables: Collection[str] = (),
    skip_columns: Collection[str] = (),
    zone: str = "UTC",
) -> list[str]:
    """Return a sentence for every row that one end has and the other has not, at most a few for a table.

    Args:
        mysql: The source.
        postgres: The target, after the migration.
        schema: The target's schema.
        skip_tables: Tables to leave out.
        skip_columns: Columns to leave out, as `table.column`.
        zone: The time zone that a `datetime` is meant in where the target has time zones.
    """
    found = []
    for table in _tables(mysql):
        if table in skip_tables:
            continue
        kinds = _source_types(mysql, table)
        skipped = {name for name in kinds if f"{table}.{name}" in skip_columns}
        types = _target_types(postgres, schema, table)
        missing = kinds.keys() - types.keys() - skipped
        if missing:
            found.append(f"{table}: the target has no {', '.join(sorted(missing))}")
            continue
        columns = [_Column(name, kind, types[name]) for name, kind in kinds.items() if name not in skipped]
        source = Counter(_source_rows(mysql, table, columns, zone))
        target = Counter(_target_rows(postgres, schema, table, columns))
        found += [f"{table}: only in the source: {row}" for row in list((source - target).elements())[:_SHOWN]]
        found += [f"{table}: only in the target: {row}" for row in list((target - source).elements())[:_SHOWN]]
    return found


def snapshot(postgres: PostgresDatabase) -> dict[str, Any]:
    """Return everything of a target that a refused migration could have changed: objects, and rows by table."""
    connection = postgres.connect()
    objects = connection.execute(_OBJECTS).fetchall()
    names = connection.execute(_USER_TABLES).fetchall()
    counts = {}
    for schema, table in names:
        query = sql.SQL("SELECT t::text FROM {}.{} t").format(sql.Identifier(schema), sql.Identifier(table))
        counts[f"{schema}.{table}"] = sorted(connection.execute(query).fetchall())
    return {"objects": objects, "rows": counts}


_USER_TABLES = b"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_OBJECTS = b"""
WITH own AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')
SELECT 'schema' AS kind, nspname AS place, '' AS name, '' AS detail FROM own
UNION ALL SELECT 'extension', '', extname, extversion FROM pg_extension
UNION ALL SELECT 'relation', nspname, relname, relkind::text FROM pg_class JOIN own ON own.oid = relnamespace
UNION ALL SELECT 'column', nspname || '.' || relname, attname, format_type(atttypid, atttypmod) || attnotnull
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN own ON own.oid = relnamespace
  WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'constraint', nspname, conname, pg_get_constraintdef(pg_constraint.oid)
  FROM pg_constraint JOIN own ON own.oid = connamespace
UNION ALL SELECT 'type', nspname, typname, typtype::text FROM pg_type JOIN own ON own.oid = typnamespace
UNION ALL SELECT 'function', nspname, proname, '' FROM pg_proc JOIN own ON own.oid = pronamespace
ORDER BY 1, 2, 3, 4
"""


def _tables(mysql: MySQLDatabase) -> list[str]:
    rows = mysql.rows(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_type <> 'VIEW' ORDER BY 1"
    )
    return [name for (name,) in rows]


def _source_types(mysql: MySQLDatabase, table: str) -> dict[str, str]:
    rows = mysql.rows(
        "SELECT column_name AS name, data_type AS kind FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    return dict(rows)


def _target_types(postgres: PostgresDatabase, schema: str, table: str) -> dict[str, str]:
    rows = postgres.rows(
        "SELECT attname, format_type(CASE WHEN typtype = 'd' THEN typbasetype ELSE t.oid END, NULL)"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
        " JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = %s AND relname = %s AND attnum > 0 AND NOT attisdropped",
        (schema, table),
    )
    # A type of a schema that is not on the path is printed with it.
    return {name: re.sub(r'^(?:\w+|"[^"]*")\.', "", kind) for name, kind in rows}


def _source_rows(mysql: MySQLDatabase, table: str, columns: list[_Column], zone: str) -> list[tuple[Hashable, ...]]:
    def wanted(column: _Column) -> str:
        name = "`" + column.name.replace("`", "``") + "`"
        # MySQL prints a FLOAT with six digits; as a DOUBLE it is whole.
        return f"{name} * 1e0" if column.source == "float" else name

    quoted = "`" + table.replace("`", "``") + "`"
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
        cursor.execute(f"SELECT {', '.join(map(wanted, columns))} FROM {quoted}")
        return [
            tuple(from_source(value, c.source, c.target, zone) for value, c in zip(row, columns, strict=True))
            for row in cursor.fetchall()
        ]


def _target_rows(
    postgres: PostgresDatabase, schema: str, table: str, columns: list[_Column]
) -> list[tuple[Hashable, ...]]:
    def wanted(column: _Column) -> sql.Composable:
        # psycopg would round the numbers of JSON, and reads neither vectors nor PostGIS's types.
        as_text = column.target in {"json", "jsonb", "vector", "halfvec", "geometry"}
        return sql.SQL("{}::text" if as_text else "{}").format(sql.Identifier(column.name))

    connection: psycopg.Connection[tuple[Any, ...]] = postgres.connect()
    connection.execute("SET TIME ZONE 'UTC'")
    query = sql.SQL("SELECT {} FROM {}.{}").format(
        sql.SQL(", ").join(map(wanted, columns)), sql.Identifier(schema), sql.Identifier(table)
    )
    return [
        tuple(from_target(value, c.source, c.target) for value, c in zip(row, columns, strict=True))
        for row in connection.execute(query).fetchall()
    ]
