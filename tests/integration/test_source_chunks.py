"""Chunks of real tables: together they are the table exactly once, and none is larger than asked."""

from __future__ import annotations

import random
import string
import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vecferry.config import parse_source
from vecferry.mapping.keys import chunk_key
from vecferry.mapping.select import literal, quote, range_condition
from vecferry.model import Chunk, Column, Index, IndexColumn, Table
from vecferry.source.catalog import read_catalog
from vecferry.source.chunks import plan_chunks
from vecferry.source.connect import connect
from vecferry.source.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROWS = 10  # a chunk


def table_of(mysql: Any) -> Table:
    with connect(parse_source(mysql.url)) as connection:
        return read_catalog(connection).tables[0]


def chunks_of(mysql: Any, table: Table, key: Sequence[str], rows: int = ROWS) -> tuple[Chunk, ...]:
    with connect(parse_source(mysql.url)) as connection:
        return plan_chunks(connection, table, key, row_bytes=100, chunk_bytes=100 * rows)


def fill(mysql: Any, values: Iterable[Sequence[Any]]) -> int:
    rows = [tuple(row) for row in values]
    marks = ", ".join(["%s"] * len(rows[0]))
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.executemany(f"INSERT IGNORE INTO t VALUES ({marks})", rows)
    mysql.execute("ANALYZE TABLE t")
    return int(mysql.rows("SELECT COUNT(*) FROM t")[0][0])


def check(mysql: Any, chunks: Sequence[Chunk], key: Sequence[str], most: int = ROWS) -> None:
    """Every row is in one chunk, the chunks follow each other, and none but the last is over-full."""
    listed = ", ".join(map(quote, key))
    everything = sorted(mysql.rows(f"SELECT {listed} FROM t"), key=repr)
    found: list[Any] = []
    with connect(parse_source(mysql.url)) as connection, connection.cursor() as cursor:
        for chunk in chunks:
            condition = range_condition(key, chunk.lower, chunk.upper)
            cursor.execute(f"SELECT {listed} FROM t" + (f" WHERE {condition}" if condition else ""))
            rows = cursor.fetchall()
            assert len(rows) <= most
            found.extend(rows)
    assert sorted(found, key=repr) == everything
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    assert chunks[0].lower is None
    assert chunks[-1].upper is None
    assert [chunk.upper for chunk in chunks[:-1]] == [chunk.lower for chunk in chunks[1:]]


INTEGERS = {
    "dense": ("int", range(1, 1001)),
    "gaps": ("int", (number for number in range(1, 2001) if number % 3 == 0 or number % 7 == 0)),
    "sparse": ("bigint", (number**3 for number in range(1, 500))),
    "negative": ("int", range(-500, 500)),
    "lowest": ("bigint", range(-(2**63), -(2**63) + 300)),
    "highest unsigned": ("bigint unsigned", range(2**64 - 300, 2**64)),
    "both ends": ("bigint", [*range(-(2**63), -(2**63) + 50), *range(2**63 - 50, 2**63)]),
    "unsigned from zero": ("bigint unsigned", [*range(50), 2**63, 2**64 - 1]),
    "tiny": ("tinyint", range(-128, 128)),
}


@pytest.mark.parametrize("case", INTEGERS)
def test_integers(mysql: Any, case: str) -> None:
    mysql_type, values = INTEGERS[case]
    mysql.execute(f"CREATE TABLE t (`i``d` {mysql_type} PRIMARY KEY) ENGINE = InnoDB")
    count = fill(mysql, ((value,) for value in values))
    table = table_of(mysql)
    key = chunk_key(table)
    assert key == ("i`d",)
    chunks = chunks_of(mysql, table, key)
    check(mysql, chunks, key)
    assert len(chunks) >= count / ROWS
    if case == "dense":
        assert len(chunks) == 100
        assert chunks[1] == Chunk("t", 1, ("10",), ("20",), 10)
    # Whatever the server's estimate says, the chunks hold every row once.
    for estimate in (0, 1, 10**7):
        if estimate < 10**6 or case in {"dense", "gaps", "negative", "tiny"}:
            check(mysql, chunks_of(mysql, replace(table, rows_estimate=estimate), key), key)


