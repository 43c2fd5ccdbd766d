"""A dump by the real mariadb-dump, rewritten and loaded by psql, holds what `migrate` makes of the same database."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pymysql.constants import CLIENT

from tests.cases.case import Case, all_cases
from tests.integration.dumping import dump as dumped
from tests.integration.support import run
from tests.integration.test_servers import wait_until
from vecferry import VecferryError
from vecferry.cli import run as command
from vecferry.config import load_dump
from vecferry.demo import sample
from vecferry.demo.pginstall import package_directory
from vecferry.errors import InvalidValueError, SourceError, UsageError
from vecferry.mapping.script import COMPLETE
from vecferry.script import table as passing
from vecferry.transformer import Job, transform

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.report.script import ScriptResult

PROGRAMS = package_directory() / "pginstall" / "bin"
RANDOM = re.compile(r"^\\(?:un)?restrict .*\n", re.MULTILINE)
ROWS = re.compile(r"(?<=FROM stdin;\n)(?P<rows>.*?)(?=^\\\.$)", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:TABLE|VIEW|CONSTRAINT|TRIGGER)\s+(`(?:[^`]|``)+`|\w+)", re.IGNORECASE)


def dump(mysql: MySQLDatabase, path: Path, *options: str) -> Path:
    path.write_bytes(dumped(mysql, "--routines", "--events", *options))
    return path


def transformed(source: Path, output: Path, **options: Any) -> ScriptResult:
    job = {name: options.pop(name) for name in ("data_only", "structure", "rejects") if name in options}
    return transform(load_dump(source=str(source), **options), Job(str(source), str(output), **job))


def psql(script: Path, postgres: PostgresDatabase) -> subprocess.CompletedProcess[str]:
    called = [str(PROGRAMS / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", postgres.url, "-f", str(script)]
    return subprocess.run(called, check=False, capture_output=True, text=True, timeout=120)


def load(script: Path, postgres: PostgresDatabase) -> str:
    done = psql(script, postgres)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stderr


def contents(postgres: PostgresDatabase) -> list[str]:
    """Everything that pg_dump finds, rows in the order of their text."""
    called = [str(PROGRAMS / "pg_dump"), "-d", postgres.url, "--exclude-schema=vecferry", "--no-owner"]
    text = RANDOM.sub("", subprocess.run(called, check=True, capture_output=True, text=True, timeout=120).stdout)
    return ROWS.sub(lambda match: "".join(sorted(match["rows"].splitlines(keepends=True))), text).splitlines()


def fill(source: MySQLDatabase, script: str) -> None:
    with source.connect(client_flag=CLIENT.MULTI_STATEMENTS).cursor() as cursor:
        cursor.execute(script)
        while cursor.nextset():
            pass


# --- the same as migrate -------------------------------------------------------------------------

APART = {
    # A dump has six digits of a FLOAT.
    "floats-extremes",
    # It is about the walk along a key.
    "composite-key-walk",
    # Only a server counts rows without a parent; psql refuses them.
    "foreign-key-by-case-refused",
    "foreign-key-orphans-refused",
}
CASES = [
    case for case in all_cases()
    if not case.postgres and "mariadb" in case.expected.servers and case.name not in APART
]  # fmt: skip


@dataclass
class Group:
    """Cases that make different things, in one database; those with options share theirs."""

    cases: list[Case]
    names: set[str]
    options: dict[str, Any]

    def takes(self, case: Case, names: set[str]) -> bool:
        return bool(self.options) == bool(case.expected.options) and not self.names & names

    def take(self, case: Case, names: set[str]) -> None:
        self.cases.append(case)
        self.names |= names
        on = [*self.options.get("on", []), *case.expected.options.get("on", [])]
        self.options |= case.expected.options | ({"on": on} if on else {})


def groups() -> list[Group]:
    found: list[Group] = []
    for case in CASES:
        if case.expected.refused:
            continue
        names = {name.strip("`").lower() for name in NAMED.findall(case.mysql)}
        fitting = next((group for group in found if group.takes(case, names)), None)
        if fitting is None:
            found.append(Group([case], names, dict(case.expected.options)))
        else:
            fitting.take(case, names)
    return found


@pytest.mark.parametrize("group", groups(), ids=lambda group: "+".join(case.name for case in group.cases)[:80])
def test_cases_become_what_migrate_makes_of_them(
    group: Group, mysql: MySQLDatabase, postgres: PostgresDatabase, other: PostgresDatabase, tmp_path: Path
) -> None:
    for case in group.cases:
        fill(mysql, case.mysql)
    transformed(dump(mysql, tmp_path / "dump.sql"), tmp_path / "out.sql", **group.options)
    load(tmp_path / "out.sql", postgres)
    run(mysql, other, level="counts", **group.options)
    assert contents(postgres) == contents(other)


@pytest.mark.parametrize("case", [case for case in CASES if case.expected.refused], ids=lambda case: case.name)
def test_what_migrate_refuses_becomes_no_script(case: Case, mysql: MySQLDatabase, tmp_path: Path) -> None:
    fill(mysql, case.mysql)
    source = dump(mysql, tmp_path / "dump.sql")
    with pytest.raises(VecferryError) as caught:
        transformed(source, tmp_path / "out.sql", **case.expected.options)
    missing = [pattern for pattern in case.expected.refused if not re.search(pattern, str(caught.value), re.DOTALL)]
    assert not missing, str(caught.value)
    assert caught.value.exit_code == case.expected.exit_code
    assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]


def test_the_sample_becomes_what_migrate_makes_of_it(
    mysql: MySQLDatabase, postgres: PostgresDatabase, other: PostgresDatabase, tmp_path: Path
) -> None:
    sample.fill(mysql.url, rows=60)
    source, output = dump(mysql, tmp_path / "dump.sql"), tmp_path / "out.sql"
    result = transformed(source, output)
    assert result.status == "ok"
    assert [(entry.table, entry.dimensions) for entry in result.vectors] == [("content_embedding", 1536)]
    assert {entry.name: entry.rows_written for entry in result.tables}["content_embedding"] == 60
    assert result.bytes_read == source.stat().st_size
    assert result.bytes_written == output.stat().st_size
    load(output, postgres)
    run(mysql, other, level="counts")
    assert contents(postgres) == contents(other)
    for name in ("packed.sql.gz", "packed.sql.zst"):
        packed = tmp_path / name
        assert transformed(source, packed).bytes_written == packed.stat().st_size < output.stat().st_size
        assert packed.stat().st_mode & 0o777 == 0o600
        assert plain(packed).read_bytes() == output.read_bytes()


def plain(output: Path) -> Path:
    """Unpacks a script by the usual programs."""
    programs = {".gz": ["gzip", "-dc"], ".zst": [sys.executable, "-c", UNZSTD]}
    found = output.with_suffix("")
    with found.open("wb") as file:
        subprocess.run([*programs[output.suffix], str(output)], check=True, stdout=file, timeout=60)
    return found


UNZSTD = """
import pyarrow as pa, sys
with pa.CompressedInputStream(sys.argv[1], "zstd") as stream:
    sys.stdout.buffer.write(stream.read())
