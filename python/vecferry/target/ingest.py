"""Bulk load through ADBC's COPY BINARY; the only importer of the ADBC driver.

A writer is one connection, kept for a worker's life: opening one a chunk costs more than loading a small chunk.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from adbc_driver_manager import Error as AdbcError
from adbc_driver_postgresql import dbapi

from vecferry.errors import TargetError, mask, one_line
from vecferry.target.connect import conninfo
from vecferry.target.ledger import INSERT_CHUNK

if TYPE_CHECKING:
    from types import TracebackType

    import pyarrow as pa

    from vecferry.config import DatabaseURL
    from vecferry.model import ChunkResult


class Writer:
    """Loads wire columns into tables of one schema, a transaction a chunk.

    Commits do not wait for the disk: a chunk and its ledger row are lost together if the server's machine
    dies, and the next run loads the chunk again.
    """

    def __init__(self, url: DatabaseURL, schema: str) -> None:
        self._url = url
        self._schema = schema
        try:
            self._connection = dbapi.connect(conninfo(url), autocommit=False)
            with self._connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
            self._connection.commit()
        except AdbcError as error:
            raise self._translate(error, "connect") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, table: str, batches: pa.RecordBatchReader) -> int:
        """Appends `batches` to `table` in the open transaction and returns the number of rows.

        Raises:
            TargetError: PostgreSQL refused; its own words are in the message.
        """
        try:
            with self._connection.cursor() as cursor:
                return int(cursor.adbc_ingest(table, batches, mode="append", db_schema_name=self._schema))
        except AdbcError as error:
            raise self._translate(error, f"load rows into table {table}") from error

    def commit(self, run_id: str, result: ChunkResult) -> None:
        """Records the chunk in the ledger and commits it with its rows."""
        values = (run_id, result.table, result.number, result.rows_read, result.rows_written, result.rows_rejected,
                  result.bytes_read, result.seconds)  # fmt: skip
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(INSERT_CHUNK, values)
            self._connection.commit()
        except AdbcError as error:
            raise self._translate(error, f"record chunk {result.number} of table {result.table}") from error

    def rollback(self) -> None:
        """Throws the open transaction away; a dead connection has done so by itself."""
        with suppress(AdbcError):
            self._connection.rollback()

    def close(self) -> None:
        """Closes the connection; a dead one is closed already."""
        with suppress(AdbcError):
            self._connection.close()

    def _translate(self, error: AdbcError, doing: str) -> TargetError:
        words = mask(one_line(error), self._url.password)
        for noise in ("INVALID_ARGUMENT: ", "IO: ", "[libpq] ", "UNKNOWN: "):
            words = words.replace(noise, "")
        return TargetError(f"the target {self._url.place} refused to {doing}: {words}")
