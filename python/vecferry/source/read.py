"""Reads one chunk as Arrow record batches, exactly as the source holds it.

A chunk with a key goes through connectorx, which is fast and holds all of it in memory. How large it is, the plan
only guesses from a sample, so the server is told to end the query where it gets too large (`mapping.select.within`).
Such a chunk, and a table without a key, is streamed by PyMySQL: TCP makes the server wait, so memory stays within a
batch.
"""

from __future__ import annotations

import re
import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import connectorx
import pyarrow as pa
import pymysql
from pymysql.cursors import SSCursor

from vecferry.errors import SourceError, one_line
from vecferry.mapping.select import COUNT_FROM_ZERO, computable, literal, quote, select, within
from vecferry.model import Chunk
from vecferry.source.connect import READ_ONLY, SESSION, cut_off, open_connection, translate
from vecferry.source.probe import probe
from vecferry.source.running import reading
from vecferry.tls import source_mode

if TYPE_CHECKING:
    from collections.abc import Generator

    from vecferry.config import DatabaseURL
    from vecferry.model import TablePlan

MOST_ROWS = 65_536
_TYPES = {"date32": pa.date32(), "timestamp[us]": pa.timestamp("us"), "binary": pa.binary()}
_FLOATS = frozenset({"float", "double"})
_OF_ANY_SIZE = frozenset({"string", "binary"})
STREAM_BYTES = 8 * 1024 * 1024
"""A batch of a stream gains nothing by being larger. A row that is larger comes by a stream: on its way through both
drivers, some six copies of it are in memory."""
LEAST_BYTES = 4 * 1024 * 1024
TOLERANCE = 2
"""How many times as large as planned a chunk may be and still be held as a whole."""
_OUT_OF_RANGE = 1690
_TOO_LARGE = ("offset overflow", "larger than max_allowed_packet", f"ERROR {_OUT_OF_RANGE} ")
"""Arrow's own words, the driver's, which keeps to a limit that the server's answers do not have, and the server's
for a number out of range."""
large_row = threading.Lock()
"""Who holds it carries rows of more than `STREAM_BYTES`, on whichever side."""
_VALUE = re.compile(r"Couldn't convert the value `(?P<value>.*)` to a desired type", re.DOTALL)
_LONGEST_VALUE = 80


def read_chunk(
    url: DatabaseURL, table: TablePlan, chunk: Chunk, *, batch_bytes: int
) -> Generator[pa.RecordBatch, None, None]:
    """Yields the rows of `chunk`, with the columns of the plan in its order and under its names.

    Every column has the Arrow type that its `read_type` names; a decimal is text. From a row of more than
    `STREAM_BYTES` on, a chunk is the only one of the process that reads such rows, until it is read or closed: whoever
    gives up on the way must close it.

    Args:
        url: the source.
        table: the table's plan.
        chunk: which rows.
        batch_bytes: how large the chunk was meant to be. One that is more than `TOLERANCE` times as large comes in
            batches of no more than so much and a row.

    Raises:
        SourceError: the server cannot be reached, refused the query, or holds a value that cannot be read.
    """
    if not table.key:
        yield from _stream(url, table, chunk, batch_bytes)
        return
    try:
        found = _load(url, table, chunk, TOLERANCE * max(LEAST_BYTES, batch_bytes))
    except _TooLargeError:
        yield from _stream(url, table, chunk, batch_bytes)
        return
    yield from found


def read_row(url: DatabaseURL, table: TablePlan, row: pa.RecordBatch) -> pa.RecordBatch | None:
    """Reads one row again; None where no row has its key any more.

    Args:
        url: the source.
        table: the table's plan; it must have a key.
        row: the row as it was read before, a batch of one.

    Raises:
        SourceError: see `read_chunk`.
    """
    conditions = []
    for place, column in enumerate(table.columns):
        if (column.source or column.name) in table.key:
            value = row.column(place)[0].as_py()
            conditions.append(f"{column.select} <=> {'NULL' if value is None else literal(value)}")
    whole = Chunk(table.name, 0)
    with closing(_stream(url, table, whole, 1, " AND ".join(conditions))) as found:
        return next(found, None)


def arrow_type(read_type: str) -> pa.DataType:
    """Returns the Arrow type that a plan's `read_type` names."""
    if read_type.startswith("decimal"):
        return pa.string()
    return _TYPES.get(read_type) or pa.type_for_alias(read_type)


class _TooLargeError(Exception):
    """The chunk has more bytes than may be held at once."""


def _load(url: DatabaseURL, table: TablePlan, chunk: Chunk, most_bytes: int) -> list[pa.RecordBatch]:
    sized = [column for column in table.columns if column.read_type in _OF_ANY_SIZE]
    query = select(
        table.name, table.reads, table.key, chunk.lower, chunk.upper, also=within(sized, most_bytes, STREAM_BYTES)
    )
    address = _driver_url(url, secure=probe(url)).with_password()
    try:
        with reading(query):
            result = connectorx.read_sql(
                address, query, return_type="arrow", pre_execution_query=[SESSION + COUNT_FROM_ZERO, READ_ONLY]
            )
        return _typed(result, table)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if any(sign in str(error) for sign in _TOO_LARGE):
            raise _TooLargeError from None
        raise _failed(error, url, table, chunk) from error


def _driver_url(url: DatabaseURL, *, secure: bool) -> DatabaseURL:
    """Returns the URL in connectorx's words.

    It takes PREFERRED for REQUIRED, so what PyMySQL found is said instead. It would also leave TCP for the
    UNIX socket that a server on this machine names, which may be another server's when ours is in a container.
    """
    mode = source_mode(url)
    if mode == "PREFERRED":
        mode = "REQUIRED" if secure else "DISABLED"
    ca = url.option("ssl-ca")
    options = [
        ("prefer_socket", "false"),
        ("tcp_connect_timeout_ms", "5000"),
        ("tcp_keepalive_time_ms", "30000"),
        ("ssl-mode", mode),
    ]
    if ca and mode.startswith("VERIFY"):
        options.append(("ssl-ca", ca))
    return replace(url, scheme="mysql", options=tuple(options))


