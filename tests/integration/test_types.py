"""Every type of the table, both ways of reading, compared by PyMySQL and psycopg."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.integration.support import run, target_rows
from vecferry.config import parse_source
from vecferry.mapping.typemap import TYPES, row_for
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

DECIMAL_65 = Decimal("12345678901234567890123456789012345.123456789012345678901234567891")

POINT = struct.pack("<BI2d", 1, 1, 1, 2)
"""POINT(1 2) as WKB (OGC 06-103r4, 8.2)."""


def ewkb(kind: int, rest: bytes, srid: int = 4326) -> bytes:
    """PostGIS's form: WKB with a flag in the type and the SRID after it."""
    return struct.pack("<BII", 1, kind | 0x20000000, srid) + rest


# Column type, MySQL literal, PostgreSQL type as format_type says it, value as psycopg reads it.
CASES: list[tuple[str, str, str, Any]] = [
    ("tinyint(1)", "1", "boolean", True),
    ("tinyint", "-128", "smallint", -128),
    ("tinyint unsigned", "255", "smallint", 255),
    ("smallint", "-32768", "smallint", -32768),
    ("smallint unsigned", "65535", "integer", 65535),
    ("mediumint", "-8388608", "integer", -8388608),
    ("mediumint unsigned", "16777215", "integer", 16777215),
    ("int", "-2147483648", "integer", -2147483648),
    ("int unsigned zerofill", "4294967295", "bigint", 4294967295),
    ("bigint", "-9223372036854775808", "bigint", -9223372036854775808),
    ("bigint unsigned", "18446744073709551615", "numeric(20,0)", Decimal(18446744073709551615)),
    ("decimal(10,2)", "-12.30", "numeric(10,2)", Decimal("-12.30")),
    ("decimal(65,30)", str(DECIMAL_65), "numeric(65,30)", DECIMAL_65),
    ("float", "1.1", "real", 1.1),  # printed shortest: equal texts are equal bits
    ("double", "1.1e-300", "double precision", 1.1e-300),
    ("bit(1)", "b'1'", "boolean", True),
    ("bit(10)", "b'1000000001'", "bit(10)", "1000000001"),
    ("bit(64)", "~0", "bit(64)", "1" * 64),
    ("date", "'1000-01-01'", "date", dt.date(1000, 1, 1)),
    ("datetime", "'9999-12-31 23:59:59'", "timestamp(0) without time zone", dt.datetime(9999, 12, 31, 23, 59, 59)),
    ("datetime(6)", "'2020-02-29 01:02:03.456789'", "timestamp(6) without time zone",
     dt.datetime(2020, 2, 29, 1, 2, 3, 456789)),
    ("timestamp(3) NULL", "'2038-01-19 03:14:07.999'", "timestamp(3) with time zone",
     dt.datetime(2038, 1, 19, 3, 14, 7, 999000, tzinfo=dt.UTC)),
    ("time(6)", "'-838:59:58.999999'", "interval",
     -dt.timedelta(hours=838, minutes=59, seconds=58, microseconds=999999)),
    ("year", "2155", "smallint", 2155),
    ("char(5)", "'ab'", "character varying(5)", "ab"),
    ("varchar(20)", "'é😀\\\\ \\'\"\\n'", "character varying(20)", "é😀\\ '\"\n"),
    ("varchar(10) CHARACTER SET latin1", "'é€'", "character varying(10)", "é€"),
    *((kind, "'é'", "text", "é") for kind in ("tinytext", "text", "mediumtext")),
    ("longtext", "REPEAT('x', 100000)", "text", "x" * 100000),
    ("binary(4)", "x'0001'", "bytea", b"\x00\x01\x00\x00"),
    ("varbinary(10)", "x'00ff'", "bytea", b"\x00\xff"),
    *((kind, "x'00'", "bytea", b"\x00") for kind in ("tinyblob", "blob", "mediumblob")),
    ("longblob", "x'00ff80'", "bytea", b"\x00\xff\x80"),
    ("enum('b','a','it''s')", "'it\\'s'", "t_{}_enum", "it's"),
    ("set('x','y','z')", "'z,x'", "text[]", ["x", "z"]),
    ("set('x','y')", "''", "text[]", []),
    ("json", "'{\"b\": [1, 2.50, null], \"a\": \"\\\\u00e9\"}'", "jsonb", {"b": [1, 2.5, None], "a": "é"}),
    ("uuid", "'00112233-4455-6677-8899-AABBCCDDEEFF'", "uuid", UUID("00112233-4455-6677-8899-aabbccddeeff")),
    ("inet6", "'2001:db8::ff'", "inet", IPv6Address("2001:db8::ff")),
    ("inet4", "'192.0.2.1'", "inet", IPv4Address("192.0.2.1")),
    ("point", "ST_GeomFromText('POINT(1 2)', 4326)", "bytea", ewkb(1, struct.pack("<2d", 1, 2))),
    ("linestring", "ST_GeomFromText('LINESTRING(0 0, 1 2)', 4326)", "bytea",
     ewkb(2, struct.pack("<I4d", 2, 0, 0, 1, 2))),
    ("polygon", "ST_GeomFromText('POLYGON((0 0, 0 1, 1 0, 0 0))', 4326)", "bytea",
     ewkb(3, struct.pack("<II8d", 1, 4, 0, 0, 0, 1, 1, 0, 0, 0))),
    ("multipoint", "ST_GeomFromText('MULTIPOINT(1 2)', 4326)", "bytea", ewkb(4, struct.pack("<I", 1) + POINT)),
    ("multilinestring", "ST_GeomFromText('MULTILINESTRING((0 0, 1 2))', 4326)", "bytea",
     ewkb(5, struct.pack("<IBII4d", 1, 1, 2, 2, 0, 0, 1, 2))),
    ("multipolygon", "ST_GeomFromText('MULTIPOLYGON(((0 0, 0 1, 1 0, 0 0)))', 4326)", "bytea",
     ewkb(6, struct.pack("<IBIII8d", 1, 1, 3, 1, 4, 0, 0, 0, 1, 1, 0, 0, 0))),
    ("geometrycollection", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))', 4326)", "bytea",
     ewkb(7, struct.pack("<I", 1) + POINT)),
    ("geometry", "ST_GeomFromText('POINT(1 2)', 0)", "bytea", ewkb(1, struct.pack("<2d", 1, 2), srid=0)),
]  # fmt: skip


