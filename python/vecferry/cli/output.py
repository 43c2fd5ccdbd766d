"""Where results go: stdout for people or as JSON, and the report directory."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console

from vecferry.cli.invocation import silence
from vecferry.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

REPORT_NAME = "report.json"
PIPED_WIDTH = 140
"""Columns of a result that goes into a file or a pipe, where no terminal says how wide it is."""


class PatientConsole(Console):
    """A console whose reader may go away without ending the run; rich's own would exit with 1."""

    def on_broken_pipe(self) -> None:
        """Goes on in silence."""
        self.quiet = True
        silence(self.file)


def result_console() -> Console:
    """Returns the console of results, on stdout."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    return PatientConsole(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def progress_console() -> Console:
    """Returns the console of everything that is not the result, on stderr."""
    return PatientConsole(file=sys.stderr, highlight=False, markup=False, emoji=False)


def print_result(renderable: RenderableType) -> None:
    """Prints a result for people on stdout; a statement longer than a line is neither wrapped nor cut."""
    result_console().print(renderable, crop=False)


def print_json(value: dict[str, Any]) -> None:
    """Prints a result as one JSON object on stdout."""
    try:
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)


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


def write_report(directory: Path, value: dict[str, Any]) -> None:
    """Writes `report.json`, readable by its owner alone.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / REPORT_NAME
    with open_private(path) as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def open_private(path: Path) -> TextIO:
    """Opens a new file in the place of `path`, readable by its owner alone.

    Raises:
        OSError: it cannot be written.
    """
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8")
