"""What `rejects retry` lands, and what it refuses: of which source, of which run, by which correction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.support import config_for, run, run_verify
from vecferry import list_rejects, load_config, retry_rejects
from vecferry.errors import ForbiddenError

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

NUL = "'a\\0b'"


def spoiled(mysql: MySQLDatabase, postgres: PostgresDatabase, name: str = "t", **options: Any) -> None:
    """Carries a table whose second row of three has a NUL."""
    mysql.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, a text, n int)")
    mysql.execute(f"INSERT INTO {name} VALUES (1, 'fine', 1), (2, {NUL}, 2), (3, 'fine', 3)")
    run(mysql, postgres, **{"on_invalid": "reject", **options})


def test_rows_are_not_taken_from_another_source(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    other = f"{mysql.url.rsplit('/', 1)[1]}_other"
    mysql.execute(f"CREATE DATABASE {other}")
    mysql.execute(f"CREATE TABLE {other}.t (id int PRIMARY KEY, a text, n int)")
    mysql.execute(f"INSERT INTO {other}.t VALUES (2, 'of another shop', 2)")
    try:
        elsewhere = load_config(source=f"{mysql.url}_other", target=postgres.url)
        with pytest.raises(ForbiddenError, match=r"was read from .*, not from .*_other"):
            retry_rejects(elsewhere)
    finally:
        mysql.execute(f"DROP DATABASE {other}")
    assert postgres.rows("SELECT id FROM t ORDER BY id") == [(1,), (3,)]


def test_rows_of_a_table_that_was_changed_are_not_read_again(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    mysql.execute("UPDATE t SET a = 'mended' WHERE id = 2")
    mysql.execute("ALTER TABLE t MODIFY n varchar(20)")
    config = config_for(mysql, postgres)
    assert "the structure of table t in the source has changed" in retry_rejects(config).refused[0]
    assert postgres.rows("SELECT id FROM t ORDER BY id") == [(1,), (3,)]
    [entry] = list_rejects(config)
    assert retry_rejects(config, {entry["id"]: "mended"}).whole


def test_the_rejects_of_an_earlier_run_stay_in_reach(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres, "a", tables=("a",))
    mysql.execute("CREATE TABLE b (id int PRIMARY KEY)")
    run(mysql, postgres, tables=("b",))
    report = run(mysql, postgres, tables=("b",))
    assert any("reject store still has rows of earlier runs" in note for note in report.notes)
    config = config_for(mysql, postgres)
    [entry] = list_rejects(config)
    assert (entry["table"], entry["run"] != report.run_id) == ("a", True)
    assert run_verify(mysql, postgres).status == "ok"
    mysql.execute("UPDATE a SET a = 'mended' WHERE id = 2")
    assert retry_rejects(config).landed == 1
    assert not list(list_rejects(config))
    assert run_verify(mysql, postgres).status == "ok"


def test_a_run_that_loads_a_table_again_supersedes_its_rejects(
    mysql: MySQLDatabase, postgres: PostgresDatabase
) -> None:
    spoiled(mysql, postgres, "a", tables=("a",))
    spoiled(mysql, postgres, "b", tables=("b",))
    mysql.execute("UPDATE a SET a = 'mended' WHERE id = 2")
    run(mysql, postgres, tables=("a",), truncate=True)
    assert [entry["table"] for entry in list_rejects(config_for(mysql, postgres))] == ["b"]
