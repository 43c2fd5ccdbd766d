"""Catalog, target, configuration and findings → the frozen plan of one run; pure.

A plan is drafted more than once: each draft says what it wants to know, and the last one knows it. Every blocking
problem is collected, so that a user sees all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.mapping import ddl
from vecferry.mapping.identifiers import index_name, shorten, unique_name
from vecferry.mapping.typemap import base_type
from vecferry.model import (
    MAX_HNSW_HALFVEC,
    MAX_VECTOR,
    Catalog,
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
from vecferry.plan.columns import ColumnDecision, Scope, computed, decide_column
from vecferry.plan.embeddings import choose_embedding
from vecferry.plan.findings import Findings, Look, Questions
from vecferry.plan.fingerprint import fingerprint
from vecferry.plan.foreign_keys import (
    created_keys,
    existing_references,
    numbered_family,
    orphan_losses,
    with_kept_orphans,
)
from vecferry.plan.objects import loose_keys, loose_note, objects_of
from vecferry.plan.views import views_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.config import Config
    from vecferry.mapping.checks import Abilities


@dataclass(slots=True)
class _Draft:
    """What building a plan collects on its way."""

    catalog: Catalog
    target: TargetState
    config: Config
    findings: Findings
    taken: set[str]
    abilities: Abilities
    names: dict[str, str]
    """Names of tables in the target, by name in the source."""
    columns: dict[str, dict[str, str]]
    """Names of columns in the target, by table and name in the source."""
    whole: frozenset[tuple[str, str]]
    problems: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    embeddings: list[EmbeddingSpec] = field(default_factory=list)
    sequences: list[SequencePlan] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    """Columns of unique keys that admit more than before."""
    full: list[str] = field(default_factory=list)
    """Tables of the target that hold rows."""
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    """Types of columns in the target, by table in the source and column in the target."""
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels of enum types, by the type's name."""
    questions: Questions = field(default_factory=Questions)


def draft(
    catalog: Catalog,
    target: TargetState,
    config: Config,
    findings: Findings,
    taken: set[str],
    abilities: Abilities,
) -> tuple[Plan, Questions]:
    """Decides everything that a run does, as far as `findings` go.

    Args:
        catalog: the source's tables that are migrated.
        target: what the target holds under the names of `target_names`.
        config: what the user asked for.
        findings: what was found so far; every table has its look.
        taken: names of relations and types in the target schema, which nothing new can have.
        abilities: what the source's server can be asked.

    Returns:
        The plan, with the problems that forbid it, and what a better one would want to know.
    """
    names = target_names(catalog)
    work = _Draft(
        catalog, target, config, findings, taken | set(names.values()) | _sequences(catalog, names), abilities,
        names, {table.name: column_names(table) for table in catalog.tables}, numbered_family(catalog),
        losses=list(catalog.leftovers), notes=list(catalog.notes),
    )  # fmt: skip
    _check_options(work)
    _check_names(work, taken)
    tables = [
        _table(table, target.table(names[table.name]), findings.looks[table.name], work) for table in catalog.tables
    ]
    tables = _with_foreign_keys(tables, work)
    if work.loose:
        created = any(table.create is not None for table in tables)
        work.notes.append(loose_note(work.loose, citext=config.ci == "citext", created=created))
    views = views_of(catalog, config, names, work.types, work.labels, taken, findings)
    work.questions.probes.extend(views.probes)
    extensions = _extensions(tables, work)
    if work.full and not config.truncate:
        work.problems.append(_not_empty(work.full))
    plan = Plan(
        source=config.source_at.place,
        target_schema=config.target_schema,
        tables=tuple(tables),
        embeddings=tuple(work.embeddings),
        sequences=tuple(work.sequences),
        losses=(*work.losses, *views.losses),
        notes=(*work.notes, *views.notes),
        vector_load=config.vector_load,
        truncate=tuple(names[name] for name in work.full),
        extensions=extensions,
        rights=_rights(tables, extensions, work),
        views=views.objects,
        problems=tuple(work.problems),
        fingerprint=fingerprint(catalog, config),
    )
    return plan, work.questions


# --- names ---------------------------------------------------------------------------------------


def target_names(catalog: Catalog) -> dict[str, str]:
    """Returns the names of tables in the target, by name in the source: the same, or cut where they are too long."""
    return _unique_names((table.name for table in catalog.tables), set())


_SYSTEM_COLUMNS = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
"""PostgreSQL's manual, "System Columns"."""


def column_names(table: Table) -> dict[str, str]:
    """Returns the names of a table's columns in the target, by name in the source."""
    return _unique_names((column.name for column in table.columns), set(_SYSTEM_COLUMNS))


