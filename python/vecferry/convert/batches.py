"""One batch of a table as it was read → the same rows as wire columns; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.convert.embeddings import explain, packed_to_float32, packed_to_wire, to_float32, to_wire
from vecferry.convert.values import encode
from vecferry.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.model import ColumnPlan, EmbeddingSpec, TablePlan

_EMBEDDINGS = {
    "vector": to_wire,
    "real[]": to_float32,
    "packed": packed_to_wire,
    "packed real[]": packed_to_float32,
}
"""What an embedding's values are and become, by kind of wire column."""
_DOES_NOT_FIT = "does-not-fit"


@dataclass(frozen=True, slots=True)
class Fault:
    """A value of a batch that the target cannot hold, or does not take."""

    row: int
    """Its place in the batch, from 0."""
    column: str | None
    """The column's name in the target; None where what is refused is the row as a whole."""
    reason: str
    """A kind of `mapping.checks`, a reason of `convert.embeddings`, `does-not-fit`, or PostgreSQL's SQLSTATE."""
    message: str
    original: bytes | None
    """Its bytes, a text's in UTF-8; None for NULL."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A batch of wire columns; it has NULL where a value is at fault."""

    batch: pa.RecordBatch
    faults: tuple[Fault, ...]
    """By row, then in the order of the columns."""


def convert_batch(batch: pa.RecordBatch, table: TablePlan, specs: dict[str, EmbeddingSpec]) -> Converted:
    """Converts every column of a batch.

    Args:
        batch: the columns that `TablePlan.reads` names, as the reader returned them.
        table: the table's plan.
        specs: its embedding columns, by name in the target.
    """
    guarded = _guarded(batch, table)
    faults = list(guarded)
    columns = []
    for index, column in enumerate(table.columns):
        taken = [fault.row for fault in guarded if fault.column == column.name]
        values = _without(batch.column(index), taken) if taken else batch.column(index)
        array, found = _convert(values, column, specs.get(column.name))
        columns.append(array)
        faults.extend(found)
    if faults:
        places: dict[str | None, int] = {column.name: place for place, column in enumerate(table.columns)}
        faults.sort(key=lambda fault: (fault.row, places[fault.column]))
    return Converted(pa.RecordBatch.from_arrays(columns, names=[c.name for c in table.columns]), tuple(faults))


def _guarded(batch: pa.RecordBatch, table: TablePlan) -> list[Fault]:
    """Returns the values that the source itself has told to be at fault, each once."""
    found: dict[tuple[int, str], Fault] = {}
    for number, guard in enumerate(table.guards):
        flags, originals = (batch.column(len(table.columns) + 2 * number + part) for part in (0, 1))
        for row in pc.indices_nonzero(flags).to_pylist():
            fault = Fault(row, guard.column, guard.reason, guard.message, originals[row].as_py())
            found.setdefault((row, guard.column), fault)
    return list(found.values())


def _without(values: pa.Array, rows: list[int]) -> pa.Array:
    taken = pc.is_in(pa.array(range(len(values)), pa.int64()), pa.array(rows, pa.int64()))
    return pc.if_else(taken, pa.scalar(None, values.type), values)


def _convert(values: pa.Array, column: ColumnPlan, spec: EmbeddingSpec | None) -> tuple[pa.Array, list[Fault]]:
    if spec is None:
        try:
            return encode(column.wire, values, column.read_type, column.target_type), []
        except InvalidValueError:
            pieces = list(_pieces(values, column, 0))
        return pa.concat_arrays([array for array, _ in pieces]), [fault for _, fault in pieces if fault is not None]
    converted, invalid = _EMBEDDINGS[column.wire](values, spec.dimensions)
    return converted, [
        Fault(
            found.row,
            column.name,
            found.reason.replace("_", "-"),
            f"not an embedding of {spec.dimensions} dimensions: {explain(found, spec.dimensions)}"
            f" (at byte {found.offset})",
            bytes_of(values[found.row]),
        )
        for found in invalid
    ]


def _pieces(values: pa.Array, column: ColumnPlan, first: int) -> Iterator[tuple[pa.Array, Fault | None]]:
    """Encodes by halves what cannot be encoded as a whole, down to the single value that is at fault."""
    try:
        yield encode(column.wire, values, column.read_type, column.target_type), None
    except InvalidValueError as error:
        if len(values) > 1:
            middle = len(values) // 2
            yield from _pieces(values.slice(0, middle), column, first)
            yield from _pieces(values.slice(middle), column, first + middle)
            return
        null = encode(column.wire, pa.nulls(1, values.type), column.read_type, column.target_type)
        yield null, Fault(first, column.name, _DOES_NOT_FIT, str(error), bytes_of(values[0]))


def bytes_of(value: pa.Scalar) -> bytes | None:
    """Returns the bytes of a value as it was read: itself, or its text in UTF-8."""
    if not value.is_valid:
        return None
    plain = value.as_py()
    return bytes(plain) if isinstance(plain, bytes) else str(plain).encode()