ELSEWHERE = {"vector", "geomcollection"}
"""Types that no server of these tests has: the first needs MariaDB 11.7 or MySQL 9, the second is MySQL 8's word."""


def test_every_row_of_the_type_table_has_a_case(mysql: MySQLDatabase) -> None:
    columns = ", ".join(f"c{n} {kind}" for n, (kind, *_) in enumerate(CASES))
    mysql.execute(f"CREATE TABLE t ({columns}) CHARACTER SET utf8mb4")
    with connect(parse_source(mysql.url)) as connection:
        [table] = read_catalog(connection).tables
    found = {row.mysql for column in table.columns if (row := row_for(column))}
    assert {row.mysql for row in TYPES} - found == ELSEWHERE


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["keyed", "keyless"])
def test_every_type_arrives_whole(mysql: MySQLDatabase, postgres: PostgresDatabase, key: str) -> None:
    columns = ", ".join(f"c{n} {kind}" for n, (kind, *_) in enumerate(CASES))
    mysql.execute(f"CREATE TABLE t (id int NOT NULL {key}, {columns}) CHARACTER SET utf8mb4")
    mysql.execute(f"INSERT INTO t VALUES (1, {', '.join(literal for _, literal, _, _ in CASES)})")
    mysql.execute("INSERT INTO t (id) VALUES (2)")
    report = run(mysql, postgres)
    assert report.status == "ok"
    types = dict(
        postgres.rows(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 't'::regclass AND attnum > 0"
        )
    )
    full, empty = target_rows(postgres, "t", "id")
    for n, (kind, _, expected_type, expected) in enumerate(CASES):
        assert types[f"c{n}"] == expected_type.format(f"c{n}"), kind
        assert full[f"c{n}"] == expected, kind
        assert empty[f"c{n}"] is None, kind


def test_uuids_land_in_an_existing_uuid_column(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    value = UUID("00112233-4455-6677-8899-aabbccddeeff")
    mysql.execute("CREATE TABLE t (id char(36) PRIMARY KEY, b binary(16))")
    mysql.execute(f"INSERT INTO t VALUES ('{str(value).upper()}', x'{value.hex}')")
    postgres.execute("CREATE TABLE t (b uuid, id uuid PRIMARY KEY)")
    assert run(mysql, postgres).status == "ok"
    assert postgres.rows("SELECT id, b FROM t") == [(value, value)]
