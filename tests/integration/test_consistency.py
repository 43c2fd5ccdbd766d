"""The signs that a source was written to, and the lock that keeps writers out, on real servers."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.servers.mysql56 import MySQL56
from vecferry.config import parse_source
from vecferry.errors import SourceError
from vecferry.mapping.flavor import Flavor
from vecferry.source import consistency
from vecferry.source.connect import connect
from vecferry.source.consistency import Position, held, moved, position, replica_statement, status_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vecferry.config import DatabaseURL

    Start = Callable[..., Any]

BINLOG = {"log-bin": "binlog", "server-id": "1"}


@pytest.fixture(params=["mysql", "mysql56"])
def source(request: pytest.FixtureRequest) -> Any:
    """A fresh database on MariaDB, then on MySQL 5.6."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["mysql", "mysql56"])
def source_with_table(request: pytest.FixtureRequest) -> Any:
    source = request.getfixturevalue(request.param)
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE = InnoDB")
    source.execute("INSERT INTO t VALUES (1, 1)")
    return source


def at(url: DatabaseURL, tables: Mapping[str, Sequence[str]]) -> Position:
    with connect(url) as connection:
        return position(connection, tables)


def here(source: Any, **tables: Sequence[str]) -> Position:
    """The position as another process finds it in the ledger."""
    found = at(parse_source(source.url), tables)
    stored = Position(**orjson.loads(orjson.dumps(dataclasses.asdict(found))))
    assert stored == found
    return found


@contextmanager
def user_with(source: Any, *grants: str) -> Iterator[DatabaseURL]:
    """A user with SELECT on the database, and `grants`."""
    name = f"u{uuid.uuid4().hex[:10]}"
    who = f"'{name}'@'127.0.0.1'"
    source.execute(f"CREATE USER {who} IDENTIFIED BY 'secret'")
    for grant in (f"SELECT ON `{source.database}`.*", *grants):
        source.execute(f"GRANT {grant} TO {who}")
    try:
        yield replace(parse_source(source.url), user=name, password="secret")
    finally:
        source.execute(f"DROP USER {who}")


# --- watch


def test_a_source_that_holds_still(source: Any) -> None:
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    source.execute("CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b))")
    source.execute("CREATE TABLE log (line TEXT)")
    source.execute("CREATE TABLE blobs (id BINARY(2) PRIMARY KEY)")
    source.execute("INSERT INTO t VALUES (1), (7)")
    source.execute("INSERT INTO blobs VALUES (x'ff00')")
    tables = {"t": ["id"], "pairs": ["a", "b"], "log": (), "blobs": ["id"]}
    before = here(source, **tables)
    assert before.rows == {"t": 2, "pairs": 0, "log": 0, "blobs": 1}
    assert before.largest == {"t": "7", "blobs": "ff00"}
    assert moved(before, here(source, **tables)) == ()


def test_rows_that_come_and_go_without_a_binary_log(source: Any) -> None:
    source.execute("CREATE TABLE added (id INT PRIMARY KEY)")
    source.execute("CREATE TABLE log (line TEXT)")
    source.execute("CREATE TABLE gone (id INT PRIMARY KEY)")
    source.execute("CREATE TABLE still (id INT PRIMARY KEY)")
    source.execute("INSERT INTO log VALUES ('a'), ('b')")
    source.execute("INSERT INTO gone VALUES (1), (2)")
    tables = {"added": ["id"], "log": (), "gone": ["id"], "still": ["id"]}
    before = here(source, **tables)
    source.execute("INSERT INTO added VALUES (10)")
    source.execute("DELETE FROM log LIMIT 1")
    source.execute("DELETE FROM gone WHERE id = 1")
    found = [sentence.split("; it was last")[0] for sentence in moved(before, here(source, **tables))]
    assert found == [
        "table added changed during the copy: it had 0 rows and has 1; its largest key was none and is 10",
        "table gone changed during the copy: it had 2 rows and has 1",
        "table log changed during the copy: it had 2 rows and has 1",
    ]


