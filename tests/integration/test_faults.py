"""Bad input and servers that go away: one sentence, the right exit code, and a run that can be taken up again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.integration.support import config_for, run, target_rows
from vecferry import Progress, VecferryError, load_config, make_plan, migrate
from vecferry.demo import sample
from vecferry.errors import ExitCode, ForbiddenError, InterruptedRunError, InvalidValueError, SourceError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.demo.servers import MariaDB, Postgres

PASSWORD = "s3cr3t-pa/ss:w@rd"
QUOTED = "s3cr3t-pa%2Fss%3Aw%40rd"


def change(url: str, **parts: str | int) -> str:
    split = urlsplit(url)
    user = parts.get("user", split.username)
    password = parts.get("password", split.password)
    host, port = parts.get("host", split.hostname), parts.get("port", split.port)
    path = f"/{parts['database']}" if "database" in parts else split.path
    return f"{split.scheme}://{user}:{password}@{host}:{port}{path}"


@pytest.mark.parametrize(
    ("end", "parts", "words"),
    [
        ("source", {"password": QUOTED}, "Access denied"),
        ("source", {"user": "nobody", "password": QUOTED}, "Access denied"),
        ("source", {"database": "no_such_database" }, "no_such_database"),
        ("source", {"port": 1, "password": QUOTED}, "refused"),
        ("source", {"host": "no-such-host.invalid", "password": QUOTED}, "no-such-host.invalid"),
        ("target", {"password": QUOTED, "user": "vecferry_nobody"}, "password authentication failed"),
        ("target", {"database": "no_such_database"}, "no_such_database"),
        ("target", {"port": 1, "password": QUOTED}, "refused"),
        ("target", {"host": "no-such-host.invalid", "password": QUOTED}, "no-such-host.invalid"),
    ],
)  # fmt: skip
def test_a_wrong_url_is_one_sentence_at_once(
    mysql: MySQLDatabase, postgres: PostgresDatabase, end: str, parts: dict[str, Any], words: str
) -> None:
    urls = {"source": mysql.url, "target": postgres.url}
    urls[end] = change(urls[end], **parts)
    started = time.monotonic()
    with pytest.raises(VecferryError) as caught:
        make_plan(load_config(None, **urls))
    assert time.monotonic() - started < 5
    assert caught.value.exit_code == (ExitCode.SOURCE if end == "source" else ExitCode.TARGET)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    for secret in (PASSWORD, QUOTED, urlsplit(mysql.url).password, urlsplit(postgres.url).password):
        assert secret is None or secret not in message


def test_a_user_without_rights_on_the_target(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    role = f"weak_{postgres.database}"
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'weak'")
    try:
        config = load_config(source=mysql.url, target=change(postgres.url, user=role, password="weak"))
        with pytest.raises(TargetError, match="permission denied for database .*: GRANT CREATE ON DATABASE"):
            migrate(config)
    finally:
        postgres.execute(f"DROP ROLE {role}")


def test_a_user_who_cannot_create_the_extension(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v text)")
    mysql.execute("INSERT INTO e VALUES (1, '[1,2,3]')")
    role = f"weak_{postgres.database}"
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'weak'")
    postgres.execute(f"GRANT ALL ON DATABASE {postgres.database} TO {role}; GRANT ALL ON SCHEMA public TO {role}")
    try:
        target = change(postgres.url, user=role, password="weak")
        config = load_config(source=mysql.url, target=target, embedding="e.v")
        with pytest.raises(TargetError, match='permission denied to create extension "vector"'):
            migrate(config)
        postgres.execute("CREATE EXTENSION vector")
        assert migrate(config).status == "ok"
    finally:
        postgres.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)).as_string())


def test_a_target_without_pgvector(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v text)")
    mysql.execute("INSERT INTO e VALUES (1, '[1,2,3]')")
    # Where the server looks for extensions, there is none.
    target = postgres.url + "?options=-c%20extension_control_path%3D/nowhere"
    config = load_config(source=mysql.url, target=target, embedding="e.v")
    with pytest.raises(ForbiddenError, match="the target has no pgvector: install it on the server") as caught:
        migrate(config)
    assert caught.value.exit_code == ExitCode.FORBIDDEN
    assert postgres.rows("SELECT to_regclass('e'), to_regnamespace('vecferry')") == [(None, None)]


class At(Progress):
    """Does something once, when so many rows are loaded."""

    def __init__(self, rows: int, act: Callable[[], None]) -> None:
        self.rows = rows
        self.act: Callable[[], None] | None = act
        self.seen = 0

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        self.seen += rows
        if self.seen >= self.rows and self.act is not None:
            act, self.act = self.act, None
            act()


def same_as_a_clean_run(source: str, target: str, clean: PostgresDatabase) -> None:
    """The state after an interruption and a resumption is that of an undisturbed run."""
    migrate(load_config(source=source, target=clean.url, hnsw=False))
    disturbed = replace(clean, url=target, _connections=[])
    try:
        for table in ("meta_media", "content", "content_embedding", "qa_jobs"):
            assert target_rows(disturbed, table, "id") == target_rows(clean, table, "id")
        [(chunks, distinct)] = disturbed.rows(
            "SELECT count(*), count(DISTINCT (table_name, number)) FROM vecferry.chunk"
        )
        assert chunks == distinct
    finally:
        disturbed.close()


def test_a_source_that_dies_in_the_middle(private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase,
                                          private_postgres: Callable[..., Postgres]) -> None:  # fmt: skip
    server = private_mariadb()
    sample.fill(server.url, rows=400, dimensions=256)
    target = private_postgres()
    config = load_config(source=server.url, target=target.url, chunk_bytes="256KB", hnsw=False, retries=0)
    with pytest.raises(SourceError) as caught:
        migrate(config, At(200, server.kill))
    assert caught.value.exit_code == ExitCode.SOURCE
    assert server.url.split(":")[2].split("@")[0] not in str(caught.value)
    server.start()
    again = At(10**9, lambda: None)
    report = migrate(config, again)
    assert report.status == "ok"
    same_as_a_clean_run(server.url, target.url, postgres)


def test_a_target_that_dies_in_the_middle(private_postgres: Callable[..., Postgres], mysql: MySQLDatabase,
                                          postgres: PostgresDatabase) -> None:  # fmt: skip
    sample.fill(mysql.connect(), rows=400, dimensions=256)
    server = private_postgres()
    config = load_config(source=mysql.url, target=server.url, chunk_bytes="256KB", hnsw=False, retries=0)
    with pytest.raises(TargetError) as caught:
        migrate(config, At(200, server.kill))
    assert caught.value.exit_code == ExitCode.TARGET
    server.start()
    report = migrate(config)
    assert report.status == "ok"
    same_as_a_clean_run(mysql.url, server.url, postgres)


def test_a_target_that_ends_the_session_before_the_load(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")

    class BeforeTheLoad(Progress):
        def begin(self, step: str) -> None:
            if step == "load":
                postgres.rows(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE application_name = 'vecferry' AND datname = current_database()"
                )

    with pytest.raises(TargetError, match="terminating connection due to administrator command: run the same command"):
        run(mysql, postgres, BeforeTheLoad())
    assert run(mysql, postgres).status == "ok"


def test_a_client_that_is_killed_again_and_again(mysql: MySQLDatabase, postgres: PostgresDatabase,
                                                 private_postgres: Callable[..., Postgres]) -> None:  # fmt: skip
    sample.fill(mysql.connect(), rows=600, dimensions=256)
    server = private_postgres()
    command = [sys.executable, "-m", "vecferry", "migrate", "--chunk-bytes", "64KiB", "--json"]
    environment = {**os.environ, "VECFERRY_SOURCE": mysql.url, "VECFERRY_TARGET": server.url}
    chunks = 0
    for _ in range(3):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        chunks = wait_for_chunks(server, chunks + 10, process)
        process.kill()
        process.wait()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "ok"
    assert {table["verified"] for table in result["tables"]} == {"equal"}
    same_as_a_clean_run(mysql.url, server.url, postgres)


def wait_for_chunks(server: Postgres, count: int, process: subprocess.Popen[bytes]) -> int:
    """Polls the ledger until `count` chunks are committed, and returns how many are."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        while process.poll() is None:
            [ledger] = connection.execute("SELECT to_regclass('vecferry.chunk') IS NOT NULL").fetchone() or (False,)
            if ledger:
                [found] = connection.execute("SELECT count(*) FROM vecferry.chunk").fetchone() or (0,)
                if found >= count:
                    return int(found)
    pytest.fail(f"the migration ended with exit code {process.returncode} before {count} chunks were committed")


