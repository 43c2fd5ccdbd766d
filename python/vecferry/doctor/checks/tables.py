"""Tables: statistics, autovacuum, parallel builds, sequences, constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.facts import VECTOR_KINDS, shown
from vecferry.doctor.model import Found
from vecferry.mapping.identifiers import literal, qualified, quote
from vecferry.report.console import size_words
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.doctor.facts import Facts

PAGE = 8192
_KINDS = {"f": "foreign key", "c": "CHECK", "n": "NOT NULL"}
_OFF = ("off", "false", "no", "0")
_SWITCH = "autovacuum_enabled="


def never_analyzed(facts: Facts) -> Iterator[Found]:
    """Finds tables with rows that the planner knows nothing of."""
    for table in facts.tables.values():
        if not table.analyzed and not table.empty:
            yield Found(
                shown(table.schema, table.name),
                f"{size_words(table.pages * PAGE)} of rows, and neither ANALYZE nor autovacuum has looked at them",
                (f"ANALYZE {table.place}",),
            )


def autovacuum_off(facts: Facts) -> Iterator[Found]:
    """Finds tables with vectors that autovacuum leaves alone, and a server where it is off."""
    off = [name for name in ("autovacuum", "track_counts") if facts.server.settings.get(name) == "off"]
    if off and facts.vector_tables:
        yield Found(
            "server",
            f"{' and '.join(off)} = off",
            (*(f"ALTER SYSTEM SET {name} = on" for name in off), "SELECT pg_reload_conf()"),
        )
    for table in facts.vector_tables:
        names = [
            name
            for name, options in (("", table.options), ("toast.", table.toast_options))
            if any(option.removeprefix(_SWITCH) in _OFF for option in options if option.startswith(_SWITCH))
        ]
        if names:
            listed = ", ".join(f"{name}autovacuum_enabled" for name in names)
            yield Found(
                shown(table.schema, table.name), f"{listed} = off", (f"ALTER TABLE {table.place} RESET ({listed})",)
            )


def serial_build(facts: Facts) -> Iterator[Found]:
    """Finds tables whose vectors lie in TOAST, so that the table looks too small for a parallel index build."""
    workers = int(facts.server.settings.get("max_parallel_maintenance_workers") or 0)
    least = facts.server.size("min_parallel_table_scan_size")
    kinds = {(column.table, column.storage) for column in facts.columns if column.kind in VECTOR_KINDS}
    for table in facts.vector_tables:
        aside = (table.oid, "e") in kinds or (table.oid, "x") in kinds
        told = any(option.startswith("parallel_workers=") for option in table.options)
        if not aside or told or not workers or table.partitioned:
            continue
        if table.pages * PAGE < least <= table.toast_pages * PAGE:
            yield Found(
                shown(table.schema, table.name),
                f"{size_words(table.pages * PAGE)} of rows and {size_words(table.toast_pages * PAGE)} in TOAST: below"
                f" min_parallel_table_scan_size ({size_words(least)}) no worker starts",
                (f"ALTER TABLE {table.place} SET (parallel_workers = {workers})",),
            )


def sequence_behind(facts: Facts) -> Iterator[Found]:
    """Finds sequences that would give a number that is taken."""
    for sequence in facts.sequences:
        if sequence.highest is None or sequence.highest < sequence.next:
            continue
        table = facts.tables[sequence.table]
        place = qualified(sequence.schema, sequence.name)
        name = literal(place).strip()
        top = f"(SELECT max({quote(sequence.column)}) FROM {table.place})"
        wider = sequence.highest > sequence.last
        sql = f"SELECT setval({name}, greatest({top}, (SELECT last_value FROM {place}))::bigint)"
        yield Found(
            shown(table.schema, table.name, sequence.column),
            f"the greatest is {sequence.highest:,}, the sequence {shown(sequence.schema, sequence.name)} gives"
            f" {sequence.next:,} next",
            (*((f"ALTER SEQUENCE {place} AS bigint NO MAXVALUE",) if wider else ()), sql),
        )


def not_validated(facts: Facts) -> Iterator[Found]:
    """Finds constraints that old rows were never held against."""
    for constraint in facts.constraints:
        table = facts.tables[constraint.table]
        name = quote(constraint.name)
        yield Found(
            shown(table.schema, table.name, constraint.name),
            f"{_KINDS[constraint.kind]}: {constraint.definition}",
            (f"ALTER TABLE {table.place} VALIDATE CONSTRAINT {name}",),
            first="where a row breaks it, the server names it: correct or delete the row",
        )


def unfinished_run(facts: Facts) -> Iterator[Found]:
    """Finds migrations that began and did not end, unless one is at work now."""
    if facts.server.running:
        return
    for run, source, schema, started in facts.leftovers.runs:
        yield Found(
            f"run {run}",
            f"from {source} into the schema {schema}, begun {started} UTC, not finished",
            (f"DELETE FROM vecferry.run WHERE id = {literal(run).strip()}",),
            first="go on with the same `vecferry migrate`, or take it back with --restart; the statement only forgets"
            " it, and with it the indexes and foreign keys that it dropped for the load",
        )


def rejected_rows(facts: Facts) -> Iterator[Found]:
    """Finds rows that a migration could not carry."""
    for table, left_out, nulled in facts.leftovers.rejects:
        what = [f"{count_words(left_out, 'row')} left out"] if left_out else []
        what += [f"{count_words(nulled, 'row')} with a value made NULL"] if nulled else []
        yield Found(
            f"table {table}",
            f"{' and '.join(what)}, kept in vecferry.reject",
            (f"DELETE FROM vecferry.reject WHERE table_name = {literal(table).strip()}",),
            first="`vecferry rejects list` shows them, `vecferry rejects retry` lands them once they are corrected; the"
            " statement is for giving them up: it throws away what is known of them",
        )
