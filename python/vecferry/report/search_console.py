"""Measured searches as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from vecferry.report.console import _grid, _notes, _right, _spaced, seconds_words
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from vecferry.report.search import QueryResult, SearchReport, SearchResult


def render_search(report: SearchReport) -> RenderableType:
    """Returns what came of measuring searches; its last line is the verdict in words."""
    parts: list[RenderableType] = []
    for entry in report.indexes:
        if entry.measured:
            parts += [_recalls(entry), _facts(entry)]
    if report.queries:
        parts.append(_queries(report.queries))
    remarks = [f"{_place(entry)}: {note}" for entry in report.indexes for note in entry.notes]
    parts.extend(_notes((*remarks, *report.notes)))
    problems = [f"{_place(entry)}: {problem}" for entry in report.indexes for problem in entry.problems]
    if problems:
        parts.append(Text("\n".join(problems), style="red"))
    parts.append(Text(verdict(report), style="bold green" if report.passed else "bold red"))
    return Group(*_spaced(parts))


def verdict(report: SearchReport) -> str:
    """Returns the outcome as a sentence."""
    if report.passed:
        indexes = "1 vector index" if len(report.indexes) == 1 else f"{len(report.indexes)} vector indexes"
        found = f", {len(report.queries)} of the file's searches found what they must" if report.queries else ""
        return f"search works: {indexes} looked at{found}"
    broken = [entry.index for entry in report.indexes if entry.problems]
    missed = sum(not entry.passed for entry in report.queries)
    said = [f"there is something wrong with {', '.join(broken)}"] if broken else []
    said += [f"{missed} of {len(report.queries)} of the file's searches missed what they must find"] if missed else []
    return "; ".join(said)


def _place(entry: SearchResult) -> str:
    return f"{entry.table}.{entry.column}, {entry.index}"


def _recalls(entry: SearchResult) -> Table:
    grid = _grid(
        f"Searches of {_place(entry)} ({entry.operator_class})",
        entry.setting,
        "queries",
        "recall at 10",
        "recall at 100",
        "p50",
        "p95",
    )
    for row in entry.measured:
        grid.add_row(
            f"{row.setting}",
            f"{row.queries} {row.kind}",
            f"{row.recall_at_10:.3f}",
            f"{row.recall_at_100:.3f}",
            f"{row.p50_ms:.1f} ms",
            f"{row.p95_ms:.1f} ms",
        )
    return _right(grid, 0, 2, 3, 4, 5)


def _facts(entry: SearchResult) -> Text:
    lines = [
        f"recall at {reach.k} of {reach.recall:g}: "
        + (f"{entry.setting} = {reach.setting}" if reach.setting is not None else "none of these is enough")
        for reach in entry.reaches
    ]
    if entry.exact_p50_ms is not None:
        lines.append(f"an exact search takes {seconds_words(entry.exact_p50_ms / 1000)}")
    if entry.census is not None:
        counted = entry.census
        lines.append(
            f"{count_words(counted.rows, 'row')}: {counted.nulls:,} NULL, {counted.zeros:,} of length 0,"
            f" {counted.duplicates:,} with a vector that another row has"
        )
    return Text("\n".join(lines))


def _queries(queries: Iterable[QueryResult]) -> Table:
    grid = _grid("Searches of the file", "line", "where", "result", "hits", "ranks", "took")
    for query in queries:
        ranks = (f"{name}: {rank or 'not found'}" for name, rank in zip(query.expected, query.ranks, strict=True))
        grid.add_row(
            f"{query.line}",
            f"{query.table}.{query.column}",
            Text("passed", "green") if query.passed else Text("MISSED", "bold red"),
            f"{query.hits} of {len(query.expected)} at {query.k}",
            ", ".join(ranks),
            f"{query.milliseconds:.1f} ms",
        )
    return _right(grid, 0, 5)