def _unique_names(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Chooses names in the target: those that fit keep theirs, whichever comes first."""
    fitting = sorted(names, key=lambda name: (shorten(name) != name, name))
    return {name: unique_name(name, taken) for name in fitting}


def _sequences(catalog: Catalog, names: dict[str, str]) -> set[str]:
    """Returns the names that the sequences of tables will have."""
    return {f"{names[table.name]}_{c.name}_seq" for table in catalog.tables for c in table.columns if c.auto_increment}


def _check_names(work: _Draft, taken: set[str]) -> None:
    by_lower = {name.lower(): name for name in taken}
    for table in work.catalog.tables:
        name = work.names[table.name]
        if name != table.name:
            work.notes.append(f"table {table.name}: PostgreSQL keeps 63 bytes of a name: it is called {name}")
        for column, short in work.columns[table.name].items():
            if column != short:
                why = "has such a column itself" if column in _SYSTEM_COLUMNS else "keeps 63 bytes of a name"
                work.notes.append(f"{table.name}.{column}: PostgreSQL {why}: it is called {short}")
        if work.target.table(name) is not None:
            continue
        if name in taken:
            work.problems.append(f"the target has a view or another relation called {name}: rename or drop it")
        elif name.lower() in by_lower:
            other = by_lower[name.lower()]
            work.notes.append(
                f"the target has {other}: names are matched in their case, so {name} is created beside it"
            )


def _check_options(work: _Draft) -> None:
    columns = {table.name: {column.name for column in table.columns} for table in work.catalog.tables}
    asked = [("--embedding", option.table, option.column) for option in work.config.embedding_options]
    asked += [("--on", entry.table, entry.column) for entry in work.config.policies
              if entry.table and entry.column and entry.kind != "orphan"]  # fmt: skip
    for option, table, column in asked:
        if table not in columns:
            work.problems.append(f"{option} {table}.{column}: there is no such table to migrate")
        elif column not in columns[table]:
            work.problems.append(f"{option} {table}.{column}: the table has no such column")


# --- tables --------------------------------------------------------------------------------------


def _table(table: Table, existing: TargetTable | None, look: Look, work: _Draft) -> TablePlan:
    scope = _scope(table, existing, work)
    decided = _decisions(scope, table, existing, look, work)
    absent = [name for name in decided if name in look.absent and decided[name].plan is not None]
    work.problems.extend(_absent(table, name, created=existing is None) for name in absent)
    plans = [decision.plan for decision in decided.values() if decision.plan is not None]
    types = {scope.names[name]: d.target_type for name, d in decided.items() if d.target_type is not None}
    work.types[table.name] = types
    work.labels.update(scope.labels)
    work.loose.extend(loose_keys(table, types, scope.names))
    created: str | None = None
    before = tuple(statement for decision in decided.values() for statement in decision.before)
    requires = [item for decision in decided.values() for item in decision.requires]
    finish: tuple[str, ...] = ()
    if existing is None:
        lines = [decision.line for decision in decided.values() if decision.line is not None]
        created = ddl.create_table(work.config.target_schema, scope.target, lines)
        computed = frozenset(scope.names[name] for name, d in decided.items() if d.plan is None and d.line is not None)
        objects = objects_of(scope, table, types, computed, work.taken)
        work.losses.extend(objects.losses)
        work.notes.extend(objects.notes)
        work.problems.extend(objects.problems)
        work.questions.checks.setdefault(table.name, []).extend(objects.checks)
        work.questions.probes.extend(objects.probes)
        after, finish = tuple(objects.after), tuple(objects.finish)
        requires += objects.requires
    else:
        after, dropped = _kept(existing, work)
        before = (*dropped, *before)
    return TablePlan(
        name=table.name,
        target=scope.target,
        columns=tuple(plans),
        key=look.key,
        chunks=look.chunks,
        rows_estimate=look.rows,
        bytes_estimate=look.rows * look.row_bytes,
        create=created,
        requires=tuple(requires),
        finish=finish,
        before=before,
        casts=tuple(statement for decision in decided.values() for statement in decision.casts),
        after=after,
        row_bytes=look.row_bytes,
        guards=tuple(guard for decision in decided.values() for guard in decision.guards),
        described=_described(table) if work.catalog.dump else None,
    )


def _scope(table: Table, existing: TargetTable | None, work: _Draft) -> Scope:
    postgis = work.target.extension("postgis")
    target = work.names[table.name]
    enums = {} if existing is not None else {
        column.name: unique_name(f"{target}_{work.columns[table.name][column.name].lower()}_enum", work.taken)
        for column in table.columns if column.data_type == "enum"
    }  # fmt: skip
    return Scope(
        config=work.config,
        findings=work.findings,
        table=table.name,
        target=target,
        names=work.columns[table.name],
        abilities=work.abilities,
        postgis=postgis is not None and postgis.installed,
        whole=frozenset(column for name, column in work.whole if name == table.name),
        enums=enums,
    )


def _decisions(
    scope: Scope, table: Table, existing: TargetTable | None, look: Look, work: _Draft
) -> dict[str, ColumnDecision]:
    """Decides every column of a table, by name in the source."""
    decided: dict[str, ColumnDecision] = {}
    if existing is not None:
        _check_existing(table, scope, existing, work)
    for column in table.columns:
        there = None
        if existing is not None:
            there = next((c for c in existing.columns if c.name == scope.names[column.name]), None)
            if there is None:
                continue
        choice = choose_embedding(table.name, column, there, look.census.get(column.name), work.config)
        work.notes.extend(choice.notes)
        work.problems.extend(choice.problems)
        decided[column.name] = decide_column(scope, column, there, choice.dimensions)
        if decided[column.name].plan is None:
            continue
        if choice.dimensions:
            _embedding(scope, column.name, existing, choice.dimensions, work)
        if column.auto_increment:
            work.sequences.append(SequencePlan(scope.target, scope.names[column.name], table.next_number))
    if existing is None:
        _compute(scope, table, decided)
    for decision in decided.values():
        work.notes.extend(decision.notes)
        work.losses.extend(decision.losses)
        work.problems.extend(decision.problems)
        work.questions.checks.setdefault(table.name, []).extend(decision.checks)
        work.questions.probes.extend(decision.probes)
    return decided


def _described(table: Table) -> Table:
    """Returns what is needed of a table to read its rows."""
    columns = tuple(replace(column, default=None, expression="", comment="") for column in table.columns)
    return Table(table.name, columns, table.primary_key)


def _absent(table: Table, name: str, *, created: bool) -> str:
    where = f"{table.name}.{name}"
    if not table.column(name).generated:
        return f"{where}: the dump has no values of it: dump the table with all its columns"
    if created:
        return (
            f"{where} is generated, PostgreSQL cannot compute it, and a dump leaves such values out: migrate from the"
            " server itself, or leave the table out"
        )
    return f"{where} is generated, and a dump leaves such values out: let the target compute the column, too"


def _compute(scope: Scope, table: Table, decided: dict[str, ColumnDecision]) -> None:
    """Lets PostgreSQL compute the generated columns that it can; the others arrive as values."""
    types = {scope.names[name]: d.target_type for name, d in decided.items() if d.target_type is not None}
    generated = {scope.names[column.name] for column in table.columns if column.generated}
    plain = {name: kind for name, kind in types.items() if name not in generated}
    for column in table.columns:
        if column.generated and decided[column.name].plan is not None:
            found = computed(scope, column, types, plain)
            was = decided[column.name]
            decided[column.name] = found if found.line is not None else replace(
                was, losses=(*was.losses, *found.losses), probes=(*was.probes, *found.probes)
            )  # fmt: skip


def _check_existing(table: Table, scope: Scope, existing: TargetTable, work: _Draft) -> None:
    if not existing.empty:
        work.full.append(table.name)
    there = {column.name for column in existing.columns}
    here = set(scope.names.values())
    for name in sorted(here - there):
        other = next((column for column in there if column.lower() == name.lower()), None)
        advice = f"the target calls it {other}, and names are matched in their case" if other else "add it there"
        work.problems.append(f"column {table.name}.{name} is missing in the target: {advice}")
    for column in existing.columns:
        if column.name not in here and not column.nullable and not column.has_default and not column.generated:
            work.problems.append(
                f"column {table.name}.{column.name} of the target is NOT NULL without a default and missing in the"
                " source: give it a default or drop it"
            )
    if existing.triggers:
        listed = ", ".join(existing.triggers)
        work.notes.append(f"table {existing.name} of the target has triggers that the load fires: {listed}")
    if existing.row_security:
        work.problems.append(
            f"table {existing.name} of the target has row-level security, which COPY does not pass: load as a user with"
            " BYPASSRLS, or switch it off for the load"
        )


def _kept(existing: TargetTable, work: _Draft) -> tuple[tuple[DdlObject, ...], tuple[str, ...]]:
    """Returns what comes back after the load, and the statements that drop it before."""
    own = {spec.index for spec in work.embeddings if spec.table == existing.name}
    kept = tuple(
        DdlObject(item.kind, existing.name, item.name, item.definition, item.then)
        for item in existing.objects
        if item.name not in own
    )
    schema = work.config.target_schema
    return kept, tuple(ddl.drop_object(schema, item.kind, existing.name, item.name) for item in existing.objects)


# --- embeddings ----------------------------------------------------------------------------------


def _embedding(scope: Scope, source: str, existing: TargetTable | None, dimensions: int, work: _Draft) -> None:
    config, column = work.config, scope.names[source]
    where = f"{scope.table}.{source}"
    if dimensions > MAX_VECTOR:
        work.problems.append(f"{where} has {dimensions} dimensions: pgvector's vector holds at most {MAX_VECTOR}")
        return
    there = next((item for item in existing.objects if _is_hnsw(item.definition, column)), None) if existing else None
    index = statement = None
    distance = config.distance
    if there is not None:
        index, statement = there.name, there.definition
        distance = next((name for name in ddl.OPERATORS if f"_{name}_ops" in statement), distance)
        if distance != config.distance:
            note = f"{where} keeps the target's index {index}, which serves {distance}, not {config.distance}"
            work.notes.append(note)
    elif config.hnsw:
        if dimensions > MAX_HNSW_HALFVEC:
            work.problems.append(
                f"{where} has {dimensions} dimensions: an HNSW index takes at most {MAX_HNSW_HALFVEC}, as halfvec;"
                " migrate it with --no-index"
            )
            return
        index = index_name(scope.target, f"{scope.target}_{column}_hnsw", work.taken)
        statement = ddl.vector_index(
            config.target_schema, scope.target, column, index, dimensions, config.distance, config.m,
            config.ef_construction,
        )  # fmt: skip
    work.embeddings.append(EmbeddingSpec(scope.target, column, dimensions, distance, index, statement))


def _is_hnsw(definition: str, column: str) -> bool:
    quoted = {column, '"' + column.replace('"', '""') + '"'}
    return " USING hnsw (" in definition and any(
        definition.split(" USING hnsw (", 1)[1].startswith((f"{name} ", f"{name})", f"(({name})")) for name in quoted
    )


# --- across tables -------------------------------------------------------------------------------


def _with_foreign_keys(tables: list[TablePlan], work: _Draft) -> list[TablePlan]:
    result = []
    for table, source in zip(tables, work.catalog.tables, strict=True):
        if table.create is None:
            work.questions.references.extend(existing_references(table, work.catalog, work.names, work.columns))
            result.append(table)
            continue
        keys = created_keys(source, work.catalog, work.config, work.names, work.columns, work.types)
        work.losses.extend(keys.losses)
        work.questions.references.extend(keys.references)
        result.append(replace(table, after=(*table.after, *keys.objects)))
    losses, problems = orphan_losses(work.questions.references, work.findings, work.config)
    work.losses.extend(losses)
    work.problems.extend(problems)
    kept = {(table, key) for table, key in work.findings.orphans if work.config.policy("orphan", table, key) == "keep"}
    return [with_kept_orphans(table, kept) for table in result]


def _extensions(tables: list[TablePlan], work: _Draft) -> tuple[str, ...]:
    """Returns the extensions that the plan needs; one that is not at hand is a problem."""
    place = work.config.target_url.place
    needed = []
    if work.embeddings:
        needed.append("vector")
        if work.target.extension("vector") is None:
            work.problems.append(
                f"the target has no pgvector: install it on the server of {place}"
                f" ({len(work.embeddings)} embedding columns need the extension vector)"
            )
    if any(_is_citext(column) for table in tables if table.create is not None for column in table.columns):
        needed.append("citext")
        if work.target.extension("citext") is None:
            work.problems.append(f"the target has no citext: install PostgreSQL's contrib on the server of {place}")
    return tuple(needed)


def _rights(tables: list[TablePlan], extensions: tuple[str, ...], work: _Draft) -> tuple[str, ...]:
    config = work.config
    rights = [] if work.catalog.dump else ["SELECT on the tables of the source"]
    rights.append("CREATE on the target's database, for the schema vecferry")
    if any(table.create is not None for table in tables):
        rights.append(f"CREATE on the schema {config.target_schema}")
    existing = [table.target for table in tables if table.create is None]
    if existing:
        rights.append(f"to be the owner of {', '.join(existing)}")
    for name in extensions:
        found = work.target.extension(name)
        if found is not None and not found.installed:
            rights.append(f"to create the extension {name}, which is not installed yet")
    return tuple(rights)


def _is_citext(column: ColumnPlan) -> bool:
    return base_type(column.target_type) == "citext"


def _not_empty(tables: list[str]) -> str:
    named = ", ".join(tables[:_NAMED]) + (f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else "")
    which = f"table {named} in the target is" if len(tables) == 1 else f"{len(tables)} tables in the target are"
    names = "" if len(tables) == 1 else f" ({named})"
    return f"{which} not empty{names}: empty them, or let --truncate do it"


_NAMED = 10
