"""The reject store, `vecferry.reject`: values that could not be carried, with their original bytes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from psycopg import sql

from vecferry.model import Reject
from vecferry.target import ledger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vecferry.model import Plan
    from vecferry.target.connect import Connection
    from vecferry.target.ingest import Writer

_LOCK_KEY = 0x7665_6366_5245_4A54
"""Held by a transaction that adds rejects, so that they are counted one after the other: "vecfREJT" in ASCII."""
_TABLE = "reject"
_FEW = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the store."""

    id: int
    reject: Reject


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of the store are meant."""

    tables: tuple[str, ...] = ()
    """Names in the source; all where there are none."""
    ids: tuple[int, ...] = ()
    """Numbers of entries, each of which stands for its row; all where there are none."""

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Returns a condition on entries, and its parameters."""
        parts = ["true"]
        if self.tables:
            parts.append("table_name = ANY (%(tables)s)")
        if self.ids:
            place = "run_id, table_name, chunk, row_number"
            parts.append(f"({place}) IN (SELECT {place} FROM vecferry.reject WHERE id = ANY (%(ids)s))")
        return " AND ".join(parts), {"tables": list(self.tables), "ids": list(self.ids)}


EVERYTHING = Selection()


def add(writer: Writer, run_id: str, rejects: Sequence[Reject]) -> None:
    """Adds to the store in the writer's open transaction.

    Raises:
        TargetError: PostgreSQL refused; its own words are in the message.
    """
    if not rejects:
        return
    rows = {
        "run_id": pa.array([uuid.UUID(run_id).bytes] * len(rejects), pa.binary(16)),
        "table_name": pa.array([entry.table for entry in rejects], pa.string()),
        "chunk": pa.array([entry.chunk for entry in rejects], pa.int32()),
        "row_number": pa.array([entry.row for entry in rejects], pa.int64()),
        "key": pa.array([_json(entry.key) for entry in rejects], pa.string()),
        "column_name": pa.array([entry.column for entry in rejects], pa.string()),
        "reason": pa.array([entry.reason for entry in rejects], pa.string()),
        "message": pa.array([_message(entry) for entry in rejects], pa.string()),
        "original": pa.array([entry.original for entry in rejects], pa.large_binary()),
        "action": pa.array([entry.action for entry in rejects], pa.string()),
        "kept": pa.array([entry.kept for entry in rejects], pa.large_binary()),
    }
    batch = pa.RecordBatch.from_pydict(rows)
    writer.write(_TABLE, pa.RecordBatchReader.from_batches(batch.schema, [batch]), ledger.SCHEMA)


def runs(connection: Connection, target_schema: str) -> list[ledger.Run]:
    """Returns the runs into a schema that have anything in the store, the oldest first."""
    row = connection.execute("SELECT to_regclass('vecferry.reject') IS NOT NULL").fetchone()
    if not (row and row[0]):
        return []
    condition = "target_schema = %s AND EXISTS (SELECT 1 FROM vecferry.reject WHERE run_id = run.id)"
    return ledger.runs(connection, condition, [target_schema])


def supersede(connection: Connection, plan: Plan, run_id: str) -> None:
    """Takes out of the store what earlier runs have rejected of tables that the run `run_id` loads again."""
    loaded = {table.target for table in plan.tables}
    for run in runs(connection, plan.target_schema):
        if run.id != run_id:
            names = [table.name for table in run.plan.tables if table.target in loaded]
            query = "DELETE FROM vecferry.reject WHERE run_id = %s AND table_name = ANY (%s)"
            connection.execute(query, [run.id, names])


