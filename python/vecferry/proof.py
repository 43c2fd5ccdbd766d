"""Whether source and target are the same: rows, cells, structure and embedding columns; changes nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vecferry.checklist import match_tables
from vecferry.compare.diff import Rejects
from vecferry.errors import InterruptedRunError
from vecferry.plan.fingerprint import CONTENT
from vecferry.progress import Progress, Recorder
from vecferry.report.verification import Verification
from vecferry.sources import source_of
from vecferry.steps.verify_structure import verify_structure
from vecferry.steps.verify_vectors import verify_vectors
from vecferry.target import ledger
from vecferry.target import rejects as store
from vecferry.target.connect import connect as connect_target
from vecferry.target.connect import translated
from vecferry.verifier import Journal, verify_cells

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.model import Catalog
    from vecferry.report.report import VectorResult
    from vecferry.target.connect import Connection


def verify(config: Config, progress: Progress | None = None, journal: Journal | None = None) -> Verification:
    """Compares source and target; changes nothing on either.

    The plan of the newest run from this source into this schema is used where the target's ledger has one: its names,
    its chunks, the losses that it announced. Any other target is compared by what the two ends say themselves.

    Args:
        config: what to compare, and how far: `config.level`.
        progress: is told how it goes.
        journal: remembers what an interrupted call has compared.

    Raises:
        SourceError: the source cannot be read.
        TargetError: the target cannot be read.
        InterruptedRunError: it was interrupted.
    """
    watch = Recorder(progress or Progress())
    try:
        with source_of(config).ends_with_us():
            found = _verify(config, watch, journal)
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted: nothing was changed, run the same command again") from None
    return replace(found, seconds=watch.seconds(), notes=(*found.notes, *watch.notes))


def _verify(config: Config, watch: Recorder, journal: Journal | None) -> Verification:
    with watch.step("plan"), closing(source_of(config).open()) as source:
        catalog = source.catalog(config.tables, config.exclude)
    with connect_target(config.target_url) as target:
        with translated(config.target_url, "read the ledger"):
            target.execute("SET default_transaction_read_only = on")
            run = ledger.latest(target, config.target_schema)
        if run is not None and run.plan.source != config.source_at.place:
            watch.note(f"run {run.id} in the target's ledger is of {run.plan.source}: it is not gone by")
            run = None
        if run is not None and run.fingerprint.get(CONTENT, "") != catalog.dump:
            watch.note(
                f"run {run.id} in the target's ledger is of another dump at {run.plan.source}: it is not gone by"
            )
            run = None
        with watch.step("verify"):
            found = verified(config, catalog, target, watch, run, journal)
            if run is not None and config.level != "counts":
                with translated(config.target_url, "be verified"):
                    found = _with_vectors(found, verify_vectors(target, run.plan))
    return found


def _with_vectors(found: Verification, vectors: tuple[VectorResult, ...]) -> Verification:
    wrong = found.status == "differences" or any(vector.problems for vector in vectors)
    return replace(found, status="differences" if wrong else "ok", vectors=vectors)


def _rejects(target: Connection, config: Config) -> dict[str, Rejects]:
    """Returns what of each table of the source lies in the reject store of any run into the schema."""
    names: dict[tuple[str, str], str] = {}
    rows: dict[str, dict[tuple[int, int], bool]] = defaultdict(dict)
    keys: dict[str, set[str]] = defaultdict(set)
    cells: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with translated(config.target_url, "read the reject store"):
        runs = [run for run in store.runs(target, config.target_schema) if run.plan.source == config.source_at.place]
        for run in runs:
            for table in run.plan.tables:
                names |= {(table.name, column.name): column.source or column.name for column in table.columns}
        for place in (place for run in runs for place in store.places(target, run.id)):
            left_out = place.action == "reject"
            rows[place.table][place.chunk, place.row] = left_out
            for key in _spellings(place.key):
                if left_out:
                    keys[place.table].add(key)
                elif place.column is not None:
                    cells[place.table].add((key, names.get((place.table, place.column), place.column)))
    return {
        name: Rejects(frozenset(keys[name]), frozenset(cells[name]), sum(found.values()),
                       len(found) - sum(found.values()))
        for name, found in rows.items()
    }  # fmt: skip


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d*[1-9])?)0*")


def _spellings(key: dict[str, Any] | None) -> set[str]:
    """Returns a key in the words of a comparison, whose moments are spelled as the servers do."""
    if key is None:
        return set()
    plain = ", ".join(f"{name} = {value}" for name, value in key.items())
    return {plain, _MOMENT.sub(r"\1 \2", plain)}


def verified(
    config: Config, catalog: Catalog, target: Connection, watch: Recorder, run: ledger.Run | None,
    journal: Journal | None,
) -> Verification:  # fmt: skip
    """Compares rows, structure and embedding columns."""
    plan = run.plan if run is not None else None
    matches, missing = match_tables(target, catalog, config, plan)
    if plan is not None:
        known = {table.name for table in catalog.tables}
        plan = replace(plan, tables=tuple(table for table in plan.tables if table.name in known))
    rejects = _rejects(target, config)
    cells = verify_cells(matches, target, config, watch, plan, rejects, journal)
    tables = {name: (match.table, match.there, match.columns) for name, match in matches.items()}
    with translated(config.target_url, "be verified"):
        structure = (*missing, *verify_structure(target, config.target_schema, tables, plan))
    differences = (*cells.differences, *structure)
    return Verification(
        status="differences" if differences else "ok",
        level=config.level,
        run_id=run.id if run is not None else None,
        seconds={},
        tables=cells.tables,
        differences=differences,
        losses=cells.losses,
        oracle=cells.oracle,
        halfvecs=cells.halfvecs,
        notes=cells.notes,
    )
