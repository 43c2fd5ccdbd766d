"""Servers and networks that fail for a while, under a load: nothing is lost, nothing is doubled, little is said."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymysql
import pytest

from vecferry import Progress, load_config, make_plan
from vecferry.demo.urls import connect_mysql
from vecferry.engine.local import LocalEngine
from vecferry.engine.retry import Bounds, Retry
from vecferry.errors import ExitCode, SourceError, TargetError, VecferryError
from vecferry.source.live import LiveSource
from vecferry.steps.copy import copy_chunk
from vecferry.steps.prepare import prepare
from vecferry.target import ledger
from vecferry.target.connect import alive, connect
from vecferry.target.ingest import Loader, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.config import Config
    from vecferry.demo.servers import MariaDB, Postgres
    from vecferry.model import Chunk, ChunkResult, Plan

ROWS = 4000
DURABLE = {"innodb-flush-log-at-trx-commit": "1"}
"""What a source has committed must outlive its crash, or there is nothing to compare with."""
QUICK = Bounds(attempts=30, seconds=60, first_pause=0.05, longest_pause=1)
PATIENT = Bounds(attempts=200, seconds=60, first_pause=0.01, longest_pause=0.05)
SHORT = Bounds(attempts=3, seconds=60, first_pause=0.1, longest_pause=0.1)


class Watch(Progress):
    """Keeps the notes; acts once after so many rows, and at the first note."""

    def __init__(self, rows: int = 0, act: Callable[[], None] | None = None,
                 noted: Callable[[], None] | None = None) -> None:  # fmt: skip
        self.rows, self.act, self.noted = rows, act, noted
        self.seen = 0
        self.notes: list[str] = []

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        self.seen += rows
        if self.seen >= self.rows and self.act is not None:
            act, self.act = self.act, None
            act()

    def note(self, text: str) -> None:
        self.notes.append(text)
        if self.noted is not None:
            noted, self.noted = self.noted, None
            noted()


class Load:
    """A run as far as the load, as the pipeline does it."""

    def __init__(self, source: str, target: str, bounds: Bounds, **options: Any) -> None:
        options = {"chunk_bytes": "4KiB", "workers": 4, "hnsw": False, "estimate": False, **options}
        self.config: Config = load_config(source=source, target=target, **options)
        self.bounds = bounds
        self.plan: Plan = make_plan(self.config)
        assert not self.plan.problems
        with connect(self.config.target_url) as target_connection:
            self.run_id = ledger.begin(target_connection, self.plan, "test")
            with target_connection.transaction():
                prepare(target_connection, self.plan)

    def run(self, watch: Progress) -> int:
        """Loads what is missing until nothing is, and returns how often it looked."""
        retry = Retry(self.bounds, watch.note)
        config, plan, run_id = self.config, self.plan, self.run_id

        def work(writer: Writer, chunk: Chunk) -> ChunkResult:
            return copy_chunk(plan, chunk, run_id, LiveSource(config.source_url), writer, config.chunk_bytes)

        def done(chunk: Chunk, result: ChunkResult) -> None:
            watch.advance(chunk.table, result.rows_written, result.bytes_read)

        target = connect(config.target_url)
        looks = 0
        with closing(Loader(config.target_url, plan.target_schema)) as loader:
            while True:
                looks += 1
                if not alive(target):
                    target.close()
                    target = retry(lambda: connect(config.target_url))
                try:
                    there = ledger.committed(target, run_id)
                except psycopg.OperationalError:
                    continue
                missing = [c for table in plan.tables for c in table.chunks if (c.table, c.number) not in there]
                if not missing:
                    target.close()
                    return looks
                LocalEngine(config.workers, lambda: closing(loader.writer()), retry).run(missing, work, done)


def fill(url: str) -> None:
    """A table that is cut into chunks, and one without a key, which is streamed."""
    with closing(connect_mysql(url, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY, v varchar(200) NOT NULL)")
        cursor.execute("CREATE TABLE n (id int NOT NULL, v varchar(200) NOT NULL)")
        values = [(number, f"{number} " * 20) for number in range(ROWS)]
        for table in ("t", "n"):
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", values)


def check(url: str, tables: tuple[str, ...] = ("t", "n")) -> None:
    """Every row is there once, and the ledger says so."""
    with psycopg.connect(url) as connection:
        for table in tables:
            rows = connection.execute(f"SELECT id, v FROM {table} ORDER BY id".encode()).fetchall()
            assert rows == [(number, f"{number} " * 20) for number in range(ROWS)]
            ledgers = "SELECT sum(rows_read), sum(rows_written) FROM vecferry.chunk WHERE table_name = %s"
            assert connection.execute(ledgers, [table]).fetchall() == [(ROWS, ROWS)]


@contextmanager
def again_and_again(act: Callable[[], None], longest: float) -> Iterator[None]:
    """Acts all the time while the body runs, at uneven intervals of up to `longest` seconds."""
    stop = threading.Event()

    def loop() -> None:
        dice = random.Random(7)
        while not stop.wait(dice.uniform(0.0, longest)):
            act()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_target_that_crashes_and_comes_back(mysql: MySQLDatabase, private_postgres: Callable[..., Postgres]) -> None:
    fill(mysql.url)
    # Commits that are not yet on the disk are lost with the server, though it has confirmed them.
    server = private_postgres(settings={"wal_writer_delay": "10s", "synchronous_commit": "on"})

    def crash() -> None:
        server.kill()
        server.start()

    # Successes are told of every tenth of a second: early, so that the load is not over by then.
    load = Load(mysql.url, server.url, QUICK)
    watch = Watch(1, crash)
    assert load.run(watch) > 2
    assert watch.seen > 2 * ROWS
    check(server.url)
    [note] = watch.notes
    assert note.startswith(f"the target {load.config.target_url.place} refused to ")
    assert note.endswith("s (attempt 2 of 30)")


def test_a_target_that_is_restarted(mysql: MySQLDatabase, private_postgres: Callable[..., Postgres]) -> None:
    fill(mysql.url)
    server = private_postgres()
    watch = Watch(1, server.restart)
    Load(mysql.url, server.url, QUICK).run(watch)
    check(server.url)
    assert watch.seen == 2 * ROWS
    assert len(watch.notes) == 1


@pytest.mark.parametrize("how", ["crash", "restart"])
def test_a_source_that_goes_and_comes_back(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase, how: str
) -> None:
    server = private_mariadb(settings=DURABLE)
    fill(server.url)

    def crash() -> None:
        server.kill()
        server.start()

    watch = Watch(1, crash if how == "crash" else server.restart)
    load = Load(server.url, postgres.url, QUICK)
    load.run(watch)
    check(postgres.url)
    assert watch.seen == 2 * ROWS
    [note] = watch.notes
    assert load.config.source_url.place in note
    assert server.password not in note


def test_a_target_that_never_comes_back(mysql: MySQLDatabase, private_postgres: Callable[..., Postgres]) -> None:
    fill(mysql.url)
    server = private_postgres(settings={"synchronous_commit": "on"})
    load = Load(mysql.url, server.url, SHORT)
    watch = Watch(1, server.kill)
    started = time.monotonic()
    with pytest.raises(TargetError, match=r"\(tried 3 times\): .*run the same command again") as caught:
        load.run(watch)
    assert time.monotonic() - started < 30
    assert caught.value.exit_code == ExitCode.TARGET
    assert server.password not in str(caught.value)
    assert len(watch.notes) == 1
    server.start()
    load.run(Watch())
    check(server.url)


def test_a_source_that_never_comes_back(private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase) -> None:
    server = private_mariadb(settings=DURABLE)
    fill(server.url)
    load = Load(server.url, postgres.url, SHORT)
    watch = Watch(1, server.kill)
    with pytest.raises(SourceError, match=r"\(tried 3 times\); .*again to go on") as caught:
        load.run(watch)
    assert caught.value.exit_code == ExitCode.SOURCE
    assert len(watch.notes) == 1
    server.start()
    load.run(Watch())
    check(postgres.url)


def test_backends_that_are_killed_again_and_again(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql.url)
    load = Load(mysql.url, postgres.url, PATIENT)
    killed = 0

    def kill() -> None:
        # Those whose chunk is about to be committed, is, or was a moment ago.
        nonlocal killed
        killed += admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND (query LIKE 'INSERT INTO vecferry.chunk%' OR query LIKE 'COMMIT%') AND application_name = 'vecferry'"
        ).rowcount

    watch = Watch()
    with postgres.connect() as admin, again_and_again(kill, 0.1):
        load.run(watch)
    assert killed > 5
    check(postgres.url)
    assert len(watch.notes) == 1


def test_sessions_of_the_source_that_are_killed_again_and_again(
    mysql: MySQLDatabase, postgres: PostgresDatabase
) -> None:
    fill(mysql.url)
    load = Load(mysql.url, postgres.url, PATIENT)
    admin = mysql.connect(database=None)
    killed = 0

    def kill() -> None:
        nonlocal killed
        with admin.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (mysql.database,))
            for (session,) in cursor.fetchall():
                with suppress(pymysql.err.Error):
                    killed += 1
                    cursor.execute(f"KILL {session}")

    watch = Watch()
    with again_and_again(kill, 0.02):
        load.run(watch)
    assert killed > 5
    check(postgres.url)
    assert len(watch.notes) == 1


class Proxy:
    """Stands before a server and keeps its answer to the first `cuts` COMMITs to itself."""

    def __init__(self, url: str, cuts: int) -> None:
        parts = urlsplit(url)
        self._server = parts.hostname, parts.port
        self._cuts = cuts
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        host = f"{parts.username}:{parts.password}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=host))
        self.cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                silent = threading.Event()
                for a, b in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(a, b, client, silent), daemon=True).start()

    def _carry(self, reader: socket.socket, writer: socket.socket, client: socket.socket,
               silent: threading.Event) -> None:  # fmt: skip
        with suppress(OSError):
            while data := reader.recv(1 << 16):
                if reader is client and b"COMMIT" in data and self._take():
                    silent.set()
                if reader is not client and silent.is_set():
                    break
                writer.sendall(data)
        for end in (reader, writer):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _take(self) -> bool:
        with self._lock:
            if self.cut >= self._cuts:
                return False
            self.cut += 1
            return True


@pytest.mark.parametrize("keyed", [False, True], ids=["new tables", "tables with keys"])
def test_a_commit_whose_answer_is_lost_is_not_done_twice(
    mysql: MySQLDatabase, postgres: PostgresDatabase, keyed: bool
) -> None:
    fill(mysql.url)
    if keyed:
        for table in ("t", "n"):
            postgres.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, v varchar(200) NOT NULL)")
    load = Load(mysql.url, postgres.url, QUICK)
    watch = Watch()
    with closing(Proxy(postgres.url, cuts=20)) as proxy:
        load.config = load_config(source=mysql.url, target=proxy.url, chunk_bytes="4KiB", workers=4, hnsw=False)
        load.run(watch)
    assert proxy.cut == 20
    assert watch.seen == 2 * ROWS
    check(postgres.url)
    assert len(watch.notes) == 1


def hold_connections(server: Postgres, stack: ExitStack) -> None:
    with suppress(psycopg.OperationalError):
        while True:
            stack.callback(psycopg.connect(server.url).close)


def test_a_target_without_a_free_connection_for_a_while(
    mysql: MySQLDatabase, private_postgres: Callable[..., Postgres]
) -> None:
    fill(mysql.url)
    server = private_postgres(settings={"max_connections": "12", "autovacuum": "off"})
    load = Load(mysql.url, server.url, QUICK)
    with ExitStack() as held:
        stack = held.enter_context(ExitStack())
        watch = Watch(1, noted=stack.close)
        # The pipeline's own connection is there before.
        with psycopg.connect(server.url):
            hold_connections(server, stack)
        load.run(watch)
    check(server.url)
    [note] = watch.notes
    assert "too many clients" in note or "remaining connection slots" in note


def test_a_source_without_a_free_connection_for_a_while(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase
) -> None:
    server = private_mariadb(settings={"max-connections": "10"})
    fill(server.url)
    load = Load(server.url, postgres.url, QUICK)
    with ExitStack() as held:
        with suppress(pymysql.err.OperationalError):
            while True:
                held.callback(connect_mysql(server.url).close)
        watch = Watch(noted=held.close)
        load.run(watch)
    check(postgres.url)
    [note] = watch.notes
    assert "Too many connections" in note


@pytest.mark.parametrize(
    ("block", "release", "words"),
    [
        ("ALTER DATABASE {} SET default_transaction_read_only = on",
         "ALTER DATABASE {} RESET default_transaction_read_only", "read-only transaction"),
        ("ALTER DATABASE {} SET lock_timeout = '50ms'| BEGIN| LOCK TABLE t, n", "COMMIT", "lock timeout"),
    ],
    ids=["read-only", "lock"],
)  # fmt: skip
def test_a_target_that_refuses_for_a_while(
    mysql: MySQLDatabase, postgres: PostgresDatabase, block: str, release: str, words: str
) -> None:
    fill(mysql.url)
    load = Load(mysql.url, postgres.url, QUICK)
    admin = postgres.connect()
    admin.execute("SET default_transaction_read_only = off")
    for statement in block.format(postgres.database).split("|"):
        admin.execute(statement.encode())

    def relent() -> None:
        admin.execute(release.format(postgres.database).encode())

    watch = Watch(noted=relent)
    load.run(watch)
    check(postgres.url)
    [note] = watch.notes
    assert words in note


def test_a_right_that_is_revoked_is_not_waited_for(
    mysql: MySQLDatabase, private_postgres: Callable[..., Postgres]
) -> None:
    fill(mysql.url)
    server = private_postgres()
    load = Load(mysql.url, server.url, QUICK)

    def revoke() -> None:
        with server.connect("athena") as admin:
            admin.execute("ALTER TABLE t OWNER TO postgres; ALTER TABLE n OWNER TO postgres")

    watch = Watch(1, revoke)
    words = 'permission denied .*GRANT SELECT, INSERT ON TABLE "[tn]" TO "vecferry", then run the same command again'
    with pytest.raises(VecferryError, match=words) as caught:
        load.run(watch)
    assert caught.value.exit_code == ExitCode.TARGET
    assert watch.notes == []
    with server.connect("athena") as admin:
        admin.execute("ALTER TABLE t OWNER TO vecferry; ALTER TABLE n OWNER TO vecferry")
    load.run(Watch())
    check(server.url)
