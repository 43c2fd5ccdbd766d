"""Dumps that change rows again: what a server would carry out is refused, what empties a table is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vecferry import load_config, make_plan, migrate
from vecferry.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import PostgresDatabase

ROWS = "CREATE TABLE `t` (`id` int PRIMARY KEY, `v` text);\nINSERT INTO `t` VALUES (1,'a'),(2,'b');\n"


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("INSERT INTO t SELECT 3, 'c'", "INSERT"),
        ("insert low_priority ignore into `t` set id = 3, v = 'VALUES (4)'", "INSERT"),
        ("REPLACE t (id) SELECT 3", "REPLACE"),
        ("UPDATE `t` SET v = 'c'", "UPDATE"),
        ("DELETE FROM t WHERE id = 2", "DELETE"),
        ("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "LOAD"),
    ],
)
def test_rows_that_only_a_server_could_tell_are_refused(
    statement: str, word: str, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(f"{ROWS}CREATE TABLE other (id int PRIMARY KEY);\nINSERT INTO other VALUES (5);\n{statement};\n")
    options: dict[str, Any] = {"source": str(path), "target": postgres.url, "allow_incomplete": True, "hnsw": False}
    with pytest.raises(SourceError, match=f"changes rows of table t by {word} in line 5, which only a server can"):
        migrate(load_config(**options))
    report = migrate(load_config(**options, exclude=("t",)))
    assert [(table.name, table.rows_target) for table in report.tables] == [("other", 1)]


def test_a_call_is_refused(postgres: PostgresDatabase, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(f"{ROWS}CALL fill_more();\n")
    with pytest.raises(SourceError, match="changes rows by CALL in line 3"):
        make_plan(load_config(source=str(path), target=postgres.url, allow_incomplete=True))


@pytest.mark.parametrize("again", ["DROP TABLE IF EXISTS u, `t`", "TRUNCATE TABLE t", "DELETE FROM `t`"])
def test_rows_before_a_table_is_emptied_are_not_read(again: str, postgres: PostgresDatabase, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(
        f"{ROWS}{again};\n" + (ROWS if "DROP" in again else ROWS.split("\n", 1)[1]).replace("(2,'b')", "(7,'x')")
    )
    report = migrate(load_config(source=str(path), target=postgres.url, allow_incomplete=True, hnsw=False))
    assert report.status == "ok"
    assert postgres.rows("SELECT * FROM t ORDER BY id") == [(1, "a"), (7, "x")]


@pytest.mark.parametrize("before", ["", "CREATE TABLE a (id int PRIMARY KEY);\n"])
def test_rows_of_a_table_that_the_dump_does_not_make(before: str, postgres: PostgresDatabase, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(f"{before}INSERT INTO b VALUES (1, 2);\n")
    options: dict[str, Any] = {"source": str(path), "target": postgres.url, "allow_incomplete": True}
    with pytest.raises(SourceError, match="has rows of table b in line ., but no CREATE TABLE of it"):
        make_plan(load_config(**options))
    assert [table.name for table in make_plan(load_config(**options, exclude=("b",))).tables] == ["a"][: bool(before)]
