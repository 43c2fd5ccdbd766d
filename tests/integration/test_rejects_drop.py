"""`rejects drop`, and which rows of the store a call is about; an interrupted retry, and a reader that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.support import config_for, run, run_verify
from vecferry import drop_rejects, list_rejects, load_config, retry_rejects
from vecferry.errors import ForbiddenError, InterruptedRunError
from vecferry.progress import Progress

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

TABLES = ("a", "b")


def spoiled(mysql: MySQLDatabase, postgres: PostgresDatabase, on_invalid: str = "reject", rows: int = 3) -> None:
    """Carries two tables of rows with a NUL each."""
    for table in TABLES:
        mysql.execute(f"CREATE TABLE {table} (id int AUTO_INCREMENT PRIMARY KEY, v text, w text)")
        values = ", ".join("('a\\0b', 'a\\0b')" for _ in range(rows))
        mysql.execute(f"INSERT INTO {table} (v, w) VALUES {values}")
    run(mysql, postgres, on_invalid=on_invalid)


def kept(mysql: MySQLDatabase, postgres: PostgresDatabase) -> dict[tuple[str, int], list[int]]:
    """The numbers of the store's entries by row."""
    found: dict[tuple[str, int], list[int]] = {}
    for entry in list_rejects(config_for(mysql, postgres)):
        found.setdefault((entry["table"], entry["key"]["id"]), []).append(entry["id"])
    return found


def vecferry(postgres: PostgresDatabase, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vecferry", "rejects", *arguments, "-t", postgres.url]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_what_is_dropped_is_asked_for_first(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    before = kept(mysql, postgres)
    assert len(before) == 6

    asked = vecferry(postgres, "drop", "--table", "a")
    assert asked.returncode == 5
    assert "table a: 3 rows left out" in asked.stderr
    assert "table b" not in asked.stderr
    assert kept(mysql, postgres) == before

    number = before["a", 2][0]
    done = vecferry(postgres, "drop", "--ids", str(number), "--yes")
    assert (done.returncode, done.stdout.strip()) == (0, "1 row given up")
    assert set(kept(mysql, postgres)) == set(before) - {("a", 2)}
    again = vecferry(postgres, "drop", "--ids", str(number), "--yes")
    assert (again.returncode, f"no reject {number}" in again.stderr) == (2, True)

    found = run_verify(mysql, postgres)
    assert [(difference.kind, difference.key) for difference in found.differences] == [("missing", "id = 2")]
    assert json.loads(vecferry(postgres, "drop", "--yes", "--json").stdout) == {"dropped": {"rows": 5, "values": 0}}
    assert not kept(mysql, postgres)
    assert vecferry(postgres, "drop", "--yes").stdout.strip() == "nothing was in the reject store"


def test_values_that_became_null_are_given_up(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres, "null")
    asked: list[str] = []

    def refuse(text: str) -> bool:
        asked.append(text)
        return False

    config = config_for(mysql, postgres)
    with pytest.raises(ForbiddenError, match="consent was not given"):
        drop_rejects(config, tables=["b"], consent=refuse)
    assert "table b: 6 values made NULL" in asked[0]
    assert drop_rejects(config, tables=["b"]).to_json() == {"rows": 0, "values": 6}
    assert {table for table, _ in kept(mysql, postgres)} == {"a"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "c"), "nothing of a table c"),
        (("--ids", "999999"), "no reject 999999"),
        (("--ids", "7-9"), "--ids: '7-9' is no number"),
    ],
)
def test_what_is_not_in_the_store(
    mysql: MySQLDatabase, postgres: PostgresDatabase, arguments: tuple[str, ...], words: str
) -> None:
    spoiled(mysql, postgres)
    for command in (("drop", "--yes"), ("retry", "-s", mysql.url)):
        done = vecferry(postgres, *command, *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert len(kept(mysql, postgres)) == 6


def test_some_rows_are_tried_again(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    for table in TABLES:
        mysql.execute(f"UPDATE {table} SET v = 'mended', w = 'mended'")
    before = kept(mysql, postgres)
    config = config_for(mysql, postgres)

    assert retry_rejects(config, ids=[before["a", 2][-1]]).landed == 1
    assert postgres.rows("SELECT id FROM a") == [(2,)]
    of_b = vecferry(postgres, "retry", "-s", mysql.url, "--table", "b")
    assert (of_b.returncode, of_b.stdout.strip()) == (0, "3 rows landed")
    assert set(kept(mysql, postgres)) == {("a", 1), ("a", 3)}
    assert retry_rejects(config, {}, tables=["a"]).not_corrected == 2


def test_a_retry_tells_how_far_it_is(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    told: list[tuple[str, str, int, int]] = []

    class Watch(Progress):
        def index(self, name: str, phase: str, done: int, total: int) -> None:
            told.append((name, phase, done, total))

    retry_rejects(config_for(mysql, postgres), tables=["a"], progress=Watch())
    assert told == [("rejects", "retrying", done, 3) for done in (1, 2, 3)]


def test_an_interrupted_retry_keeps_what_has_landed(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    mysql.execute("UPDATE a SET v = 'mended', w = 'mended'")

    class Impatient(Progress):
        def index(self, name: str, phase: str, done: int, total: int) -> None:
            assert (name, phase, total) == ("rejects", "retrying", 3)
            if done == 3:
                os.kill(os.getpid(), signal.SIGINT)

    config = load_config(source=mysql.url, target=postgres.url)
    with pytest.raises(InterruptedRunError, match="2 rows landed, what is left stays in the reject store"):
        retry_rejects(config, tables=["a"], progress=Impatient())
    assert postgres.rows("SELECT id FROM a ORDER BY id") == [(1,), (2,)]
    assert postgres.rows("INSERT INTO a (v) VALUES ('new') RETURNING id") == [(4,)]
    assert retry_rejects(config, tables=["a"]).landed == 1


def test_a_reader_of_an_export_that_goes_away(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres, rows=300)
    command = [sys.executable, "-m", "vecferry", "rejects", "export", "-", "-t", postgres.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        json.loads(process.stdout.readline())
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 0)
