"""The decision for one column: an embedding or a row of the type table, created or fitted to what is there; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.mapping import ddl
from vecferry.mapping.checks import FACTS, SENTENCES, Check, boolean_fact, checks_of, label_facts, original_bytes
from vecferry.mapping.expressions import translate_expression
from vecferry.mapping.identifiers import MAX_NAME_BYTES, qualified
from vecferry.mapping.select import quote as mysql_quote
from vecferry.mapping.typemap import SPATIAL, TEXTS, TypeRow, base_type, enum_labels, fill_in, modifier, row_for
from vecferry.model import Column, ColumnPlan, DdlObject, Guard, Loss, TargetColumn
from vecferry.plan.findings import Probe
from vecferry.words import at_words, rows_words

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.mapping.checks import Abilities
    from vecferry.plan.findings import Findings

_ONE_WORD = {"timestamp": "timestamp without time zone", "time": "time without time zone"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the decisions of one table have in common."""

    config: Config
    findings: Findings
    table: str
    """The table's name in the source."""
    target: str
    """The table's name in the target."""
    names: dict[str, str]
    """Names of columns in the target, by name in the source."""
    abilities: Abilities
    postgis: bool
    """Whether the target has PostGIS installed."""
    whole: frozenset[str] = frozenset()
    """`bigint unsigned` columns that become bigint: auto-numbered ones and those that reference one."""
    enums: dict[str, str] = field(default_factory=dict)
    """Names of the enum types that are created, by column."""
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels of the enum types that the table's columns have, by the type's name; filled on the way."""


@dataclass(frozen=True, slots=True)
class ColumnDecision:
    """A column's plan and all that follows from it; no plan where it is not loaded, or something blocks."""

    plan: ColumnPlan | None = None
    line: str | None = None
    """What CREATE TABLE says of it."""
    target_type: str | None = None
    """Its type in the target, also where it is not loaded."""
    requires: tuple[DdlObject, ...] = ()
    before: tuple[str, ...] = ()
    casts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    problems: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    probes: tuple[Probe, ...] = ()
    guards: tuple[Guard, ...] = ()


def decide_column(scope: Scope, column: Column, there: TargetColumn | None, dimensions: int) -> ColumnDecision:
    """Decides how one column is read, converted and written.

    Args:
        scope: what the table's columns have in common.
        column: the source's column.
        there: the target's column where the table exists.
        dimensions: those of an embedding; 0 for another column.
    """
    row = row_for(column)
    if row is None:
        problem = (
            f"{scope.table}.{column.name}: vecferry does not know the type {column.column_type}: exclude the table"
        )
        return ColumnDecision(problems=(problem,))
    if there is not None and there.generated:
        note = f"{scope.table}.{column.name} is computed by the target: its values are not carried"
        return ColumnDecision(target_type=there.type, notes=(note,))
    if dimensions:
        return _embedding(scope, column, row, there, dimensions)
    return _created(scope, column, row) if there is None else _fitted(scope, column, row, there)


def _select(column: Column, row: TypeRow, read: str | None = None) -> str:
    # MariaDB's json is a longtext with a CHECK: a cast would copy every value for nothing.
    template = "{}" if column.data_type == "json" and column.column_type == "longtext" else row.select
    return template.format(read or mysql_quote(column.name))


# --- embeddings ----------------------------------------------------------------------------------


def _embedding(
    scope: Scope, column: Column, row: TypeRow, there: TargetColumn | None, dimensions: int
) -> ColumnDecision:
    final = f"vector({dimensions})"
    wire = scope.config.vector_load == "wire"
    loaded = final if wire else "real[]"
    packed = column.data_type == "vector"
    nullable = column.nullable if there is None else there.nullable
    plan = ColumnPlan(
        name=scope.names[column.name],
        select=_select(column, row),
        read_type=row.read,
        target_type=loaded,
        wire=("packed" if packed else "vector") if wire else ("packed real[]" if packed else "real[]"),
        nullable=nullable,
        source=_other_name(scope, column),
    )
    checks = (
        (Check(column.name, "null", f"{mysql_quote(column.name)} IS NULL"),) if column.nullable and not nullable else ()
    )
    settled = _settled(scope, column, plan, checks, row)
    before: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems = settled.problems
    if there is not None and there.type != loaded:
        if there.views:
            where, views = f"{scope.table}.{column.name}", ", ".join(there.views)
            problem = (
                f"{where} of the target is {there.type}, and {views} read it: drop them, or make it {final} yourself"
            )
            problems = (*problems, problem)
        before = ddl.into_vector(scope.config.target_schema, scope.target, plan.name, loaded)
        if there.type != final:
            notes = (
                f"{scope.table}.{column.name} of the target is {there.type}: it is altered to {final} before the load",
            )
    casts: tuple[str, ...] = ()
    if not wire:
        casts = (ddl.cast_to_vector(scope.config.target_schema, scope.target, plan.name, dimensions),)
    line = ddl.column_line(plan)
    return replace(
        settled, line=line, target_type=final, before=before, casts=casts, notes=notes, checks=checks, problems=problems
    )


