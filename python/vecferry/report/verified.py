"""A verification as a person reads it; nothing is looked up elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vecferry.words import count_words

if TYPE_CHECKING:
    from vecferry.report.verification import Difference, Verification

_NONE = "-"


def render_verification(result: Verification) -> RenderableType:
    """Returns a verification for reading."""
    parts: list[RenderableType] = [_tables(result)]
    if result.differences:
        parts.append(render_differences(result.differences))
    if result.losses:
        parts.append(_losses(result))
    lines = [f"oracle: orjson and numpy read {count_words(item.rows, 'embedding')} of {item.table}.{item.column} alike"
             for item in result.oracle]  # fmt: skip
    lines += [f"halfvec: {item.table}.{item.column} is off by {item.greatest_error:.3g} at most, cosine distance"
              f" {item.cosine_error:.3g}" for item in result.halfvecs]  # fmt: skip
    lines += [f"{vector.table}.{vector.column}: {problem}" for vector in result.vectors for problem in vector.problems]
    if lines:
        parts.append(Text("\n".join(lines)))
    parts.extend(Text(f"note: {note}", style="yellow") for note in result.notes)
    parts.append(_verdict(result))
    return Group(*parts)


def summary(result: Verification) -> str:
    """Returns the verdict in a sentence."""
    rows = sum(table.rows_compared for table in result.tables)
    compared = f"{count_words(len(result.tables), 'table')}, {count_words(rows, 'row')} compared cell by cell"
    if result.level == "counts":
        compared = f"{count_words(len(result.tables), 'table')}, rows counted on both sides"
    seconds = result.seconds.get("total", 0.0)
    if result.status == "ok":
        return f"equal: {compared} in {seconds:.1f} s"
    searches = sum(bool(vector.problems) for vector in result.vectors)
    if not result.differences:
        return f"{count_words(searches, 'embedding column')} with problems; rows equal: {compared} in {seconds:.1f} s"
    different = sum(table.verified != "equal" for table in result.tables)
    missing, extra, changed = (
        sum(getattr(table, name) for table in result.tables)
        for name in ("rows_missing", "rows_extra", "rows_different")
    )
    least = "" if all(table.complete for table in result.tables) else "at least "
    return (
        f"different: {count_words(different, 'table')} of {compared} in {seconds:.1f} s: {least}"
        f"{count_words(missing, 'row')} missing, {extra} extra, {changed} with cells that differ"
    )


def _tables(result: Verification) -> Table:
    grid = _grid(
        "Tables", "table", "source", "target", "compared", "missing", "extra", "different", "cells by column", ""
    )
    for table in result.tables:
        cells = ", ".join(f"{name} {count:,}" for name, count in table.cells_different.items())
        counts = (table.rows_source, table.rows_target, table.rows_compared, table.rows_missing, table.rows_extra,
                  table.rows_different)  # fmt: skip
        style = "green" if table.verified == "equal" else "bold red"
        grid.add_row(table.name, *(f"{count:,}" for count in counts), cells or _NONE, Text(table.verified, style=style))
    for column in grid.columns[1:7]:
        column.justify = "right"
    return grid


def render_differences(differences: tuple[Difference, ...]) -> Table:
    """Returns the differences for reading."""
    grid = _grid("Differences", "kind", "table", "row", "column", "source", "target")
    for item in differences:
        grid.add_row(item.kind, item.table, item.key or _NONE, item.column or _NONE, item.source or _NONE,
                     item.target or _NONE)  # fmt: skip
    return grid


def _losses(result: Verification) -> Table:
    grid = _grid("Losses, as the plan announced them", "column", "kind", "planned", "found")
    for loss in result.losses:
        where = f"{loss.table}.{loss.column}" if loss.column else loss.table
        grid.add_row(where, loss.kind, _NONE if loss.planned is None else f"{loss.planned:,}", f"{loss.found:,}")
    return grid


def _verdict(result: Verification) -> Text:
    return Text(summary(result), style="bold green" if result.status == "ok" else "bold red")


def _grid(title: str, *headers: str) -> Table:
    grid = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        grid.add_column(header, overflow="fold")
    return grid
