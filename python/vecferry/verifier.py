"""How a verification goes: what is compared with what, in which parts, and what comes of it; changes nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from vecferry.checklist import Checklist
from vecferry.compare.buckets import BUCKETS, Sums, differing, no_rows
from vecferry.compare.diff import compare, concatenated
from vecferry.compare.expected import REJECTED
from vecferry.compare.found import Found, total
from vecferry.engine.local import LocalEngine
from vecferry.engine.retry import Bounds, Retry
from vecferry.mapping.identifiers import qualified
from vecferry.report.verification import Difference, ExpectedLoss, HalfResult, OracleResult, TableVerification
from vecferry.sources import in_reading_order, source_of
from vecferry.steps.verify_cells import (
    KEPT,
    Check,
    add_up_source,
    add_up_target,
    compare_chunk,
    kept_of_source,
    kept_of_target,
    look_up,
)
from vecferry.target.connect import translated
from vecferry.target.read import Library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from vecferry.checklist import Match
    from vecferry.compare.diff import Rejects
    from vecferry.config import Config
    from vecferry.model import Plan
    from vecferry.origin import Session
    from vecferry.progress import Progress
    from vecferry.target.connect import Connection
    from vecferry.target.read import Reader

SAMPLED_CHUNKS = 4
"""How many chunks of a table the level `sample` compares; the first and the last, with their open ends, are among
them."""
_MOST_PASSES = 8
"""How often a table is read again for the rows of buckets that differ."""


@dataclass(frozen=True, slots=True)
class CellResults:
    """What a comparison of rows came to."""

    tables: tuple[TableVerification, ...]
    differences: tuple[Difference, ...]
    losses: tuple[ExpectedLoss, ...]
    oracle: tuple[OracleResult, ...]
    halfvecs: tuple[HalfResult, ...]
    notes: tuple[str, ...]


class Journal:
    """What earlier calls of the same verification have compared already; this one remembers nothing."""

    def found(self, check: Check, number: int) -> Found | None:  # noqa: ARG002 - see the class
        """Returns what was found in a chunk, None where it was not compared yet."""
        return None

    def record(self, check: Check, number: int, found: Found) -> None:
        """Keeps what was found in a chunk."""


def verify_cells(
    matches: Mapping[str, Match],
    target: Connection,
    config: Config,
    watch: Progress,
    plan: Plan | None,
    rejects: Mapping[str, Rejects] | None = None,
    journal: Journal | None = None,
) -> CellResults:
    """Compares the rows of all tables, several parts at a time.

    Args:
        matches: the tables.
        target: an open connection to the target.
        config: what the user asked for; its `level` is one of Level.
        watch: is told how far it is.
        plan: the run's plan, whose chunks and announced losses are used; None where there is none.
        rejects: by table of the source, what is known not to have arrived.
        journal: remembers chunks across calls.

    Raises:
        SourceError: the source refused a query.
        TargetError: the target refused one.
    """
    if config.level == "counts":
        return _counted(matches, target, config, rejects or {})
    work = _Work(matches, target, config, watch, plan, rejects or {}, journal or Journal())
    return work.run()


def _counted(
    matches: Mapping[str, Match], target: Connection, config: Config, rejects: Mapping[str, Rejects]
) -> CellResults:
    tables, differences = [], []
    with closing(source_of(config).open()) as source:
        for name, match in matches.items():
            ours, theirs = _count(source, target, config, match)
            aside = rejects[name].left_out if name in rejects else 0
            equal = ours - aside == theirs
            tables.append(
                TableVerification(
                    name, ours, theirs, 0, max(0, ours - aside - theirs), max(0, theirs - ours + aside), 0, {},
                    "equal" if equal else "different",
                )
            )  # fmt: skip
            if not equal:
                differences.append(Difference("count", name, source=f"{ours} rows", target=f"{theirs} rows"))
    return CellResults(tuple(tables), tuple(differences), (), (), (), ())


def _count(source: Session, target: Connection, config: Config, match: Match) -> tuple[int, int]:
    ours = source.count(match.table.name)
    query = f"SELECT count(*) FROM {qualified(config.target_schema, match.there.name)}"
    with translated(config.target_url, "count rows"):
        [theirs] = target.execute(query.encode()).fetchone() or (0,)
    return ours, int(theirs)


Side = Literal["both", "source", "target", "some"]


@dataclass(frozen=True, slots=True)
class _Task:
    """A part of a comparison: a chunk of both sides, or of one where ranges do not hold in the target."""

    check: Check
    side: Side
    number: int


class _Work:
    def __init__(
        self,
        matches: Mapping[str, Match],
        target: Connection,
        config: Config,
        watch: Progress,
        plan: Plan | None,
        rejects: Mapping[str, Rejects],
        journal: Journal,
    ) -> None:
        self._matches = matches
        self._target = target
        self._config = config
        self._source = source_of(config)
        self._watch = watch
        self._plan = plan
        self._rejects = rejects
        self._journal = journal
        self._found: dict[str, dict[int, Found]] = defaultdict(dict)
        self._differences: list[Difference] = []
        self._notes: list[str] = []
        self._retry = Retry(Bounds(attempts=config.retries + 1), watch.note)

    def run(self) -> CellResults:
        checklist = Checklist(self._matches, self._target, self._config, self._plan, self._rejects)
        checks = checklist.checks()
        self._differences += checklist.differences
        with closing(Library(self._config.target_url)) as library:
            engine = LocalEngine(self._config.workers, lambda: closing(library.reader()), self._retry)
            self._first_pass(engine, checks)
            self._second_pass(engine, checks)
        return self._results(checks)

    # --- the first pass: every row once

    def _first_pass(self, engine: LocalEngine[Reader], checks: Sequence[Check]) -> None:
        self._sums: dict[tuple[str, str], Sums] = defaultdict(no_rows)
        tasks = self._tasks(checks)
        done_before = 0
        left = []
        for task in tasks:
            found = self._journal.found(task.check, task.number) if task.side == "both" else None
            if found is None:
                left.append(task)
            else:
                self._found[task.check.table][task.number] = found
                done_before += 1
        if done_before:
            self._watch.note(f"{done_before} of {len(tasks)} chunks were compared by an earlier call")
        finished = done_before

        def done(task: _Task, result: Found | tuple[Sums, Found] | Sums) -> None:
            nonlocal finished
            finished += 1
            self._watch.index("source", "comparing", finished, len(tasks))
            self._take(task, result)

        engine.run(left, self._work, done)

    def _tasks(self, checks: Sequence[Check]) -> list[_Task]:
        largest_first = sorted(checks, key=lambda check: -len(check.chunks))
        chunks = in_reading_order([chunk for check in largest_first for chunk in check.chunks[:1]])
        turns = {chunk.table: turn for turn, chunk in enumerate(chunks)}
        largest_first.sort(key=lambda check: turns.get(check.table, 0))
        tasks = []
        for check in largest_first:
            numbers: Sequence[int] = range(len(check.chunks))
            if self._config.level == "sample" and len(numbers) > SAMPLED_CHUNKS:
                chooser = random.Random(f"{check.seed}/{check.table}")  # noqa: S311 - a sample, no secret
                inner = chooser.sample(numbers[1:-1], SAMPLED_CHUNKS - 2)
                numbers = sorted({0, numbers[-1], *inner})
            if check.ranged:
                tasks += [_Task(check, "both", number) for number in numbers]
            elif self._config.level == "sample":
                if not check.rule.key:
                    self._notes.append(f"table {check.table} has no key: its rows are not sampled, say --level full")
                    continue
                tasks += [_Task(check, "some", number) for number in numbers]
            else:
                tasks += [_Task(check, "source", number) for number in numbers]
                tasks += [_Task(check, "target", number) for number in range(len(check.slices))]
        return tasks

    def _work(self, reader: Reader, task: _Task) -> Found | tuple[Sums, Found] | Sums:
        check, source = task.check, self._source
        if task.side == "both":
            return compare_chunk(check, check.chunks[task.number], source, reader)
        if task.side == "some":
            return look_up(check, check.chunks[task.number], source, reader)
        if task.side == "source":
            return add_up_source(check, check.chunks[task.number], source)
        return add_up_target(check, check.slices[task.number], reader)

    def _take(self, task: _Task, result: Found | tuple[Sums, Found] | Sums) -> None:
        name = task.check.table
        if isinstance(result, Sums):
            self._sums[name, "target"] += result
        elif isinstance(result, tuple):
            self._sums[name, "source"] += result[0]
            self._found[name][task.number] = result[1]
        else:
            self._found[name][task.number] = result
            if task.side == "both":
                self._journal.record(task.check, task.number, result)

    # --- the second pass: the rows of buckets that differ

    def _second_pass(self, engine: LocalEngine[Reader], checks: Sequence[Check]) -> None:
        for check in checks:
            if check.ranged or (check.table, "source") not in self._sums:
                continue
            ours, theirs = self._sums[check.table, "source"], self._sums[check.table, "target"]
            unlike = differing(ours, theirs)
            held = max(1, 4 * self._config.chunk_bytes // check.row_bytes)
            passes = _groups(unlike, ours, theirs, held)
            found = [self._again(engine, check, wanted) for wanted in passes[:_MOST_PASSES]]
            whole = total(found, check.rule.most)
            # Of rows in buckets that are alike, all are equal.
            place = 1 + max(self._found[check.table], default=0)
            self._found[check.table][place] = replace(
                whole, rows_source=ours.rows, rows_target=theirs.rows, complete=len(passes) <= _MOST_PASSES
            )

    def _again(self, engine: LocalEngine[Reader], check: Check, wanted: NDArray[np.bool_]) -> Found:
        parts: dict[str, dict[int, list[pa.Table]]] = {"source": {}, "target": {}}

        def work(reader: Reader, task: _Task) -> list[pa.Table]:
            if task.side == "source":
                return kept_of_source(check, check.chunks[task.number], self._source, wanted)
            return kept_of_target(check, check.slices[task.number], reader, wanted)

        def done(task: _Task, result: list[pa.Table]) -> None:
            parts[task.side][task.number] = result

        tasks = [_Task(check, "source", number) for number in range(len(check.chunks))]
        tasks += [_Task(check, "target", number) for number in range(len(check.slices))]
        engine.run(tasks, work, done)
        ours, theirs = (
            concatenated(check.rule.pairs, (rows for _, tables in sorted(parts[side].items()) for rows in tables))
            for side in ("source", "target")
        )
        return compare(check.rule, ours, theirs, KEPT)

    # --- what came of it

    def _results(self, checks: Sequence[Check]) -> CellResults:
        tables, losses, oracle, halves = [], [], [], []
        for check in checks:
            most = check.rule.most
            found = total((part for _, part in sorted(self._found[check.table].items())), most)
            found = _without_rejects(found, check)
            tables.append(self._table(check, found))
            self._differences += [
                Difference(item.kind, check.table, item.key, item.column, item.source, item.target)
                for item in found.differences
            ]
            losses += self._losses(check, found)
            oracle += [OracleResult(check.table, column, count) for column, count in found.oracle.items()]
            halves += [HalfResult(check.table, column, *errors) for column, errors in found.halves.items()]
        return CellResults(
            tuple(tables), tuple(self._differences), tuple(losses), tuple(oracle), tuple(halves), tuple(self._notes)
        )

    def _table(self, check: Check, found: Found) -> TableVerification:
        name = check.table
        broken = any(item.table == name for item in self._differences) or not found.equal
        ours, theirs = found.rows_source, found.rows_target
        compared = ours
        if self._config.level == "sample":
            with closing(source_of(self._config).open()) as source:
                ours, theirs = _count(source, self._target, self._config, self._matches[name])
            rejected = sum(count for key, count in found.expected.items() if key.startswith("\n"))
            if ours - rejected != theirs and not (found.missing or found.extra):
                self._differences.append(Difference("count", name, source=f"{ours} rows", target=f"{theirs} rows"))
                broken = True
        return TableVerification(
            name=name,
            rows_source=ours,
            rows_target=theirs,
            rows_compared=compared,
            rows_missing=found.missing,
            rows_extra=found.extra,
            rows_different=found.different,
            cells_different=dict(sorted(found.cells.items())),
            verified="different" if broken else "equal",
            complete=found.complete,
        )

    def _losses(self, check: Check, found: Found) -> list[ExpectedLoss]:
        planned = {
            (column, allowance.kind): allowance.count
            for column, allowances in check.rule.allowances.items()
            for allowance in allowances
        }
        met = {tuple(key.split("\n", 1)): count for key, count in found.expected.items()}
        losses = []
        for column, kind in sorted({*planned, *met}):
            count, wanted = met.get((column, kind), 0), planned.get((column, kind))
            if not count and wanted is None:
                continue
            losses.append(ExpectedLoss(check.table, column, kind, count, wanted))
            full = self._config.level == "full" and found.complete
            if full and wanted is not None and count > wanted:
                words = (f"{wanted} values by the plan: {kind}", f"{count} found")
                self._differences.append(Difference("count", check.table, None, column, *words))
        return losses


def _without_rejects(found: Found, check: Check) -> Found:
    """Takes rows that differ for those of the reject store that no key tells, where there are exactly as many."""
    store = check.rule.rejects
    known = found.expected.get(f"\n{REJECTED}", 0)
    changed = 0 if check.rule.key else store.changed
    missing = store.left_out - known + changed
    if not missing or found.missing != missing or found.extra != changed:
        return found
    differences = tuple(item for item in found.differences if item.kind not in {"missing", "extra"})
    expected = {**found.expected, f"\n{REJECTED}": known + missing}
    return replace(found, missing=0, extra=0, differences=differences, expected=expected)


def _groups(unlike: NDArray[np.bool_], ours: Sums, theirs: Sums, held: int) -> list[NDArray[np.bool_]]:
    """Cuts the buckets that differ into groups of about `held` rows a side."""
    places = np.flatnonzero(unlike)
    if not len(places):
        return []
    sizes = np.maximum(ours.counts, theirs.counts)[places].cumsum()
    numbers = (sizes - 1) // held
    groups = []
    for number in np.unique(numbers):
        wanted = np.zeros(BUCKETS, np.bool_)
        wanted[places[numbers == number]] = True
        groups.append(wanted)
    return groups
