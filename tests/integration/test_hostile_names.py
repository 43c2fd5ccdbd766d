"""Names that are made to break statements, in every place that has a name: they arrive as they are.

A database's name goes through the URLs of four drivers, a table's also through the ledger.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent

import psycopg
import pytest

from vecferry import Progress, load_config, make_plan, migrate
from vecferry.demo.urls import connect_mysql
from vecferry.errors import InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase

NAMES = (
    'it\'s "quoted" `all` ways; DROP TABLE x; --',
    "new\nline\ttab\r\\back\\slash\\",
    "%s %(a)s %% {} {0} {a!r} $1 :x ?",
    " leads",
    "select",
    "Ünïcødé 日本 \u202eright to left\u202c",
    "/* comment */ # hash -- dash",
    "../../etc/passwd&x=1?y#z@h:1",
    "n" * 64,
    "é" * 60,
)
DATABASES = ('it\'s "a" `b`; --', "new\nline\t\r\\ 日本\u202e", "%s%%{}{0}/&x=1?y#z@h:1")
LABELS = ("it's", 'a"b', "back\\slash", "new\nline", "%s", "{}", "😀", "`;--", "NULL")
# MySQL's identifiers hold no character of 4 bytes; PostgreSQL's do.
SCHEMA = 'Schema "x"; 😀 %s {} \'\\\n--'
EMBEDDING = f"[{', '.join(['0.5', '-2.25'] * 16)}]"


def my(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def pg(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A literal that means the same in every sql_mode."""
    return f"_utf8mb4 x'{value.encode().hex()}'"


def cut(name: str) -> bool:
    """Whether PostgreSQL would cut the name, so that the tool shortens it."""
    return len(name.encode()) > 63


@contextmanager
def databases(mysql: MySQLDatabase, postgres: PostgresDatabase, name: str) -> Iterator[tuple[str, str]]:
    """Databases of that name, marked as this test's own, by their URLs."""
    mark = uuid.uuid4().hex[:6]
    source, target = f"{mark}{name}", f"{mark}{name}😀"
    mysql.execute(f"CREATE DATABASE {my(source)} CHARACTER SET utf8mb4")
    postgres.execute(f"CREATE DATABASE {pg(target)} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield (
            mysql.url.rpartition("/")[0] + "/" + percent(source, safe=""),
            postgres.url.rpartition("/")[0] + "/" + percent(target, safe=""),
        )
    finally:
        mysql.execute(f"DROP DATABASE {my(source)}")
        postgres.execute(f"DROP DATABASE {pg(target)} WITH (FORCE)")


def fill(url: str) -> None:
    """Makes a table, with a key, an index, a foreign key, an enum and a view, for each name."""
    with connect_mysql(url, autocommit=True) as connection, connection.cursor() as cursor:
        labels = ", ".join(text(label).replace("_utf8mb4 ", "") for label in LABELS)
        for number, name in enumerate(NAMES):
            n, parent = my(name), my(NAMES[number - 1]) if number else None
            cursor.execute(
                f"CREATE TABLE {n} ({n} int AUTO_INCREMENT PRIMARY KEY, {my('e' + name[:60])} enum({labels}),"
                f" {my('v' + name[:60])} longtext, {my('p' + name[:60])} int, {my('t' + name[:60])} varchar(50),"
                f" KEY {n} ({my('t' + name[:60])}), KEY {my('k' + name[:60])} ({my('p' + name[:60])})"
                + (
                    f", CONSTRAINT {my('f' + name[:60])} FOREIGN KEY ({my('p' + name[:60])})"
                    f" REFERENCES {parent} ({parent})"
                    if parent
                    else ""
                )
                + ")"
            )
            for row, label in enumerate(LABELS, 1):
                cursor.execute(
                    f"INSERT INTO {n} VALUES ({row}, {text(label)}, '{EMBEDDING}', {row}, {text(name[:50])})"
                )
            cursor.execute(f"CREATE VIEW {my('w' + name[:60])} AS SELECT {n} FROM {n} WHERE {n} > 1")


class Impatient(Progress):
    """Interrupts when some chunks are done."""

    chunks = 0

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        self.chunks += 1
        if self.chunks == 3:
            raise KeyboardInterrupt


def referencing(url: str) -> set[str]:
    """The tables with a foreign key: MySQL 5.6 loses those to a table whose name holds quotes."""
    with connect_mysql(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()"
        )
        return {str(name) for (name,) in cursor.fetchall()}


def check(url: str, referencing: set[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:

        def rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
            return connection.execute(query.encode(), values or None).fetchall()

        names = {row[0] for row in rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", SCHEMA)}
        assert len(names) == len(NAMES)
        assert len(referencing) > len(NAMES) / 2
        for name in NAMES:
            if cut(name):
                continue
            assert name in names
            table = f"{pg(SCHEMA)}.{pg(name)}"
            found = rows(f"SELECT * FROM {table} ORDER BY 1")
            assert [row[0] for row in found] == list(range(1, len(LABELS) + 1))
            assert [row[1] for row in found] == list(LABELS)
            assert {(row[2], row[4]) for row in found} == {(EMBEDDING.replace(" ", ""), name[:50])}
            columns = rows(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", table
            )
            assert [row[0] for row in columns] == [name, *(first + name[:60] for first in "evpt")]
            foreign = rows(
                "SELECT conname FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid = %s::regclass",
                table,
            )
            assert foreign == ([("f" + name[:60],)] if name in referencing else [])
            assert rows(f"SELECT count(*) FROM {pg(SCHEMA)}.{pg('w' + name[:60])}") == [(len(LABELS) - 1,)]
            assert rows(f"INSERT INTO {table} DEFAULT VALUES RETURNING 1") == [(1,)]


@pytest.mark.parametrize("server", ["mysql", "mysql56"])
@pytest.mark.parametrize("name", DATABASES, ids=["quotes", "lines", "formats"])
def test_hostile_names_arrive(
    request: pytest.FixtureRequest, postgres: PostgresDatabase, server: str, name: str
) -> None:
    mysql: MySQLDatabase = request.getfixturevalue(server)
    with databases(mysql, postgres, name) as (source, target):
        fill(source)
        config = load_config(source=source, target=target, target_schema=SCHEMA, workers=2, chunk_bytes=4096)
        assert make_plan(config).problems == ()
        with pytest.raises(InterruptedRunError):
            migrate(config, Impatient(), lambda _: True)
        report = migrate(config, None, lambda _: True)
        assert report.status == "ok", report.notes
        check(target, referencing(source))

        # Once more, into tables that exist, indexes and foreign keys dropped and made again.
        report = migrate(
            load_config(source=source, target=target, target_schema=SCHEMA, truncate=True), None, lambda _: True
        )
        assert report.status == "ok", report.notes
        check(target, referencing(source))
