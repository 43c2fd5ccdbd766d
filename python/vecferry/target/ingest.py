"""Bulk load through ADBC's COPY BINARY."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as AdbcError

from vecferry.errors import RefusedRowError, TargetError, mask, one_line
from vecferry.target.adbc import Database, execute
from vecferry.target.connect import PATH, PATIENCE, refusal

if TYPE_CHECKING:
    from vecferry.config import DatabaseURL


class Loader:
    """The target of a load, from which each worker opens a writer; opening the first is the costly one."""

    def __init__(self, url: DatabaseURL, schema: str) -> None:
        self._url = url
        self._schema = schema
        self._database = Database(url)

    def close(self) -> None:
        """Closes what the writers share; they are closed before."""
        self._database.close()

    def writer(self) -> Writer:
        """Opens a writer.

        Raises:
            TargetError: the server cannot be reached or refuses.
        """
        try:
            connection = self._database.open(("SET synchronous_commit = off", PATIENCE, PATH))
        except AdbcError as error:
            raise _translate(error, self._url, "connect") from error
        return Writer(connection, self._url, self._schema)


class Writer:
    """Loads wire columns into tables of one schema, a transaction a chunk; for one thread.

    Commits do not wait for the disk: a chunk and its ledger row are lost together if the server's machine
    dies, and the next run loads the chunk again.
    """

    def __init__(self, connection: AdbcConnection, url: DatabaseURL, schema: str) -> None:
        self._connection = connection
        self._url = url
        self._schema = schema
        # Its transactions are begun here: the driver's own mode cannot go back to a savepoint.
        self._begun = False
        self._closing = threading.Lock()
        self._closed = False

    def write(self, table: str, batches: pa.RecordBatchReader, schema: str | None = None) -> int:
        """Appends `batches` to `table` in the open transaction and returns the number of rows.

        Args:
            table: the table's name.
            batches: wire columns.
            schema: where the table is, if not in the writer's own schema.

        Raises:
            RefusedRowError: PostgreSQL refused a value; its own words are in the message.
            TargetError: it refused anything else.
        """
        try:
            self._begin()
            with AdbcStatement(self._connection) as statement:
                statement.set_options(
                    **{
                        "adbc.ingest.target_table": table,
                        "adbc.ingest.target_db_schema": schema or self._schema,
                        "adbc.ingest.mode": "adbc.ingest.mode.append",
                    }
                )
                statement.bind_stream(batches)
                return int(statement.execute_update())
        except AdbcError as error:
            raise _translate(error, self._url, f"load rows into table {table}", table) from error

    def commit(self) -> None:
        """Commits the open transaction.

        Raises:
            RefusedRowError: PostgreSQL refused a value that it looks at only now.
            TargetError: it refused anything else.
        """
        self.execute("COMMIT", "commit rows")
        self._begun = False

    def execute(self, query: str, doing: str = "run a statement") -> None:
        """Runs a statement in the open transaction.

        Args:
            query: the statement, its values written out: binding through Arrow would prepare it every time.
            doing: completes "the target refused to ...".

        Raises:
            RefusedRowError: PostgreSQL refused a value.
            TargetError: it refused anything else.
        """
        try:
            self._begin()
            execute(self._connection, query)
        except AdbcError as error:
            raise _translate(error, self._url, doing) from error

    def rows(self, query: str, doing: str = "answer a query") -> list[dict[str, Any]]:
        """Returns the rows of a query in the open transaction, by column.

        Args:
            query: the query, its values written out.
            doing: completes "the target refused to ...".

        Raises:
            TargetError: PostgreSQL refused; its own words are in the message.
        """
        try:
            self._begin()
            with AdbcStatement(self._connection) as statement:
                statement.set_sql_query(query)
                stream, _ = statement.execute_query()
                found: list[dict[str, Any]] = pa.RecordBatchReader.from_stream(stream).read_all().to_pylist()
                return found
        except (AdbcError, pa.ArrowException, OSError) as error:
            # What goes wrong while the rows come is told by Arrow.
            raise _translate(error, self._url, doing) from error

    def _begin(self) -> None:
        if not self._begun:
            execute(self._connection, "BEGIN")
            self._begun = True

    def rollback(self) -> None:
        """Throws the open transaction away; a dead connection has done so by itself."""
        if self._begun:
            with suppress(AdbcError):
                execute(self._connection, "ROLLBACK")
            self._begun = False

    def cancel(self) -> None:
        """Asks the server to end the running statement; to be called from any thread."""
        with self._closing, suppress(AdbcError):
            if not self._closed:
                self._connection.cancel()

    def close(self) -> None:
        """Closes the connection; a dead one is closed already."""
        with self._closing, suppress(AdbcError):
            self._closed = True
            self._connection.close()


_NOISE = re.compile(
    r"\b(?:INVALID_ARGUMENT|INVALID_DATA|ALREADY_EXISTS|UNAUTHORIZED|UNKNOWN|INTERNAL|INTEGRITY|INVALID_STATE|NOT_FOUND"
    r"|CANCELLED|IO): |\[libpq\] "
    r"|Failed to execute COPY statement: |Failed to begin transaction: |Error writing tuple field data: "
    r"|Failed to connect: |COPY query failed: | ?Query was: COPY .* WITH \(FORMAT binary\)"
    r"|PGRES_FATAL_ERROR |(?:ERROR|FATAL): +|\. SQLSTATE: \w+"
    # PostgreSQL's own hint stands before ours; a query that the driver makes itself says nothing to a user.
    r"| HINT: .*?(?= CONTEXT: |$)|Failed to execute query '.*?': (?=permission denied)"
)
_DATA_CLASSES = ("22", "23", "44", "54", "P0")
"""SQLSTATE classes of values that do not fit
(https://www.postgresql.org/docs/current/errcodes-appendix.html): "data exception", "integrity constraint violation",
"WITH CHECK OPTION violation", "program limit exceeded", and what a trigger raises."""


def _translate(error: Exception, url: DatabaseURL, doing: str, table: str = "") -> TargetError | RefusedRowError:
    sqlstate = error.sqlstate if isinstance(error, AdbcError) else None
    words = _NOISE.sub("", one_line(error)).strip().partition(" CONTEXT: ")[0]
    details = error.details if isinstance(error, AdbcError) else ()
    fields = {str(name, "utf-8") if isinstance(name, bytes) else name: value for name, value in details}
    if primary := fields.get("PG_DIAG_MESSAGE_PRIMARY", b"").decode(errors="replace"):
        detail = fields.get("PG_DIAG_MESSAGE_DETAIL", b"").decode(errors="replace")
        words = " ".join(f"{primary} ({detail.removesuffix('.')})".split()) if detail else " ".join(primary.split())
    refused = refusal(url, doing, words, sqlstate)
    if not isinstance(error, AdbcError) or not (sqlstate or "").startswith(_DATA_CLASSES):
        return refused
    line, column = _place(fields, table)
    return RefusedRowError(
        refused.sentence, words=mask(words, *url.secrets), sqlstate=sqlstate or "", line=line, column=column
    )


def _place(fields: dict[str, bytes], table: str) -> tuple[int | None, str | None]:
    """Returns the row, from 1, and the column that an error names; COPY tells them in its context alone."""
    context = fields.get("PG_DIAG_CONTEXT", b"").decode(errors="replace")
    found = re.search(rf"^COPY {re.escape(table)}, line (\d+)(?:, column (.+))?\Z", context, re.MULTILINE | re.DOTALL)
    named = fields.get("PG_DIAG_COLUMN_NAME", b"").decode(errors="replace")
    if found is None:
        return None, named or None
    return int(found[1]), found[2] or named or None
