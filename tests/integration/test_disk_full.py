"""A disk that fills up, on the target, the source and the client: one sentence, nothing half-done, and on it goes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import psycopg
import pytest
from psycopg import sql

from tests.integration.support import Act
from tests.servers.disk import Disk
from vecferry import cli, load_config, migrate
from vecferry.cli.invocation import silence
from vecferry.demo.urls import connect_mysql
from vecferry.errors import ExitCode, SourceError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.demo.servers import MariaDB, Postgres

ROWS = 300
FREE = "No space left on device: free disk space on the target, then run the same command again"


def fill(mysql: MySQLDatabase) -> None:
    """Texts that no server can compress, and embeddings of 256 dimensions."""
    dice = random.Random(1)
    mysql.execute(
        "CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v longtext NOT NULL, k varchar(64) NOT NULL, KEY (k))"
    )
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext NOT NULL)")
    with mysql.connect().cursor() as cursor:
        texts = [(i, dice.randbytes(4000).hex(), dice.randbytes(32).hex()) for i in range(1, ROWS + 1)]
        cursor.executemany("INSERT INTO t VALUES (%s, %s, %s)", texts)
        vectors = [(i, str([dice.random() for _ in range(256)])) for i in range(1, ROWS + 1)]
        cursor.executemany("INSERT INTO e VALUES (%s, %s)", vectors)


def whole(mysql: MySQLDatabase, url: str) -> None:
    """Every row is there once, the ledger says so, and the indexes are valid."""
    with psycopg.connect(url) as connection:
        got = connection.execute("SELECT id, v, k FROM t ORDER BY id").fetchall()
        assert got == mysql.rows("SELECT id, v, k FROM t ORDER BY id")
        assert connection.execute("SELECT id FROM e ORDER BY id").fetchall() == mysql.rows("SELECT id FROM e")
        ledger = "SELECT table_name, sum(rows_written) FROM vecferry.chunk GROUP BY 1 ORDER BY 1"
        assert connection.execute(ledger).fetchall() == [("e", ROWS), ("t", ROWS)]
        indexes = (
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
            " WHERE indrelid IN ('e'::regclass, 't'::regclass)"
        )
        assert sorted(connection.execute(indexes).fetchall()) == [
            ("e_pkey", True), ("e_v_hnsw", True), ("k", True), ("t_pkey", True)
        ]  # fmt: skip


@pytest.fixture
def disk(open_path: Path) -> Iterator[Disk]:
    with Disk(open_path / "disk", 32) as disk:
        yield disk


def space_on(server: Postgres, disk: Disk) -> None:
    """Makes the tablespace `small`."""
    folder = disk.path / "space"
    folder.mkdir(mode=0o700)
    server.give(folder)
    with server.connect() as admin:
        admin.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(folder))))


def test_a_target_disk_that_fills_up_at_every_step(
    mysql: MySQLDatabase, private_postgres: Callable[..., Postgres], disk: Disk
) -> None:
    fill(mysql)
    server = private_postgres()
    space_on(server, disk)
    with server.connect() as admin:
        # All that the database has lies there: its catalog, tables, ledger and temporary files.
        admin.execute("CREATE DATABASE small OWNER vecferry TABLESPACE small")
    config = load_config(source=mysql.url, target=server.url_of("small"), chunk_bytes="64KiB")
    for step in ("load", "rows", "keys", "vector_index", "verify"):
        watch = Act(step, disk.fill)
        with pytest.raises(TargetError) as caught:
            migrate(config, watch)
        assert FREE in str(caught.value), step
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == ExitCode.TARGET
        # What more room would cure is not tried again before.
        assert not any("trying again" in note for note in watch.notes)
        assert watch.step == "", "the step was reached"
        disk.grow(24)
    assert migrate(config).status == "ok"
    whole(mysql, server.url_of("small"))


def test_temporary_files_that_find_no_room(
    mysql: MySQLDatabase, private_postgres: Callable[..., Postgres], disk: Disk
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, k varchar(200), KEY (k))")
    mysql.execute("INSERT INTO t SELECT seq, sha2(seq, 512) FROM seq_1_to_20000")
    server = private_postgres(settings={"temp_tablespaces": "small"})
    space_on(server, disk)
    disk.fill()
    with server.connect() as admin:
        admin.execute("GRANT CREATE ON TABLESPACE small TO vecferry")
        admin.execute("ALTER ROLE vecferry SET maintenance_work_mem = '64kB'")
        admin.execute("ALTER ROLE vecferry SET max_parallel_maintenance_workers = 0")
    config = load_config(source=mysql.url, target=server.url)
    with pytest.raises(TargetError, match=f'refused to make the keys: could not write to file ".*pgsql_tmp.*": {FREE}'):
        migrate(config)
    disk.grow(32)
    assert migrate(config).status == "ok"
    with server.connect("athena") as admin:
        assert admin.execute("SELECT count(*), count(DISTINCT k) FROM t").fetchone() == (20000, 20000)


SEGMENT = 16 << 20


def use_up(server: Postgres, disk: Disk) -> None:
    """Leaves a few pages of write-ahead log: no further segment finds room."""
    disk.fill()
    last = max(path.name for path in (server.data / "pg_wal").iterdir() if len(path.name) == 24)
    end = (int(last[8:16], 16) << 32) + (int(last[16:], 16) + 1) * SEGMENT
    with server.connect() as admin:
        [(position,)] = admin.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()
        for _ in range((end - int(position)) // (1 << 20)):
            admin.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1 << 20))")


@pytest.mark.parametrize(
    "step",
    # A small machine's keys may fit into what is left of the log's last segment: then nothing is proven.
    ["rows", pytest.param("keys", marks=pytest.mark.torture)],
)
def test_a_full_disk_of_the_write_ahead_log(
    mysql: MySQLDatabase, private_postgres: Callable[..., Postgres], open_path: Path, step: str
) -> None:
    fill(mysql)
    server = private_postgres(settings={"max_wal_size": "64MB", "min_wal_size": "32MB"})
    config = load_config(source=mysql.url, target=server.url, chunk_bytes="64KiB", retries=1)
    with Disk(open_path / "wal", 80) as disk:
        server.end()
        shutil.move(server.data / "pg_wal", disk.path / "pg_wal")
        for path in (disk.path / "pg_wal").rglob("*"):
            server.give(path)
        server.give(disk.path / "pg_wal")
        (server.data / "pg_wal").symlink_to(disk.path / "pg_wal")
        server.start()
        with pytest.raises(TargetError) as caught:
            migrate(config, Act(step, lambda: use_up(server, disk)))
        # PostgreSQL panics; it comes back by itself where what it has suffices to recover, and else stays away.
        assert caught.value.exit_code == ExitCode.TARGET
        assert "run the same command again" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "PANIC" in server.log.read_text()
        disk.grow(64)
        server.kill()
        server.start()
        assert migrate(config).status == "ok"
        whole(mysql, server.url)
        server.stop()


def test_a_source_without_room_for_temporary_tables(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase, disk: Disk
) -> None:
    server = private_mariadb(settings={"tmpdir": str(disk.path)})
    with connect_mysql(server.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY)")
        cursor.execute("INSERT INTO t VALUES (1), (2)")
    disk.fill()
    config = load_config(source=server.url, target=postgres.url)
    with pytest.raises(
        SourceError, match=r"No space left on device.*; free disk space on the server, .*again"
    ) as caught:
        migrate(config)
    assert caught.value.exit_code == ExitCode.SOURCE
    assert config.source_url.place in str(caught.value)
    assert postgres.rows("SELECT to_regclass('t'), to_regnamespace('vecferry')") == [(None, None)]
    disk.grow(8)
    assert migrate(config).status == "ok"
    assert postgres.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


# --- the client


@pytest.fixture
def few(mysql: MySQLDatabase) -> MySQLDatabase:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO t VALUES (1), (2)")
    return mysql


@pytest.fixture
def call(few: MySQLDatabase, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`vecferry`, into streams of one's choice; without one it goes where the test's own output goes."""
    monkeypatch.setenv("VECFERRY_SOURCE", few.url)
    monkeypatch.setenv("VECFERRY_TARGET", postgres.url)

    def run(*arguments: str, **streams: TextIO) -> int:
        with monkeypatch.context() as patch:
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            return cli.run(arguments)

    return run


