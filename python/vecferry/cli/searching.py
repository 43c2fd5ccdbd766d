"""What `--search` and `--query` of a command do: measure, show, and tell the exit code."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vecferry.cli import output
from vecferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.config import Config
    from vecferry.progress import Progress
    from vecferry.report.search import SearchReport


def show_search(
    config: Config, queries: Path | None, progress: Progress, *, json_output: bool, directory: Path | None = None
) -> ExitCode:
    """Measures the searches of the target and prints what came of it.

    Args:
        config: as for `search_quality`.
        queries: `--query FILE`, or None.
        progress: is told how it goes.
        json_output: print the object of `SearchReport.to_json` instead of tables.
        directory: where the report of a migration lies that is to show it, or None.

    Raises:
        UsageError: as for `search_quality`; or there is no such report, or it cannot be written.
        TargetError: as for `search_quality`.
    """
    from vecferry.report.search_console import render_search  # noqa: PLC0415 - a wrong option need not wait for it
    from vecferry.search import search_quality  # noqa: PLC0415 - nor for the drivers

    migration = None if directory is None else _report_of(directory, config)
    result = search_quality(config, queries, progress)
    if directory is not None and migration is not None:
        _add(directory, migration, result)
    if json_output:
        output.print_json(result.to_json())
    else:
        output.print_result(render_search(result))
    return ExitCode.DONE if result.passed else ExitCode.DIFFERENCES


def _report_of(directory: Path, config: Config) -> dict[str, Any]:
    """Returns the report of a migration, before anything is measured in vain."""
    path = directory / output.REPORT_NAME
    try:
        value = json.loads(path.read_bytes())
        there = value["details"]["target"] if value["run_id"] and value["tables"] else ""
    except (OSError, ValueError, KeyError, TypeError):
        there = ""
    if not there:
        raise UsageError(
            f"--report: {path} is no report of a migration, which is where searches are shown: name the directory that"
            " was given to `vecferry migrate --report`"
        )
    if there != config.target_url.place:
        raise UsageError(f"--report: {path} is of a migration into {there}, not into {config.target_url.place}")
    return dict(value)


def _add(directory: Path, migration: dict[str, Any], result: SearchReport) -> None:
    from vecferry.report.page import render_page  # noqa: PLC0415 - as above

    points = [asdict(point) for point in result.points]
    value = {**migration, "search": points, "search_problems": list(result.problems)}
    try:
        output.write_report(directory, value, render_page(value))
    except OSError as error:
        raise UsageError(f"{error.filename} could not be written: {error.strerror}") from None
