"""Carries a few rows into temporary tables and takes them back, to learn how fast these two servers are.

The real reader, converter and loader do it, as many workers at a time as a run has. Every transaction is rolled back:
nothing stays on the target, and the source is only read.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.convert.batches import convert_batch
from vecferry.convert.rejects import fault_words
from vecferry.errors import InvalidValueError, VecferryError
from vecferry.mapping.identifiers import qualified, quote
from vecferry.plan.estimate import Calibration, IndexSample, TableSample
from vecferry.target.ingest import Loader
from vecferry.target.settings import parallel_workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vecferry.config import DatabaseURL
    from vecferry.model import Chunk, EmbeddingSpec, Plan, TablePlan
    from vecferry.origin import Session, Source
    from vecferry.target.connect import Connection
    from vecferry.target.ingest import Writer

MOST_BYTES = 64 * 1024 * 1024
"""Most that is read of the source, in bytes."""
MOST_TABLES = 4
_FIRST_BYTES = 256 * 1024
_GROWTH = 4
_PLACES = 16
"""In how many parts of a table rows are taken."""
_FAILURES = 3
_INDEX_ROWS = 1_500
_INDEX_WORK = _INDEX_ROWS * 1_536
"""Rows by dimensions that an index is tried on, at most."""
_FEWEST_INDEX_ROWS = 200
_INDEX_SECONDS = 5
_TEMPORARY = "pg_temp"
# A temporary table brings a type of its name, found before all others: one called date would hide PostgreSQL's.
_ROWS = "vecferry_rows"
_VECTORS = "vecferry_vectors"


def calibrate(
    plan: Plan,
    source: Source,
    target: DatabaseURL,
    asked: Session,
    connection: Connection,
    workers: int,
    seconds: float = 2.0,
) -> Calibration:
    """Measures the load and the index build on a few rows of the largest tables.

    Args:
        plan: the run's plan; it may have problems.
        source: where to read.
        target: where to write, into temporary tables.
        asked: the same, open for questions.
        connection: an autocommit connection to the target, for questions.
        workers: how many chunks a run carries at a time.
        seconds: about how long to go on; the build of an index takes some more.

    Returns:
        What could be measured. What could not be, for want of a right or for a value that cannot be carried, is
        among the remarks, never an error.
    """
    started = time.perf_counter()
    trial = _Trial(plan, source, workers, seconds)
    try:
        trial.run(asked, connection, target)
    except Exception as error:  # noqa: BLE001 - an estimate must not break a plan
        trial.remark(f"the trial ended early: {_words(error)}")
    return Calibration(
        workers=workers,
        tables=tuple(trial.samples),
        chunk_seconds=trial.chunk_seconds,
        index=trial.index,
        index_processes=trial.index_processes,
        seconds=time.perf_counter() - started,
        remarks=tuple(trial.remarks),
        invalid=tuple(trial.invalid),
    )


@dataclass(slots=True)
class _Carried:
    """What a worker carried."""

    rows: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes as they are written, by column."""
    vectors: dict[str, int] = field(default_factory=dict)
    """How many values are not NULL, by embedding column."""

    def add(self, other: _Carried) -> None:
        self.rows += other.rows
        for mine, others in ((self.sizes, other.sizes), (self.vectors, other.vectors)):
            for name, value in others.items():
                mine[name] = mine.get(name, 0) + value


