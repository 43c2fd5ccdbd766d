"""Ctrl-C, SIGTERM and a closed terminal: exit code 6 within seconds, one sentence, nobody left at the servers."""

from __future__ import annotations

import os
import pty
import signal
import socket
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.servers.proxy import Proxy
from tests.torture.conftest import OPTIONS
from tests.torture.support import Ferry, check_ledger, sessions, wait_until
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from tests.torture.support import Command, Forker

MOST_SECONDS = 5.0
ROWS = 2000
SENTENCE = "error: interrupted: what is committed stays, run the same command again to go on\n"
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def interrupt(command: Command, number: int = signal.SIGINT, *, again: bool = False) -> str:
    """Sends a signal, waits for the end and returns what was said."""
    assert command.poll() is None
    began = time.monotonic()
    command.kill(number)
    if again:
        time.sleep(0.7)  # what comes sooner counts as the same
        command.kill(number)
    code, _, err = command.ended(MOST_SECONDS + 5)
    assert (code, time.monotonic() - began < MOST_SECONDS) == (ExitCode.INTERRUPTED, True), (code, err)
    assert err.endswith(SENTENCE)
    assert err.count("error:") == 1
    return err


def gone(postgres: PostgresDatabase) -> None:
    """The server has noticed, and has rolled back."""
    wait_until(lambda: not sessions(postgres.url), 10)


def many_rows(mysql: MySQLDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v varchar(200) NOT NULL)")
    mysql.execute(f"INSERT INTO t SELECT seq, repeat(seq, 20) FROM seq_1_to_{ROWS}")


def waits(postgres: PostgresDatabase, statement: str, count: int = 1) -> bool:
    """Whether as many of vecferry's statements like that wait for a lock."""
    query = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
             " AND application_name = 'vecferry' AND query ILIKE %s")  # fmt: skip
    return bool(postgres.rows(query, [statement])[0][0] >= count)