@pytest.mark.parametrize(("server", "engine"), [("mysql", "InnoDB"), ("mysql", "MyISAM"), ("mysql56", "MyISAM")])
def test_a_row_changed_in_place_is_seen_by_the_time_of_writing(
    server: str, engine: str, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(server)
    source.execute(f"CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE = {engine}")
    source.execute("INSERT INTO t VALUES (1, 1)")
    before = here(source, t=["id"])
    time.sleep(1.1)  # the time has no fraction
    assert moved(before, here(source, t=["id"])) == ()
    source.execute("UPDATE t SET v = 2")
    after = here(source, t=["id"])
    assert moved(before, after) == (
        f"table t changed during the copy: it was last written to at {after.written['t']} UTC",
    )


def test_a_table_that_cannot_be_read(source: Any) -> None:
    with pytest.raises(
        SourceError, match="cannot run a query at .*: Table '.*nowhere' doesn't exist; the table was dropped"
    ):
        here(source, nowhere=["id"])


def test_binary_log_of_mariadb(private_mariadb: Start) -> None:
    server = private_mariadb(settings={**BINLOG, "binlog-ignore-db": "unlogged"})
    ours = parse_source(server.create_database("ours"))
    server.create_database("other")
    unlogged = parse_source(server.create_database("unlogged"))
    tables = {"t": ["id"]}
    with server.connect() as admin, admin.cursor() as cursor:
        for database in ("ours", "other", "unlogged"):
            cursor.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v INT)")
        refused = at(ours, tables)
        assert refused.rows == {"t": 0}, "without the right to ask for filters, the log may not tell of every write"
        assert refused.log.startswith("0-1-"), "GTIDs can be asked for by everybody"

        cursor.execute(f"GRANT BINLOG MONITOR ON *.* TO '{ours.user}'@'127.0.0.1'")
        before = at(ours, tables)
        assert before.rows == {}
        assert before.log.startswith("0-1-")
        assert at(unlogged, tables).rows == {"t": 0}
        cursor.execute("FLUSH LOGS")
        assert moved(before, at(ours, tables)) == (), "another file of the log is no write"

        cursor.execute("INSERT INTO other.t VALUES (1, 1)")
        after = at(ours, tables)
        unseen = (
            "no table's largest key or known time of writing did: it may be another database's,"
            " or rows of these tables that were changed or deleted"
        )
        assert moved(before, after) == (
            f"the server's binary log moved from {before.log} to {after.log} during the copy, but {unseen}",
        )
        cursor.execute("INSERT INTO ours.t VALUES (5, 1)")
        last = at(ours, tables)
        table, log = moved(after, last)
        assert table.startswith("table t changed during the copy: its largest key was none and is 5; it was last")
        assert log == f"the server's binary log moved from {after.log} to {last.log} during the copy"


def test_binary_log_of_mysql() -> None:
    with MySQL56(settings=BINLOG) as server:
        ours = replace(parse_source(server.admin_url), database="ours")
        with server.connect() as admin, admin.cursor() as cursor:
            cursor.execute("CREATE DATABASE ours")
            cursor.execute("CREATE TABLE ours.t (id INT PRIMARY KEY)")
            before = at(ours, {"t": ["id"]})
            assert before.rows == {}
            assert before.log.startswith("binlog.00000")
            assert moved(before, at(ours, {"t": ["id"]})) == ()
            cursor.execute("INSERT INTO ours.t VALUES (3)")
            after = at(ours, {"t": ["id"]})
            assert moved(before, after) == (
                "table t changed during the copy: its largest key was none and is 3",
                f"the server's binary log moved from {before.log} to {after.log} during the copy",
            )
            cursor.execute("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'u'")
            assert at(ours, {"t": ["id"]}).rows == {"t": 1}, "a replica may not log what it replicates"


def test_global_transaction_ids_of_mysql() -> None:
    settings = {**BINLOG, "gtid-mode": "ON", "enforce-gtid-consistency": "1", "log-slave-updates": "1"}
    with MySQL56(settings=settings) as server:
        ours = replace(parse_source(server.admin_url), database="ours")
        with server.connect() as admin, admin.cursor() as cursor:
            cursor.execute("CREATE DATABASE ours")
            cursor.execute("SELECT @@server_uuid")
            [identity] = cursor.fetchone() or ()
            before = at(ours, {})
            assert before.log.startswith(f"{identity}:1")
            cursor.execute("FLUSH LOGS")
            cursor.execute("CREATE TABLE ours.t (id INT PRIMARY KEY)")
            after = at(ours, {})
            assert after.log != before.log
            assert before.log in moved(before, after)[0]


def test_a_log_that_could_be_read_once_only() -> None:
    logged, counted = Position(log="binlog.000001:4"), Position(rows={"t": 1})
    [sentence] = moved(logged, counted)
    assert sentence == (
        "whether the source was written to during the copy cannot be told in full:"
        " the server's binary log was readable before it only"
    )
    assert moved(counted, logged) == (sentence.replace("before it only", "after it only"),)
    both = Position(log="0-1-1", rows={"t": 1})
    assert moved(both, counted) == (), "the counts say the same on their own"