@pytest.fixture
def full() -> Iterator[TextIO]:
    with Path("/dev/full").open("w") as stream:
        yield stream
        silence(stream)


SENTENCE = "error: the result could not be written to stdout: No space left on device: what was done stays"


def test_a_log_on_a_full_disk_ends_no_run(
    call: Callable[..., int], full: TextIO, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("migrate", "--json", stderr=full) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["status"] == "ok"
    assert call("migrate", "--json", "--tables", "none", stdout=full, stderr=full) == ExitCode.USAGE


@pytest.mark.parametrize("arguments", [("migrate",), ("plan", "--no-estimate"), ("plan", "--json", "--no-estimate")])
def test_a_result_that_finds_no_room_is_told(
    call: Callable[..., int], full: TextIO, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert call(*arguments, stdout=full) == ExitCode.USAGE
    assert capsys.readouterr().err.splitlines()[-1].startswith(SENTENCE)
    assert call("migrate", "--json") == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["status"] in {"ok", "nothing to do"}


def test_a_process_without_room_for_its_result(few: MySQLDatabase, postgres: PostgresDatabase, full: TextIO) -> None:
    environment = {**os.environ, "VECFERRY_SOURCE": few.url, "VECFERRY_TARGET": postgres.url}
    command = [sys.executable, "-m", "vecferry", "migrate", "--json"]
    done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.splitlines()[-1].startswith(SENTENCE)


def test_a_report_that_finds_no_room_leaves_the_old_one(
    call: Callable[..., int], disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    report = disk.path / "report.json"
    report.write_text("old")
    disk.fill()
    assert call("migrate", "--json", "--report", str(disk.path)) == ExitCode.DONE
    result = json.loads(capsys.readouterr().out)
    assert result["status"] == "ok"
    assert f"{report} could not be written: No space left on device" in result["notes"]
    assert report.read_text() == "old"
    assert sorted(path.name for path in disk.path.iterdir()) == ["ballast", "report.json"]
    disk.grow(1)
    assert call("migrate", "--report", str(disk.path)) == ExitCode.DONE
    assert json.loads(report.read_text())["status"] == "nothing to do"
