"""What `rejects retry` lands, and what it refuses: of which source, of which run, by which correction."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.support import config_for, run, run_verify
from vecferry import list_rejects, load_config, retry_rejects
from vecferry.errors import ForbiddenError

if TYPE_CHECKING:
    from pathlib import Path

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


def by_file(postgres: PostgresDatabase, file: Path, text: str | bytes) -> subprocess.CompletedProcess[str]:
    """Runs the command with a file of corrected values."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    command = [sys.executable, "-m", "vecferry", "rejects", "retry", "--values", str(file), "-t", postgres.url]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_numbers_of_a_file_land_as_they_are_written(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, p decimal(40,12), j longtext)")
    mysql.execute("INSERT INTO t VALUES (1, 0.123456789012, '[]'), (2, 1, 'no json')")
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY, p numeric(30,10), j jsonb)")
    run(mysql, postgres, on_invalid="reject")
    ids = {entry["key"]["id"]: entry["id"] for entry in list_rejects(config_for(mysql, postgres))}
    number = "12345678901234567890.1234567891"
    lines = f'{{"id": {ids[1]}, "value": {number}}}\n{{"id": {ids[2]}, "value": {{"a": [{number}]}}}}\n'
    assert by_file(postgres, tmp_path / "v", lines).returncode == 0
    assert postgres.rows("SELECT p, j::text FROM t ORDER BY id") == [
        (Decimal(number), "[]"), (Decimal(1), f'{{"a": [{number}]}}'),
    ]  # fmt: skip


def test_values_that_nothing_takes_leave_their_row_alone(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    mysql.execute(f"INSERT INTO t VALUES (1, {NUL}), (2, {NUL}), (3, {NUL}), (4, {NUL})")
    run(mysql, postgres, on_invalid="reject")
    first, *_, last = ids = [entry["id"] for entry in list_rejects(config_for(mysql, postgres))]
    values = ['"\\ud800"', '"a\\u0000b"', '{"\\ud800": 1}', "123456789012345678901234567890"]
    done = by_file(
        postgres, tmp_path / "v", "".join(f'{{"id": {n}, "value": {v}}}\n' for n, v in zip(ids, values, strict=True))
    )
    assert done.returncode == 1
    assert "1 row landed, 3 rows still refused" in done.stdout
    assert f"reject {first}: " in done.stdout
    assert postgres.rows("SELECT id, a FROM t") == [(4, values[3])]
    assert last not in {entry["id"] for entry in list_rejects(config_for(mysql, postgres))}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"id": 1, "value": "b"}\n{"id": 999, "value": "x"}', "line 2: the reject store of this schema has no reject"),
        ('{"id": "x", "value": "x"}', 'line 1: .*"id" must be the number of a reject'),
        ('{"id": 1.5, "value": "x"}', "line 1"),
        ('{"id": true, "value": "x"}', "line 1"),
        ('{"id": Infinity, "value": "x"}', "line 1: .*Infinity is no JSON"),
        ('{"id": 1, "value": NaN}', "line 1: .*NaN is no JSON"),
        ('{"id": 1, "value": "x"}\n\n{"id": 1, "value": "y"}', "line 3: .*reject 1 has a value in line 1 already"),
        ('[{"id": 1, "value": "x"}]', "line 1: .*it is no object"),
        ('{"id": 1, "values": 3}', "line 1: .*must be an object"),
    ],
)
def test_a_file_that_fits_nothing_is_refused(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, text: str, words: str
) -> None:
    spoiled(mysql, postgres)
    refused = by_file(postgres, tmp_path / "v", text)
    assert refused.returncode == 2
    assert re.search(words, " ".join(refused.stderr.split()))
    assert postgres.rows("SELECT count(*) FROM t") == [(2,)]


