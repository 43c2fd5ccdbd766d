"""Compares what is not rows: columns, nullability, keys, indexes, constraints and sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified, quote
from vecferry.report.verification import Difference
from vecferry.target.sequences import sequences_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vecferry.model import Plan, Table, TargetTable
    from vecferry.target.connect import Connection

_INDEXES = """
SELECT t.relname, c.relname, i.indisvalid AND i.indisready, i.indisunique AND i.indpred IS NULL,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS part(number, place)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = part.number AND part.number > 0
        WHERE part.place <= i.indnkeyatts ORDER BY part.place)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s)
ORDER BY 1, 2
"""

_UNPROVEN = """
SELECT t.relname, k.conname, CASE k.contype WHEN 'c' THEN 'CHECK' ELSE 'foreign key' END
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE t.relnamespace = to_regnamespace(%(schema)s) AND t.relname = ANY(%(tables)s)
  AND k.contype IN ('c', 'f') AND NOT k.convalidated
ORDER BY 1, 2
"""

_KEPT_UNPROVEN = ("NOT VALID", "NOT ENFORCED")


def verify_structure(
    target: Connection,
    schema: str,
    tables: Mapping[str, tuple[Table, TargetTable, Mapping[str, str]]],
    plan: Plan | None,
) -> tuple[Difference, ...]:
    """Compares the structure of tables that are on both sides.

    Args:
        target: an open connection.
        schema: the target's schema.
        tables: by name in the source: its catalog entry, the target's table, and the names of its columns there.
        plan: the run's plan; of tables that it created, nullability is compared, too. None for a target that was
            filled in another way.

    Raises:
        psycopg.Error: the server refused a query.
    """
    found: list[Difference] = []
    names = {there.name: name for name, (_, there, _) in tables.items()}
    asked = {"schema": quote(schema), "tables": list(names)}
    unique: dict[str, list[frozenset[str | None]]] = {}
    for table, index, valid, is_unique, columns in target.execute(_INDEXES, asked):
        if not valid:
            found.append(Difference("structure", names[table], source=f"the index {index} is invalid"))
        elif is_unique:
            unique.setdefault(names[table], []).append(frozenset(columns))
    kept = _kept_unproven(plan)
    for table, constraint, kind in target.execute(_UNPROVEN, asked):
        if (table, constraint) not in kept:
            what = f"the {kind} {constraint} is not validated"
            found.append(Difference("structure", names[table], source=what))
    for name, (table, there, columns) in tables.items():
        found += _columns(table, there, columns, plan)
        # An existing table keeps the keys that it has: what the plan would make is asked for elsewhere.
        created = plan is None or plan.table(name).create is not None
        key = frozenset(columns.get(column) for column in table.primary_key)
        if created and key and key not in unique.get(name, []):
            listed = ", ".join(table.primary_key)
            what = f"no unique index is on the primary key ({listed})"
            found.append(Difference("structure", name, source=what))
        for column in table.columns:
            if column.auto_increment and column.name in columns:
                found += _sequences(target, qualified(schema, there.name), name, columns[column.name])
    return tuple(found)


def _kept_unproven(plan: Plan | None) -> set[tuple[str, str]]:
    """Returns constraints that the plan leaves NOT VALID: the user keeps orphans, or the target had it so."""
    if plan is None:
        return set()
    items = [item for table in plan.tables for item in table.after]
    return {(item.table, item.name) for item in items if item.statement.endswith(_KEPT_UNPROVEN)}


def _columns(table: Table, there: TargetTable, columns: Mapping[str, str], plan: Plan | None) -> list[Difference]:
    found = []
    types = {column.name: column for column in there.columns}
    created = plan is not None and plan.table(table.name).create is not None
    for column in table.columns:
        other = types.get(columns.get(column.name, column.name))
        if other is None:
            what = "the target has no such column"
            found.append(Difference("structure", table.name, column=column.name, source=what))
        elif created and other.nullable != column.nullable and not other.generated:
            words = ("NOT NULL", "NULL")
            found.append(
                Difference("structure", table.name, None, column.name, words[column.nullable], words[other.nullable])
            )
    return found


def _sequences(target: Connection, place: str, table: str, column: str) -> list[Difference]:
    found = []
    for sequence in sequences_of(target, place, column):
        if sequence.increment < 0:
            continue
        [highest] = target.execute(f"SELECT max({quote(column)}) FROM {place}".encode()).fetchone() or (None,)
        last, called = sequence.last_value, sequence.called
        if highest is not None and (last < highest or (last == highest and not called)):
            what = f"the sequence {sequence.name} gives {last + 1 if called else last} next, and {highest} is taken"
            found.append(Difference("structure", table, column=column, source=what))
    return found