def count(writer: Writer, run_id: str) -> int:
    """Returns how many entries the run has with those of the open transaction; others that add any wait for its end.

    Raises:
        TargetError: PostgreSQL refused; its own words are in the message.
    """
    writer.execute(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
    query = sql.SQL("SELECT count(*) AS count FROM vecferry.reject WHERE run_id = {}").format(sql.Literal(run_id))
    return int(writer.rows(query.as_string())[0]["count"])


def counts(connection: Connection, run_id: str) -> list[tuple[Any, ...]]:
    """Returns what the store has of a run: table, column, reason, action, count, the first's message, a few keys."""
    found = connection.execute(
        "SELECT table_name, column_name, reason, action, count(*), (array_agg(message ORDER BY id))[1],"
        " (array_agg(key::text ORDER BY id) FILTER (WHERE key IS NOT NULL))[:%s] FROM vecferry.reject"
        " WHERE run_id = %s GROUP BY table_name, column_name, reason, action"
        " ORDER BY table_name, column_name, reason",
        [_FEW, run_id],
    )
    return [(*row[:6], tuple(row[6] or ())) for row in found]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value of the store belongs, without the value."""

    table: str
    chunk: int
    row: int
    key: dict[str, Any] | None
    column: str | None
    action: str


def places(connection: Connection, run_id: str) -> Iterator[Place]:
    """Yields where the values of a run's store belong."""
    found = connection.execute(
        "SELECT table_name, chunk, row_number, key::text, column_name, action FROM vecferry.reject WHERE run_id = %s",
        [run_id],
    )
    for table, chunk, number, key, column, action in found:
        yield Place(table, chunk, number, None if key is None else orjson.loads(key), column, action)


def rows_of(connection: Connection, runs: Sequence[str], selection: Selection) -> list[tuple[str, str, int, int]]:
    """Returns of what is selected, by table and action: how many rows and entries."""
    condition, values = selection.condition()
    query = (
        "SELECT table_name, action, count(DISTINCT (run_id, chunk, row_number)), count(*) FROM vecferry.reject"
        f" WHERE run_id = ANY (%(runs)s::uuid[]) AND {condition}"
        " GROUP BY table_name, action ORDER BY table_name, action"
    )
    return connection.execute(query.encode(), {**values, "runs": list(runs)}).fetchall()


def tables_of(connection: Connection, runs: Sequence[str]) -> set[str]:
    """Returns the tables that the store has anything of."""
    query = "SELECT DISTINCT table_name FROM vecferry.reject WHERE run_id = ANY (%s::uuid[])"
    return {name for (name,) in connection.execute(query, [list(runs)])}


def remove(connection: Connection, runs: Sequence[str], selection: Selection) -> None:
    """Takes what is selected out of the store."""
    condition, values = selection.condition()
    query = f"DELETE FROM vecferry.reject WHERE run_id = ANY (%(runs)s::uuid[]) AND {condition}"
    connection.execute(query.encode(), {**values, "runs": list(runs)})


def entries(connection: Connection, run_id: str, selection: Selection = EVERYTHING) -> Iterator[Entry]:
    """Yields the entries of a run by table and row; few are held at a time."""
    condition, values = selection.condition()
    columns = "id, table_name, chunk, row_number, key::text, column_name, reason, message, original, action, kept"
    query = sql.SQL(
        f"SELECT {columns} FROM vecferry.reject WHERE run_id = %(run)s AND {condition}"
        " ORDER BY table_name, chunk, row_number, id"
    )
    with connection.transaction(), connection.cursor(name="vecferry_rejects") as cursor:
        cursor.itersize = 50
        for row in cursor.execute(query, {**values, "run": run_id}):
            table, chunk, number, key, column, reason, message, original, action, kept = row[1:]
            loaded = None if key is None else orjson.loads(key)
            yield Entry(row[0], Reject(table, chunk, number, loaded, column, reason, message, original, action, kept))


def remove_statement(ids: Sequence[int]) -> str:
    """Returns the statement that takes entries out of the store."""
    return sql.SQL("DELETE FROM vecferry.reject WHERE id = ANY ({})").format(sql.Literal(list(ids))).as_string()


def renew_statement(number: int, now: Reject) -> str:
    """Returns the statement that makes an entry what is wrong with its row as it was read again."""
    query = (
        "UPDATE vecferry.reject SET reason = {}, message = {}, original = {}, kept = {}, rejected = clock_timestamp()"
        " WHERE id = {}"
    )
    values = (now.reason, _message(now), now.original, now.kept, number)
    return sql.SQL(query).format(*map(sql.Literal, values)).as_string()


def explain_statement(number: int, now: Reject) -> str:
    """Returns the statement that tells an entry why its correction was refused."""
    query = "UPDATE vecferry.reject SET reason = {}, message = {} WHERE id = {}"
    return sql.SQL(query).format(*map(sql.Literal, (now.reason, _message(now), number))).as_string()


def newest_query(run_id: str) -> str:
    """Returns the query for the number, `id`, of the entry that was added last."""
    query = "SELECT max(id) AS id FROM vecferry.reject WHERE run_id = {}"
    return sql.SQL(query).format(sql.Literal(run_id)).as_string()


def unknown(connection: Connection, runs: Sequence[str], numbers: Collection[int]) -> list[int]:
    """Returns which of `numbers` are, and were, of no entry of `runs`; all of them where none is an entry today."""
    query = "SELECT id, run_id::text = ANY (%s) FROM vecferry.reject WHERE id = ANY (%s)"
    there: dict[int, bool] = dict(connection.execute(query, [list(runs), list(numbers)]).fetchall())
    if not any(there.values()):
        return sorted(numbers)
    last = "SELECT pg_sequence_last_value(pg_get_serial_sequence('vecferry.reject', 'id')::regclass)"
    [given] = connection.execute(last).fetchone() or (0,)
    return sorted(number for number in numbers if not there.get(number, 0 < number <= (given or 0)))


def landed_statement(run_id: str, table: str, chunk: int) -> str:
    """Returns the statement that counts a row of a chunk as written that was rejected."""
    return (
        sql.SQL(
            "UPDATE vecferry.chunk SET rows_written = rows_written + 1, rows_rejected = rows_rejected - 1"
            " WHERE run_id = {} AND table_name = {} AND number = {}"
        )
        .format(sql.Literal(run_id), sql.Literal(table), sql.Literal(chunk))
        .as_string()
    )


def _message(entry: Reject) -> str:
    # PostgreSQL's text takes no NUL, which a value that is quoted may have.
    return entry.message.replace("\0", "\\0")


def _json(key: dict[str, Any] | None) -> str | None:
    return None if key is None else orjson.dumps(key, default=_plain).decode()


def _plain(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
