"""Catalog, target and configuration → the frozen plan of one run; pure.

Every blocking problem is collected, so that a user sees all of them at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.errors import ForbiddenError
from vecferry.mapping import ddl
from vecferry.mapping.identifiers import MAX_NAME_BYTES, index_name
from vecferry.mapping.typemap import row_for
from vecferry.model import (
    MAX_HNSW_HALFVEC,
    MAX_VECTOR,
    Catalog,
    Chunk,
    Column,
    ColumnPlan,
    DdlObject,
    EmbeddingSpec,
    Loss,
    Plan,
    SequencePlan,
    Table,
    TablePlan,
    TargetState,
    TargetTable,
)
from vecferry.plan.columns import EmbeddingChoice, choose_embedding, decide_column

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.convert.embeddings import Census


@dataclass(frozen=True, slots=True)
class Flaw:
    """Values of a column that PostgreSQL cannot hold: how many, and the keys of a few."""

    column: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found by looking into one source table."""

    key: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    row_bytes: int
    rows: int
    """Rows, estimated."""
    census: dict[str, Census] = field(default_factory=dict)
    """By text column."""
    not_boolean: frozenset[str] = frozenset()
    """`tinyint(1)` columns that hold something other than 0 and 1."""
    zero_dates: tuple[Flaw, ...] = ()
    """Columns with zero or partial dates (`0000-00-00`, `2020-00-00`)."""


@dataclass(slots=True)
class _Draft:
    """What building a plan collects on its way."""

    config: Config
    taken: set[str]
    problems: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    embeddings: list[EmbeddingSpec] = field(default_factory=list)
    sequences: list[SequencePlan] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    """Tables of the target that hold rows."""


def build(catalog: Catalog, target: TargetState, config: Config, looks: dict[str, Look], taken: set[str]) -> Plan:
    """Decides everything that a run does.

    Args:
        catalog: the source's tables that are migrated.
        target: what the target holds of the same names.
        config: what the user asked for.
        looks: what was found in each table, by name.
        taken: names of relations in the target schema, which an index cannot have.

    Raises:
        ForbiddenError: something blocks; the message lists everything that does, a line each.
    """
    draft = _Draft(config, taken | _names_of_tables(catalog), losses=list(catalog.leftovers))
    _check_options(catalog, draft)
    for table in catalog.tables:
        _check_names(table, draft)
        if table.name in taken and target.table(table.name) is None:
            draft.problems.append(f"the target has a view or another relation called {table.name}: rename or drop it")
    tables = [_table(table, target.table(table.name), looks[table.name], draft) for table in catalog.tables]
    tables = _with_foreign_keys(tables, catalog, draft)
    if draft.embeddings and target.pgvector is None:
        draft.problems.append(
            f"the target has no pgvector: install it on the server of {config.target_url.place}"
            f" ({len(draft.embeddings)} embedding columns need the extension vector)"
        )
    if draft.full and not config.truncate:
        draft.problems.append(_not_empty(draft.full))
    if draft.problems:
        raise ForbiddenError("the plan forbids this migration:\n" + "\n".join(f"  - {p}" for p in draft.problems))
    return Plan(
        source=config.source_url.place,
        target_schema=config.target_schema,
        tables=tuple(tables),
        embeddings=tuple(draft.embeddings),
        sequences=tuple(draft.sequences),
        losses=tuple(draft.losses),
        notes=tuple(draft.notes),
        vector_load=config.vector_load,
        truncate=tuple(draft.full),
        fingerprint=fingerprint(catalog, config),
    )


def _not_empty(tables: list[str]) -> str:
    named = ", ".join(tables[:_NAMED]) + (f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else "")
    which = f"table {named} in the target is" if len(tables) == 1 else f"{len(tables)} tables in the target are"
    names = "" if len(tables) == 1 else f" ({named})"
    return f"{which} not empty{names}: empty them, or let --truncate do it"