def _other_name(scope: Scope, column: Column) -> str:
    return column.name if scope.names[column.name] != column.name else ""


# --- what is created -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _NewType:
    name: str
    """PostgreSQL's type in full, as a definition says it."""
    base: str
    """The same as the type table's accepted types say it."""
    facts: tuple[Check, ...] = ()
    """What decided it."""
    requires: tuple[DdlObject, ...] = ()
    notes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


def new_type(scope: Scope, column: Column, row: TypeRow) -> _NewType:
    """Returns the type of a column that is created."""
    config = scope.config
    if row.mysql == "tinyint(1)":
        return _new_boolean(scope, column)
    if column.name in scope.whole:
        return _NewType("bigint", "bigint")
    if row.create == "enum":
        return _new_enum(scope, column)
    if row.mysql == "json":
        return _NewType(config.json_type, config.json_type)
    if row.mysql == "time" and config.time_type == "time":
        return _NewType(f"time({column.fraction_digits or 0})", "time without time zone")
    if row.mysql in SPATIAL and not scope.postgis:
        where = f"{scope.table}.{column.name}"
        note = f"{where} becomes bytea with EWKB: with PostGIS installed in the target it would be geometry"
        return _NewType("bytea", "bytea", notes=(note,))
    if config.ci == "citext" and ignores_case(column):
        reason = f"citext has no length: the limit of {column.length} characters is gone"
        losses = () if column.data_type in TEXTS else (Loss(scope.table, column.name, reason),)
        return _NewType("citext", "citext", losses=losses)
    # A varchar(0) holds the empty string alone; PostgreSQL has none.
    empty = row.create == "character varying({n})" and not column.length
    name = "text" if empty else fill_in(row.create, column)
    base = base_type(name)
    return _NewType(name, _ONE_WORD.get(base, base))


def _new_boolean(scope: Scope, column: Column) -> _NewType:
    facts = (boolean_fact(column),)
    if not scope.findings.found(scope.table, column.name, "not-boolean"):
        return _NewType("boolean", "boolean", facts)
    note = f"{scope.table}.{column.name} is tinyint(1) but holds more than 0 and 1: kept as smallint"
    return _NewType("smallint", "smallint", facts, notes=(note,))


def ignores_case(column: Column) -> bool:
    """Says whether the column's texts compare without regard to case."""
    return column.data_type in {"char", "varchar", *TEXTS} and (column.collation or "").endswith("_ci")


def _new_enum(scope: Scope, column: Column) -> _NewType:
    where = f"{scope.table}.{column.name}"
    facts = label_facts(column)
    labels = enum_labels(column.column_type)
    if any(len(label.encode()) > MAX_NAME_BYTES or "\0" in label for label in labels):
        why = f"of over {MAX_NAME_BYTES} bytes, or with a NUL"
        note = f"{where} has a label that PostgreSQL does not take, {why}: it becomes text"
        return _NewType("text", "text", notes=(note,))
    if scope.findings.found(scope.table, column.name, "untold-label"):
        note = f"{where} has labels of characters that the server's own description does not tell: it becomes text"
        return _NewType("text", "text", facts, notes=(note,))
    losses: tuple[Loss, ...] = ()
    if "" not in labels and (found := scope.findings.answers.get((scope.table, column.name, "empty-label"))):
        # MySQL sorts it before all others.
        labels = ("", *labels)
        losses = (Loss(scope.table, column.name, "the empty value of invalid inserts becomes a label of the type",
                       found.count, found.examples),)  # fmt: skip
    name = scope.enums[column.name]
    created = ddl.enum_type(scope.config.target_schema, scope.target, name, labels)
    kind = qualified(scope.config.target_schema, name)
    scope.labels[kind] = labels
    return _NewType(kind, "enum", facts, (created,), losses=losses)


