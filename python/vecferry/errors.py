"""The errors a user can meet, each with its exit code; the only place that knows exit codes.

The message is the user's sentence: what, where, why and what to do. It never holds a secret: whatever
comes from a driver passes through `mask` first.
"""

from __future__ import annotations

import json
import re
from enum import IntEnum
from urllib.parse import quote, quote_plus


class ExitCode(IntEnum):
    """What the process tells its caller; listed in `vecferry --help` and in the README."""

    DONE = 0
    DIFFERENCES = 1
    USAGE = 2
    SOURCE = 3
    TARGET = 4
    FORBIDDEN = 5
    INTERRUPTED = 6
    BUG = 70


class VecferryError(Exception):
    """Root of every error that vecferry raises on purpose."""

    exit_code = ExitCode.BUG


class UsageError(VecferryError):
    """A wrong option, URL or configuration file."""

    exit_code = ExitCode.USAGE


class DatabaseError(VecferryError):
    """One of the two ends is unreachable, or refused what was asked.

    Args:
        sentence: what, where and why.
        advice: what to do; the message ends with it.
        passing: whether the same may work a little later: a lost connection, a server that restarts, a lock.
    """

    joint = ": "
    """What stands between sentence and advice."""

    def __init__(self, sentence: str, *, advice: str = "", passing: bool = False) -> None:
        super().__init__(f"{sentence}{self.joint}{advice}" if advice else sentence)
        self.sentence = sentence
        self.advice = advice
        self.passing = passing


class SourceError(DatabaseError):
    """The source is unreachable, or refused what was asked."""

    exit_code = ExitCode.SOURCE
    joint = "; "


class TargetError(DatabaseError):
    """The target is unreachable, or refused what was asked."""

    exit_code = ExitCode.TARGET


class ForbiddenError(VecferryError):
    """The plan forbids going on: a blocking problem, or consent that was not given."""

    exit_code = ExitCode.FORBIDDEN


class InvalidValueError(ForbiddenError):
    """A value in the source cannot be carried, and leaving it out was not allowed."""


class RefusedRowError(InvalidValueError):
    """PostgreSQL refused a row that was loaded.

    Args:
        sentence: what, where and why.
        words: PostgreSQL's own.
        sqlstate: the error's code.
        line: which row of those that were sent, from 1; None where PostgreSQL does not say.
        column: the column whose value it is; None where it is the row as a whole.
    """

    def __init__(self, sentence: str, *, words: str, sqlstate: str, line: int | None, column: str | None) -> None:
        super().__init__(sentence)
        self.words = words
        self.sqlstate = sqlstate
        self.line = line
        self.column = column


class InterruptedRunError(VecferryError):
    """The run was stopped from outside and can be taken up again."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(
        self, sentence: str = "interrupted: what is committed stays, run the same command again to go on"
    ) -> None:
        super().__init__(sentence)


_URL_PASSWORD = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]*@", re.IGNORECASE)


def mask(text: str, *secrets: str | None) -> str:
    """Returns `text` without the passwords of URLs in it and without `secrets` themselves, however they are spelled."""
    spelled = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
    # The longest goes first, lest a part of it remain.
    for spelling in sorted(spelled, key=len, reverse=True):
        # As a word: a password "p" must not eat the p of "port".
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(spelling)}(?![A-Za-z0-9])", "***", text)
    return _URL_PASSWORD.sub(r"\g<head>:***@", text)


def _spellings(secret: str) -> tuple[str, ...]:
    """Returns a secret as it is, in a URL, in a literal of Python, Rust, JSON or SQL, blanks run together."""
    encoded = quote(secret, safe="")
    return (
        secret,
        encoded,
        re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded),
        quote(secret),
        quote_plus(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("'", "\\'"),
        secret.replace("'", "''"),
        " ".join(secret.split()),
    )


def one_line(error: BaseException) -> str:
    """Returns a foreign error's own words as one line; `str(error)` is empty for some of them."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
