"""The decision for one column: an embedding or a row of the type table, created or fitted to what is there; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vecferry.mapping import ddl
from vecferry.mapping.identifiers import qualified
from vecferry.mapping.select import quote as mysql_quote
from vecferry.mapping.typemap import TypeRow, base_type, fill_in, modifier, row_for
from vecferry.model import Column, ColumnPlan, DdlObject, Loss, TargetColumn

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.convert.embeddings import Census

MIN_DETECTED_DIMENSIONS = 16
"""Shorter lists of numbers (a position, a colour, a few ids) are not taken for embeddings unasked."""

EMBEDDING_TYPES = frozenset({"tinytext", "text", "mediumtext", "longtext", "varchar", "char", "json"})


@dataclass(frozen=True, slots=True)
class EmbeddingChoice:
    """Whether a column is an embedding, and how long; 0 dimensions: it is none."""

    dimensions: int = 0
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnDecision:
    """A column's plan and all that follows from it; no plan where something blocks."""

    plan: ColumnPlan | None = None
    types: tuple[DdlObject, ...] = ()
    before: tuple[str, ...] = ()
    casts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    problems: tuple[str, ...] = ()


def choose_embedding(
    table: str, column: Column, there: TargetColumn | None, census: Census | None, config: Config
) -> EmbeddingChoice:
    """Decides whether a column is an embedding: the user's word first, then the target's type, then its values."""
    name = f"{table}.{column.name}"
    asked = next((o for o in config.embedding_options if (o.table, o.column) == (table, column.name)), None)
    is_vector = there is not None and base_type(there.type) == "vector"
    declared = modifier(there.type) if there is not None and is_vector else None
    found: tuple[tuple[int, int], ...] = census.dimensions if census is not None else ()
    if asked is not None and column.data_type not in EMBEDDING_TYPES:
        return EmbeddingChoice(problems=(f"--embedding {name}: its type is {column.column_type}, not text or JSON",))
    wanted = (asked.dimensions if asked else None) or declared
    if asked and asked.dimensions and declared and asked.dimensions != declared:
        problem = f"--embedding {name}:{asked.dimensions}: the target's column is {there.type if there else ''}"
        return EmbeddingChoice(problems=(problem,))
    if wanted:
        return EmbeddingChoice(wanted)
    if asked is not None or is_vector:
        if len(found) == 1:
            return EmbeddingChoice(found[0][0])
        why = f"its sampled values have {_lengths(found)}" if found else "no sampled value is an embedding"
        return EmbeddingChoice(problems=(f"{name}: {why}: say --embedding {name}:DIMENSIONS",))
    if census is None or not config.detect_embeddings or not found:
        return EmbeddingChoice()
    values = census.rows - census.nulls
    if sum(count for _, count in found) == values and len(found) == 1:
        if found[0][0] >= MIN_DETECTED_DIMENSIONS:
            return EmbeddingChoice(found[0][0])
        note = f"{name} holds lists of {found[0][0]} numbers: kept as they are; --embedding {name} makes them a vector"
        return EmbeddingChoice(notes=(note,))
    if max(length for length, _ in found) < MIN_DETECTED_DIMENSIONS:
        return EmbeddingChoice()
    others = values - sum(count for _, count in found)
    note = (
        f"{name} looks like an embedding but is mixed: of {values} sampled values {_lengths(found)}"
        f" and {others} are none: kept as text; --embedding {name}:DIMENSIONS converts it"
    )
    return EmbeddingChoice(notes=(note,))