def _created(scope: Scope, column: Column, row: TypeRow) -> ColumnDecision:
    kind = new_type(scope, column, row)
    plan = ColumnPlan(
        name=scope.names[column.name],
        select=_select(column, row),
        read_type=fill_in(row.read, column),
        target_type=kind.name,
        wire=dict(row.accepts).get(kind.base, "text"),
        nullable=column.nullable,
        identity=column.auto_increment,
        source=_other_name(scope, column),
    )
    losses = kind.losses
    probes: tuple[Probe, ...] = ()
    if not column.generated:
        default, left_out, probes = _default(scope, column, kind)
        plan = replace(plan, default=default)
        losses += (Loss(scope.table, column.name, left_out),) if left_out else ()
        if default is not None and "?" in (column.default or "") and not column.default_is_expression:
            reason = f"the default {column.default}: a ? in it may stand for a character that the server does not tell"
            losses += (Loss(scope.table, column.name, reason),)
    # What a fact decided needs no check of its own: a created type holds every label, a boolean 0 and 1.
    name = "text" if kind.base in {"enum", "boolean"} else _long_name(kind.name)
    like = TargetColumn(plan.name, name, "b", nullable=column.nullable, has_default=False)
    checks = checks_of(column, like, scope.abilities)
    settled = _settled(scope, column, plan, checks, row)
    return replace(
        settled,
        line=None if settled.plan is None else ddl.column_line(settled.plan),
        target_type=kind.name,
        requires=kind.requires,
        notes=kind.notes,
        losses=(*losses, *settled.losses),
        checks=(*kind.facts, *checks),
        probes=probes,
    )


def _long_name(name: str) -> str:
    """Returns a type as `format_type` says it: `time(3)` → `time(3) without time zone`."""
    return f"{name} without time zone" if base_type(name) in _ONE_WORD else name


def _default(scope: Scope, column: Column, kind: _NewType) -> tuple[str | None, str | None, tuple[Probe, ...]]:
    """Returns the DEFAULT clause's expression, or None and what was left out, and what PostgreSQL is asked."""
    default, left_out = ddl.default_clause(column, kind.base)
    if left_out is None or not column.default_is_expression or column.default is None:
        return default, left_out, ()
    translated = translate_expression(
        column.default, {}, use="default", result="text" if kind.base == "enum" else kind.name
    )
    if translated.refusal:
        return None, f"the default {column.default} is not carried: {translated.refusal}", ()
    probe = Probe("value", (), _as(translated.text, kind.name))
    refused = scope.findings.refusals.get(probe)
    if refused:
        return None, f"the default {column.default} is not carried: {refused}", (probe,)
    return translated.text, None, (probe,)


def _as(expression: str, kind: str) -> str:
    """Returns an expression as a value of a type, where that type is there already."""
    return f"({expression})" if '"' in kind else f"({expression})::{kind}"


def computed(scope: Scope, column: Column, types: dict[str, str], plain: dict[str, str]) -> ColumnDecision:
    """Returns the decision for a generated column of a table that is created.

    Args:
        scope: what the table's columns have in common.
        column: the source's column.
        types: the types of all columns in the target, by name.
        plain: the same without generated columns, which no other may read.

    Returns:
        A line of CREATE TABLE where PostgreSQL computes it, too; a loss where its values are carried instead.
    """
    reason = "a generated column arrives as plain values"
    renamed = any(old != new for old, new in scope.names.items())
    if not column.expression or renamed:
        return ColumnDecision(losses=(Loss(scope.table, column.name, reason),))
    kind = types[column.name]
    translated = translate_expression(column.expression, plain, use="generated", result=kind, labels=scope.labels)
    probes: tuple[Probe, ...] = ()
    refusal = translated.refusal
    if not refusal:
        probes = (Probe("value", ((scope.target, tuple(types.items())),), _as(translated.text, kind)),)
        refusal = scope.findings.refusals.get(probes[0], "")
    if refusal:
        loss = Loss(scope.table, column.name, f"{reason}, AS ({column.expression}) is not carried: {refusal}")
        return ColumnDecision(losses=(loss,), probes=probes)
    line = ddl.generated_line(column.name, kind, translated.text, nullable=column.nullable)
    return ColumnDecision(line=line, target_type=kind, probes=probes)


# --- what is there already -----------------------------------------------------------------------


