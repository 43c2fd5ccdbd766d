"""Bulk load through ADBC's COPY BINARY; the only importer of the ADBC driver.

The driver's own handles are used, not its DB-API layer: that one imports polars where it is installed, which
takes longer than loading ten thousand embeddings.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement
from adbc_driver_manager import Error as AdbcError
from psycopg import sql

from vecferry.errors import InvalidValueError, TargetError, one_line
from vecferry.model import ChunkResult
from vecferry.target.connect import PATH, PATIENCE, conninfo, refusal
from vecferry.target.ledger import INSERT_CHUNK

if TYPE_CHECKING:
    from vecferry.config import DatabaseURL

_RECORDED = sql.SQL(
    "SELECT rows_read, rows_written, rows_rejected, bytes_read, seconds FROM vecferry.chunk"
    " WHERE run_id = {} AND table_name = {} AND number = {}"
)


class Loader:
    """The target of a load, from which each worker opens a writer; opening the first is the costly one."""

    def __init__(self, url: DatabaseURL, schema: str) -> None:
        self._url = url
        self._schema = schema
        self._lock = threading.Lock()
        self._database: AdbcDatabase | None = None

    def close(self) -> None:
        """Closes what the writers share; they are closed before."""
        if self._database is not None:
            with suppress(AdbcError):
                self._database.close()

    def writer(self) -> Writer:
        """Opens a writer.

        Raises:
            TargetError: the server cannot be reached or refuses.
        """
        with self._lock:
            if self._database is None:
                # The driver logs in to learn the server's types; the writers share them.
                try:
                    self._database = adbc_driver_postgresql.connect(conninfo(self._url))
                except AdbcError as error:
                    raise _translate(error, self._url, "connect") from error
        return Writer(self._database, self._url, self._schema)


class Writer:
    """Loads wire columns into tables of one schema, a transaction a chunk; for one thread.

    Commits do not wait for the disk: a chunk and its ledger row are lost together if the server's machine
    dies, and the next run loads the chunk again.
    """

    def __init__(self, database: AdbcDatabase, url: DatabaseURL, schema: str) -> None:
        self._url = url
        self._schema = schema
        try:
            self._connection = AdbcConnection(database)
        except AdbcError as error:
            raise _translate(error, url, "connect") from error
        try:
            self._execute("SET synchronous_commit = off")
            self._execute(PATIENCE)
            self._execute(PATH)
            self._connection.set_autocommit(False)
        except AdbcError as error:
            # The driver does not let go of a database with a connection that is open.
            self.close()
            raise _translate(error, url, "connect") from error

    def write(self, table: str, batches: pa.RecordBatchReader) -> int:
        """Appends `batches` to `table` in the open transaction and returns the number of rows.

        Raises:
            InvalidValueError: PostgreSQL refused a value; its own words are in the message.
            TargetError: it refused anything else.
        """
        try:
            with AdbcStatement(self._connection) as statement:
                statement.set_options(
                    **{
                        "adbc.ingest.target_table": table,
                        "adbc.ingest.target_db_schema": self._schema,
                        "adbc.ingest.mode": "adbc.ingest.mode.append",
                    }
                )
                statement.bind_stream(batches)
                return int(statement.execute_update())
        except AdbcError as error:
            raise _translate(error, self._url, f"load rows into table {table}") from error

    def commit(self, run_id: str, result: ChunkResult) -> None:
        """Records the chunk in the ledger and commits it with its rows.

        Raises:
            TargetError: PostgreSQL refused; its own words are in the message.
        """
        values = (run_id, result.table, result.number, result.rows_read, result.rows_written, result.rows_rejected,
                  result.bytes_read, result.seconds)  # fmt: skip
        listed = sql.SQL(", ").join([sql.Literal(value) for value in values])
        try:
            # Written out: binding through Arrow would prepare a statement for every chunk.
            self._execute(sql.SQL(INSERT_CHUNK).format(listed).as_string())
            self._connection.commit()
        except AdbcError as error:
            raise _translate(error, self._url, f"record chunk {result.number} of table {result.table}") from error

    def recorded(self, run_id: str, table: str, number: int) -> ChunkResult | None:
        """Returns what the ledger says of a chunk if it is committed; throws the open transaction away.

        Raises:
            TargetError: PostgreSQL refused; its own words are in the message.
        """
        self.rollback()
        query = _RECORDED.format(sql.Literal(run_id), sql.Literal(table), sql.Literal(number)).as_string()
        try:
            with AdbcStatement(self._connection) as statement:
                statement.set_sql_query(query)
                stream, _ = statement.execute_query()
                rows = pa.RecordBatchReader.from_stream(stream).read_all().to_pylist()
        except (AdbcError, pa.ArrowException, OSError) as error:
            # What goes wrong while the rows come is told by Arrow.
            raise _translate(error, self._url, "read the ledger") from error
        finally:
            self.rollback()
        return ChunkResult(table=table, number=number, **rows[0]) if rows else None

    def execute(self, query: str) -> None:
        """Runs a statement in the open transaction.

        Raises:
            TargetError: PostgreSQL refused; its own words are in the message.
        """
        try:
            self._execute(query)
        except AdbcError as error:
            raise _translate(error, self._url, "run a statement") from error

    def _execute(self, query: str) -> None:
        with AdbcStatement(self._connection) as statement:
            statement.set_sql_query(query)
            statement.execute_update()

    def rollback(self) -> None:
        """Throws the open transaction away; a dead connection has done so by itself."""
        with suppress(AdbcError):
            self._connection.rollback()

    def close(self) -> None:
        """Closes the connection; a dead one is closed already."""
        with suppress(AdbcError):
            self._connection.close()


_NOISE = re.compile(
    r"\b(?:INVALID_ARGUMENT|INVALID_DATA|ALREADY_EXISTS|UNAUTHORIZED|UNKNOWN|INTERNAL|INTEGRITY|INVALID_STATE|NOT_FOUND"
    r"|CANCELLED|IO): |\[libpq\] "
    r"|Failed to execute COPY statement: |Failed to begin transaction: |Error writing tuple field data: "
    r"|Failed to connect: |COPY query failed: | ?Query was: COPY .* WITH \(FORMAT binary\)"
    r"|PGRES_FATAL_ERROR |(?:ERROR|FATAL): +|\. SQLSTATE: \w+"
)
_DATA_CLASSES = ("22", "23")
"""SQLSTATE classes of values that do not fit
(https://www.postgresql.org/docs/current/errcodes-appendix.html): "data exception", "integrity constraint violation"."""


def _translate(error: Exception, url: DatabaseURL, doing: str) -> TargetError | InvalidValueError:
    sqlstate = error.sqlstate if isinstance(error, AdbcError) else None
    refused = refusal(url, doing, _NOISE.sub("", one_line(error)), sqlstate)
    if (sqlstate or "").startswith(_DATA_CLASSES):
        return InvalidValueError(refused.sentence)
    return refused
