"""Does search work: every vector index of the target measured, and searches of the user's own."""

from __future__ import annotations

from contextlib import closing
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vecferry.embed import embed
from vecferry.errors import UsageError
from vecferry.progress import Progress
from vecferry.queries import Query, read_queries
from vecferry.report.search import QueryResult, SearchReport, SearchResult
from vecferry.steps.search_quality import Effort, measure_index
from vecferry.steps.search_queries import ask
from vecferry.target import ledger
from vecferry.target.connect import connect, translated
from vecferry.target.vector_indexes import VectorIndex, key_of, read_vector_indexes

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.config import Config
    from vecferry.model import EmbeddingSpec
    from vecferry.target.connect import Connection


def search_quality(config: Config, queries: Path | None = None, progress: Progress | None = None) -> SearchReport:
    """Measures every HNSW and IVFFlat index of the target's schema, whoever made it; changes nothing.

    Args:
        config: its target, schema, tables, `[search]` and `[embedding_endpoint]` are used; a source is not needed.
        queries: a file of searches with the ids that they must find, see `vecferry.queries`.
        progress: is told which index is looked at.

    Raises:
        UsageError: the file of searches is wrong, or the embedding service failed.
        TargetError: the target cannot be read.
    """
    watch = progress or Progress()
    asked = read_queries(queries) if queries is not None else ()
    vectors = [_vector(config, line, query) for line, query in asked]
    with closing(connect(config.target_url)) as target, translated(config.target_url, "be searched"):
        target.execute("SET default_transaction_read_only = on")
        indexes = read_vector_indexes(target, config.target_schema)
        answers = tuple(
            _asked(target, config, indexes, line, query, vector)
            for (line, query), vector in zip(asked, vectors, strict=True)
        )
        specs = _specs(target, config)
        chosen = [index for index in indexes if not index.partitioned and _asked_for(index.table, config)]
        results: list[SearchResult] = []
        for number, index in enumerate(chosen):
            watch.index(index.name, "searching", number, len(chosen))
            spec = specs.get((index.table, index.column))
            results.append(measure_index(target, index, _effort(config), _distance(config, spec)))
        there = {index.name for index in indexes}
        results += [_missing(spec) for spec in specs.values() if spec.index is not None and spec.index not in there]
    notes = () if results else (f"there is no vector index in the schema {config.target_schema}",)
    return SearchReport(tuple(results), answers, notes)


def _vector(config: Config, line: int, query: Query) -> list[float]:
    if query.vector is not None:
        return query.vector
    if config.embedding_endpoint is None:
        raise UsageError(
            f"--query, line {line}: a text needs [embedding_endpoint] with url and model in the configuration file"
        )
    return embed(config.embedding_endpoint, query.text or "")


def _effort(config: Config) -> Effort:
    search = config.search
    return Effort(search.queries, search.seconds, search.noise, search.seed, tuple(sorted(set(search.ef_search))))


def _asked_for(table: str, config: Config) -> bool:
    wanted = not config.tables or any(fnmatchcase(table, pattern) for pattern in config.tables)
    return wanted and not any(fnmatchcase(table, pattern) for pattern in config.exclude)


def _specs(target: Connection, config: Config) -> dict[tuple[str, str], EmbeddingSpec]:
    """Returns what the last run planned of each embedding column; nothing where another tool filled the target."""
    run = ledger.latest(target, config.target_schema)
    found = run.plan.embeddings if run is not None else ()
    return {(spec.table, spec.column): spec for spec in found if _asked_for(spec.table, config)}


def _distance(config: Config, spec: EmbeddingSpec | None) -> str | None:
    if "distance" in config.model_fields_set:
        return config.distance
    return spec.distance if spec is not None else None


def _missing(spec: EmbeddingSpec) -> SearchResult:
    problem = f"the index {spec.index} is missing: searches scan the table"
    return SearchResult(spec.table, spec.column, spec.index or "", "", "", problems=(problem,))


def _asked(
    target: Connection,
    config: Config,
    indexes: tuple[VectorIndex, ...],
    line: int,
    query: Query,
    vector: list[float],
) -> QueryResult:
    place = f"--query, line {line}: {query.table}.{query.column}"
    on_column = [index for index in indexes if (index.table, index.column) == (query.table, query.column)]
    usable = [(index, index.nearest) for index in on_column if index.valid and not index.predicate]
    index, nearest = next(((index, found) for index, found in usable if found is not None), (None, None))
    if index is None or nearest is None:
        raise UsageError(f"{place} has no valid index on vectors in the schema {config.target_schema}")
    key = query.id or key_of(target, config.target_schema, query.table)
    if key is None:
        raise UsageError(f'{place} is in a table without a primary key of one column: name the column of ids as "id"')
    return ask(target, line, query, nearest, index.dimensions, key, vector)
