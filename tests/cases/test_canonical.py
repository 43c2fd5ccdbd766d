"""The canonical form itself: what it must take for the same, and what it must not."""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests.cases.canonical import from_source, from_target
from tests.cases.case import all_cases

ID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
NOON = dt.datetime(2024, 7, 1, 12)
EAST = dt.timezone(dt.timedelta(hours=2))
POINT = bytes.fromhex("000000000000f03f0000000000000040")

# MySQL's type, PyMySQL's value, PostgreSQL's type, psycopg's value.
SAME: list[tuple[str, Any, str, Any]] = [
    ("tinyint", 1, "boolean", True),
    ("tinyint", 1, "smallint", 1),
    ("bigint", 2**64 - 1, "numeric", Decimal(2**64 - 1)),
    ("decimal", Decimal("1.10"), "numeric", Decimal("1.1")),
    ("float", 0.10000000149011612, "real", 0.1),
    ("double", -0.0, "double precision", -0.0),
    ("bit", b"\x01", "boolean", True),
    ("bit", b"\x01\x02", "bit", "0000000100000010"),
    ("date", dt.date(2024, 7, 1), "timestamp without time zone", dt.datetime(2024, 7, 1)),
    ("datetime", NOON, "timestamp with time zone", NOON.replace(tzinfo=dt.UTC)),
    ("timestamp", NOON, "timestamp with time zone", dt.datetime(2024, 7, 1, 14, tzinfo=EAST)),
    ("time", dt.timedelta(hours=-838), "interval", dt.timedelta(hours=-838)),
    ("time", dt.timedelta(hours=1, microseconds=5), "time without time zone", dt.time(1, 0, 0, 5)),
    ("set", "a,b", "text[]", ["a", "b"]),
    ("set", "", "text[]", []),
    ("set", "a,b", "text", "a,b"),
    ("char", str(ID).upper(), "uuid", ID),
    ("binary", ID.bytes, "uuid", ID),
    ("inet6", "::1", "inet", ipaddress.ip_address("::1")),
    ("longtext", '{"b": 1.50, "a": [true, null]}', "jsonb", '{"a": [true, null], "b": 1.5}'),
    ("longtext", '{"1": 2, "0": 0.1}', "vector", "[0.1,2]"),
    ("blob", b"\x00\xff", "bytea", b"\x00\xff"),
    ("point", bytes.fromhex("e6100000" "0101000000") + POINT, "bytea", bytes.fromhex("0101000020e6100000") + POINT),
    ("point", bytes.fromhex("00000000" "0101000000") + POINT, "geometry", "0101000000" + POINT.hex()),
    ("int", None, "integer", None),
]  # fmt: skip

OTHER: list[tuple[str, Any, str, Any]] = [
    ("tinyint", 2, "boolean", True),
    ("tinyint", 1, "smallint", True),
    ("bigint", 2**53 + 1, "numeric", Decimal(2**53)),
    ("double", 0.0, "double precision", -0.0),
    ("double", 0.1, "double precision", 0.10000000000000002),
    ("varchar", "", "text", None),
    ("varchar", "a ", "text", "a"),
    ("varchar", "é", "text", "e\u0301"),
    ("datetime", NOON, "timestamp with time zone", NOON.replace(hour=13, tzinfo=dt.UTC)),
    ("datetime", "0000-00-00 00:00:00", "timestamp without time zone", None),
    ("set", "", "text[]", [""]),
    ("set", "a,b", "text[]", ["b", "a"]),
    ("longtext", "1", "jsonb", "true"),
    ("longtext", "1", "jsonb", '"1"'),
    ("longtext", "1.0000000000000000001", "jsonb", "1.0"),
    ("longtext", "[1, 2]", "vector", "[1,2,0]"),
    ("longtext", "[0.1]", "vector", "[0.10000002]"),
    ("blob", b"\x00", "bytea", b""),
    ("point", bytes.fromhex("e6100000" "0101000000") + POINT, "bytea", bytes.fromhex("0101000000") + POINT),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "source", "target", "carried"), SAME)
def test_the_same_value_has_one_form(kind: str, source: Any, target: str, carried: Any) -> None:
    assert from_source(source, kind, target) == from_target(carried, kind, target)


@pytest.mark.parametrize(("kind", "source", "target", "carried"), OTHER)
def test_another_value_has_another_form(kind: str, source: Any, target: str, carried: Any) -> None:
    assert from_source(source, kind, target) != from_target(carried, kind, target)


def test_a_datetime_is_meant_in_a_zone() -> None:
    carried = dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC)
    target = "timestamp with time zone"
    assert from_source(NOON, "datetime", target, "Europe/Paris") == from_target(carried, "datetime", target)
    assert from_source(NOON, "timestamp", target, "Europe/Paris") != from_target(carried, "timestamp", target)


def test_every_directory_is_a_case() -> None:
    cases = all_cases()
    for case in cases:
        said = case.expected
        # A case that neither compares nor asks nor expects a refusal could not fail.
        assert said.compare or said.query or said.refused, case.name
        assert not (said.refused and (said.query or said.loss or said.note)), case.name
