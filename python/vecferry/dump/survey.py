"""A look into one table of a dump: how it is cut, how large its rows are, what its texts hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.dump.parts import cut, plain, taken, values_of
from vecferry.mapping.keys import chunk_key
from vecferry.mapping.typemap import TEXTS
from vecferry.model import Part
from vecferry.origin import Survey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.dump.files import DumpFiles
    from vecferry.dump.index import Piece
    from vecferry.model import Table

COMPRESSED_BYTES = 4 * 1024 * 1024
"""The largest chunk of a compressed file: what all workers read must lie within the 32 MiB that `DumpFile` keeps."""
_STRATA = 16
_ROWS = 200
_LONGEST_TEXT = 1024 * 1024
"""A longer value is no embedding: 16,000 numbers are less than 600 KB of JSON."""
_SHORT = 64
"""Columns declared shorter than this hold no embedding."""
_TEXTS = frozenset({"char", "varchar", "json", *TEXTS})
_LOOK_BYTES = 256 * 1024


def survey(files: DumpFiles, table: Table, pieces: Sequence[Piece], chunk_bytes: int, *, compressed: bool) -> Survey:
    """Looks into one table.

    Args:
        files: the dump's files.
        table: the table as the catalog describes it.
        pieces: where its rows are.
        chunk_bytes: how large a chunk is wanted.
        compressed: whether the files are.

    Raises:
        SourceError: rows that are looked at cannot be read.
    """
    chunks = cut(table, pieces, min(chunk_bytes, COMPRESSED_BYTES) if compressed else chunk_bytes)
    rows = sum(piece.rows for piece in pieces)
    size = sum(piece.end - piece.start for piece in pieces)
    there = set(chunks[0].part.columns if chunks and chunks[0].part else ()).intersection(
        *(chunk.part.columns for chunk in chunks if chunk.part)
    )
    return Survey(
        key=tuple(name for name in chunk_key(table) if not chunks or name in there),
        chunks=chunks,
        row_bytes=max(1, size // max(1, rows)),
        rows=rows,
        texts=sample_texts(files, table, pieces, [column.name for column in table.columns if column.name in there]),
        absent=frozenset(column.name for column in table.columns if chunks and column.name not in there),
    )


def sample_texts(files: DumpFiles, table: Table, pieces: Sequence[Piece], names: Sequence[str]) -> dict[str, pa.Array]:
    """Returns the values of about 200 rows from all over the table, of each column that may hold embeddings."""
    asked = [name for name in names if _worth_reading(table, name)]
    found: dict[str, list[pa.Array]] = {name: [] for name in asked}
    places = sorted({number * len(pieces) // _STRATA for number in range(_STRATA)}) if pieces else []
    for place in places if asked else ():
        piece = pieces[place]
        part = Part(
            piece.file, piece.columns or tuple(column.name for column in table.columns), plain(piece.settings),
            ((piece.start, piece.end, piece.line, piece.rows),),
        )  # fmt: skip
        for values in values_of(files, part, table, asked, most_bytes=_LOOK_BYTES):
            for name, array in taken(values, -(-_ROWS // len(places))).items():
                short = pc.less_equal(pc.binary_length(array), _LONGEST_TEXT)
                found[name].append(pc.if_else(short, array, pa.scalar(None, array.type)).cast(pa.large_string()))
            break
    return {name: pa.concat_arrays(arrays) if arrays else pa.array([], pa.large_string())
            for name, arrays in found.items()}  # fmt: skip


def _worth_reading(table: Table, name: str) -> bool:
    column = table.column(name)
    return column.data_type in _TEXTS and (column.length is None or column.length >= _SHORT)
