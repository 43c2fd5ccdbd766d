"""What tests of dump files share: dumps by the real mariadb-dump, and their rows as the compiled parser gives them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from vecferry._core import DumpScan, parse_rows
from vecferry.config import parse_source
from vecferry.dump.rows import stored_columns, wanted
from vecferry.dump.values import raw_kind
from vecferry.mapping.checks import Abilities
from vecferry.model import Chunk
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect
from vecferry.source.read import read_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.conftest import MySQLDatabase
    from vecferry.model import Table, TablePlan

ANYTHING = Abilities(json=True, lookaround=True, flat_shapes=True)
"""What can be asked of a dump."""


def dump(mysql: MySQLDatabase, *options: str) -> bytes:
    """Dumps a database, structure and all."""
    parts = urlsplit(mysql.url)
    command = ["mariadb-dump", "--no-defaults", "--protocol=tcp", f"--host={parts.hostname}", f"--port={parts.port}",
               f"--user={parts.username}", *options, mysql.database]  # fmt: skip
    environment = {**os.environ, "MYSQL_PWD": unquote(parts.password or "")}
    return subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60).stdout


def rows_of(text: bytes, source: Table, columns: Iterable[str]) -> dict[str, pa.Array]:
    """Reads the stored values of a table's columns from a dump; it must have rows of it."""
    names = list(columns)
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        pieces = [piece for piece in DumpScan(file.name, with_data=True) if piece.table == source.name]
    found = []
    for piece in pieces:
        if piece.data is None:
            continue
        fields = piece.columns or [column.name for column in source.columns]
        asked = wanted(source, names, fields, piece.settings.charset)
        raw = parse_rows(
            piece.data, offset=piece.start, line=piece.line, fields=len(fields),
            wanted=[(place, kind) for _, place, kind in asked], settings=piece.settings,
        )  # fmt: skip
        found += [
            stored_columns(pa.array(batch), source, [name for name, _, _ in asked], piece.settings.time_zone)
            for batch in raw
        ]
    return {name: pa.concat_arrays([part[name] for part in found]) for name in names}


def fill(mysql: MySQLDatabase, columns: dict[str, list[str]], name: str = "t") -> None:
    listed = ", ".join(f"c{n} {kind}{'' if 'NULL' in kind else ' NULL'}" for n, kind in enumerate(columns))
    mysql.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
    mysql.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, {listed}) CHARACTER SET utf8mb4")
    count = max(map(len, columns.values()))
    rows = [
        f"({row}, {', '.join(values[row] if row < len(values) else 'NULL' for values in columns.values())})"
        for row in range(count)
    ]
    mysql.execute(f"INSERT INTO {name} VALUES {', '.join(rows)}")


def catalog(mysql: MySQLDatabase) -> dict[str, Table]:
    with connect(parse_source(mysql.url)) as connection:
        return {table.name: table for table in read_catalog(connection).tables}


def live(mysql: MySQLDatabase, table: TablePlan) -> pa.Table:
    batches = read_chunk(parse_source(mysql.url), table, Chunk(table.name, 0), batch_bytes=1 << 24)
    found = pa.Table.from_batches(list(batches)).sort_by("id")
    return pa.table([plain(column) for column in found.columns], names=found.column_names)


def plain(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.cast(pa.string()) if pa.types.is_large_string(whole.type) else whole


def printed(mysql: MySQLDatabase, source: Table) -> dict[str, pa.Array]:
    """What any program that dumps a table has of it: the server's own text, for a server that mariadb-dump refuses."""
    with mysql.connect(conv={}, use_unicode=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00', NAMES utf8mb4")
        cursor.execute(f"SELECT * FROM `{source.name}` ORDER BY id")
        found = list(zip(*cursor.fetchall(), strict=True))
    arrays = []
    for column, values in zip(source.columns, found, strict=True):
        kind = raw_kind(column, "utf8mb4")
        if kind == "bit":
            arrays.append(pa.array([None if value is None else value.rjust(8, b"\0") for value in values], pa.binary()))
        else:
            arrays.append(pa.array(values, pa.string() if kind.startswith("text") else pa.binary()))
    names = [column.name for column in source.columns]
    return stored_columns(pa.record_batch(arrays, names=names), source, names)


def assert_same(found: pa.RecordBatch, expected: pa.Table, kinds: Sequence[str]) -> None:
    assert found.schema == expected.schema
    for name, own, other in zip(expected.column_names, found.columns, expected.columns, strict=True):
        kind = kinds[int(name[1:])] if name[0] == "c" else name
        assert shown(own) == shown(other.combine_chunks()), kind


def shown(values: pa.Array) -> list[Any]:
    # Python has no year 0; and -0.0 equals 0.0.
    found: list[Any] = (values if pa.types.is_binary(values.type) else values.cast(pa.string())).to_pylist()
    return found
