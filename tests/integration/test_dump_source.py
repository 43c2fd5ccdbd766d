"""Dumps of real servers as a source: what a run carries from one is what it carries from the server."""

from __future__ import annotations

import gzip
import lzma
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pytest

from tests.cases.case import Case, all_cases
from tests.cases.compare import differences
from tests.integration.dumping import dump as dumped
from tests.integration.support import run, run_verify, target_rows
from tests.integration.test_cases import check_carried, check_refused, fill
from vecferry import backup, list_rejects, load_config, make_plan, retry_rejects
from vecferry._core import DumpSettings
from vecferry.config import SourceScope, parse_source
from vecferry.demo import sample
from vecferry.dump import scan
from vecferry.dump.files import find_files
from vecferry.dump.index import Index, _add, _scanned
from vecferry.dump.stream import Stream
from vecferry.errors import ExitCode, ForbiddenError, SourceError, UsageError

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

ROWS = 200
_CASES = [case for case in all_cases() if "mariadb" in case.expected.servers]
_EVERY = 8
RUNS = [
    pytest.param(case, id=case.name, marks=() if number % _EVERY == 0 else pytest.mark.torture)
    for number, case in enumerate(_CASES)
]
_OTHER: dict[str, dict[str, Any]] = {
    # A server prints a FLOAT with six digits in a dump.
    "floats-extremes": {"compare": False, "query": []},
}


def dump(mysql: MySQLDatabase, path: Path, *options: str) -> Path:
    """Dumps a database into a file."""
    path.write_bytes(dumped(mysql, "--routines", "--events", *options))
    return path