def test_an_interruption_is_resumable(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=400, dimensions=256)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError, match="run the same command again to go on"):
        run(mysql, postgres, At(1, interrupt), chunk_bytes="8KB")
    loaded = postgres.rows("SELECT sum(rows_written) FROM vecferry.chunk")[0][0]
    watch = At(10**9, lambda: None)
    assert run(mysql, postgres, watch, chunk_bytes="8KB").status == "ok"
    [(total,)] = postgres.rows("SELECT sum(rows_written) FROM vecferry.chunk")
    assert 0 < loaded < total
    assert watch.seen == total - loaded


def test_an_unfinished_run_is_not_taken_up_with_other_options(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=100, dimensions=64)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        run(mysql, postgres, At(1, interrupt), chunk_bytes="64KB")
    with pytest.raises(ForbiddenError, match="option distance was cosine, is l2.*--restart"):
        run(mysql, postgres, distance="l2")
    mysql.execute("ALTER TABLE content ADD COLUMN more int")
    with pytest.raises(ForbiddenError, match="table content has changed"):
        run(mysql, postgres)
    with pytest.raises(ForbiddenError, match="consent was not given"):
        migrate(config_for(mysql, postgres, restart=True), confirm=lambda _: False)
    report = run(mysql, postgres, restart=True, distance="l2")
    assert report.status == "ok"
    assert postgres.rows("SELECT count(*) FROM vecferry.run") == [(1,)]


