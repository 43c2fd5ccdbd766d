"""Limits of servers and users, rights that go, locks that stay: nothing is lost, and a sentence says what to do."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pymysql
import pytest
from psycopg import sql

from tests.conftest import MySQLDatabase
from tests.integration.support import Act
from tests.integration.test_rights import SOURCE, reader, writer
from vecferry import VecferryError, load_config, migrate
from vecferry.demo.postgres import Postgres
from vecferry.demo.urls import connect_mysql
from vecferry.errors import ExitCode, SourceError, TargetError
from vecferry.source import connect as source_connect
from vecferry.source import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import PostgresDatabase
    from vecferry.demo.servers import MariaDB

ROWS = 1000


def fill(mysql: MySQLDatabase) -> None:
    """A table that is cut into chunks, and one without a key, which is streamed."""
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v varchar(200) NOT NULL, KEY (v))")
    mysql.execute("CREATE TABLE n (id int NOT NULL, v varchar(200) NOT NULL)")
    with mysql.connect().cursor() as cursor:
        for table in ("t", "n"):
            rows = [(number, f"{number} " * 20) for number in range(ROWS)]
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", rows)


def whole(postgres: PostgresDatabase) -> None:
    for table in ("t", "n"):
        assert postgres.rows(f"SELECT id FROM {table} ORDER BY id") == [(number,) for number in range(ROWS)]
    ledger = "SELECT sum(rows_read), sum(rows_written) FROM vecferry.chunk"
    assert postgres.rows(ledger) == [(2 * ROWS, 2 * ROWS)]


def config_of(source: str, target: str, **options: Any) -> Any:
    return load_config(source=source, target=target, **{"chunk_bytes": "4KiB", **options})


def refused(config: Any, watch: Act | None = None) -> str:
    """Migrates in vain, and returns the sentence of the end."""
    with pytest.raises(VecferryError) as caught:
        migrate(config, watch)
    assert caught.value.exit_code in {ExitCode.SOURCE, ExitCode.TARGET}
    assert type(caught.value) is (SourceError if caught.value.exit_code == ExitCode.SOURCE else TargetError)
    message = str(caught.value)
    assert "\n" not in message
    for url in (config.source_url, config.target_url):
        assert url.password not in message
    return message


# --- rights that are taken away in the middle


@pytest.fixture
def user(mysql: MySQLDatabase, postgres: PostgresDatabase) -> Iterator[str]:
    """The URL of an ordinary user of the target."""
    fill(mysql)
    with writer(postgres) as url:
        yield url


def name_of(url: str) -> str:
    return urlsplit(url).username or ""


@pytest.mark.parametrize(
    ("step", "revoke", "give", "sentence"),
    [
        ("rows", "REVOKE INSERT ON t, n FROM {}", "GRANT INSERT ON t, n TO {}",
         'permission denied for table {}: GRANT SELECT, INSERT ON TABLE "{}" TO "{}"'),
        ("rows", "REVOKE USAGE ON SCHEMA public FROM public, {}", "GRANT USAGE ON SCHEMA public TO public",
         'permission denied for schema public: GRANT USAGE, CREATE ON SCHEMA "public" TO "{}"'),
        ("verify", "REVOKE SELECT ON t, n FROM {}", "GRANT SELECT ON t, n TO {}",
         'permission denied for table {}: GRANT SELECT, INSERT ON TABLE "{}" TO "{}"'),
        ("keys", "REVOKE CREATE ON SCHEMA public FROM {}", "GRANT CREATE ON SCHEMA public TO {}",
         'permission denied for schema public: GRANT USAGE, CREATE ON SCHEMA "public" TO "{}"'),
    ],
    ids=["INSERT", "USAGE", "SELECT", "CREATE"],
)  # fmt: skip
def test_a_right_on_the_target_that_is_revoked(
    mysql: MySQLDatabase, postgres: PostgresDatabase, user: str, step: str, revoke: str, give: str, sentence: str
) -> None:
    name = name_of(user)
    if "CREATE" not in revoke:
        # Tables that others own; one's own cannot be withheld.
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v varchar(200)); CREATE TABLE n (id int, v varchar(200))")
        postgres.execute(f"GRANT SELECT, INSERT ON t, n TO {name}")
    config = config_of(mysql.url, user)
    message = refused(config, Act(step, lambda: postgres.execute(revoke.format(name))))
    wanted = [f"{sentence.format(table, table, name)}, then run the same" for table in "tn"]
    wanted.append(f"{sentence.format(name)}, then run the same" if sentence.count("{}") == 1 else wanted[0])
    assert any(words in message for words in wanted), message
    postgres.execute(give.format(name))
    assert migrate(config).status == "ok"
    whole(postgres)


def test_a_right_on_the_source_that_is_revoked(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    with reader(mysql, *(grant for grant in SOURCE if "LOCK TABLES" in grant)) as source:
        name = f"'{name_of(source)}'@'127.0.0.1'"
        for table in ("t", "n"):
            mysql.execute(f"GRANT SELECT ON `{mysql.database}`.{table} TO {name}")
        config = config_of(source, postgres.url, tables="t,n")
        for step in ("rows", "verify"):
            watch = Act(step, lambda: mysql.execute(f"REVOKE SELECT ON `{mysql.database}`.t FROM {name}"))
            message = refused(config, watch)
            assert "SELECT command denied" in message
            assert "grant the user SELECT on the table, then run again to go on" in message
            mysql.execute(f"GRANT SELECT ON `{mysql.database}`.t TO {name}")
        assert migrate(config).status == "ok"
    whole(postgres)


# --- limits of a user's sessions


def test_limits_of_time_and_a_strict_isolation_of_the_targets_user(
    mysql: MySQLDatabase, postgres: PostgresDatabase, user: str
) -> None:
    for setting in (
        "statement_timeout = '1s'", "idle_in_transaction_session_timeout = '1s'", "idle_session_timeout = '1s'",
        "transaction_timeout = '1s'", "default_transaction_isolation = serializable",
        "default_transaction_deferrable = on",
    ):  # fmt: skip
        postgres.execute(f"ALTER ROLE {name_of(user)} SET {setting}")
    postgres.execute("CREATE TABLE n (id int, v varchar(200))")
    postgres.execute(f"ALTER TABLE n OWNER TO {name_of(user)}")
    watch = Act("load", lambda: blocked(postgres, "n"))
    assert migrate(config_of(mysql.url, user, workers=4), watch).status == "ok"
    assert not any("trying again" in note for note in watch.notes)
    whole(postgres)


def blocked(postgres: PostgresDatabase, table: str) -> None:
    """Locks `table` until somebody has waited for it for 1.5 seconds."""
    holder, look = postgres.connect(autocommit=False), postgres.connect()
    holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
    waits = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        " AND state_change < clock_timestamp() - interval '1500 ms')"
    )

    def release() -> None:
        with suppress(AssertionError):
            wait_for(lambda: look.execute(waits).fetchone() == (True,))
        holder.commit()

    threading.Thread(target=release, daemon=True).start()


def test_a_lock_timeout_of_the_targets_user_ends_a_later_step(
    mysql: MySQLDatabase, postgres: PostgresDatabase, user: str
) -> None:
    postgres.execute(f"ALTER ROLE {name_of(user)} SET lock_timeout = '50ms'")
    holder = postgres.connect(autocommit=False)
    config = config_of(mysql.url, user)
    message = refused(config, Act("keys", lambda: holder.execute("LOCK TABLE t IN SHARE MODE")))
    assert "lock timeout: another session holds a lock on the table: run the same command again to go on" in message
    holder.rollback()
    assert migrate(config).status == "ok"
    whole(postgres)


@pytest.mark.parametrize("step", ["keys", "sequences", "verify"])
def test_a_target_that_turns_read_only(mysql: MySQLDatabase, postgres: PostgresDatabase, user: str, step: str) -> None:
    database = sql.Identifier(postgres.database)
    admin = postgres.connect()
    admin.execute("SET default_transaction_read_only = off")

    def turn() -> None:
        admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(database))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'vecferry' AND datname = current_database()"
        )

    config = config_of(mysql.url, user)
    message = refused(config, Act(step, turn))
    assert "run the same command again" in message
    message = refused(config)
    assert "read-only transaction: the target is read-only: connect to the primary" in message
    assert "run the same command again" in message
    admin.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(database))
    assert migrate(config).status == "ok"
    whole(postgres)


SHORT = {
    "wait-timeout": "1", "interactive-timeout": "1", "net-write-timeout": "1", "net-read-timeout": "1",
    "max-statement-time": "1", "idle-transaction-timeout": "1", "idle-readonly-transaction-timeout": "1",
    "max-connections": "10",
}  # fmt: skip


def test_a_source_that_has_no_patience(private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase) -> None:
    server = private_mariadb(settings=SHORT)
    with closing(MySQLDatabase(server.url, "athena")) as mysql:
        mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
        mysql.execute("CREATE TABLE n (id int, v text)")
        mysql.execute("SET max_statement_time = 0")
        mysql.execute("INSERT INTO n SELECT seq, repeat('x', 10000) FROM seq_1_to_4000")
    postgres.execute("CREATE TABLE n (id int, v text)")
    config = config_of(server.url, postgres.url, workers=2)

    def full_of_n() -> bool:
        """Whether the server waits for us to take rows, and has waited for longer than it wants."""
        found = admin.execute(
            "SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Writ%%' AND time_ms > 1500"
        )
        return bool(found)

    admin = MySQLDatabase(server.admin_url, "mysql")
    holder = postgres.connect(autocommit=False)

    def unlock() -> None:
        try:
            wait_for(full_of_n)
        finally:
            holder.rollback()

    release = threading.Thread(target=unlock)

    def hold() -> None:
        holder.execute("LOCK TABLE n IN ACCESS EXCLUSIVE MODE")
        release.start()

    watch = Act("load", hold)
    with closing(admin):
        assert migrate(config, watch).status == "ok"
        release.join()
    assert not any("trying again" in note for note in watch.notes)
    assert postgres.rows("SELECT count(DISTINCT id) FROM n") == [(4000,)]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_session_that_says_nothing_for_long_is_kept(private_mariadb: Callable[..., MariaDB]) -> None:
    server = private_mariadb(settings=SHORT)
    url = load_config(source=server.url, target="postgresql://u:p@h/d").source_url
    idle = "SELECT time_ms FROM information_schema.processlist WHERE id = %s"
    with closing(source_connect.connect(url)) as connection, closing(MySQLDatabase(server.admin_url, "mysql")) as admin:
        with connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            [(session,)] = cursor.fetchall()

        def long_silent() -> bool:
            found = admin.rows(idle, [session])
            return not found or found[0][0] > 1500

        wait_for(long_silent)
        with connection.cursor() as cursor:
            assert cursor.execute("SELECT 1") == 1


def test_a_row_larger_than_the_source_lets_packets_be(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase
) -> None:
    server = private_mariadb(settings={"max-allowed-packet": "16M"})
    with closing(MySQLDatabase(server.url, "athena")) as mysql:
        mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v longtext, l longtext CHARACTER SET latin1, j json)")
        mysql.execute("INSERT INTO t VALUES (1, 'small', '', '[]')")
        mysql.execute(
            "INSERT INTO t SELECT 2, repeat('a', 3000000), repeat(_latin1 x'e9', 3000000),"
            " concat('[', repeat('1,', 1500000), '1]')"
        )
    server.settings["max-allowed-packet"] = "1M"
    server.restart()
    assert migrate(config_of(server.url, postgres.url, chunk_bytes="64MiB")).status == "ok"
    assert postgres.rows("SELECT id, length(v), length(l), jsonb_array_length(j) FROM t ORDER BY id") == [
        (1, 5, 0, 0), (2, 3000000, 3000000, 1500001)
    ]  # fmt: skip
    assert postgres.rows("SELECT v = repeat('a', 3000000), l = repeat('é', 3000000) FROM t WHERE id = 2") == [
        (True, True)
    ]


# --- connections, locks, read-only on the source


def test_no_free_connection_at_the_start(
    private_mariadb: Callable[..., MariaDB], private_postgres: Callable[..., Postgres]
) -> None:
    source = private_mariadb(settings={"max-connections": "10"})
    target = private_postgres(settings={"max_connections": "8", "autovacuum": "off", "max_wal_senders": "0"})
    config = config_of(source.url, target.url)
    for connect, words in (
        (lambda: connect_mysql(source.url), "Too many connections; the server has no connection left"),
        (lambda: psycopg.connect(target.url), "raise max_connections or lower --workers, then run the same command"),
    ):
        with ExitStack() as held:
            with suppress(pymysql.err.OperationalError, psycopg.OperationalError):
                while True:
                    held.callback(connect().close)
            assert words in refused(config)
    assert migrate(config).status == "ok"


def test_a_read_only_source_can_be_locked(private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase) -> None:
    server = private_mariadb()
    with closing(MySQLDatabase(server.url, "athena")) as mysql:
        fill(mysql)
    server.settings["read-only"] = "1"
    server.restart()
    assert migrate(config_of(server.url, postgres.url, consistency="lock")).status == "ok"
    whole(postgres)


def test_a_table_of_the_source_that_is_locked_for_a_while(
    mysql: MySQLDatabase, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(mysql)
    assert "lock_wait_timeout = 60" in source_connect.SESSION
    impatient = source_connect.SESSION.replace("lock_wait_timeout = 60", "lock_wait_timeout = 1")
    for module in (source_connect, read):
        monkeypatch.setattr(module, "SESSION", impatient)
    holder = mysql.connect()

    def lock() -> None:
        holder.cursor().execute("LOCK TABLES t WRITE, n WRITE")

    watch = Act("load", lock)
    noted = watch.note

    def note(text: str) -> None:
        noted(text)
        if "trying again" in text:
            holder.cursor().execute("UNLOCK TABLES")

    monkeypatch.setattr(watch, "note", note)
    assert migrate(config_of(mysql.url, postgres.url), watch).status == "ok"
    [told] = [text for text in watch.notes if "trying again" in text]
    assert "Lock wait timeout exceeded" in told
    whole(postgres)


# --- memory


def test_too_few_locks_for_many_tables(mysql: MySQLDatabase, private_postgres: Callable[..., Postgres]) -> None:
    tables = [f"t{number}" for number in range(120)]
    for table in tables:
        mysql.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, v text)")
    few = {"max_locks_per_transaction": "10", "max_connections": "10", "max_worker_processes": "1",
           "max_wal_senders": "0", "autovacuum_worker_slots": "1"}  # fmt: skip
    server = private_postgres(settings=few)
    config = config_of(mysql.url, server.url)
    message = refused(config)
    assert "out of shared memory: raise max_locks_per_transaction on the target and restart it, then run" in message
    server.settings["max_locks_per_transaction"] = "200"
    server.restart()
    report = migrate(config)
    assert report.status == "ok"
    assert sorted(table.name for table in report.tables) == sorted(tables)


class Cramped(Postgres):
    """PostgreSQL that sees a /dev/shm of 4 MiB, as in a small container."""

    _mounts = False

    def _process_options(self) -> dict[str, Any]:
        return {} if self._mounts else super()._process_options()

    def _command(self) -> list[str]:
        mount = "mount -t tmpfs -o size=4m,mode=1777 tmpfs /dev/shm"
        user = self._system_user
        drop = f"setpriv --reuid={user.uid} --regid={user.gid} --clear-groups" if user is not None else ""
        return ["unshare", "--mount", "sh", "-c", f'{mount} && exec {drop} "$@"', "postgres", *super()._command()]

    def _spawn(self) -> None:
        self._mounts = True
        super()._spawn()
        self._mounts = False


def embeddings(mysql: MySQLDatabase, rows: int) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext)")
    numbers, zeros = ", ',', ".join(["ROUND(RAND(), 4)"] * 8), ",0" * 248
    mysql.execute(f"INSERT INTO e SELECT seq, CONCAT('[', {numbers}, '{zeros}]') FROM seq_1_to_{rows}")


@pytest.mark.torture
def test_shared_memory_too_small_for_a_parallel_build(mysql: MySQLDatabase) -> None:
    embeddings(mysql, 6000)
    with Cramped() as server:
        report = migrate(config_of(mysql.url, server.url, workers=2, chunk_bytes="1MiB", distance="l2"))
        with server.connect("athena") as admin:
            assert admin.execute(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = 'e_v_hnsw'::regclass"
            ).fetchall() == [(True,)]
    assert report.status == "ok"
    [note] = [note for note in report.notes if "serially" in note]
    assert "no shared memory for a parallel build of e_v_hnsw (could not resize shared memory segment" in note


class Limited(Postgres):
    """PostgreSQL whose processes may each have no more than `kilobytes` of memory."""

    kilobytes: int | None = None

    def _command(self) -> list[str]:
        limit = f"ulimit -v {self.kilobytes} && " if self.kilobytes else ""
        return ["sh", "-c", f'{limit}exec "$@"', "postgres", *super()._command()]


@pytest.mark.torture
def test_a_target_that_runs_out_of_memory(mysql: MySQLDatabase) -> None:
    embeddings(mysql, 6000)
    with Limited(settings={"shared_buffers": "16MB"}) as server:
        with server.connect() as admin:
            [pid] = admin.execute("SELECT pg_backend_pid()").fetchone() or (0,)
            server.kilobytes = psutil.Process(pid).memory_info().vms // 1024 + 8 * 1024
        config = config_of(mysql.url, server.url, workers=2, chunk_bytes="256KiB", distance="l2", retries=1)
        server.restart()
        message = refused(config)
        assert "refused to do the step vector_index: out of memory" in message
        assert "lower --index-memory and --workers, then run the same command again" in message
        server.kilobytes = None
        server.restart()
        assert migrate(config).status == "ok"