def _typed(result: pa.Table, table: TablePlan) -> list[pa.RecordBatch]:
    columns = []
    for found, column in zip(result.columns, table.reads, strict=True):
        wanted = arrow_type(column.read_type)
        same = found.type == wanted or (pa.types.is_large_string(found.type) and wanted == pa.string())
        columns.append(found if same else found.cast(wanted))
    typed = pa.Table.from_arrays(columns, names=[column.name for column in table.reads])
    return [batch for batch in typed.to_batches() if batch.num_rows]


def _stream(
    url: DatabaseURL, table: TablePlan, chunk: Chunk, batch_bytes: int, condition: str = ""
) -> Generator[pa.RecordBatch, None, None]:
    # MySQL prints a FLOAT with six digits; as a double it prints every one. A product keeps -0, a sum does not.
    columns = [
        replace(column, select=f"({column.select}) * 1e0") if column.read_type in _FLOATS else column
        for column in table.reads
    ]
    sized = [column for column in table.columns if column.read_type in _OF_ANY_SIZE]
    also = " AND ".join(filter(None, (computable(sized), condition)))
    query = select(table.name, columns, table.key, chunk.lower, chunk.upper, also=also)
    # Without decoders every value is the server's own bytes, which Arrow then reads a column at a time.
    connection = open_connection(url, conv={}, use_unicode=False)
    cursor = SSCursor(connection)
    alone = ExitStack()
    _wait_for_large_rows(connection, alone)
    try:
        cursor.execute(READ_ONLY)
        cursor.execute(query)
        rows: list[tuple[bytes | None, ...]] = []
        size = 0
        while (row := cursor.fetchone()) is not None:
            rows.append(row)
            size += sum(map(len, filter(None, row)))
            if size >= min(batch_bytes, STREAM_BYTES) or len(rows) >= MOST_ROWS:
                batch = _batch(rows, table)
                # Nothing of the rows is held while they are converted and written, nor of the batch after that.
                rows, row, size = [], None, 0
                yield batch
                del batch
        if rows:
            yield _batch(rows, table)
    except (pymysql.err.Error, OSError, pa.ArrowInvalid) as error:
        raise _failed(error, url, table, chunk) from error
    finally:
        alone.close()
        _drop(connection, cursor)


def _wait_for_large_rows(connection: Any, alone: ExitStack) -> None:  # noqa: ANN401 - PyMySQL's own
    """Makes the connection enter `alone` into the one who carries large rows, before it takes the first of them."""
    read, entered = connection._read_bytes, False  # noqa: SLF001 - a row is whole in memory before PyMySQL says more of it

    def read_bytes(size: int) -> bytes:
        nonlocal entered
        if size > STREAM_BYTES and not entered:
            entered = True
            alone.enter_context(large_row)
        return read(size)  # type: ignore[no-any-return]

    connection._read_bytes = read_bytes  # noqa: SLF001


def _batch(rows: list[tuple[bytes | None, ...]], table: TablePlan) -> pa.RecordBatch:
    arrays = []
    for values, column in zip(zip(*rows, strict=True), table.reads, strict=True):
        wanted = arrow_type(column.read_type)
        if pa.types.is_binary(wanted):
            arrays.append(pa.array(values, type=wanted))
            continue
        text = pa.array(values, type=pa.string())
        arrays.append(text if wanted == pa.string() else text.cast(wanted))
    return pa.record_batch(arrays, names=[column.name for column in table.reads])


def _drop(connection: Any, cursor: Any) -> None:  # noqa: ANN401 - PyMySQL's own
    """Closes a stream that may not be at its end; PyMySQL's own close would read all that is left first."""
    result = cursor._result  # noqa: SLF001 - there is no other way to it
    if result is not None:
        result.unbuffered_active = False
    cursor.connection = None
    connection._force_close()  # noqa: SLF001 - it says no goodbye to a server that is busy sending


def _failed(error: BaseException, url: DatabaseURL, table: TablePlan, chunk: Chunk) -> SourceError:
    where = f"table {table.name}{_range(table, chunk)}"
    if isinstance(error, pymysql.err.Error) and error.args[:1] == (_OUT_OF_RANGE,):
        return SourceError(
            f"{where} at {url.place} holds a value that is larger than the server's max_allowed_packet and has to be"
            " converted on the way, which would make it NULL: raise max_allowed_packet on the source"
        )
    if isinstance(error, pa.ArrowInvalid) or (type(error).__name__ == "PanicException" and not cut_off(error)):
        match = _VALUE.search(one_line(error))
        value = match["value"] if match else one_line(error)
        if len(value) > _LONGEST_VALUE:
            value = value[:_LONGEST_VALUE] + "..."
        return SourceError(
            f"{where} at {url.place} holds a value that the reader cannot represent, such as the date 0000-00-00"
            f" or a text that is not UTF-8 ({value}): correct it in the source, or leave the table out"
        )
    return translate(error, url, f"read {where}")


def _range(table: TablePlan, chunk: Chunk) -> str:
    if not table.key or (chunk.lower is None and chunk.upper is None):
        return ""
    names = ", ".join(quote(name) for name in table.key)
    lower = "the start" if chunk.lower is None else ", ".join(chunk.lower)
    upper = "the end" if chunk.upper is None else ", ".join(chunk.upper)
    return f" with {names} between {lower} (exclusive) and {upper}"
