"""`[smoke]`, `[search]`, `[embedding_endpoint]` and files of queries: what is wrong, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vecferry.cli.invocation import Invocation
from vecferry.config import load_target
from vecferry.errors import UsageError
from vecferry.queries import read_queries
from vecferry.sections import filled, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vecferry.config import Config

    Load = Callable[[str], Config]

SMOKE = """
[smoke]
base_url = "http://127.0.0.1:3000"
timeout_seconds = 5
headers = { Authorization = "Bearer ${APP_TOKEN}" }

[[smoke.sql]]
name = "jobs"
sql = "SELECT count(*) FROM qa_jobs"
value = 120

[[smoke.http]]
name = "ask"
method = "POST"
path = "/qa/ask"
body = { question = "What?" }
status = 201
fields = { "answer.language" = "en" }
present = ["answer.text"]
"""


@pytest.fixture
def config_of(tmp_path: Path) -> Load:
    def load(text: str) -> Config:
        file = tmp_path / "vecferry.toml"
        file.write_text(text)
        return load_target(file, target="postgresql://me@db/shop")

    return load


def test_a_section_is_read(config_of: Load) -> None:
    smoke = config_of(SMOKE).smoke
    assert smoke is not None
    assert (smoke.sql[0].value, smoke.http[0].status, smoke.http[0].body) == (120, 201, {"question": "What?"})
    assert smoke.http[0].fields == {"answer.language": "en"}


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ('[smoke]\nbase = "x"', "smoke.base in the configuration file: no option of its section"),
        (
            '[[smoke.sql]]\nname = "a"\nsql = "SELECT 1"\nvalue = 1\n[[smoke.sql]]\nname = "b"\nsql = "SELECT 1"',
            "smoke.sql[1] in the configuration file: say what the statement returns by one of value, rows",
        ),
        ('[[smoke.sql]]\nsql = "SELECT 1"\nvalue = 1', "smoke.sql[0].name in the configuration file: field required"),
        ('[[smoke.http]]\nname = "a"\npath = "/"', "smoke in the configuration file: requests need a base_url"),
        (
            '[smoke]\nbase_url = "http://h"\n[[smoke.http]]\nname = "a"\npath = "qa"',
            "smoke.http[0].path in the configuration file: ",
        ),
        ('[smoke]\nbase_url = "ftp://h/"', "smoke.base_url in the configuration file: not a URL of http"),
        ('[smoke]\nbase_url = "http://me:hunter2@h/"', "smoke.base_url in the configuration file: a URL must hold no"),
        ("[smoke]\ntimeout_seconds = 0", "smoke.timeout_seconds in the configuration file: "),
        ('[smoke]\nheaders = { "A B" = "x" }', "smoke.headers in the configuration file: 'A B' is no name of a header"),
        ("[search]\nef_search = [2000]", "search.ef_search[0] in the configuration file: "),
        (
            '[embedding_endpoint]\nurl = "http://h"',
            "embedding_endpoint.model in the configuration file: field required",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(config_of: Load, section: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        config_of(section)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_variables_in_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN", "s3cret")
    monkeypatch.delenv("OTHER_TOKEN", raising=False)
    headers = {"Authorization": "Bearer ${APP_TOKEN}", "Accept": "application/json"}
    assert filled(headers, "x") == {"Authorization": "Bearer s3cret", "Accept": "application/json"}
    assert "s3cret" in secrets_of(headers)
    assert "application/json" not in secrets_of(headers)
    assert secrets_of({"X-Trace": "1", "X-Tenant": "${APP_TOKEN}", "Cookie": "sid=7"}) == ("s3cret", "sid=7", "sid=7")
    with pytest.raises(UsageError, match=r"smoke.headers names \$\{OTHER_TOKEN\}, and that variable is not set"):
        filled({"X-Key": "${OTHER_TOKEN}"}, "smoke.headers")
    monkeypatch.setenv("OTHER_TOKEN", "s3cret\r\nX-Other: 1")
    with pytest.raises(UsageError) as caught:
        filled({"X-Key": "${OTHER_TOKEN}"}, "smoke.headers")
    assert "s3cret" not in str(caught.value)


def test_every_failure_of_a_call_leaves_headers_out(config_of: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN", "s3cret")
    invocation = Invocation()
    invocation.keep_secrets_of(config_of(SMOKE))
    assert invocation.mask("the app said s3cret") == "the app said ***"


def test_a_file_with_a_secret_written_out_is_not_open_to_others(tmp_path: Path) -> None:
    file = tmp_path / "vecferry.toml"
    written = '[smoke]\nbase_url = "http://h"\nheaders = { X-Trace = "1", X-Key = "KEY" }'
    for text, mode, refused in ((written, 0o644, True), (written, 0o600, False), (SMOKE, 0o644, False)):
        file.write_text(text.replace("KEY", "hunter2"))
        file.chmod(mode)
        if not refused:
            load_target(file, target="postgresql://me@db/shop")
            continue
        with pytest.raises(UsageError, match="holds a header's secret and is open to others") as caught:
            load_target(file, target="postgresql://me@db/shop")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 2: "),
        ('{"table": "t", "column": "c", "expected": [1]}', "line 2: give either a vector or a text"),
        ('{"table": "t", "column": "c", "vector": [1, "x"], "expected": [1]}', "line 2: vector[1]: "),
        ('{"table": "t", "column": "c", "vector": [1], "expected": []}', "line 2: expected: "),
        ('{"table": "t", "column": "c", "vector": [1], "expected": [1], "limit": 3}', "line 2: limit: "),
        ('{"table": "t", "column": "c", "vector": [1], "expected": [1], "k": 0}', "line 2: k: "),
    ],
)
def test_a_line_that_is_no_query(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text('{"table": "t", "column": "c", "vector": [1], "expected": ["a", 7]}\n' + line)
    with pytest.raises(UsageError) as caught:
        read_queries(file)
    assert sentence in str(caught.value)


def test_queries_are_read_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text('\n{"table": "t", "column": "c", "text": "what", "expected": ["a", 7, 7], "k": 2}\n\n')
    [(line, query)] = read_queries(file)
    assert (line, query.expected, query.needed, query.text) == (2, ["a", "7", "7"], 2, "what")


@pytest.mark.parametrize(("content", "sentence"), [(b"\n", "holds no query"), (b"\xff", "is not UTF-8")])
def test_a_file_without_queries(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=sentence):
        read_queries(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_queries(tmp_path / "none")
