"""How a plan comes about: both ends are looked at, a draft asks, the ends answer, until nothing is left to ask."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from vecferry.engine.local import LocalEngine
from vecferry.plan.build import draft, target_names
from vecferry.plan.findings import Findings, Look, Questions
from vecferry.sources import source_of
from vecferry.steps.look import look
from vecferry.steps.probe import ask_target
from vecferry.target.connect import translated
from vecferry.target.inspect import check_rights, read_target, taken_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vecferry.config import Config
    from vecferry.model import Catalog, Plan, TargetObject, TargetState
    from vecferry.origin import Answer, Session
    from vecferry.progress import Progress
    from vecferry.target.connect import Connection

Task = TypeVar("Task")
Result = TypeVar("Result")


def plan_run(
    target: Connection, catalog: Catalog, config: Config, progress: Progress, dropped: tuple[TargetObject, ...] = ()
) -> Plan:
    """Plans a run; changes nothing on either side.

    Args:
        target: an open connection to the target.
        catalog: what the source holds of what is migrated.
        config: what the user asked for.
        progress: is told how far the look into the source's tables is.
        dropped: what an abandoned run had dropped in the target, which this one makes again.

    Raises:
        SourceError: the source refused a query.
        TargetError: the target refused one, or a right is missing.
    """
    names = tuple(target_names(catalog).values())
    with translated(config.target_url, "be inspected"):
        check_rights(target, config.target_url, config.target_schema)
        state = _with_dropped(read_target(target, config.target_url.database, config.target_schema, names), dropped)
        taken = taken_names(target, config.target_schema)
    abilities = source_of(config).abilities(catalog.server)

    def decide(findings: Findings) -> tuple[Plan, Questions]:
        return draft(catalog, state, config, findings, taken, abilities)

    findings = Findings(_looks(catalog, config, progress))
    findings = _answered(findings, decide(findings)[1], config, progress)
    plan, questions = decide(findings)
    if questions.probes:
        with translated(config.target_url, "be asked about expressions"):
            findings = replace(findings, refusals=ask_target(target, questions.probes))
        plan, _ = decide(findings)
    return plan


def _with_dropped(state: TargetState, dropped: tuple[TargetObject, ...]) -> TargetState:
    """Adds what an abandoned run had dropped, so that this one makes it again."""
    tables = []
    for table in state.tables:
        there = {item.name for item in table.objects}
        lost = tuple(item for item in dropped if item.table == table.name and item.name not in there)
        tables.append(replace(table, objects=(*table.objects, *lost)))
    return replace(state, tables=tuple(tables))


def _looks(catalog: Catalog, config: Config, progress: Progress) -> dict[str, Look]:
    found = _each(
        catalog.tables, lambda source, table: look(source, table, config.chunk_bytes), config, progress, "looking"
    )
    return {table.name: result for table, result in found.items()}


def _answered(findings: Findings, questions: Questions, config: Config, progress: Progress) -> Findings:
    """Asks the source what a draft wants to know."""
    looks = findings.looks
    asked = tuple(name for name, checks in questions.checks.items() if checks)
    values = _each(
        asked,
        lambda source, name: source.ask_values(name, questions.checks[name], looks[name].key),
        config, progress, "counting values",
    )  # fmt: skip
    orphans = _each(
        tuple(questions.references),
        lambda source, reference: source.ask_orphans(reference, looks[reference.table].key),
        config, progress, "counting orphans",
    )  # fmt: skip
    answers: dict[tuple[str, str, str], Answer] = {}
    for name in asked:
        answers |= values[name]
    missing = {(reference.table, reference.name): answer for reference, answer in orphans.items() if answer}
    return replace(findings, answers=answers, orphans=missing)


def _each(
    tasks: Sequence[Task],
    work: Callable[[Session, Task], Result],
    config: Config,
    progress: Progress,
    phase: str,
) -> dict[Task, Result]:
    """Does the same for each task, several at a time, with a connection a worker."""
    results: dict[Task, Result] = {}

    def done(task: Task, result: Result) -> None:
        results[task] = result
        progress.index("source", phase, len(results), len(tasks))

    source = source_of(config)
    engine = LocalEngine(1 if source.forwards else config.workers, lambda: closing(source.open()))
    engine.run(tasks, work, done)
    return results
