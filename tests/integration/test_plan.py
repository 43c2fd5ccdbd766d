"""`vecferry plan`: what it says, and that it leaves no trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.support import config_for, run
from vecferry import Progress, make_plan
from vecferry.cli import run as cli
from vecferry.errors import ExitCode, InterruptedRunError

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

SCHEMA = (
    (
        "CREATE TABLE kinds (id int PRIMARY KEY AUTO_INCREMENT, kind enum('a','b') DEFAULT 'b',"
        " name varchar(20) UNIQUE, size int GENERATED ALWAYS AS (CHAR_LENGTH(name)) STORED,"
        " CONSTRAINT short CHECK (CHAR_LENGTH(name) < 20))"
    ),
    (
        "CREATE TABLE vectors (id int PRIMARY KEY, kind_id int, embedding longtext NOT NULL,"
        " FOREIGN KEY (kind_id) REFERENCES kinds (id))"
    ),
    "CREATE TABLE there (id int PRIMARY KEY, a varchar(9))",
    "CREATE VIEW names AS SELECT id, name FROM kinds WHERE kind = 'a'",
    "INSERT INTO kinds (kind, name) VALUES ('a', 'one'), ('b', 'two')",
)
TARGET = "CREATE TABLE there (id int PRIMARY KEY, a text); CREATE INDEX there_a ON there (a)"
CATALOGS = ("pg_class", "pg_type", "pg_proc", "pg_namespace", "pg_extension", "pg_constraint", "pg_attribute")


@pytest.fixture
def source(mysql: MySQLDatabase) -> MySQLDatabase:
    for statement in SCHEMA:
        mysql.execute(statement)
    for number in range(40):
        text = json.dumps({str(place): number + place / 8 for place in range(32)})
        mysql.execute("INSERT INTO vectors VALUES (%s, 1, %s)", [number, text])
    return mysql


def traces(mysql: MySQLDatabase, postgres: PostgresDatabase) -> dict[str, Any]:
    """All that a plan could have left: every row of the catalogs, the source's tables and rows."""
    # oids and statistics apart: a row that was written and rolled back leaves none of these
    found: dict[str, Any] = {
        name: postgres.rows(f"SELECT oid, xmin::text FROM {name} ORDER BY 1")
        for name in CATALOGS
        if name != "pg_attribute"
    }
    found["pg_attribute"] = postgres.rows("SELECT attrelid, attnum, xmin::text FROM pg_attribute ORDER BY 1, 2")
    tables = [name for (name,) in mysql.rows("SHOW TABLES")]
    found["source"] = [(name, mysql.rows(f"CHECKSUM TABLE `{name}`"), mysql.rows(f"SHOW CREATE TABLE `{name}`"))
                       for name in tables]  # fmt: skip
    return found


@pytest.mark.parametrize("extension", [True, False])
def test_a_plan_leaves_no_trace(
    source: MySQLDatabase, postgres: PostgresDatabase, extension: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.execute(TARGET)
    if extension:
        postgres.execute("CREATE EXTENSION vector")
    before = traces(source, postgres)
    assert cli(["plan", "-s", source.url, "-t", postgres.url, "--json"]) == 0
    assert traces(source, postgres) == before
    plan = json.loads(capsys.readouterr().out)
    assert {table["name"] for table in plan["tables"]} == {"kinds", "vectors", "there"}
    assert plan["extensions"] == ["vector"]
    assert any("extension vector" in right for right in plan["rights"]) is not extension
    assert plan["problems"] == []


def test_what_it_says(source: MySQLDatabase, postgres: PostgresDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    postgres.execute(TARGET)
    assert cli(["plan", "-s", source.url, "-t", postgres.url, "--verbose", "--quiet"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "vectors.embedding",
        "dropped for the load and made again: index there_a of there",
        "views: names",
        "extensions: vector",
        "rights: SELECT on the tables of the source",
        "GENERATED ALWAYS AS",
        "nothing has been changed",
    ):
        assert words in text


def test_everything_that_forbids_is_listed_and_the_code_is_5(
    source: MySQLDatabase, postgres: PostgresDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    source.execute("INSERT INTO there VALUES (7, 'a\\0b')")
    postgres.execute(
        "CREATE TABLE there (id int PRIMARY KEY, a text, b int NOT NULL); INSERT INTO there VALUES (1, 'x', 1)"
    )
    arguments = ["plan", "-s", source.url, "-t", postgres.url, "--quiet"]
    assert cli([*arguments, "--json"]) == ExitCode.FORBIDDEN
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [problem.split(":")[0] for problem in problems] == [
        "column there.b of the target is NOT NULL without a default and missing in the source",
        "there.a",
        "table there in the target is not empty",
    ]
    assert "1 row holds a text with a NUL byte" in problems[1]
    assert "(at id = 7)" in problems[1]
    assert cli(arguments) == ExitCode.FORBIDDEN
    assert "3 problems forbid this migration; nothing has been changed" in capsys.readouterr().out


def test_it_says_what_migrate_would_do_with_an_earlier_run(source: MySQLDatabase, postgres: PostgresDatabase) -> None:
    class StopBeforeTheKeys(Progress):
        def begin(self, step: str) -> None:
            if step == "keys":
                raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        run(source, postgres, StopBeforeTheKeys())
    plan = make_plan(config_for(source, postgres))
    assert plan.problems == ()
    assert "is unfinished: migrate goes on with it" in plan.notes[-1]
    assert run(source, postgres).status == "ok"
    plan = make_plan(config_for(source, postgres))
    assert plan.problems == ()
    assert "carried this already: migrate would count" in plan.notes[-1]
