"""What stands beside the columns of a table that is created: keys, indexes, constraints, triggers, comments; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.mapping import ddl
from vecferry.mapping.checks import MOST_KEY_BYTES, key_fact
from vecferry.mapping.expressions import Translation, translate_expression
from vecferry.mapping.identifiers import index_name, literal, quote, shorten, unique_name
from vecferry.mapping.typemap import SPATIAL, TEXTS, base_type
from vecferry.model import DdlObject, Loss
from vecferry.plan.columns import ignores_case
from vecferry.plan.findings import Probe
from vecferry.words import at_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vecferry.mapping.checks import Check
    from vecferry.model import Column, Index, IndexColumn, Table
    from vecferry.plan.columns import Scope

_BLOBS = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_LONG = frozenset({"char", "varchar", "binary", "varbinary", *TEXTS})
_HEAD = 255
"""Characters of a text that is too long for an index."""
_WHOLE_BYTES = 2_000
"""Columns of at most so many bytes are indexed whole where MySQL has a prefix; an entry of a B-tree takes 2,704
(`BTMaxItemSize` in src/include/access/nbtree.h)."""
_ONE_TEXT = 4
"""Most bytes of a character."""


@dataclass(slots=True)
class Objects:
    """What comes of it."""

    after: list[DdlObject] = field(default_factory=list)
    requires: list[DdlObject] = field(default_factory=list)
    finish: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)


def objects_of(scope: Scope, table: Table, types: dict[str, str], computed: frozenset[str], taken: set[str]) -> Objects:
    """Returns what a table that is created needs besides its columns, foreign keys apart.

    Args:
        scope: what the table's columns have in common.
        table: the source's table.
        types: the types of its columns in the target, by name in the target.
        computed: the columns that PostgreSQL computes.
        taken: names of relations in the target schema; those that are chosen are added.
    """
    found, schema = Objects(), scope.config.target_schema
    if table.primary_key:
        name = index_name(scope.target, shorten(f"{scope.target}_pkey"), taken)
        names = [scope.names[column] for column in table.primary_key]
        found.after.append(ddl.primary_key(schema, scope.target, name, names))
        if _too_long(scope, "PRIMARY", [table.column(column) for column in table.primary_key], found):
            found.problems.append(_never_unique(scope, "the primary key", "PRIMARY"))
    for index in table.indexes:
        _index(scope, table, index, types, taken, found)
    for check in table.checks:
        translated = _translated(scope, check.clause, types, "boolean", found)
        if translated.refusal:
            reason = f"CHECK {check.name} ({check.clause}) is not carried: {translated.refusal}"
            found.losses.append(Loss(table.name, None, reason))
        else:
            found.after.append(ddl.check(schema, scope.target, shorten(check.name), translated.text))
    # A trigger cannot look at what PostgreSQL computes.
    stored = [scope.names[c.name] for c in table.columns if scope.names[c.name] not in computed] if computed else []
    for column in table.columns:
        if not column.renewed:
            continue
        name = unique_name(f"{scope.target}_{scope.names[column.name]}_on_update", taken)
        made = ddl.on_update(schema, scope.target, scope.names[column.name], column.extra, name, stored)
        if made is not None:
            found.requires.append(made[0])
            found.finish.append(made[1])
    commented = [(scope.names[column.name], column.comment) for column in table.columns]
    found.finish.extend(ddl.comments(schema, scope.target, table.comment, commented))
    return found


def loose_keys(table: Table, types: dict[str, str], names: dict[str, str]) -> Iterator[str]:
    """Yields the columns of unique keys that compared without regard to case or accents in MySQL and do not here.

    Args:
        table: the source's table.
        types: the types of its columns in the target, by name in the target.
        names: names of columns in the target, by name in the source.

    Yields:
        The column and its key, e.g. `users.email (by_email)`.
    """
    keys = [("primary key", table.primary_key)] if table.primary_key else []
    keys += [(i.name, tuple(part.name for part in i.columns)) for i in table.indexes if i.unique]
    for name, columns in keys:
        for column in table.columns:
            kind = base_type(types.get(names[column.name], ""))
            strict = kind in _TEXT_TYPES or (kind == "citext" and not _as_ci(column))
            if column.name in columns and ignores_case(column) and strict:
                yield f"{table.name}.{column.name} ({name})"


def loose_note(loose: Sequence[str], *, citext: bool, created: bool) -> str:
    """Returns the warning that counts what `loose_keys` found."""
    what = "accents" if citext else "case and accents"
    how = "1 column of a unique key compares" if len(loose) == 1 else f"{len(loose)} columns of unique keys compare"
    advice = "" if citext or not created else ": with --ci citext case does not count"
    return f"{how} with regard to {what} now, and would admit values that MySQL calls equal: {', '.join(loose)}{advice}"


def _as_ci(column: Column) -> bool:
    return (column.collation or "").endswith("_as_ci")


_TEXT_TYPES = frozenset({"text", "character varying", "character"})


# --- indexes -------------------------------------------------------------------------------------


def _index(scope: Scope, table: Table, index: Index, types: dict[str, str], taken: set[str], found: Objects) -> None:
    if index.kind == "FULLTEXT":
        _full_text(scope, index, taken, found)
        return
    names = [table.column(part.name) for part in index.columns if part.name]
    spatial = index.kind == "SPATIAL" or any(column.data_type in SPATIAL for column in names)
    if spatial:
        reason = _no_gist(scope, index)
        if reason:
            _left_out(scope, index, reason, found)
            return
        index = replace(index, columns=tuple(replace(part, prefix=None) for part in index.columns))
    else:
        index = _short_enough(scope, table, index, found)
    parts = [_part(scope, table, index, part, types, found) for part in index.columns]
    if None not in parts:
        _make_index(scope, index, [part for part in parts if part], taken, found, spatial=spatial)


def _no_gist(scope: Scope, index: Index) -> str | None:
    if not scope.postgis:
        return "it is spatial, and the target has no PostGIS"
    if index.unique or len(index.columns) > 1:
        return "GiST, which serves spatial columns, takes no unique keys and no other columns"
    return None


def _short_enough(scope: Scope, table: Table, index: Index, found: Objects) -> Index:
    """Returns the index, on the first characters of its texts where some key is longer than a B-tree takes."""
    whole = [table.column(part.name) for part in index.columns if part.name and part.prefix is None]
    if not _too_long(scope, index.name, whole, found):
        return index
    if index.unique:
        found.problems.append(_never_unique(scope, f"the unique key {index.name}", index.name))
        return index
    reason = f"index {index.name} is on the first {_HEAD} characters: a B-tree of PostgreSQL takes no longer keys"
    found.losses.append(Loss(scope.table, None, reason, *_counted(scope, index.name)))
    return replace(index, columns=tuple(_headed(table, part) for part in index.columns))


def _make_index(
    scope: Scope, index: Index, parts: list[str], taken: set[str], found: Objects, *, spatial: bool
) -> None:
    name, schema = index_name(scope.target, index.name, taken), scope.config.target_schema
    if name != index.name:
        found.notes.append(f"index {index.name} of {scope.table} is called {name}: names of indexes are the schema's")
    columns = [scope.names[part.name] for part in index.columns if part.name]
    if index.unique and parts == [quote(column) for column in columns]:
        found.after.append(ddl.unique(schema, scope.target, name, columns))
        return
    method = "gist" if spatial else ""
    found.after.append(ddl.index(schema, scope.target, name, parts, is_unique=index.unique, method=method))


def _too_long(scope: Scope, index: str, columns: list[Column], found: Objects) -> bool:
    """Says whether some row's key is longer than a B-tree takes; asks where that can be."""
    long = [column for column in columns if column.data_type in _LONG]
    if sum(column.length or 0 for column in long) * _ONE_TEXT <= MOST_KEY_BYTES:
        return False
    found.checks.append(key_fact(index, long))
    return scope.findings.found(scope.table, index, "key-too-long")


