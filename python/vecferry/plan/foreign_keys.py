"""Foreign keys: those that are created, the types that must agree, and the rows whose parent is missing; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.mapping import ddl
from vecferry.mapping.identifiers import shorten
from vecferry.mapping.typemap import base_type, type_name
from vecferry.model import DdlObject, Loss
from vecferry.origin import Reference
from vecferry.words import at_words, rows_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.config import Config
    from vecferry.model import Catalog, ForeignKey, Table, TablePlan
    from vecferry.plan.findings import Findings

_FAMILIES = (
    {"smallint", "integer", "bigint"},
    {"text", "character varying", "character"},
    {"timestamp", "timestamp with time zone", "date"},
)
"""Types that PostgreSQL compares with one another in a foreign key."""

_NAME = r'(?:"(?:[^"]|"")+"|[^\s",()]+)'
_DEFINITION = re.compile(
    rf"FOREIGN KEY \((?P<columns>{_NAME}(?:, {_NAME})*)\)"
    rf" REFERENCES (?:{_NAME}\.)?(?P<parent>{_NAME})\((?P<parent_columns>{_NAME}(?:, {_NAME})*)\)"
)


@dataclass(slots=True)
class CreatedKeys:
    """The foreign keys of a table that is created."""

    objects: list[DdlObject] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)


def numbered_family(catalog: Catalog) -> frozenset[tuple[str, str]]:
    """Returns the `bigint unsigned` columns that become bigint, as table and column.

    An auto-numbered one becomes bigint because an identity is one, and PostgreSQL has no foreign key from numeric to
    bigint, so whatever references it, over any number of tables, becomes bigint with it.
    """
    tables = {table.name: table for table in catalog.tables}
    family = {
        (table.name, column.name)
        for table in catalog.tables
        for column in table.columns
        if column.auto_increment and type_name(column) == "bigint unsigned"
    }
    edges = [
        ((table.name, own), (key.referenced_table, other))
        for table in catalog.tables
        for key in table.foreign_keys
        if key.referenced_table in tables
        for own, other in zip(key.columns, key.referenced_columns, strict=True)
    ]
    grown = True
    while grown:
        found = {a for a, b in edges if b in family} | {b for a, b in edges if a in family}
        grown = not found <= family
        family |= found
    return frozenset(
        (name, column) for name, column in family if type_name(tables[name].column(column)) == "bigint unsigned"
    )


def created_keys(
    table: Table,
    catalog: Catalog,
    config: Config,
    names: dict[str, str],
    columns: dict[str, dict[str, str]],
    types: dict[str, dict[str, str]],
) -> CreatedKeys:
    """Returns the foreign keys of a table that is created; what PostgreSQL would not take is a loss.

    Args:
        table: the source's table.
        catalog: all tables that are migrated.
        config: what the user asked for.
        names: names of tables in the target, by name in the source.
        columns: names of columns in the target, by table and name in the source.
        types: types of columns in the target, by table in the source and column in the target.
    """
    found = CreatedKeys()
    tables = {entry.name: entry for entry in catalog.tables}
    for key in table.foreign_keys:
        parent = tables.get(key.referenced_table)
        own = [columns[table.name][name] for name in key.columns]
        reason = None
        if parent is None:
            reason = f"{key.referenced_table} is not migrated"
        elif not _is_key(parent, key.referenced_columns):
            reason = f"{key.referenced_table} ({', '.join(key.referenced_columns)}) is not unique"
        else:
            theirs = [columns[parent.name][name] for name in key.referenced_columns]
            reason = _type_reason(
                [types[table.name].get(c, "") for c in own], [types[parent.name].get(c, "") for c in theirs]
            )
        if parent is None or reason:
            found.losses.append(Loss(table.name, None, f"foreign key {key.name} is not carried: {reason}"))
            continue
        kinds = [types[table.name].get(name, "") for name in own]
        found.references.append(_reference(table, key.name, key.columns, parent, key.referenced_columns, kinds))
        found.objects.append(_object(config.target_schema, table, key, own, names, theirs))
    return found


def _object(
    schema: str, table: Table, key: ForeignKey, own: list[str], names: dict[str, str], theirs: list[str]
) -> DdlObject:
    parent = names[key.referenced_table]
    return ddl.foreign_key(schema, names[table.name], shorten(key.name), own, parent, theirs, key)


def _is_key(parent: Table, columns: tuple[str, ...]) -> bool:
    keys = [parent.primary_key] + [
        tuple(part.name for part in index.columns)
        for index in parent.indexes
        if index.unique and all(part.name and part.prefix is None for part in index.columns)
    ]
    return any(sorted(key) == sorted(columns) for key in keys)


def _type_reason(own: list[str], theirs: list[str]) -> str | None:
    for mine, other in zip(own, theirs, strict=True):
        one, two = base_type(mine), base_type(other)
        if one != two and not any({one, two} <= family for family in _FAMILIES):
            return f"PostgreSQL does not compare {mine} with {other} in one"
    return None


def _reference(
    table: Table, name: str, own: tuple[str, ...], parent: Table, theirs: tuple[str, ...], types: list[str]
) -> Reference:
    loose = tuple(table.column(column).character_set is not None for column in own)
    return Reference(table.name, name, own, parent.name, theirs, loose, "citext" in types)


def existing_references(
    table: TablePlan, catalog: Catalog, names: dict[str, str], columns: dict[str, dict[str, str]]
) -> list[Reference]:
    """Returns the foreign keys of an existing table that lead to a table that is migrated, too."""
    by_target = {target: source for source, target in names.items()}
    tables = {entry.name: entry for entry in catalog.tables}
    found = []
    for item in table.after:
        match = _DEFINITION.search(item.statement) if item.kind == "foreign key" else None
        parent = by_target.get(_bare(match["parent"])) if match else None
        if match is None or parent is None:
            continue
        own = _sources(_listed(match["columns"]), columns[table.name])
        theirs = _sources(_listed(match["parent_columns"]), columns[parent])
        if own and theirs:
            types = [column.target_type for column in table.columns if (column.source or column.name) in own]
            found.append(_reference(tables[table.name], item.name, own, tables[parent], theirs, types))
    return found


def _listed(text: str) -> list[str]:
    return [_bare(name) for name in re.findall(_NAME, text)]


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _sources(names: list[str], columns: dict[str, str]) -> tuple[str, ...]:
    """Returns names in the source; empty where the source lacks one."""
    by_target = {target: source for source, target in columns.items()}
    return tuple(by_target[name] for name in names) if all(name in by_target for name in names) else ()


def with_kept_orphans(table: TablePlan, kept: set[tuple[str, str]]) -> TablePlan:
    """Returns the table with the foreign keys whose orphans are kept left NOT VALID.

    Args:
        table: a table's plan.
        kept: tables in the source and foreign keys.
    """
    names = {shorten(name) for owner, name in kept if owner == table.name}
    after = tuple(
        replace(item, statement=f"{item.statement} NOT VALID")
        if item.kind == "foreign key" and item.name in names and not item.statement.endswith("NOT VALID")
        else item
        for item in table.after
    )
    return replace(table, after=after)


def orphan_losses(references: Iterable[Reference], findings: Findings, config: Config) -> tuple[list[Loss], list[str]]:
    """Returns what becomes of rows whose parent is missing: losses where the user keeps them, otherwise problems."""
    losses, problems = [], []
    for reference in references:
        answer = findings.orphans.get((reference.table, reference.name))
        if answer is None:
            continue
        where = at_words(answer.examples)
        refer = f"{rows_words(answer.count)} {'refers' if answer.count == 1 else 'refer'}"
        exactly = " as PostgreSQL compares" if any(reference.loose) else ""
        what = f"a row of {reference.parent} that is not there{exactly}, by the foreign key {reference.name}"
        if config.policy("orphan", reference.table, reference.name) == "keep":
            reason = f"refers to {what}: it is kept, and the key stays NOT VALID"
            losses.append(Loss(reference.table, None, reason, answer.count, answer.examples))
        else:
            problems.append(
                f"{reference.table}: {refer} to {what}{where}: correct them in the source, or say --on orphan=keep"
            )
    return losses, problems
