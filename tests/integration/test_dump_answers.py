"""What a plan asks of values, counted in real dumps: the answers of the server that wrote them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from tests.integration.dumping import ANYTHING, catalog, dump, rows_of
from vecferry.config import parse_source
from vecferry.dump.answers import (
    Tally,
    columns_asked,
    key_frame,
    parent_frame,
    tally_orphans,
    tally_values,
    together,
)
from vecferry.mapping.checks import checks_of
from vecferry.model import TargetColumn
from vecferry.origin import Answer, Reference
from vecferry.source.ask import ask_orphans, ask_values
from vecferry.source.connect import connect

if TYPE_CHECKING:
    import pyarrow as pa

    from tests.conftest import MySQLDatabase
    from vecferry.model import Table


def halves(values: dict[str, pa.Array]) -> list[dict[str, pa.Array]]:
    middle = len(next(iter(values.values()))) // 2
    # The later rows first: parts come in any order.
    return [{name: part.slice(*place) for name, part in values.items()} for place in ((middle,), (0, middle))]


KEYS = [
    ("int", ["10", "9", "22", "111"]),
    ("bigint unsigned", ["18446744073709551615", "2", "10", "9", "100", "11"]),
    ("decimal(40,3)", ["10.5", "9", "22", "111"]),
    ("varchar(9) COLLATE utf8mb4_bin", ["'b'", "'it''s'", "'a'", "'10'", "'9'", "'aa'"]),
    ("varbinary(9)", ["x'62'", "x'00'", "x'6100'", "x'61'", "x'ff'", "x'80'"]),
    ("enum('z','b','a')", ["'a'", "'b'", "'z'"]),
    ("date", ["'2024-01-01'", "'1000-01-01'", "'2000-02-29'", "'2000-02-28'"]),
    ("datetime(3)", ["'2024-01-01'", "'1000-01-01'", "'2000-02-29 01:02:03.450'", "'2000-02-29 01:02:03.4'"]),
    ("time", ["'-01:00:00'", "'-02:00:00'", "'100:00:00'", "'20:00:00'"]),
    ("year", ["2024", "1999", "2000", "0"]),
    ("bit(9)", ["b'100000000'", "b'1'", "b'11'", "b'10'"]),
]  # fmt: skip


def test_counts_and_examples_as_the_server_gives_them(mysql: MySQLDatabase) -> None:
    mysql.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    for number, (kind, sample) in enumerate(KEYS):
        mysql.execute(
            f"CREATE TABLE t{number} (v varchar(20), k {kind}, m int, PRIMARY KEY (k, m)) CHARACTER SET utf8mb4"
        )
        rows = [f"('long enough', {value}, 2), ('also too long', {value}, 1), ('no', {value}, 3)" for value in sample]
        mysql.execute(f"INSERT INTO t{number} VALUES {', '.join(rows)}")
    tables, text = catalog(mysql), dump(mysql)
    target = TargetColumn("v", "character varying(5)", "b", nullable=False, has_default=False)
    with connect(parse_source(mysql.url)) as connection:
        for number, (kind, sample) in enumerate(KEYS):
            source = tables[f"t{number}"]
            asked = checks_of(source.column("v"), target, ANYTHING)
            expected = ask_values(connection, source.name, asked, ("k", "m"))
            values = rows_of(text, source, columns_asked(asked, ("k", "m")))
            found = together(tally_values(part, source, asked, ("k", "m")) for part in halves(values))
            answers = {(source.name, *name): (tally.count, tally.examples) for name, tally in found.items()}
            assert answers == {name: (answer.count, answer.examples) for name, answer in expected.items()}, kind
            assert answers[source.name, "v", "too-long"][0] == 2 * len(sample)


ORPHANS = [
    ("int", "int", ["1", "2", "NULL", "-3"], ["1", "-3"]),
    ("bigint", "bigint unsigned", ["1", "-1", "9007199254740993"], ["1", "18446744073709551615", "9007199254740992"]),
    ("decimal(9,2)", "decimal(9,2)", ["1.50", "2"], ["1.5", "3"]),
    ("decimal(9,2)", "decimal(12,4)", ["1.50", "2", "0"], ["1.5", "0"]),
    ("datetime(3)", "datetime(6)", ["'2024-01-01 00:00:00.5'", "'2024-01-01'"], ["'2024-01-01 00:00:00.500000'"]),
    ("varbinary(4)", "binary(4)", ["x'61000000'", "x'61'"], ["x'61'"]),
    ("varchar(9)", "varchar(9)", ["'a'", "'A'", "'á'", "'a '", "'b'", "''", "NULL"], ["'a'", "''"]),
    ("varchar(9) CHARACTER SET latin1", "varchar(9)", ["'a'", "'É'", "'é'", "'b'"], ["'A'", "'é'"]),
]  # fmt: skip


def test_orphans_as_the_server_tells_them(mysql: MySQLDatabase) -> None:
    for number, (own, theirs, children, parents) in enumerate(ORPHANS):
        mysql.execute(f"CREATE TABLE p{number} (a {theirs} PRIMARY KEY, b int NOT NULL) CHARACTER SET utf8mb4")
        mysql.execute(f"CREATE TABLE c{number} (id int PRIMARY KEY, a {own}, b int) CHARACTER SET utf8mb4")
        mysql.execute(f"INSERT INTO p{number} VALUES {', '.join(f'({value}, 1)' for value in parents)}")
        for place, value in enumerate(children):
            rows = [f"({3 * place + n}, {value}, {b})" for n, b in enumerate(("1", "2", "NULL"))]
            mysql.execute(f"INSERT INTO c{number} VALUES {', '.join(rows)}")
    tables, text = catalog(mysql), dump(mysql)
    with connect(parse_source(mysql.url)) as connection:
        for number, case in enumerate(ORPHANS):
            child, parent = tables[f"c{number}"], tables[f"p{number}"]
            for names, ignore_case in product(("a", "ab"), (False, True)):
                loose = (child.column("a").character_set is not None, False)[: len(names)]
                reference = Reference(child.name, "fk", (*names,), parent.name, (*names,), loose, ignore_case)
                expected = ask_orphans(connection, reference, ("id",)) or Answer(0)
                found = orphans(text, child, parent, names, ignore_case=ignore_case)
                assert (found.count, found.examples) == (expected.count, expected.examples), (case, names, ignore_case)
                assert expected.count or names == "a"


def orphans(text: bytes, child: Table, parent: Table, names: str, *, ignore_case: bool) -> Tally:
    own, theirs = ([side.column(name) for name in names] for side in (child, parent))
    parts = halves(rows_of(text, parent, names))
    known = parent_frame(key_frame(part, theirs, own, ignore_case=ignore_case) for part in parts)
    total = Tally()
    for part in halves(rows_of(text, child, ["id", *names])):
        total += tally_orphans(key_frame(part, own, theirs, ignore_case=ignore_case), known, part, child, ["id"])
    return total


def test_no_parents_at_all(mysql: MySQLDatabase) -> None:
    mysql.execute("CREATE TABLE p (a int PRIMARY KEY)")
    mysql.execute("CREATE TABLE c (id int PRIMARY KEY, a int)")
    mysql.execute("INSERT INTO c VALUES (1, 7), (2, NULL)")
    child = catalog(mysql)["c"]
    values = rows_of(dump(mysql), child, ["id", "a"])
    sides = [child.column("a")], [child.column("a")]
    tally = tally_orphans(key_frame(values, *sides, ignore_case=False), parent_frame([]), values, child, ["id"])
    assert (tally.count, tally.examples) == (1, ("id = 1",))
