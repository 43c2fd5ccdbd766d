"""What the target holds: extensions, tables with their columns, and the objects that a load drops and restores."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vecferry.errors import TargetError
from vecferry.mapping.identifiers import literal, qualified, quote
from vecferry.model import Extension, TargetColumn, TargetObject, TargetState, TargetTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.config import DatabaseURL
    from vecferry.target.connect import Connection

# A domain may be one over a domain: the modifier, as in varchar(10), is the last one's. Its default and its
# NOT NULL count for a column like the column's own. Rows go into a partitioned table by its own name.
_COLUMNS = """
WITH RECURSIVE domain(oid, type, modifier, required, has_default) AS (
  SELECT oid, typbasetype, typtypmod, typnotnull, typdefault IS NOT NULL FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT d.oid, t.typbasetype, t.typtypmod, d.required OR t.typnotnull, d.has_default
  FROM domain d JOIN pg_type t ON t.oid = d.type WHERE t.typtype = 'd'
), base AS (
  SELECT d.* FROM domain d JOIN pg_type t ON t.oid = d.type WHERE t.typtype <> 'd'
)
SELECT c.relname, a.attname, format_type(t.oid, coalesce(b.modifier, a.atttypmod)), t.typtype::text,
       NOT (a.attnotnull OR coalesce(b.required, false)),
       a.attgenerated = '' AND (a.atthasdef OR a.attidentity <> '' OR coalesce(b.has_default, false)),
       a.attidentity <> '', a.attgenerated <> '',
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
       ARRAY(SELECT DISTINCT r.ev_class::regclass::text FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
         WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
           AND d.refobjsubid = a.attnum ORDER BY 1),
       row_security_active(c.oid)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN base b ON b.oid = a.atttypid
JOIN pg_type t ON t.oid = coalesce(b.type, a.atttypid)
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(tables)s)
  AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

# The index of an exclusion constraint cannot be dropped without it. An index of a partitioned table is printed
# with ONLY, which would make it for no partition.
_INDEXES = """
SELECT t.relname, c.relname, CASE c.relkind WHEN 'I'
    THEN replace(pg_get_indexdef(c.oid), format('INDEX %%I ON ONLY ', c.relname), format('INDEX %%I ON ', c.relname))
    ELSE pg_get_indexdef(c.oid) END, obj_description(c.oid, 'pg_class'), i.indisclustered,
  ARRAY(SELECT format('%%s %%s', a.attnum, to_jsonb(a) ->> 'attstattarget') FROM pg_attribute a
    WHERE a.attrelid = c.oid AND (to_jsonb(a) ->> 'attstattarget')::int >= 0)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s)
  AND NOT i.indisunique AND NOT i.indisexclusion
ORDER BY t.relname, c.relname
"""

_FOREIGN_KEYS = """
SELECT t.relname, k.conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')
FROM pg_constraint k
JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s) AND k.contype = 'f'
  AND k.conparentid = 0
ORDER BY t.relname, k.conname
"""

# Bits of tgtype (src/include/catalog/pg_trigger.h): 1 is FOR EACH ROW, 4 is INSERT. A load through a partitioned
# table fires the row triggers of its partitions, too; those that a partition has from its parent have one name.
_TRIGGERS = """
SELECT DISTINCT t.relname, g.tgname
FROM pg_trigger g
JOIN pg_class t ON t.oid = coalesce(pg_partition_root(g.tgrelid), g.tgrelid)
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s)
  AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & 4 <> 0
  AND (g.tgrelid = t.oid OR g.tgtype & 1 <> 0)
ORDER BY t.relname, g.tgname
"""

_EXTENSIONS = """
SELECT name, coalesce(installed_version, default_version), installed_version IS NOT NULL
FROM pg_available_extensions
WHERE name IN ('vector', 'citext', 'postgis') AND coalesce(installed_version, default_version) IS NOT NULL
ORDER BY name
"""

_AT_ONCE = 100
"""Tables that one query looks into; each is locked, and a server has 6,400 locks by default."""

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
    secured: set[str] = set()
    for row in connection.execute(_COLUMNS, names):
        table, name, kind, typtype, nullable, default, identity, generated, labels, views, security = row
        column = TargetColumn(name, kind, typtype, nullable, default, identity, generated, tuple(labels), tuple(views))
        columns[table].append(column)
        secured |= {table} if security else set()
    objects: dict[str, list[TargetObject]] = defaultdict(list)
    for table, name, definition, comment, clustered, statistics in connection.execute(_INDEXES, names):
        then = _index_settings(schema, table, name, comment, statistics, clustered=clustered)
        objects[table].append(TargetObject("index", table, name, definition, then))
    for table, name, definition, comment in connection.execute(_FOREIGN_KEYS, names):
        place = qualified(schema, table)
        statement = f"ALTER TABLE {place} ADD CONSTRAINT {quote(name)} {definition}"
        words = f"COMMENT ON CONSTRAINT {quote(name)} ON {place} IS {literal(comment or '').strip()}"
        objects[table].append(TargetObject("foreign key", table, name, statement, (words,) if comment else ()))
    triggers: dict[str, list[str]] = defaultdict(list)
    for table, name in connection.execute(_TRIGGERS, names):
        triggers[table].append(name)
    empty = _empty(connection, schema, columns)
    version = connection.info.parameter_status("server_version") or "unknown"
    return TargetState(
        server=version.split(" ")[0],
        database=database,
        extensions=tuple(Extension(*row) for row in connection.execute(_EXTENSIONS)),
        tables=tuple(
            TargetTable(name, tuple(found), name in empty, tuple(objects[name]), tuple(triggers[name]), name in secured)
            for name, found in columns.items()
        ),
    )


def _index_settings(
    schema: str, table: str, name: str, comment: str | None, statistics: list[str], *, clustered: bool
) -> tuple[str, ...]:
    """Returns the statements that make what an index's definition does not say."""
    place = qualified(schema, name)
    then = [f"COMMENT ON INDEX {place} IS {literal(comment).strip()}"] if comment else []
    then += [f"ALTER TABLE {qualified(schema, table)} CLUSTER ON {quote(name)}"] if clustered else []
    for number, target in (entry.split(" ") for entry in statistics):
        then.append(f"ALTER INDEX {place} ALTER COLUMN {number} SET STATISTICS {target}")
    return tuple(then)


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


def _empty(connection: Connection, schema: str, tables: Iterable[str]) -> frozenset[str]:
    """Returns those of `tables` that hold no row."""
    listed = list(tables)
    found: set[str] = set()
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        looks = [f"SELECT {place}, EXISTS (SELECT 1 FROM {qualified(schema, name)})" for place, name in enumerate(some)]
        answers = connection.execute(" UNION ALL ".join(looks).encode())
        found.update(some[place] for place, filled in answers if not filled)
    return frozenset(found)