@pytest.mark.parametrize("case", RUNS)
def test_case_of_a_dump(case: Case, mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    fill(mysql, case.mysql)
    path = dump(mysql, tmp_path / "dump.sql")
    if case.postgres:
        postgres.execute(case.postgres)
    options = {**case.expected.options, "source": str(path)}
    expected = case.expected.model_copy(update={"options": options, **_OTHER.get(case.name, {})})
    case = case.model_copy(update={"expected": expected})
    (check_refused if case.expected.refused else check_carried)(case, mysql, postgres)


# --- the files


@pytest.fixture
def athena(mysql: MySQLDatabase) -> MySQLDatabase:
    sample.fill(mysql.connect(), rows=ROWS)
    return mysql


def _zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("dump.sql", bytes),
        ("dump.sql.gz", gzip.compress),
        ("dump.sql.zst", _zstd),
        ("dump", partial(lzma.compress, preset=0)),
    ],
)
def test_files(name: str, compress: Any, athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    plain = dump(athena, tmp_path / "plain")
    path = tmp_path / name
    path.write_bytes(compress(plain.read_bytes()))
    report = run(athena, postgres, source=str(path), chunk_bytes="1MB")
    assert report.status == "ok"
    assert report.verification is not None
    assert report.verification.differences == ()
    assert sum(table.rows_compared for table in report.verification.tables) == sum(t.rows_source for t in report.tables)
    assert differences(athena, postgres, skip_columns=["content_embedding.embedding"]) == []
    assert run_verify(athena, postgres).status == "ok"  # every vector, too, by the server
    assert run(athena, postgres, source=str(path)).status == "nothing to do"


@pytest.mark.parametrize("client", ["mariadb-dump", "mydumper"])
def test_a_backup_is_a_source(
    client: Literal["mariadb-dump", "mydumper"], athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    made = backup(SourceScope(parse_source(athena.url)), tmp_path / "backup", client=client)
    report = run(athena, postgres, source=str(tmp_path / "backup"))
    assert report.status == "ok"
    assert {table.name: table.rows_target for table in report.tables} == {
        table.name: table.rows for table in made.tables
    }


@pytest.mark.parametrize("damage", ["changed", "missing", "manifest"])
def test_a_damaged_backup_is_refused(
    damage: str, athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    [file] = backup(SourceScope(parse_source(athena.url)), folder).files
    path = folder / file.name
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        with path.open("r+b") as opened:
            opened.seek(file.bytes // 2)
            byte = opened.read(1)[0]
            opened.seek(file.bytes // 2)
            opened.write(bytes([byte ^ 1]))
    else:
        (folder / "manifest.json").write_text("{}")
    with pytest.raises(SourceError, match="the backup in .* is damaged|has no dump, only its manifest"):
        run(athena, postgres, source=str(folder))
    with pytest.raises(SourceError, match="the backup in .* is damaged|has no dump, only its manifest"):
        list(Stream(str(folder), 1 << 20))


def _command(*arguments: str, stdin: Any = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from vecferry.cli import main; main()", *arguments], stdin=stdin,
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_standard_input_is_kept_for_its_owner_alone(
    athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    path = tmp_path / "dump.gz"
    path.write_bytes(gzip.compress(dump(athena, tmp_path / "plain").read_bytes()))
    room = tmp_path / "room"
    room.mkdir()
    with path.open("rb") as piped:
        done = _command("migrate", "-s", "-", "-t", postgres.url, "--quiet", stdin=piped, TMPDIR=str(room))
    assert done.returncode == 0, done.stderr
    assert differences(athena, postgres, skip_columns=["content_embedding.embedding"]) == []
    assert list(room.iterdir()) == []


def test_a_run_that_was_killed_goes_on_by_byte_ranges(
    athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    path = dump(athena, tmp_path / "dump.sql")
    arguments = ["migrate", "-s", str(path), "-t", postgres.url, "--chunk-bytes", "512KB", "--workers", "1", "--quiet"]
    killed = _command(*arguments, VECFERRY_TEST_CRASH_AT="chunk committed*3")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    [before] = postgres.rows("SELECT count(*), min(ctid::text) FROM vecferry.chunk")
    assert before[0] == 3
    first = postgres.rows("SELECT table_name, number, xmin::text FROM vecferry.chunk ORDER BY 1, 2")
    done = _command(*arguments)
    assert done.returncode == 0, done.stderr
    after = postgres.rows("SELECT table_name, number, xmin::text FROM vecferry.chunk ORDER BY 1, 2")
    assert set(first) < set(after)
    assert len(postgres.rows("SELECT id FROM vecferry.run")) == 1
    assert differences(athena, postgres, skip_columns=["content_embedding.embedding"]) == []


def test_a_dump_that_has_changed_is_refused_by_name(
    athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    path = dump(athena, tmp_path / "dump.sql")
    killed = _command(
        "migrate",
        "-s",
        str(path),
        "-t",
        postgres.url,
        "--chunk-bytes",
        "512KB",
        VECFERRY_TEST_CRASH_AT="chunk committed",
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    text = path.read_bytes()
    path.write_bytes(text.replace(b"0.1", b"0.2", 1))
    with pytest.raises(ForbiddenError, match="the dump's content was [0-9a-f]{32}, is [0-9a-f]{32}"):
        run(athena, postgres, source=str(path))
    path.write_bytes(text)
    assert run(athena, postgres, source=str(path)).status == "ok"


def test_a_dump_without_its_end(athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    path = dump(athena, tmp_path / "dump.sql")
    text = path.read_bytes()
    cut = text[: text.index(b"UNLOCK TABLES", text.index(b"INSERT INTO `content_embedding`"))]
    path.write_bytes(cut)
    with pytest.raises(
        SourceError, match=r"dump\.sql is incomplete: dump\.sql has no closing line.*--allow-incomplete"
    ):
        run(athena, postgres, source=str(path))
    report = run(athena, postgres, source=str(path), allow_incomplete=True)
    assert report.status == "ok"
    assert any("is incomplete" in note for note in report.notes)
    assert {table.name for table in report.tables} == {"content", "content_embedding"}
    path.write_bytes(text[: len(text) // 2])
    done = _command("migrate", "-s", str(path), "-t", postgres.url, "--allow-incomplete")
    assert done.returncode == ExitCode.SOURCE
    assert "line" in done.stderr
    assert "byte" in done.stderr


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.sql", b"", "is empty"),
        ("pg.sql", b"--\n-- PostgreSQL database dump\n--\n", "is a PostgreSQL dump: load it with psql"),
        ("pg.dump", b"PGDMP\x01\x0e", "restore it with pg_restore"),
        ("a.zip", b"PK\x03\x04rest", "is a ZIP archive: unpack it first"),
        ("t.ibd", bytes(2000), "is a server's own file"),
        ("some.bin", bytes(range(256)) * 20, "is a binary file"),
        ("text.txt", b"Dear all,\n\nno statement.\n", "cannot be read"),
    ],
)
def test_what_is_no_dump(name: str, data: bytes, said: str, postgres: PostgresDatabase, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    done = _command("migrate", "-s", str(path), "-t", postgres.url)
    assert done.returncode == ExitCode.SOURCE, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_place_without_a_dump(postgres: PostgresDatabase, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.sql is no URL and no file"):
        load_config(source=str(tmp_path / "missing.sql"), target=postgres.url)
    with pytest.raises(SourceError, match="holds no dump"):
        make_plan(load_config(source=str(tmp_path), target=postgres.url))


def test_a_lock_is_for_servers(postgres: PostgresDatabase, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--consistency lock is for a server"):
        load_config(source=str(tmp_path), target=postgres.url, consistency="lock")


def test_a_directory_as_mydumper_writes_it(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE one (id int PRIMARY KEY, l varchar(20) CHARACTER SET latin1, b blob) CHARSET=utf8mb4")
    mysql.execute("CREATE TABLE two (id int PRIMARY KEY, one int, FOREIGN KEY (one) REFERENCES one (id))")
    mysql.execute("INSERT INTO one VALUES (1, 'Zoé', x'00ff27'), (2, NULL, NULL), (3, '€', '')")
    mysql.execute("INSERT INTO two VALUES (1, 1), (2, NULL)")
    name = mysql.database
    head = "/*!40101 SET NAMES binary*/;\n/*!40103 SET TIME_ZONE='+00:00' */;\n"
    for table in ("one", "two"):
        [[_, made]] = mysql.rows(f"SHOW CREATE TABLE {table}")
        (tmp_path / f"{name}.{table}-schema.sql").write_text(f"{head}{made};\n")
    rows = {
        "one.00000": b"INSERT INTO `one` VALUES(1,'Zo\xe9',0x00ff27)\n,(2,NULL,NULL);\n",
        "one.00001": b"INSERT INTO `one` VALUES(3,'\x80','');\n",
        "two.00000": b"INSERT INTO `two` VALUES(1,1),(2,NULL);\n",
    }
    for part, text in rows.items():
        (tmp_path / f"{name}.{part}.sql.zst").write_bytes(_zstd(head.encode() + text))
    with pytest.raises(SourceError, match="no record of mydumper's"):
        run(mysql, postgres, source=str(tmp_path))
    (tmp_path / "metadata").write_text(
        "# Started dump at: 2026-01-01 00:00:00\n# Finished dump at: 2026-01-01 00:00:01\n"
    )
    assert run(mysql, postgres, source=str(tmp_path)).status == "ok"
    assert differences(mysql, postgres) == []


def test_one_database_of_several(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO t VALUES (1), (2)")
    one = dump(mysql, tmp_path / "one.sql", "--databases").read_text()
    both = one.replace("-- Dump completed", "-- ") + one.replace(mysql.database, "other").replace("(1),\n(2)", "(3)")
    (tmp_path / "both.sql").write_text(both)
    with pytest.raises(UsageError, match="several databases"):
        run(mysql, postgres, source=str(tmp_path / "both.sql"))
    report = run(mysql, postgres, source=str(tmp_path / "both.sql"), dump_database="other")
    assert report.status == "ok"
    assert target_rows(postgres, "t", "id") == [{"id": 3}]


# --- values


def test_rejects_are_kept_and_tried_again(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("SET sql_mode = ''")
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, d date, s varchar(20))")
    mysql.execute("INSERT INTO t VALUES (1, '2020-01-01', 'a'), (2, '0000-00-00', 'b'), (3, NULL, 'c')")
    path = dump(mysql, tmp_path / "dump.sql")
    with pytest.raises(ForbiddenError, match=r"t\.d: 1 row holds a date.*id = 2"):
        run(mysql, postgres, source=str(path))
    report = run(mysql, postgres, source=str(path), on_invalid="reject")
    assert report.status == "rejected"
    [entry] = list_rejects(load_config(source=str(path), target=postgres.url))
    assert (entry["key"], entry["column"], entry["original"]) == ({"id": 2}, "d", "0000-00-00")
    again = retry_rejects(load_config(source=str(path), target=postgres.url))
    assert again.landed == 0
    assert "id = 2" in again.refused[0]
    text = path.read_bytes()
    path.write_bytes(text.replace(b"'0000-00-00'", b"'2021-01-01'"))
    [refused] = retry_rejects(load_config(source=str(path), target=postgres.url)).refused
    assert "is another one than run" in refused
    assert any("another dump" in note for note in run_verify(mysql, postgres, source=str(path)).notes)
    path.write_bytes(text)
    assert retry_rejects(load_config(target=postgres.url, source=str(path)), {entry["id"]: "2021-01-01"}).landed == 1
    assert [row["id"] for row in target_rows(postgres, "t", "id")] == [1, 2, 3]


def test_a_generated_column_that_postgresql_cannot_compute(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    doubled, sound = "`doubled` int AS (a * 2) STORED", "`s` varchar(40) AS (soundex(a)) STORED"
    mysql.execute(f"CREATE TABLE t (id int PRIMARY KEY, a int, {doubled}, {sound})")
    mysql.execute("INSERT INTO t (id, a) VALUES (1, 2)")
    path = dump(mysql, tmp_path / "dump.sql")
    theirs = path.read_text()
    assert "INSERT INTO `t` VALUES\n(1,2,4,'')" in theirs
    # MySQL's own program leaves out what the server computes.
    text = theirs.replace("`t` VALUES\n(1,2,4,'')", "`t` (`id`, `a`) VALUES (1,2)")
    path.write_text(text)
    with pytest.raises(ForbiddenError, match=r"t\.s is generated, PostgreSQL cannot compute it, and a dump leaves"):
        run(mysql, postgres, source=str(path))
    path.write_text(re.sub(r"  `s` varchar.*\n", "", text))
    assert run(mysql, postgres, source=str(path)).status == "ok"
    assert target_rows(postgres, "t", "id") == [{"id": 1, "a": 2, "doubled": 4}]


CHANGES = [
    "UPDATE t SET v = 'other' WHERE id = '31'",
    "UPDATE t SET id = 99 WHERE id = '31'",
    "DELETE FROM t WHERE id = '31'",
    "INSERT INTO t VALUES (200, 'more', NULL)",
]


@pytest.mark.parametrize(
    ("key", "change"),
    [
        *(("id int PRIMARY KEY", change) for change in CHANGES),
        ("id int", CHANGES[0]),
        ("id varchar(9) PRIMARY KEY", CHANGES[2]),
    ],
)
def test_verification_finds_what_was_changed_in_the_target(
    key: str, change: str, mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    mysql.execute(f"CREATE TABLE t ({key}, v varchar(2000), d datetime)")
    with mysql.connect().cursor() as cursor:
        cursor.executemany(
            "INSERT INTO t VALUES (%s, %s, '2020-01-01')", [(number, "x" * 1900) for number in range(50)]
        )
    path = dump(mysql, tmp_path / "dump.sql", "--skip-extended-insert")
    options: dict[str, Any] = {"source": str(path), "chunk_bytes": "8KB"}
    assert run(mysql, postgres, **options).status == "ok"
    postgres.execute(change)
    found = run_verify(mysql, postgres, **options)
    assert found.status == "differences"
    assert found.differences
    assert all(difference.table == "t" for difference in found.differences)


def test_orphans_of_a_dump_are_counted(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE p (k varchar(10) COLLATE utf8mb4_general_ci PRIMARY KEY)")
    mysql.execute("CREATE TABLE c (id int PRIMARY KEY, k varchar(10) COLLATE utf8mb4_general_ci,"
                  " FOREIGN KEY (k) REFERENCES p (k))")  # fmt: skip
    mysql.execute("INSERT INTO p VALUES ('a'), ('b')")
    mysql.execute("INSERT INTO c VALUES (1, 'a'), (2, 'B'), (3, NULL)")
    mysql.execute("SET foreign_key_checks = 0")
    mysql.execute("INSERT INTO c VALUES (4, 'z')")
    path = str(dump(mysql, tmp_path / "dump.sql"))
    live = make_plan(load_config(source=mysql.url, target=postgres.url, estimate=False))
    ours = make_plan(load_config(source=path, target=postgres.url, estimate=False))
    assert ours.problems == live.problems
    assert "2 rows" in str(ours.problems)


def test_a_plan_estimates(athena: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    path = str(dump(athena, tmp_path / "dump.sql"))
    plan = make_plan(load_config(source=path, target=postgres.url))
    assert plan.problems == ()
    assert plan.estimate is not None
    assert plan.estimate.load_seconds
    assert [spec.dimensions for spec in plan.embeddings] == [sample.DIMENSIONS]
    assert not any("source" in right for right in plan.rights)


@pytest.mark.parametrize("zone", ["+05:30", "Europe/Paris"])
def test_timestamps_that_are_told_in_another_zone(
    zone: str, mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, s timestamp(3) NULL, d datetime)")
    mysql.execute("SET time_zone = '+00:00'")
    mysql.execute("INSERT INTO t VALUES (1, '2020-01-31 23:30:00.125', '2020-01-31 23:30:00'), (2, NULL, NULL)")
    path = dump(mysql, tmp_path / "dump.sql")
    told = {"+05:30": "2020-02-01 05:00:00.125", "Europe/Paris": "2020-02-01 00:30:00.125"}[zone]
    text = path.read_text().replace("'2020-01-31 23:30:00.125'", f"'{told}'")
    path.write_text(text.replace("TIME_ZONE='+00:00'", f"TIME_ZONE='{zone}'"))
    assert run(mysql, postgres, source=str(path)).status == "ok"
    assert differences(mysql, postgres) == []
    silent = re.sub(r"^.*TIME_ZONE.*\n", "", dump(mysql, path).read_text(), flags=re.MULTILINE)
    path.write_text(silent)
    plan = make_plan(load_config(source=str(path), target=postgres.url, truncate=True))
    assert any(note.startswith("t: the dump does not say in which time zone") for note in plan.notes)


def test_stretches_find_what_one_scan_finds(
    mysql: MySQLDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    lure = "x\n;\nINSERT INTO `t` VALUES (1,'no');\n-- no\n"
    with mysql.connect().cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(number, lure * (number % 40)) for number in range(300)])
    for options in ((), ("--skip-extended-insert",)):
        path = str(dump(mysql, tmp_path / f"{len(options)}.sql", *options))
        whole = Index(find_files(path))
        _add(whole, Path(path).name, [scan._scan(path, 0, None, scan.State(DumpSettings()))])
        monkeypatch.setattr(scan, "STRETCH_BYTES", 20_000)
        parts = _scanned(find_files(path))
        monkeypatch.undo()
        assert [piece.text for piece in parts.statements] == [piece.text for piece in whole.statements]
        for place, pieces in whole.pieces.items():
            assert sum(piece.rows for piece in parts.pieces[place]) == sum(piece.rows for piece in pieces)
            ours = {piece.start: piece.line for piece in parts.pieces[place]}
            assert all(ours.get(piece.start, piece.line) == piece.line for piece in pieces)
        assert (parts.size, parts.unfinished, parts.server) == (whole.size, whole.unfinished, whole.server)
