"""No more connections are opened than docs/architecture.md says: N + 2 on the source, N + 2 on the target.

Both servers refuse one more, and nothing is tried again.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pymysql
import pytest
from psycopg import sql

from tests.integration.test_rights import SOURCE, reader, writer
from vecferry import Progress, load_config, make_plan, migrate
from vecferry.demo import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase


@contextmanager
def ends(mysql: MySQLDatabase, postgres: PostgresDatabase, source: int, target: int) -> Iterator[tuple[str, str]]:
    """URLs of users who get no more than so many connections."""
    postgres.execute("CREATE EXTENSION vector")
    rights = [grant for grant in SOURCE if "LOCK TABLES" in grant or "SELECT" in grant]
    with reader(mysql, *rights) as source_url, writer(postgres) as target_url:
        name = urlsplit(source_url).username
        mysql.execute(f"GRANT USAGE ON *.* TO '{name}'@'127.0.0.1' WITH MAX_USER_CONNECTIONS {source}")
        user = sql.Identifier(urlsplit(target_url).username or "")
        postgres.connect().execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(user, sql.Literal(target)))
        yield source_url, target_url


class Watch(Progress):
    """Keeps the notes, and ends sessions whenever a chunk is done, so many times."""

    def __init__(self, times: int = 0, end: Callable[[], None] = lambda: None) -> None:
        self.notes: list[str] = []
        self._left = times
        self._end = end

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        if self._left > 0:
            self._left -= 1
            self._end()

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(("workers", "consistency"), [(1, "lock"), (2, "watch"), (4, "lock")])
def test_no_more_connections_than_said(
    mysql: MySQLDatabase, postgres: PostgresDatabase, workers: int, consistency: str
) -> None:
    sample.fill(mysql.connect(), rows=300, dimensions=32)
    with ends(mysql, postgres, workers + 2, workers + 2) as (source, target):
        config = load_config(
            source=source, target=target, workers=workers, consistency=consistency, chunk_bytes=16_384, retries=0
        )
        watch = Watch()

        plan = make_plan(config)
        report = migrate(config, watch, lambda _: True)

    assert plan.problems == ()
    assert plan.estimate is not None
    assert plan.estimate.load_seconds is not None, plan.estimate.remarks
    assert report.status == "ok", watch.notes


def test_no_more_connections_after_sessions_were_ended(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    workers = 2
    sample.fill(mysql.connect(), rows=300, dimensions=32)
    with ends(mysql, postgres, workers + 2, workers + 2) as (source, target):
        admin, other = postgres.connect(), mysql.connect()
        ended = 0

        def end() -> None:
            nonlocal ended
            ended += admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
                " AND (query LIKE 'COPY%%' OR query LIKE 'INSERT INTO vecferry.chunk%%' OR query = 'COMMIT')",
                [urlsplit(target).username],
            ).rowcount
            with other.cursor() as cursor:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist WHERE user = %s AND info LIKE '%%@vecferry_bytes%%'",
                    (urlsplit(source).username,),
                )
                for (session,) in cursor.fetchall():
                    with suppress(pymysql.err.MySQLError):  # it ended by itself
                        cursor.execute(f"KILL {session}")
                        ended += 1

        watch = Watch(4, end)
        config = load_config(source=source, target=target, workers=workers, chunk_bytes=16_384)
        report = migrate(config, watch, lambda _: True)

    assert report.status == "ok", watch.notes
    assert ended > 0
    assert watch.notes
    assert not any("connections" in note for note in watch.notes), watch.notes
