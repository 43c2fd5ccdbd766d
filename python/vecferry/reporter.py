"""Gathers what a report directory tells of a run besides its result; asks both ends, changes nothing.

Whatever cannot be learned is left out and said: a report is written of a run whose servers are gone, too.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import psycopg

from vecferry.errors import ExitCode, SourceError, TargetError
from vecferry.report.details import (
    Details,
    EmbeddingCensus,
    Failure,
    IndexBuild,
    ServerFacts,
    StepTime,
    TableProgress,
    Throughput,
)
from vecferry.report.rates import histogram, throughput
from vecferry.report.report import RejectResult, Report
from vecferry.sources import source_of
from vecferry.target import facts as target_facts
from vecferry.target import ledger, rejects
from vecferry.target.connect import connect as connect_target
from vecferry.target.connect import translate
from vecferry.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from vecferry.config import Config
    from vecferry.model import EmbeddingSpec, Plan
    from vecferry.origin import Session
    from vecferry.progress import Recorder
    from vecferry.target.connect import Connection

_Answer = TypeVar("_Answer")
_Forms = dict[tuple[str, str], dict[str, int]]

_AGAIN = "Run the same command again: it goes on where this one stopped; what is committed is not loaded again."
_ADVICE = {
    ExitCode.FORBIDDEN: "Settle what the sentence names, then run the same command again; what is committed stays.",
    ExitCode.USAGE: "Correct the option, then run the same command again.",
    ExitCode.BUG: "Please report it, with the output of --debug. What is committed stays; the same command goes on.",
}


def complete(config: Config, watch: Recorder, report: Report) -> Report:
    """Returns the result of a run with all that its report tells."""
    return replace(report, details=_Inquiry(config, watch).details(report, stopped=False))


def stopped(config: Config, watch: Recorder, sentence: str, exit_code: int) -> Report:
    """Returns the report of a run that ended with an error.

    Args:
        config: what was to be done.
        watch: what the run has told.
        sentence: what went wrong, without a secret.
        exit_code: what the process tells its caller.
    """
    advice = _ADVICE.get(ExitCode(exit_code), _AGAIN)
    if not watch.run_id:
        advice = "Nothing has been loaded. Settle what the sentence names, then run the same command again."
    report = Report(
        run_id=watch.run_id,
        status="stopped",
        seconds=watch.seconds(),
        tables=(),
        vectors=(),
        sequences=(),
        notes=tuple(watch.notes),
        failure=Failure(sentence, int(exit_code), advice),
    )
    inquiry = _Inquiry(config, watch)
    details = inquiry.details(report, stopped=True)
    losses = inquiry.plan.losses if inquiry.plan is not None else ()
    return replace(report, losses=losses, rejects=inquiry.rejects, details=details)


class _Inquiry:
    """Asks both ends, each over one connection; an end that does not answer is asked no more."""

    def __init__(self, config: Config, watch: Recorder) -> None:
        self._config = config
        self._watch = watch
        self._notes: list[str] = []
        self.plan: Plan | None = None
        self.rejects: tuple[RejectResult, ...] = ()

    def details(self, report: Report, *, stopped: bool) -> Details:
        config = self._config
        found = Details(
            version=VERSION,
            started=self._watch.began.isoformat(timespec="seconds"),
            finished="",
            source=config.source_at.place,
            target=config.target_url.place,
            target_schema=config.target_schema,
            options=_options(config),
            chosen=tuple(name for name in sorted(_options(config)) if getattr(config, name) != _default(config, name)),
            steps=tuple(StepTime(**asdict(span)) for span in self._watch.spans),
        )
        found = self._of_target(found, report.run_id, stopped=stopped)
        return replace(
            found, finished=datetime.now(UTC).isoformat(timespec="seconds"), notes=tuple(dict.fromkeys(self._notes))
        )

    def _of_target(self, found: Details, run_id: str, *, stopped: bool) -> Details:
        target = self._try("the target", lambda: connect_target(self._config.target_url))
        if target is None:
            source, _ = self._of_source(None)
            return replace(found, servers=source)
        with closing(target):
            self._ask("the target's session", lambda: target_facts.bound(target))
            run = self._ask("the ledger", lambda: ledger.by_id(target, run_id) if run_id else None)
            self.plan = plan = run.plan if run is not None else None
            source, forms = self._of_source(plan)
            version, settings = self._ask("the target's settings", lambda: target_facts.settings(target)) or ("", {})
            servers = (*source, ServerFacts("target", self._config.target_url.place, version, settings))
            if plan is None:
                return replace(found, servers=servers)
            totals = self._ask("the ledger", lambda: ledger.totals(target, run_id)) or {}
            if stopped:
                self.rejects = self._ask("the reject store", lambda: _rejects(target, run_id)) or ()
            return replace(
                found,
                servers=servers,
                progress=self._progress(target, run_id, plan, totals) if stopped else (),
                throughput=self._ask("the ledger", lambda: _throughput(target, run_id)),
                census=() if stopped else self._census(target, plan, totals, forms),
                indexes=tuple(self._index(target, plan, spec) for spec in plan.embeddings if spec.index),
            )

    def _of_source(self, plan: Plan | None) -> tuple[tuple[ServerFacts, ...], _Forms]:
        place = self._config.source_at.place
        source = self._try("the source", lambda: source_of(self._config).open())
        if source is None:
            return (ServerFacts("source", place, "", {}),), {}
        with closing(source):
            version, settings = self._try("the source's settings", source.settings) or ("", {})
            forms = (
                {(spec.table, spec.column): self._forms(source, plan, spec) for spec in plan.embeddings} if plan else {}
            )
        return (ServerFacts("source", place, version, settings),), forms

    def _forms(self, source: Session, plan: Plan, spec: EmbeddingSpec) -> dict[str, int]:
        [table] = [table for table in plan.tables if table.target == spec.table]
        [column] = [column for column in table.columns if column.name == spec.column]
        name = column.source or column.name
        what = f"the texts of {table.name}.{name}"
        return self._try(what, lambda: source.text_forms(table.name, name)) or {}

    def _progress(
        self, target: Connection, run_id: str, plan: Plan, totals: dict[str, ledger.TableTotals]
    ) -> tuple[TableProgress, ...]:
        there: dict[str, int] = {}
        for table, _ in self._ask("the ledger", lambda: ledger.committed(target, run_id)) or ():
            there[table] = there.get(table, 0) + 1
        none = ledger.TableTotals()
        return tuple(
            TableProgress(
                name=table.name,
                rows_about=table.rows_estimate,
                rows_written=totals.get(table.name, none).rows_written,
                rows_rejected=totals.get(table.name, none).rows_rejected,
                bytes_about=table.bytes_estimate,
                bytes_read=totals.get(table.name, none).bytes_read,
                chunks=len(table.chunks),
                chunks_committed=there.get(table.name, 0),
            )
            for table in plan.tables
        )

    def _census(
        self, target: Connection, plan: Plan, totals: dict[str, ledger.TableTotals], forms: _Forms
    ) -> tuple[EmbeddingCensus, ...]:
        sources = {table.target: table.name for table in plan.tables}
        found = []
        for spec in plan.embeddings:
            rows = totals.get(sources[spec.table], ledger.TableTotals()).rows_written
            norms = self._norms(target, plan.target_schema, spec, rows)
            if norms is not None:
                found.append(_censused(spec, norms, forms.get((spec.table, spec.column), {})))
        return tuple(found)

    def _norms(self, target: Connection, schema: str, spec: EmbeddingSpec, rows: int) -> target_facts.Norms | None:
        what = f"the norms of {spec.table}.{spec.column}"
        return self._ask(what, lambda: target_facts.norms(target, schema, spec, rows))

    def _index(self, target: Connection, plan: Plan, spec: EmbeddingSpec) -> IndexBuild:
        name = spec.index or ""
        state = self._ask(f"the index {name}", lambda: target_facts.index_state(target, plan.target_schema, name))
        return IndexBuild(
            index=name,
            table=spec.table,
            column=spec.column,
            statement=spec.statement or "",
            seconds=self._watch.builds.get(name),
            size=state[0] if state else None,
            valid=bool(state and state[1]),
        )

    def _ask(self, what: str, question: Callable[[], _Answer]) -> _Answer | None:
        """Asks the target; None where it refuses."""

        def translated() -> _Answer:
            try:
                return question()
            except psycopg.Error as error:
                raise translate(error, self._config.target_url, f"tell {what}") from error

        return self._try(what, translated)

    def _try(self, what: str, question: Callable[[], _Answer]) -> _Answer | None:
        try:
            return question()
        except (SourceError, TargetError) as error:
            self._notes.append(f"{what}: not known: {error.sentence}")
            return None


def _options(config: Config) -> dict[str, object]:
    """Returns the options whose values are plain, without the URLs: what is made of parts may hold a secret."""
    values = config.model_dump(mode="json", exclude={"source", "target"})
    return {name: value for name, value in values.items() if _plain(value)}


def _default(config: Config, name: str) -> object:
    return type(config).model_fields[name].get_default(call_default_factory=True)


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or isinstance(value, str | int | float | bool)


def _rejects(target: Connection, run_id: str) -> tuple[RejectResult, ...]:
    return tuple(RejectResult(*found) for found in rejects.counts(target, run_id))


def _throughput(target: Connection, run_id: str) -> Throughput | None:
    return throughput(ledger.chunk_times(target, run_id))


def _censused(spec: EmbeddingSpec, found: target_facts.Norms, forms: dict[str, int]) -> EmbeddingCensus:
    edges, counts = histogram(found.norms)
    return EmbeddingCensus(
        table=spec.table,
        column=spec.column,
        forms=forms,
        rows=found.rows,
        complete=found.complete,
        nulls=found.nulls,
        zeros=found.norms.count(0.0),
        dimensions=found.dimensions,
        norm_least=min(found.norms, default=None),
        norm_mean=sum(found.norms) / len(found.norms) if found.norms else None,
        norm_greatest=max(found.norms, default=None),
        norm_edges=edges,
        norm_counts=counts,
    )
