"""Connections that are cut, reset and stalled, sessions that are ended, servers that crash, at random during a load.

Each run ends well, or with an exit code that says to run it again; what is there in the end is a clean run's.
"""

from __future__ import annotations

import random
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest

from tests.servers.proxy import Proxy
from tests.torture.conftest import fill
from tests.torture.support import RESUMABLE, Ferry, Meanwhile, check_ledger, forget, state
from vecferry.demo.urls import connect_mysql, with_database
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tests.conftest import PostgresDatabase
    from tests.torture.support import Forker
    from vecferry.demo.servers import MariaDB, Postgres

DURABLE_MARIADB = {"innodb-flush-log-at-trx-commit": "1", "innodb-flush-method": "fsync"}
DURABLE_POSTGRES = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
OPTIONS = ("--chunk-bytes", "4KiB", "--embedding", "part.embedding:8", "--workers", "3")


class Ends:
    """Both servers, each behind a proxy, and what can be done to them."""

    def __init__(self, mysql_url: str, postgres_url: str, stack: ExitStack, servers: tuple[Any, ...] = ()) -> None:
        self.mysql_url, self.postgres_url, self.servers = mysql_url, postgres_url, servers
        self.source, self.target = (stack.enter_context(Proxy(url)) for url in (mysql_url, postgres_url))
        self.done = 0

    def cut(self, dice: random.Random, _: threading.Event) -> int:
        return dice.choice((self.source, self.target)).cut(dice)

    def reset(self, dice: random.Random, _: threading.Event) -> int:
        return dice.choice((self.source, self.target)).cut(dice, reset=True)

    def cut_all(self, dice: random.Random, _: threading.Event) -> int:
        return dice.choice((self.source, self.target)).cut(reset=dice.random() < 0.5)

    def stall(self, dice: random.Random, over: threading.Event) -> int:
        proxy = dice.choice((self.source, self.target))
        proxy.stall()
        over.wait(dice.uniform(0.1, 1))
        proxy.flow()
        return proxy.connections

    def terminate(self, dice: random.Random, _: threading.Event) -> int:
        return self._tell("pg_terminate_backend", dice)

    def cancel(self, dice: random.Random, _: threading.Event) -> int:
        return self._tell("pg_cancel_backend", dice)

    def _tell(self, what: str, dice: random.Random) -> int:
        with psycopg.connect(self.postgres_url, autocommit=True) as admin:
            query = ("SELECT pid FROM pg_stat_activity WHERE application_name = 'vecferry' AND state <> 'idle'"
                     " AND datname = current_database() ORDER BY pid")  # fmt: skip
            pids = [pid for (pid,) in admin.execute(query).fetchall()]
            if not pids:
                return 0
            return int(admin.execute(f"SELECT {what}(%s)".encode(), [dice.choice(pids)]).rowcount)

    def kill(self, dice: random.Random, _: threading.Event) -> int:
        return self._kill("KILL", dice)

    def kill_query(self, dice: random.Random, _: threading.Event) -> int:
        return self._kill("KILL QUERY", dice)

    def _kill(self, what: str, dice: random.Random) -> int:
        admin = connect_mysql(self.mysql_url)
        with admin, admin.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
                           " AND id <> CONNECTION_ID() ORDER BY id")  # fmt: skip
            found = [number for (number,) in cursor.fetchall()]
            if not found:
                return 0
            with suppress(pymysql.err.Error):  # it has ended meanwhile
                cursor.execute(f"{what} {dice.choice(found)}")
                return 1
        return 0

    def crash(self, dice: random.Random, _: threading.Event) -> int:
        server = dice.choice(self.servers)
        server.kill()
        server.start()
        return 1


SHORT = ["cut", "reset", "stall", "terminate", "kill"]
LONG = ["cut", "reset", "cut_all", "stall", "terminate", "cancel", "kill", "kill_query"]


def campaign(
    ferry: Ferry, ends: Ends, postgres: PostgresDatabase, expected: dict[str, Any], faults: list[str], seed: int,
    *, migrations: int, longest: float,
) -> str:  # fmt: skip
    """Migrates again and again under faults; each resumes at most ten times, then goes undisturbed."""
    dice = random.Random(seed)
    struck = dict.fromkeys(faults, 0)
    ended: dict[int, int] = {}

    def strike(over: threading.Event) -> None:
        if over.wait(dice.uniform(0, longest)):
            return
        fault = dice.choice(faults)
        struck[fault] += getattr(ends, fault)(dice, over)

    for number in range(migrations):
        for attempt in range(10):
            ferry.log = f"seed {seed}, migration {number}, attempt {attempt}, {struck}"
            with Meanwhile(strike):
                code, _, err = ferry.run()
            ended[code] = ended.get(code, 0) + 1
            assert code in {ExitCode.DONE, *RESUMABLE}, (ferry.log, code, err)
            assert code == ExitCode.DONE or ("\n" + err).count("\nerror: ") == 1, (ferry.log, err)
            if code == ExitCode.DONE:
                break
        ferry.finish()
        assert state(postgres.url) == expected, ferry.log
        check_ledger(postgres.url)
        forget(postgres)
    return f"seed {seed}: {migrations} migrations, {struck} struck, runs by exit code {ended}"


@pytest.mark.parametrize(
    ("faults", "migrations", "longest", "seed"),
    [
        pytest.param(SHORT, 2, 0.5, 11, id="short"),
        *(
            pytest.param([fault], 5, 0.5, seed, id=fault, marks=[pytest.mark.torture, pytest.mark.timeout(3600)])
            for seed, fault in enumerate(LONG, 100)
        ),
        pytest.param(LONG, 15, 0.3, 99, id="all", marks=[pytest.mark.torture, pytest.mark.timeout(3600)]),
    ],
)
def test_faults_at_random(
    forker: Forker, library: str, postgres: PostgresDatabase, clean: PostgresDatabase, told: Callable[[str], None],
    faults: list[str], migrations: int, longest: float, seed: int,
) -> None:  # fmt: skip
    with ExitStack() as stack:
        ends = Ends(library, postgres.url, stack)
        Ferry(forker, ends.source.url, clean.url, *OPTIONS).finish()
        ferry = Ferry(forker, ends.source.url, ends.target.url, *OPTIONS)
        told(campaign(ferry, ends, postgres, state(clean.url), faults, seed, migrations=migrations, longest=longest))


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_servers_that_crash_at_random(
    forker: Forker, private_mariadb: Callable[..., MariaDB], private_postgres: Callable[..., Postgres],
    clean: PostgresDatabase, told: Callable[[str], None],
) -> None:  # fmt: skip
    source, target = private_mariadb(settings=DURABLE_MARIADB), private_postgres(settings=DURABLE_POSTGRES)
    fill(source.url)
    # Who makes the target as new makes its extension anew, too.
    target_url = with_database(target.admin_url, "athena")
    database = type(clean)(target_url, "athena")
    with ExitStack() as stack:
        stack.callback(database.close)
        ends = Ends(source.url, target_url, stack, (source, target))
        Ferry(forker, ends.source.url, clean.url, *OPTIONS).finish()
        ferry = Ferry(forker, ends.source.url, ends.target.url, *OPTIONS)
        expected = state(clean.url)
        told(campaign(ferry, ends, database, expected, ["crash"], 77, migrations=6, longest=3))
