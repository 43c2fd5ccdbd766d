"""Parts of a dump, the rows that one chunk has: how a table is cut into them, and how their values are read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry._core import DumpError, DumpSettings, parse_rows
from vecferry.dump.bytes import opened, read_plain
from vecferry.dump.index import unreadable
from vecferry.dump.read_back import rows_of
from vecferry.dump.rows import columns_read, read_batch, stored_columns, wanted
from vecferry.dump.values import UnreadableError
from vecferry.errors import SourceError
from vecferry.model import Chunk, Part

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from vecferry.compare.pairs import Pair
    from vecferry.dump.files import DumpFiles
    from vecferry.dump.index import Piece
    from vecferry.model import Table, TablePlan

BATCH_BYTES = 4 * 1024 * 1024
"""About how many bytes of values are converted and written at once."""


def cut(table: Table, pieces: Sequence[Piece], chunk_bytes: int) -> tuple[Chunk, ...]:
    """Cuts a table into chunks of about `chunk_bytes` of text, each of one file and of rows that are written alike."""

    def alike(piece: Piece) -> tuple[str, tuple[str, ...] | None, DumpSettings]:
        return piece.file, piece.columns, piece.settings

    everything = tuple(column.name for column in table.columns)
    spelled = {name.lower(): name for name in everything}
    chunks: list[Chunk] = []
    for (file, columns, settings), group in groupby(pieces, alike):
        for run in _runs(group, chunk_bytes):
            places = tuple((piece.start, piece.end, piece.line, piece.rows) for piece in run)
            fields = tuple(spelled.get(name.lower(), name) for name in columns or everything)
            part = Part(file, fields, plain(settings), places)
            rows = sum(piece.rows for piece in run)
            chunks.append(Chunk(table.name, len(chunks), rows=rows, part=part))
    return tuple(chunks)


def plain(settings: DumpSettings) -> tuple[tuple[str, bool | str | None], ...]:
    """Returns settings as they travel in a plan."""
    return tuple(sorted(settings.as_dict().items()))


def settings_of(part: Part) -> DumpSettings:
    """Returns the settings that a part is read with."""
    return DumpSettings(**dict(part.settings))  # type: ignore[arg-type]


def _runs(pieces: Iterable[Piece], chunk_bytes: int) -> Iterator[list[Piece]]:
    run: list[Piece] = []
    size = 0
    for piece in pieces:
        length = piece.end - piece.start
        if run and size + length > chunk_bytes:
            yield run
            run, size = [], 0
        run.append(piece)
        size += length
    if run:
        yield run


def values_of(
    files: DumpFiles, part: Part, table: Table, names: Iterable[str], *, most_bytes: int = BATCH_BYTES
) -> Iterator[dict[str, pa.Array]]:
    """Yields the stored values (`dump.values`) of some columns of a part, batch by batch.

    Args:
        files: the dump's files.
        part: which rows.
        table: the table as the catalog describes it.
        names: the columns.
        most_bytes: about how many bytes of text a batch is made of.

    Raises:
        SourceError: the rows cannot be read.
    """
    path, settings = files.path(part.file), settings_of(part)
    asked = wanted(table, names, part.columns, settings.charset)
    held: list[pa.StructArray] = []
    size = 0
    try:
        for raw in _raw(path, part, [(place, kind) for _, place, kind in asked], settings, most_bytes):
            held.append(raw)
            size += raw.nbytes
            if size >= most_bytes:
                yield _stored(held, table, asked, settings)
                size = 0
        if held:
            yield _stored(held, table, asked, settings)
    except UnreadableError as error:
        raise SourceError(f"the dump {path} holds a value that cannot be read: table {table.name}: {error}") from error
    except (DumpError, OSError) as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise SourceError(f"the dump {path} cannot be read: table {table.name}: {error}") from error


def _raw(
    path: str, part: Part, asked: Sequence[tuple[int, str]], settings: DumpSettings, most_bytes: int
) -> Iterator[pa.StructArray]:
    file = opened(path)
    for start, end, line, _ in part.pieces:
        data = file.read(start, end)
        for array in parse_rows(
            data, offset=start, line=line, fields=len(part.columns), wanted=asked, settings=settings,
            most_bytes=most_bytes,
        ):  # fmt: skip
            yield pa.array(array)


def _stored(
    held: list[pa.StructArray], table: Table, asked: Sequence[tuple[str, int, str]], settings: DumpSettings
) -> dict[str, pa.Array]:
    raw = held[0] if len(held) == 1 else pa.concat_arrays(held)
    held.clear()
    return dict(stored_columns(raw, table, [name for name, _, _ in asked], settings.time_zone))


def rows_of_plan(
    files: DumpFiles, table: TablePlan, chunk: Chunk, *, batch_bytes: int
) -> Generator[pa.RecordBatch, None, None]:
    """Yields the rows of a chunk as a plan reads them; see `origin.Source.read_chunk`."""
    source, part = table.described, chunk.part
    if source is None or part is None:
        raise SourceError(f"the plan of table {table.name} was made for a server, not for a dump: make a new one")
    names = columns_read(table) or part.columns[:1]
    for values in values_of(files, part, source, names, most_bytes=min(batch_bytes, BATCH_BYTES)):
        try:
            yield read_batch(values, source, table)
        except UnreadableError as error:
            path = files.path(part.file)
            raise SourceError(
                f"the dump {path} holds a value that cannot be read: table {table.name}: {error}"
            ) from error


def read_again(
    files: DumpFiles, table: Table, pairs: Sequence[Pair], chunk: Chunk
) -> Generator[pa.RecordBatch, None, None]:
    """Yields the rows of a chunk for a comparison; see `origin.Source.read_back`."""
    part = chunk.part
    if part is None:
        return
    path, settings = files.path(part.file), settings_of(part)
    columns = [table.column(pair.name) for pair in pairs]
    for start, end, _, _ in part.pieces:
        try:
            data = read_plain(path, start, end)
            yield rows_of(data, part.columns, columns, pairs, settings)
        except (ValueError, OSError) as error:
            raise unreadable(f"{path} between bytes {start} and {end}", error) from error


def taken(values: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    """Returns the first values of each column."""
    return {name: array.slice(0, rows) for name, array in values.items()}
