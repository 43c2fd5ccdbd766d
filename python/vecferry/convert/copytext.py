"""Wire columns → the lines of COPY in its text format; the compiled core writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from vecferry import _core
from vecferry.mapping.typemap import base_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.model import ColumnPlan

FORMS: Final[dict[str, str]] = {
    "int16": "integer",
    "int32": "integer",
    "int64": "integer",
    "float32": "float",
    "float64": "float",
    "numeric": "numeric",
    "bool": "bool",
    "bit_bool": "bool",
    "bit": "bit",
    "text": "text",
    "jsonb": "jsonb",
    "bytea": "bytea",
    "text[]": "text[]",
    "uuid": "uuid",
    "uuid_bytes": "uuid",
    "inet": "inet",
    "point": "point",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "interval": "interval",
    "vector": "vector",
    "packed": "vector",
}
"""How the compiled core writes each kind of wire column but `real[]`, which is for loads with a cast."""

_SPATIAL = frozenset({"geometry", "geography"})


def copy_text(batch: pa.RecordBatch, columns: Sequence[ColumnPlan]) -> memoryview:
    r"""Writes rows as `COPY ... FROM stdin` reads them: tabs between values, `\N` for NULL, a newline after each row.

    Source of the format: https://www.postgresql.org/docs/current/sql-copy.html, "Text Format".

    Args:
        batch: the wire columns, as `convert.batches.convert_batch` makes them.
        columns: their plans, in the same order.

    Returns:
        The lines in UTF-8, texts being in it already.

    Raises:
        ValueError: a value's bytes are not what the receive function of its type reads.
    """
    lines = pa.array(_core.copy_text(batch.columns, [_form(column) for column in columns]))
    return memoryview(lines.buffers()[1])[: len(lines)]


def _form(column: ColumnPlan) -> str:
    # PostGIS reads hexadecimal EWKB, and takes the bytea's `\x` for a mistake.
    return "hex" if base_type(column.target_type) in _SPATIAL else FORMS[column.wire.partition("@")[0]]
