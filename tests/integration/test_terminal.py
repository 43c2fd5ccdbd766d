"""What a terminal shows of a run, 80 and 200 columns wide, with and without colour, and what a pipe gets."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

LINES = 24
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|38;[0-9;]*)m")


@pytest.fixture
def filled(mysql: MySQLDatabase) -> MySQLDatabase:
    name = "a_table_with_quite_a_long_name_of_its_own"
    mysql.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, `text` varchar(100))")
    mysql.execute(f"INSERT INTO {name} SELECT seq, repeat('é', 80) FROM seq_1_to_3000")
    for number in range(20):
        mysql.execute(f"CREATE TABLE small_{number} (id int PRIMARY KEY)")
    return mysql


def shown(mysql: MySQLDatabase, postgres: PostgresDatabase, columns: int, **variables: str) -> str:
    """Everything that a run writes to a terminal, stdout and stderr alike."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "vecferry", "migrate", "-s", mysql.url, "-t", postgres.url, "--chunk-bytes", "16KiB"],
        stdin=slave, stdout=slave, stderr=slave, env={**environment, "TERM": "xterm-256color", **variables},
    )  # fmt: skip
    os.close(slave)
    found = b""
    with os.fdopen(master, "rb", buffering=0) as terminal:
        while True:
            try:
                piece = terminal.read(65_536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            found += piece
    assert process.wait(60) == 0, found.decode()
    return found.decode()


def lines(text: str) -> list[str]:
    """The lines as they stand in the end: what a carriage return has written over is gone."""
    return [line.split("\r")[-1] for line in CONTROL.sub("", text).replace("\r\n", "\n").split("\n")]


@pytest.mark.parametrize(("columns", "variables"), [(80, {}), (200, {}), (80, {"NO_COLOR": "1"})])
def test_a_terminal(filled: MySQLDatabase, postgres: PostgresDatabase, columns: int, variables: dict[str, str]) -> None:
    text = shown(filled, postgres, columns, **variables)
    assert bool(COLOUR.search(text)) == (not variables)
    assert "\x1b[?25l" in text  # the board hides the cursor
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # and gives it back
    told = lines(text)
    assert [line for line in told if len(line) > columns and not line.startswith("note: ")] == []
    assert re.search(r"✓ load +[0-9.]+ s +3,000 rows", "\n".join(told))
    summary = told[next(place for place, line in enumerate(told) if line.strip() == "Tables") :]
    assert len(summary) <= LINES
    names = "".join(line.split()[0] for line in summary if line.strip())
    assert "a_table_with_quite_a_long_name_of_its_own" in names  # wrapped, but whole
    assert "13 more tables, all equal" in "\n".join(summary)
    assert any(line.startswith("done: 21 tables, 3,000 rows, verified equal") for line in summary[-3:])


def test_a_pipe(filled: MySQLDatabase, postgres: PostgresDatabase) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vecferry", "migrate", "-s", filled.url, "-t", postgres.url],
        capture_output=True, text=True, check=True, env={**os.environ, "TERM": "xterm-256color"}, timeout=120,
    )  # fmt: skip
    for text in (done.stdout, done.stderr):
        assert "\x1b" not in text
        assert "\r" not in text
    assert "load: done in" in done.stderr
    assert done.stdout.count(" equal") >= 21  # a pipe gets every table
