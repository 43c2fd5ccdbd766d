"""What is done with the reject store after a run: look, take out, try again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from vecferry.errors import ForbiddenError, InvalidValueError
from vecferry.steps.keys import make_keys
from vecferry.steps.retry_rejects import Row, correction_of, retry_row
from vecferry.steps.sequences import set_sequences
from vecferry.target import ledger, rejects
from vecferry.target.connect import connect, translated
from vecferry.target.ingest import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vecferry.config import Config
    from vecferry.target.connect import Connection


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
        """Whether the store is empty now."""
        return not self.refused and not self.not_corrected

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints; its names are stable."""
        return {"landed": self.landed, "not_corrected": self.not_corrected, "refused": list(self.refused)}


def list_rejects(config: Config) -> Iterator[dict[str, Any]]:
    """Yields the entries of the last run's reject store, in the order of the rows.

    Each is `{"id", "table", "key", "column", "reason", "message", "action", "original"}`; `original` is the value's
    text, `{"hex": ...}` where it is none, None for NULL and for a row that was refused as a whole.

    Raises:
        TargetError: the target cannot be read.
        ForbiddenError: there has been no run.
    """
    with connect(config.target_url) as target, translated(config.target_url, "read the reject store"):
        for entry in rejects.entries(target, _run(target, config).id):
            found = entry.reject
            yield {
                "id": entry.id,
                "table": found.table,
                "key": found.key,
                "column": found.column,
                "reason": found.reason,
                "message": found.message,
                "action": found.action,
                "original": _shown(found.original),
            }


def retry_rejects(config: Config, values: Mapping[int, Any] | None = None) -> Retried:
    """Tries to land what is in the last run's reject store, each row in a transaction of its own.

    Args:
        config: the run's ends; a source is needed without `values`.
        values: corrected values by the number of their entry, see `steps.retry_rejects.Value`; None to read the rows
            from the source again.

    Raises:
        ForbiddenError: there has been no run, it has not come to the end of its load, or another is running.
        SourceError: the source cannot be read.
        TargetError: the target cannot be written.
    """
    url = config.target_url
    with connect(url) as target, translated(url, "retry what was rejected"):
        if not ledger.lock(target):
            raise ForbiddenError(f"a migration is running on {url.place}: wait for its end")
        run = _run(target, config)
        if "cast" not in ledger.steps_done(target, run.id):
            raise ForbiddenError(
                "the last run has not come to the end of its load: finish it with `vecferry migrate`, then retry"
            )
        landed, left, refused = 0, 0, list[str]()
        with closing(Loader(url, run.plan.target_schema)) as loader, closing(loader.writer()) as writer:
            for row in _rows(target, run.id):
                try:
                    correction = None if values is None else correction_of(row, run.plan, values)
                    if values is not None and correction is None:
                        left += 1
                        continue
                    source = None if values is not None else config.source_url
                    retry_row(run.plan, run.id, row, correction, source, writer)
                    landed += 1
                except InvalidValueError as error:
                    refused.append(str(error))
        if landed:
            make_keys(target, run.plan)
            set_sequences(target, run.plan)
    return Retried(landed, tuple(refused), left)


def _run(target: Connection, config: Config) -> ledger.Run:
    run = ledger.latest(target, config.target_schema)
    if run is None:
        raise ForbiddenError(f"{config.target_url.place} holds no record of a run into schema {config.target_schema}")
    return run


def _rows(target: Connection, run_id: str) -> Iterator[Row]:
    def place(entry: rejects.Entry) -> tuple[str, int, int]:
        return entry.reject.table, entry.reject.chunk, entry.reject.row

    for _, group in groupby(rejects.entries(target, run_id), place):
        yield Row(tuple(group))


def _shown(original: bytes | None) -> str | dict[str, str] | None:
    if original is None:
        return None
    try:
        return original.decode()
    except UnicodeDecodeError:
        return {"hex": original.hex()}
