"""A dump as a source: what `vecferry.origin` asks for, of files instead of a server."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from glob import escape
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.config import DumpPath
from vecferry.dump import answers, spool
from vecferry.dump.bounds import bounded
from vecferry.dump.changes import refuse
from vecferry.dump.ddl import databases, read_ddl
from vecferry.dump.index import Index, index_of, stamp
from vecferry.dump.parts import cut, read_again, rows_of_plan, values_of
from vecferry.dump.survey import sample_texts, survey
from vecferry.dump.values import UnreadableError, announced
from vecferry.errors import SourceError
from vecferry.mapping.checks import Abilities
from vecferry.mapping.selection import matches
from vecferry.origin import Answer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from vecferry.compare.pairs import Pair
    from vecferry.dump.index import Piece
    from vecferry.mapping.checks import Check
    from vecferry.model import Catalog, Chunk, Table, TablePlan
    from vecferry.origin import Reference, Survey

_FORMS_BYTES = 32 * 1024 * 1024


class DumpSession:
    """A dump that answers questions; see `vecferry.origin.Session`."""

    def __init__(self, source: DumpSource, index: Index) -> None:
        self._source = source
        self._index = index

    def close(self) -> None:
        """Holds nothing that others do not."""

    def remark(self) -> str | None:
        """Says whether the dump may lack its end."""
        if not self._index.unfinished:
            return None
        named = ", ".join(self._index.unfinished)
        return f"the dump is incomplete, {named} has no closing line: what its writer had not written is missing"

    def catalog(self, include: tuple[str, ...], exclude: tuple[str, ...]) -> Catalog:
        """Reads the statements of the dump."""
        found = read_ddl(self._index.statements, self._source.database, include, exclude)
        refuse(self._source.place, self._index.changes, self._database(), (table.name for table in found.tables))
        self._refuse_strangers(include, exclude)
        tables = tuple(self._with_sizes(table) for table in found.tables)
        lost = tuple(loss for table in tables for loss in announced(table))
        notes = (*found.notes, *(self._zone_note(table) for table in tables if self._lacks_zone(table)))
        return replace(found, tables=tables, leftovers=(*found.leftovers, *lost), notes=notes, dump=self._index.digest)

    def _refuse_strangers(self, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
        """Refuses rows of a table that nothing says the columns of."""
        made = {statement.table for statement in self._index.statements if statement.kind == "create table"}
        database = self._database()
        for (place, table), pieces in self._index.pieces.items():
            ours = place == database or database is None
            asked = (not include or matches(table, include)) and not matches(table, exclude)
            if ours and asked and table not in made:
                raise SourceError(
                    f"the dump {self._source.place} has rows of table {table} in line {pieces[0].line}, but no"
                    " CREATE TABLE of it",
                    advice="dump the structure, too, or leave the table out with --exclude",
                )

    def _lacks_zone(self, table: Table) -> bool:
        zones = {piece.settings.time_zone for piece in self._pieces(table.name)}
        return bool(zones & {None, "SYSTEM"}) and any(column.data_type == "timestamp" for column in table.columns)

    def _zone_note(self, table: Table) -> str:
        return (
            f"{table.name}: the dump does not say in which time zone its timestamps are: they are taken as UTC"
            " (mysqldump --tz-utc, its default, says so)"
        )

    def _with_sizes(self, table: Table) -> Table:
        pieces = self._pieces(table.name)
        size = sum(piece.end - piece.start for piece in pieces)
        return replace(table, rows_estimate=sum(piece.rows for piece in pieces), bytes_estimate=size)

    def _pieces(self, table: str) -> Sequence[Piece]:
        return self._index.pieces.get((self._database(), table), ())

    def _database(self) -> str | None:
        held = databases(self._index.statements)
        return self._source.database if held != (None,) and self._source.database else held[0] if held else None

    def _table(self, name: str) -> Table:
        known, place = self._index.tables, (self._database(), name)
        if place not in known:
            # Of other tables the statements are not read.
            [known[place]] = self.catalog((escape(name),), ()).tables
        return known[place]

    def survey(self, table: Table, chunk_bytes: int) -> Survey:
        """Looks into some pieces, and cuts the table's pieces into chunks."""
        index = self._index
        return survey(index.files, table, self._pieces(table.name), chunk_bytes, compressed=index.compressed)

    def bounded(self, table: Table, key: Sequence[str], chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
        """Reads the keys."""
        return bounded(self._index.files, table, key, chunks, workers=1 if self._index.compressed else os.cpu_count())

    def split(self, table: TablePlan, chunk: Chunk, size: int) -> tuple[Chunk, Chunk | None]:  # noqa: ARG002 - see `Session`
        """Cuts a chunk between two of its pieces."""
        part = chunk.part
        if part is None or len(part.pieces) <= 1:
            return chunk, None
        count, held = 0, 0
        while count < len(part.pieces) - 1 and (not count or held < size):
            held += part.pieces[count][1] - part.pieces[count][0]
            count += 1
        return (
            replace(chunk, part=replace(part, pieces=part.pieces[:count])),
            replace(chunk, part=replace(part, pieces=part.pieces[count:])),
        )

    def ask_values(
        self, table: str, checks: Sequence[Check], key: tuple[str, ...]
    ) -> dict[tuple[str, str, str], Answer]:
        """Counts masks."""
        source = self._table(table)
        chunks = self._chunks(source)
        there = _there(chunks)
        asked = [check for check in checks if there.issuperset(check.columns or (check.column,))]
        names = answers.columns_asked(asked, key)
        if not asked or not there:
            return {}
        found = answers.together(
            _told(table, answers.tally_values, values, source, asked, key)
            for values in self._values(source, chunks, names)
        )
        return {(table, *what): Answer(tally.count, tally.examples) for what, tally in found.items()}

    def ask_orphans(self, reference: Reference, key: tuple[str, ...]) -> Answer | None:
        """Counts by an anti-join."""
        child, parent = self._table(reference.table), self._table(reference.parent)
        ours = [child.column(name) for name in reference.columns]
        theirs = [parent.column(name) for name in reference.parent_columns]
        chunks = self._chunks(child)
        if not _there(chunks).issuperset(reference.columns):
            return None
        parents = answers.parent_frame(
            answers.key_frame(values, theirs, ours, ignore_case=reference.ignore_case)
            for values in self._values(parent, self._chunks(parent), reference.parent_columns)
        )
        shown = key or reference.columns
        total = answers.Tally()
        for values in self._values(child, chunks, tuple(dict.fromkeys((*shown, *reference.columns)))):
            frame = answers.key_frame(values, ours, theirs, ignore_case=reference.ignore_case)
            total += answers.tally_orphans(frame, parents, values, child, shown)
        return Answer(total.count, total.examples) if total.count else None

    def _chunks(self, table: Table) -> tuple[Chunk, ...]:
        return cut(table, self._pieces(table.name), _FORMS_BYTES)

    def _values(self, table: Table, chunks: Sequence[Chunk], names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        for chunk in chunks:
            if chunk.part is not None:
                yield from values_of(self._index.files, chunk.part, table, names)

    def count(self, table: str) -> int:
        """Counts rows by the index."""
        return sum(piece.rows for piece in self._pieces(table))

    def position(self, tables: Mapping[str, Sequence[str]]) -> dict[str, Any]:  # noqa: ARG002 - see `Session`
        """Returns how large the files are, and when they were last written to."""
        files = self._index.files
        return {"files": {name: list(stamp(files.path(name))) for name in files.names}}

    def settings(self) -> tuple[str, dict[str, str]]:
        """Tells of the files."""
        index = self._index
        facts = {
            "files": str(len(index.files.names)),
            "bytes": f"{sum(stamp(index.files.path(name))[0] for name in index.files.names):,}",
            "uncompressed": f"{index.size:,}",
            "complete": "no" if index.unfinished else "yes",
        }
        written = {"written by": index.writer} if index.writer else {}
        return f"a dump of {index.server}" if index.server else "a dump", {**written, **facts}

    def text_forms(self, table: str, column: str) -> dict[str, int]:
        """Looks at some values."""
        source = self._table(table)
        texts = sample_texts(self._index.files, source, self._pieces(table), [column]).get(column)
        if texts is None:
            return {}
        begins = pc.utf8_slice_codeunits(pc.utf8_ltrim_whitespace(texts.drop_null()), 0, 1).to_pylist()
        named = [{"{": "JSON object", "[": "JSON array"}.get(begin, "other") for begin in begins]
        return {name: named.count(name) for name in sorted(set(named), key=lambda name: -named.count(name))}


def _there(chunks: Sequence[Chunk]) -> frozenset[str]:
    """Returns the columns that all chunks have values of."""
    sets = [frozenset(chunk.part.columns) for chunk in chunks if chunk.part is not None]
    return frozenset.intersection(*sets) if sets else frozenset()


def _told(table: str, ask: Any, *arguments: Any) -> Any:  # noqa: ANN401 - a function of `answers` and what it takes
    try:
        return ask(*arguments)
    except UnreadableError as error:
        raise SourceError(f"the dump holds a value that cannot be read: table {table}: {error}") from error


@dataclass(frozen=True, slots=True)
class DumpSource:
    """A dump as a source; see `vecferry.origin.Source`."""

    path: str
    database: str | None = None
    """Which of its databases; None where it has one."""
    allow_incomplete: bool = False

    @property
    def place(self) -> str:
        """The absolute path."""
        return DumpPath(self.path).place

    @property
    def forwards(self) -> bool:
        """What is compressed is uncompressed from its beginning."""
        return self._index().compressed

    def open(self) -> DumpSession:
        """Scans the files, unless that is done already.

        Raises:
            SourceError: there is no dump, or it lacks its end.
        """
        index = self._index()
        if index.unfinished and not self.allow_incomplete:
            raise SourceError(
                f"the dump {self.place} is incomplete: {', '.join(index.unfinished)} has no closing line, as when its"
                " writer was interrupted or the disk was full: dump again, or take what is there with"
                " --allow-incomplete"
            )
        return DumpSession(self, index)

    def _index(self) -> Index:
        return index_of(spool.spooled() if self.path == "-" else self.path)

    def abilities(self, server: str) -> Abilities:  # noqa: ARG002 - see `Source`
        """Returns those of the functions here, which are the same for any dump."""
        return Abilities(json=True, lookaround=True, flat_shapes=True)

    def ends_with_us(self) -> AbstractContextManager[None]:
        """Does nothing: no one works for us."""
        return nullcontext()

    def held(self, tables: Sequence[str]) -> AbstractContextManager[None]:  # noqa: ARG002 - see `Source`
        """Does nothing: the configuration does not let it be asked for."""
        return nullcontext()

    def moved(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
        """Compares sizes and times of the files."""
        first, last = before.get("files", {}), after.get("files", {})
        return tuple(
            f"the dump's file {name} was written to while it was read"
            for name in sorted({*first, *last})
            if first.get(name) != last.get(name)
        )

    def read_chunk(self, table: TablePlan, chunk: Chunk, *, batch_bytes: int) -> Generator[pa.RecordBatch, None, None]:
        """Parses a part."""
        return rows_of_plan(self._index().files, table, chunk, batch_bytes=batch_bytes)

    def read_row(self, table: TablePlan, chunk: int, row: pa.RecordBatch) -> pa.RecordBatch | None:
        """Goes through the row's chunk for its key."""
        [found] = [one for one in table.chunks if one.number == chunk]
        key = [place for place, column in enumerate(table.columns) if (column.source or column.name) in table.key]
        for batch in self.read_chunk(table, found, batch_bytes=_FORMS_BYTES):
            same = pa.array([True] * batch.num_rows)
            for place in key:
                same = pc.and_kleene(same, pc.equal(batch.column(place), row.column(place)[0]))
            places = pc.indices_nonzero(pc.fill_null(same, fill_value=False))
            if len(places):
                return batch.slice(places[0].as_py(), 1)
        return None

    def read_back(
        self,
        table: str,
        pairs: Sequence[Pair],
        key: Sequence[str],  # noqa: ARG002 - see `Source`
        chunk: Chunk,
        *,
        batch_bytes: int,  # noqa: ARG002 - see `Source`
    ) -> Generator[pa.RecordBatch, None, None]:
        """Reads a part by the plain reader."""
        session = self.open()
        return read_again(session._index.files, session._table(table), pairs, chunk)  # noqa: SLF001 - its own
