"""A diagnosis as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vecferry.doctor.model import Severity
from vecferry.report.console import size_words
from vecferry.words import count_words

if TYPE_CHECKING:
    from vecferry.doctor.model import Diagnosis, Finding, IndexLine

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.ADVICE: "cyan"}


def render_diagnosis(diagnosis: Diagnosis) -> RenderableType:
    """Returns the diagnosis for reading; every statement is printed whole, ready to be copied."""
    pgvector = f"pgvector {diagnosis.pgvector}" if diagnosis.pgvector else "no pgvector"
    heading = (
        f"{diagnosis.database}: PostgreSQL {diagnosis.server}, {pgvector}, {count_words(diagnosis.tables, 'table')}"
    )
    parts: list[RenderableType] = [Text(visible(heading), style="bold")]
    for finding in diagnosis.findings:
        parts += [Text(), _finding(finding)]
    if diagnosis.indexes:
        parts += [Text(), _indexes(diagnosis.indexes)]
    if diagnosis.notes:
        parts += [Text(), *(Text(f"note: {visible(note)}", style="yellow") for note in diagnosis.notes)]
    parts += [Text(), Text(_verdict(diagnosis), style="bold green" if diagnosis.healthy else "bold red")]
    return Group(*parts)


def visible(text: str, keep: str = "") -> str:
    """Returns `text` with what a terminal would obey, line ends too, written as in Python; `keep` stays."""
    return "".join(
        letter if letter.isprintable() or letter in keep else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _finding(finding: Finding) -> Group:
    head = Text.assemble(
        (f"{finding.severity}", _STYLES[finding.severity]), f" {finding.check}: ", (visible(finding.object), "bold")
    )
    lines = [("found", finding.evidence), ("why", finding.why), ("only", finding.sampled), ("first", finding.first)]
    shown = Table.grid(padding=(0, 1, 0, 0))
    shown.add_column(width=7)
    shown.add_column(overflow="fold")
    for word, text in lines:
        if text:
            shown.add_row(Text(f"  {word}"), Text(visible(text)))
    # A statement must survive being copied: it keeps its line ends, and is not wrapped.
    statements = [
        Text(f"  {word:<6}{visible(text, keep=chr(10))};", no_wrap=True, overflow="ignore")
        for word, texts in (("rows", (finding.look,) if finding.look else ()), ("mend", finding.sql))
        for text in texts
    ]
    return Group(head, shown, *statements)


def _indexes(indexes: tuple[IndexLine, ...]) -> Table:
    grid = Table(title="Vector indexes", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("index", "table", "method", "key", "serves", "size", "scans", "valid"):
        right = header in {"size", "scans"}
        grid.add_column(header, overflow="fold", justify="right" if right else "left", no_wrap=right)
    for index in indexes:
        grid.add_row(
            *(Text(visible(text)) for text in (index.index, index.table, index.method, index.key)),
            index.operator or "?",
            size_words(index.size),
            f"{index.scans:,}",
            Text("yes") if index.valid else Text("NO", style="bold red"),
        )
    return grid


def _verdict(diagnosis: Diagnosis) -> str:
    if not diagnosis.findings:
        return "healthy: nothing found"
    counts = {kind: sum(finding.severity is kind for finding in diagnosis.findings) for kind in Severity}
    listed = [
        f"{count} advice" if kind is Severity.ADVICE else count_words(count, str(kind))
        for kind, count in counts.items()
        if count
    ]
    return f"{'healthy: ' if diagnosis.healthy else ''}{', '.join(listed)}"
