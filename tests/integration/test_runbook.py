"""The runbook's commands, in its order, on real servers: what it promises is what they print.

A `sh` block of docs/runbook.md is run, a `toml FILE` block is written, and each line of the `text` block after a
command must occur in its output, in that order; `...` stands for what varies. A comment `<!-- test: WORDS -->` before
a block tells what the prose tells a reader: the exit code, or what somebody else does meanwhile.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from tests.servers.webapp import Reply, web_app
from vecferry.demo import sample
from vecferry.demo.pginstall import package_directory
from vecferry.demo.urls import with_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
ROWS = 300
BROKEN = 217
"""The id of the embedding that is broken in production, as the runbook names it."""
_PIECE = re.compile(
    r"<!-- test: (?P<words>[^>]+) -->|^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass
class Block:
    """A block that the test uses: `sh` or `toml`, what it says, and what is to come out."""

    info: str
    body: str
    marks: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        return next((int(mark.split()[1]) for mark in self.marks if mark.startswith("exit ")), 0)


def read(document: str) -> list[Block]:
    """Returns the blocks that are used, in their order."""
    blocks: list[Block] = []
    marks: list[str] = []
    for piece in _PIECE.finditer(document):
        if piece["words"]:
            marks.append(piece["words"].strip())
        elif piece["info"] == "text":
            assert not marks, f"the marks {marks} stand before an output"
            blocks[-1].expected += [line for line in piece["body"].splitlines() if line.strip() not in ("", "...")]
        elif piece["info"] == "sh" or piece["info"].startswith("toml "):
            blocks.append(Block(piece["info"], piece["body"], marks))
            marks = []
    return blocks


def missing(expected: list[str], output: str) -> str | None:
    """Returns the first line that does not occur after those before it; blanks count as one, `...` as anything."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    at = 0
    for line in expected:
        parts = [re.escape(" ".join(part.split())) for part in line.split("...")]
        pattern = re.compile(r"\s?.*\s?".join(parts))
        at = next((number + 1 for number, found in enumerate(lines) if number >= at and pattern.fullmatch(found)), 0)
        if not at:
            return line
    return None


def test_lines_that_do_not_occur_are_found() -> None:
    output = "a 12 rows\n  b   done in 3 s\nc\n"
    assert missing(["a ... rows", "b done in ... s", "c"], output) is None
    assert missing(["b done in ... s", "a ... rows"], output) == "a ... rows"
    assert missing(["a 13 rows"], output) == "a 13 rows"
    assert missing(["a 12"], output) == "a 12"