def _lengths(found: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{count} of {length} dimensions" for length, count in found[:5])


def decide_column(
    table: str, column: Column, there: TargetColumn | None, choice: EmbeddingChoice, config: Config, not_boolean: bool
) -> ColumnDecision:
    """Decides how one column is read, converted and written.

    Args:
        table: the table's name.
        column: the source's column.
        there: the target's column where the table exists.
        choice: what `choose_embedding` said.
        config: what the user asked for.
        not_boolean: the column is `tinyint(1)` and holds more than 0 and 1.
    """
    row = row_for(column)
    if row is None:
        problem = f"{table}.{column.name}: vecferry does not carry the type {column.column_type}: exclude the table"
        return ColumnDecision(problems=(problem,))
    if choice.dimensions:
        return _embedding(table, column, there, choice.dimensions, row, config)
    decision = (
        _created(table, column, row, config, not_boolean) if there is None else _fitted(table, column, row, there)
    )
    return replace(decision, losses=(*decision.losses, *_left_behind(table, column)))


def _left_behind(table: str, column: Column) -> tuple[Loss, ...]:
    losses = []
    if column.generated:
        losses.append(Loss(table, column.name, "a generated column arrives as plain values"))
    if "on update" in column.extra.lower():
        losses.append(Loss(table, column.name, "ON UPDATE CURRENT_TIMESTAMP is not carried: the application sets it"))
    return tuple(losses)


def _select(column: Column, row: TypeRow) -> str:
    # MariaDB's json is a longtext with a CHECK: a cast would copy every value for nothing.
    template = "{}" if column.data_type == "json" and column.column_type == "longtext" else row.select
    return template.format(mysql_quote(column.name))


def _embedding(
    table: str, column: Column, there: TargetColumn | None, dimensions: int, row: TypeRow, config: Config
) -> ColumnDecision:
    final = f"vector({dimensions})"
    loaded = final if config.vector_load == "wire" else "real[]"
    plan = ColumnPlan(
        name=column.name,
        select=_select(column, row),
        read_type=row.read,
        target_type=loaded,
        wire="vector" if config.vector_load == "wire" else "real[]",
        nullable=column.nullable,
    )
    before: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if there is not None and there.type != loaded:
        before = ddl.into_vector(config.target_schema, table, column.name, loaded)
        if there.type != final:
            notes = (f"{table}.{column.name} of the target is {there.type}: it is altered to {final} before the load",)
    casts: tuple[str, ...] = ()
    if config.vector_load == "cast":
        casts = (ddl.cast_to_vector(config.target_schema, table, column.name, dimensions),)
    return ColumnDecision(plan, before=before, casts=casts, notes=notes)


def _created(table: str, column: Column, row: TypeRow, config: Config, not_boolean: bool) -> ColumnDecision:
    notes: tuple[str, ...] = ()
    types: tuple[DdlObject, ...] = ()
    target_type = fill_in(row.create, column)
    if not_boolean:
        target_type = "smallint"
        notes = (f"{table}.{column.name} is tinyint(1) but holds more than 0 and 1: kept as smallint",)
    elif column.auto_increment and target_type.startswith("numeric"):
        target_type = "bigint"
    base = base_type(target_type)
    if row.create == "enum":
        enum = ddl.enum_type(config.target_schema, table, column)
        types, target_type, base = (enum,), qualified(config.target_schema, enum.name), "enum"
    default, left_out = ddl.default_clause(column, target_type)
    losses = (Loss(table, column.name, left_out),) if left_out else ()
    # `timestamp(6)` is `timestamp without time zone` to format_type, which the table of accepted types speaks.
    base = {"timestamp": "timestamp without time zone"}.get(base, base)
    plan = ColumnPlan(
        name=column.name,
        select=_select(column, row),
        read_type=fill_in(row.read, column),
        target_type=target_type,
        wire=dict(row.accepts)[base],
        nullable=column.nullable,
        identity=column.auto_increment,
        default=default,
    )
    return ColumnDecision(plan, types=types, notes=notes, losses=losses)


def _fitted(table: str, column: Column, row: TypeRow, there: TargetColumn) -> ColumnDecision:
    base = "enum" if there.type_kind == "e" else base_type(there.type)
    wire = dict(row.accepts).get(base)
    if wire is None:
        allowed = ", ".join(dict(row.accepts))
        problem = (
            f"{table}.{column.name}: {column.column_type} cannot be loaded into the target's {there.type}"
            f" (possible: {allowed}): alter the target's column"
        )
        return ColumnDecision(problems=(problem,))
    notes: tuple[str, ...] = ()
    if column.data_type == "datetime" and wire == "timestamptz":
        notes = (f"{table}.{column.name} has no time zone in the source: its values are taken as UTC",)
    plan = ColumnPlan(
        name=column.name,
        select=_select(column, row),
        read_type=fill_in(row.read, column),
        target_type=there.type,
        wire=wire,
        nullable=there.nullable,
    )
    return ColumnDecision(plan, notes=notes)
