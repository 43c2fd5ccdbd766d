"""Chunks read from a real server: every value as it is, by both ways, and what is said when it fails."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from vecferry.config import DatabaseURL, parse_source
from vecferry.errors import SourceError
from vecferry.mapping.select import quote
from vecferry.model import Chunk, ColumnPlan, TablePlan
from vecferry.source.probe import probe
from vecferry.source.read import arrow_type, read_chunk

WHOLE = Chunk("t", 0)
BOTH = pytest.mark.parametrize("key", [("id",), ()], ids=["keyed", "keyless"])
SECRET = "s3cr3t-of-nobody"


def plan(columns: dict[str, str], key: tuple[str, ...] = ("id",), name: str = "t", **selects: str) -> TablePlan:
    return TablePlan(
        name=name,
        target=name,
        columns=tuple(
            ColumnPlan(column, selects.get(column, quote(column)), read_type, "", "", nullable=True)
            for column, read_type in columns.items()
        ),
        key=key,
        chunks=(WHOLE,),
        rows_estimate=0,
        bytes_estimate=0,
        create=None,
    )


def read(mysql: Any, table: TablePlan, chunk: Chunk = WHOLE, batch_bytes: int = 1 << 20) -> pa.Table:
    batches = list(read_chunk(parse_source(mysql.url), table, chunk, batch_bytes=batch_bytes))
    for batch in batches:
        assert batch.num_rows > 0
        assert batch.schema.names == [column.name for column in table.columns]
        for field, column in zip(batch.schema, table.columns, strict=True):
            wanted = arrow_type(column.read_type)
            assert field.type == wanted or (wanted == pa.string() and field.type == pa.large_string())
    return pa.Table.from_batches(batches) if batches else None


NUMBERS = {
    "tinyint": ("int8", [-128, 127, 0, None]),
    "tinyint unsigned": ("uint8", [0, 255, None]),
    "tinyint(1)": ("int8", [0, 1, 2, -1, None]),
    "smallint": ("int16", [-32768, 32767, None]),
    "smallint unsigned": ("uint16", [0, 65535, None]),
    "mediumint": ("int32", [-8388608, 8388607, None]),
    "mediumint unsigned": ("uint32", [0, 16777215, None]),
    "int": ("int32", [-2147483648, 2147483647, None]),
    "int unsigned": ("uint32", [0, 4294967295, None]),
    "int(6) unsigned zerofill": ("uint32", [0, 42, None]),
    "bigint": ("int64", [-9223372036854775808, 9223372036854775807, None]),
    "bigint unsigned": ("uint64", [0, 18446744073709551615, 9223372036854775808, None]),
    "year": ("int16", [0, 1901, 2155, None]),
    "double": ("double", [0.1, 1e308, 5e-324, 1.7976931348623157e308, 1 / 3, 123456789.123456789, None]),
    "double(20,2)": ("double", [0.12, 123456789012345.67, -0.25, None]),
}
TEXTS = {
    "char(5) CHARACTER SET utf8mb4": ("string", ["", "a", "é🐬", "a'\\\n", None]),
    "varchar(20) CHARACTER SET utf8mb4": ("string", ["", "trailing ", "\0\x1a\t", "日本語", None]),
    "varchar(20) CHARACTER SET latin1": ("string", ["é€", "plain", None]),
    "text CHARACTER SET utf8mb4": ("string", ["x" * 60000, "", None]),
    "longtext CHARACTER SET utf8mb4": ("string", ["[0.1, -2e-7]", "🐬" * 1000, None]),
    "enum('a','b''c','') CHARACTER SET utf8mb4": ("string", ["a", "b'c", "", None]),
    "set('x','y') CHARACTER SET utf8mb4": ("string", ["", "x", "x,y", None]),
}
BYTES = {
    "binary(4)": ("binary", [b"\0\xff'\\", b"abcd", None]),
    "varbinary(9)": ("binary", [b"", b"\x80\0", None]),
    "blob": ("binary", [b"\xff" * 60000, b"", None]),
    "longblob": ("binary", [bytes(range(256)), None]),
}
TIMES = {
    "date": ("date32", [date(1000, 1, 1), date(9999, 12, 31), date(1969, 12, 31), date(1, 1, 1), None]),
    "datetime": ("timestamp[us]", [datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59), None]),
    "datetime(3)": ("timestamp[us]", [datetime(2024, 2, 29, 1, 2, 3, 456000), None]),
    "datetime(6)": ("timestamp[us]", [datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2024, 1, 1), None]),
}


@BOTH
@pytest.mark.parametrize(("mysql_type", "case"), [*NUMBERS.items(), *TEXTS.items(), *BYTES.items(), *TIMES.items()])
def test_every_value_as_it_is(mysql: Any, key: tuple[str, ...], mysql_type: str, case: Any) -> None:
    read_type, values = case
    mysql.execute("SET SESSION sql_mode = ''")
    mysql.execute(f"CREATE TABLE t (id int PRIMARY KEY, v {mysql_type} NULL)")
    for number, value in enumerate(values):
        mysql.execute("INSERT INTO t VALUES (%s, %s)", (number, value))
    assert mysql.rows("SELECT COUNT(*) FROM t") == [(len(values),)]
    found = read(mysql, plan({"id": "int32", "v": read_type}, key)).sort_by("id")["v"].to_pylist()
    assert found == values
    assert [str(value) for value in found] == [str(value) for value in values]


@BOTH
def test_every_float_bit_for_bit(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v float NULL)")
    random = np.random.default_rng(1).integers(0, 2**32, 3000, dtype=np.uint32).view(np.float32)
    edges = np.array([0.0, 0.1, 1e-45, 3.4028235e38, 16777217, 1 / 3], dtype=np.float32)
    values = np.concatenate([edges, random[np.isfinite(random)]])
    rows = ",".join(f"({number},'{float(value)!r}')" for number, value in enumerate(values))
    mysql.execute(f"INSERT INTO t VALUES {rows}")
    found = read(mysql, plan({"id": "int32", "v": "float"}, key)).sort_by("id")["v"].to_numpy()
    assert found.dtype == np.float32
    assert np.array_equal(found.view(np.uint32), values.view(np.uint32))


@BOTH
def test_float_with_digits(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v float(10,2) NULL)")
    mysql.execute("INSERT INTO t VALUES (1, 0.12), (2, 1234567.25), (3, -0.01)")
    found = read(mysql, plan({"id": "int32", "v": "float"}, key)).sort_by("id")["v"].to_numpy()
    assert found.tolist() == np.array([0.12, 1234567.25, -0.01], dtype=np.float32).tolist()


@BOTH
def test_bits_are_bytes(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v bit(10), w bit(64), x bit(1))")
    mysql.execute("INSERT INTO t VALUES (1, b'1000000011', ~0, b'1'), (2, NULL, 0, b'0')")
    found = read(mysql, plan({"id": "int32", "v": "binary", "w": "binary", "x": "binary"}, key)).sort_by("id")
    assert found["v"].to_pylist() == [b"\x02\x03", None]
    assert found["w"].to_pylist() == [b"\xff" * 8, b"\0" * 8]
    assert found["x"].to_pylist() == [b"\x01", b"\0"]


@BOTH
def test_timestamps_are_utc(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("SET SESSION time_zone = '+05:30'")
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v timestamp(6) NULL)")
    mysql.execute("INSERT INTO t VALUES (1, '2024-06-01 05:30:00.000001')")
    found = read(mysql, plan({"id": "int32", "v": "timestamp[us]"}, key))
    assert found["v"].to_pylist() == [datetime(2024, 6, 1, 0, 0, 0, 1)]


@BOTH
def test_decimals_and_times_by_expression(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, d decimal(65,30), t time(6))")
    values = [
        (1, Decimal("12345678901234567890123456789012345.123456789012345678901234567890"), "838:59:59"),
        (2, Decimal("-0.000000000000000000000000000001"), "-00:00:00.000001"),
    ]
    for row in values:
        mysql.execute("INSERT INTO t VALUES (%s, %s, %s)", row)
    microseconds = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'2000-01-01 00:00:00', TIMESTAMP('2000-01-01 00:00:00', `t`))"
    table = plan({"id": "int32", "d": "decimal(65,30)", "t": "int64"}, key, d="CAST(`d` AS CHAR)", t=microseconds)
    found = read(mysql, table).sort_by("id")
    assert [Decimal(text) for text in found["d"].to_pylist()] == [row[1] for row in values]
    assert found["t"].to_pylist() == [(838 * 3600 + 59 * 60 + 59) * 10**6, -1]


@BOTH
def test_hostile_names(mysql: Any, key: tuple[str, ...]) -> None:
    names = ["a`b", "co:lon", "q?", "x''\"\\", "#h -- x", "{brace} %s", "größe", "two\nlines", "; DROP"]
    mysql.execute(
        "CREATE TABLE `t``?:x` (id int PRIMARY KEY, " + ", ".join(f"{quote(name)} int" for name in names) + ")"
    )
    mysql.execute("INSERT INTO `t``?:x` VALUES (" + ", ".join(map(str, range(len(names) + 1))) + ")")
    table = plan({"id": "int32", **dict.fromkeys(names, "int32")}, key, name="t`?:x")
    assert read(mysql, table).to_pylist() == [{"id": 0, **{name: number for number, name in enumerate(names, 1)}}]


@BOTH
def test_no_rows(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    assert read(mysql, plan({"id": "int32", "v": "string"}, key)) is None


def test_a_range(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO t VALUES (1), (2), (3), (4), (5)")
    table = plan({"id": "int32"})
    assert read(mysql, table, Chunk("t", 1, ("2",), ("4",)))["id"].to_pylist() == [3, 4]
    assert read(mysql, table, Chunk("t", 0, None, ("2",)))["id"].to_pylist() == [1, 2]
    assert read(mysql, table, Chunk("t", 2, ("4",), None))["id"].to_pylist() == [5]


def test_a_stream_comes_in_batches(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int, v longtext)")
    for number in range(40):
        mysql.execute("INSERT INTO t VALUES (%s, %s)", (number, "x" * 10_000))
    url, table = parse_source(mysql.url), plan({"id": "int32", "v": "string"}, ())
    batches = list(read_chunk(url, table, WHOLE, batch_bytes=50_000))
    assert [batch.num_rows for batch in batches] == [5] * 8
    assert sorted(pa.Table.from_batches(batches)["id"].to_pylist()) == list(range(40))


def test_a_stream_left_early_is_not_read_to_its_end(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int, v longtext)")
    for number in range(200):
        mysql.execute("INSERT INTO t VALUES (%s, REPEAT('x', 1000000))", (number,))
    batches = read_chunk(parse_source(mysql.url), plan({"id": "int32", "v": "string"}, ()), WHOLE, batch_bytes=1)
    next(batches)
    start = time.monotonic()
    batches.close()
    assert time.monotonic() - start < 0.1


def test_password_and_database_with_any_character(mysql: Any) -> None:
    name, user, password = f"{mysql.database} ü/?%#", f"u{time.monotonic_ns() % 10**9}", "a@b:c/d#e%f?g&h ü🐬"
    mysql.execute(f"CREATE DATABASE {quote(name)} CHARACTER SET utf8mb4")
    with mysql.connect().cursor() as cursor:
        for host in ("%", "localhost"):
            cursor.execute("CREATE USER %s@%s IDENTIFIED BY %s", (user, host, password))
            cursor.execute("GRANT ALL ON *.* TO %s@%s", (user, host))
    try:
        mysql.execute(f"CREATE TABLE {quote(name)}.t AS SELECT 7 AS id")
        url = replace(parse_source(mysql.url), user=user, password=password, database=name)
        for key in ((), ("id",)):
            (batch,) = read_chunk(url, plan({"id": "int64"}, key), WHOLE, batch_bytes=1 << 20)
            assert batch.to_pylist() == [{"id": 7}]
    finally:
        mysql.execute(f"DROP DATABASE {quote(name)}")
        mysql.execute(f"DROP USER {user}@'%', {user}@localhost")


@BOTH
@pytest.mark.parametrize("day", ["0000-00-00", "2024-00-10"])
def test_a_date_that_is_none(mysql: Any, key: tuple[str, ...], day: str) -> None:
    mysql.execute("SET SESSION sql_mode = ''")
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, d date)")
    mysql.execute("INSERT INTO t VALUES (1, '2024-01-01'), (5, %s)", (day,))
    with pytest.raises(SourceError) as caught:
        read(mysql, plan({"id": "int32", "d": "date32"}, key), Chunk("t", 0, ("0",), ("9",)) if key else WHOLE)
    text = str(caught.value)
    between = " with `id` between 0 (exclusive) and 9" if key else ""
    assert text.startswith(f"table t{between} at {parse_source(mysql.url).place} holds a value that the reader")
    assert "such as the date 0000-00-00" in text
    assert day in text


@BOTH
def test_a_table_that_is_gone(mysql: Any, key: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match=r"cannot read table t at .*doesn't exist; the table was dropped"):
        read(mysql, plan({"id": "int32"}, key))


@BOTH
def test_a_wrong_password_is_known_at_once(mysql: Any, key: tuple[str, ...]) -> None:
    url = replace(parse_source(mysql.url), user="nobody", password=SECRET)
    start = time.monotonic()
    with pytest.raises(SourceError, match="check the user and the password") as caught:
        list(read_chunk(url, plan({"id": "int32"}, key), WHOLE, batch_bytes=1 << 20))
    assert time.monotonic() - start < 5
    assert SECRET not in str(caught.value)


@BOTH
def test_a_connection_that_is_killed(mysql: Any, key: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v longtext)")
    for number in range(200):
        mysql.execute("INSERT INTO t VALUES (%s, REPEAT('x', 40000))", (number,))
    # A query that goes on for long enough to be met: each row is sent after a short sleep.
    table = plan({"id": "int32", "v": "string"}, key, v="IF(SLEEP(0.01) = 0, CONCAT(`v`, 'murder'), '')")
    killer = threading.Thread(target=kill, args=(mysql.connect(), "%murder%"))
    killer.start()
    with pytest.raises(SourceError) as caught:
        read(mysql, table, batch_bytes=100_000)
    killer.join()
    assert str(caught.value).startswith("cannot read table t at ")
    assert "run again to go on" in str(caught.value)


def kill(connection: Any, pattern: str) -> None:
    query = "SELECT id FROM information_schema.processlist WHERE info LIKE %s AND info NOT LIKE '%%processlist%%'"
    with connection.cursor() as cursor:
        for _ in range(1000):
            cursor.execute(query, (pattern,))
            for (session,) in cursor.fetchall():
                time.sleep(0.3)
                cursor.execute(f"KILL {session}")
                return
            time.sleep(0.01)


def test_probe_says_when_the_server_is_gone_and_finds_it_again(mysql: Any) -> None:
    url = parse_source(mysql.url)
    assert probe(url) in {True, False}
    for (session,) in mysql.rows("SELECT id FROM information_schema.processlist WHERE db = %s", (mysql.database,)):
        if session != mysql.rows("SELECT CONNECTION_ID()")[0][0]:
            mysql.execute(f"KILL {session}")
    assert probe(url) in {True, False}
    gone = DatabaseURL("mysql", "127.0.0.1", 1, "x", "x", SECRET)
    with pytest.raises(SourceError, match="refused"):
        probe(gone)