_NAMED = 10
_OPTIONS_OF_THE_RESULT = (
    "tables", "exclude", "vector_load", "embedding", "detect_embeddings", "distance", "hnsw", "m", "ef_construction",
)  # fmt: skip


def fingerprint(catalog: Catalog, config: Config) -> dict[str, str]:
    """Returns what a run depends on, by name: the source, each table's structure, each option of the result."""
    prints = {"source": config.source_url.place}
    for table in catalog.tables:
        structure = repr((table.columns, table.primary_key, table.indexes, table.foreign_keys))
        prints[f"table {table.name}"] = hashlib.sha256(structure.encode()).hexdigest()[:16]
    for option in _OPTIONS_OF_THE_RESULT:
        prints[f"option {option}"] = str(getattr(config, option))
    return prints


def _names_of_tables(catalog: Catalog) -> set[str]:
    """Returns the names that tables and their sequences will have: an index cannot have one of them."""
    sequences = {f"{table.name}_{c.name}_seq" for table in catalog.tables for c in table.columns if c.auto_increment}
    return {table.name for table in catalog.tables} | sequences


def _check_options(catalog: Catalog, draft: _Draft) -> None:
    names = {table.name: {column.name for column in table.columns} for table in catalog.tables}
    for option in draft.config.embedding_options:
        if option.table not in names:
            draft.problems.append(f"--embedding {option.table}.{option.column}: there is no such table to migrate")
        elif option.column not in names[option.table]:
            draft.problems.append(f"--embedding {option.table}.{option.column}: the table has no such column")


def _table(table: Table, existing: TargetTable | None, look: Look, draft: _Draft) -> TablePlan:
    if existing is not None:
        _check_existing(table, existing, draft)
    for flaw in look.zero_dates:
        where = f" (at {'; '.join(flaw.examples)})" if flaw.examples else ""
        draft.problems.append(
            f"{table.name}.{flaw.column} holds {flaw.count} dates that PostgreSQL does not know, such as 0000-00-00"
            f"{where}: correct them in the source, or exclude the table"
        )
    columns: list[ColumnPlan] = []
    before: list[str] = []
    casts: list[str] = []
    types: list[DdlObject] = []
    schema = draft.config.target_schema
    for column in table.columns:
        there = None
        if existing is not None:
            there = next((c for c in existing.columns if c.name == column.name), None)
            if there is None:
                continue
        choice = choose_embedding(table.name, column, there, look.census.get(column.name), draft.config)
        draft.notes.extend(choice.notes)
        draft.problems.extend(choice.problems)
        decision = decide_column(table.name, column, there, choice, draft.config, column.name in look.not_boolean)
        draft.notes.extend(decision.notes)
        draft.losses.extend(decision.losses)
        draft.problems.extend(decision.problems)
        types.extend(decision.types)
        before.extend(decision.before)
        casts.extend(decision.casts)
        if decision.plan is None:
            continue
        columns.append(decision.plan)
        if choice.dimensions:
            _embedding(table, column, existing, choice, draft)
        if column.auto_increment:
            draft.sequences.append(SequencePlan(table.name, column.name))
    if existing is None:
        after, losses = ddl.keys(schema, table, draft.taken)
        draft.losses.extend(losses)
        create = ddl.create_table(schema, table.name, tuple(columns))
    else:
        kept = [item for item in existing.objects if not _is_embedding_index(item.name, table.name, draft)]
        after = tuple(DdlObject(item.kind, table.name, item.name, item.definition) for item in kept)
        dropped = [ddl.drop_object(schema, item.kind, table.name, item.name) for item in existing.objects]
        before = [*dropped, *before]
        create = None
    return TablePlan(
        name=table.name,
        columns=tuple(columns),
        key=look.key,
        chunks=look.chunks,
        rows_estimate=look.rows,
        bytes_estimate=look.rows * look.row_bytes,
        create=create,
        types=tuple(types),
        before=tuple(before),
        casts=tuple(casts),
        after=after,
        row_bytes=look.row_bytes,
    )


