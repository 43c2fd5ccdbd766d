"""Where results go: stdout for people or as JSON, and the report directory."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from rich.console import Console

from vecferry.cli.invocation import silence
from vecferry.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import RenderableType

REPORT_NAME = "report.json"
PAGE_NAME = "report.html"
PIPED_WIDTH = 140
"""Columns of a result that goes into a file or a pipe, where no terminal says how wide it is."""
LINES_AROUND = 16
"""Lines of a result on a terminal that are not tables."""
LEAST_TABLES = 5


class PatientConsole(Console):
    """A console whose reader may go away without ending the run; rich's own would exit with 1."""

    def on_broken_pipe(self) -> None:
        """Goes on in silence."""
        self.quiet = True
        silence(self.file)

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError as error:
            # A terminal that was closed is gone like the reader of a pipe, in the kernel's other words.
            if error.errno != errno.EIO:
                raise
            self.on_broken_pipe()


class _Log:
    """A stream of remarks: a log on a full disk is as good as one that nobody reads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise BrokenPipeError from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise BrokenPipeError from error

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the stream's own
        return getattr(self._stream, name)


def result_console() -> Console:
    """Returns the console of results, on stdout."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    return PatientConsole(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def progress_console() -> Console:
    """Returns the console of everything that is not the result, on stderr."""
    return PatientConsole(file=cast("TextIO", _Log(sys.stderr)), highlight=False, markup=False, emoji=False)


def most_tables() -> int | None:
    """Returns how many tables a result on stdout lists to fit a terminal; None for all, where it is none."""
    if not sys.stdout.isatty():
        return None
    return max(LEAST_TABLES, shutil.get_terminal_size().lines - LINES_AROUND)


def print_result(renderable: RenderableType) -> None:
    """Prints a result for people on stdout; a statement longer than a line is neither wrapped nor cut.

    Raises:
        UsageError: it could not be written, e.g. into a file on a full disk.
    """
    with _kept():
        result_console().print(renderable, crop=False)


def print_json(value: dict[str, Any]) -> None:
    """Prints a result as one JSON object on stdout.

    Raises:
        UsageError: it could not be written, e.g. into a file on a full disk.
    """
    with _kept():
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
        sys.stdout.flush()


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        if error.errno == errno.EIO:  # a terminal that was closed
            return
        raise UsageError(
            f"the result could not be written to stdout: {error.strerror}: what was done stays,"
            " run the same command again to see how it stands"
        ) from None


def open_report_directory(directory: Path) -> None:
    """Makes the directory of reports, before a run of hours finds out that it cannot.

    Raises:
        UsageError: it cannot be made or written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--report: the directory {directory} cannot be made: {error.strerror}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"--report: the directory {directory} cannot be written to")


def write_report(directory: Path, value: dict[str, Any], page: str | None = None) -> None:
    """Writes `report.json` and, if there is a `page`, `report.html`, readable by their owner alone.

    Where it cannot, older ones stay.

    Raises:
        OSError: a file cannot be written.
    """
    with private_file(directory / REPORT_NAME) as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    if page is not None:
        with private_file(directory / PAGE_NAME) as file:
            file.write(page)


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """Opens a file that takes the place of `path` once it is whole, readable by its owner alone.

    Raises:
        OSError: it cannot be written; what was at `path` stays.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        beside.replace(path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk names none
        raise
