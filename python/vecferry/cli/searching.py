"""What `--search` and `--query` of a command do: measure, show, and tell the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.cli import output
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.config import Config
    from vecferry.progress import Progress


def show_search(config: Config, queries: Path | None, progress: Progress, *, json_output: bool) -> ExitCode:
    """Measures the searches of the target and prints what came of it.

    Args:
        config: as for `search_quality`.
        queries: `--query FILE`, or None.
        progress: is told how it goes.
        json_output: print the object of `SearchReport.to_json` instead of tables.

    Raises:
        UsageError: as for `search_quality`.
        TargetError: as for `search_quality`.
    """
    from vecferry.report.search_console import render_search  # noqa: PLC0415 - a wrong option need not wait for it
    from vecferry.search import search_quality  # noqa: PLC0415 - nor for the drivers

    result = search_quality(config, queries, progress)
    if json_output:
        output.print_json(result.to_json())
    else:
        output.print_result(render_search(result))
    return ExitCode.DONE if result.passed else ExitCode.DIFFERENCES
