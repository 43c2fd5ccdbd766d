"""Lands rows and values of the reject store: corrected by the user, or read from the source again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from psycopg import sql

from vecferry.convert.batches import bytes_of, convert_batch
from vecferry.convert.rejects import fault_words, pack_row, place_words, unpack_row
from vecferry.errors import InvalidValueError, RefusedRowError
from vecferry.mapping.identifiers import qualified, quote
from vecferry.target import rejects
from vecferry.written import Written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vecferry.model import EmbeddingSpec, Plan, Reject, TablePlan
    from vecferry.origin import Source
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

    @property
    def columns(self) -> frozenset[str]:
        """The columns that its entries name."""
        return frozenset(entry.reject.column for entry in self.entries if entry.reject.column is not None)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a row is to hold instead of what was read."""

    embeddings: dict[str, str | None]
    """The embeddings' texts, by column."""
    others: dict[str, str | None]
    """Other columns' values in PostgreSQL's words."""


def correction_of(
    row: Row, plan: Plan, values: Mapping[int, Value], more: Mapping[int, Mapping[str, Value]]
) -> Correction | None:
    """Returns the corrections of a row; None where an entry has none.

    Args:
        row: the row.
        plan: the run's plan.
        values: corrected values by the number of their entry.
        more: values of further columns of the row, by the number of one of its entries.

    Raises:
        InvalidValueError: a value has not the form that is needed.
    """
    table = plan.table(row.first.table)
    texts = _embeddings(plan, table)
    named: dict[str, Value] = {}
    for entry in row.entries:
        column = entry.reject.column
        if column is not None and entry.id in values:
            named[column] = values[entry.id]
        elif column is None and entry.id in values:
            if not isinstance(values[entry.id], dict):
                raise InvalidValueError(
                    "the whole row was refused, so its value must be an object of columns and values"
                )
            named |= values[entry.id]
        named |= more.get(entry.id, {})
    for entry in row.entries:
        there = entry.id in values or entry.id in more if entry.reject.column is None else entry.reject.column in named
        if not there:
            return None
    types = {column.name: column.target_type for column in table.columns}
    found = Correction({}, {})
    for name, value in named.items():
        if name not in types:
            shown = name.encode(errors="replace").decode()
            raise InvalidValueError(f"table {table.target} has no column {shown} that is carried")
        if name in texts:
            found.embeddings[name] = _text(name, value)
        else:
            found.others[name] = _text(name, value, types[name])
    return found


