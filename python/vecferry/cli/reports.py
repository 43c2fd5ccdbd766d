"""Runs a migration and keeps its report: `report.json` and `report.html`, of a run that fails as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vecferry.cli import output
from vecferry.cli.invocation import told
from vecferry.errors import one_line
from vecferry.progress import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vecferry.cli.invocation import Invocation
    from vecferry.cli.progress import Screen
    from vecferry.config import Config
    from vecferry.report.report import Report


def run_with_report(
    invocation: Invocation,
    config: Config,
    screen: Screen,
    confirm: Callable[[str], bool] | None,
    directory: Path | None,
) -> Report:
    """Migrates and, where a directory is named, writes both files into it, whatever the end.

    A report that cannot be written after hours of work is a note; the result stands.

    Raises:
        VecferryError: as `pipeline.migrate`; what is known of the run is written before.
    """
    from vecferry import pipeline, reporter  # noqa: PLC0415 - a wrong option need not wait for the drivers

    watch = Recorder(screen)
    try:
        result = pipeline.migrate(config, watch, confirm)
    except BaseException as error:
        if directory is not None:
            sentence, code = told(error)
            with screen.paused():
                _keep_stopped(invocation, config, watch, directory, invocation.mask(sentence), code)
        raise
    if directory is None:
        return result
    try:
        return _written(directory, reporter.complete(config, watch, result), config)
    except Exception as error:  # noqa: BLE001 - the report is lost, the result stands
        return replace(result, notes=(*result.notes, _unwritten(invocation, error)))


def _keep_stopped(
    invocation: Invocation, config: Config, watch: Recorder, directory: Path, sentence: str, code: int
) -> None:
    """Writes the report of a run that ended with an error; nothing that happens here may hide that error."""
    from vecferry import reporter  # noqa: PLC0415 - as above

    try:
        _written(directory, reporter.stopped(config, watch, sentence, code), config)
        watch.note(f"the report of this run is {directory / output.PAGE_NAME}")
    except Exception as error:  # noqa: BLE001 - as above
        watch.note(_unwritten(invocation, error))


def _written(directory: Path, result: Report, config: Config) -> Report:
    from vecferry.report.page import render_page  # noqa: PLC0415 - as above
    from vecferry.report.redact import redacted  # noqa: PLC0415 - as above

    named = replace(result, report=str(directory / output.REPORT_NAME))
    value = redacted(named.to_json(), examples=config.examples)
    output.write_report(directory, value, render_page(value))
    return named


def _unwritten(invocation: Invocation, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename} could not be written: {error.strerror}"
    return invocation.mask(f"the report could not be made: {type(error).__name__}: {one_line(error)}")