@pytest.mark.parametrize("number", NUMBERS)
def test_in_the_load(forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase, number: int) -> None:
    many_rows(mysql)
    ferry = Ferry(forker, mysql.url, postgres.url, "--chunk-bytes", "4KiB")
    command = ferry.start()
    wait_until(lambda: postgres.rows("SELECT to_regclass('vecferry.chunk')") != [(None,)])
    wait_until(lambda: postgres.rows("SELECT count(*) > 5 FROM vecferry.chunk") == [(True,)])
    interrupt(command, number)
    gone(postgres)
    ferry.finish()
    check_ledger(postgres.url)
    assert postgres.rows("SELECT count(*), sum(id) FROM t") == [(ROWS, ROWS * (ROWS + 1) // 2)]


@pytest.mark.parametrize("how", ["once", "twice", "killed"])
def test_while_the_chunks_wait_for_a_lock(
    forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase, how: str
) -> None:
    many_rows(mysql)
    ferry = Ferry(forker, mysql.url, postgres.url, "--chunk-bytes", "4KiB")
    ferry.run(VECFERRY_TEST_CRASH_AT="prepared")
    other = postgres.connect(autocommit=False)
    other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    command = ferry.start()
    wait_until(lambda: waits(postgres, "%", 2))
    if how == "killed":
        command.kill()
        command.ended()
    else:
        interrupt(command, again=how == "twice")
    # While the lock is still held.
    gone(postgres)
    other.rollback()
    ferry.finish()
    check_ledger(postgres.url)


@pytest.mark.parametrize("point", ["loaded", "keys made", "sequences set"])
def test_while_a_later_step_waits_for_a_lock(
    forker: Forker, library: str, postgres: PostgresDatabase, point: str
) -> None:
    ferry = Ferry(forker, library, postgres.url, *OPTIONS)
    ferry.run(VECFERRY_TEST_CRASH_AT=point)
    other = postgres.connect(autocommit=False)
    other.execute("LOCK TABLE part, doc, author, loose IN ACCESS EXCLUSIVE MODE")
    command = ferry.start()
    wait_until(lambda: waits(postgres, "%"))
    interrupt(command)
    gone(postgres)
    other.rollback()
    ferry.finish()
    check_ledger(postgres.url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_in_the_middle_of_an_index_build(
    forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase, number: int
) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext NOT NULL)")
    values = ", ',', ".join(f"rand({n + 1} * seq)" for n in range(16))
    mysql.execute(f"INSERT INTO e SELECT seq, concat('[', {values}, ']') FROM seq_1_to_3000")
    ferry = Ferry(forker, mysql.url, postgres.url, "--embedding", "e.v:16", "--ef-construction", "300", "--m", "40")
    command = ferry.start()
    building = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase = 'building index: loading tuples'"
    wait_until(lambda: postgres.rows(building) != [(0,)])
    if number == signal.SIGKILL:
        command.kill()
        assert command.ended()[0] == -signal.SIGKILL
    else:
        interrupt(command)
    # The build ends with its client, and its lock does not keep the next run out.
    gone(postgres)
    assert postgres.rows("SELECT reloptions FROM pg_class WHERE relname = 'e'") == [(None,)]
    ferry.finish()
    assert postgres.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'e_v_hnsw'::regclass") == [(True,)]
    assert postgres.rows("SELECT reloptions FROM pg_class WHERE relname = 'e'") == [(None,)]


def test_in_a_pause_between_two_attempts(forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many_rows(mysql)
    with Proxy(postgres.url) as proxy:
        ferry = Ferry(forker, mysql.url, proxy.url, "--chunk-bytes", "4KiB", "--retries", "50")
        command = ferry.start()
        wait_until(lambda: postgres.rows("SELECT to_regclass('vecferry.chunk')") != [(None,)])
        wait_until(lambda: postgres.rows("SELECT count(*) > 5 FROM vecferry.chunk") == [(True,)])
        proxy.refusing = True
        proxy.cut()
        seen = proxy.accepted
        wait_until(lambda: proxy.accepted > seen + 1)
        interrupt(command)
        proxy.refusing = False
        ferry.finish()
    check_ledger(postgres.url)


@pytest.mark.parametrize("end", ["source", "target"])
@pytest.mark.parametrize("when", ["plan", "load"])
def test_while_a_server_says_nothing(
    forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase, end: str, when: str
) -> None:
    many_rows(mysql)
    with Proxy(mysql.url if end == "source" else postgres.url) as proxy:
        urls = (proxy.url, postgres.url) if end == "source" else (mysql.url, proxy.url)
        ferry = Ferry(forker, *urls, "--chunk-bytes", "4KiB")
        if when == "load":
            command = ferry.start()
            wait_until(lambda: postgres.rows("SELECT to_regclass('vecferry.chunk')") != [(None,)])
            wait_until(lambda: postgres.rows("SELECT count(*) > 5 FROM vecferry.chunk") == [(True,)])
            proxy.stall()
        else:
            proxy.stall()
            command = ferry.start()
            wait_until(lambda: proxy.accepted)
        time.sleep(0.3)  # for what was under way to stop
        if when == "load":
            interrupt(command)
        else:
            command.kill(signal.SIGINT)
            code, _, err = command.ended(MOST_SECONDS)
            assert (code, err.splitlines()[-1][:18]) == (ExitCode.INTERRUPTED, "error: interrupted")
        proxy.flow()
        proxy.cut()
        ferry.finish()
    check_ledger(postgres.url)


def test_in_a_long_statement_on_the_source(forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many_rows(mysql)
    other = mysql.connect()
    other.query("LOCK TABLES t WRITE")
    running = (f"SELECT id FROM information_schema.processlist WHERE db = '{mysql.database}' AND state LIKE 'Waiting%'"
               " AND command <> 'Killed'")  # fmt: skip
    for command in ("plan", "load"):
        ferry = Ferry(forker, mysql.url, postgres.url, "--chunk-bytes", "4KiB")
        if command == "load":
            other.query("UNLOCK TABLES")
            ferry.run(VECFERRY_TEST_CRASH_AT="prepared")
            other.query("LOCK TABLES t WRITE")
        started = ferry.start()
        wait_until(lambda: mysql.rows(running))
        interrupt(started)
    other.query("UNLOCK TABLES")
    ferry.finish()
    check_ledger(postgres.url)


@contextmanager
def silent_host(url: str) -> Iterator[str]:
    """A URL whose host accepts no connection and refuses none: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        queued = []
        for _ in range(3):
            queued.append(socket.socket())
            queued[-1].setblocking(False)
            queued[-1].connect_ex(("127.0.0.1", port))
        parts = urlsplit(url)
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))
        for each in queued:
            each.close()


@pytest.mark.parametrize("end", ["source", "target"])
def test_in_an_attempt_to_connect(forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase, end: str) -> None:
    with silent_host(mysql.url if end == "source" else postgres.url) as url:
        urls = (url, postgres.url) if end == "source" else (mysql.url, url)
        command = Ferry(forker, *urls).start()
        port = f":{urlsplit(url).port:04X} 02"  # SYN_SENT to the host
        wait_until(lambda: port in _connections(command.pid))
        command.kill(signal.SIGTERM)
        code, _, err = command.ended(MOST_SECONDS)
    assert (code, err.splitlines()[-1][:18]) == (ExitCode.INTERRUPTED, "error: interrupted")


def _connections(pid: int) -> str:
    return Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii")


def test_a_terminal_that_is_closed(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many_rows(mysql)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(VECFERRY_SOURCE=mysql.url, VECFERRY_TARGET=postgres.url, TERM="xterm")
        try:
            os.execv(sys.executable, [sys.executable, "-m", "vecferry", "migrate", "--chunk-bytes", "4KiB"])
        finally:
            os._exit(1)  # a child that could not become another program must not go on as a second pytest
    wait_until(lambda: postgres.rows("SELECT to_regclass('vecferry.chunk')") != [(None,)])
    began = time.monotonic()
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert (code, time.monotonic() - began < MOST_SECONDS) == (ExitCode.INTERRUPTED, True)
    gone(postgres)


def test_what_nohup_ignores_is_ignored(forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many_rows(mysql)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command = Ferry(type(forker)(), mysql.url, postgres.url, "--chunk-bytes", "4KiB").start()
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_until(lambda: postgres.rows("SELECT to_regclass('vecferry.chunk')") != [(None,)])
    command.kill(signal.SIGHUP)
    assert command.ended()[0] == ExitCode.DONE
