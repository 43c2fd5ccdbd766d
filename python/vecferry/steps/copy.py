"""Carries one chunk: read, convert, load, record; a function of the plan and the chunk alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.convert.batches import convert_batch
from vecferry.errors import InvalidValueError, TargetError, VecferryError
from vecferry.model import Chunk, ChunkResult, EmbeddingSpec, Plan, TablePlan
from vecferry.source.read import read_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.config import DatabaseURL
    from vecferry.target.ingest import Writer


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    size: int = 0
    error: VecferryError | None = None
    """What ended the reading or converting: through the driver's stream it would come back as text."""


def copy_chunk(
    plan: Plan, chunk: Chunk, run_id: str, source: DatabaseURL, writer: Writer, batch_bytes: int
) -> ChunkResult:
    """Carries the rows of `chunk`, all or none of them; one that is committed already is not carried again.

    A connection that dies during COMMIT leaves open what became of the chunk. It may be tried again all the
    same: the ledger's primary key, whose check waits for a commit under way, lets only one of the two in.

    Args:
        plan: the run's plan.
        chunk: the key range.
        run_id: the ledger's id of the run.
        source: where to read.
        writer: an open writer into the target's schema, of the calling thread alone.
        batch_bytes: how much of a table without a key is held at once, in bytes.

    Raises:
        InvalidValueError: a value cannot be carried; table, key, column and reason are named.
        SourceError: the rows cannot be read.
        TargetError: PostgreSQL refused them.
    """
    started = time.perf_counter()
    table = plan.table(chunk.table)
    specs = {spec.column: spec for spec in plan.embeddings if spec.table == table.target}
    tally = _Tally()
    try:
        batches = _converted(read_chunk(source, table, chunk, batch_bytes=batch_bytes), table, specs, tally)
        first = next(batches, None)
        written = 0
        if first is not None:
            rows = pa.RecordBatchReader.from_batches(first.schema, _chain(first, batches))
            written = _write(writer, table, chunk, rows)
        result = ChunkResult(
            table=table.name,
            number=chunk.number,
            rows_read=tally.rows,
            rows_written=written,
            rows_rejected=0,
            bytes_read=tally.size,
            seconds=time.perf_counter() - started,
        )
        writer.commit(run_id, result)
    except BaseException as error:
        writer.rollback()
        if tally.error is not None:
            raise tally.error from None
        if recorded := _recorded(writer, run_id, chunk, error):
            return recorded
        raise
    return result


def _recorded(writer: Writer, run_id: str, chunk: Chunk, error: BaseException) -> ChunkResult | None:
    """Returns what an earlier attempt has committed where that may be why the target refused."""
    if not isinstance(error, (InvalidValueError, TargetError)) or getattr(error, "passing", False):
        return None
    try:
        return writer.recorded(run_id, chunk.table, chunk.number)
    except TargetError as unanswered:
        if unanswered.passing:
            raise
        return None


def _write(writer: Writer, table: TablePlan, chunk: Chunk, rows: pa.RecordBatchReader) -> int:
    try:
        return writer.write(table.target, rows)
    except InvalidValueError as error:
        raise InvalidValueError(
            f"{error}; it is a row of {table.name}{_range(table, chunk)}: correct the value in the source, then run the"
            " same command again to go on"
        ) from error


def _range(table: TablePlan, chunk: Chunk) -> str:
    lower = [f"{name} > {value}" for name, value in zip(table.key, chunk.lower or (), strict=False)]
    upper = [f"{name} <= {value}" for name, value in zip(table.key, chunk.upper or (), strict=False)]
    return f" with {' and '.join([*lower, *upper])}" if lower or upper else ""


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _converted(
    batches: Iterator[pa.RecordBatch], table: TablePlan, specs: dict[str, EmbeddingSpec], tally: _Tally
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            converted = convert_batch(batch, table, specs, tally.rows)
            tally.rows += batch.num_rows
            tally.size += batch.nbytes
            yield converted
    except VecferryError as error:
        tally.error = error
        raise
