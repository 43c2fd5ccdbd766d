"""Indexes that are missing, invalid, duplicate, unused, too large, or built on too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.checks.statements import MOST_DIMENSIONS, create_hnsw, drop_index, reindex
from vecferry.doctor.facts import operator_of, parse_version, shown
from vecferry.doctor.model import Found
from vecferry.mapping.identifiers import quote
from vecferry.report.console import seconds_words, size_words
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.doctor.facts import Column, Facts, Index, Table

MISSED_FROM_ROWS = 1000
"""A smaller table is searched as fast without an index, and exactly."""
UNUSED_AFTER_SECONDS = 7 * 24 * 3600
"""An index that a week of statistics knows no use of is worth a word."""
DEFAULT_LISTS = 100
"""IVFFlat's own (https://github.com/pgvector/pgvector#ivfflat)."""
_HALFVEC_SINCE = (0, 7)


def missing_index(facts: Facts) -> Iterator[Found]:
    """Finds vector columns that a search reads row by row."""
    for table, column in facts.vector_columns:
        rows = _rows(facts, table, column)
        if column.dimensions is None or _is_too_long(column) or rows < MISSED_FROM_ROWS or facts.indexes_on(column):
            continue
        memory = 1.3 * rows * (4 * column.dimensions + 8)
        yield Found(
            shown(table.schema, table.name, column.name),
            f"{column.kind}({column.dimensions}), about {count_words(rows, 'row')}, no HNSW or IVFFlat index",
            (create_hnsw(table, column, facts.server.schema),),
            first=f"cosine distance (<=>) is assumed: vector_l2_ops serves <->, vector_ip_ops <#>; the build wants"
            f" about {size_words(memory)} of maintenance_work_mem",
        )


def too_many_dimensions(facts: Facts) -> Iterator[Found]:
    """Finds vector columns longer than an index takes, without one over halfvec or bits."""
    for table, column in facts.vector_columns:
        if not _is_too_long(column) or facts.indexes_on(column):
            continue
        length = column.dimensions or 0
        over = "halfvec" if length <= MOST_DIMENSIONS["halfvec"] else "bits, to be ranked again by the whole vectors"
        old = parse_version(facts.server.pgvector) < _HALFVEC_SINCE
        yield Found(
            shown(table.schema, table.name, column.name),
            f"{column.kind}({length}), and an index takes {MOST_DIMENSIONS[column.kind]:,} dimensions at most",
            (*(("ALTER EXTENSION vector UPDATE",) if old else ()), create_hnsw(table, column, facts.server.schema)),
            first=f"the index is over {over}: a query orders by the index's own expression",
        )


def invalid_index(facts: Facts) -> Iterator[Found]:
    """Finds indexes whose build did not end."""
    for index in facts.indexes:
        if index.valid or index.building or index.child:
            continue
        table = facts.tables[index.table]
        if index.partitioned:
            sql: tuple[str, ...] = (drop_index(index), index.definition)
        elif index.name.rstrip("0123456789").endswith(("_ccnew", "_ccold")):
            sql = (drop_index(index),)
        else:
            sql = (reindex(index),)
        yield Found(
            shown(index.schema, index.name),
            f"{index.method} index on {shown(table.schema, table.name)}, marked invalid, {size_words(index.size)}",
            sql,
        )


def duplicate_index(facts: Facts) -> Iterator[Found]:
    """Finds vector indexes that serve the same searches as another one."""
    kept: dict[tuple[object, ...], Index] = {}
    for index in sorted(facts.indexes, key=_worth, reverse=True):
        if not index.is_vector or not index.valid or index.child:
            continue
        serves = (index.table, index.columns, index.expression, index.operator_class, index.predicate)
        if serves not in kept:
            kept[serves] = index
            continue
        other = kept[serves]
        yield Found(
            shown(index.schema, index.name),
            f"serves the same as {shown(other.schema, other.name)} ({other.method}, {other.operator_class});"
            f" {size_words(index.size)}, {count_words(index.scans, 'scan')} against {other.scans:,}",
            (drop_index(index),),
        )


