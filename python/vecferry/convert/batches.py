"""One batch of a table as it was read → the same rows as wire columns; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.convert.embeddings import explain, packed_to_float32, packed_to_wire, to_float32, to_wire
from vecferry.convert.values import encode
from vecferry.errors import InvalidValueError

if TYPE_CHECKING:
    from vecferry.model import ColumnPlan, EmbeddingSpec, TablePlan

_EMBEDDINGS = {
    "vector": to_wire,
    "real[]": to_float32,
    "packed": packed_to_wire,
    "packed real[]": packed_to_float32,
}
"""What an embedding's values are and become, by kind of wire column."""


def convert_batch(
    batch: pa.RecordBatch, table: TablePlan, specs: dict[str, EmbeddingSpec], rows_before: int = 0
) -> pa.RecordBatch:
    """Converts every column of a batch.

    Args:
        batch: the columns of the table's plan, as the reader returned them.
        table: the table's plan.
        specs: its embedding columns, by name in the target.
        rows_before: how many rows of the chunk came before; names the place of a row without a key.

    Raises:
        InvalidValueError: a value cannot be carried; table, key, column and reason are named.
    """
    columns = [
        _convert(batch, index, column, table, specs.get(column.name), rows_before)
        for index, column in enumerate(table.columns)
    ]
    return pa.RecordBatch.from_arrays(columns, names=[column.name for column in table.columns])


def _convert(
    batch: pa.RecordBatch,
    index: int,
    column: ColumnPlan,
    table: TablePlan,
    spec: EmbeddingSpec | None,
    rows_before: int,
) -> pa.Array:
    values = batch.column(index)
    if spec is None:
        try:
            return encode(column.wire, values, column.read_type, column.target_type)
        except InvalidValueError as error:
            raise InvalidValueError(
                f"{table.name}.{column.name}, in the rows {_span(batch, table)}: {error}"
            ) from error
    converted, invalid = _EMBEDDINGS[column.wire](values, spec.dimensions)
    if invalid is not None:
        place = _place(batch, table, invalid.row, rows_before)
        raise InvalidValueError(
            f"{table.name}.{column.name} at {place} is not an embedding of {spec.dimensions} dimensions:"
            f" {explain(invalid, spec.dimensions)} (at byte {invalid.offset}): correct the value in the source,"
            " then run the same command again to go on"
        )
    return converted


def _place(batch: pa.RecordBatch, table: TablePlan, row: int, rows_before: int) -> str:
    names = [column.source or column.name for column in table.columns]
    shown = [f"{name} = {batch.column(names.index(name))[row].as_py()!r}" for name in table.key if name in names]
    return ", ".join(shown) if shown else f"row {rows_before + row + 1} of the table"


def _span(batch: pa.RecordBatch, table: TablePlan) -> str:
    return f"from {_place(batch, table, 0, 0)} to {_place(batch, table, batch.num_rows - 1, 0)}"