def words() -> list[str]:
    rng = random.Random(7)
    alphabet = string.ascii_letters + "'\"\\%_` é\nßÄ日🐬\0"
    made = {"".join(rng.choices(alphabet, k=rng.randint(0, 12))) for _ in range(600)}
    return [*sorted(made), "pad", "pad ", "PAD", "'; DROP TABLE t; --"]


@pytest.mark.parametrize(
    "mysql_type",
    [
        "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "char(20) CHARACTER SET utf8mb4",
        "varchar(20) CHARACTER SET utf8",
        "varchar(20) CHARACTER SET latin1",
        "varchar(20) CHARACTER SET latin1 COLLATE latin1_german2_ci",
        "varchar(20) CHARACTER SET cp1250",
        "varbinary(60)",
    ],
)
def test_strings(mysql: Any, mysql_type: str) -> None:
    mysql.execute(f"CREATE TABLE t (id {mysql_type} NOT NULL PRIMARY KEY) ENGINE = InnoDB")
    count = fill(mysql, ((word,) for word in words()))
    assert count > 300
    table = table_of(mysql)
    assert chunk_key(table) == ("id",)
    chunks = chunks_of(mysql, table, ("id",))
    assert len(chunks) == -(-count // ROWS)
    check(mysql, chunks, ("id",))


def test_uuids(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id char(36) CHARACTER SET ascii PRIMARY KEY, v int) ENGINE = InnoDB")
    fill(mysql, ((str(uuid.UUID(int=random.Random(n).getrandbits(128))), n) for n in range(500)))
    chunks = chunks_of(mysql, table_of(mysql), ("id",))
    assert len(chunks) == 50
    assert chunks[0].upper is not None
    assert chunks[0].upper[0].startswith("'")
    check(mysql, chunks, ("id",))


def test_binary_uuids(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id binary(16) PRIMARY KEY, v int) ENGINE = InnoDB")
    fill(mysql, ((random.Random(n).randbytes(16), n) for n in range(500)))
    chunks = chunks_of(mysql, table_of(mysql), ("id",))
    assert len(chunks) == 50
    check(mysql, chunks, ("id",))


@pytest.mark.parametrize("mysql_type", ["datetime(6)", "timestamp(6) NOT NULL", "date", "decimal(30,10)"])
def test_other_ordered_types(mysql: Any, mysql_type: str) -> None:
    mysql.execute("SET SESSION sql_mode = ''")
    mysql.execute(f"CREATE TABLE t (id {mysql_type} PRIMARY KEY) ENGINE = InnoDB")
    if "decimal" in mysql_type:
        values: list[Any] = [f"{n - 250}.{n:010}" for n in range(500)]
    else:
        values = ["0000-00-00", *(date(2020, 1, 1) + timedelta(days=n) for n in range(500))]
    count = fill(mysql, ((value,) for value in values))
    chunks = chunks_of(mysql, table_of(mysql), ("id",))
    assert len(chunks) == -(-count // ROWS)
    check(mysql, chunks, ("id",))


def test_composite_keys(mysql: Any) -> None:
    mysql.execute(
        "CREATE TABLE t (day date NOT NULL, tenant int NOT NULL, name varchar(20) CHARACTER SET utf8mb4 NOT NULL,"
        " v int, PRIMARY KEY (tenant, name, day)) ENGINE = InnoDB"
    )
    rng = random.Random(3)
    names = ["a", "B", "it's", "back\\", "é", "🐬", ""]
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(100)]
    fill(mysql, ((rng.choice(days), rng.choice([-1, 0, 7]), rng.choice(names), 1) for _ in range(1500)))
    table = table_of(mysql)
    key = chunk_key(table)
    assert key == ("tenant", "name", "day")
    check(mysql, chunks_of(mysql, table, key), key)
    check(mysql, chunks_of(mysql, table, key, rows=1), key, most=1)


def test_a_unique_key_where_there_is_no_primary_key(mysql: Any) -> None:
    mysql.execute(
        "CREATE TABLE t (a int, b int NOT NULL, c varchar(20) CHARACTER SET utf8mb4 NOT NULL,"
        " UNIQUE KEY nullable_one (a), UNIQUE KEY prefixed (c(3)), UNIQUE KEY whole (c, b)) ENGINE = InnoDB"
    )
    fill(mysql, ((None, n % 7, f"{n:03}x") for n in range(300)))
    table = table_of(mysql)
    key = chunk_key(table)
    assert key == ("c", "b")
    check(mysql, chunks_of(mysql, table, key), key)


def made(*columns: tuple[str, str], primary: tuple[str, ...] = (), indexes: tuple[Index, ...] = ()) -> Table:
    return Table(
        "t",
        tuple(Column(name, kind, kind, nullable=False) for name, kind in columns),
        primary,
        indexes,
        rows_estimate=17,
    )


@pytest.mark.parametrize("kind", ["enum", "set", "float", "double", "bit", "blob", "text", "time", "year", "json"])
def test_types_that_are_no_key(kind: str) -> None:
    assert chunk_key(made(("a", "int"), ("b", kind), primary=("a", "b"))) == ()
    unique = (Index("u", (IndexColumn("b"),), unique=True), Index("w", (IndexColumn("a"),), unique=True))
    assert chunk_key(made(("a", "int"), ("b", kind), indexes=unique)) == ("a",)


def test_no_key(mysql: Any) -> None:
    table = made(("a", "int"))
    assert chunk_key(table) == ()
    assert chunks_of(mysql, table, ()) == (Chunk("t", 0, None, None, 17),)


@pytest.mark.parametrize("key", ["id int", "id varchar(9)"])
def test_small_tables(mysql: Any, key: str) -> None:
    mysql.execute(f"CREATE TABLE t ({key} NOT NULL PRIMARY KEY) ENGINE = InnoDB")
    table = table_of(mysql)
    assert chunks_of(mysql, table, ("id",)) == ()
    fill(mysql, ((n,) for n in range(1, ROWS + 1)))
    (chunk,) = chunks_of(mysql, table_of(mysql), ("id",))
    assert (chunk.lower, chunk.upper) == (None, None)
    fill(mysql, [(ROWS + 1,)])
    assert len(chunks_of(mysql, table_of(mysql), ("id",))) == 2


def handled(mysql_connection: Any, statement: str) -> int:
    """Runs `statement` and returns how many index entries the server looked at."""
    with mysql_connection.cursor() as cursor:
        cursor.execute("FLUSH STATUS")
        cursor.execute(statement)
        cursor.fetchall()
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(count) for _, count in cursor.fetchall())


