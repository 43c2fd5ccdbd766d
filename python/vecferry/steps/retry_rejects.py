"""Lands rows and values of the reject store: corrected by the user, or read from the source again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from psycopg import sql

from vecferry.convert.batches import bytes_of, convert_batch
from vecferry.convert.rejects import fault_words, key_of, place_words, unpack_row
from vecferry.errors import InvalidValueError, RefusedRowError
from vecferry.mapping.identifiers import qualified, quote
from vecferry.source.read import read_row
from vecferry.target import rejects

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vecferry.config import DatabaseURL
    from vecferry.model import EmbeddingSpec, Plan, Reject, TablePlan
    from vecferry.target.ingest import Writer
    from vecferry.target.rejects import Entry

Value = Any
"""A corrected value as JSON: the text that PostgreSQL reads as the column's type, a number, a boolean, None for NULL;
of an embedding also a list or an object. Of a row that was refused as a whole an object, values by column."""

_STAGE = "vecferry_retry"
_LOADED = {"real[]": "vector", "packed real[]": "packed"}
"""After the load a column that took `real[]` is a vector."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with all that is in the store of it."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Reject:
        """One of its entries."""
        return self.entries[0].reject

    @property
    def left_out(self) -> bool:
        """Whether the row is not in the target."""
        return self.first.action == "reject"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a row is to hold instead of what was read."""

    embeddings: dict[str, str | None]
    """The embeddings' texts, by column."""
    others: dict[str, str | None]
    """Other columns' values in PostgreSQL's words."""


def correction_of(row: Row, plan: Plan, values: Mapping[int, Value]) -> Correction | None:
    """Returns the corrections of a row; None where an entry has none.

    Args:
        row: the row.
        plan: the run's plan.
        values: corrected values by the number of their entry.

    Raises:
        InvalidValueError: a value has not the form that is needed.
    """
    table = plan.table(row.first.table)
    texts = _embeddings(plan, table)
    found = Correction({}, {})
    for entry in row.entries:
        if entry.id not in values:
            return None
        value, column = values[entry.id], entry.reject.column
        named = value if column is None else {column: value}
        if not isinstance(named, dict):
            raise InvalidValueError(
                f"the value of reject {entry.id} must be an object of columns and values: the whole row was refused"
            )
        for name, one in named.items():
            if name not in {known.name for known in table.columns}:
                raise InvalidValueError(f"reject {entry.id}: table {table.target} has no column {name} that is carried")
            (found.embeddings if name in texts else found.others)[name] = _text(one)
    return found


def retry_row(
    plan: Plan, run_id: str, row: Row, correction: Correction | None, source: DatabaseURL | None, writer: Writer
) -> None:
    """Lands a row, or the values of it that had become NULL, and takes it out of the store, in one transaction.

    Args:
        plan: the run's plan.
        run_id: the ledger's id of the run.
        row: what is in the store of the row.
        correction: what to write instead; None to read the row from the source again.
        source: where to read; needed without a correction.
        writer: an open writer into the target's schema.

    Raises:
        InvalidValueError: it still cannot be carried; the store stays as it is.
        SourceError: the row cannot be read.
        TargetError: PostgreSQL refused something else than a value.
    """
    table = plan.table(row.first.table)
    where = f"table {table.name} at {place_words(row.first.key, row.first.row)}"
    kept = unpack_row(row.first.kept)
    try:
        if correction is None:
            _land(writer, plan, _loaded(table), row, _again(kept, table, source, where), {}, where)
        else:
            corrected = replace(_loaded(table, correction.embeddings), guards=())
            _land(writer, plan, corrected, row, _corrected(kept, corrected, correction), correction.others, where)
        writer.execute(rejects.remove_statement([entry.id for entry in row.entries]))
        if row.left_out:
            writer.execute(rejects.landed_statement(run_id, table.name, row.first.chunk))
        writer.commit()
    except _StillInvalidError as error:
        writer.rollback()
        _add(writer, run_id, row, error)
        raise
    except BaseException:
        writer.rollback()
        raise


class _StillInvalidError(InvalidValueError):
    def __init__(self, sentence: str, column: str | None, reason: str, message: str, original: bytes | None) -> None:
        super().__init__(sentence)
        self.column = column
        self.reason = reason
        self.message = message
        self.original = original


def _add(writer: Writer, run_id: str, row: Row, error: _StillInvalidError) -> None:
    """Puts a fault into the store that came to light only now, so that it can be corrected with the others."""
    if error.column in {entry.reject.column for entry in row.entries}:
        return
    found = replace(row.first, column=error.column, reason=error.reason, message=error.message, original=error.original)
    rejects.add(writer, run_id, [found])
    writer.commit()


