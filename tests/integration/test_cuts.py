"""All connections to one end are cut at any of a run's messages: a sentence or a retry, and the run goes on."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.servers.cutting_proxy import CuttingProxy
from vecferry import Report, load_config, migrate
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry import Config

ROWS = 60


def fill(mysql: MySQLDatabase) -> None:
    mysql.execute("CREATE TABLE a (id int PRIMARY KEY AUTO_INCREMENT, d date, v varchar(50), KEY (v))")
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, a int, v longtext, FOREIGN KEY (a) REFERENCES a (id))")
    mysql.execute("CREATE TABLE n (v text)")
    mysql.execute("CREATE VIEW w AS SELECT id, v FROM a WHERE id > 3")
    for number in range(1, ROWS + 1):
        mysql.execute("INSERT INTO a VALUES (%s, '2020-01-01', %s)", [number, str(number)])
        mysql.execute("INSERT INTO e VALUES (%s, %s, %s)", [number, number, f"[{number}, {number % 7}, 1, 0]"])
        mysql.execute("INSERT INTO n VALUES (%s)", [str(number)])


def empty(postgres: PostgresDatabase) -> None:
    postgres.execute("DROP SCHEMA IF EXISTS vecferry CASCADE; DROP TABLE IF EXISTS a, e, n CASCADE")


def whole(postgres: PostgresDatabase) -> None:
    for table in ("a", "e", "n"):
        assert postgres.rows(f"SELECT count(*), count(DISTINCT v::text) FROM {table}") == [(ROWS, ROWS)]
    assert postgres.rows("SELECT sum(rows_written) FROM vecferry.chunk") == [(3 * ROWS,)]
    assert postgres.rows("SELECT count(*) FROM w") == [(ROWS - 3,)]


@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.torture), 29], ids=["all messages", "some messages"]
)
@pytest.mark.parametrize("end", ["source", "target"])
def test_connections_that_are_cut_at_any_message(
    mysql: MySQLDatabase, postgres: PostgresDatabase, end: str, every: int
) -> None:
    fill(mysql)
    postgres.execute("CREATE EXTENSION vector")
    urls = {"source": mysql.url, "target": postgres.url}
    code = ExitCode.SOURCE if end == "source" else ExitCode.TARGET
    ended: list[str] = []
    with CuttingProxy(urls[end]) as proxy:
        urls[end] = proxy.url
        config = load_config(None, **urls, workers=2, chunk_bytes="4KiB", retries=1, distance="l2")
        for message in count(1, every):
            empty(postgres)
            proxy.cut_after(message)
            found = attempt(config)
            if not proxy.has_cut:
                break
            if not isinstance(found, Report):
                assert getattr(found, "exit_code", None) == code, (message, found)
                assert "\n" not in str(found)
                ended.append(str(found))
                found = migrate(config)
            assert found.status == "ok", (message, found.notes)
            whole(postgres)
    assert ended
    assert all("again" in sentence or "check" in sentence for sentence in ended), ended


def attempt(config: Config) -> Report | Exception:
    try:
        return migrate(config)
    except Exception as error:  # noqa: BLE001 - whatever leaks
        return error