class _Trial:
    """One calibration, and what came of it."""

    def __init__(self, plan: Plan, source: Source, workers: int, seconds: float) -> None:
        self._plan = plan
        self._source = source
        self._workers = workers
        self._seconds = seconds
        self._bytes_left = float(MOST_BYTES)
        self._missing: frozenset[str] = frozenset()
        self._writers: list[Writer] = []
        self.samples: list[TableSample] = []
        self.chunk_seconds = 0.0
        self.index: IndexSample | None = None
        self.index_processes = 1
        self.remarks: list[str] = []
        self.invalid: list[str] = []

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def run(self, source: Session, connection: Connection, target: DatabaseURL) -> None:
        # How many cores the server has it does not tell: no more are counted on than workers are asked for.
        self.index_processes = min(self._workers, 1 + parallel_workers(connection, self._workers - 1))
        tables = _largest(self._plan.tables)
        if not tables:
            return
        refused = _refusal(connection)
        if refused:
            self.remark(f"the load could not be measured: {refused}")
        self._missing = _missing_types(connection, tables)
        with ExitStack() as stack:
            if not refused:
                loader = stack.enter_context(closing(Loader(target, _TEMPORARY)))
                for _ in range(self._workers):
                    writer = stack.enter_context(closing(loader.writer()))
                    stack.callback(writer.rollback)
                    self._writers.append(writer)
            # Entered last: it waits for its threads before their writers are closed.
            pool = stack.enter_context(ThreadPoolExecutor(self._workers, thread_name_prefix="vecferry-trial"))
            started, done = time.perf_counter(), 0
            total = sum(table.bytes_estimate for table in tables)
            for table in tables:
                done += table.bytes_estimate
                self._table(source, pool, table, started + self._seconds * done / max(1, total))

    # --- the load

    def _table(self, source: Session, pool: ThreadPoolExecutor, table: TablePlan, deadline: float) -> None:
        """Carries rows of a table in rounds, each larger than the one before, until the time is over."""
        specs = {spec.column: spec for spec in self._plan.embeddings if spec.table == table.target}
        cutter = _Cutter(source, table)
        rounds: list[tuple[int, float]] = []
        everything, first = _Carried(), _Carried()
        size, failures = _FIRST_BYTES, list[VecferryError]()
        self._reset(table)
        while chunks := cutter.take(self._workers, size):
            begun = time.perf_counter()
            try:
                carried = self._round(pool, table, specs, chunks, size)
            except VecferryError as error:
                self._reset(table)
                first = _Carried()
                failures.append(error)
                if len(failures) == _FAILURES:
                    break
                continue
            took = time.perf_counter() - begun
            rows = sum(one.rows for one in carried)
            rounds.append((rows, took))
            first.add(carried[0])
            for one in carried:
                everything.add(one)
            read = max(1, rows * table.row_bytes)
            self._bytes_left -= read
            more = min((deadline - time.perf_counter()) / max(took, 1e-3), self._bytes_left / read)
            if more < 1:
                break
            # The first round opens connections and fills caches: the second is as small, and the first to count.
            size = int(size * min(_GROWTH, more)) if len(rounds) > 1 else size
        if everything.rows:
            self._conclude(table, rounds, everything)
            self._index(table, specs, cutter, first)
        elif failures:
            self.remark(f"table {table.name} could not be measured")
        self.invalid += [str(error) for error in failures[:1] if isinstance(error, InvalidValueError)]
        if failures and not self.invalid:
            self.remark(_words(failures[0]))
        self._reset()

    def _round(
        self,
        pool: ThreadPoolExecutor,
        table: TablePlan,
        specs: dict[str, EmbeddingSpec],
        chunks: list[Chunk],
        size: int,
    ) -> list[_Carried]:
        futures = [pool.submit(self._carry, table, specs, worker, chunk, size) for worker, chunk in enumerate(chunks)]
        wait(futures)
        return [future.result() for future in futures]

    def _carry(
        self, table: TablePlan, specs: dict[str, EmbeddingSpec], worker: int, chunk: Chunk, size: int
    ) -> _Carried:
        """Reads, converts and, where that is allowed, writes a chunk; of a table without a key about `size` bytes."""
        carried = _Carried()
        with closing(self._source.read_chunk(table, chunk, batch_bytes=size)) as batches:
            for batch in batches if table.key else islice(batches, 1):
                found = convert_batch(batch, table, specs)
                if found.faults:
                    # One is enough to know: the run would end at the first.
                    raise InvalidValueError(fault_words(batch, table, found.faults[0], carried.rows))
                converted = found.batch
                if self._writers:
                    reader = pa.RecordBatchReader.from_batches(converted.schema, iter([converted]))
                    self._writers[worker].write(_ROWS, reader)
                carried.add(_measured(converted, specs))
        return carried

    def _conclude(self, table: TablePlan, rounds: list[tuple[int, float]], everything: _Carried) -> None:
        timed = rounds[1:] or rounds
        if len(rounds) > 1:
            self.chunk_seconds = min(timed[0][1], self.chunk_seconds or timed[0][1])
        rows, took = max(timed)
        columns = tuple((name, size / everything.rows) for name, size in everything.sizes.items())
        self.samples.append(TableSample(table.name, rows, took if self._writers else None, columns))

    def _reset(self, table: TablePlan | None = None) -> None:
        """Throws away what was written, and makes `table` anew."""
        for writer in self._writers:
            writer.rollback()
            for statement in _create(table, self._missing) if table is not None else ():
                writer.execute(statement)

    # --- the index

    def _index(self, table: TablePlan, specs: dict[str, EmbeddingSpec], cutter: _Cutter, first: _Carried) -> None:
        """Builds the index of the table's longest vectors, on those that the first worker has written."""
        wanted = [spec for spec in specs.values() if spec.index is not None and spec.statement is not None]
        if not wanted or not self._writers or self.index is not None:
            return
        if "vector" in self._missing:
            self.remark("pgvector is not installed in the database yet, so the index build could not be measured")
            return
        spec = max(wanted, key=lambda spec: spec.dimensions)
        most = max(_FEWEST_INDEX_ROWS, min(_INDEX_ROWS, _INDEX_WORK // spec.dimensions))
        try:
            self._more_vectors(table, specs, cutter, first, most - first.vectors[spec.column])
            rows = min(most, first.vectors[spec.column])
            if rows >= min(_FEWEST_INDEX_ROWS, table.rows_estimate // 2) and rows > 1:
                self.index = IndexSample(rows, spec.dimensions, self._build(spec, rows))
        except Exception as error:  # noqa: BLE001 - what was measured of the load stays good
            self.remark(f"the index build could not be measured: {_words(error)}")

    def _more_vectors(
        self, table: TablePlan, specs: dict[str, EmbeddingSpec], cutter: _Cutter, first: _Carried, rows: int
    ) -> None:
        sample = self.samples[-1]
        if not table.key or rows <= 0 or not sample.seconds:
            return
        in_time = int(sample.rows / sample.seconds / self._workers * self._seconds / 2)
        size = min(rows, in_time) * table.row_bytes
        for chunk in cutter.take(1, size):
            first.add(self._carry(table, specs, 0, chunk, size))

    def _build(self, spec: EmbeddingSpec, rows: int) -> float:
        writer, column = self._writers[0], quote(spec.column)
        vectors = qualified(_TEMPORARY, _VECTORS)
        writer.execute(f"SET LOCAL statement_timeout = '{_INDEX_SECONDS}s'")
        writer.execute("SET LOCAL maintenance_work_mem = '256MB'")
        writer.execute(
            f"CREATE TEMPORARY TABLE {_VECTORS} AS SELECT {column}::vector({spec.dimensions}) AS {column}"
            f" FROM {qualified(_TEMPORARY, _ROWS)} WHERE {column} IS NOT NULL LIMIT {rows}"
        )
        begun = time.perf_counter()
        writer.execute(f"CREATE INDEX ON {vectors} USING hnsw {(spec.statement or '').partition(' USING hnsw ')[2]}")
        return time.perf_counter() - begun


class _Cutter:
    """Cuts small chunks from many parts of a table."""

    def __init__(self, source: Session, table: TablePlan) -> None:
        self._source = source
        self._table = table
        count = len(table.chunks)
        places = sorted({number * count // min(count, _PLACES) for number in range(min(count, _PLACES))})
        self._open = deque(table.chunks[place] for place in places)

    def take(self, count: int, size: int) -> list[Chunk]:
        """Returns up to `count` chunks of about `size` bytes that follow those taken before.

        Of a table without a key it is the one chunk that the table has, every time.

        Raises:
            SourceError: the server refused a query.
        """
        if not self._table.key:
            return list(self._table.chunks[:1])
        found: list[Chunk] = []
        while self._open and len(found) < count:
            chunk, left = self._source.split(self._table, self._open.popleft(), size)
            found.append(chunk)
            if left is not None:
                self._open.append(left)
        return found


def _largest(tables: Iterable[TablePlan]) -> list[TablePlan]:
    """Returns the tables that hold nearly all of the data."""
    ordered = sorted((table for table in tables if table.chunks and table.columns), key=lambda t: -t.bytes_estimate)
    return ordered[:MOST_TABLES]


def _create(table: TablePlan, missing: frozenset[str]) -> list[str]:
    """Returns the statements that make the table's temporary twin: its columns and nothing else.

    A type that is not there yet is replaced by one that takes the same bytes.
    """
    kinds = {
        column.name: column.target_type if column.target_type not in missing else _INSTEAD.get(column.wire, "bytea")
        for column in table.columns
    }
    lines = ", ".join(f"{quote(name)} {kind}" for name, kind in kinds.items())
    # As pgvector stores it: PostgreSQL would try to compress a bytea.
    outside = [column.name for column in table.columns if column.wire in _VECTOR_WIRES]
    return [f"CREATE TEMPORARY TABLE {_ROWS} ({lines})"] + [
        f"ALTER TABLE {qualified(_TEMPORARY, _ROWS)} ALTER COLUMN {quote(name)} SET STORAGE EXTERNAL"
        for name in outside
    ]


_VECTOR_WIRES = ("vector", "packed")
_INSTEAD = {"text": "text"}
"""What takes the bytes of a type that is not there yet, by kind of wire column."""

_STATE = """
SELECT has_database_privilege(current_database(), 'TEMPORARY'), pg_is_in_recovery(),
  current_setting('transaction_read_only')::bool
"""


def _refusal(connection: Connection) -> str | None:
    """Says why temporary tables cannot be made, where they cannot."""
    allowed, standby, read_only = connection.execute(_STATE).fetchone() or (False, False, False)
    if standby or read_only:
        return "the target is read-only"
    if not allowed:
        return "the target's user may not create temporary tables"
    return None


def _missing_types(connection: Connection, tables: Iterable[TablePlan]) -> frozenset[str]:
    names = {column.target_type for table in tables for column in table.columns} | {"vector"}
    query = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regtype(name) IS NULL"
    return frozenset(str(row[0]) for row in connection.execute(query, [sorted(names)]))


def _measured(batch: pa.RecordBatch, specs: Mapping[str, EmbeddingSpec]) -> _Carried:
    names = batch.schema.names
    return _Carried(
        batch.num_rows,
        {name: _size(batch.column(name)) for name in names},
        {name: batch.num_rows - batch.column(name).null_count for name in names if name in specs},
    )


def _size(array: pa.Array) -> int:
    """Returns the bytes of an array's values, without Arrow's offsets."""
    kind = array.type
    if any(test(kind) for test in _VARIABLE):
        return int(pc.sum(pc.binary_length(array)).as_py() or 0)
    return int(array.nbytes)


_VARIABLE = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def _words(error: BaseException) -> str:
    """Returns the user's sentence of an error; of a foreign one, which may hold a secret, only its kind."""
    return str(error) if isinstance(error, VecferryError) else type(error).__name__