"""


# --- in one pass ---------------------------------------------------------------------------------

LATE = """
CREATE TABLE child (id int PRIMARY KEY, parent bigint unsigned, flag tinyint(1) DEFAULT 1, state enum('new', 'old'),
  INDEX (parent), FOREIGN KEY (parent) REFERENCES parent (id));
CREATE TABLE parent (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, flag tinyint(1) NOT NULL, v longtext);
"""


def test_the_last_row_decides_the_types(
    mysql: MySQLDatabase,
    postgres: PostgresDatabase,
    other: PostgresDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passing, "HEAD_BYTES", 1)
    monkeypatch.setattr(passing, "_BATCH_BYTES", 1)
    mysql.execute("SET foreign_key_checks = 0, sql_mode = ''")
    for statement in LATE.split(";")[1::-1]:
        mysql.execute(statement)
    numbers = ", ".join(f"({number}, 1, '{[number / 8] * 16}')" for number in range(1, 40))
    mysql.execute(f"INSERT INTO parent VALUES {numbers}")
    mysql.execute("INSERT INTO child VALUES (1, 7, 0, 'old'), (2, 8, 1, 'new'), (3, NULL, 2, 'gone')")
    transformed(dump(mysql, tmp_path / "dump.sql", "--skip-extended-insert"), tmp_path / "out.sql")
    load(tmp_path / "out.sql", postgres)
    run(mysql, other, level="counts")
    assert contents(postgres) == contents(other)
    assert postgres.rows("SELECT flag, state::text FROM child WHERE id = 3") == [(2, "")]
    assert postgres.rows("SELECT pg_typeof(flag)::text, pg_typeof(v)::text FROM parent LIMIT 1") == [
        ("boolean", "vector")
    ]


def test_a_pipe_becomes_a_pipe(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, s varchar(20))")
    mysql.execute("INSERT INTO t VALUES (1, 'a;b'), (2, NULL)")
    source = dump(mysql, tmp_path / "dump.sql")
    with source.open("rb") as read, (tmp_path / "out.sql").open("wb") as written:
        called = [sys.executable, "-m", "vecferry", "transform", "-", "-", "--quiet"]
        done = subprocess.run(called, check=False, stdin=read, stdout=written, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    load(tmp_path / "out.sql", postgres)
    assert postgres.rows("SELECT * FROM t ORDER BY id") == [(1, "a;b"), (2, None)]


def test_only_the_tables_that_are_asked_for(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    for name in ("doc_a", "doc_b", "log"):
        mysql.execute(f"CREATE TABLE {name} (id int PRIMARY KEY)")
        mysql.execute(f"INSERT INTO {name} VALUES (1)")
    transformed(dump(mysql, tmp_path / "dump.sql"), tmp_path / "out.sql", tables=("doc_*",), exclude=("*_b",))
    load(tmp_path / "out.sql", postgres)
    assert postgres.rows("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'") == [("doc_a",)]


PHPMYADMIN = """-- phpMyAdmin SQL Dump
SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
START TRANSACTION;
SET time_zone = "+00:00";
CREATE TABLE `a` (`id` int(11) NOT NULL, `b_id` bigint(20) UNSIGNED DEFAULT NULL) ENGINE=InnoDB;
INSERT INTO `a` (`id`, `b_id`) VALUES
(1, 7);
CREATE TABLE `b` (`id` bigint(20) UNSIGNED NOT NULL, `s` varchar(20) NOT NULL) ENGINE=InnoDB;
INSERT INTO `b` (`id`, `s`) VALUES
(7, 'x');
ALTER TABLE `a` ADD PRIMARY KEY (`id`), ADD KEY `b_id` (`b_id`);
ALTER TABLE `b` ADD PRIMARY KEY (`id`);
ALTER TABLE `b` MODIFY `id` bigint(20) UNSIGNED NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=9;
ALTER TABLE `a` ADD CONSTRAINT `to_b` FOREIGN KEY (`b_id`) REFERENCES `b` (`id`);
COMMIT;
"""


def test_what_follows_the_rows_counts(postgres: PostgresDatabase, tmp_path: Path) -> None:
    source, output = tmp_path / "dump.sql", tmp_path / "out.sql"
    source.write_text(PHPMYADMIN)
    transformed(source, output, allow_incomplete=True)
    load(output, postgres)
    assert postgres.rows("SELECT a.id, b_id, s FROM a JOIN b ON b.id = b_id") == [(1, 7, "x")]
    assert postgres.rows("INSERT INTO b (s) VALUES ('y') RETURNING id, pg_typeof(id)::text") == [(9, "bigint")]
    assert postgres.rows("SELECT conname::text FROM pg_constraint WHERE contype = 'f'") == [("to_b",)]


def test_rows_that_a_dump_changes_again_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "dump.sql"
    dump = "TRUNCATE t;\nCREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\nDELETE FROM t;\n"
    source.write_text(dump)
    with pytest.raises(SourceError, match="changes rows of table t by DELETE in line 4, which only a server"):
        transformed(source, tmp_path / "out.sql", allow_incomplete=True)
    assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]
    source.write_text("DELETE FROM t;\n" + dump.removesuffix("DELETE FROM t;\n"))
    assert transformed(source, tmp_path / "out.sql", allow_incomplete=True).tables[0].rows_written == 1


def test_two_dumps_in_one_file_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "dump.sql"
    source.write_text("CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\nDROP TABLE t;\n" * 2)
    with pytest.raises(SourceError, match="makes table t a second time in line 4"):
        transformed(source, tmp_path / "out.sql", allow_incomplete=True)
    assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]


# --- rows alone ----------------------------------------------------------------------------------

CIRCLE = """
CREATE TABLE a_child (id int PRIMARY KEY, z int NOT NULL, up int, FOREIGN KEY (z) REFERENCES z_parent (id),
  FOREIGN KEY (up) REFERENCES a_child (id), flag tinyint(1), bits bit(1), moment timestamp NULL, wall datetime);
