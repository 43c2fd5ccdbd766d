"""TypeORM itself on both ends: what it read from MySQL it reads from PostgreSQL, and it finds nothing to change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.integration.dumping import dump
from tests.integration.support import run

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry import Report

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
ROWS = {
    "Author": 24,
    "Category": 24,
    "Document": 48,
    "Passage": 72,
    "Profile": 22,
    "PublishedDocument": 16,
    "Tag": 24,
}
HNSW = "SELECT indexdef FROM pg_indexes WHERE indexname = 'passage_embedding_hnsw'"


@dataclass(frozen=True)
class Application:
    """The TypeORM program, compiled."""

    main: Path

    def ask(self, schema: Literal["mysql", "typeorm", "vecferry"], url: str, command: str) -> Any:
        """Runs one command on a database, with the entities of `schema`, and returns what it printed."""
        environment = {**os.environ, "SCHEMA": schema, "DATABASE_URL": url, "NODE_PATH": str(MODULES), "TZ": "UTC"}
        done = _run(["node", str(self.main), command], environment)
        return json.loads(done) if done else None


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    if shutil.which("node") is None:
        pytest.fail("the TypeORM test needs Node.js 20.19 or newer: node is not on the PATH", pytrace=False)
    compiler = MODULES / ".bin" / "tsc"
    if not compiler.exists():
        pytest.fail("tests/typeorm/node_modules is missing: run make test, or npm ci in tests/typeorm", pytrace=False)
    out = tmp_path_factory.mktemp("typeorm")
    _run([str(compiler), "--project", str(HERE), "--outDir", str(out)], dict(os.environ))
    return Application(out / "main.js")


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


@pytest.fixture
def source(application: Application, mysql: MySQLDatabase) -> dict[str, list[dict[str, Any]]]:
    """A MySQL database that TypeORM made and filled; returns what TypeORM reads from it."""
    application.ask("mysql", mysql.url, "create-schema")
    application.ask("mysql", mysql.url, "fill")
    entities: dict[str, list[dict[str, Any]]] = application.ask("mysql", mysql.url, "dump")
    assert {name: len(rows) for name, rows in entities.items()} == ROWS
    [passage] = [passage for passage in entities["Passage"] if passage["id"] == 1]
    assert len(passage["embedding"]["Float32Array"]) == 64
    [(_, statement)] = mysql.rows("SHOW CREATE TABLE passage")
    assert "`embedding` longtext" in statement
    assert mysql.rows("SELECT name FROM migrations") == [("Start1700000000000",)]
    assert mysql.rows("SELECT name FROM typeorm_metadata") == [("published_document",)]
    return entities


@pytest.mark.parametrize("dumped", [False, True], ids=["server", "dump"])
def test_typeorm_made_the_target(
    application: Application,
    mysql: MySQLDatabase,
    postgres: PostgresDatabase,
    source: dict[str, list[dict[str, Any]]],
    tmp_path: Path,
    *,
    dumped: bool,
) -> None:
    application.ask("typeorm", postgres.url, "create-schema")
    postgres.execute("UPDATE migrations SET name = 'Postgres1700000000001'")
    migrations = postgres.rows("SELECT * FROM migrations")
    options = {}
    if dumped:
        path = tmp_path / "dump.sql"
        path.write_bytes(dump(mysql))
        options = {"source": str(path)}
    report = run(mysql, postgres, None, **options)
    _assert_carried(report, mysql, postgres)
    assert postgres.rows("SELECT * FROM migrations") == migrations
    assert application.ask("typeorm", postgres.url, "dump") == source
    assert application.ask("typeorm", postgres.url, "schema-log") == []
    _assert_new_rows(application.ask("typeorm", postgres.url, "insert"), source)


def test_vecferry_made_the_target(
    application: Application, mysql: MySQLDatabase, postgres: PostgresDatabase, source: dict[str, list[dict[str, Any]]]
) -> None:
    report = run(mysql, postgres, time_type="time")
    _assert_carried(report, mysql, postgres)
    assert postgres.rows("SELECT to_regclass('migrations')") == [(None,)]
    assert application.ask("vecferry", postgres.url, "dump") == source
    assert application.ask("vecferry", postgres.url, "schema-log") == []
    # Without the changes of docs/typeorm.md the next migration would throw away the documents' keys.
    assert 'ALTER TABLE "document" DROP COLUMN "id"' in application.ask("typeorm", postgres.url, "schema-log")
    _assert_new_rows(application.ask("vecferry", postgres.url, "insert"), source)


def _assert_carried(report: Report, mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    assert report.status == "ok"
    assert not {"migrations", "typeorm_metadata"} & {table.name for table in report.tables}
    announced = [*report.notes, *(f"{loss.table}: {loss.reason}" for loss in report.losses)]
    for record in ("migrations", "typeorm_metadata"):
        assert any(record in sentence and "TypeORM" in sentence for sentence in announced)
    assert postgres.rows("SELECT to_regclass('typeorm_metadata')") == [(None,)]
    [vector] = report.vectors
    assert (vector.table, vector.column, vector.type, vector.rows) == ("passage", "embedding", "vector(64)", 62)
    [(index,)] = postgres.rows(HNSW)
    assert "USING hnsw" in index
    # TypeORM reads milliseconds.
    times = "SELECT id{text}, {q}publishedAt{q}, {q}createdAt{q}, {q}updatedAt{q} FROM document ORDER BY 1"
    stored = postgres.rows(times.format(text="::text", q='"'))
    assert stored == mysql.rows(times.format(text="", q="`"))
    assert any(published is not None and published.microsecond == 123456 for _, published, *_ in stored)


def _assert_new_rows(ids: dict[str, Any], source: dict[str, list[dict[str, Any]]]) -> None:
    for entity in ("Author", "Category", "Passage", "Tag"):
        assert int(ids[entity]) == max(int(row["id"]) for row in source[entity]) + 1
    for entity in ("Document", "Profile"):
        assert uuid.UUID(ids[entity]).version == 4