def _check_names(table: Table, draft: _Draft) -> None:
    for name in (table.name, *(column.name for column in table.columns)):
        if len(name.encode()) > MAX_NAME_BYTES:
            draft.problems.append(
                f"{table.name}: the name {name} is longer than the {MAX_NAME_BYTES} bytes that PostgreSQL keeps:"
                " rename it in the source, or exclude the table"
            )


def _check_existing(table: Table, existing: TargetTable, draft: _Draft) -> None:
    if not existing.empty:
        draft.full.append(table.name)
    there = {column.name for column in existing.columns}
    here = {column.name for column in table.columns}
    for name in sorted(here - there):
        draft.problems.append(f"column {table.name}.{name} is missing in the target: add it there")
    for column in existing.columns:
        if column.name not in here and not column.nullable and not column.has_default:
            draft.problems.append(
                f"column {table.name}.{column.name} of the target is NOT NULL without a default and missing in the"
                " source: give it a default or drop it"
            )


def _embedding(
    table: Table, column: Column, existing: TargetTable | None, choice: EmbeddingChoice, draft: _Draft
) -> None:
    config, dimensions = draft.config, choice.dimensions
    name = f"{table.name}.{column.name}"
    if dimensions > MAX_VECTOR:
        draft.problems.append(f"{name} has {dimensions} dimensions: pgvector's vector holds at most {MAX_VECTOR}")
        return
    there = (
        next((item for item in existing.objects if _is_hnsw(item.definition, column.name)), None) if existing else None
    )
    index = statement = None
    distance = config.distance
    if there is not None:
        index, statement = there.name, there.definition
        distance = next((name for name in ddl.OPERATORS if f"_{name}_ops" in statement), distance)
        if distance != config.distance:
            draft.notes.append(
                f"{name} keeps the target's index {index}, which serves {distance}, not {config.distance}"
            )
    elif config.hnsw:
        if dimensions > MAX_HNSW_HALFVEC:
            draft.problems.append(
                f"{name} has {dimensions} dimensions: an HNSW index takes at most {MAX_HNSW_HALFVEC}, as halfvec;"
                " migrate it with --no-index"
            )
            return
        index = index_name(table.name, f"{table.name}_{column.name}_hnsw", draft.taken)
        statement = ddl.vector_index(
            config.target_schema, table.name, column.name, index, dimensions, config.distance, config.m,
            config.ef_construction,
        )  # fmt: skip
    draft.embeddings.append(EmbeddingSpec(table.name, column.name, dimensions, distance, index, statement))


def _is_hnsw(definition: str, column: str) -> bool:
    quoted = {column, '"' + column.replace('"', '""') + '"'}
    return " USING hnsw (" in definition and any(
        definition.split(" USING hnsw (", 1)[1].startswith((f"{name} ", f"{name})", f"(({name})")) for name in quoted
    )


def _is_embedding_index(name: str, table: str, draft: _Draft) -> bool:
    return any(spec.table == table and spec.index == name for spec in draft.embeddings)


def _with_foreign_keys(tables: list[TablePlan], catalog: Catalog, draft: _Draft) -> list[TablePlan]:
    carried = frozenset(table.name for table in catalog.tables)
    result = []
    for table, source in zip(tables, catalog.tables, strict=True):
        if table.create is None:
            result.append(table)
            continue
        made = list(ddl.foreign_keys(draft.config.target_schema, source, carried))
        draft.losses.extend(item for item in made if isinstance(item, Loss))
        objects = tuple(item for item in made if isinstance(item, DdlObject))
        result.append(replace(table, after=(*table.after, *objects)))
    return result


def needs_boolean_look(column: Column) -> bool:
    """Says whether a column becomes boolean only if it holds nothing but 0 and 1."""
    row = row_for(column)
    return row is not None and row.mysql == "tinyint(1)"