CREATE TABLE left_ (id int PRIMARY KEY, other int NOT NULL, FOREIGN KEY (other) REFERENCES right_ (id));
CREATE TABLE right_ (id int PRIMARY KEY, other int NOT NULL, FOREIGN KEY (other) REFERENCES left_ (id));
CREATE TABLE z_parent (id int AUTO_INCREMENT PRIMARY KEY);
INSERT INTO z_parent VALUES (3), (9);
INSERT INTO a_child VALUES (1, 9, 2, 1, 1, '2024-07-01 12:00:00', '2024-07-01 12:00:00'),
  (2, 3, NULL, 0, 0, NULL, NULL);
INSERT INTO left_ VALUES (1, 1); INSERT INTO right_ VALUES (1, 1)
"""


@pytest.fixture
def circle(mysql: MySQLDatabase, tmp_path: Path) -> Path:
    fill(mysql, "SET time_zone = '+00:00', foreign_key_checks = 0;" + CIRCLE)
    return dump(mysql, tmp_path / "dump.sql")


def test_rows_go_into_tables_that_are_there(circle: Path, postgres: PostgresDatabase, tmp_path: Path) -> None:
    output = tmp_path / "rows.sql"
    transformed(circle, tmp_path / "whole.sql")
    load(tmp_path / "whole.sql", postgres)
    before = contents(postgres)
    postgres.execute("INSERT INTO z_parent VALUES (77)")
    transformed(circle, output, data_only=True)
    text = output.read_text()
    assert text.index('COPY "public"."z_parent"') < text.index('COPY "public"."a_child"')
    load(output, postgres)
    assert contents(postgres) == before


def test_rows_fit_the_types_that_the_application_chose(
    circle: Path, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    postgres.execute("CREATE TABLE z_parent (id serial PRIMARY KEY)")
    postgres.execute(
        "CREATE TABLE a_child (id bigint, z int REFERENCES z_parent, up text, flag smallint, bits bit(1),"
        " moment timestamp, wall timestamptz)"
    )
    transformed(circle, tmp_path / "rows.sql", data_only=True, tables=("z_*", "a_*"), datetime_zone="Europe/Paris")
    load(tmp_path / "rows.sql", postgres)
    found = postgres.rows(
        "SELECT flag, bits::text, moment::text, (wall AT TIME ZONE 'UTC')::text FROM a_child WHERE id = 1"
    )
    assert found == [(1, "1", "2024-07-01 12:00:00", "2024-07-01 10:00:00")]
    assert postgres.rows("SELECT nextval('z_parent_id_seq')") == [(10,)]


def test_rows_that_a_table_outside_refers_to_stay(circle: Path, postgres: PostgresDatabase, tmp_path: Path) -> None:
    postgres.execute("CREATE TABLE z_parent (id int PRIMARY KEY)")
    postgres.execute("CREATE TABLE theirs (id int REFERENCES z_parent)")
    postgres.execute("INSERT INTO z_parent VALUES (77)")
    postgres.execute("INSERT INTO theirs VALUES (77)")
    transformed(circle, tmp_path / "rows.sql", data_only=True, tables=("z_*",))
    assert "theirs" in psql(tmp_path / "rows.sql", postgres).stderr
    assert postgres.rows("SELECT id FROM z_parent") == [(77,)]


def test_rows_without_structure_take_it_from_another_dump(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, s varchar(20))")
    mysql.execute("INSERT INTO t VALUES (1, 'a')")
    structure = dump(mysql, tmp_path / "structure.sql", "--no-data")
    rows = dump(mysql, tmp_path / "rows.sql", "--no-create-info")
    with pytest.raises(SourceError, match=r"has rows of table t in line \d+, but no CREATE TABLE .*--structure"):
        transformed(rows, tmp_path / "out.sql")
    transformed(rows, tmp_path / "out.sql", structure=str(structure))
    load(tmp_path / "out.sql", postgres)
    assert postgres.rows("SELECT * FROM t") == [(1, "a")]


# --- what cannot be carried ----------------------------------------------------------------------


@pytest.fixture
def flawed(mysql: MySQLDatabase, tmp_path: Path) -> Path:
    mysql.execute("SET sql_mode = ''")
    mysql.execute("CREATE TABLE docs (id int PRIMARY KEY, day date, v longtext NOT NULL)")
    vector = [0.5] * 16
    mysql.execute(
        "INSERT INTO docs VALUES (1, '2024-01-01', %s), (2, '0000-00-00', %s), (3, NULL, '[1,'), (4, NULL, %s)",
        [str(vector)] * 3,
    )
    return dump(mysql, tmp_path / "dump.sql")


def test_a_value_that_cannot_be_carried_stops_it(flawed: Path, tmp_path: Path) -> None:
    options = {"embedding": ("docs.v:16",)}
    with pytest.raises(
        VecferryError, match=r"docs\.day: 1 row holds a date .* \(at id = 2\).*--on zero-date="
    ) as caught:
        transformed(flawed, tmp_path / "out.sql", **options)
    assert caught.value.exit_code == 5
    with pytest.raises(InvalidValueError, match=r"docs\.v at id = 3: not an embedding of 16 dimensions"):
        transformed(flawed, tmp_path / "out.sql", on=("zero-date=null",), **options)
    assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]


def test_rejects_lie_beside_the_script(flawed: Path, postgres: PostgresDatabase, tmp_path: Path) -> None:
    output = tmp_path / "out.sql"
    result = transformed(flawed, output, on_invalid="reject", embedding=("docs.v:16",))
    assert (result.status, [(t.rows_read, t.rows_written, t.rows_rejected) for t in result.tables]) == (
        "rejected",
        [(4, 2, 2)],
    )
    file = tmp_path / "out.sql.rejects.jsonl"
    assert result.rejects == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(entry["key"], entry["column"], entry["reason"], entry["original"]) for entry in entries] == [
        ({"id": 2}, "day", "zero-date", "0000-00-00"),
        ({"id": 3}, "v", "truncated", "[1,"),
    ]
    load(output, postgres)
    assert postgres.rows("SELECT id FROM docs ORDER BY id") == [(1,), (4,)]
    transformed(flawed, output, on_invalid="reject", exclude=("docs",))
    assert not file.exists()


def test_only_so_many_values_are_set_aside(flawed: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="more than 1 value cannot be carried"):
        transformed(flawed, tmp_path / "out.sql", on_invalid="reject", max_rejects=1, embedding=("docs.v:16",))
    assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]


# --- what is not whole ---------------------------------------------------------------------------


def test_a_dump_without_its_last_line_is_refused(circle: Path, postgres: PostgresDatabase, tmp_path: Path) -> None:
    cut = tmp_path / "cut.sql"
    cut.write_text(circle.read_text().rsplit("-- Dump completed", 1)[0])
    with pytest.raises(SourceError, match=r"ends without the line .*--allow-incomplete") as caught:
        transformed(cut, tmp_path / "out.sql")
    assert caught.value.exit_code == 3
    assert not (tmp_path / "out.sql").exists()
    assert not transformed(cut, tmp_path / "out.sql", allow_incomplete=True).complete
    assert "WHICH IS NOT WHOLE" in (tmp_path / "out.sql").read_text().splitlines()[0]
    load(tmp_path / "out.sql", postgres)


@pytest.mark.parametrize("behind", ["FROM stdin;\n1", "ALTER TABLE", "END $vecferry$;\nANALYZE"])
def test_a_script_that_is_cut_leaves_nothing(
    behind: str, circle: Path, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    transformed(circle, tmp_path / "out.sql")
    text = (tmp_path / "out.sql").read_text()
    assert text.endswith(f"COMMIT;\n{COMPLETE}\n")
    (tmp_path / "out.sql").write_text(text[: text.index(behind) + len(behind)])
    psql(tmp_path / "out.sql", postgres)
    assert postgres.rows("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


def test_a_row_that_postgresql_refuses_leaves_nothing(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    fill(mysql, "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p)"
                " REFERENCES p (id)); SET foreign_key_checks = 0; INSERT INTO c VALUES (1, 8)")  # fmt: skip
    source = dump(mysql, tmp_path / "dump.sql")
    transformed(source, tmp_path / "out.sql")
    done = psql(tmp_path / "out.sql", postgres)
    assert done.returncode == 3
    assert "(p)=(8)" in done.stderr
    assert postgres.rows("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    transformed(source, tmp_path / "out.sql", on=("orphan=keep",))
    assert "stays NOT VALID" in load(tmp_path / "out.sql", postgres)
    assert postgres.rows("SELECT convalidated FROM pg_constraint WHERE contype = 'f'") == [(False,)]


def test_an_interrupted_call_leaves_no_file(circle: Path, tmp_path: Path) -> None:
    called = [sys.executable, "-m", "vecferry", "transform", "-", str(tmp_path / "out.sql")]
    with subprocess.Popen(called, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(circle.read_bytes()[:1500])
        process.stdin.flush()
        wait_until(lambda: any(path.name.endswith(".part") for path in tmp_path.iterdir()))
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
    assert process.returncode == 6
    assert b"interrupted" in words
    assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]


# --- the command ---------------------------------------------------------------------------------

HOSTILE = r"""
CREATE TABLE `$vecferry$ :a 'b' "c" \\d; -- {0} %s` (`\\.` int PRIMARY KEY AUTO_INCREMENT, `:'x'` varchar(40),
  `%(y)s "z"` enum('a\tb', '\\N', '$vecferry$'));
