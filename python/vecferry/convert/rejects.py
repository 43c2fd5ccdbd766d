"""Rows and their values as the reject store keeps them, and back again; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from vecferry.convert.batches import Fault
    from vecferry.model import TablePlan


def key_of(batch: pa.RecordBatch, table: TablePlan, row: int) -> dict[str, Any] | None:
    """Returns the key of a row that was read, by column, a value at fault as text; None of a table without a key.

    Args:
        batch: the columns that `TablePlan.reads` names, as the reader returned them.
        table: the table's plan.
        row: the row's place in the batch, from 0.
    """
    names = [column.source or column.name for column in table.columns]
    key = {name: batch.column(names.index(name))[row].as_py() for name in table.key if name in names}
    for number, guard in enumerate(table.guards):
        place = len(table.columns) + 2 * number
        name = next((column.source or column.name for column in table.columns if column.name == guard.column), "")
        if name in key and place < batch.num_columns and batch.column(place)[row].as_py():
            original = batch.column(place + 1)[row].as_py()
            key[name] = None if original is None else original.decode(errors="replace")
    return key or None


def place_words(key: dict[str, Any] | None, row: int) -> str:
    """Returns `id = 7`, or what is known of the place of a row without a key; `row` is counted from 0."""
    if key is None:
        return f"row {row + 1} of the table"
    return ", ".join(f"{name} = {value!r}" for name, value in key.items())


def fault_words(batch: pa.RecordBatch, table: TablePlan, fault: Fault, rows_before: int) -> str:
    """Returns what is wrong with a value, and where it is.

    Args:
        batch: the columns that `TablePlan.reads` names, as the reader returned them.
        table: the table's plan.
        fault: what is wrong.
        rows_before: how many rows came before the batch.
    """
    place = place_words(key_of(batch, table, fault.row), rows_before + fault.row)
    return f"{table.name}.{fault.column} at {place}: {fault.message}"


def pack_row(batch: pa.RecordBatch, row: int) -> bytes:
    """Returns one row of a batch as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html)."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch.slice(row, 1))
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def unpack_row(kept: bytes) -> pa.RecordBatch:
    """Returns the row that `pack_row` made, a batch of one."""
    with pa.ipc.open_stream(kept) as reader:
        return reader.read_next_batch()
