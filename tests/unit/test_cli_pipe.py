"""`vecferry ... | head`: whoever stops reading has seen enough, which is no failure."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.unit.test_cli_help import EVERY
from vecferry.cli.invocation import reader_gone


def into_a_closed_pipe(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with a stdout that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, "-m", "vecferry", *arguments],
            stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)


@pytest.mark.parametrize("command", ["", "rejects", *EVERY])
def test_help_that_nobody_reads_to_its_end(command: str) -> None:
    done = into_a_closed_pipe(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")


def test_words_that_are_not_drawn_by_rich() -> None:
    done = into_a_closed_pipe("--version")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_socket_is_not_a_reader_that_has_gone() -> None:
    reader, writer = os.pipe()
    one, other = socket.socketpair()
    other.close()
    with os.fdopen(writer, "wb") as stdout, one:
        with pytest.raises(BrokenPipeError):
            one.send(b"x")
        assert not reader_gone(stdout)
        os.close(reader)
        assert reader_gone(stdout)