def test_long_positions_are_cut() -> None:
    sets = [",".join(f"{uuid.UUID(int=number)}:1-{last}" for number in range(50)) for last in (8, 9)]
    [sentence] = moved(Position(log=sets[0]), Position(log=sets[1]))
    assert len(sentence) < 500


@pytest.mark.parametrize(
    ("version", "status", "replica"),
    [
        ("5.6.24", "SHOW MASTER STATUS", "SHOW SLAVE STATUS"),
        ("8.0.36", "SHOW MASTER STATUS", "SHOW REPLICA STATUS"),
        ("8.4.2", "SHOW BINARY LOG STATUS", "SHOW REPLICA STATUS"),
        ("11.4.2-MariaDB", "SHOW MASTER STATUS", "SHOW ALL SLAVES STATUS"),
    ],
)
def test_statements_that_servers_have(version: str, status: str, replica: str) -> None:
    kind = Flavor.parse(version)
    assert (status_statement(kind), replica_statement(kind)) == (status, replica)


# --- lock


class Attempt:
    """A statement on a connection and thread of its own."""

    def __init__(self, source: Any, statement: str) -> None:
        self.error: Exception | None = None
        self._connection = source.connect()
        self._statement = statement
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(self._statement)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def waits(self) -> bool:
        self._thread.join(0.5)
        return self._thread.is_alive()

    def done(self) -> bool:
        self._thread.join(20)
        return not self._thread.is_alive() and self.error is None


def locks(source: Any) -> list[int]:
    """The sessions in the database that neither belong to the test nor run anything: those that hold a lock."""
    own = {connection.thread_id() for connection in source._connections if connection.open}
    found = source.rows("SELECT id FROM information_schema.processlist WHERE db = %s", (source.database,))
    return [number for (number,) in found if number not in own | {source._own.thread_id()}]


@pytest.mark.parametrize("engine", ["InnoDB", "MyISAM"])
@pytest.mark.parametrize("statement", ["INSERT INTO t VALUES (2)", "UPDATE t SET id = 3", "ALTER TABLE t COMMENT 'x'"])
def test_writers_wait_and_readers_go_on(source: Any, engine: str, statement: str) -> None:
    source.execute(f"CREATE TABLE t (id INT PRIMARY KEY) ENGINE = {engine}")
    source.execute("CREATE TABLE free (id INT PRIMARY KEY)")
    source.execute("INSERT INTO t VALUES (1)")
    with held(parse_source(source.url), ["t"]):
        writer = Attempt(source, statement)
        assert writer.waits()
        assert Attempt(source, "SELECT id FROM t").done(), "a reader that comes after the writer"
        assert Attempt(source, "INSERT INTO free VALUES (1)").done()
        assert source.rows("SELECT id FROM t") == [(1,)]
    assert writer.done()


def test_names_that_must_be_quoted(source: Any) -> None:
    source.execute("CREATE TABLE `a ``b` (id INT)")
    source.execute("CREATE TABLE `select` (id INT)")
    with held(parse_source(source.url), ["a `b", "select"]):
        writer = Attempt(source, "INSERT INTO `select` VALUES (1)")
        assert writer.waits()
    assert writer.done()


def test_no_table_locks_nothing(source_with_table: Any) -> None:
    with held(parse_source(source_with_table.url), []):
        assert Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)").done()


def test_released_after_an_exception(source_with_table: Any) -> None:
    attempts = []

    def interrupt() -> None:
        with held(parse_source(source_with_table.url), ["t"]):
            attempts.append(Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)"))
            assert attempts[0].waits()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert attempts[0].done()


