"""Reads rows back as Arrow by ADBC's COPY BINARY, in sessions that cannot write."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as AdbcError

from vecferry.errors import TargetError, one_line
from vecferry.target.adbc import Database
from vecferry.target.connect import PATH, PATIENCE, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.config import DatabaseURL

_SESSION = (
    "SET default_transaction_read_only = on",
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    PATIENCE,
    PATH,
)
_BATCH_BYTES = "adbc.postgresql.batch_size_hint_bytes"


class Library:
    """The target of a verification, from which each worker opens a reader."""

    def __init__(self, url: DatabaseURL) -> None:
        self._url = url
        self._database = Database(url)

    def close(self) -> None:
        """Closes what the readers share; they are closed before."""
        self._database.close()

    def reader(self) -> Reader:
        """Opens a reader.

        Raises:
            TargetError: the server cannot be reached or refuses.
        """
        try:
            return Reader(self._database.open(_SESSION), self._url)
        except AdbcError as error:
            raise _translate(error, self._url, "connect") from error


class Reader:
    """A read-only session; for one thread."""

    def __init__(self, connection: AdbcConnection, url: DatabaseURL) -> None:
        self._connection = connection
        self._url = url

    def rows(self, query: str, table: str, *, batch_bytes: int) -> Iterator[pa.RecordBatch]:
        """Yields what a query returns.

        Args:
            query: a SELECT.
            table: the table, for errors.
            batch_bytes: about how much is held at once, in bytes.

        Raises:
            TargetError: PostgreSQL refused; its own words are in the message.
        """
        try:
            with AdbcStatement(self._connection) as statement:
                statement.set_options(**{_BATCH_BYTES: str(batch_bytes)})
                statement.set_sql_query(query)
                stream, _ = statement.execute_query()
                yield from pa.RecordBatchReader.from_stream(stream)
        except (AdbcError, pa.ArrowException, OSError) as error:
            # What goes wrong while the rows come is told by Arrow.
            raise _translate(error, self._url, f"read table {table}") from error

    def value(self, query: str, table: str, *, batch_bytes: int) -> bytes:
        """Returns one value that a query returns in numbered parts, in any order; empty where it is gone.

        Args:
            query: a SELECT of numbers and bytes.
            table: see `rows`.
            batch_bytes: see `rows`.

        Raises:
            TargetError: see `rows`.
        """
        parts: dict[int, bytes] = {}
        for batch in self.rows(query, table, batch_bytes=batch_bytes):
            parts |= zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
        return b"".join(parts[number] for number in sorted(parts))

    def close(self) -> None:
        """Closes the session; a dead one is closed already."""
        with suppress(AdbcError):
            self._connection.close()


def _translate(error: Exception, url: DatabaseURL, doing: str) -> TargetError:
    sqlstate = error.sqlstate if isinstance(error, AdbcError) else None
    return refusal(url, doing, one_line(error), sqlstate)
