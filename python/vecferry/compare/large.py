"""Large values are replaced by their digests as soon as they are read, so that a comparison holds few of them; pure.

PostgreSQL works out the digests of its texts and bytes itself and sends nothing else. JSON in jsonb has no digest that
both sides could tell, because each prints it in its own way: PostgreSQL says where the value is, and whoever reads it
takes one at a time, in parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.compare.digests import digest, digest_words, is_digest, with_losses
from vecferry.compare.expected import expected
from vecferry.mapping.identifiers import quote
from vecferry.mapping.typemap import base_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.compare.diff import Rule
    from vecferry.compare.expected import Allowance, Value
    from vecferry.compare.pairs import Pair

LARGE = 1024 * 1024
"""What has more bytes is never held."""
SMALL = 1024
"""The same where rows are far larger than the mean, so that even values of less than `LARGE` would be too many."""
PART = 4 * 1024 * 1024
"""How much of a value is read at a time."""
_EMBEDDINGS = frozenset({"vector", "halfvec", "packed"})
_DIGESTED = {"text": "convert_to({0}, 'UTF8')", "bytes": "{0}"}
_OF_ANY_SIZE = frozenset({
    "text", "character varying", "citext", "json", "jsonb", "bytea", "geometry", "geography",
})  # fmt: skip
_PACKED = 512
"""A value is compressed to no less than about this part of its size; pglz reaches 91, lz4 255."""
_PLACE = re.compile(r"\x01at (\d+) (\d+) (\(\d+,\d+\))")


# --- what the target is asked for --------------------------------------------------------------------


def selected(rule: Rule, place: int, limit: int) -> str:
    """Returns what is selected in the target for a column: values of at most `limit` bytes, and words for others."""
    pair = rule.pairs[place]
    value = pair.target_select
    if base_type(pair.target_type) not in _OF_ANY_SIZE or place in rule.key_places:
        return value
    if pair.form == "json":
        limit = LARGE
        words = f"chr(1) || 'at ' || octet_length({value}) || ' ' || tableoid || ' ' || ctid"
    elif pair.form in _DIGESTED:
        words = digest_words(_DIGESTED[pair.form].format(value))
        words = f"convert_to({words}, 'UTF8')" if pair.form == "bytes" else words
    else:
        return value
    # The first condition costs nothing, and spares most rows the second.
    size = f"pg_column_size({quote(pair.target)}) > {limit // _PACKED} AND octet_length({value}) > {limit}"
    return f"CASE WHEN {size} THEN {words} ELSE {value} END"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a large value of the target is."""

    row: int
    column: int
    size: int
    """In bytes, as it is printed."""
    table: str
    """The table's number, of a partition its own."""
    tid: str

    def query(self, pair: Pair, table: str) -> str:
        """Returns a SELECT of the value's parts, with their numbers."""
        value = f"SELECT convert_to({pair.target_select}, 'UTF8') AS value FROM {table}"
        value += f" WHERE tableoid = {self.table} AND ctid = '{self.tid}'::tid OFFSET 0"
        parts = f"generate_series(0, (octet_length(value) - 1) / {PART})"
        part = f"substr(value, 1 + part * {PART}, {PART})"
        return f"SELECT part, {part} FROM ({value}) AS one CROSS JOIN LATERAL {parts} AS part"


def places(rule: Rule, rows: pa.RecordBatch) -> list[Place]:
    """Returns the values that the target only told the place of; `rows` are as they were read."""
    found = []
    for column, pair in enumerate(rule.pairs):
        if pair.form != "json":
            continue
        told = pc.starts_with(rows.column(column), "\x01at ")
        for row in pc.indices_nonzero(pc.fill_null(told, fill_value=False)).to_pylist():
            match = _PLACE.fullmatch(rows.column(column)[row].as_py())
            if match is not None:
                found.append(Place(row, column, int(match[1]), match[2], match[3]))
    return found


def as_column(value: bytes) -> pa.Array:
    """Returns a column of one value, without a copy of it."""
    ends = pa.array([0, len(value)], pa.int64()).buffers()[1]
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(value)])


# --- what is held ------------------------------------------------------------------------------------


def shrunk(rule: Rule, rows: pa.Table, limit: int, *, losses: bool = False) -> pa.Table:
    """Replaces values of more than `limit` bytes by their digests.

    Args:
        rule: how the rows are compared; its key's values stay as they are.
        rows: in canonical form.
        limit: in bytes. Embeddings are as large as their dimensions say, and stay.
        losses: whether the rows are the source's, so that announced losses have to be worked out before.
    """
    for place, pair in enumerate(rule.pairs):
        column = rows.column(place)
        if pa.types.is_int64(column.type) or place in rule.key_places:
            continue
        most = LARGE if pair.form in _EMBEDDINGS else limit
        if column.nbytes <= most:
            continue
        mask = pc.fill_null(pc.greater(pc.binary_length(column), most), fill_value=False)
        if not pc.any(mask).as_py():
            continue
        allowances = rule.allowances.get(pair.name, ()) if losses else ()
        words = [_words(column[row], pair, allowances, limit) for row in pc.indices_nonzero(mask).to_pylist()]
        short = pc.if_else(mask, None, column).combine_chunks()
        told = pa.array(words, pa.large_binary()).cast(column.type)
        rows = rows.set_column(place, rows.field(place), pc.replace_with_mask(short, mask.combine_chunks(), told))
    return rows


def _words(value: pa.Scalar, pair: Pair, allowances: Iterable[Allowance], limit: int) -> bytes:
    buffer = memoryview(value.as_buffer())
    if buffer and buffer[0] == 1 and is_digest(value.as_py()):
        return bytes(buffer)
    words = digest(buffer)
    listed = tuple(allowances)
    if not listed:
        return words
    becomes, kinds = expected(value.as_py(), pair, listed)
    return with_losses(words, held(becomes, limit), kinds) if kinds else words


def held(value: Value, limit: int) -> Value:
    """Returns a value as `shrunk` leaves it."""
    if isinstance(value, int) or value is None:
        return value
    encoded = value.encode() if isinstance(value, str) else value
    if len(encoded) <= limit or is_digest(value):
        return value
    return digest(encoded) if isinstance(value, bytes) else digest(encoded).decode()
