"""How a call fails: one sentence, the right exit code, no traceback, and never a password."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from vecferry import cli
from vecferry.cli import output
from vecferry.cli.consent import asker
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import Screen
from vecferry.config import Config
from vecferry.errors import (
    ExitCode,
    ForbiddenError,
    InterruptedRunError,
    InvalidValueError,
    SourceError,
    TargetError,
    UsageError,
    VecferryError,
)

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "mysql://reader:topsecret@db.example/shop"
TARGET = "postgresql://writer:hushhush@pg.example/shop"
ENDS = ["--source", SOURCE, "--target", TARGET]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(f"VECFERRY_{name.upper()}", raising=False)
    monkeypatch.delenv("VECFERRY_DEBUG", raising=False)


def fail(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Runs a call that must fail and returns its exit code and its one sentence."""
    code = cli.run(arguments)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    for text in ("Traceback", "topsecret", "hushhush"):
        assert text not in shown.err
    return code, shown.err


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["migrate"], "no source given"),
            (["plan", "--source", SOURCE], "no target given"),
            (["plan", "--source", "db.example/shop", "--target", TARGET], "mysql://"),
            (["plan", "--source", "mysql://reader:topsecret@db.example", "--target", TARGET], "no database"),
            (["migrate", *ENDS, "--config", "none.toml"], "none.toml does not exist"),
            (["migrate", *ENDS, "--distance", "euclid"], "--distance"),
            (["migrate", *ENDS, "--workers", "many"], "--workers"),
            (["migrate", *ENDS, "--workers", "0"], "--workers"),
            (["migrate", *ENDS, "--chunk-bytes", "much"], "--chunk-bytes"),
            (["migrate", *ENDS, "--embedding", "docs"], "--embedding"),
            (["migrate", *ENDS, "--worker", "3"], "--worker"),
            (["migrate", SOURCE, TARGET], "***"),
            (["migrate", "mysql://reader:top@secret/hushhush@db.example/shop"], "***"),
            (["plen"], "'plan'"),
            (["demo", "--rows", "0"], "--rows"),
        ],
    )
    def test_wrong_usage_is_2(self, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
        code, sentence = fail(arguments, capsys)
        assert code == ExitCode.USAGE
        assert complaint in sentence

    def test_a_password_with_an_at_sign_is_not_half_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, sentence = fail(["plan", "mysql://reader:one@two/three@db.example/shop"], capsys)
        for part in ("one", "two", "three"):
            assert part not in sentence

    def test_an_unknown_key_in_the_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "vecferry.toml"
        file.write_text(f'source = "{SOURCE}"\ntarget = "{TARGET}"\nworker = 3\n')
        file.chmod(0o600)
        code, sentence = fail(["migrate", "--config", str(file)], capsys)
        assert code == ExitCode.USAGE
        assert "worker" in sentence

    def test_a_file_in_place_of_the_report_directory(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "reports").write_text("")
        code, sentence = fail(["migrate", *ENDS, "--report", str(tmp_path / "reports" / "monday")], capsys)
        assert code == ExitCode.USAGE
        assert "--report" in sentence

    def test_json_gets_an_object_on_stdout(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["migrate", "--json"]) == ExitCode.USAGE
        shown = capsys.readouterr()
        error = json.loads(shown.out)
        assert error["status"] == "error"
        assert error["exit_code"] == ExitCode.USAGE
        assert f"error: {error['error']}\n" == shown.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, 2),
        (SourceError, 3),
        (TargetError, 4),
        (ForbiddenError, 5),
        (InvalidValueError, 5),
        (InterruptedRunError, 6),
        (VecferryError, 70),
    ],
)
def test_every_error_has_its_exit_code(
    error: type[VecferryError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raise_from_plan(monkeypatch, error(f"it broke at {SOURCE}\nwith topsecret"))
    assert cli.run(["plan", *ENDS]) == code
    assert capsys.readouterr().err == "error: it broke at mysql://reader:***@db.example/shop\nwith ***\n"


class RustPanicError(BaseException):
    """What a panic in the extension looks like: no Exception."""


@pytest.mark.parametrize(
    "error", [ValueError("odd topsecret"), RustPanicError("odd topsecret"), BrokenPipeError("odd")]
)
def test_anything_unexpected_is_a_bug(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raise_from_plan(monkeypatch, error)
    code, sentence = fail(["plan", *ENDS], capsys)
    assert code == ExitCode.BUG
    assert f"vecferry hit a bug: {type(error).__name__}: odd" in sentence
    assert "--debug" in sentence


@pytest.mark.parametrize("how", ["option", "variable"])
def test_debug_shows_a_traceback_without_passwords(
    how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raise_from_plan(monkeypatch, ValueError("odd topsecret"))
    if how == "variable":
        monkeypatch.setenv("VECFERRY_DEBUG", "1")
    assert cli.run(["plan", *ENDS, *(["--debug"] if how == "option" else [])]) == ExitCode.BUG
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "topsecret" not in shown


def test_ctrl_c_is_6(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raise_from_plan(monkeypatch, KeyboardInterrupt())
    code, sentence = fail(["plan", *ENDS], capsys)
    assert (code, sentence) == (ExitCode.INTERRUPTED, "error: interrupted\n")


def raise_from_plan(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Lets the result's way out meet an error, before anything is connected to."""

    def fail_now(**_: object) -> Screen:
        raise error

    monkeypatch.setattr("vecferry.cli.plan.screen_for", fail_now)


class TestProcess:
    """The command as it is run, in a process of its own."""

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vecferry", *arguments],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def test_version(self) -> None:
        done = self.run("--version")
        assert done.returncode == 0
        assert done.stdout.startswith("vecferry ")
        assert done.stderr == ""

    @pytest.mark.parametrize("command", ["plan", "migrate"])
    def test_a_source_that_is_not_there_is_3(self, command: str) -> None:
        port = closed_port()
        done = self.run(
            command,
            "--json",
            "--source",
            f"mysql://reader:top%2Fsecret@127.0.0.1:{port}/shop",
            "--target",
            f"postgresql://writer:hushhush@127.0.0.1:{port}/shop",
        )
        assert done.returncode == ExitCode.SOURCE
        assert json.loads(done.stdout)["exit_code"] == ExitCode.SOURCE
        assert f"127.0.0.1:{port}" in done.stderr
        for secret in ("top/secret", "top%2Fsecret", "hushhush", "Traceback"):
            assert secret not in done.stdout + done.stderr

    def test_a_password_from_a_variable_is_not_shown_either(self) -> None:
        port = closed_port()
        done = self.run(
            "plan",
            VECFERRY_SOURCE=f"mysql://reader@127.0.0.1:{port}/shop",
            VECFERRY_TARGET=f"postgresql://writer@127.0.0.1:{port}/shop",
            VECFERRY_SOURCE_PASSWORD="topsecret",
            VECFERRY_TARGET_PASSWORD="hushhush",
            VECFERRY_DEBUG="1",
        )
        assert done.returncode == ExitCode.SOURCE
        assert "Traceback" in done.stderr
        assert "topsecret" not in done.stderr
        assert "hushhush" not in done.stderr

    def test_a_reader_that_goes_away_is_no_error(self) -> None:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as stdout:
            done = subprocess.run(
                [sys.executable, "-m", "vecferry", "--help"],
                stdout=stdout,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0
        assert done.stderr == ""

    def test_being_terminated_is_6(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "vecferry",
                    "plan",
                    "--source",
                    f"mysql://reader:topsecret@127.0.0.1:{port}/shop",
                    "--target",
                    f"postgresql://writer:hushhush@127.0.0.1:{port}/shop",
                ],
                stderr=subprocess.PIPE,
                text=True,
            )
            silent.settimeout(30)
            connection, _ = silent.accept()  # it waits for a greeting that never comes
            with connection:
                process.send_signal(signal.SIGTERM)
                _, shown = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED
        assert "error: interrupted" in shown
        assert "Traceback" not in shown


def test_a_source_that_is_not_there_is_told_of_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    ends = ["--source", f"mysql://reader:topsecret@127.0.0.1:{closed_port()}/shop", "--target", TARGET, "--quiet"]
    import vecferry.pipeline  # noqa: F401, PLC0415 - loading the drivers is not the question

    began = time.monotonic()
    code, _ = fail(["plan", *ends], capsys)
    assert code == ExitCode.SOURCE
    assert time.monotonic() - began < 5


def closed_port() -> int:
    """Returns a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class TestConsent:
    QUESTION = "--truncate empties these tables:\n  public.docs (about 7 rows)"

    def test_agreed_beforehand_lists_but_does_not_ask(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert asker(Screen(), agreed=True)(self.QUESTION)
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == ("", f"{self.QUESTION}\n")

    def test_nobody_to_ask_is_a_no(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert not asker(Screen(), agreed=False)(self.QUESTION)
        assert capsys.readouterr().err == f"{self.QUESTION}\n"

    @pytest.mark.parametrize(("answer", "agreed"), [("y", True), ("YES", True), ("n", False), ("", False)])
    def test_a_terminal_is_asked(self, answer: str, agreed: bool) -> None:
        program = (
            "from vecferry.cli.consent import asker; from vecferry.cli.progress import Screen\n"
            f"print('agreed' if asker(Screen(), agreed=False)({self.QUESTION!r}) else 'refused')"
        )
        master, slave = os.openpty()
        with os.fdopen(master, "wb", buffering=0) as keyboard:
            process = subprocess.Popen(
                [sys.executable, "-c", program], stdin=slave, stderr=slave, stdout=subprocess.PIPE, text=True
            )
            os.close(slave)
            keyboard.write(f"{answer}\n".encode())
            said, _ = process.communicate(timeout=60)
            shown = os.read(master, 10_000).decode()
        assert said.strip() == ("agreed" if agreed else "refused")
        assert "public.docs" in shown
        assert "Go on? [y/N]" in shown


class TestReportDirectory:
    def test_the_report_is_its_owners_alone(self, tmp_path: Path) -> None:
        directory = tmp_path / "reports" / "monday"
        output.open_report_directory(directory)
        output.write_report(directory, {"run_id": "1f2e"}, "<p>é</p>")
        file = directory / "report.json"
        assert json.loads(file.read_text()) == {"run_id": "1f2e"}
        page = directory / "report.html"
        assert page.read_text(encoding="utf-8") == "<p>é</p>"
        assert {stat.S_IMODE(path.stat().st_mode) for path in (file, page)} == {0o600}

    def test_a_report_takes_the_place_of_an_older_one(self, tmp_path: Path) -> None:
        old = tmp_path / "report.json"
        old.write_text("older and longer than what comes")
        old.chmod(0o644)
        output.write_report(tmp_path, {}, "")
        assert json.loads(old.read_text()) == {}
        assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_the_longer_of_two_secrets_is_masked_first() -> None:
    invocation = Invocation.of(["--source", "mysql://a:pass@h/d", "--target", "postgresql://a:password@h/d"])
    assert invocation.mask("pass and password") == "*** and ***"
