"""`[smoke]`: statements on a real target and requests to a real HTTP server, and what is told of each."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.webapp import Reply, closed_port, web_app
from vecferry import load_config, migrate, run_smoke
from vecferry.cli import run as command
from vecferry.config import load_target
from vecferry.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.report.report import SmokeResult

TOKEN = "s3cret-t0ken"


def smoke(postgres: PostgresDatabase, section: dict[str, Any]) -> dict[str, SmokeResult]:
    results = run_smoke(load_target(target=postgres.url, smoke=section))
    return {result.name: result for result in results}


def asking(
    postgres: PostgresDatabase, base_url: str, *checks: dict[str, Any], **section: Any
) -> dict[str, SmokeResult]:
    return smoke(postgres, {"base_url": base_url, "http": list(checks), **section})


class TestStatements:
    @pytest.fixture(autouse=True)
    def _table(self, postgres: PostgresDatabase) -> None:
        postgres.execute("CREATE TABLE jobs (id int PRIMARY KEY, name text, made date, price numeric, done boolean)")
        postgres.execute("INSERT INTO jobs VALUES (1, 'a%', '2026-01-31', 12.30, true), (2, NULL, NULL, NULL, false)")

    def test_values_rows_and_counts(self, postgres: PostgresDatabase) -> None:
        results = smoke(
            postgres,
            {
                "sql": [
                    {"name": "value", "sql": "SELECT count(*) FROM jobs", "value": 2},
                    {"name": "percent", "sql": "SELECT name FROM jobs WHERE name LIKE 'a%'", "value": "a%"},
                    {"name": "date", "sql": "SELECT made FROM jobs WHERE id = 1", "value": "2026-01-31"},
                    {"name": "rows", "sql": "SELECT id, price, done FROM jobs WHERE id < 2", "rows": [[1, 12.3, True]]},
                    {"name": "row count", "sql": "SELECT * FROM jobs;", "row_count": 2},
                    {"name": "none", "sql": "SELECT 1 WHERE false", "rows": []},
                ]
            },
        )
        assert [name for name, result in results.items() if not result.passed] == []
        assert len(results) == 6

    @pytest.mark.parametrize(
        ("sql", "expectation", "found"),
        [
            ("SELECT count(*) FROM jobs", {"value": 3}, "2"),
            ("SELECT id FROM jobs ORDER BY id", {"value": 1}, "[[1], [2]]"),
            ("SELECT id FROM jobs ORDER BY id DESC", {"rows": [[1], [2]]}, "[[2], [1]]"),
            ("SELECT id FROM jobs", {"row_count": 3}, "2 rows"),
            ("SELECT id FROM jobs WHERE id = 7", {"value": 7}, "no rows"),
            ("SELECT * FROM nothing", {"value": 1}, 'PostgreSQL refused it: relation "nothing" does not exist'),
            ("SELECT 1 FROM", {"value": 1}, "PostgreSQL refused it: syntax error at end of input"),
            ("DO $$ BEGIN END $$", {"value": 1}, "a statement that returns no rows"),
            ("SELECT generate_series(1, 20000)", {"row_count": 20000}, "more than 10,000 rows"),
        ],
    )
    def test_what_is_found_instead(
        self, postgres: PostgresDatabase, sql: str, expectation: dict[str, Any], found: str
    ) -> None:
        [result] = smoke(postgres, {"sql": [{"name": "x", "sql": sql, **expectation}]}).values()
        assert (result.passed, result.found) == (False, found)

    def test_nothing_can_be_changed(self, postgres: PostgresDatabase) -> None:
        statements = [
            "DELETE FROM jobs RETURNING 1",
            "COMMIT; DELETE FROM jobs RETURNING 1",
            "WITH gone AS (DELETE FROM jobs RETURNING id) SELECT count(*) FROM gone",
        ]
        checks = [{"name": str(i), "sql": text, "row_count": 2} for i, text in enumerate(statements)]
        results = smoke(postgres, {"sql": checks})
        assert [result.passed for result in results.values()] == [False] * 3
        assert all("read-only transaction" in result.found for result in results.values())
        assert postgres.rows("SELECT count(*) FROM jobs") == [(2,)]

    def test_a_statement_that_takes_too_long_ends_and_the_next_is_run(self, postgres: PostgresDatabase) -> None:
        results = smoke(
            postgres,
            {
                "timeout_seconds": 0.2,
                "sql": [
                    {"name": "slow", "sql": "SELECT pg_sleep(60)", "row_count": 1},
                    {"name": "next", "sql": "SELECT 1", "value": 1},
                ],
            },
        )
        assert results["slow"].found == "no answer within 0.2 s"
        assert results["next"].passed

    def test_a_session_that_ends_is_told_for_every_statement_left(self, postgres: PostgresDatabase) -> None:
        killer = "SELECT pg_terminate_backend(pg_backend_pid())"
        checks = [
            {"name": name, "sql": sql, "value": 1} for name, sql in (("a", "SELECT 1"), ("b", killer), ("c", "x"))
        ]
        results = smoke(postgres, {"sql": checks})
        assert [result.passed for result in results.values()] == [True, False, False]
        assert "refused to run the smoke tests" in results["c"].found


class TestRequests:
    def test_what_the_application_is_sent(self, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APP_TOKEN", TOKEN)
        answer = Reply.of({"answer": {"text": "42", "sources": [{"id": 7}]}}, 201)
        with web_app({"POST /qa/ask": answer, "GET /qa/history?limit=1": Reply.of([{"id": 1}])}) as app:
            results = asking(
                postgres,
                app.url + "/",
                {
                    "name": "ask",
                    "method": "POST",
                    "path": "/qa/ask",
                    "body": {"question": "été?"},
                    "headers": {"X-Trace": "1"},
                    "status": 201,
                    "fields": {"answer.sources.0.id": 7},
                    "present": ["answer.text"],
                },
                {"name": "history", "path": "/qa/history?limit=1", "fields": {"0.id": 1}},
                headers={"Authorization": "Bearer ${APP_TOKEN}", "x-trace": "0"},
            )
        assert [result.passed for result in results.values()] == [True, True]
        assert results["ask"].expected == "status 201, answer.sources.0.id = 7, answer.text not empty"
        ask, history = app.asked
        assert json.loads(ask.body) == {"question": "été?"}
        assert (ask.headers["Content-Type"], ask.headers["Authorization"]) == ("application/json", f"Bearer {TOKEN}")
        assert ([ask.headers.get(name) for name in ("X-Trace", "x-trace")], history.headers["x-trace"]) == (
            ["1", None],
            "0",
        )

    def test_answers_in_pieces_compressed_or_without_a_body(self, postgres: PostgresDatabase) -> None:
        document = json.dumps({"a": "x" * 1000}).encode()
        routes: dict[str, Any] = {
            "GET /chunked": Reply(200, document, chunked=True),
            "GET /zipped": Reply(200, gzip.compress(document), {"Content-Encoding": "gzip"}, chunked=True),
            "HEAD /empty": Reply(200, document),
        }
        with web_app(routes) as app:
            results = asking(
                postgres,
                app.url,
                {"name": "chunked", "path": "/chunked", "fields": {"a": "x" * 1000}},
                {"name": "zipped", "path": "/zipped", "fields": {"a": "x" * 1000}},
                {"name": "empty", "method": "HEAD", "path": "/empty"},
            )
        assert [(result.passed, result.found) for result in results.values()] == [(True, "status 200")] * 3

    def test_an_answer_that_breaks_off(self, postgres: PostgresDatabase) -> None:
        with web_app({"GET /x": Reply(200, b"{}", {"Content-Length": "9", "Connection": "close"})}) as app:
            [result] = asking(postgres, app.url, {"name": "x", "path": "/x"}).values()
        assert not result.passed
        assert result.found.startswith("the request failed: ")

    def test_a_text_goes_as_it_is(self, postgres: PostgresDatabase) -> None:
        with web_app({"PUT /x": Reply(204)}) as app:
            check = {"name": "x", "method": "PUT", "path": "/x", "body": "a=b", "status": 204}
            [result] = asking(postgres, app.url, check).values()
        assert result.passed
        assert app.asked[0].body == b"a=b"

    @pytest.mark.parametrize(
        ("reply", "fields", "found"),
        [
            (Reply(500, b"<h1>it  broke</h1>"), {}, "status 500: <h1>it broke</h1>"),
            (Reply(302, b"", {"Location": "/login"}), {}, "status 302 (to /login)"),
            (Reply(200, b"<html>"), {"a": 1}, "status 200, but no JSON: <html>"),
            (Reply(200, b""), {"a": 1}, "status 200, but no JSON: an empty answer"),
            (Reply(200, b"\xff\xfe"), {"a": 1}, "status 200, but no JSON: \ufffd\ufffd"),
            (Reply.of({"a": {"b": [1, "2"]}}), {"a.b.1": 2, "a.c": 1}, 'status 200, a.b.1 = "2", no a.c'),
            (Reply.of({"a": None}), {"a": 1}, "status 200, a = null"),
        ],
    )
    def test_what_is_found_instead(
        self, postgres: PostgresDatabase, reply: Reply, fields: dict[str, Any], found: str
    ) -> None:
        with web_app({"GET /x": reply, "GET /login": Reply.of({"a": 1})}) as app:
            [result] = asking(postgres, app.url, {"name": "x", "path": "/x", "fields": fields}).values()
        assert (result.passed, result.found) == (False, found)
        assert len(app.asked) == 1, "nothing is followed, nothing is tried again"

    def test_a_server_that_is_silent(self, postgres: PostgresDatabase) -> None:
        hold = threading.Event()
        with web_app({"GET /x": Reply(hold=hold), "GET /y": Reply(200)}) as app:
            checks = [{"name": "x", "path": "/x"}, {"name": "y", "path": "/y"}]
            results = asking(postgres, app.url, *checks, timeout_seconds=0.3)
            hold.set()
        assert results["x"].found == "the request failed: no answer within 0.3 s"
        assert results["y"].passed

    def test_a_server_that_drips(self, postgres: PostgresDatabase) -> None:
        with web_app({"GET /x": Reply(drip=True)}) as app:
            [result] = asking(postgres, app.url, {"name": "x", "path": "/x"}, timeout_seconds=0.3).values()
        assert result.found == "the request failed: no answer within 0.3 s"

    def test_a_connection_that_is_refused(self, postgres: PostgresDatabase) -> None:
        with closed_port() as url:
            [result] = asking(postgres, url, {"name": "x", "path": "/x"}).values()
        assert result.found == "the request failed: connection refused"

    def test_no_https_there(self, postgres: PostgresDatabase) -> None:
        with web_app({}) as app:
            [result] = asking(postgres, app.url.replace("http:", "https:"), {"name": "x", "path": "/x"}).values()
        assert result.found.startswith("the request failed: TLS: ")

    def test_what_the_application_repeats_of_a_secret_is_masked(
        self, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("APP_TOKEN", TOKEN)
        with web_app({"GET /x": Reply(401, f"not valid: {TOKEN} and literal-key".encode())}) as app:
            headers = {"Authorization": "Bearer ${APP_TOKEN}", "X-Api-Key": "literal-key"}
            [result] = asking(postgres, app.url, {"name": "x", "path": "/x", "headers": headers}).values()
        assert result.found == "status 401: not valid: *** and ***"


def settings(file: Path, mysql: MySQLDatabase, postgres: PostgresDatabase, base_url: str, value: int) -> Path:
    file.write_text(
        f'source = "{mysql.url}"\ntarget = "{postgres.url}"\n[smoke]\nbase_url = "{base_url}"\n'
        'headers = { Authorization = "Bearer ${APP_TOKEN}" }\n'
        f'[[smoke.sql]]\nname = "pets"\nsql = "SELECT count(*) FROM pets"\nvalue = {value}\n'
        '[[smoke.http]]\nname = "app"\npath = "/health"\n'
    )
    file.chmod(0o600)
    return file


def test_a_migration_runs_them_and_a_failed_one_makes_exit_1(
    mysql: MySQLDatabase,
    postgres: PostgresDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("APP_TOKEN", TOKEN)
    mysql.execute("CREATE TABLE pets (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO pets VALUES (1), (2)")
    file = tmp_path / "vecferry.toml"
    with web_app({"GET /health": Reply(503, TOKEN.encode())}) as app:
        settings(file, mysql, postgres, app.url, 2)
        assert command(["migrate", "--config", str(file), "--json", "--quiet"]) == 1
        shown = capsys.readouterr()
        report = json.loads(shown.out)
        assert report["status"] == "smoke failed"
        assert [(entry["name"], entry["passed"]) for entry in report["smoke"]] == [("pets", True), ("app", False)]
        assert report["smoke"][1]["found"] == "status 503: ***"
        assert TOKEN not in shown.out + shown.err

        assert command(["migrate", "--config", str(file), "--quiet"]) == 1
        shown = capsys.readouterr()
        assert "FAILED" in shown.out
        assert "the data is there, but 1 smoke test failed: app" in shown.out
        assert TOKEN not in shown.out + shown.err

        app.routes["GET /health"] = Reply(200)
        assert command(["migrate", "--config", str(file), "--json", "--quiet"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "nothing to do"


def test_they_run_by_themselves(
    mysql: MySQLDatabase,
    postgres: PostgresDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("APP_TOKEN", TOKEN)
    postgres.execute("CREATE TABLE pets AS SELECT 1 AS id")
    file = tmp_path / "vecferry.toml"
    with web_app({"GET /health": Reply(503, TOKEN.encode())}) as app:
        settings(file, mysql, postgres, app.url, 1)
        assert command(["smoke", "--config", str(file)]) == 1
        shown = capsys.readouterr().out
        assert "FAILED" in shown
        assert TOKEN not in shown

        app.routes["GET /health"] = Reply(200)
        assert command(["smoke", "--config", str(file), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["passed"] is True
        assert [(entry["name"], entry["kind"], entry["passed"]) for entry in found["smoke"]] == [
            ("pets", "sql", True), ("app", "http", True),
        ]  # fmt: skip

    assert command(["smoke", "-t", postgres.url]) == 2
    assert "there are no smoke tests" in capsys.readouterr().err


def test_a_variable_that_is_missing_is_told_before_the_migration(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APP_TOKEN", raising=False)
    mysql.execute("CREATE TABLE pets (id int PRIMARY KEY)")
    file = settings(tmp_path / "vecferry.toml", mysql, postgres, "http://127.0.0.1:9", 0)
    with pytest.raises(UsageError, match="smoke.headers names"):
        migrate(load_config(file))
    assert postgres.rows("SELECT to_regclass('pets'), to_regnamespace('vecferry')") == [(None, None)]
