"""The report's files: of a run that went well, one that stopped, one whose servers are gone."""

from __future__ import annotations

import json
import socket
import stat
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vecferry.cli import run as cli
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import Screen
from vecferry.cli.reports import run_with_report
from vecferry.config import load, parse_source, parse_target
from vecferry.errors import ExitCode, InterruptedRunError
from vecferry.target import facts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase

ROWS, DIMENSIONS = 300, 16
RANDOM = np.random.default_rng(5).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
RANDOM[7] = 0


@pytest.fixture
def filled(mysql: MySQLDatabase) -> MySQLDatabase:
    """A table with embeddings, a zero vector and two NULLs among them, and one with a day that is none."""
    mysql.execute("SET sql_mode = ''")
    mysql.execute("CREATE TABLE passage (id varchar(20) PRIMARY KEY, `embedding` longtext)")
    mysql.execute("CREATE TABLE visit (id int AUTO_INCREMENT PRIMARY KEY, day date)")
    texts = [json.dumps({str(place): float(value) for place, value in enumerate(row)}) for row in RANDOM]
    with mysql.connect().cursor() as cursor:
        cursor.executemany(
            "INSERT INTO passage VALUES (%s, %s)",
            [(f"k3y-{number:04}", None if number in {3, 4} else text) for number, text in enumerate(texts)],
        )
    mysql.execute("INSERT INTO visit (day) VALUES ('2024-02-29'), ('0000-00-00'), ('2024-03-01')")
    return mysql


def migrate(mysql: MySQLDatabase, postgres: PostgresDatabase, folder: Path, *options: str) -> int:
    return cli(["migrate", "-s", mysql.url, "-t", postgres.url, "--report", str(folder), "--quiet", "--yes", *options])


def read(folder: Path) -> tuple[dict[str, Any], str]:
    """Both files, which are their owner's alone; no password of the servers is in them."""
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    page = (folder / "report.html").read_text(encoding="utf-8")
    return json.loads((folder / "report.json").read_text()), page


