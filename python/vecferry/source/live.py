"""A server as a source: what `vecferry.origin` asks for, by the functions of this room."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from vecferry.mapping.flavor import Flavor
from vecferry.mapping.keys import chunk_key
from vecferry.mapping.select import literal, quote, range_condition
from vecferry.model import Chunk, ColumnPlan, TablePlan
from vecferry.origin import Survey
from vecferry.source import ask, facts
from vecferry.source.catalog import read_catalog
from vecferry.source.chunks import plan_chunks
from vecferry.source.connect import connect, encrypted, ends_with_us
from vecferry.source.consistency import Position, held, moved, position
from vecferry.source.query import rows
from vecferry.source.read import read_chunk, read_row
from vecferry.source.sample import sample
from vecferry.tls import source_remark

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from pymysql.connections import Connection

    from vecferry.compare.pairs import Pair
    from vecferry.config import DatabaseURL
    from vecferry.mapping.checks import Abilities, Check
    from vecferry.model import Catalog, Table
    from vecferry.origin import Answer, Reference


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A connection that answers questions; see `vecferry.origin.Session`."""

    url: DatabaseURL
    connection: Connection[Any]

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()

    def remark(self) -> str | None:
        """Says what TLS leaves open."""
        return source_remark(self.url, encrypted=encrypted(self.connection))

    def catalog(self, include: tuple[str, ...], exclude: tuple[str, ...]) -> Catalog:
        """Reads `information_schema`."""
        return read_catalog(self.connection, include, exclude)

    def survey(self, table: Table, chunk_bytes: int) -> Survey:
        """Samples rows and cuts the table's key into ranges."""
        key = chunk_key(table)
        found = sample(self.connection, table, key)
        row_bytes = max(1, found.row_bytes, found.row_bytes_max_stratum // 4)
        return Survey(
            key=key,
            chunks=plan_chunks(self.connection, table, key, row_bytes, chunk_bytes),
            row_bytes=max(1, found.row_bytes),
            rows=max(table.rows_estimate, found.rows),
            texts=found.texts,
        )

    def bounded(self, table: Table, key: Sequence[str], chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:  # noqa: ARG002 - see `Session`
        """Returns the chunks: they have their ranges already."""
        return chunks

    def split(self, table: TablePlan, chunk: Chunk, size: int) -> tuple[Chunk, Chunk | None]:
        """Cuts a range of the table's key after as many rows as `size` bytes have; one without a key stays whole."""
        if not table.key:
            return chunk, None
        key = ", ".join(quote(name) for name in table.key)
        condition = range_condition(table.key, chunk.lower, chunk.upper)
        query = f"SELECT {key} FROM {quote(table.name)}{f' WHERE {condition}' if condition else ''}"
        count = max(1, size // max(1, table.row_bytes))
        found = rows(self.connection, f"{query} ORDER BY {key} LIMIT 1 OFFSET {count - 1}")
        if not found:
            return chunk, None
        end = tuple(literal(value) for value in found[0])
        return (
            Chunk(chunk.table, chunk.number, chunk.lower, end, chunk.rows),
            Chunk(chunk.table, chunk.number, end, chunk.upper, chunk.rows),
        )

    def ask_values(
        self, table: str, checks: Sequence[Check], key: tuple[str, ...]
    ) -> dict[tuple[str, str, str], Answer]:
        """Counts the checks' conditions."""
        return ask.ask_values(self.connection, table, checks, key)

    def ask_orphans(self, reference: Reference, key: tuple[str, ...]) -> Answer | None:
        """Counts by an anti-join."""
        return ask.ask_orphans(self.connection, reference, key)

    def count(self, table: str) -> int:
        """Counts."""
        [(count,)] = rows(self.connection, f"SELECT COUNT(*) FROM {quote(table)}")
        return int(count)

    def position(self, tables: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Asks for the binary log's place, or counts."""
        return asdict(position(self.connection, tables))

    def settings(self) -> tuple[str, dict[str, str]]:
        """Asks for the server's variables."""
        return facts.settings(self.connection)

    def text_forms(self, table: str, column: str) -> dict[str, int]:
        """Looks at the first values."""
        return facts.text_forms(self.connection, table, column)


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A server's database as a source; see `vecferry.origin.Source`."""

    url: DatabaseURL

    @property
    def place(self) -> str:
        """`host:port/database`."""
        return self.url.place

    @property
    def forwards(self) -> bool:
        """A server reads any rows as well as any others."""
        return False

    def open(self) -> LiveSession:
        """Logs in."""
        return LiveSession(self.url, connect(self.url))

    def abilities(self, server: str) -> Abilities:
        """Returns those of the server's version."""
        return Flavor.parse(server).abilities

    def ends_with_us(self) -> AbstractContextManager[None]:
        """Ends the queries that still run."""
        return ends_with_us(self.url)

    def held(self, tables: Sequence[str]) -> AbstractContextManager[None]:
        """Locks the tables for reading."""
        return held(self.url, tables)

    def moved(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
        """Compares where the binary log and the tables stood."""
        return moved(Position(**before), Position(**after))

    def read_chunk(self, table: TablePlan, chunk: Chunk, *, batch_bytes: int) -> Generator[pa.RecordBatch, None, None]:
        """Selects a range of the key."""
        return read_chunk(self.url, table, chunk, batch_bytes=batch_bytes)

    def read_row(self, table: TablePlan, chunk: int, row: pa.RecordBatch) -> pa.RecordBatch | None:  # noqa: ARG002 - the key tells it, see `Source`
        """Selects by the key."""
        return read_row(self.url, table, row)

    def read_back(
        self, table: str, pairs: Sequence[Pair], key: Sequence[str], chunk: Chunk, *, batch_bytes: int
    ) -> Generator[pa.RecordBatch, None, None]:
        """Selects what each pair says."""
        columns = tuple(
            ColumnPlan(
                name=pair.name, select=pair.source_select, read_type=pair.read_type, target_type="", wire="",
                nullable=True,
            )
            for pair in pairs
        )  # fmt: skip
        plan = TablePlan(
            name=table, target="", columns=columns, key=tuple(key), chunks=(), rows_estimate=0, bytes_estimate=0,
            create=None,
        )  # fmt: skip
        return read_chunk(self.url, plan, chunk, batch_bytes=batch_bytes)