@pytest.mark.parametrize("where", ["start", "middle", "end"])
def test_no_step_reads_more_than_its_chunk(mysql: Any, where: str) -> None:
    """One tenant holds every row, so that a range of the first column alone would be the whole table."""
    mysql.execute(
        "CREATE TABLE t (tenant int NOT NULL, name varchar(20) CHARACTER SET latin1 NOT NULL, v int,"
        " PRIMARY KEY (tenant, name), KEY (v)) ENGINE = InnoDB"
    )
    fill(mysql, ((1, f"é'{n:05}", n) for n in range(5000)))
    lower = {"start": None, "middle": ("1", literal("é'02500")), "end": ("1", literal("é'04980"))}[where]
    table = table_of(mysql)
    statement = walk(table, ("tenant", "name"), lower, limit=2, offset=99)
    with connect(parse_source(mysql.url)) as connection:
        assert handled(connection, statement) < 120
        if lower:
            condition = range_condition(("tenant", "name"), lower, ("1", literal("é'04990")))
            count = mysql.rows("SELECT COUNT(*) FROM t WHERE " + condition)[0][0]
            assert handled(connection, f"SELECT v FROM t FORCE INDEX (PRIMARY) WHERE {condition}") < count + 10
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + statement)
            assert "PRIMARY" in cursor.fetchall()[0]


@pytest.mark.parametrize("charset", ["latin1", "utf8mb4", "utf8"])
def test_literals_keep_the_index_range(mysql: Any, charset: str) -> None:
    mysql.execute(f"CREATE TABLE t (id varchar(20) CHARACTER SET {charset} PRIMARY KEY, v int) ENGINE = InnoDB")
    fill(mysql, ((f"{n:05}é'", n) for n in range(5000)))
    with connect(parse_source(mysql.url)) as connection, connection.cursor() as cursor:
        for lower, upper in (("02000", "02100"), ("02000é'", "02100é'")):
            condition = range_condition(["id"], [literal(lower)], [literal(upper)])
            cursor.execute(f"EXPLAIN SELECT v FROM t WHERE {condition}")
            assert "range" in cursor.fetchall()[0]
            assert handled(connection, f"SELECT v FROM t WHERE {condition}") < 110
