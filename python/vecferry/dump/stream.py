"""A dump once through: its statements and, in passing, the values of its rows; nothing is read twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry._core import DumpError, DumpPiece, DumpScan, parse_rows
from vecferry.dump.files import find_files
from vecferry.dump.rows import stored_columns, wanted
from vecferry.dump.sums import check_sums
from vecferry.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vecferry._core import ArrowArray
    from vecferry.model import Table

__all__ = ["DumpPiece", "Stream", "alike", "stored_rows"]

STANDARD = "-"
_DESCRIPTOR = 0


class Stream:
    """The statements of a dump, in their order; rows come in pieces of about `piece_bytes`.

    Args:
        place: a file, a directory of mydumper's, or `-` for standard input.
        piece_bytes: how large a piece of rows is; a row is never cut.

    Attributes:
        size: the bytes read so far, uncompressed.
        unfinished: files whose last line does not say that they are whole.
    """

    def __init__(self, place: str, piece_bytes: int) -> None:
        self.place = "standard input" if place == STANDARD else place
        self.size = 0
        self.unfinished: list[str] = []
        self._piece_bytes = piece_bytes
        self._files = None if place == STANDARD else find_files(place)

    def __iter__(self) -> Iterator[DumpPiece]:
        """Yields each statement.

        Raises:
            SourceError: the dump cannot be read to its end.
        """
        if self._files is None:
            yield from self._scanned(self.place, _DESCRIPTOR, closed=True)
            return
        check_sums(self._files)
        for name in self._files.names:
            yield from self._scanned(name, self._files.path(name), closed=self._files.closed)

    def _scanned(self, name: str, path: str | int, *, closed: bool) -> Iterator[DumpPiece]:
        before = self.size
        try:
            scan = DumpScan(path, piece_bytes=self._piece_bytes, with_data=True)
            for piece in scan:
                self.size = before + piece.end
                yield piece
        except (DumpError, OSError) as error:
            words = error.strerror if isinstance(error, OSError) else str(error)
            raise SourceError(f"the dump {self.place} cannot be read: {words}") from error
        self.size = before + scan.size
        if closed and not scan.complete:
            self.unfinished.append(name)


def alike(one: DumpPiece, other: DumpPiece) -> bool:
    """Says whether the rows of two pieces can be read together."""
    return one.columns == other.columns and one.settings == other.settings


def stored_rows(
    pieces: Sequence[DumpPiece], source: Table, names: Sequence[str], most_bytes: int
) -> Iterator[Mapping[str, pa.Array]]:
    """Yields the stored values (`dump.values`) of rows, by column of the source.

    Args:
        pieces: rows of one table, with their bytes; they are `alike`.
        source: the table.
        names: the columns that are wanted.
        most_bytes: how many bytes of values a batch has, a row more at most.

    Raises:
        SourceError: the rows cannot be read, or lack one of the columns.
    """
    first = pieces[0]
    fields = first.columns or [column.name for column in source.columns]
    try:
        asked = wanted(source, names, fields, first.settings.charset)
    except KeyError as error:
        raise SourceError(
            f"the rows of table {source.name} in line {first.line} of the dump have no column {error.args[0]}, which"
            " those before had",
            advice="dump the table with one list of columns",
        ) from error
    numbers = [(number, kind) for _, number, kind in asked]
    try:
        for raw in _parsed(pieces, len(fields), numbers, most_bytes):
            yield stored_columns(pa.array(raw), source, [name for name, _, _ in asked], first.settings.time_zone)
    except ValueError as error:
        raise SourceError(f"the rows of table {source.name} cannot be read: {error}") from error


def _parsed(
    pieces: Sequence[DumpPiece], fields: int, numbers: list[tuple[int, str]], most_bytes: int
) -> Iterator[ArrowArray]:
    """Yields batches of rows; servers cut their INSERTs smaller than what is read best at once."""
    first = pieces[0]
    data = b",".join(piece.data or b"" for piece in pieces) if len(pieces) > 1 else first.data or b""
    try:
        yield from parse_rows(
            data, offset=first.start, line=first.line, fields=fields, wanted=numbers, settings=first.settings,
            most_bytes=most_bytes,
        )  # fmt: skip
    except DumpError:
        if len(pieces) > 1:
            # Each by itself tells the place.
            for piece in pieces:
                for _ in _parsed([piece], fields, numbers, most_bytes):
                    pass
        raise
