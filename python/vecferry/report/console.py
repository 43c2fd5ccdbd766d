"""A plan and a report as a person reads them; nothing is looked up elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vecferry.mapping.typemap import base_type
from vecferry.report.verified import render_differences
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.model import ColumnPlan, EmbeddingSpec, Estimate, Loss, Plan, TablePlan
    from vecferry.report.report import RejectResult, Report, SmokeResult, TableResult, VectorResult

_NONE = "-"
_PLAIN = {
    "int8": {"smallint"},
    "uint8": {"smallint"},
    "int16": {"smallint"},
    "uint16": {"integer"},
    "int32": {"integer"},
    "uint32": {"integer", "bigint"},
    "int64": {"bigint"},
    "float": {"real"},
    "double": {"double precision"},
    "decimal": {"numeric"},
    "date32": {"date"},
    "timestamp": {"timestamp", "timestamp without time zone", "timestamp with time zone"},
    "string": {"text", "character varying", "character"},
    "binary": {"bytea"},
}
"""Decisions that nobody needs to be told of: PostgreSQL's own word for what was read."""


# --- words ---------------------------------------------------------------------------------------


def size_words(size: float) -> str:
    """Returns a number of bytes as `512 B`, `1.5 kB`, `32.0 MB`, `1.2 GB`."""
    thousand = 1000
    if size < thousand:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= thousand
        if size < thousand:
            return f"{size:.1f} {unit}"
    return f"{size / thousand:.1f} TB"