def _never_unique(scope: Scope, key: str, index: str) -> str:
    count, examples = _counted(scope, index)
    return (
        f"{scope.table}: {key} has {count} values of more than the {MOST_KEY_BYTES:,} bytes that a B-tree of PostgreSQL"
        f" surely takes{at_words(examples)}: shorten them in the source, or exclude the table"
    )


def _counted(scope: Scope, index: str) -> tuple[int, tuple[str, ...]]:
    answer = scope.findings.answers[scope.table, index, "key-too-long"]
    return answer.count, answer.examples


def _headed(table: Table, part: IndexColumn) -> IndexColumn:
    long = part.name and part.prefix is None and table.column(part.name).data_type in _LONG
    return replace(part, prefix=_HEAD) if long else part


def _part(
    scope: Scope, table: Table, index: Index, part: IndexColumn, types: dict[str, str], found: Objects
) -> str | None:
    """Returns one part of an index with its direction; None where the index is left out."""
    text = _operand(scope, table, index, part, types, found)
    return f"{text} DESC" if text is not None and part.descending else text


def _operand(
    scope: Scope, table: Table, index: Index, part: IndexColumn, types: dict[str, str], found: Objects
) -> str | None:
    if not part.name:
        if not part.expression:
            _left_out(scope, index, "it is on an expression that the server does not tell", found)
            return None
        translated = _translated(scope, part.expression, types, "value", found)
        if translated.refusal:
            _left_out(scope, index, f"it is on ({part.expression}): {translated.refusal}", found)
            return None
        return f"({translated.text})"
    column, name = table.column(part.name), quote(scope.names[part.name])
    if base_type(types.get(scope.names[part.name], "")) in {"json", "vector"}:
        _left_out(scope, index, f"{part.name} is {types[scope.names[part.name]]}, which a B-tree does not take", found)
        return None
    if part.prefix is None:
        return name
    if not index.unique and _most_bytes(column) <= _WHOLE_BYTES:
        return name
    if column.data_type in _BLOBS:
        return f"(substring({name} FROM 1 FOR {part.prefix}))"
    # citext has no left() of its own and would lose its comparison.
    return (
        f"(left({name}, {part.prefix})::citext)"
        if types[scope.names[part.name]] == "citext"
        else f"(left({name}, {part.prefix}))"
    )


