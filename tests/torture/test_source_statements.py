"""What the source computes for an interrupted run ends with it; without a word it would go on to its end."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from tests.torture.support import wait_until
from vecferry.config import parse_source
from vecferry.demo.urls import connect_mysql
from vecferry.errors import SourceError
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect, ends_with_us
from vecferry.source.consistency import position
from vecferry.source.flavor import flavor
from vecferry.source.running import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MySQLDatabase

LONG = "SELECT SLEEP(600), '{}'"


def running(mysql: MySQLDatabase) -> set[str]:
    query = "SELECT info FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
    return {info for (info,) in mysql.rows(query)}


def run(url: str | None, query: str, connection: Any = None) -> None:
    """Runs a query in a thread, on a connection that nobody closes: PyMySQL would wait for the end of the query."""
    connection = connection or connect_mysql(url or "")

    def execute() -> None:
        with suppress(pymysql.err.Error):
            connection.query(query)

    threading.Thread(target=execute, daemon=True).start()


def interrupted(work: Callable[[], None]) -> None:
    work()
    raise KeyboardInterrupt


def test_statements_of_this_process_end(mysql: MySQLDatabase) -> None:
    url = parse_source(mysql.url)
    others, question, read = (LONG.format(name) for name in ("others", "question", "read"))
    released = threading.Event()

    def hold() -> None:
        with reading(read):
            released.wait()

    def work() -> None:
        run(mysql.url, others)
        run(None, question, connect(url))
        run(mysql.url, read)  # connectorx does not tell its sessions' numbers
        # The thread of a read is not interrupted with the main thread.
        threading.Thread(target=hold, daemon=True).start()
        wait_until(lambda: running(mysql) == {others, question, read})

    with pytest.raises(KeyboardInterrupt), ends_with_us(url):
        interrupted(work)
    released.set()
    wait_until(lambda: running(mysql) == {others}, 10)


@pytest.mark.parametrize(
    "ask",
    [flavor, lambda gone: read_catalog(gone, (), ()), lambda gone: position(gone, {"t": ("id",)})],
    ids=["version", "catalog", "position"],
)
def test_a_source_that_has_gone_is_told_in_its_own_words(
    mysql: MySQLDatabase, ask: Callable[[pymysql.connections.Connection], object]
) -> None:
    connection = connect(parse_source(mysql.url))
    mysql.execute(f"KILL {connection.thread_id()}")  # type: ignore[no-untyped-call]
    with pytest.raises(SourceError):
        ask(connection)
