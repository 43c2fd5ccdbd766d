"""What is done with the reject store after a run: look, take out, try again, give up."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from vecferry.convert.batches import bytes_of
from vecferry.convert.rejects import unpack_row
from vecferry.errors import ForbiddenError, InterruptedRunError, InvalidValueError, UsageError
from vecferry.plan.fingerprint import CONTENT, fingerprint
from vecferry.progress import Progress
from vecferry.sources import source_of
from vecferry.steps.keys import make_keys
from vecferry.steps.retry_rejects import Row, correction_of, retry_row
from vecferry.steps.sequences import set_sequences
from vecferry.target import ledger, rejects
from vecferry.target.connect import connect, translated
from vecferry.target.ingest import Loader
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from vecferry.config import Config
    from vecferry.model import Plan, Reject
    from vecferry.target.connect import Connection
    from vecferry.target.ingest import Writer


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of trying again; numbers are of rows."""

    landed: int
    refused: tuple[str, ...]
    """What is still wrong, a sentence for each row."""
    not_corrected: int
    """Rows that have an entry without a corrected value; they were left alone."""

    @property
    def whole(self) -> bool:
        """Whether nothing is left of what was tried."""
        return not self.refused and not self.not_corrected

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; its names are stable."""
        return {"landed": self.landed, "not_corrected": self.not_corrected, "refused": list(self.refused)}


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was given up."""

    rows: int
    """Rows that had been left out."""
    values: int
    """Values that had become NULL."""

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; its names are stable."""
        return {"rows": self.rows, "values": self.values}


class UnknownRejectError(UsageError):
    """A correction is of no entry of the reject store."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the reject store of this schema has no reject {number} (`vecferry rejects list` shows all)")
        self.number = number


def list_rejects(config: Config) -> Iterator[dict[str, Any]]:
    """Yields the entries of the reject store of all runs into the schema, run by run, in the order of the rows.

    Each is `{"run", "id", "table", "key", "column", "reason", "message", "action", "original"}`; `original` is the
    value's text, `{"hex": ...}` where it is none, None for NULL and for a row that was refused as a whole. Where that
    does not tell the row, `"row"` has its values by column, like originals, and else None; `"row_number"` is its place
    among those that were read of its chunk, from 1.

    Raises:
        TargetError: the target cannot be read.
        ForbiddenError: there has been no run.
    """
    with connect(config.target_url) as target, translated(config.target_url, "read the reject store"):
        _newest(target, config)
        runs = rejects.runs(target, config.target_schema)
        for run, entry in ((one, entry) for one in runs for entry in rejects.entries(target, one.id)):
            found = entry.reject
            yield {
                "run": run.id,
                "id": entry.id,
                "table": found.table,
                "key": found.key,
                "column": found.column,
                "reason": found.reason,
                "message": found.message,
                "action": found.action,
                "original": _shown(found.original),
                "row_number": found.row + 1,
                "row": _values(run.plan, found) if found.column is None or found.key is None else None,
            }


def retry_rejects(
    config: Config,
    values: Mapping[int, Any] | None = None,
    more: Mapping[int, Mapping[str, Any]] | None = None,
    *,
    tables: Sequence[str] = (),
    ids: Sequence[int] = (),
    progress: Progress | None = None,
) -> Retried:
    """Tries to land what is in the reject store of any run into the schema, each row in a transaction of its own.

    Args:
        config: the runs' ends; a source is needed without `values`.
        values: corrected values by the number of their entry, see `steps.retry_rejects.Value`; None to read the rows
            from the source again.
        more: with `values`, further columns of a row by the number of one of its entries.
        tables: the source's names of those whose rows are tried; empty for all.
        ids: numbers of entries whose rows are tried; empty for all.
        progress: is told how many rows were tried.

    Raises:
        UnknownRejectError: a number is of no entry.
        UsageError: nothing of a table is in the store.
        ForbiddenError: there has been no run, the newest has not come to the end of its load, another is running, or
            no run has read the source that is given.
        SourceError: the source cannot be read.
        TargetError: the target cannot be written.
        InterruptedRunError: it was interrupted; rows that have landed stay.
    """
    tried = _Tried(progress or Progress())
    try:
        return _retry_all(config, values, more or {}, tables, ids, tried)
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"interrupted: {count_words(tried.landed, 'row')} landed, what is left stays in the reject store,"
            " run the same command again to go on"
        ) from None


