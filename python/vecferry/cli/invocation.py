"""One call of the command: how its failure is shown, and which words must never be seen.

It is filled while the call is read and asked when something ends it; it takes part in no decision of a run.
"""

from __future__ import annotations

import json
import os
import re
import select
import sys
import threading
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

import typer

from vecferry.errors import ExitCode, VecferryError, mask, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.config import Config

MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done and verified, or nothing was left to do",
    ExitCode.DIFFERENCES: (
        "done, but with differences, rejected values or a failed smoke test, doctor found an error or a warning,"
        " or a backup is damaged"
    ),
    ExitCode.USAGE: "wrong option, URL or configuration file",
    ExitCode.SOURCE: "the source is unreachable or refused",
    ExitCode.TARGET: "the target is unreachable or refused",
    ExitCode.FORBIDDEN: "the plan forbids it: a blocking problem, an invalid value, or consent that was not given",
    ExitCode.INTERRUPTED: "interrupted; the same command goes on where it stopped",
    ExitCode.BUG: "a bug in vecferry",
}
"""What each exit code tells, in the words of `vecferry --help`."""

_LOGINS = (
    re.compile(r"[a-z][a-z0-9+.-]*://[^:/\s]*:(?P<password>.*)@", re.IGNORECASE | re.DOTALL),
    re.compile(r"[?&](?:ssl)?password=(?P<password>[^&]+)"),
)
_SECRET_VARIABLES = ("VECFERRY_SOURCE_PASSWORD", "VECFERRY_TARGET_PASSWORD", "MYSQL_PWD", "PGPASSWORD")
_URL_VARIABLES = ("VECFERRY_SOURCE", "VECFERRY_TARGET")


@dataclass
class Invocation:
    """How this call wants to hear of a failure, and the passwords it was given."""

    json_output: bool = False
    debug: bool = False
    secrets: set[str] = field(default_factory=set)
    interrupted: str | None = None
    """How a call that may be left at any moment ends when it is; None for one that must put things in order first."""
    _failing: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Invocation:
        """Reads what a failure must know even where the arguments make no sense."""
        invocation = cls(
            json_output="--json" in arguments,
            debug="--debug" in arguments or os.environ.get("VECFERRY_DEBUG", "") not in {"", "0"},
        )
        for text in (*arguments, *(os.environ.get(name, "") for name in _URL_VARIABLES)):
            for login in _LOGINS:
                if found := login.search(text):
                    invocation.keep_secret(found["password"])
        for name in _SECRET_VARIABLES:
            invocation.keep_secret(os.environ.get(name))
        return invocation

    def keep_secret(self, password: str | None) -> None:
        """Leaves `password` out of everything shown; it may be percent-encoded."""
        if password:
            self.secrets.update((password, unquote(password)))

    def keep_secrets_of(self, config: Config) -> None:
        """Leaves the two passwords of `config`, wherever they came from, out of everything shown."""
        source = config.source_at.secrets if config.source else ()
        for secret in (*source, *config.target_url.secrets, *config.header_secrets):
            self.keep_secret(secret)

    def mask(self, text: str) -> str:
        """Returns `text` without any password."""
        return mask(text, *self.secrets)

    def fail(self, message: str, code: int, error: BaseException | None = None) -> int:
        """Tells the user what went wrong, on stderr and with `--json` on stdout too; returns `code`.

        Only the first of several threads is heard.
        """
        if not self._failing.acquire(blocking=False):
            return int(code)
        sentence = self.mask(message.strip())
        if self.debug and error is not None:
            _write(sys.stderr, self.mask("".join(traceback.format_exception(error))))
        _write(sys.stderr, f"error: {sentence}\n")
        if self.json_output:
            _write(sys.stdout, json.dumps({"status": "error", "exit_code": int(code), "error": sentence}) + "\n")
        return int(code)


def told(error: BaseException) -> tuple[str, ExitCode]:
    """Returns the sentence and the exit code for what ended a call."""
    if isinstance(error, VecferryError):
        return str(error) or type(error).__name__, error.exit_code
    if isinstance(error, typer.TyperException):
        return f"{' '.join(error.format_message().split()).rstrip('.')}; see --help", ExitCode.USAGE
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", ExitCode.INTERRUPTED
    what = f"{type(error).__name__}: {one_line(error)}"
    return f"vecferry hit a bug: {what}; please report it, with --debug for the traceback", ExitCode.BUG


def _write(stream: object, text: str) -> None:
    """Writes to a standard stream; a reader that has gone, or a full disk, does not hide the exit code."""
    try:
        print(text, end="", file=stream, flush=True)  # type: ignore[call-overload]
    except OSError:
        silence(stream)


def reader_gone(stream: object) -> bool:
    """Says whether nobody reads a standard stream any more; a broken pipe may be a database's just as well."""
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def silence(stream: object) -> None:
    """Points a standard stream whose reader has gone at the null device, so that the exit is quiet."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())  # type: ignore[attr-defined]