def _worth(index: Index) -> tuple[bool, int, int]:
    return index.method == "hnsw", index.scans, -index.oid


def unused_index(facts: Facts) -> Iterator[Found]:
    """Finds vector indexes that no query used for a week or more."""
    age = facts.server.statistics_seconds
    if age < UNUSED_AFTER_SECONDS:
        return
    for index in facts.indexes:
        if index.is_vector and index.valid and not index.scans and not index.child and not index.partitioned:
            yield Found(
                shown(index.schema, index.name),
                f"0 scans in the {seconds_words(age)} that the statistics cover; {size_words(index.size)};"
                f" it serves {operator_of(index)}",
                (drop_index(index),),
                first="look first whether queries order by its operator, ascending, with a LIMIT: then they could use"
                " it; on a replica it may be in use, which the primary does not count",
            )


def large_index(facts: Facts) -> Iterator[Found]:
    """Finds vector indexes that do not fit into the memory that the server counts on."""
    server = facts.server
    memory = max(server.size("shared_buffers"), server.size("effective_cache_size"))
    for index in facts.indexes:
        if index.is_vector and memory and index.size > memory:
            megabytes = -(-index.size // 2**20) + 1
            yield Found(
                shown(index.schema, index.name),
                f"{size_words(index.size)}, and memory is {size_words(server.size('effective_cache_size'))}"
                f" (effective_cache_size), {size_words(server.size('shared_buffers'))} of it the server's own"
                " (shared_buffers)",
                (f"ALTER SYSTEM SET effective_cache_size = '{megabytes}MB'", "SELECT pg_reload_conf()"),
                first="the statements are right where the machine has that memory free; otherwise give it more, or make"
                " the index over halfvec, which halves it",
            )


def ivfflat_few_rows(facts: Facts) -> Iterator[Found]:
    """Finds IVFFlat indexes whose lists were made of fewer rows than there are lists."""
    for index in facts.indexes:
        if index.method != "ivfflat" or not index.valid or index.predicate or index.partitioned:
            continue
        table = facts.tables[index.table]
        column = next((c for t, c in facts.vector_columns if t is table and c.number in index.uses), None)
        if column is None:
            continue
        lists = next((int(o.split("=")[1]) for o in index.options if o.startswith("lists=")), DEFAULT_LISTS)
        rows = _vectors(facts, table, column)
        if rows >= lists and not 0 <= index.rows < lists:
            continue
        built = f"built on {index.rows:,} rows, " if 0 <= index.rows < lists else ""
        yield Found(
            shown(index.schema, index.name),
            f"{built}{count_words(rows, 'vector')} now, for {lists:,} lists",
            (reindex(index),) if rows >= lists else (_as_hnsw(facts, index), drop_index(index)),
        )


def _as_hnsw(facts: Facts, index: Index) -> str:
    """Returns the statement for an HNSW index with an IVFFlat index's key."""
    table = facts.tables[index.table]
    names = {column.number: column.name for column in facts.columns if column.table == index.table}
    key = f"({index.expression})" if index.expression else quote(names[index.columns[0]])
    operator_class = f"{quote(facts.server.schema)}.{quote(index.operator_class)}"
    return f"CREATE INDEX CONCURRENTLY ON {table.place} USING hnsw ({key} {operator_class})"


def _is_too_long(column: Column) -> bool:
    length = column.dimensions or 0
    return length > MOST_DIMENSIONS.get(column.kind, length)


def _rows(facts: Facts, table: Table, column: Column) -> int:
    """Returns how many rows a table has, as well as it is known."""
    sample = facts.vectors.get((table.oid, column.number))
    seen = sample.rows if sample is not None else 0
    return seen if sample is not None and not sample.sampled else max(seen, table.rows)


def _vectors(facts: Facts, table: Table, column: Column) -> int:
    sample = facts.vectors.get((table.oid, column.number))
    rows = _rows(facts, table, column)
    return rows - (sample.nulls if sample is not None else 0)