@contextmanager
def client(source: Any, *, idle_seconds: int = 300) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock on `t` until it ends."""
    code = (
        "import sys, time\n"
        "from vecferry.config import parse_source\n"
        "from vecferry.source import consistency\n"
        "consistency._IDLE_SECONDS = int(sys.argv[1])\n"
        "with consistency.held(parse_source(sys.stdin.readline().strip()), ['t']):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    arguments = [sys.executable, "-c", code, str(idle_seconds)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(source.url + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_released_when_the_client_is_killed(source_with_table: Any) -> None:
    with client(source_with_table) as process:
        writer = Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)")
        assert writer.waits()
        os.kill(process.pid, signal.SIGKILL)
        assert writer.done()


def test_released_when_the_client_is_terminated(source_with_table: Any) -> None:
    with client(source_with_table) as process:
        writer = Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)")
        assert writer.waits()
        process.terminate()
        assert writer.done()


def test_released_when_the_client_falls_silent(source_with_table: Any) -> None:
    with client(source_with_table, idle_seconds=2) as process:
        os.kill(process.pid, signal.SIGSTOP)  # its connection stays open, as that of a machine without power does
        assert Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)").done()


def test_kept_for_longer_than_the_server_lets_sessions_be_idle(
    source_with_table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consistency, "_IDLE_SECONDS", 2)
    monkeypatch.setattr(consistency, "BEAT_SECONDS", 0.5)
    with held(parse_source(source_with_table.url), ["t"]):
        time.sleep(4)
        writer = Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)")
        assert writer.waits()
    assert writer.done()


@pytest.mark.parametrize("beat_seconds", [60, 0.1])
def test_a_lock_that_was_lost_is_told(
    source_with_table: Any, monkeypatch: pytest.MonkeyPatch, beat_seconds: float
) -> None:
    monkeypatch.setattr(consistency, "BEAT_SECONDS", beat_seconds)
    url = parse_source(source_with_table.url)

    def lose() -> None:
        with held(url, ["t"]):
            source_with_table.rows("SELECT 1")
            [session] = locks(source_with_table)
            source_with_table.execute(f"KILL {session}")
            assert Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)").done()
            time.sleep(0.5)

    with pytest.raises(SourceError) as caught:
        lose()
    text = str(caught.value)
    assert text.startswith(f"the read lock at {url.place} was lost at some time before ")
    assert text.endswith("carry everything again with --restart")
    assert "\n" not in text


def test_an_error_in_the_copy_goes_before_a_lock_that_was_lost(source_with_table: Any) -> None:
    def fail() -> None:
        with held(parse_source(source_with_table.url), ["t"]):
            source_with_table.rows("SELECT 1")
            [session] = locks(source_with_table)
            source_with_table.execute(f"KILL {session}")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


@pytest.mark.parametrize("right", ["RELOAD ON *.*", ""])
def test_a_transaction_that_has_written_is_waited_for(source_with_table: Any, right: str) -> None:
    writer = source_with_table.connect()
    writer.begin()
    writer.cursor().execute("INSERT INTO t VALUES (2, 2)")
    with user_with(
        source_with_table, f"LOCK TABLES ON `{source_with_table.database}`.*", *filter(None, [right])
    ) as url:
        with pytest.raises(SourceError) as caught, held(url, ["t"], wait_seconds=1):
            pytest.fail("uncommitted rows could appear during the copy")
        assert str(caught.value) == (
            f"cannot lock the tables at {url.place}: another session has been using one of them for 1 seconds:"
            " find it with SHOW PROCESSLIST (an open transaction shows as Sleep), end it and run again"
        )
        threading.Timer(1, writer.commit).start()
        with held(url, ["t"]):
            assert source_with_table.rows("SELECT COUNT(*) FROM t") == [(2,)]


def test_without_the_right_reload(source_with_table: Any) -> None:
    with user_with(source_with_table, f"LOCK TABLES ON `{source_with_table.database}`.*") as url:
        with held(url, ["t"]):
            writer = Attempt(source_with_table, "INSERT INTO t VALUES (2, 2)")
            assert writer.waits()
            assert Attempt(source_with_table, "SELECT * FROM t").done()
        assert writer.done()
        source_with_table.execute("CREATE TABLE old (id INT) ENGINE = MyISAM")
        with pytest.raises(SourceError) as caught, held(url, ["t", "old"]):
            pytest.fail("the copy's readers would wait behind a writer that waits for the lock")
        assert f"its engine is MyISAM, which takes the right RELOAD: GRANT RELOAD ON *.* TO '{url.user}'@'127" in str(
            caught.value
        )
        assert Attempt(source_with_table, "INSERT INTO t VALUES (3, 3)").done(), "nothing stays locked"


def test_without_any_right_to_lock(source_with_table: Any) -> None:
    with user_with(source_with_table) as url:
        with pytest.raises(SourceError) as caught, held(url, ["t"]):
            pytest.fail("not locked")
        assert str(caught.value) == (
            f"cannot lock the tables at {url.place}: Access denied for user '{url.user}'@'127.0.0.1' to database"
            f" '{url.database}': GRANT SELECT, LOCK TABLES ON `{url.database}`.* TO '{url.user}'@'127.0.0.1',"
            " or use --consistency watch"
        )


def test_a_table_that_is_gone(source: Any) -> None:
    url = parse_source(source.url)
    with pytest.raises(SourceError) as caught, held(url, ["nowhere"]):
        pytest.fail("not locked")
    assert str(caught.value).startswith(f"cannot lock the tables at {url.place}: Table '")
    assert "nowhere" in str(caught.value)