def seconds_words(seconds: float) -> str:
    """Returns a duration as `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if round(seconds, 1) < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


# --- plan ----------------------------------------------------------------------------------------


def render_plan(plan: Plan, *, verbose: bool = False) -> RenderableType:
    """Returns the plan for reading.

    Args:
        plan: what would happen.
        verbose: show every column and every statement too.
    """
    parts: list[RenderableType] = [
        Text(f"{plan.source} -> schema {plan.target_schema}", style="bold"),
        _planned_tables(plan),
    ]
    columns = _planned_columns(plan, everything=verbose)
    if columns.row_count:
        parts.append(columns)
    if plan.embeddings:
        parts.append(_planned_embeddings(plan.embeddings))
    if plan.losses:
        parts.append(_losses(plan.losses))
    parts.extend(_needs(plan))
    parts.extend(_notes((*plan.notes, *(plan.estimate.remarks if plan.estimate else ()))))
    if verbose:
        parts.extend(_statements(plan))
    if plan.estimate is not None:
        parts.append(Text("\n".join(_estimated(plan.estimate))))
    if plan.problems:
        listed = "".join(f"\n  - {problem}" for problem in plan.problems)
        parts.append(Text(f"what forbids this migration:{listed}", style="red"))
        verb = "forbids" if len(plan.problems) == 1 else "forbid"
        summary = f"{count_words(len(plan.problems), 'problem')} {verb} this migration; nothing has been changed"
        parts.append(Text(summary, style="bold red"))
        return Group(*_spaced(parts))
    rows = sum(table.rows_estimate for table in plan.tables)
    size = sum(table.bytes_estimate for table in plan.tables)
    chunks = sum(len(table.chunks) for table in plan.tables)
    parts.append(
        Text(
            f"{count_words(len(plan.tables), 'table')}, about {count_words(rows, 'row')} and {size_words(size)}, "
            f"in {count_words(chunks, 'chunk')}; nothing has been changed",
            style="bold",
        )
    )
    return Group(*_spaced(parts))


def _planned_tables(plan: Plan) -> Table:
    grid = _grid("Tables", "table", "rows, about", "size, about", "chunks", "by key", "in the target")
    for table in plan.tables:
        grid.add_row(
            table.name,
            f"{table.rows_estimate:,}",
            size_words(table.bytes_estimate),
            f"{len(table.chunks):,}",
            ", ".join(table.key) or _NONE,
            _fate(table),
        )
    return _right(grid, 1, 2, 3)


def _fate(table: TablePlan) -> str:
    name = f" as {table.target}" if table.target != table.name else ""
    if table.create is not None:
        return f"created{name}"
    changes = len(table.before)
    return f"used{name}, {count_words(changes, 'change')} first" if changes else f"used{name} as it is"


def _estimated(estimate: Estimate) -> list[str]:
    lines = []
    for fit in estimate.indexes:
        outcome = "it fits" if fit.fits else "it does NOT fit: raise --index-memory if the server has more"
        lines.append(
            f"index {fit.index}: its graph needs about {size_words(fit.graph_bytes)}"
            f" and gets {size_words(fit.memory_bytes)}: {outcome}"
        )
    lines.append(f"disk: about {size_words(estimate.disk_bytes)} in the target, its log apart")
    parts = {"load": estimate.load_seconds, "HNSW": estimate.index_seconds, "keys": estimate.keys_seconds}
    known = ", ".join(f"{name} {seconds_words(taken)}" for name, taken in parts.items() if taken is not None)
    total = estimate.total_seconds
    lines.append(f"time: about {seconds_words(total)} ({known})" if total is not None else f"time: not known ({known})")
    return lines


def _needs(plan: Plan) -> list[RenderableType]:
    lines = [f"extensions: {', '.join(plan.extensions)}"] if plan.extensions else []
    lines += [f"rights: {'; '.join(plan.rights)}"] if plan.rights else []
    existing = [item for table in plan.tables if table.create is None for item in table.after]
    there = {table.target for table in plan.tables if table.create is None and table.before}
    built = [spec for spec in plan.embeddings if spec.index and spec.table in there]
    if existing or built:
        listed = ", ".join(
            [f"{item.kind} {item.name} of {item.table}" for item in existing]
            + [f"index {spec.index} of {spec.table}" for spec in built]
        )
        lines.append(f"dropped for the load and made again: {listed}")
    if plan.views:
        lines.append(f"views: {', '.join(view.name for view in plan.views)}")
    return [Text("\n".join(lines))] if lines else []


def _planned_columns(plan: Plan, *, everything: bool) -> Table:
    title = "Columns" if everything else "Columns whose type is a decision"
    grid = _grid(title, "table", "column", "read as", "becomes", *(["read by"] if everything else []))
    embeddings = {(spec.table, spec.column) for spec in plan.embeddings}
    for table in plan.tables:
        for column in table.columns:
            if everything or (not _is_plain(column) and (table.name, column.name) not in embeddings):
                grid.add_row(
                    table.name,
                    column.name,
                    column.read_type,
                    column.target_type + _remarks(column),
                    *([column.select] if everything else []),
                )
    return grid


def _is_plain(column: ColumnPlan) -> bool:
    read = column.read_type.split("(")[0].split("[")[0]
    return base_type(column.target_type) in _PLAIN.get(read, set())


def _remarks(column: ColumnPlan) -> str:
    return (" identity" if column.identity else "") + ("" if column.nullable else " not null")


def _planned_embeddings(embeddings: Iterable[EmbeddingSpec]) -> Table:
    grid = _grid("Embeddings", "column", "dimensions", "distance", "HNSW index")
    for spec in embeddings:
        kind = " (of halfvec)" if "halfvec" in (spec.statement or "") else ""
        grid.add_row(
            f"{spec.table}.{spec.column}", str(spec.dimensions), spec.distance, f"{spec.index or 'none'}{kind}"
        )
    return _right(grid, 1)


def _statements(plan: Plan) -> list[RenderableType]:
    before: list[str] = []
    after: list[str] = []
    for table in plan.tables:
        before += [item.statement for item in table.requires]
        before += [table.create] if table.create is not None else []
        before += table.finish
        before += table.before
        after += table.casts
    after += [item.statement for table in plan.tables for item in table.after]
    after += [view.statement for view in plan.views]
    after += [spec.statement for spec in plan.embeddings if spec.statement is not None]
    return [
        Group(Text(title, style="bold"), *(_sql(statement) for statement in statements))
        for title, statements in (("Statements before the data", before), ("Statements after the data", after))
        if statements
    ]


def _sql(statement: str) -> Text:
    """A statement is not wrapped: it is there to be copied."""
    return Text(f"{statement.strip().rstrip(';')};", no_wrap=True, overflow="ignore")


# --- report --------------------------------------------------------------------------------------


def render_report(report: Report, most: int | None = None) -> RenderableType:
    """Returns the result of a run for reading; its last line is the status in words.

    Args:
        report: what came of the run.
        most: how many tables are listed: those that need a look, then the largest; None for all, in their order.
    """
    if report.status == "nothing to do" and all(table.verified != "different" for table in report.tables):
        done: list[RenderableType] = [render_smoke(report.smoke)] if report.smoke else []
        done += [_where(report.report)] if report.report else []
        return Group(*_spaced([*done, Text(status_words(report), style="bold green")]))
    parts: list[RenderableType] = _listed_tables(report, most)
    if report.vectors:
        parts.append(_vectors(report))
    if report.sequences:
        parts.append(_sequences(report))
    if report.losses:
        parts.append(_losses(report.losses))
    if report.rejects:
        parts.append(_rejects(report.rejects))
    if report.verification is not None and report.verification.differences:
        parts.append(render_differences(report.verification.differences))
    if report.smoke:
        parts.append(render_smoke(report.smoke))
    parts.extend(_notes((*(problem for vector in report.vectors for problem in _problems(vector)), *report.notes)))
    parts.append(Text(_seconds(report.seconds), style="dim"))
    if report.report:
        parts.append(_where(report.report))
    parts.append(
        Text(status_words(report), style="bold green" if report.status in {"ok", "nothing to do"} else "bold red")
    )
    return Group(*_spaced(parts))


def _where(report: str) -> Text:
    return Text(f"report: {report.removesuffix('json')}html, and report.json beside it")


def status_words(report: Report) -> str:
    """Returns the outcome as a sentence, e.g. `done: 3 tables, 9 rows, verified equal, in 4.2 s (run 1f)`."""
    run = f"(run {report.run_id})"
    if report.status == "nothing to do":
        return f"nothing is left to do: everything was carried before {run}"
    if report.status == "smoke failed":
        failed = [result.name for result in report.smoke if not result.passed]
        return f"the data is there, but {count_words(len(failed), 'smoke test')} failed: {', '.join(failed)} {run}"
    rows = sum(table.rows_target for table in report.tables)
    carried = f"{count_words(len(report.tables), 'table')}, {count_words(rows, 'row')}"
    if report.status == "ok":
        unchecked = sum(table.verified == "not checked" for table in report.tables)
        proof = f"{count_words(unchecked, 'table')} not checked" if unchecked else "verified equal"
        return f"done: {carried}, {proof}, in {seconds_words(report.seconds.get('total', 0.0))} {run}"
    if report.status == "rejected":
        out = sum(table.rows_rejected for table in report.tables)
        nulled = sum(entry.count for entry in report.rejects if entry.action == "null")
        what = [f"{count_words(out, 'row')} left out"] if out else []
        what += [f"{count_words(nulled, 'value')} made NULL"] if nulled else []
        return f"done, but {' and '.join(what)}: `vecferry rejects list` shows what is in the reject store {run}"
    different = [table.name for table in report.tables if table.verified == "different"]
    different += [f"{vector.table}.{vector.column}" for vector in report.vectors if vector.problems]
    return f"done, but verification found differences in {', '.join(different) or 'the result'} {run}"


def _listed_tables(report: Report, most: int | None) -> list[RenderableType]:
    if most is None or len(report.tables) <= most:
        return [_tables(report.tables)]
    ranked = sorted(report.tables, key=lambda t: (t.verified != "different", not t.rows_rejected, -t.bytes_read))
    rest = ranked[most:]
    equal = ", all equal" if all(table.verified == "equal" for table in rest) else ""
    return [_tables(ranked[:most]), Text(f" {count_words(len(rest), 'more table')}{equal}", style="dim")]


def _tables(tables: Iterable[TableResult]) -> Table:
    tables = list(tables)
    # A column that says nothing would take its width from the names.
    out = any(table.rows_rejected for table in tables)
    rejected = ["rejected"] if out else []
    grid = _grid("Tables", "table", "rows in\nsource", "rows in\ntarget", *rejected, "read", "worker\ntime", "verified")
    marks = {
        "equal": ("equal", "green"),
        "different": ("DIFFERENT", "bold red"),
        "not checked": ("not checked", "dim"),
    }
    for table in tables:
        grid.add_row(
            table.name,
            f"{table.rows_source:,}",
            f"{table.rows_target:,}",
            *([f"{table.rows_rejected:,}" if table.rows_rejected else _NONE] if out else []),
            size_words(table.bytes_read),
            seconds_words(table.seconds),
            Text(*marks[table.verified]),
        )
    grid.columns[-1].no_wrap = True
    return _right(grid, *range(1, len(grid.columns) - 1))


def _vectors(report: Report) -> Table:
    grid = _grid("Vectors", "column", "type", "dimensions", "rows", "HNSW index", "recall at 10")
    for vector in report.vectors:
        grid.add_row(
            f"{vector.table}.{vector.column}",
            vector.type,
            f"{vector.dimensions}",
            f"{vector.rows:,}",
            vector.index or "none",
            f"{vector.recall_at_10:.3f}" if vector.recall_at_10 is not None else "not measured",
        )
    return _right(grid, 2, 3, 5)


def _rejects(rejects: Iterable[RejectResult]) -> Table:
    grid = _grid("In the reject store", "where", "values", "reason", "what was done", "the first")
    for entry in rejects:
        grid.add_row(
            f"{entry.table}.{entry.column}" if entry.column else entry.table,
            f"{entry.count:,}",
            entry.reason,
            "row left out" if entry.action == "reject" else "made NULL",
            entry.message + (f" ({'; '.join(entry.examples)})" if entry.examples else ""),
        )
    return _right(grid, 1)


def render_smoke(results: Iterable[SmokeResult]) -> Table:
    """Returns what came of `[smoke]`; what was found is told where it is not what was expected."""
    grid = _grid("Smoke tests", "test", "result", "took", "expected", "found")
    for result in results:
        grid.add_row(
            result.name,
            Text("passed", "green") if result.passed else Text("FAILED", "bold red"),
            seconds_words(result.milliseconds / 1000),
            result.expected,
            _NONE if result.passed else result.found,
        )
    return _right(grid, 2)


def _problems(vector: VectorResult) -> list[str]:
    return [f"{vector.table}.{vector.column}: {problem}" for problem in vector.problems]


def _sequences(report: Report) -> Table:
    grid = _grid("Sequences", "sequence", "last value")
    for sequence in report.sequences:
        grid.add_row(
            sequence.sequence,
            f"{sequence.last_value:,}" if sequence.last_value is not None else "not used yet",
        )
    return _right(grid, 1)


def _seconds(seconds: dict[str, float]) -> str:
    return "time: " + ", ".join(f"{step.replace('_', ' ')} {seconds_words(took)}" for step, took in seconds.items())


# --- both ----------------------------------------------------------------------------------------


def _losses(losses: Iterable[Loss]) -> Table:
    grid = _grid("Changed or left out", "where", "values", "why")
    for loss in losses:
        grid.add_row(
            f"{loss.table}.{loss.column}" if loss.column else loss.table,
            f"{loss.count:,}" if loss.count is not None else _NONE,
            loss.reason + (f" ({'; '.join(loss.examples)})" if loss.examples else ""),
        )
    return _right(grid, 1)


def _notes(notes: Iterable[str]) -> list[RenderableType]:
    lines = [Text(f"note: {note}", style="yellow") for note in notes]
    return [Group(*lines)] if lines else []


def _grid(title: str, *headers: str) -> Table:
    grid = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        grid.add_column(header, overflow="fold")
    return grid


def _right(grid: Table, *columns: int) -> Table:
    for column in columns:
        grid.columns[column].justify = "right"
        grid.columns[column].no_wrap = True
    return grid


def _spaced(parts: list[RenderableType]) -> Iterable[RenderableType]:
    """Puts an empty line between parts that do not bring their own."""
    for number, part in enumerate(parts):
        if number and not isinstance(parts[number - 1], Table):
            yield Text()
        yield part
