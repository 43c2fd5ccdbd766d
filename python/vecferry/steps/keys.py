"""Makes keys, checks, foreign keys and views after the data; what is there already stays.

Checks and foreign keys are added NOT VALID and then validated: one that some rows break holds for every later
row, and the rows are named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from vecferry.crash import crash_point
from vecferry.mapping.identifiers import qualified, quote
from vecferry.target.probe import words

if TYPE_CHECKING:
    from vecferry.model import DdlObject, Plan
    from vecferry.target.connect import Connection

_ORDER = {"primary key": 0, "unique": 1, "index": 2, "check": 3, "foreign key": 4, "view": 5}
_PROVEN_LATER = {"check", "foreign key"}
_NOT_PROVEN = ("NOT VALID", "NOT ENFORCED")
"""How the statement of a constraint ends that was not proven in the target before either."""
_EXAMPLES = 3

_EXISTING = """
SELECT t.relname, k.conname, CASE k.contype WHEN 'c' THEN 'check' ELSE 'foreign key' END
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND k.contype IN ('c', 'f')
UNION ALL
SELECT t.relname, c.relname, 'index' FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND i.indisvalid
UNION ALL
SELECT '', c.relname, 'view' FROM pg_class c
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'v'
"""

_NOT_VALIDATED = """
SELECT t.relname, k.conname, k.oid
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND k.contype IN ('c', 'f') AND NOT k.convalidated
"""

# As PostgreSQL validates itself (RI_Initial_Check in src/backend/utils/adt/ri_triggers.c): by the constraint's own
# operators, under the collation of the referenced column.
_ORPHANS = """
SELECT format('%%s AS c WHERE (%%s) AND NOT EXISTS (SELECT FROM %%s AS p WHERE %%s)', k.conrelid::regclass,
  string_agg(format('c.%%I IS NOT NULL', c.attname), CASE k.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END),
  k.confrelid::regclass,
  string_agg(format('p.%%I OPERATOR(%%I.%%s) c.%%I', p.attname, n.nspname, o.oprname, c.attname)
    || CASE WHEN p.attcollation <> c.attcollation THEN format(' COLLATE %%s', p.attcollation::regcollation) ELSE '' END,
    ' AND '))
FROM pg_constraint k
CROSS JOIN unnest(k.conkey, k.confkey, k.conpfeqop) AS part(child, parent, equal)
JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = part.child
JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = part.parent
JOIN pg_operator o ON o.oid = part.equal
JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE k.oid = %(constraint)s
GROUP BY k.conrelid, k.confrelid, k.confmatchtype
"""

_BREAKERS = """
SELECT format('%%s WHERE NOT (%%s)', conrelid::regclass, pg_get_expr(conbin, conrelid))
FROM pg_constraint WHERE oid = %(constraint)s
"""

# Numbers are shown bare, everything else as a literal. Every type of a primary key has an order, not every type has.
_NAMED_BY = """
SELECT a.attname, CASE t.typcategory
    WHEN 'N' THEN format('coalesce(%%I::text, ''NULL'')', a.attname)
    ELSE format('quote_nullable(%%I::text)', a.attname) END,
  CASE WHEN i.indisprimary THEN format('%%I', a.attname) END
FROM pg_constraint k
LEFT JOIN pg_index i ON i.indrelid = k.conrelid AND i.indisprimary
CROSS JOIN unnest(coalesce(i.indkey::smallint[], k.conkey)) WITH ORDINALITY AS part(number, place)
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = part.number
JOIN pg_type t ON t.oid = a.atttypid
WHERE k.oid = %(constraint)s
ORDER BY part.place
"""


@dataclass(frozen=True, slots=True)
class Unproven:
    """A check or foreign key that rows of the table break, or a view that PostgreSQL refuses."""

    kind: str
    """`check`, `foreign key` or `view`."""
    table: str
    """Empty for a view."""
    name: str
    count: int | None
    """How many rows break it; None where they could not be counted."""
    examples: tuple[str, ...]
    """The keys of up to three, e.g. `id = 7`."""
    words: str
    """PostgreSQL's own."""


