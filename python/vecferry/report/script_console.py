"""A script that was written, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from vecferry.report.console import seconds_words, size_words
from vecferry.words import at_words, count_words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from vecferry.report.script import ScriptResult


def render_script(result: ScriptResult) -> RenderableType:
    """Returns what came of a dump, what was lost on the way, and how the script is loaded."""
    lines = []
    for vector in result.vectors:
        index = f", index {vector.index}" if vector.index else ""
        lines.append(f"embeddings: {vector.table}.{vector.column} is vector({vector.dimensions}){index}")
    for loss in result.losses:
        where = f"{loss.table}.{loss.column}" if loss.column else loss.table
        count = "" if loss.count is None else f" ({count_words(loss.count, 'value')}{at_words(loss.examples)})"
        lines.append(f"loss: {where}: {loss.reason}{count}")
    lines += [f"note: {note}" for note in result.notes]
    rows = sum(table.rows_written for table in result.tables)
    rejected = sum(table.rows_rejected for table in result.tables)
    rate = result.bytes_read / max(result.seconds, 1e-3)
    summary = (
        f"{count_words(len(result.tables), 'table')} and {count_words(rows, 'row')}: {size_words(result.bytes_read)} of"
        f" dump became {size_words(result.bytes_written)} of script in {seconds_words(result.seconds)}"
        f" ({size_words(rate)}/s)"
    )
    parts: list[RenderableType] = [Text("\n".join(lines))] if lines else []
    parts.append(Text(summary, style="bold"))
    if result.rejects is not None:
        words = f"{count_words(rejected, 'row')} left out; {result.rejects} holds what could not be carried"
        parts.append(Text(words, style="yellow"))
    if result.output != "-":
        parts.append(Text(_loaded_by(result.output)))
    return Group(*parts)


def _loaded_by(output: str) -> str:
    psql = "psql -X -v ON_ERROR_STOP=1 -d DATABASE"
    if output.endswith(".gz"):
        return f"load it with: gunzip -c {output} | {psql}"
    if output.endswith(".zst"):
        return f"load it with: zstd -dc {output} | {psql}"
    return f"load it with: {psql} -f {output}"