def test_a_run_that_went_well(
    filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--on", "zero-date=null", "--chunk-bytes", "8KiB", "--embedding", f"passage.embedding:{DIMENSIONS}")
    assert migrate(filled, postgres, tmp_path, *options) == ExitCode.DONE
    assert f"report: {tmp_path / 'report.html'}, and report.json beside it" in capsys.readouterr().out
    value, page = read(tmp_path)
    details = value["details"]
    assert value["status"] == "ok"
    assert [step["name"] for step in details["steps"]] == [
        "plan",
        "load",
        "keys",
        "vector_index",
        "sequences",
        "verify",
    ]
    assert all(step["finished"] for step in details["steps"])
    ends = [step["start"] + step["seconds"] for step in details["steps"]]
    assert all(end <= step["start"] + 0.01 for end, step in zip(ends, details["steps"][1:], strict=False))
    speed = details["throughput"]
    assert sum(speed["rows_per_second"]) * speed["seconds"] == pytest.approx(ROWS + 3, rel=0.01)
    read_bytes = sum(table["bytes_read"] for table in value["tables"])
    assert sum(speed["bytes_per_second"]) * speed["seconds"] == pytest.approx(read_bytes, rel=0.01)
    [census] = details["census"]
    norms = np.linalg.norm(np.delete(RANDOM, [3, 4], axis=0).astype(np.float64), axis=1)
    assert (census["rows"], census["complete"], census["nulls"], census["zeros"]) == (ROWS, True, 2, 1)
    assert (census["forms"], census["dimensions"]) == ({"JSON object": 200}, {str(DIMENSIONS): ROWS - 2})
    assert sum(census["norm_counts"]) == ROWS - 2
    assert (census["norm_least"], census["norm_mean"], census["norm_greatest"]) == pytest.approx(
        (norms.min(), norms.mean(), norms.max())
    )
    [index] = details["indexes"]
    assert (index["index"], index["valid"]) == ("passage_embedding_hnsw", True)
    assert 0 < index["seconds"] < value["seconds"]["vector_index"] + 0.01
    assert postgres.rows("SELECT pg_relation_size('passage_embedding_hnsw')") == [(index["size"],)]
    source, target = details["servers"]
    [(version, packet)] = filled.rows("SELECT VERSION(), @@global.max_allowed_packet DIV 1048576")
    assert source["version"] == f"MariaDB {version}"
    assert source["settings"]["max_allowed_packet"] == f"{packet} MiB"
    assert source["settings"]["sql_mode"] == filled.rows("SELECT @@global.sql_mode")[0][0]
    [(version, buffers, encoding)] = postgres.rows(
        "SELECT current_setting('server_version'), current_setting('shared_buffers'),"
        " current_setting('server_encoding')"
    )
    assert target["version"] == f"PostgreSQL {version}"
    assert target["settings"] | {"shared_buffers": buffers, "server_encoding": encoding} == target["settings"]
    [(pgvector,)] = postgres.rows("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    assert target["settings"]["pgvector"] == pgvector
    assert set(details["chosen"]) == {"chunk_bytes", "embedding", "on", "yes"}
    assert not {"source", "target"} & set(details["options"])
    assert details["notes"] == []
    for text in ("passage_embedding_hnsw", "id = 2", "@Index(&#34;passage_embedding_hnsw&#34;", "length: 16", pgvector):
        assert text in page


def test_a_finished_run_is_told_again(filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    assert migrate(filled, postgres, tmp_path, "--on", "zero-date=null") == ExitCode.DONE
    first, _ = read(tmp_path)
    assert migrate(filled, postgres, tmp_path, "--on", "zero-date=null") == ExitCode.DONE
    value, page = read(tmp_path)
    assert (value["status"], value["run_id"]) == ("nothing to do", first["run_id"])
    assert value["details"]["census"] == first["details"]["census"]
    assert value["details"]["indexes"][0]["seconds"] is None
    assert "carried by an earlier run" in page


def test_a_run_that_stops_and_goes_on(
    filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.execute("UPDATE passage SET embedding = 'no list' WHERE id = 'k3y-0299'")
    options = (
        "--on", "zero-date=null", "--embedding", f"passage.embedding:{DIMENSIONS}",
        "--chunk-bytes", "8KiB", "--workers", "1",
    )  # fmt: skip
    assert migrate(filled, postgres, tmp_path, *options) == ExitCode.FORBIDDEN
    said = capsys.readouterr().err
    value, page = read(tmp_path)
    assert value["status"] == "stopped"
    assert value["failure"]["exit_code"] == ExitCode.FORBIDDEN
    assert said.endswith(f"error: {value['failure']['sentence']}\n")
    assert "k3y-0299" in value["failure"]["sentence"]
    progress = {table["name"]: table for table in value["details"]["progress"]}
    [(there,)] = postgres.rows("SELECT count(*) FROM passage")
    assert 0 < there == progress["passage"]["rows_written"] < ROWS
    committed = dict(postgres.rows("SELECT table_name, count(*) FROM vecferry.chunk GROUP BY 1"))
    assert {name: table["chunks_committed"] for name, table in progress.items()} == {
        "passage": 0,
        "visit": 0,
    } | committed
    assert 0 < progress["passage"]["chunks_committed"] < progress["passage"]["chunks"]
    assert [(step["name"], step["finished"]) for step in value["details"]["steps"]] == [("plan", True), ("load", False)]
    assert value["losses"][0]["count"] == 1
    for text in ("Stopped", "The run stopped during the step load", "Exit code 5", "run the same command again"):
        assert text in page
    filled.execute("UPDATE passage SET embedding = NULL WHERE id = 'k3y-0299'")
    assert migrate(filled, postgres, tmp_path, *options) == ExitCode.DONE
    value, _ = read(tmp_path)
    speed = value["details"]["throughput"]
    assert sum(speed["rows_per_second"]) * speed["seconds"] == pytest.approx(ROWS + 3, rel=0.01)


@pytest.mark.parametrize("end", ["source", "target"])
def test_an_end_that_is_not_there(
    filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str], end: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    source, target = (
        url.replace(f":{parsed.port}/", f":{port}/") if name == end else url
        for name, url, parsed in (
            ("source", filled.url, parse_source(filled.url)), ("target", postgres.url, parse_target(postgres.url)),
        )
    )  # fmt: skip
    code = cli(["migrate", "-s", source, "-t", target, "--report", str(tmp_path), "--json"])
    assert code == (ExitCode.SOURCE if end == "source" else ExitCode.TARGET)
    sentence = json.loads(capsys.readouterr().out)["error"]
    value, page = read(tmp_path)
    assert value["failure"]["sentence"] == sentence
    assert (value["run_id"], value["details"]["progress"]) == ("", [])
    assert [server["end"] for server in value["details"]["servers"] if server["version"]] == [
        "target" if end == "source" else "source"
    ]
    assert any(f"the {end}: not known" in note for note in value["details"]["notes"])
    assert "nothing has been loaded" in page


def test_what_the_plan_forbids(filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    assert migrate(filled, postgres, tmp_path) == ExitCode.FORBIDDEN
    value, page = read(tmp_path)
    assert "visit.day" in value["failure"]["sentence"]
    assert "id = 2" in page
    assert value["run_id"] == ""
    assert postgres.rows("SELECT to_regclass('vecferry.run')") == [(None,)]


class _Interrupting(Screen):
    def begin(self, step: str) -> None:
        if step == "keys":
            raise KeyboardInterrupt


def test_an_interrupted_run(filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    config = load(None, source=filled.url, target=postgres.url, on="zero-date=null")
    with pytest.raises(InterruptedRunError):
        run_with_report(Invocation(), config, _Interrupting(), None, tmp_path)
    value, _ = read(tmp_path)
    assert value["failure"]["exit_code"] == ExitCode.INTERRUPTED
    assert {t["name"]: t["rows_written"] for t in value["details"]["progress"]} == {"passage": ROWS, "visit": 3}


def test_a_report_that_cannot_be_made_hides_nothing(
    filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").mkdir()
    options = ["migrate", "-s", filled.url, "-t", postgres.url, "--report", str(tmp_path)]
    assert cli(options) == ExitCode.FORBIDDEN
    said = capsys.readouterr().err
    assert f"note: {tmp_path / 'report.json'} could not be written: Is a directory" in said
    assert "visit.day" in said.rsplit("error: ", 1)[1]


def test_a_page_that_cannot_be_made_leaves_the_result(
    filled: MySQLDatabase,
    postgres: PostgresDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(facts, "norms", lambda *_: 1 / 0)
    assert migrate(filled, postgres, tmp_path, "--on", "zero-date=null", "--json") == ExitCode.DONE
    value = json.loads(capsys.readouterr().out)
    assert (value["status"], value["report"]) == ("ok", None)
    assert value["notes"][-1] == "the report could not be made: ZeroDivisionError: division by zero"


@pytest.mark.parametrize("kind", ["rejects", "stop", "plan"])
def test_without_examples_no_row_is_told(
    filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, kind: str
) -> None:
    filled.execute("UPDATE passage SET embedding = 'zq-s3cret' WHERE id = 'k3y-0299'")
    filled.execute("CREATE TABLE child (id varchar(20) PRIMARY KEY, day date)")
    filled.execute("INSERT INTO child VALUES ('k3y-child', '0000-00-00')")
    options = [
        "--no-examples", "--workers", "1", "--embedding", f"passage.embedding:{DIMENSIONS}", "--chunk-bytes", "8KiB",
    ]  # fmt: skip
    if kind != "plan":
        options += ["--on", "zero-date=null"]
    if kind == "rejects":
        options += ["--on-invalid", "reject"]
    code = migrate(filled, postgres, tmp_path, *options)
    assert code == (ExitCode.DIFFERENCES if kind == "rejects" else ExitCode.FORBIDDEN)
    value, page = read(tmp_path)
    for text in (json.dumps(value), page):
        assert "k3y" not in text
        assert "s3cret" not in text
        assert "left out by --no-examples" in text
    if kind == "rejects":
        assert [entry["count"] for entry in value["rejects"]] == [1]
    else:
        assert ("child.day" if kind == "plan" else "passage") in value["failure"]["sentence"]


def test_a_large_table_is_sampled(
    filled: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "NORMS", 100)
    assert migrate(filled, postgres, tmp_path, "--on", "zero-date=null") == ExitCode.DONE
    value, page = read(tmp_path)
    [census] = value["details"]["census"]
    assert not census["complete"]
    assert 0 < census["rows"] <= 100
    assert "of a sample of" in page


def test_the_source_may_be_older(mysql56: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql56.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql56.execute("INSERT INTO t VALUES (1)")
    assert migrate(mysql56, postgres, tmp_path) == ExitCode.DONE
    value, _ = read(tmp_path)
    assert value["details"]["servers"][0]["version"].startswith("MySQL 5.6")
    assert value["details"]["servers"][0]["settings"]["database's character set"] == "utf8mb4"
    assert value["details"]["notes"] == []