def test_objects_of_the_target_survive_a_restart(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a int)")
    mysql.execute("INSERT INTO t VALUES (1, 1)")
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX mine ON t (a) WHERE a > 0")
    [(before,)] = postgres.rows("SELECT pg_get_indexdef('mine'::regclass)")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        run(mysql, postgres, At(1, interrupt))
    assert postgres.rows("SELECT to_regclass('mine')") == [(None,)]
    with pytest.raises(ForbiddenError, match="no such column"):
        run(mysql, postgres, restart=True, embedding="t.none:3")
    assert run(mysql, postgres, restart=True).status == "ok"
    assert postgres.rows("SELECT pg_get_indexdef('mine'::regclass)") == [(before,)]


def test_rows_that_break_a_foreign_key_are_told(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE a (id int PRIMARY KEY)")
    mysql.execute("CREATE TABLE b (id int PRIMARY KEY, a int, CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES a (id))")
    mysql.execute("INSERT INTO b VALUES (7, NULL)")

    class OrphanAfterThePlan(Progress):
        def begin(self, step: str) -> None:
            if step == "load":
                mysql.execute("SET foreign_key_checks = 0")
                mysql.execute("INSERT INTO b VALUES (1, 99)")

    report = run(mysql, postgres, OrphanAfterThePlan())
    assert report.status == "differences"
    [note] = [note for note in report.notes if "fk_a" in note]
    assert "the foreign key fk_a of table b is broken by 1 row (at id = 1)" in note
    assert postgres.rows("SELECT convalidated FROM pg_constraint WHERE conname = 'fk_a'") == [(False,)]
    mysql.execute("INSERT INTO a VALUES (99)")
    postgres.execute("INSERT INTO a VALUES (99)")
    run(mysql, postgres)
    assert postgres.rows("SELECT convalidated FROM pg_constraint WHERE conname = 'fk_a'") == [(True,)]


def test_a_zero_date_is_told_with_its_table(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("SET sql_mode = ''")
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, d date)")
    mysql.execute("INSERT INTO t VALUES (1, '0000-00-00'), (2, '2020-02-00'), (3, '2020-02-02'), (4, NULL)")
    with pytest.raises(ForbiddenError, match="t.d: 2 rows hold a date that PostgreSQL does not know.*id = 1; id = 2"):
        run(mysql, postgres)
    assert postgres.rows("SELECT to_regclass('t')") == [(None,)]


def test_killed_backends_do_not_lose_rows(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    # Many small chunks: the load must not be over before the first of them is told.
    sample.fill(mysql.connect(), rows=1000, dimensions=256)
    admin = psycopg.connect(postgres.url, autocommit=True)

    def kill() -> None:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'vecferry' AND datname = current_database()"
        )

    with admin:
        report = run(mysql, postgres, At(1, kill), chunk_bytes="16KB")
    assert report.status == "ok"
    assert {table.verified for table in report.tables} == {"equal"}
    assert any("trying again in" in note for note in report.notes)


DURABLE_MARIADB = {"innodb-flush-log-at-trx-commit": "1", "innodb-flush-method": "fsync"}
DURABLE_POSTGRES = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def test_servers_that_restart_in_the_middle_end_no_run(
    private_mariadb: Callable[..., MariaDB], private_postgres: Callable[..., Postgres], postgres: PostgresDatabase
) -> None:
    source, target = private_mariadb(settings=DURABLE_MARIADB), private_postgres(settings=DURABLE_POSTGRES)
    sample.fill(source.url, rows=1000, dimensions=256)
    restarted: list[threading.Thread] = []

    def restart() -> None:
        for server in (source, target):
            server.kill()
            restarted.append(threading.Thread(target=server.start))
            restarted[-1].start()

    config = load_config(source=source.url, target=target.url, chunk_bytes="16KB", hnsw=False)
    report = migrate(config, At(1, restart))
    for thread in restarted:
        thread.join()
    assert len(restarted) == 2
    assert report.status == "ok"
    assert {table.verified for table in report.tables} == {"equal"}
    assert sum("trying again in" in note for note in report.notes) <= 2
    same_as_a_clean_run(source.url, target.url, postgres)


def test_a_restart_leaves_other_tables_alone(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE i (id int PRIMARY KEY, qty int)")
    mysql.execute("INSERT INTO i VALUES (1, 1), (3, -1)")
    postgres.execute("CREATE TABLE i (id int PRIMARY KEY, qty int CHECK (qty >= 0))")
    postgres.execute("CREATE TABLE other (id int PRIMARY KEY, i int REFERENCES i (id))")
    postgres.execute("INSERT INTO other SELECT g, NULL FROM generate_series(1, 100) g")
    with pytest.raises(InvalidValueError):
        run(mysql, postgres)
    mysql.execute("UPDATE i SET qty = 1")
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    assert migrate(config_for(mysql, postgres, restart=True), confirm=agree).status == "ok"
    assert "other" not in asked[0]
    assert postgres.rows("SELECT count(*) FROM other") == [(100,)]
    assert postgres.rows("SELECT count(*) FROM i") == [(2,)]
