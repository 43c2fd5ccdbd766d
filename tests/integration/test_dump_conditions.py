"""Checks and repairs of a dump's values, each as the server itself answers it to a live run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.integration.dumping import ANYTHING, assert_same, catalog, dump, fill, live, printed, rows_of
from tests.integration.support import config_for
from vecferry import make_plan
from vecferry.config import parse_source
from vecferry.dump.answers import columns_asked
from vecferry.dump.conditions import mask_of
from vecferry.dump.rows import columns_read, read_batch
from vecferry.mapping.checks import FACTS, SENTENCES, Abilities, boolean_fact, checks_of, key_fact, label_facts
from vecferry.model import TargetColumn
from vecferry.source.connect import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.mapping.checks import Check
    from vecferry.model import Table

NO_DATES = ["'0000-00-00'", "'2024-00-10'", "'2024-01-00'", "'2023-02-29'", "'2024-02-30'", "'1900-02-29'",
            "'2024-04-31'", "'2024-02-29'", "'2000-02-29'", "'0000-12-31'", "'0000-02-29'", "'2024-12-31'",
            "NULL"]  # fmt: skip
NO_MOMENTS = [f"{value[:-1]} 11:12:13.000400'" if value != "NULL" else value for value in NO_DATES]
ESCAPES = [
    r"""'{"a": "\\u0000"}'""", r"""'["\\\\u0000"]'""", r"""'["\\\\\\u0000"]'""", r"""'["\\ud83d\\ude00"]'""",
    r"""'["\\ud83d"]'""", r"""'["\\ude00\\ud83d"]'""", r"""'["\\uD83D\\uD83D\\uDE00\\uDE00"]'""", r"""'["\\u00e9"]'""",
    r"""'["\\\\ud83d"]'""", "'{}'", "NULL",
]  # fmt: skip
NO_JSON = [*ESCAPES, "''", "'abc'", "'{'", "'[1,]'", "'01'", "'-1.5e+400'", "'[1] x'", "'NaN'", "'a\"b\\\\c/d'",
           "x'610A0962'", "x'F09F90AC'", "'\\\\u0000'", "x'C3A9'", "' [1]\n'", "'nul'"]  # fmt: skip
LONG = [
    "x'C3A9C3A9C3A9'",
    "''",
    "'abcde'",
    "'abcdef'",
    "x'F09F90ACF09F90ACF09F90ACF09F90ACF09F90ACF09F90AC'",
    "_utf8mb4 x'6100620063'",
    "NULL",
]
UUIDS = [
    "'00112233-4455-6677-8899-AABBCCDDEEFF'", "'00112233445566778899aabbccddeeff'", "''", "'x'",
    "'0011-2233445566778899aabbccddeeff'", "'00112233-4455-6677-8899-AABBCCDDEEFG'", "NULL",
]  # fmt: skip

# Column type, literals, and the target's type, with an enum's labels.
Case = tuple[str, list[str], str]
FITTED: list[Case] = [
    ("int", ["-32769", "-32768", "32767", "32768", "0", "NULL"], "smallint"),
    ("int unsigned", ["2147483648", "2147483647", "NULL"], "integer"),
    ("bigint unsigned", ["9223372036854775808", "9223372036854775807", "18446744073709551615", "NULL"], "bigint"),
    ("bigint", ["99999", "100000", "-99999", "-100000", "NULL"], "numeric(5)"),
    ("bigint unsigned", ["99999", "100000", "18446744073709551615", "NULL"], "numeric(5,0)"),
    ("tinyint", ["0", "1", "2", "-1", "NULL"], "boolean"),
    ("smallint unsigned zerofill", ["1", "32768", "NULL"], "smallint"),
    ("decimal(20,6)", ["999999.99", "1000000", "-999999.999999", "-0.001", "0.001", "1.5", "0", "NULL"],
     "numeric(8,2)"),
    ("decimal(20,6)", ["1.5", "-0.4", "2", "NULL"], "numeric(20,0)"),
    ("decimal(4,2)", ["0.99", "1", "-1.01", "0.5", "NULL"], "numeric(2,2)"),
    ("date", NO_DATES, "date"),
    ("date", NO_DATES, "timestamp(3) without time zone"),
    ("datetime(6)", [*NO_MOMENTS, "'2024-01-01 00:00:00.123'", "'2024-01-01 00:00:00.000001'"],
     "timestamp(3) without time zone"),
    ("datetime(2)", ["'2024-01-01 00:00:00.10'", "'0000-00-00'", "NULL"], "timestamp(0) with time zone"),
    ("timestamp(6) NULL", ["'0000-00-00'", "'2024-01-01 00:00:00.987654'", "NULL"], "timestamp(2) with time zone"),
    ("time", ["'-00:00:01'", "'00:00:00'", "'23:59:59'", "'24:00:00'", "'838:59:59'", "NULL"],
     "time(0) without time zone"),
    ("varchar(40)", LONG, "character varying(5)"),
    ("text", LONG, "character varying(5)"),
    ("char(10)", LONG, "character(5)"),
    ("varchar(40) CHARACTER SET utf16", LONG, "text"),
    ("set('a','bcd','ef')", ["''", "'a,bcd'", "'a,bcd,ef'", "NULL"], "character varying(5)"),
    ("longtext", NO_JSON, "jsonb"),
    ("longtext", NO_JSON, "json"),
    ("json", ESCAPES, "jsonb"),
    ("char(40)", UUIDS, "uuid"),
    ("varchar(40)", UUIDS, "uuid"),
    ("varbinary(20)", ["''", "x'00112233445566778899AABBCCDDEEFF'", "x'00'", "NULL"], "uuid"),
    ("enum('a','b','é')", ["'a'", "'b'", "'é'", "'nothing'", "NULL"], "mood"),
    ("varchar(9)", ["'a'", "'A'", "'a '", "'é'", "''", "NULL"], "mood"),
    ("varchar(40)", ["'a'", "x'6100'", "NULL"], "character varying(40) NOT NULL"),
]  # fmt: skip
POLICIES = {
    "null": ["zero-date=null", "nul-byte=null", "json-escape=null", "json-text=null", "out-of-range=null",
             "too-precise=truncate", "too-long=null", "unknown-label=null", "not-uuid=null"],
    "replace": ["zero-date=replace", "nul-byte=replace", "json-escape=replace", "json-text=replace",
                "out-of-range=null", "too-precise=truncate", "too-long=truncate", "unknown-label=null",
                "not-uuid=null"],
    "mixed": ["json-escape=null", "json-text=replace", "zero-date=replace", "nul-byte=null", "too-long=truncate",
              "unknown-label=null", "not-uuid=null", "out-of-range=null", "too-precise=truncate"],
}  # fmt: skip


def fitted(mysql: MySQLDatabase, postgres: PostgresDatabase, cases: Sequence[Case] = FITTED) -> None:
    if any(kind == "json" for kind, _, _ in cases):
        # MariaDB would look at what it takes for a JSON column.
        mysql.execute("SET SESSION check_constraint_checks = 0")
    fill(mysql, {f"{kind} /*{number}*/": values for number, (kind, values, _) in enumerate(cases)})
    postgres.execute("CREATE TYPE mood AS ENUM ('b', 'é', '')")
    there = ", ".join(f"c{number} {kind}" for number, (_, _, kind) in enumerate(cases))
    postgres.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {there})")


KINDS = [f"{kind} -> {there}" for kind, _, there in FITTED]


@pytest.mark.parametrize("policies", POLICIES.values(), ids=POLICIES)
def test_repairs_as_the_server_makes_them(
    mysql: MySQLDatabase, postgres: PostgresDatabase, policies: list[str]
) -> None:
    fitted(mysql, postgres)
    [table] = make_plan(config_for(mysql, postgres, on=policies)).tables
    assert {kind for column in table.columns for kind, _ in column.repairs} == {
        entry.split("=")[0] for entry in policies
    }
    source = catalog(mysql)["t"]
    values = rows_of(dump(mysql), source, columns_read(table))
    assert_same(read_batch(values, source, table), live(mysql, table), KINDS)


def test_repairs_as_mysql_56_makes_them(mysql56: MySQLDatabase, postgres: PostgresDatabase) -> None:
    cases = [case for case in FITTED if "json" not in case[0] + case[2]]
    fitted(mysql56, postgres, cases)
    [table] = make_plan(config_for(mysql56, postgres, on=POLICIES["replace"])).tables
    source = catalog(mysql56)["t"]
    found = read_batch(printed(mysql56, source), source, table)
    assert_same(found, live(mysql56, table), [f"{kind} -> {there}" for kind, _, there in cases])


def test_guards_as_the_server_tells_them(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fitted(mysql, postgres)
    [table] = make_plan(config_for(mysql, postgres, on_invalid="reject")).tables
    reasons = {guard.reason for guard in table.guards}
    assert reasons == {entry.split("=")[0] for entry in POLICIES["null"]} | {"null"}
    source = catalog(mysql)["t"]
    values = rows_of(dump(mysql, "--hex-blob"), source, columns_read(table))
    assert_same(read_batch(values, source, table), live(mysql, table), KINDS)


def checks(source: Table, abilities: Abilities) -> list[Check]:
    """Every check of the fitted table, and every fact."""
    found: list[Check] = []
    for column, (kind, _, there) in zip(source.columns[1:], FITTED, strict=True):
        target_type = there.removesuffix(" NOT NULL")
        labels = ("b", "é", "") if there == "mood" else ()
        target = TargetColumn(column.name, target_type, "e" if labels else "b", nullable=there == target_type,
                              has_default=False, labels=labels)  # fmt: skip
        found += checks_of(column, target, abilities)
        found += [boolean_fact(column)] if kind == "tinyint" else []
        found += label_facts(column) if kind.startswith("enum") else []
    texts = [
        column for column in source.columns if column.data_type in {"varchar", "text", "longtext", "varbinary", "set"}
    ]
    return [*found, key_fact("several", texts), key_fact("one", [source.column("c17")])]


def masks(mysql: MySQLDatabase, source: Table, asked: Sequence[Check]) -> list[list[bool]]:
    listed = ", ".join(f"COALESCE({check.condition}, 0)" for check in asked)
    with connect(parse_source(mysql.url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {listed} FROM `{source.name}` ORDER BY id")
        return [[bool(value) for value in column] for column in zip(*cursor.fetchall(), strict=True)]


def test_conditions_as_the_server_sees_them(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fitted(mysql, postgres)
    mysql.execute("UPDATE t SET c17 = REPEAT('é', 2000) WHERE id = 3")
    source = catalog(mysql)["t"]
    [enum] = [column for column in source.columns if column.column_type.startswith("enum")]
    # A label that the description of a live server does not tell.
    untold = replace(enum, column_type="enum('a','b','?')")
    source = replace(source, columns=tuple(untold if column is enum else column for column in source.columns))
    asked = checks(source, ANYTHING)
    assert {check.kind for check in asked} == {*SENTENCES, *FACTS} - {"other-shape"}
    values = rows_of(dump(mysql), source, columns_asked(asked, ["id"]))
    for check, expected in zip(asked, masks(mysql, source, asked), strict=True):
        assert mask_of(check, values, source).to_pylist() == expected, check
        assert any(expected) != all(expected), f"proves nothing: {check}"


def test_conditions_as_mysql_56_sees_them(mysql56: MySQLDatabase) -> None:
    there = [case for case in FITTED if case[0] != "json"]
    fill(mysql56, {f"{kind} /*{number}*/": values for number, (kind, values, _) in enumerate(there)})
    source = catalog(mysql56)["t"]
    asked = []
    for column, (_, _, kind) in zip(source.columns[1:], there, strict=True):
        target = TargetColumn(column.name, kind.split(" NOT")[0], "e" if kind == "mood" else "b", nullable=True,
                              has_default=False, labels=("b", "é", ""))  # fmt: skip
        found = checks_of(column, target, Abilities(json=False, lookaround=False, flat_shapes=True))
        asked += [check for check in found if not check.kind.startswith("json")]
    values = printed(mysql56, source)
    for check, expected in zip(asked, masks(mysql56, source, asked), strict=True):
        assert mask_of(check, values, source).to_pylist() == expected, check
    assert len({check.kind for check in asked}) == 7


SHAPES = [
    "POINT(1 2)", "POINT(181 0)", "POINT(-180 90)", "POINT(0 -90.5)", "LINESTRING(0 0, 200 1)", "LINESTRING(0 0, 20 1)",
    "POLYGON((0 0, 0 91, 1 0, 0 0))", "POLYGON((0 0, 0 9, 1 0, 0 0), (0 0, 0 1, 1 0, 0 0))", "MULTIPOINT(300 4, 1 2)",
    "MULTIPOLYGON(((0 0, 0 -99, 1 0, 0 0)), ((0 0, 0 1, 1 0, 0 0)))",
    "GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 2))",
    "GEOMETRYCOLLECTION(POINT(1 2), POLYGON((0 0, 0 1, 500 0, 0 0)))",
]  # fmt: skip
SHAPED = [
    "geography(Point,4326)", "geography", "geometry(Polygon)", "geometry(Geometry,3857)", "geometry(PointZ)",
    "geometry(LineString,4326)",
]  # fmt: skip


def test_shapes_as_the_server_sees_them(mysql: MySQLDatabase) -> None:
    shapes = [f"ST_GeomFromText('{shape}', {srid})" for shape in SHAPES for srid in (0, 4326, 3857)]
    fill(mysql, {"geometry": [*shapes, "NULL"]})
    source = catalog(mysql)["t"]
    column = source.column("c0")
    targets = [TargetColumn("c0", there, "b", nullable=True, has_default=False) for there in SHAPED]
    asked = [check for target in targets for check in checks_of(column, target, ANYTHING)]
    assert len(asked) == len(SHAPED)
    values = rows_of(dump(mysql), source, ["c0"])
    for check, expected in zip(asked, masks(mysql, source, asked), strict=True):
        assert mask_of(check, values, source).to_pylist() == expected, check
        assert any(expected) != all(expected), f"proves nothing: {check}"


def test_what_is_no_json_is_told_where_mariadb_takes_it(mysql: MySQLDatabase) -> None:
    deep = f"'{'[' * 40}{']' * 40}'"
    fill(mysql, {"longtext": [r"""'["\\x"]'""", "x'5B2201225D'", deep, "'[1]'"]})
    source = catalog(mysql)["t"]
    target = TargetColumn("c0", "json", "b", nullable=True, has_default=False)
    [check] = checks_of(source.column("c0"), target, ANYTHING)
    values = rows_of(dump(mysql), source, ["c0"])
    assert masks(mysql, source, [check]) == [[False, True, True, False]]
    assert mask_of(check, values, source).to_pylist() == [True, True, False, False]


def test_a_repair_of_escapes_leaves_other_texts_alone(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql, {"longtext": ["x'5B2201225D'", "x'5B2202225D'", r"""'["\\u0000"]'"""]})
    postgres.execute("CREATE TABLE t (id integer PRIMARY KEY, c0 jsonb)")
    [table] = make_plan(config_for(mysql, postgres, on=["json-escape=replace"])).tables
    assert live(mysql, table)["c0"].to_pylist() == ['["\x01"]', '["\x02"]', r'["\ufffd"]']


def test_a_leap_day_that_arrow_knows_and_the_server_does_not(mysql: MySQLDatabase) -> None:
    fill(mysql, {"date": ["'0000-02-29'", "'0000-02-28'", "'2000-02-29'", "NULL"]})
    source = catalog(mysql)["t"]
    target = TargetColumn("c0", "date", "b", nullable=True, has_default=False)
    asked = checks_of(source.column("c0"), target, ANYTHING)
    values = rows_of(dump(mysql), source, ["c0"])
    [expected] = masks(mysql, source, asked)
    assert expected == [True, False, False, False]
    assert mask_of(asked[0], values, source).to_pylist() == expected
