"""Columns: vectors kept as text, dimensions, NULLs, zero vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.facts import operator_of, shown
from vecferry.doctor.model import Found
from vecferry.mapping.identifiers import qualified, quote, quote_all, shorten
from vecferry.plan.embeddings import MIN_DETECTED_DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.doctor.facts import Column, Facts, Table

# A key that is missing, there twice or no number leaves the text as it is, which pgvector then refuses.
_AS_LIST = """CREATE OR REPLACE FUNCTION pg_temp.vecferry_list(value text) RETURNS text
  LANGUAGE sql IMMUTABLE AS $vecferry$
  SELECT CASE WHEN left(ltrim(value, E' \\t\\r\\n'), 1) <> '{' THEN value ELSE (
    SELECT CASE WHEN min(key::int) = 0 AND max(key::int) = count(*) - 1 AND count(DISTINCT key::int) = count(*)
      THEN '[' || string_agg(number, ',' ORDER BY key::int) || ']' ELSE value END
    FROM json_each_text(value::json) AS entry (key, number)) END $vecferry$"""

_AS_VECTOR = """CREATE OR REPLACE FUNCTION pg_temp.vecferry_vector(value text) RETURNS {schema}.vector
  LANGUAGE plpgsql IMMUTABLE AS $vecferry$
  BEGIN RETURN pg_temp.vecferry_list(value)::{schema}.vector; EXCEPTION WHEN others THEN RETURN NULL; END $vecferry$"""


def text_vectors(facts: Facts) -> Iterator[Found]:
    """Finds text and JSON columns whose values are lists of numbers, all or most of them."""
    for table, column in facts.text_columns:
        sample = facts.texts.get((table.oid, column.number))
        if sample is None:
            continue
        lists = [(length, count) for length, count in sample.dimensions if length >= MIN_DETECTED_DIMENSIONS]
        of_them = sum(count for _, count in lists)
        if 2 * of_them <= sample.values:
            continue
        dimensions = lists[0][0]
        forms = " and ".join(
            words
            for count, words in ((sample.objects, 'JSON objects {"0":...}'), (sample.arrays, "lists [...]"))
            if count
        )
        others = sample.values - of_them
        evidence = (
            f"type {column.kind}; of {sample.values:,} values {_lengths(tuple(lists))}"
            + (f", {others:,} are no vector" if others else "")
            + f"; written as {forms}"
        )
        mixed = len(lists) > 1 or others > 0
        yield Found(
            shown(table.schema, table.name, column.name),
            evidence,
            _convert(facts, table, column, dimensions, mixed=mixed),
            first=_kept(table, column, dimensions) if mixed else "",
            sampled=sample.sampled,
        )


def _convert(facts: Facts, table: Table, column: Column, dimensions: int, *, mixed: bool) -> tuple[str, ...]:
    schema = quote(facts.server.schema or "public")
    name = quote(column.name)
    statements = [] if facts.server.pgvector else ["CREATE EXTENSION IF NOT EXISTS vector SCHEMA public"]
    statements.append(_AS_LIST)
    value = f"pg_temp.vecferry_list({name}::text)::{schema}.vector({dimensions})"
    change = f"ALTER TABLE {table.place} ALTER COLUMN {name} TYPE {schema}.vector({dimensions}) USING {value}"
    if not mixed:
        return (*statements, change)
    vector = f"pg_temp.vecferry_vector({name}::text)"
    wrong = f"{name} IS NOT NULL AND coalesce({schema}.vector_dims({vector}), 0) <> {dimensions}"
    return (*statements, _AS_VECTOR.format(schema=schema), *_aside(table, column, wrong, change))


def mixed_dimensions(facts: Facts) -> Iterator[Found]:
    """Finds vector columns that hold several lengths, unless each length has its own partial index."""
    for table, column in facts.vector_columns:
        sample = facts.vectors.get((table.oid, column.number))
        if sample is None or len(sample.dimensions) < 2:  # noqa: PLR2004 - several
            continue
        if sum("_dims(" in index.predicate for index in facts.indexes_on(column)) >= len(sample.dimensions):
            continue
        most, name = sample.dimensions[0][0], quote(column.name)
        yield Found(
            shown(table.schema, table.name, column.name),
            f"of {sample.rows - sample.nulls:,} vectors {_lengths(sample.dimensions)}",
            _aside(
                table,
                column,
                f"{_dimensions(facts, column)} <> {most}",
                f"ALTER TABLE {table.place} ALTER COLUMN {name} TYPE {_type(facts, column, most)}",
            ),
            first=_kept(table, column, most),
            look=f"SELECT {_key(table)}, {_dimensions(facts, column)} AS dimensions FROM {table.place}"
            f" WHERE {_dimensions(facts, column)} <> {most} LIMIT 100",
            sampled=sample.sampled,
        )


def undeclared_dimensions(facts: Facts) -> Iterator[Found]:
    """Finds vector columns of one length that do not declare it."""
    for table, column in facts.vector_columns:
        sample = facts.vectors.get((table.oid, column.number))
        if sample is None or column.dimensions is not None or len(sample.dimensions) != 1 or facts.indexes_on(column):
            continue
        [(length, count)] = sample.dimensions
        change = f"ALTER COLUMN {quote(column.name)} TYPE {_type(facts, column, length)}"
        yield Found(
            shown(table.schema, table.name, column.name),
            f"declared as {column.kind} without dimensions; its {count:,} vectors have {length:,}",
            (f"ALTER TABLE {table.place} {change}",),
            sampled=sample.sampled,
        )


def null_vectors(facts: Facts) -> Iterator[Found]:
    """Finds vector columns with NULLs."""
    for table, column in facts.vector_columns:
        sample = facts.vectors.get((table.oid, column.number))
        if sample is not None and sample.nulls:
            yield Found(
                shown(table.schema, table.name, column.name),
                f"{sample.nulls:,} of {sample.rows:,} rows are NULL",
                first="let the application embed these rows",
                look=f"SELECT {_key(table)} FROM {table.place} WHERE {quote(column.name)} IS NULL LIMIT 100",
                sampled=sample.sampled,
            )


def zero_vectors(facts: Facts) -> Iterator[Found]:
    """Finds zero vectors where search is by cosine distance, or may be."""
    for table, column in facts.vector_columns:
        sample = facts.vectors.get((table.oid, column.number))
        operators = {operator_of(index) for index in facts.indexes_on(column)}
        if sample is None or not sample.zeros or (operators and "<=>" not in operators):
            continue
        norm = "vector_norm" if column.kind == "vector" else "l2_norm"
        is_zero = f"{quote(facts.server.schema)}.{norm}({quote(column.name)}) = 0"
        yield Found(
            shown(table.schema, table.name, column.name),
            f"{sample.zeros:,} of {sample.rows:,} rows hold a zero vector",
            first="let the application embed these rows again",
            look=f"SELECT {_key(table)} FROM {table.place} WHERE {is_zero} LIMIT 100",
            sampled=sample.sampled,
        )


def _aside(table: Table, column: Column, wrong: str, change: str) -> tuple[str, ...]:
    """Returns statements that keep rows whose vector is `wrong` in a table of their own, make it NULL, and `change`.

    All or nothing, and no writer in between: a value that came after the copy would be lost.
    """
    free = () if column.nullable else (f"ALTER TABLE {table.place} ALTER COLUMN {quote(column.name)} DROP NOT NULL",)
    return (
        "BEGIN",
        f"LOCK TABLE {table.place} IN SHARE ROW EXCLUSIVE MODE",
        f"CREATE TABLE {_aside_place(table, column)} AS SELECT * FROM {table.place} WHERE {wrong}",
        *free,
        f"UPDATE {table.place} SET {quote(column.name)} = NULL WHERE {wrong}",
        change,
        "COMMIT",
    )


def _aside_place(table: Table, column: Column) -> str:
    return qualified(table.schema, shorten(f"{table.name}_{column.name}_aside"))


def _kept(table: Table, column: Column, dimensions: int) -> str:
    return (
        f"the rows that have no vector of {dimensions} dimensions are copied to {_aside_place(table, column)} and their"
        " vector becomes NULL: embed them again, with the model of the others"
    )


def _dimensions(facts: Facts, column: Column) -> str:
    if column.kind == "sparsevec":
        return f"split_part({quote(column.name)}::text, '/', 2)::int"
    return f"{quote(facts.server.schema)}.vector_dims({quote(column.name)})"


def _type(facts: Facts, column: Column, dimensions: int) -> str:
    return f"{quote(facts.server.schema)}.{column.kind}({dimensions})"


def _key(table: Table) -> str:
    return quote_all(table.key) or "ctid"


def _lengths(found: tuple[tuple[int, int], ...]) -> str:
    listed = ", ".join(f"{count:,} have {length:,} dimensions" for length, count in found[:5])
    return listed + (f", and {len(found) - 5} more lengths" if found[5:] else "")