def drop_rejects(
    config: Config,
    *,
    tables: Sequence[str] = (),
    ids: Sequence[int] = (),
    consent: Callable[[str], bool] | None = None,
) -> Dropped:
    """Gives up what is in the reject store of any run into the schema: it is in the source alone then.

    Args:
        config: the runs' target.
        tables: the source's names of those whose rows are given up; empty for all.
        ids: numbers of entries whose rows are given up; empty for all.
        consent: is told what will be given up and answers whether it may be; None takes it for granted.

    Raises:
        UnknownRejectError: a number is of no entry.
        UsageError: nothing of a table is in the store.
        ForbiddenError: consent was not given, there has been no run, or one is running.
        TargetError: the target cannot be written.
    """
    url = config.target_url
    with connect(url) as target, translated(url, "give up what was rejected"):
        _lock(target, config)
        _newest(target, config)
        runs = [run.id for run in rejects.runs(target, config.target_schema)]
        selection = _selection(target, runs, tables, ids)
        found = rejects.rows_of(target, runs, selection)
        if found and consent is not None and not consent(_given_up(found)):
            raise ForbiddenError("rejects would be given up, and consent was not given: say --yes")
        rejects.remove(target, runs, selection)
    rows = sum(rows for _, action, rows, _ in found if action == "reject")
    return Dropped(rows, sum(entries for _, action, _, entries in found if action != "reject"))


def _given_up(found: Sequence[tuple[str, str, int, int]]) -> str:
    lines = [
        f"  table {table}: "
        + (
            f"{count_words(rows, 'row')} left out"
            if action == "reject"
            else f"{count_words(entries, 'value')} made NULL"
        )
        for table, action, rows, entries in found
    ]
    return "\n".join((
        "Their original values are deleted from the reject store, and nothing lands them any more:", *lines,
    ))  # fmt: skip


class _Tried:
    """How many rows were tried so far."""

    def __init__(self, progress: Progress) -> None:
        self.landed = 0
        self.total = 0
        self._done = 0
        self._progress = progress

    def one(self) -> None:
        self._done += 1
        self._progress.index("rejects", "retrying", self._done, self.total)


def _selection(
    target: Connection, known: Sequence[str], tables: Sequence[str], ids: Sequence[int]
) -> rejects.Selection:
    for table in set(tables) - rejects.tables_of(target, known):
        raise UsageError(f"the reject store has nothing of a table {table} (`vecferry rejects list` shows all)")
    unknown = rejects.unknown(target, known, ids) if ids else []
    if unknown:
        raise UnknownRejectError(unknown[0])
    return rejects.Selection(tuple(tables), tuple(ids))


def _lock(target: Connection, config: Config) -> None:
    if not ledger.lock(target):
        raise ForbiddenError(f"a migration is running on {config.target_url.place}: wait for its end")


def _retry_all(
    config: Config,
    values: Mapping[int, Any] | None,
    more: Mapping[int, Mapping[str, Any]],
    tables: Sequence[str],
    ids: Sequence[int],
    tried: _Tried,
) -> Retried:
    url = config.target_url
    with connect(url) as target, translated(url, "retry what was rejected"):
        _lock(target, config)
        if "cast" not in ledger.steps_done(target, _newest(target, config).id):
            raise ForbiddenError(
                "the last run has not come to the end of its load: finish it with `vecferry migrate`, then retry"
            )
        runs = rejects.runs(target, config.target_schema)
        known = [run.id for run in runs]
        selection = _selection(target, known, tables, ids)
        unknown = rejects.unknown(target, known, {*(values or {}), *more}) if values or more else []
        if unknown:
            raise UnknownRejectError(unknown[0])
        tried.total = sum(rows for _, _, rows, _ in rejects.rows_of(target, known, selection))
        changed = _changed(runs, config) if values is None and runs else {}
        result = Retried(0, (), 0)
        with closing(Loader(url, config.target_schema)) as loader, closing(loader.writer()) as writer:
            for run in runs:
                before = tried.landed
                try:
                    found = _retry(target, writer, run, config, values, more, changed, selection, tried)
                except KeyboardInterrupt:
                    _put_in_order(target, run.plan, tried.landed - before)
                    raise
                _put_in_order(target, run.plan, found.landed)
                result = Retried(
                    result.landed + found.landed,
                    result.refused + found.refused,
                    result.not_corrected + found.not_corrected,
                )
    return result