def _fitted(scope: Scope, column: Column, row: TypeRow, there: TargetColumn) -> ColumnDecision:
    where = f"{scope.table}.{column.name}"
    base = "enum" if there.type_kind == "e" else base_type(there.type)
    wire = dict(row.accepts).get(base)
    if there.type_kind == "e":
        scope.labels[there.type] = there.labels
    if wire is None:
        allowed = ", ".join(dict(row.accepts))
        problem = (
            f"{where}: {column.column_type} cannot be loaded into the target's {there.type}"
            f" (possible: {allowed}): alter the target's column"
        )
        return ColumnDecision(problems=(problem,))
    if wire == "bit" and not _bits_fit(column, there.type):
        problem = f"{where}: {column.column_type} cannot be loaded into the target's {there.type}: give it as many bits"
        return ColumnDecision(problems=(problem,))
    notes: tuple[str, ...] = ()
    if column.data_type in {"datetime", "date"} and wire == "timestamptz":
        zone = scope.config.datetime_zone
        note = f"{where} has no time zone in the source: its values are taken as {zone} (--datetime-zone)"
        notes = (note if zone == "UTC" else f"{note}, the first of an hour that clocks show twice",)
        wire = wire if zone == "UTC" else f"timestamptz@{zone}"
    if column.data_type == "timestamp" and wire == "timestamp":
        notes = (f"{where} is a moment in the source and has no time zone in the target: it arrives in UTC",)
    plan = ColumnPlan(
        name=there.name,
        select=_select(column, row),
        read_type=fill_in(row.read, column),
        target_type=there.type,
        wire=wire,
        nullable=there.nullable,
        source=_other_name(scope, column),
        labels=there.labels if base == "enum" else (),
    )
    checks = checks_of(column, there, scope.abilities)
    return replace(_settled(scope, column, plan, checks, row), target_type=there.type, notes=notes, checks=checks)


def _bits_fit(column: Column, target_type: str) -> bool:
    bits, own = modifier(target_type), column.precision or 1
    if base_type(target_type) == "bit":
        return (bits or 1) == own
    return bits is None or bits >= own


# --- values that do not fit ----------------------------------------------------------------------


def _settled(scope: Scope, column: Column, plan: ColumnPlan, checks: tuple[Check, ...], row: TypeRow) -> ColumnDecision:
    """Applies the user's policies to what the checks have found."""
    read = mysql_quote(column.name)
    losses: list[Loss] = []
    problems: list[str] = []
    guards: list[Guard] = []
    repairs: list[tuple[str, str]] = []
    aside = scope.config.on_invalid
    for check in checks:
        answer = scope.findings.answers.get((scope.table, column.name, check.kind))
        if answer is None or check.kind in FACTS:
            continue
        what = SENTENCES[check.kind].format(type=plan.target_type)
        policy = scope.config.policy(check.kind, scope.table, column.name)
        hold = f"{rows_words(answer.count)} {'holds' if answer.count == 1 else 'hold'}"
        held = f"{scope.table}.{column.name}: {hold} {what}{at_words(answer.examples)}"
        if policy is None and aside != "stop":
            if not check.parsed:
                # PostgreSQL itself finds those that no condition tells.
                guards.append(Guard(plan.name, check.kind, what, check.condition, original_bytes(column)))
                if "null" in check.repairs:
                    read = check.repairs["null"].format(read)
                    repairs.append((check.kind, "null"))
            done = _KEPT if aside == "null" and plan.nullable else _LEFT_OUT
            losses.append(Loss(scope.table, column.name, f"{what}: {done}", answer.count, answer.examples))
        elif policy == "null" and not plan.nullable:
            problems.append(
                f"{held}: --on {check.kind}=null cannot help, the column is NOT NULL: correct them in the source"
            )
        elif policy is None or policy not in check.repairs:
            problems.append(f"{held}: {_advice(check, nullable=plan.nullable)}")
        else:
            read = check.repairs[policy].format(read)
            repairs.append((check.kind, policy))
            done = f"{what}: {_DONE[policy]}"
            losses.append(Loss(scope.table, column.name, done, answer.count, answer.examples, check.kind, policy))
    select = _select(column, row, read)
    return ColumnDecision(
        replace(plan, select=select, repairs=tuple(repairs)),
        losses=tuple(losses),
        problems=tuple(problems),
        guards=tuple(guards),
    )


_LEFT_OUT = "their rows are left out and kept in the reject store"
_KEPT = "they become NULL and are kept in the reject store"


def without_rejects(losses: tuple[Loss, ...]) -> tuple[Loss, ...]:
    """Leaves out what says that values are in the reject store."""
    return tuple(loss for loss in losses if not loss.reason.endswith((_LEFT_OUT, _KEPT)))


_DONE = {"null": "they become NULL", "replace": "they are replaced", "truncate": "they are cut"}


def _advice(check: Check, *, nullable: bool) -> str:
    possible = [policy for policy in check.repairs if nullable or policy != "null"]
    choices = " or ".join(f"--on {check.kind}={policy}" for policy in possible)
    invalid = "--on-invalid reject or null" if nullable else "--on-invalid reject"
    return f"correct them in the source, or say {f'{choices} or ' if choices else ''}{invalid}"