class Night:
    """Runs blocks in a folder, with the operator's variables."""

    def __init__(self, folder: Path, environment: dict[str, str], replace: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.replace = replace
        self.acts: dict[str, Callable[[], None]] = {}

    def do(self, block: Block) -> None:
        """Writes the file, or runs the commands and looks at what they print."""
        if block.info.startswith("toml "):
            text = block.body
            for said, meant in self.replace.items():
                text = text.replace(said, meant)
            self.write(block.info.split()[1], text)
            return
        interrupted = None
        for mark in block.marks:
            if mark.startswith("interrupted "):
                interrupted = self.environment[mark.split()[1]]
            elif not mark.startswith("exit "):
                self.acts[mark]()
        code, output = self.run(block.body, interrupted)
        assert code == block.code, f"exit {code}:\n{block.body}\n{output}"
        line = missing(block.expected, output)
        assert line is None, f"{block.body}\ndoes not print\n{line}\nbut\n{output}"

    def run(self, commands: str, interrupted: str | None = None) -> tuple[int, str]:
        """Runs commands in a shell; where the target is named, Ctrl-C is pressed once a chunk is committed there."""
        process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail", "-c", f"umask 077\n{commands}"],
            cwd=self.folder, env=self.environment, start_new_session=True, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            if interrupted:
                _wait_for_a_chunk(interrupted, process)
                os.killpg(process.pid, signal.SIGINT)
            output, _ = process.communicate(timeout=120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return process.returncode, output

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)


def _wait_for_a_chunk(target: str, process: subprocess.Popen[str]) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        while process.poll() is None:
            ledger = connection.execute("SELECT to_regclass('vecferry.chunk')").fetchone()
            if ledger != (None,) and connection.execute("SELECT 1 FROM vecferry.chunk LIMIT 1").fetchone():
                return
            time.sleep(0.01)
    pytest.fail("the run ended before it was interrupted")


@pytest.fixture
def production(mysql: MySQLDatabase, postgres: PostgresDatabase) -> Iterator[str]:
    """Fills both sides and gives the name of the rehearsal's databases, which are dropped afterwards."""
    sample.fill(mysql.connect(autocommit=False), rows=ROWS)
    mysql.execute(
        "UPDATE content_embedding SET embedding = left(embedding, length(embedding) - 9) WHERE id = %s", [BROKEN]
    )
    postgres.execute("CREATE TABLE app_setting (name text PRIMARY KEY)")
    postgres.execute("INSERT INTO app_setting VALUES ('there before')")
    postgres.execute("ANALYZE app_setting")
    copy = f"{mysql.database}_copy"
    yield copy
    mysql.execute(f"DROP DATABASE IF EXISTS {copy}")
    with psycopg.connect(with_database(postgres.url, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)".encode())


def test_the_runbook(mysql: MySQLDatabase, postgres: PostgresDatabase, production: str, tmp_path: Path) -> None:
    blocks = read(RUNBOOK.read_text(encoding="utf-8"))
    source, target = urlsplit(mysql.url), postgres.url
    copies = with_database(mysql.url, production), with_database(target, production)
    variables = {
        "SOURCE_DB": mysql.database,
        "COPY_DB": production,
        "TARGET_DB": postgres.database,
        "TARGET": target,
        "TARGET_COPY": copies[1],
        "TARGET_ADMIN": with_database(target, "postgres"),
    }
    named = set(re.findall(r"^export (\w+)=", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    assert named == set(variables), "the runbook's variables"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("VECFERRY_")}
    programs = (Path(sys.executable).parent, package_directory() / "pginstall" / "bin", os.environ["PATH"])
    path = os.pathsep.join(map(str, programs))
    with web_app({"GET /qa/history": Reply.of([{"id": 1}]), "POST /qa/ask": Reply(500, b"no such column")}) as app:
        night = Night(
            tmp_path,
            {**plain, **variables, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"},
            {
                "mysql://vecferry:SECRET@db1/athena_copy": copies[0],
                "postgresql://vecferry:SECRET@db2/athena_copy": copies[1],
                "mysql://vecferry:SECRET@db1/athena": mysql.url,
                "postgresql://vecferry:SECRET@db2/athena": target,
                "http://127.0.0.1:3000": app.url,
            },
        )

        def mend() -> None:
            app.routes["POST /qa/ask"] = Reply.of({"answer": {"text": "Press the button."}}, 201)

        night.acts["the application is mended"] = mend
        night.write(
            "mysql.cnf",
            f"[client]\nhost={source.hostname}\nport={source.port or 3306}\n"
            f"user={unquote(source.username or '')}\npassword={unquote(source.password or '')}\n",
        )
        for block in blocks:
            night.do(block)
    assert [asked.path for asked in app.asked] == ["/qa/history", "/qa/ask"] * 3, "two rehearsals and the switch"

    dumped = (tmp_path / "source.sql").read_text(encoding="utf-8")
    assert dumped.count("INSERT INTO `content_embedding`"), "two empty dumps would be the same, too"
    assert mysql.rows("SELECT count(*), count(embedding) FROM content_embedding") == [(ROWS, ROWS - 1)]
    found = postgres.connect().execute("SELECT to_regclass('content'), (SELECT name FROM app_setting)").fetchall()
    assert found == [(None, "there before")], "the target is as it was"