def _put_in_order(target: Connection, plan: Plan, landed: int) -> None:
    """Does what rows that have landed call for."""
    if landed:
        make_keys(target, plan)
        set_sequences(target, plan)


def _retry(
    target: Connection,
    writer: Writer,
    run: ledger.Run,
    config: Config,
    values: Mapping[int, Any] | None,
    more: Mapping[int, Mapping[str, Any]],
    changed: Mapping[tuple[str, str], str],
    selection: rejects.Selection,
    tried: _Tried,
) -> Retried:
    landed, left, refused = 0, 0, list[str]()
    source = None if values is not None else source_of(config)
    with closing(_rows(target, run.id, selection)) as rows:
        for row in rows:
            number = f"reject {row.entries[0].id}"
            tried.one()
            if refusal := changed.get((run.id, row.first.table)):
                refused.append(f"{number}: {refusal}: correct it with --values, or load the table again")
                continue
            try:
                correction = None if values is None else correction_of(row, run.plan, values, more)
                if values is not None and correction is None:
                    left += 1
                    continue
                retry_row(run.plan, run.id, row, correction, source, writer)
                landed += 1
                tried.landed += 1
            except InvalidValueError as error:
                refused.append(f"{number}: {error}")
    return Retried(landed, tuple(refused), left)


def _changed(runs: Sequence[ledger.Run], config: Config) -> dict[tuple[str, str], str]:
    """Says by run and table why its rows cannot be read again: another source, or another structure by now."""
    place = config.source_at.place
    if all(run.plan.source != place for run in runs):
        places = ", ".join(sorted({run.plan.source for run in runs}))
        raise ForbiddenError(f"what is in the reject store was read from {places}, not from {place}: name that source")
    with closing(source_of(config).open()) as source:
        now = fingerprint(source.catalog(config.tables, config.exclude), config)
    found = {}
    for run in runs:
        for table in run.plan.tables:
            name = f"table {table.name}"
            if run.plan.source != place:
                found[run.id, table.name] = f"{name} was read from {run.plan.source}, not from {place}"
            elif now.get(CONTENT) != run.fingerprint.get(CONTENT):
                found[run.id, table.name] = f"the dump {place} is another one than run {run.id} has read"
            elif name not in now:
                found[run.id, table.name] = f"{name} is no longer in the source"
            elif now[name] != run.fingerprint.get(name):
                found[run.id, table.name] = f"the structure of {name} in the source has changed since run {run.id}"
    return found


def _newest(target: Connection, config: Config) -> ledger.Run:
    run = ledger.latest(target, config.target_schema)
    if run is None:
        raise ForbiddenError(f"{config.target_url.place} holds no record of a run into schema {config.target_schema}")
    return run


def _rows(target: Connection, run_id: str, selection: rejects.Selection) -> Generator[Row, None, None]:
    def place(entry: rejects.Entry) -> tuple[str, int, int]:
        return entry.reject.table, entry.reject.chunk, entry.reject.row

    for _, group in groupby(rejects.entries(target, run_id, selection), place):
        yield Row(tuple(group))


def _values(plan: Plan, found: Reject) -> dict[str, str | dict[str, str] | None]:
    kept = unpack_row(found.kept)
    columns = enumerate(plan.table(found.table).columns)
    return {column.name: _shown(bytes_of(kept.column(place)[0])) for place, column in columns}


def _shown(original: bytes | None) -> str | dict[str, str] | None:
    if original is None:
        return None
    try:
        return original.decode()
    except UnicodeDecodeError:
        return {"hex": original.hex()}