def retry_row(
    plan: Plan, run_id: str, row: Row, correction: Correction | None, source: Source | None, writer: Writer
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
            _land(
                writer,
                plan,
                _loaded(table),
                row,
                _again(kept, row.first.chunk, table, source, where),
                {},
                where,
                read=True,
            )
        else:
            corrected = replace(_loaded(table, correction.embeddings), guards=())
            _land(writer, plan, corrected, row, _corrected(kept, corrected, correction), correction.others, where)
        writer.execute(rejects.remove_statement([entry.id for entry in row.entries]))
        if row.left_out:
            writer.execute(rejects.landed_statement(run_id, table.name, row.first.chunk))
        writer.commit()
    except _StillInvalidError as error:
        writer.rollback()
        if correction is None:
            _renew(writer, run_id, row, error)
            raise
        new = _told(writer, run_id, row, error, {*correction.embeddings, *correction.others})
        if new is None:
            raise
        raise InvalidValueError(f"{error}: this is reject {new} now, and the file must correct it, too") from error
    except RefusedRowError as error:
        writer.rollback()
        raise InvalidValueError(f"{where}: {error}") from error
    except BaseException:
        writer.rollback()
        raise


class _StillInvalidError(InvalidValueError):
    """What is wrong with a row that was tried again.

    Args:
        sentence: what and where.
        found: the row's entries as they would be now, one at least.
    """

    def __init__(self, sentence: str, found: Sequence[Reject]) -> None:
        super().__init__(sentence)
        self.found = found


def _renew(writer: Writer, run_id: str, row: Row, error: _StillInvalidError) -> None:
    """Makes the row's entries what is wrong now that it was read again; of a row that is there only those it has."""
    found = {entry.column: entry for entry in error.found}
    for entry in row.entries:
        if now := found.pop(entry.reject.column, None):
            writer.execute(rejects.renew_statement(entry.id, now))
        elif row.left_out:
            writer.execute(rejects.remove_statement([entry.id]))
    if row.left_out:
        rejects.add(writer, run_id, list(found.values()))
    writer.commit()


def _told(
    writer: Writer, run_id: str, row: Row, error: _StillInvalidError, corrected: Collection[str]
) -> int | None:  # fmt: skip
    """Tells the store why a correction was refused; returns the number of the entry of a fault that is new.

    A fault of a column that was corrected, or of the row as a whole, is none: a better correction may follow.
    """
    found = {fault.column: fault for fault in error.found}
    for entry in row.entries:
        if fault := found.pop(entry.reject.column, None):
            writer.execute(rejects.explain_statement(entry.id, fault))
    new = [fault for fault in found.values() if fault.column is not None and fault.column not in corrected]
    rejects.add(writer, run_id, new)
    number = int(writer.rows(rejects.newest_query(run_id))[0]["id"]) if new else None
    writer.commit()
    return number


def _loaded(table: TablePlan, texts: Collection[str] = ()) -> TablePlan:
    """Returns the table as it is after the load; the values of `texts` are embeddings as text."""
    columns = (
        replace(column, wire="vector" if column.name in texts else _LOADED.get(column.wire, column.wire))
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def _again(kept: pa.RecordBatch, chunk: int, table: TablePlan, source: Source | None, where: str) -> pa.RecordBatch:
    key = [place for place, column in enumerate(table.columns) if (column.source or column.name) in table.key]
    if source is None or not key or any(kept.column(place).null_count for place in key):
        raise InvalidValueError(f"{where} has no key to find it by in the source: correct it with --values")
    found = source.read_row(table, chunk, kept)
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
    *,
    read: bool = False,
) -> None:
    """Converts a row and writes it, its `others` in PostgreSQL's words, in the writer's open transaction."""
    converted = convert_batch(batch, table, _embeddings(plan, table))
    # A corrected row is not what was read.
    again = replace(row.first, kept=pack_row(batch, 0)) if read else row.first
    faults = [fault for fault in converted.faults if row.left_out or fault.column in row.columns]
    if faults:
        found = [
            replace(again, column=fault.column, reason=fault.reason, message=fault.message, original=fault.original)
            for fault in faults
        ]
        raise _StillInvalidError(fault_words(batch, table, faults[0], row.first.row), found)
    try:
        _write(writer, plan, table, row, converted.batch, others, where)
    except RefusedRowError as error:
        names = [column.name for column in table.columns]
        column = error.column if error.column in names else None
        original = None if column is None else bytes_of(batch.column(names.index(column))[0])
        found = [replace(again, column=column, reason=error.sqlstate, message=error.words, original=original)]
        raise _StillInvalidError(f"{where}: {error}", found) from error


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
            error.column = name
            raise
    if row.left_out:
        writer.execute(f"INSERT INTO {target} ({listed}) OVERRIDING SYSTEM VALUE SELECT {listed} FROM {stage}")
        return
    same = " AND ".join(f"t.{quote(name)} = s.{quote(name)}" for name in _key(table, where))
    free = " AND ".join(f"t.{quote(name)} IS NULL" for name in sorted(row.columns))
    query = f"SELECT count(*) AS count, count(*) FILTER (WHERE {free}) AS free FROM {target} AS t, {stage} AS s"
    [found] = writer.rows(f"{query} WHERE {same}", "find a row")
    if found["count"] != 1:
        raise InvalidValueError(f"{where} was found {found['count']} times in the target: nothing was changed")
    if found["free"] != 1:
        names = ", ".join(sorted(row.columns))
        raise InvalidValueError(f"{where} is no longer NULL in {names} in the target: what is there stays")
    changes = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in sorted(row.columns | set(others)))
    statement = f"UPDATE {target} AS t SET {changes} FROM {stage} AS s WHERE {same} AND {free}"
    writer.execute(statement, "write a corrected value")


def _key(table: TablePlan, where: str) -> list[str]:
    names = [column.name for column in table.columns if (column.source or column.name) in table.key]
    if not names:
        raise InvalidValueError(f"{where} has no key to find it by in the target: correct the value there")
    return names


def _embeddings(plan: Plan, table: TablePlan) -> dict[str, EmbeddingSpec]:
    return {spec.column: spec for spec in plan.embeddings if spec.table == table.target}


def _text(name: str, value: Value, target_type: str = "") -> str | None:
    """Returns a value in PostgreSQL's words, numbers digit for digit."""
    if value is None:
        return None
    if isinstance(value, list) and target_type.endswith("[]"):
        text = _array(value)
    else:
        text = value if isinstance(value, str) else _json(value)
    if "\0" in text:
        raise InvalidValueError(f"the value of {name} has a NUL character, which PostgreSQL takes in no text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(f"the value of {name} has half a surrogate pair, which is no character") from None
    return text


def _json(value: Value) -> str:
    match value:
        case Written() | Decimal():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{_json(str(name))}: {_json(one)}" for name, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _array(value: Value) -> str:
    """Returns an array's literal (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT)."""
    if isinstance(value, list):
        return "{" + ",".join(map(_array, value)) + "}"
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else _json(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