def _loaded(table: TablePlan, texts: Collection[str] = ()) -> TablePlan:
    """Returns the table as it is after the load; the values of `texts` are embeddings as text."""
    columns = (
        replace(column, wire="vector" if column.name in texts else _LOADED.get(column.wire, column.wire))
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def _again(kept: pa.RecordBatch, table: TablePlan, source: DatabaseURL | None, where: str) -> pa.RecordBatch:
    key = key_of(kept, table, 0)
    if source is None or key is None or None in key.values():
        raise InvalidValueError(f"{where} has no key to find it by in the source: correct it with --values")
    found = read_row(source, table, kept)
    if found is None:
        raise InvalidValueError(f"{where} is no longer in the source: correct it with --values")
    return found


def _corrected(kept: pa.RecordBatch, table: TablePlan, correction: Correction) -> pa.RecordBatch:
    """Returns the row with the corrected embeddings, and NULL where another value is written later."""
    arrays = []
    for place, column in enumerate(table.columns):
        array = kept.column(place)
        if column.name in correction.embeddings:
            array = pa.array([correction.embeddings[column.name]], pa.string())
        elif column.name in correction.others:
            array = pa.nulls(1, array.type)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in table.columns])


def _land(
    writer: Writer,
    plan: Plan,
    table: TablePlan,
    row: Row,
    batch: pa.RecordBatch,
    others: Mapping[str, str | None],
    where: str,
) -> None:
    """Converts a row and writes it, its `others` in PostgreSQL's words, in the writer's open transaction."""
    converted = convert_batch(batch, table, _embeddings(plan, table))
    for fault in converted.faults:
        words = fault_words(batch, table, fault, row.first.row)
        raise _StillInvalidError(words, fault.column, fault.reason, fault.message, fault.original)
    try:
        _write(writer, plan, table, row, converted.batch, others, where)
    except RefusedRowError as error:
        names = [column.name for column in table.columns]
        column = error.column if error.column in names and error.column not in others else None
        original = None if column is None else bytes_of(batch.column(names.index(column))[0])
        raise _StillInvalidError(f"{where}: {error}", column, error.sqlstate, error.words, original) from error


def _write(
    writer: Writer,
    plan: Plan,
    table: TablePlan,
    row: Row,
    wire: pa.RecordBatch,
    others: Mapping[str, str | None],
    where: str,
) -> None:
    if row.left_out and not others:
        writer.write(table.target, pa.RecordBatchReader.from_batches(wire.schema, [wire]))
        return
    target, stage = qualified(plan.target_schema, table.target), f"pg_temp.{_STAGE}"
    listed = ", ".join(quote(column.name) for column in table.columns)
    writer.execute(f"CREATE TEMPORARY TABLE {_STAGE} ON COMMIT DROP AS SELECT {listed} FROM {target} WITH NO DATA")
    writer.write(_STAGE, pa.RecordBatchReader.from_batches(wire.schema, [wire]), "pg_temp")
    for name, value in others.items():
        statement = f"UPDATE {stage} SET {quote(name)} = {sql.Literal(value).as_string()}"
        try:
            writer.execute(statement, f"take the corrected value of {name}")
        except RefusedRowError as error:
            raise InvalidValueError(f"{where}: {error}") from error
    if row.left_out:
        writer.execute(f"INSERT INTO {target} ({listed}) OVERRIDING SYSTEM VALUE SELECT {listed} FROM {stage}")
        return
    names = sorted({entry.reject.column for entry in row.entries if entry.reject.column} | set(others))
    updated = _update(writer, target, stage, names, _key(table, where))
    if updated != 1:
        raise InvalidValueError(f"{where} was found {updated} times in the target: nothing was changed")


def _update(writer: Writer, target: str, stage: str, names: Sequence[str], key: Sequence[str]) -> int:
    changes = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in names)
    same = " AND ".join(f"t.{quote(name)} = s.{quote(name)}" for name in key)
    query = (
        f"WITH updated AS (UPDATE {target} AS t SET {changes} FROM {stage} AS s WHERE {same} RETURNING 1)"
        " SELECT count(*) AS count FROM updated"
    )
    return int(writer.rows(query, "write a corrected value")[0]["count"])


def _key(table: TablePlan, where: str) -> list[str]:
    names = [column.name for column in table.columns if (column.source or column.name) in table.key]
    if not names:
        raise InvalidValueError(f"{where} has no key to find it by in the target: correct the value there")
    return names


def _embeddings(plan: Plan, table: TablePlan) -> dict[str, EmbeddingSpec]:
    return {spec.column: spec for spec in plan.embeddings if spec.table == table.target}


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
