"""Reads one chunk as Arrow record batches, exactly as the source holds it.

A chunk with a key goes through connectorx, which is fast and holds all of it in memory: the key's range is the
bound. A table without a key is streamed by PyMySQL: TCP makes the server wait, so memory stays within a batch.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import connectorx
import pyarrow as pa
import pymysql
from pymysql.cursors import SSCursor

from vecferry.errors import SourceError, one_line
from vecferry.mapping.select import quote, select
from vecferry.source.connect import READ_ONLY, SESSION, cut_off, open_connection, ssl_mode, translate
from vecferry.source.probe import probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.config import DatabaseURL
    from vecferry.model import Chunk, TablePlan

MOST_ROWS = 65_536
_TYPES = {"date32": pa.date32(), "timestamp[us]": pa.timestamp("us"), "binary": pa.binary()}
_FLOATS = frozenset({"float", "double"})
_TOO_LARGE = "offset overflow"
_VALUE = re.compile(r"Couldn't convert the value `(?P<value>.*)` to a desired type", re.DOTALL)
_LONGEST_VALUE = 80


def read_chunk(url: DatabaseURL, table: TablePlan, chunk: Chunk, *, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yields the rows of `chunk`, with the columns of the plan in its order and under its names.

    Every column has the Arrow type that its `read_type` names; a decimal is text.

    Args:
        url: the source.
        table: the table's plan.
        chunk: which rows.
        batch_bytes: about how large the batches of a stream are. A chunk with a key comes as it was read.

    Raises:
        SourceError: the server cannot be reached, refused the query, or holds a value that cannot be read.
    """
    if not table.key:
        yield from _stream(url, table, chunk, batch_bytes)
        return
    try:
        found = _load(url, table, chunk)
    except _TooLargeError:
        yield from _stream(url, table, chunk, batch_bytes)
        return
    yield from found


def arrow_type(read_type: str) -> pa.DataType:
    """Returns the Arrow type that a plan's `read_type` names."""
    if read_type.startswith("decimal"):
        return pa.string()
    return _TYPES.get(read_type) or pa.type_for_alias(read_type)


class _TooLargeError(Exception):
    """The chunk has more text than fits under 32-bit offsets."""


def _load(url: DatabaseURL, table: TablePlan, chunk: Chunk) -> list[pa.RecordBatch]:
    query = select(table.name, table.columns, table.key, chunk.lower, chunk.upper)
    address = _driver_url(url, secure=probe(url)).with_password()
    try:
        result = connectorx.read_sql(address, query, return_type="arrow", pre_execution_query=[SESSION, READ_ONLY])
        return _typed(result, table)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if _TOO_LARGE in str(error):
            raise _TooLargeError from None
        raise _failed(error, url, table, chunk) from error


def _driver_url(url: DatabaseURL, *, secure: bool) -> DatabaseURL:
    """Returns the URL in connectorx's words.

    It takes PREFERRED for REQUIRED, so what PyMySQL found is said instead. It would also leave TCP for the
    UNIX socket that a server on this machine names, which may be another server's when ours is in a container.
    """
    mode = ssl_mode(url)
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
    for found, column in zip(result.columns, table.columns, strict=True):
        wanted = arrow_type(column.read_type)
        same = found.type == wanted or (pa.types.is_large_string(found.type) and wanted == pa.string())
        columns.append(found if same else found.cast(wanted))
    typed = pa.Table.from_arrays(columns, names=[column.name for column in table.columns])
    return [batch for batch in typed.to_batches() if batch.num_rows]


def _stream(url: DatabaseURL, table: TablePlan, chunk: Chunk, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    # MySQL prints a FLOAT with six digits; as a double it prints every one. A product keeps -0, a sum does not.
    columns = [
        replace(column, select=f"({column.select}) * 1e0") if column.read_type in _FLOATS else column
        for column in table.columns
    ]
    query = select(table.name, columns, table.key, chunk.lower, chunk.upper)
    # Without decoders every value is the server's own bytes, which Arrow then reads a column at a time.
    connection = open_connection(url, conv={}, use_unicode=False)
    cursor = SSCursor(connection)
    try:
        cursor.execute(READ_ONLY)
        cursor.execute(query)
        rows: list[tuple[bytes | None, ...]] = []
        size = 0
        while (row := cursor.fetchone()) is not None:
            rows.append(row)
            size += sum(map(len, filter(None, row)))
            if size >= batch_bytes or len(rows) >= MOST_ROWS:
                yield _batch(rows, table)
                rows, size = [], 0
        if rows:
            yield _batch(rows, table)
    except (pymysql.err.Error, OSError, pa.ArrowInvalid) as error:
        raise _failed(error, url, table, chunk) from error
    finally:
        _drop(connection, cursor)


def _batch(rows: list[tuple[bytes | None, ...]], table: TablePlan) -> pa.RecordBatch:
    arrays = []
    for values, column in zip(zip(*rows, strict=True), table.columns, strict=True):
        wanted = arrow_type(column.read_type)
        if pa.types.is_binary(wanted):
            arrays.append(pa.array(values, type=wanted))
            continue
        text = pa.array(values, type=pa.string())
        arrays.append(text if wanted == pa.string() else text.cast(wanted))
    return pa.record_batch(arrays, names=[column.name for column in table.columns])


def _drop(connection: Any, cursor: Any) -> None:  # noqa: ANN401 - PyMySQL's own
    """Closes a stream that may not be at its end; PyMySQL's own close would read all that is left first."""
    result = cursor._result  # noqa: SLF001 - there is no other way to it
    if result is not None:
        result.unbuffered_active = False
    cursor.connection = None
    connection._force_close()  # noqa: SLF001 - it says no goodbye to a server that is busy sending


def _failed(error: BaseException, url: DatabaseURL, table: TablePlan, chunk: Chunk) -> SourceError:
    where = f"table {table.name}{_range(table, chunk)}"
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
