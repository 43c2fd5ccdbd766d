"""Values of real dumps: every column as a live run reads it of the server."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from tests.integration.dumping import assert_same, catalog, dump, fill, live, printed, rows_of
from tests.integration.support import config_for
from vecferry import make_plan
from vecferry.dump.rows import columns_read, read_batch, stored_columns
from vecferry.dump.values import UnreadableError, announced

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.model import Table

FORMS = pytest.mark.parametrize("form", [(), ("--hex-blob",)], ids=["quoted", "hex"])


def random_doubles(count: int) -> list[str]:
    bits = np.random.default_rng(6).integers(0, 2**64, 2 * count, dtype=np.uint64).view(np.float64)
    return [repr(float(value)) for value in bits[np.isfinite(bits)][:count]]


def random_texts(count: int) -> list[str]:
    source = random.Random(6)
    alphabet = "ab'\"\\%_\n\r\t\x1a\0();,-- é€日🐬/*!"
    return [f"x'{''.join(source.choices(alphabet, k=source.randrange(30))).encode().hex()}'" for _ in range(count)]


TEXTS = [
    "''",
    "'a'",
    "x'C3A9F09F90AC'",
    r"'a\'\\\n'",
    "'trailing  '",
    "x'001A09'",
    "'it''s'",
    "'NULL'",
    "'-- ); ('",
    "NULL",
]
LATIN = ["''", "_utf8mb4 x'C3A9E282AC'", "_latin1 x'818D8F909D'", "NULL"]
BYTES = ["''", "x'00'", "x'00FF275C0A'", "'abc'", "x'80'", "NULL"]
DATES = ["'1000-01-01'", "'9999-12-31'", "'1969-12-31'", "'0001-01-01'", "'2024-02-29'", "NULL"]
JSON = [r"""'{"b": [1, 2.50, null], "a": "\\u00e9"}'""", "'\"\\\\ud83d\\\\ude00\"'", "'null'", "'[]'", "NULL"]

COLUMNS: dict[str, list[str]] = {
    "tinyint(1)": ["0", "1", "-128", "127", "NULL"],
    "tinyint": ["-128", "127", "NULL"],
    "tinyint unsigned": ["0", "255", "NULL"],
    "smallint": ["-32768", "32767", "NULL"],
    "smallint unsigned": ["0", "65535", "NULL"],
    "mediumint": ["-8388608", "8388607", "NULL"],
    "mediumint unsigned": ["0", "16777215", "NULL"],
    "int": ["-2147483648", "2147483647", "NULL"],
    "int unsigned": ["0", "4294967295", "NULL"],
    "int(6) unsigned zerofill": ["0", "42", "NULL"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "NULL"],
    "bigint unsigned": ["0", "18446744073709551615", "9223372036854775808", "NULL"],
    "decimal(10,2)": ["-12.3", "0", "-99999999.99", "0.005", "NULL"],
    "decimal(10,2) unsigned zerofill": ["1.5", "NULL"],
    "decimal(7,0)": ["-1234567", "NULL"],
    "decimal(65,30)": ["12345678901234567890123456789012345.123456789012345678901234567891", "-1e-30", "NULL"],
    "float(10,2)": ["0.12", "123456.25", "-0.01", "NULL"],
    "double": ["0.1", "1e308", "5e-324", "1.7976931348623157e308", "-2.2250738585072014e-308", *random_doubles(300),
               "NULL"],
    "double(20,2)": ["0.12", "123456789012345.67", "-0.25", "NULL"],
    "bit(1)": ["b'0'", "b'1'", "NULL"],
    "bit(10)": ["b'1000000011'", "0", "39", "NULL"],
    "bit(64)": ["~0", "0", "0x5C27", "NULL"],
    "date": DATES,
    "datetime": ["'1000-01-01'", "'9999-12-31 23:59:59'", "'2024-02-29 01:02:03'", "NULL"],
    "datetime(3)": ["'2024-02-29 01:02:03.456'", "'0001-01-01'", "NULL"],
    "datetime(6)": ["'1969-12-31 23:59:59.999999'", "'2024-01-01'", "NULL"],
    "timestamp(6) NULL": ["'1970-01-01 12:00:00.000001'", "'2038-01-18 03:14:07.999999'", "'2024-07-01 00:00:00'",
                          "NULL"],
    "time": ["'-838:59:59'", "'838:59:59'", "'-00:00:01'", "'00:00:00'", "NULL"],
    "time(6)": ["'-838:59:58.999999'", "'23:59:59.999999'", "'-00:00:00.5'", "NULL"],
    "time(2)": ["'24:00:00.07'", "NULL"],
    "year": ["0", "1901", "2155", "NULL"],
    "char(10)": ["''", "'a'", "'a   '", "x'C3A9F09F90AC'", "NULL"],
    "char(5) CHARACTER SET latin1": LATIN,
    "varchar(40)": [*TEXTS, *random_texts(300)],
    "varchar(20) CHARACTER SET latin1": LATIN,
    "varchar(20) CHARACTER SET utf16": LATIN,
    "varchar(20) COLLATE utf8mb4_bin": TEXTS,
    "text": TEXTS,
    "longtext": ["'[0.1, -2e-7]'", "REPEAT('x', 100000)", "NULL"],
    "binary(4)": BYTES,
    "binary(16)": ["x'00112233445566778899AABBCCDDEEFF'", "x'27'", "NULL"],
    "varbinary(9)": BYTES,
    "blob": [*BYTES, "x'" + bytes(range(256)).hex() + "'"],
    "longblob": BYTES,
    "enum('a','b''c','x,y','é')": ["'a'", "x'622763'", "'x,y'", "'é'", "'no label'", "NULL"],
    "enum('a','') CHARACTER SET latin1": ["'a'", "''", "NULL"],
    "set('x','y','it''s')": ["''", "'x'", "'y,x'", "x'69742773'", "NULL"],
    "point": ["ST_GeomFromText('POINT(1 -2.5)', 4326)", "ST_GeomFromText('POINT(0 0)', 0)", "NULL"],
    "geometry": [
        "ST_GeomFromText('POLYGON((0 0, 0 1, 1 0, 0 0))', 3857)",
        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 2))', 4326)",
        "NULL",
    ],
}  # fmt: skip
MARIADB_COLUMNS: dict[str, list[str]] = {
    "json": JSON,
    "uuid": ["'00112233-4455-6677-8899-AABBCCDDEEFF'", "NULL"],
    "inet6": ["'2001:db8::ff'", "'::ffff:1.2.3.4'", "'::'", "NULL"],
    "inet4": ["'192.0.2.1'", "'0.0.0.0'", "NULL"],
}


@FORMS
def test_every_type_as_a_live_run_reads_it(
    mysql: MySQLDatabase, postgres: PostgresDatabase, form: tuple[str, ...]
) -> None:
    columns = COLUMNS | MARIADB_COLUMNS
    fill(mysql, columns)
    [table] = make_plan(config_for(mysql, postgres, on=["nul-byte=replace"])).tables
    source = catalog(mysql)["t"]
    values = rows_of(dump(mysql, *form), source, columns_read(table))
    assert_same(read_batch(values, source, table), live(mysql, table), list(columns))


def test_every_type_of_mysql_56(mysql56: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql56, COLUMNS)
    [table] = make_plan(config_for(mysql56, postgres, on=["nul-byte=replace"])).tables
    source = catalog(mysql56)["t"]
    assert_same(read_batch(printed(mysql56, source), source, table), live(mysql56, table), list(COLUMNS))


def test_texts_in_their_columns_own_character_set(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    latin2 = ["_utf8mb4 x'C59AC4850A'", "'plain'"]
    columns = {kind: values for kind, values in COLUMNS.items() if "char" in kind or "enum" in kind or "text" in kind}
    columns |= {"varchar(9) CHARACTER SET latin2": latin2, "text CHARACTER SET ucs2": LATIN, "json": JSON}
    fill(mysql, columns)
    [table] = make_plan(config_for(mysql, postgres, on=["nul-byte=replace"])).tables
    source = catalog(mysql)["t"]
    values = rows_of(dump(mysql, "--default-character-set=binary"), source, columns_read(table))
    assert_same(read_batch(values, source, table), live(mysql, table), list(columns))


def test_times_of_a_session_elsewhere(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    moments = ["'1970-01-02 00:00:00'", "'2024-07-01 12:00:00.5'", "'0000-00-00'", "NULL"]
    columns = {"timestamp(1) NULL": moments, "timestamp NULL": moments, "datetime(1)": moments}
    fill(mysql, columns)
    [table] = make_plan(config_for(mysql, postgres, on=["zero-date=replace"])).tables
    source, expected = catalog(mysql)["t"], live(mysql, table)
    # A server without tables of time zones knows none by name.
    summer = printed_in(mysql, source, "+01:00")
    summer["c0"][1], summer["c1"][1] = "2024-07-01 14:00:00.5", "2024-07-01 14:00:00"
    there = {"Europe/Paris": summer} | {zone: printed_in(mysql, source, zone) for zone in ("+05:30", "-9:00")}
    for zone, texts in there.items():
        raw = pa.record_batch([pa.array(column, pa.string()) for column in texts.values()], [*texts])
        values = stored_columns(raw, source, [*texts], zone)
        assert_same(read_batch(values, source, table), expected, list(columns))


def printed_in(mysql: MySQLDatabase, source: Table, zone: str) -> dict[str, list[str | None]]:
    with mysql.connect(conv={}) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = %s", (zone,))
        cursor.execute(f"SELECT * FROM `{source.name}` ORDER BY id")
        found = list(zip(*cursor.fetchall(), strict=True))
    return {column.name: list(values) for column, values in zip(source.columns, found, strict=True)}


def test_a_float_has_six_digits_and_that_is_announced(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    bits = np.random.default_rng(6).integers(0, 2**32, 2000, dtype=np.uint32).view(np.float32)
    values = [repr(float(value)) for value in bits[np.isfinite(bits)]]
    exact = ["0.1", "-0.0", "16777200", "3.40282e38", "1.5e-45", "1234.5"]
    fill(mysql, {"float": [*exact, *values, "NULL"], "float(7,3)": exact, "double": exact})
    [table] = make_plan(config_for(mysql, postgres)).tables
    source = catalog(mysql)["t"]
    assert [(loss.column, "six digits" in loss.reason) for loss in announced(source)] == [("c0", True)]
    found = read_batch(rows_of(dump(mysql), source, columns_read(table)), source, table)
    other = live(mysql, table)
    assert found.schema == other.schema
    assert found["c1"].to_pylist() == other["c1"].to_pylist()
    own, theirs = found["c0"].to_numpy(zero_copy_only=False), other["c0"].to_numpy()
    assert own[: len(exact)].tobytes() == theirs[: len(exact)].tobytes()
    assert not np.array_equal(own, theirs, equal_nan=True)
    normal = np.abs(theirs) > np.finfo(np.float32).tiny
    assert np.all(np.abs(own[normal] - theirs[normal]) <= 5.1e-6 * np.abs(theirs[normal]))


@pytest.mark.parametrize(("kind", "value", "message"), [
    ("date", "'0000-00-00'", "c0 at id = 1 holds '0000-00-00', which is no date"),
    ("datetime", "'2024-02-30 01:02:03'", "c0 at id = 1 holds '2024-02-30 01:02:03', which is no datetime"),
], ids=["date", "datetime"])  # fmt: skip
def test_what_nobody_repairs_is_told_with_its_row(
    mysql: MySQLDatabase, postgres: PostgresDatabase, kind: str, value: str, message: str
) -> None:
    fill(mysql, {kind: ["'2024-01-01'", value, "'2024-01-01'"]})
    [table] = make_plan(config_for(mysql, postgres)).tables
    source = catalog(mysql)["t"]
    with pytest.raises(UnreadableError) as caught:
        read_batch(rows_of(dump(mysql), source, columns_read(table)), source, table)
    assert str(caught.value) == message