def test_a_file_of_windows_and_other_ends_of_lines(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    spoiled(mysql, postgres)
    [entry] = list_rejects(config_for(mysql, postgres))
    line = json.dumps({"id": entry["id"], "value": "a\u2028b\x85c"}, ensure_ascii=False)
    assert by_file(postgres, tmp_path / "v", b"\xef\xbb\xbf" + f"{line}\r\n".encode()).returncode == 0
    assert postgres.rows("SELECT a FROM t WHERE id = 2") == [("a\u2028b\x85c",)]
    again = by_file(postgres, tmp_path / "v", line)
    assert (again.returncode, "has no reject" in again.stderr) == (2, True)


def test_a_better_correction_follows_a_wrong_one(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    postgres.execute(
        "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL CHECK (a <> 'bad'), n int CHECK (n > 0), l text UNIQUE)"
    )
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text, n int, l text)")
    mysql.execute(f"INSERT INTO t VALUES (1, 'fine', 1, 'taken'), (2, {NUL}, -2, 'free')")
    run(mysql, postgres, on_invalid="reject")
    config = config_for(mysql, postgres)
    [entry] = list_rejects(config)
    for value, words in ((None, "null value in column"), ("bad", "t_a_check"), ("good", "t_n_check")):
        [refused] = retry_rejects(config, {entry["id"]: value}).refused
        assert words in refused
        assert f"reject {entry['id']}: table t at id = 2" in refused
        assert "INSERT INTO" not in refused
        assert [one["id"] for one in list_rejects(config)] == [entry["id"]]
    [refused] = retry_rejects(config, {entry["id"]: "good"}, {entry["id"]: {"n": 2, "l": "taken"}}).refused
    assert "Key (l)=(taken) already exists" in refused
    assert retry_rejects(config, {entry["id"]: "good"}, {entry["id"]: {"n": 2}}).whole
    assert postgres.rows("SELECT a, n, l FROM t WHERE id = 2") == [("good", 2, "free")]


def test_a_fault_that_comes_to_light_by_a_correction(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text, must text)")
    mysql.execute(f"INSERT INTO t VALUES (1, {NUL}, 'there')")
    run(mysql, postgres, on_invalid="reject")
    postgres.execute("ALTER TABLE t ALTER must TYPE varchar(3)")
    config = config_for(mysql, postgres)
    [entry] = list_rejects(config)
    [refused] = retry_rejects(config, {entry["id"]: "b"}).refused
    _, new = list_rejects(config)
    assert f"this is reject {new['id']} now, and the file must correct it, too" in refused
    assert (new["column"], new["original"]) == ("must", "there")
    assert retry_rejects(config, {entry["id"]: "b"}).not_corrected == 1
    assert retry_rejects(config, {entry["id"]: "b", new["id"]: "the"}).whole


def test_what_was_changed_by_hand_is_not_overwritten(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres, on_invalid="null")
    postgres.execute("UPDATE t SET a = 'by hand' WHERE id = 2")
    mysql.execute("UPDATE t SET a = 'mended' WHERE id = 2")
    config = config_for(mysql, postgres)
    [entry] = list_rejects(config)
    for values in (None, {entry["id"]: "by file"}):
        assert "is no longer NULL in a in the target: what is there stays" in retry_rejects(config, values).refused[0]
        assert postgres.rows("SELECT a FROM t WHERE id = 2") == [("by hand",)]
    postgres.execute("UPDATE t SET a = NULL WHERE id = 2")
    assert retry_rejects(config).whole
    assert postgres.rows("SELECT a FROM t WHERE id = 2") == [("mended",)]


def test_the_store_says_what_is_wrong_now(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text, d date)")
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute(f"INSERT INTO t VALUES (1, {NUL}, '2024-01-31'), (2, 'fine', '0000-00-00'), (3, 'x', NULL)")
    run(mysql, postgres, on_invalid="reject")
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute("UPDATE t SET a = 'mended', d = '0000-00-00' WHERE id = 1")
    config = config_for(mysql, postgres)
    assert len(retry_rejects(config).refused) == 2
    found = sorted((one["key"]["id"], one["column"], one["reason"], one["original"]) for one in list_rejects(config))
    assert found == [(1, "d", "zero-date", "0000-00-00"), (2, "d", "zero-date", "0000-00-00")]
    values = {entry["id"]: "no date" for entry in list_rejects(config)}
    assert len(retry_rejects(config, values).refused) == 2
    assert {entry["reason"] for entry in list_rejects(config)} == {"22007"}
    assert all("no date" in entry["message"] for entry in list_rejects(config))
    assert retry_rejects(config, dict.fromkeys(values, "2024-01-01")).whole
    assert postgres.rows("SELECT a FROM t WHERE id = 1") == [("mended",)]


def test_a_list_is_the_value_of_an_array(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY, a text[] CHECK (a <> '{x}'))")
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a set('x', 'y'))")
    mysql.execute("INSERT INTO t VALUES (1, 'x,y'), (2, 'x')")
    run(mysql, postgres, on_invalid="reject")
    config = config_for(mysql, postgres)
    [entry] = list_rejects(config)
    assert retry_rejects(config, {entry["id"]: {"a": ['"', "\\", None, "a, b"]}}).whole
    assert postgres.rows("SELECT a FROM t WHERE id = 2") == [(['"', "\\", None, "a, b"],)]


def test_a_finished_run_goes_by_the_ledger(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    report = run(mysql, postgres, on_invalid="reject")
    assert report.status == "rejected"
    assert not any("nothing is left" in note for note in report.notes)
    assert any("left out and kept" in loss.reason for loss in report.losses)
    postgres.execute("DELETE FROM vecferry.reject")
    report = run(mysql, postgres, on_invalid="reject")
    assert report.status == "rejected"
    assert any("1 row left out, and nothing is kept of them" in note for note in report.notes)


def test_what_has_landed_is_no_loss_any_more(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    spoiled(mysql, postgres)
    [entry] = list_rejects(config_for(mysql, postgres))
    assert retry_rejects(config_for(mysql, postgres), {entry["id"]: "b"}).whole
    report = run(mysql, postgres, on_invalid="reject")
    assert (report.status, report.losses) == ("nothing to do", ())


def test_a_row_without_a_key_is_told_by_its_values(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (n int, b varbinary(3), a text)")
    mysql.execute(f"INSERT INTO t VALUES (1, x'00ff', 'fine'), (7, x'00ff', 'bad'), (8, NULL, {NUL})")
    postgres.execute("CREATE TABLE t (n int CHECK (n <> 7), b bytea, a text)")
    run(mysql, postgres, on_invalid="reject")
    found = {entry["column"]: entry for entry in list_rejects(config_for(mysql, postgres))}
    assert (found[None]["row_number"], found["a"]["row_number"]) == (2, 3)
    assert found[None]["row"] == {"n": "7", "b": {"hex": "00ff"}, "a": "bad"}
    assert found["a"]["row"]["n"] == "8"
    command = [sys.executable, "-m", "vecferry", "rejects", "list", "-t", postgres.url]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "300"})
    assert "row 2: n = 7, b = 0x00ff, a = bad" in shown.stdout


def test_a_key_at_fault_is_shown_as_it_was(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (d date PRIMARY KEY)")
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute("INSERT INTO t VALUES ('0000-00-00'), ('2024-01-31')")
    assert run(mysql, postgres, on_invalid="reject").status == "rejected"
    [entry] = list_rejects(config_for(mysql, postgres))
    assert entry["key"] == {"d": "0000-00-00"}
