"""Carries one chunk: read, convert, load, set aside, record; a function of the plan and the chunk alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from vecferry.convert.batches import Fault, bytes_of, convert_batch
from vecferry.convert.rejects import fault_words, key_of, pack_row, place_words
from vecferry.crash import crash_point
from vecferry.errors import InvalidValueError, RefusedRowError, TargetError
from vecferry.model import Chunk, ChunkResult, OnInvalid, Plan, Reject, TablePlan
from vecferry.target import ledger, rejects
from vecferry.target.sift import write_what_fits
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.convert.batches import Converted
    from vecferry.origin import Source
    from vecferry.target.ingest import Writer

_ADVICE = (
    "correct the value in the source, then run the same command again to go on (--on-invalid reject leaves such rows"
    " out)"
)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of values that cannot be carried."""

    on_invalid: OnInvalid = "stop"
    most: int | None = None
    """How many a run may reject."""


def copy_chunk(
    plan: Plan,
    chunk: Chunk,
    run_id: str,
    source: Source,
    writer: Writer,
    batch_bytes: int,
    treatment: Treatment = Treatment(),
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
        treatment: what becomes of values that cannot be carried.

    Raises:
        InvalidValueError: a value cannot be carried; table, key, column and reason are named.
        SourceError: the rows cannot be read.
        TargetError: PostgreSQL refused them.
    """
    started = time.perf_counter()
    table = plan.table(chunk.table)
    specs = {spec.column: spec for spec in plan.embeddings if spec.table == table.target}
    cargo = _Cargo(table, chunk, writer, treatment)
    batches = source.read_chunk(table, chunk, batch_bytes=batch_bytes)
    try:
        for batch in batches:
            if batch.num_rows:
                rejects.add(writer, run_id, cargo.load(batch, convert_batch(batch, table, specs)))
            # While the next is read, this one is not held: a row may be 64 MB.
            del batch
        crash_point("chunk loaded")
        if cargo.rejects:
            _check_number(writer, run_id, treatment.most)
        result = ChunkResult(
            table=table.name,
            number=chunk.number,
            rows_read=cargo.read,
            rows_written=cargo.written,
            rows_rejected=cargo.read - cargo.written,
            bytes_read=cargo.size,
            seconds=time.perf_counter() - started,
        )
        doing = f"record chunk {chunk.number} of table {table.name}"
        writer.execute(ledger.chunk_statement(run_id, result), doing)
        crash_point("chunk not committed")
        writer.commit()
        crash_point("chunk committed")
    except BaseException as error:
        writer.rollback()
        if recorded := _recorded(writer, run_id, chunk, error):
            return recorded
        raise
    finally:
        batches.close()
    return result


def _check_number(writer: Writer, run_id: str, most: int | None) -> None:
    if most is not None and rejects.count(writer, run_id) > most:
        raise InvalidValueError(
            f"more than {count_words(most, 'value')} cannot be carried, and --max-rejects allows no more:"
            " `vecferry rejects list` shows those before; correct the source, or"
            " run the same command with a higher number, to go on"
        )


def _recorded(writer: Writer, run_id: str, chunk: Chunk, error: BaseException) -> ChunkResult | None:
    """Returns what an earlier attempt has committed where that may be why the target refused."""
    if not isinstance(error, (InvalidValueError, TargetError)) or getattr(error, "passing", False):
        return None
    try:
        found = writer.rows(ledger.chunk_query(run_id, chunk.table, chunk.number), "read the ledger")
    except TargetError as unanswered:
        if unanswered.passing:
            raise
        return None
    finally:
        writer.rollback()
    return ChunkResult(table=chunk.table, number=chunk.number, **found[0]) if found else None


@dataclass(slots=True)
class _Cargo:
    """What of a chunk is in the writer's open transaction."""

    table: TablePlan
    chunk: Chunk
    writer: Writer
    treatment: Treatment
    read: int = 0
    written: int = 0
    size: int = 0
    rejects: int = 0
    _nullable: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._nullable = frozenset(column.name for column in self.table.columns if column.nullable)

    def load(self, batch: pa.RecordBatch, converted: Converted) -> list[Reject]:
        """Writes a batch but for what cannot be carried, and returns that.

        Args:
            batch: the rows as they were read.
            converted: the same as wire columns.
        """
        found: list[Reject] = []
        rows: Sequence[int] = range(batch.num_rows)
        wire = converted.batch
        if converted.faults:
            out = self._left_out(batch, converted.faults)
            found += [
                self._reject(batch, fault, "reject" if fault.row in out else "null") for fault in converted.faults
            ]
            rows = [row for row in rows if row not in out]
            wire = wire.take(pa.array(rows, pa.int64()))
        written = 0
        if wire.num_rows:
            written, refused = self._write(batch, wire, rows)
            found += refused
        left_out = {entry.row for entry in found if entry.action == "reject"}
        self.read += batch.num_rows
        self.written += written
        self.size += batch.nbytes
        self.rejects += len(found)
        return [replace(entry, action="reject") if entry.row in left_out else entry for entry in found]

    # --- what cannot be converted

    def _left_out(self, batch: pa.RecordBatch, faults: Sequence[Fault]) -> frozenset[int]:
        """Returns the rows that are left out for their faults."""
        if self.treatment.on_invalid == "stop":
            raise InvalidValueError(f"{fault_words(batch, self.table, faults[0], self.read)}: {_ADVICE}")
        if self.treatment.on_invalid == "reject":
            return frozenset(fault.row for fault in faults)
        return frozenset(fault.row for fault in faults if fault.column not in self._nullable)

    def _reject(self, batch: pa.RecordBatch, fault: Fault, action: Literal["reject", "null"]) -> Reject:
        return Reject(
            table=self.table.name,
            chunk=self.chunk.number,
            row=self.read + fault.row,
            key=key_of(batch, self.table, fault.row),
            column=fault.column,
            reason=fault.reason,
            message=fault.message,
            original=fault.original,
            action=action,
            kept=pack_row(batch, fault.row),
        )

    # --- what PostgreSQL refuses

    def _write(self, batch: pa.RecordBatch, wire: pa.RecordBatch, rows: Sequence[int]) -> tuple[int, list[Reject]]:
        """Writes wire columns, the rows `rows` of `batch`; returns how many it took, and what it did not."""
        if self.treatment.on_invalid == "stop":
            return self._write_all(batch, wire, rows), []
        written, refused = write_what_fits(self.writer, self.table.target, wire)
        found: list[Reject] = []
        for place, error in refused:
            more, entries = self._refused(batch, wire.slice(place, 1), rows[place], error)
            written += more
            found += entries
        return written, found

    def _write_all(self, batch: pa.RecordBatch, wire: pa.RecordBatch, rows: Sequence[int]) -> int:
        try:
            return self.writer.write(self.table.target, pa.RecordBatchReader.from_batches(wire.schema, [wire]))
        except RefusedRowError as error:
            row = None if error.line is None else rows[error.line - 1]
            what = f"{error.column} of " if error.column is not None else ""
            raise InvalidValueError(f"{error}; it is {what}{self._which(batch, row)}: {_ADVICE}") from error

    def _which(self, batch: pa.RecordBatch, row: int | None) -> str:
        if row is not None:
            place = place_words(key_of(batch, self.table, row), self.read + row)
            return f"the row of table {self.table.name} at {place}"
        return f"a row of {self.table.name}{_range(self.table, self.chunk)}"

    def _refused(
        self, batch: pa.RecordBatch, wire: pa.RecordBatch, row: int, error: RefusedRowError
    ) -> tuple[int, list[Reject]]:
        """Sets a refused row aside, or the values of it that are refused, and returns how many rows were written."""
        names = [column.name for column in self.table.columns]
        told: dict[str | None, RefusedRowError] = {}
        last: RefusedRowError | None = error
        written = 0
        while last is not None and self._may_be_null(last.column) and last.column not in told:
            told[last.column] = last
            place = names.index(last.column or "")
            wire = wire.set_column(place, names[place], pa.nulls(1, wire.schema.field(place).type))
            written, again = write_what_fits(self.writer, self.table.target, wire)
            last = again[0][1] if again else None
        if last is not None:
            told[last.column if last.column in names else None] = last
        action: Literal["reject", "null"] = "null" if last is None else "reject"
        return written, [
            self._reject(batch, Fault(row, column, refusal.sqlstate, refusal.words, original), action)
            for column, refusal in told.items()
            for original in [None if column is None else bytes_of(batch.column(names.index(column))[row])]
        ]

    def _may_be_null(self, column: str | None) -> bool:
        return self.treatment.on_invalid == "null" and column in self._nullable


def _range(table: TablePlan, chunk: Chunk) -> str:
    lower = [f"{name} > {value}" for name, value in zip(table.key, chunk.lower or (), strict=False)]
    upper = [f"{name} <= {value}" for name, value in zip(table.key, chunk.upper or (), strict=False)]
    return f" with {' and '.join([*lower, *upper])}" if lower or upper else ""
