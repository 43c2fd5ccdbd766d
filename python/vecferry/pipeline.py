"""The order of steps, and nothing else knows it."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from vecferry.crash import crash_point
from vecferry.engine.local import LocalEngine
from vecferry.engine.retry import Bounds, Retry
from vecferry.errors import ForbiddenError, InterruptedRunError, TargetError
from vecferry.mapping.ddl import drop_object
from vecferry.mapping.keys import chunk_key
from vecferry.plan.columns import without_rejects
from vecferry.plan.estimate import estimate
from vecferry.planner import plan_run
from vecferry.progress import recorder
from vecferry.proof import verified
from vecferry.report.report import RejectResult, Report, SequenceResult, Status, TableResult, VectorResult
from vecferry.resume import dropped_by, goes_on, refusal
from vecferry.smoke import request_headers, with_smoke
from vecferry.sources import in_reading_order, source_of
from vecferry.steps.analyze import analyze
from vecferry.steps.calibrate import calibrate
from vecferry.steps.copy import Treatment, copy_chunk
from vecferry.steps.keys import Unproven, make_keys, missing_keys
from vecferry.steps.prepare import discard, prepare
from vecferry.steps.sequences import set_sequences
from vecferry.steps.vector_index import build_vector_index
from vecferry.steps.verify import verify_tables
from vecferry.steps.verify_vectors import verify_vectors
from vecferry.target import ledger, rejects
from vecferry.target.connect import alive, translated
from vecferry.target.connect import connect as connect_target
from vecferry.target.ingest import Loader, Writer
from vecferry.target.inspect import truncation_closure
from vecferry.target.settings import memory_for_indexes
from vecferry.tls import target_remark
from vecferry.version import VERSION
from vecferry.words import at_words, rows_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from vecferry.config import Config
    from vecferry.model import Catalog, Chunk, ChunkResult, Plan
    from vecferry.origin import Session
    from vecferry.progress import Progress, Recorder
    from vecferry.report.verification import Verification
    from vecferry.target.connect import Connection


def make_plan(config: Config, progress: Progress | None = None) -> Plan:
    """Inspects both ends and decides everything; changes nothing on either.

    With `config.estimate`, a few seconds of real work, rolled back, tell how long a run would take.

    Returns:
        The plan; its `problems` are what forbids the migration.

    Raises:
        SourceError: the source cannot be read.
        TargetError: the target cannot be read.
    """
    watch = recorder(progress)
    with (
        watch.step("plan"),
        source_of(config).ends_with_us(),
        closing(source_of(config).open()) as source,
        connect_target(config.target_url) as target,
    ):
        remarks = _remarks(config, source, target)
        catalog = source.catalog(config.tables, config.exclude)
        with translated(config.target_url, "read the ledger"):
            run = ledger.latest(target, config.target_schema)
            if run is not None and not run.finished and not config.restart:
                refused = refusal(run, config, catalog)
                if refused:
                    return replace(run.plan, problems=(refused,))
            if run is not None and goes_on(run, target, config, catalog):
                note = f"run {run.id} carried this already" if run.finished else f"run {run.id} is unfinished"
                then = (
                    "migrate would count both sides again" if run.finished else "migrate goes on with it, by this plan"
                )
                return replace(run.plan, notes=(*run.plan.notes, *remarks, f"{note}: {then}"))
        plan = plan_run(target, catalog, config, watch)
        plan = replace(plan, notes=(*plan.notes, *remarks))
        if plan.problems or not config.estimate:
            return plan
        found = calibrate(plan, source_of(config), config.target_url, source, target, config.workers)
        with translated(config.target_url, "tell its settings"):
            memory = memory_for_indexes(target, config.index_memory)
        plan = replace(plan, estimate=estimate(plan, found, memory))
        if config.on_invalid == "stop":
            return replace(plan, problems=found.invalid)
        return replace(plan, notes=(*plan.notes, *found.invalid))


def migrate(config: Config, progress: Progress | None = None, confirm: Callable[[str], bool] | None = None) -> Report:
    """Carries the database, or goes on with what an earlier run left.

    Args:
        config: what to do.
        progress: is told how it goes.
        confirm: is shown what would be emptied or dropped and says whether to; None says no.

    Raises:
        SourceError: the source cannot be read.
        TargetError: the target cannot be written.
        ForbiddenError: something blocks the migration, or consent was not given.
        InvalidValueError: a value cannot be carried.
        InterruptedRunError: the run was interrupted; the same call goes on.
        UsageError: a header of `[smoke]` names a variable that is not set.
    """
    if config.smoke is not None:
        request_headers(config.smoke)  # a variable that is missing is told before hours of work
    watch = recorder(progress)
    with closing(source_of(config).open()) as source:
        # Both ends are tried before either is asked for more.
        target = connect_target(config.target_url)
        for remark in _remarks(config, source, target):
            watch.note(remark)
    with closing(_Migration(config, target, watch, confirm or (lambda _: False))) as migration:
        try:
            with source_of(config).ends_with_us():
                return with_smoke(config, migration.run())
        except KeyboardInterrupt:
            raise InterruptedRunError from None


def _remarks(config: Config, source: Session, target: Connection) -> tuple[str, ...]:
    """Says of each end what its connections leave open to others on the way."""
    found = (
        source.remark(),
        target_remark(config.target_url, encrypted=bool(target.pgconn.ssl_in_use)),
    )
    return tuple(remark for remark in found if remark)


_PASSES = 5
"""How often a load is gone through: a target that crashes again and again forgets what it had confirmed."""


class _Migration:
    """One `migrate`: which run it is, then the steps that the ledger does not have yet."""

    def __init__(
        self,
        config: Config,
        target: Connection,
        watch: Recorder,
        confirm: Callable[[str], bool],
    ) -> None:
        self._config = config
        self._target = target
        self._watch = watch
        self._confirm = confirm

    def run(self) -> Report:
        self._lock()
        with self._watch.step("plan"):
            run = self._run()
            self._watch.run_id = run.id
        if run.finished:
            return self._nothing_left(run)
        crash_point("planned")
        with self._watch.step("load"):
            with self._held(run):
                with translated(self._config.target_url, "prepare its tables"), self._target.transaction():
                    self._once(run, "prepare", lambda: prepare(self._target, run.plan))
                    crash_point("prepare not committed")
                crash_point("prepared")
                self._load(run)
                crash_point("loaded")
                self._compare(run)
                crash_point("compared")
            self._once(run, "cast", lambda: self._cast(run.plan))
            crash_point("cast")
        with self._watch.step("keys"), translated(self._config.target_url, "make the keys"):
            # Done again in every call: what is there stays, and what rows broke is proven anew.
            unproven, loose = self._without_loose_checks(run.plan, make_keys(self._target, run.plan))
            crash_point("keys made")
        with self._watch.step("vector_index"):
            self._once(run, "vector_index", lambda: self._index(run))
            crash_point("vector indexes built")
        with self._watch.step("sequences"), translated(self._config.target_url, "set the sequences"):
            sequences = set_sequences(self._target, run.plan)
            crash_point("sequences set")
        with self._watch.step("verify"), translated(self._config.target_url, "be verified"):
            analyze(self._target, run.plan)
            crash_point("analyzed")
            tables = self._count(run)
            vectors = verify_vectors(self._target, run.plan)
            missing = missing_keys(self._target, run.plan)
            crash_point("verified")
            verification = self._verify(run)
        lacking = {(item.table, item.name) for item in missing}
        for entry in unproven:
            note = _explained(entry, made=(entry.table, entry.name) not in lacking)
            if entry.kind == "foreign key" and any(table.rows_rejected for table in tables):
                note += "; rows that they refer to may be among those left out: `vecferry rejects retry` lands them"
            self._watch.note(note)
        told = {(entry.table, entry.name) for entry in unproven}
        for item in missing:
            if (item.table, item.name) not in told | loose:
                self._watch.note(f"the {item.kind} {item.name} of table {item.table} is missing in the target")
        whole = not unproven and all((item.table, item.name) in loose for item in missing)
        return self._report(run, tables, vectors, sequences, verification, whole=whole)

    def _without_loose_checks(
        self, plan: Plan, unproven: tuple[Unproven, ...]
    ) -> tuple[tuple[Unproven, ...], set[tuple[str, str]]]:
        """Leaves out the CHECKs of created tables that rows break: they hold in MySQL, which compares otherwise."""
        created = {table.target for table in plan.tables if table.create is not None}
        loose = [entry for entry in unproven if entry.kind == "check" and entry.table in created]
        for entry in loose:
            self._target.execute(drop_object(plan.target_schema, "check", entry.table, entry.name).encode())
            self._watch.note(
                f"the CHECK {entry.name} of table {entry.table} is left out: as PostgreSQL compares it is broken by"
                f" {rows_words(entry.count)}{at_words(entry.examples)}"
            )
        return tuple(entry for entry in unproven if entry not in loose), {(e.table, e.name) for e in loose}

    def close(self) -> None:
        """Closes the connection to the target."""
        self._target.close()

    def _lock(self, former: int = 0) -> None:
        url = self._config.target_url
        with translated(url, "start a migration"):
            if not ledger.lock(self._target, former):
                raise ForbiddenError(f"another migration is running on {url.place}: wait for its end, or end it")

    # --- which run it is

    def _run(self) -> ledger.Run:
        """Returns the run to go on with: the unfinished one, the finished one that left nothing to do, or a new one."""
        config = self._config
        with closing(source_of(config).open()) as source:
            catalog = source.catalog(config.tables, config.exclude)
            with translated(config.target_url, "read the ledger"):
                old = ledger.latest(self._target, config.target_schema)
            if old is None or old.finished:
                with translated(config.target_url, "be inspected"):
                    if old is not None and goes_on(old, self._target, config, catalog):
                        return old
                return self._begin(source, catalog, None)
            if config.restart:
                self._throw_away(old)
                return self._begin(source, catalog, old)
            if refused := refusal(old, config, catalog):
                raise ForbiddenError(refused)
        self._watch.note(f"going on with run {old.id}")
        if config.truncate:
            self._watch.note("--truncate is for a new run: this one goes on with what it has (--restart begins anew)")
        return old

    def _throw_away(self, run: ledger.Run) -> None:
        """Takes back all that `run` did; the ledger keeps it until the next is planned, for what it had dropped."""
        plan, url = run.plan, self._config.target_url
        created = [table.target for table in plan.tables if table.create is not None]
        existing = tuple(table.target for table in plan.tables if table.create is None)
        question = f"--restart takes run {run.id} back: on {url.place} it drops\n{_listed(created) or '  nothing'}\n"
        if existing:
            question += f"and empties\n{_listed(list(existing))}"
        if not self._confirm(question):
            raise ForbiddenError("--restart would drop or empty tables, and consent was not given: say --yes")
        with translated(url, "take the old run back"), self._target.transaction():
            discard(self._target, plan)
            ledger.reset(self._target, run.id)
            crash_point("old run not yet taken back")
        crash_point("old run taken back")

    def _begin(self, source: Session, catalog: Catalog, old: ledger.Run | None) -> ledger.Run:
        """Plans a new run and records it; `old` is the one that it takes the place of."""
        start = source.position({table.name: chunk_key(table) for table in catalog.tables})
        plan = plan_run(self._target, catalog, self._config, self._watch, dropped_by(old))
        if plan.problems:
            listed = "\n".join(f"  - {problem}" for problem in plan.problems)
            raise ForbiddenError(f"the plan forbids this migration:\n{listed}")
        for text in plan.notes:
            self._watch.note(text)
        if plan.truncate:
            closure = self._closure(plan.target_schema, plan.truncate)
            if not self._confirm(f"--truncate empties these tables of {self._config.target_url.place}:\n{closure}"):
                raise ForbiddenError("--truncate would empty tables, and consent was not given: say --yes")
        with translated(self._config.target_url, "make the ledger"), self._target.transaction():
            run_id = ledger.begin(self._target, plan, VERSION, start)
            if old is not None:
                ledger.forget(self._target, old.id)
            rejects.supersede(self._target, plan, run_id)
            crash_point("plan not yet recorded")
        return ledger.Run(run_id, plan, plan.fingerprint, finished=False, report=None, position=start)

    def _closure(self, schema: str, tables: tuple[str, ...]) -> str:
        with translated(self._config.target_url, "list what references the tables"):
            closure = truncation_closure(self._target, schema, tables)
        return _listed([f"{namespace}.{name} ({_about(rows)})" for namespace, name, rows in closure])

    def _nothing_left(self, run: ledger.Run) -> Report:
        with translated(self._config.target_url, "read the ledger"):
            tables = self._count(run)
        aside = self._rejects(run)
        equal = all(table.verified == "equal" for table in tables)
        left_out = sum(table.rows_rejected for table in tables)
        if equal and (aside or left_out):
            self._watch.note(f"run {run.id} carried everything but what it rejected (--truncate loads it again)")
        elif equal:
            self._watch.note(f"nothing is left to do: run {run.id} carried everything (--truncate loads it again)")
        else:
            self._watch.note(f"run {run.id} carried everything, but source and target have differed since")
        if left_out and not any(entry.action == "reject" for entry in aside):
            self._watch.note(f"{rows_words(left_out)} left out, and nothing is kept of them in the reject store")
        with translated(self._config.target_url, "read the reject store"):
            others = [other.id for other in rejects.runs(self._target, run.plan.target_schema) if other.id != run.id]
        if others:
            self._watch.note(
                f"the reject store still has rows of earlier runs into this schema ({', '.join(others)}):"
                " `vecferry rejects list` shows them"
            )
        old = run.report or {}
        return Report(
            run_id=run.id,
            status="differences" if not equal else "rejected" if aside or left_out else "nothing to do",
            seconds=self._watch.seconds(),
            tables=tables,
            vectors=tuple(VectorResult(**entry) for entry in old.get("vectors", ())),
            sequences=tuple(SequenceResult(**entry) for entry in old.get("sequences", ())),
            losses=run.plan.losses if aside or left_out else without_rejects(run.plan.losses),
            notes=tuple(self._watch.notes),
            rejects=aside,
        )

    # --- the steps

    def _held(self, run: ledger.Run) -> AbstractContextManager[None]:
        """Keeps writers out of the source's tables for the length of the copy, where the user wants it."""
        if self._config.consistency == "watch":
            return nullcontext()
        with translated(self._config.target_url, "read the ledger"):
            if ledger.moved(self._target, run.id) is not None:
                return nullcontext()
        return source_of(self._config).held([table.name for table in run.plan.tables])

    def _compare(self, run: ledger.Run) -> None:
        """Tells whether the source moved since the run began, once the copy is done."""
        with translated(self._config.target_url, "keep how the source moved"):
            signs = ledger.moved(self._target, run.id)
            if signs is None:
                with closing(source_of(self._config).open()) as source:
                    now = source.position({table.name: table.key for table in run.plan.tables})
                signs = source_of(self._config).moved(run.position, now)
                ledger.record_moved(self._target, run.id, signs)
        for sign in signs:
            self._watch.note(sign)

    def _once(self, run: ledger.Run, step: str, work: Callable[[], None]) -> None:
        with translated(self._config.target_url, f"do the step {step}"):
            if step in ledger.steps_done(self._target, run.id):
                return
            ledger.begin_step(self._target, run.id, step)
            crash_point("step begun")
            work()
            crash_point("step done")
            ledger.finish_step(self._target, run.id, step)
            crash_point("step recorded")

    def _load(self, run: ledger.Run) -> None:
        plan, config, source = run.plan, self._config, source_of(self._config)
        with translated(config.target_url, "read the ledger"):
            totals = ledger.totals(self._target, run.id)
        for table in plan.tables:
            self._watch.table(table.name, table.rows_estimate, table.bytes_estimate)
            if table.name in totals:
                self._watch.resumed(table.name, totals[table.name].rows_written, totals[table.name].bytes_read)

        treatment = Treatment(config.on_invalid, config.max_rejects)

        def work(writer: Writer, chunk: Chunk) -> ChunkResult:
            return copy_chunk(plan, chunk, run.id, source, writer, config.chunk_bytes, treatment)

        def done(chunk: Chunk, result: ChunkResult) -> None:
            self._watch.advance(chunk.table, result.rows_written, result.bytes_read)

        retry = Retry(Bounds(attempts=config.retries + 1), self._watch.note)
        with closing(Loader(config.target_url, plan.target_schema)) as loader:
            engine = LocalEngine(config.workers, lambda: closing(loader.writer()), retry, Writer.cancel)
            # A target that crashes may forget chunks that it had confirmed, so the ledger has the last word.
            for _ in range(_PASSES):
                missing = self._missing(run, retry)
                if not missing:
                    return
                engine.run(missing, work, done)
            missing = self._missing(run, retry)
        if missing:
            raise TargetError(
                f"the target {config.target_url.place} confirmed {len(missing)} chunks and has lost them,"
                f" {_PASSES} times: look at its log, then run the same command again to go on"
            )

    def _missing(self, run: ledger.Run, retry: Retry) -> list[Chunk]:
        """Returns the chunks that the ledger does not have, those of large tables first, or as they are in a dump."""

        def ask() -> frozenset[tuple[str, int]]:
            self._revive()
            with translated(self._config.target_url, "read the ledger"):
                return ledger.committed(self._target, run.id)

        there = retry(ask)
        largest_first = sorted(run.plan.tables, key=lambda table: -table.bytes_estimate)
        missing = [c for table in largest_first for c in table.chunks if (c.table, c.number) not in there]
        return in_reading_order(missing)

    def _revive(self) -> None:
        """Connects again where the connection has died, and takes the target for this run again."""
        if alive(self._target):
            return
        former = self._target.info.backend_pid
        self._target.close()
        self._target = connect_target(self._config.target_url)
        self._lock(former)

    def _cast(self, plan: Plan) -> None:
        for table in plan.tables:
            for statement in table.casts:
                self._target.execute(statement.encode())
                crash_point("column cast")

    def _index(self, run: ledger.Run) -> None:
        config, plan = self._config, run.plan
        totals = ledger.totals(self._target, run.id)
        sources = {table.target: table.name for table in plan.tables}
        for spec in plan.embeddings:
            took = build_vector_index(
                self._target,
                lambda: connect_target(config.target_url),
                plan.target_schema,
                spec,
                totals.get(sources[spec.table], ledger.TableTotals()).rows_written,
                config.index_memory,
                config.workers - 1,
                self._watch,
            )
            if took is not None:
                self._watch.builds[spec.index or ""] = round(took, 3)

    def _count(self, run: ledger.Run) -> tuple[TableResult, ...]:
        # Hours may have passed since the plan, and the source ends sessions that say nothing for long.
        with closing(source_of(self._config).open()) as source:
            return verify_tables(source, self._target, run.plan, ledger.totals(self._target, run.id))

    def _rejects(self, run: ledger.Run) -> tuple[RejectResult, ...]:
        with translated(self._config.target_url, "read the reject store"):
            return tuple(RejectResult(*found) for found in rejects.counts(self._target, run.id))

    def _verify(self, run: ledger.Run) -> Verification:
        with closing(source_of(self._config).open()) as source:
            catalog = source.catalog(self._config.tables, self._config.exclude)
        return verified(self._config, catalog, self._target, self._watch, run, None)

    def _report(
        self,
        run: ledger.Run,
        tables: tuple[TableResult, ...],
        vectors: tuple[VectorResult, ...],
        sequences: tuple[SequenceResult, ...],
        verification: Verification,
        *,
        whole: bool,
    ) -> Report:
        same = {table.name: table.verified for table in verification.tables}
        tables = tuple(
            replace(table, verified="different") if same.get(table.name) == "different" else table for table in tables
        )
        same_rows = all(table.verified == "equal" for table in tables) and verification.status == "ok"
        equal = whole and same_rows and not any(vector.problems for vector in vectors)
        aside = self._rejects(run)
        left_out = sum(table.rows_rejected for table in tables)
        status: Status = "differences" if not equal else "rejected" if aside or left_out else "ok"
        report = Report(
            run_id=run.id,
            status=status,
            seconds=self._watch.seconds(),
            tables=tables,
            vectors=vectors,
            sequences=sequences,
            losses=run.plan.losses if aside or left_out else without_rejects(run.plan.losses),
            notes=tuple(self._watch.notes),
            rejects=aside,
            verification=replace(verification, seconds={"total": round(self._watch.seconds()["verify"], 3)}),
        )
        # A run with differences stays open: the same command verifies again.
        if status != "differences":
            with translated(self._config.target_url, "close the ledger"):
                crash_point("not yet finished")
                ledger.finish(self._target, run.id, report.to_json())
                crash_point("finished")
        return report


def _explained(entry: Unproven, *, made: bool) -> str:
    if entry.kind == "view":
        return f"the view {entry.name} was not made: {entry.words}"
    rows, where = rows_words(entry.count), at_words(entry.examples)
    return (
        f"the {entry.kind} {entry.name} of table {entry.table} is broken by {rows}{where}: {entry.words}:"
        f" it {'stays NOT VALID' if made else 'was not made'}: correct the rows, then run the same command again"
    )


def _about(rows: int) -> str:
    return f"about {rows} rows" if rows > 0 else "rows not counted yet"


def _listed(names: list[str]) -> str:
    return "\n".join(f"  {name}" for name in names)