def make_keys(connection: Connection, plan: Plan) -> tuple[Unproven, ...]:
    """Makes what the plan asks for and is not there, and validates what is not validated, foreign keys and views last.

    Args:
        connection: an autocommit connection.
        plan: the run's.

    Returns:
        What could not be proven: a constraint that rows break stays NOT VALID, a view that is refused is not made.

    Raises:
        psycopg.Error: the server refused another statement, e.g. rows are equal in a unique key.
    """
    unproven: list[Unproven] = []
    missing = missing_keys(connection, plan)
    for item in missing:
        if item.kind != "view":
            unproven.extend(_make(connection, item))
    found = connection.execute(_NOT_VALIDATED, {"schema": quote(plan.target_schema)}).fetchall()
    waiting = {(str(table), str(name)): int(oid) for table, name, oid in found}
    for item in _wanted(plan):
        constraint = waiting.get((item.table, item.name)) if item.kind in _PROVEN_LATER else None
        if constraint is not None and not item.statement.endswith(_NOT_PROVEN):
            unproven.extend(_validate(connection, plan.target_schema, item, constraint))
    for item in missing:
        if item.kind == "view":
            unproven.extend(_make_view(connection, item))
    return tuple(unproven)


def missing_keys(connection: Connection, plan: Plan) -> list[DdlObject]:
    """Returns what the plan asks for after the data and the target lacks, in the order to make it."""
    # A foreign key and the index that MySQL made for it have the same name; primary and unique keys are indexes, too.
    found = connection.execute(_EXISTING, {"schema": quote(plan.target_schema)}).fetchall()
    there = {(str(table), str(name), str(kind)) for table, name, kind in found}
    return [item for item in _wanted(plan) if (item.table, item.name, _catalog_kind(item)) not in there]


def _wanted(plan: Plan) -> list[DdlObject]:
    listed = [*(item for table in plan.tables for item in table.after), *plan.views]
    return sorted(listed, key=lambda item: _ORDER[item.kind])


def _catalog_kind(item: DdlObject) -> str:
    return "index" if item.kind in {"primary key", "unique", "index"} else item.kind


def _make(connection: Connection, item: DdlObject) -> list[Unproven]:
    with connection.transaction():
        broken = _create(connection, item)
        if not broken:
            for statement in item.then:
                connection.execute(statement.encode())
        crash_point("key not committed")
    crash_point("key made")
    return broken


def _create(connection: Connection, item: DdlObject) -> list[Unproven]:
    if item.kind not in _PROVEN_LATER:
        connection.execute(item.statement.encode())
        return []
    later = item.statement if item.statement.endswith(_NOT_PROVEN) else f"{item.statement} NOT VALID"
    try:
        with connection.transaction():
            connection.execute(later.encode())
    except psycopg.errors.WrongObjectType:
        # Before PostgreSQL 18 a foreign key of a partitioned table is proven at once or not made.
        try:
            with connection.transaction():
                connection.execute(later.removesuffix(" NOT VALID").encode())
        except psycopg.errors.ForeignKeyViolation as error:
            return [_unproven(item, error)]
    return []


def _validate(connection: Connection, schema: str, item: DdlObject, constraint: int) -> list[Unproven]:
    statement = f"ALTER TABLE {qualified(schema, item.table)} VALIDATE CONSTRAINT {quote(item.name)}"
    crash_point("constraint not validated")
    try:
        connection.execute(statement.encode())
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation, psycopg.DataError) as error:
        try:
            return [_unproven(item, error, *_broken_by(connection, item, constraint))]
        except psycopg.DataError:
            # A check that cannot be computed for some row, e.g. for a division by zero, cannot be counted either.
            return [_unproven(item, error)]
    return []


def _make_view(connection: Connection, item: DdlObject) -> list[Unproven]:
    try:
        connection.execute(item.statement.encode())
    except psycopg.OperationalError:
        raise  # says nothing of the view: the statement was stopped, a lock was not had, the connection is lost
    except psycopg.Error as error:
        return [_unproven(item, error)]
    crash_point("view made")
    return []


def _unproven(
    item: DdlObject, error: psycopg.Error, count: int | None = None, examples: tuple[str, ...] = ()
) -> Unproven:
    return Unproven(item.kind, item.table, item.name, count, examples, words(error))


def _broken_by(connection: Connection, item: DdlObject, constraint: int) -> tuple[int | None, tuple[str, ...]]:
    """Counts the rows that break a constraint and names a few by their keys."""
    names = {"constraint": constraint}
    [rows] = connection.execute(_ORPHANS if item.kind == "foreign key" else _BREAKERS, names).fetchone() or ("",)
    key = connection.execute(_NAMED_BY, names).fetchall()
    shown = ", ".join(["count(*) OVER ()", *(expression for _, expression, _ in key)])
    order = ", ".join(column for _, _, column in key if column)
    query = f"SELECT {shown} FROM {rows}{f' ORDER BY {order}' if order else ''} LIMIT {_EXAMPLES}"
    found = connection.execute(query.encode()).fetchall()
    if not found:
        return None, ()
    columns = [str(name) for name, _, _ in key]
    examples = [", ".join(map(" = ".join, zip(columns, values, strict=True))) for _, *values in found if values]
    return int(found[0][0]), tuple(examples)