INSERT INTO `$vecferry$ :a 'b' "c" \\d; -- {0} %s` VALUES (1, '\\.', '\\N'),
  (2, 'a\tb\nc\rd', 'a\tb'), (3, '\\N', NULL), (4, '', '$vecferry$');
"""


def test_hostile_names_and_values(
    mysql: MySQLDatabase, postgres: PostgresDatabase, other: PostgresDatabase, tmp_path: Path
) -> None:
    fill(mysql, HOSTILE)
    source = dump(mysql, tmp_path / "dump.sql").rename(tmp_path / "a\n\\! touch b; 'c' é.sql")
    transformed(source, tmp_path / "out 'x'.sql")
    load(tmp_path / "out 'x'.sql", postgres)
    run(mysql, other, level="counts")
    assert contents(postgres) == contents(other)


def test_the_summary_as_json(circle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["transform", str(circle), str(tmp_path / "out.sql"), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["output"], found["complete"]) == ("ok", str(tmp_path / "out.sql"), True)
    assert {table["name"]: table["rows_written"] for table in found["tables"]}["a_child"] == 2
    assert command(["transform", str(circle), "-", "--json"]) == 2


def test_a_script_never_takes_the_place_of_its_dump(circle: Path) -> None:
    before = circle.read_bytes()
    with pytest.raises(UsageError, match="is the dump itself"):
        transformed(circle, circle)
    assert circle.read_bytes() == before


def test_a_full_disk_is_told(circle: Path, tmp_path: Path) -> None:
    with pytest.raises(VecferryError, match="nowhere") as caught:
        transformed(circle, tmp_path / "nowhere" / "out.sql")
    assert caught.value.exit_code == 4
    assert not os.path.exists(tmp_path / "nowhere")  # noqa: PTH110
