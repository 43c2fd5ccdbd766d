"""Writes the rows that PostgreSQL takes, and finds those that it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.errors import RefusedRowError

if TYPE_CHECKING:
    from vecferry.target.ingest import Writer


def write_what_fits(writer: Writer, table: str, batch: pa.RecordBatch) -> tuple[int, list[tuple[int, RefusedRowError]]]:
    """Appends all rows of `batch` that `table` takes, in the writer's open transaction.

    PostgreSQL names the line that it stumbled over. The rows before it are good, and the search goes on behind it, so
    a batch is written about twice, however many of its rows are refused. Where no line is named, halves are tried.

    Args:
        writer: each attempt is a savepoint of its open transaction.
        table: the table's name.
        batch: wire columns.

    Returns:
        How many rows were written, and those that were refused, by their place in the batch, each with PostgreSQL's
        error.

    Raises:
        TargetError: what was refused is not a value.
    """
    refused: list[tuple[int, RefusedRowError]] = []
    written = 0
    pending = [(0, batch.num_rows)]
    while pending:
        start, end = pending.pop()
        if start == end:
            continue
        outcome = _attempt(writer, table, batch.slice(start, end - start))
        if isinstance(outcome, int):
            written += outcome
            continue
        if end - start == 1:
            refused.append((start, outcome))
            continue
        if outcome.line is not None and 1 <= outcome.line <= end - start:
            line = start + outcome.line - 1
            # Last in, first out: in the order of the rows.
            pending += [(line + 1, end), (line, line + 1), (start, line)]
        else:
            middle = (start + end) // 2
            pending += [(middle, end), (start, middle)]
    return written, refused


def _attempt(writer: Writer, table: str, rows: pa.RecordBatch) -> int | RefusedRowError:
    writer.execute("SAVEPOINT vecferry")
    try:
        written = writer.write(table, pa.RecordBatchReader.from_batches(rows.schema, [rows]))
    except RefusedRowError as error:
        writer.execute("ROLLBACK TO SAVEPOINT vecferry")
        writer.execute("RELEASE SAVEPOINT vecferry")
        return error
    writer.execute("RELEASE SAVEPOINT vecferry")
    return written