def _most_bytes(column: Column) -> int:
    if column.data_type in TEXTS or column.data_type.endswith("blob") or column.length is None:
        return _WHOLE_BYTES + 1
    return column.length * (1 if column.data_type in _BLOBS else _ONE_TEXT)


def _full_text(scope: Scope, index: Index, taken: set[str], found: Objects) -> None:
    if scope.config.fulltext is None:
        _left_out(scope, index, "it is a full-text index; --fulltext english makes it a GIN index", found)
        return
    texts = " || ' ' || ".join(f"coalesce({quote(scope.names[part.name])}, '')" for part in index.columns)
    part = f"to_tsvector({literal(scope.config.fulltext).strip()}::regconfig, {texts})"
    name = index_name(scope.target, index.name, taken)
    found.after.append(ddl.index(scope.config.target_schema, scope.target, name, [f"({part})"], method="gin"))
    found.notes.append(
        f"full-text index {index.name} of {scope.table}: search with {part} @@ ..., not MATCH ... AGAINST"
    )


def _left_out(scope: Scope, index: Index, reason: str, found: Objects) -> None:
    found.losses.append(Loss(scope.table, None, f"index {index.name} is not carried: {reason}"))


# --- expressions ---------------------------------------------------------------------------------


def _translated(scope: Scope, text: str, types: dict[str, str], kind: str, found: Objects) -> Translation:
    """Returns an expression in PostgreSQL's words; one that PostgreSQL itself refuses is a refusal, too."""
    if any(old != new for old, new in scope.names.items()):
        return Translation("", "a column of the table has another name in the target")
    translated = translate_expression(text, types, use="check" if kind == "boolean" else "index", labels=scope.labels)
    if translated.refusal:
        return translated
    probe = Probe("boolean" if kind == "boolean" else "value", ((scope.target, tuple(types.items())),), translated.text)
    found.probes.append(probe)
    refused = scope.findings.refusals.get(probe)
    return Translation("", refused) if refused else translated
