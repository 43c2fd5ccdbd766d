"""A plan and the rows of its tables → a script; knows nothing of where either comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vecferry.mapping import script
from vecferry.plan.estimate import index_memory, spec_graph_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vecferry.model import Plan, TablePlan
    from vecferry.script.output import Output

MEMORY = 1024**3
"""What an index build may use unless the user says otherwise, in bytes: no server is asked how much it has."""


class Rows(Protocol):
    """The rows of every table, as COPY reads them."""

    def copy(self, table: str, output: Output) -> None:
        """Writes the rows of a table, by its name in the source."""


def write_whole(
    plan: Plan,
    rows: Rows,
    counts: Mapping[str, int],
    output: Output,
    *,
    about: str,
    memory_limit: int | None = None,
    keep_orphans: bool = False,
) -> None:
    """Writes a script for an empty database: structure, rows, keys, vector indexes, sequences, views.

    Args:
        plan: the plan, for a target that holds nothing.
        rows: the rows.
        counts: how many there are, by table in the source.
        output: where the script goes.
        about: what it was made from.
        memory_limit: the most `maintenance_work_mem` may be, in bytes; None is `MEMORY`.
        keep_orphans: whether foreign keys that rows break stay NOT VALID, with a warning.

    Raises:
        TargetError: it cannot be written.
    """
    output.text(script.opening(about) + script.time_zone("UTC") + script.structure(plan))
    for table in plan.tables:
        _rows(plan, table, rows, output)
    output.text(script.keys(plan, keep_orphans=keep_orphans))
    sources = {table.target: table.name for table in plan.tables}
    for spec in plan.embeddings:
        needed = spec_graph_bytes(spec, counts.get(sources[spec.table], 0))
        output.text(script.vector_index(spec, index_memory(needed, memory_limit or MEMORY)))
    output.text(script.views(plan) + script.sequences(plan.target_schema, plan.sequences) + script.analyze(plan))
    output.text(script.closing())


def write_rows(
    plan: Plan,
    rows: Rows,
    order: Sequence[str],
    circle: Sequence[str],
    output: Output,
    *,
    about: str,
    zone: str,
) -> None:
    """Writes a script for tables that are there: they are emptied, then filled.

    Args:
        plan: the plan, for a target that holds nothing.
        rows: the rows.
        order: the tables, by name in the source, each behind those that it references.
        circle: those that reference one another in a circle.
        output: where the script goes.
        about: what it was made from.
        zone: the time zone of times without one, where a column of the target has one.

    Raises:
        TargetError: it cannot be written.
    """
    schema = plan.target_schema
    tables = [plan.table(name) for name in order]
    targets = [table.target for table in tables]
    output.text(script.opening(about) + script.time_zone(zone) + script.path() + script.truncate(schema, targets))
    if circle:
        output.text(script.defer(schema, [plan.table(name).target for name in circle]))
    for table in tables:
        _rows(plan, table, rows, output)
    if circle:
        output.text(script.proven())
    output.text(script.sequences(schema, plan.sequences) + script.analyze(plan) + script.closing())


def _rows(plan: Plan, table: TablePlan, rows: Rows, output: Output) -> None:
    if table.columns:
        output.text(script.rows_begin(plan.target_schema, table))
        rows.copy(table.name, output)
        output.text(script.ROWS_END + "\n")
