"""The run's record in the target, schema `vecferry`: which run, which chunks are committed, which steps are done.

A chunk's row commits with the chunk's rows and with what was rejected of them (`steps/copy.py`, `target/rejects.py`),
so after any crash a chunk is wholly there or wholly absent.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString

import orjson
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from vecferry.model import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.model import ChunkResult
    from vecferry.target.connect import Connection

SCHEMA = "vecferry"

_STATEMENTS = (
    "CREATE SCHEMA IF NOT EXISTS vecferry",
    """CREATE TABLE IF NOT EXISTS vecferry.run (
      id uuid PRIMARY KEY,
      started timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished timestamptz,
      version text NOT NULL,
      source text NOT NULL,
      target_schema text NOT NULL,
      fingerprint jsonb NOT NULL,
      plan jsonb NOT NULL,
      report jsonb,
      position jsonb,
      moved jsonb
    )""",
    """CREATE TABLE IF NOT EXISTS vecferry.chunk (
      run_id uuid NOT NULL REFERENCES vecferry.run ON DELETE CASCADE,
      table_name text NOT NULL,
      number integer NOT NULL,
      rows_read bigint NOT NULL,
      rows_written bigint NOT NULL,
      rows_rejected bigint NOT NULL,
      bytes_read bigint NOT NULL,
      seconds double precision NOT NULL,
      committed timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (run_id, table_name, number)
    )""",
    """CREATE TABLE IF NOT EXISTS vecferry.reject (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      run_id uuid NOT NULL REFERENCES vecferry.run ON DELETE CASCADE,
      table_name text NOT NULL,
      chunk integer NOT NULL,
      row_number bigint NOT NULL,
      key json,
      column_name text,
      reason text NOT NULL,
      message text NOT NULL,
      original bytea,
      action text NOT NULL CHECK (action IN ('reject', 'null')),
      kept bytea NOT NULL,
      rejected timestamptz NOT NULL DEFAULT clock_timestamp()
    )""",
    "CREATE INDEX IF NOT EXISTS reject_run_id ON vecferry.reject (run_id, table_name, chunk, row_number)",
    """CREATE TABLE IF NOT EXISTS vecferry.step (
      run_id uuid NOT NULL REFERENCES vecferry.run ON DELETE CASCADE,
      name text NOT NULL,
      started timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished timestamptz,
      PRIMARY KEY (run_id, name)
    )""",
)

_LOCK_KEY = 0x7665_6366_6572_7279
"""The advisory lock of a running migration: "vecferry" as eight ASCII bytes."""
LOCK_SECONDS = 5.0
"""How long the lock is waited for: the server notices the end of a client that was killed a little later."""
_LOCK_PAUSE_SECONDS = 0.2

_END_FORMER = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l
WHERE l.pid = %(former)s AND l.locktype = 'advisory' AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) + l.objid::bigint = %(key)s
"""

_PLAN = TypeAdapter(Plan)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the ledger knows it."""

    id: str
    plan: Plan
    fingerprint: dict[str, str]
    finished: bool
    report: dict[str, Any] | None
    position: dict[str, Any] = field(default_factory=dict)
    """Where the source stood when the run began."""


@dataclass(frozen=True, slots=True)
class TableTotals:
    """What the committed chunks of a table add up to."""

    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    bytes_read: int = 0
    seconds: float = 0.0


def lock(connection: Connection, former: int = 0) -> bool:
    """Takes the target for this session; False where another migration has it.

    Args:
        connection: an open connection to the target.
        former: the server's process of a connection of ours that died, maybe without the server's knowledge.
    """
    until = time.monotonic() + LOCK_SECONDS
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_KEY]).fetchone()
        if row and row[0]:
            return True
        if time.monotonic() > until:
            return False
        connection.execute(_END_FORMER, {"former": former, "key": _LOCK_KEY})
        time.sleep(_LOCK_PAUSE_SECONDS)


def held(connection: Connection) -> bool:
    """Says whether a migration, in whatever session, has the target now; changes nothing."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid::bigint = %s AND objid::bigint = %s)",
        [_LOCK_KEY >> 32, _LOCK_KEY & 0xFFFF_FFFF],
    ).fetchone()
    return bool(row and row[0])


def exists(connection: Connection) -> bool:
    """Says whether the target has a ledger; changes nothing."""
    row = connection.execute("SELECT to_regclass('vecferry.run') IS NOT NULL").fetchone()
    return bool(row and row[0])


def by_id(connection: Connection, run_id: str) -> Run | None:
    """Returns the run called `run_id`, if the ledger has it."""
    if not exists(connection):
        return None
    found = runs(connection, "id = %s", [run_id])
    return found[0] if found else None


def latest(connection: Connection, target_schema: str) -> Run | None:
    """Returns the newest run into `target_schema`, if there is one."""
    if not exists(connection):
        return None
    newest = "id = (SELECT id FROM vecferry.run WHERE target_schema = %s ORDER BY started DESC LIMIT 1)"
    found = runs(connection, newest, [target_schema])
    return found[0] if found else None


def runs(connection: Connection, condition: LiteralString, values: Sequence[object]) -> list[Run]:
    """Returns the runs of which `condition` is true, the oldest first."""
    query: LiteralString = "SELECT id::text, plan::text, fingerprint, finished IS NOT NULL, report, position"
    found = connection.execute(f"{query} FROM vecferry.run WHERE {condition} ORDER BY started", values)
    return [Run(row[0], _PLAN.validate_json(row[1]), *row[2:]) for row in found]


def begin(connection: Connection, plan: Plan, version: str, position: dict[str, Any] | None = None) -> str:
    """Records a new run with its whole plan and returns its id; makes the ledger where there is none.

    Args:
        connection: an open connection to the target.
        plan: what the run does.
        version: vecferry's.
        position: where the source stands.
    """
    run_id = str(uuid.uuid4())
    for statement in _STATEMENTS:
        connection.execute(statement.encode())
    connection.execute(
        "INSERT INTO vecferry.run (id, version, source, target_schema, fingerprint, plan, position)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            run_id,
            version,
            plan.source,
            plan.target_schema,
            Jsonb(plan.fingerprint),
            Jsonb(dataclasses.asdict(plan), dumps=orjson.dumps),
            Jsonb(position or {}, dumps=orjson.dumps),
        ],
    )
    return run_id


def reset(connection: Connection, run_id: str) -> None:
    """Takes back what a run has done, but keeps the run and its plan."""
    connection.execute("DELETE FROM vecferry.reject WHERE run_id = %s", [run_id])
    connection.execute("DELETE FROM vecferry.chunk WHERE run_id = %s", [run_id])
    connection.execute("DELETE FROM vecferry.step WHERE run_id = %s", [run_id])


def forget(connection: Connection, run_id: str) -> None:
    """Throws a run's record away, its chunks and steps with it."""
    connection.execute("DELETE FROM vecferry.run WHERE id = %s", [run_id])


def finish(connection: Connection, run_id: str, report: dict[str, Any]) -> None:
    """Marks the run as finished and keeps its report."""
    connection.execute(
        "UPDATE vecferry.run SET finished = clock_timestamp(), report = %s WHERE id = %s",
        [Jsonb(report, dumps=orjson.dumps), run_id],
    )


def moved(connection: Connection, run_id: str) -> tuple[str, ...] | None:
    """Returns how the source moved during the copy; None where that was not compared yet."""
    row = connection.execute("SELECT moved FROM vecferry.run WHERE id = %s", [run_id]).fetchone()
    return tuple(row[0]) if row and row[0] is not None else None


def record_moved(connection: Connection, run_id: str, signs: tuple[str, ...]) -> None:
    """Records how the source moved during the copy."""
    query = "UPDATE vecferry.run SET moved = %s WHERE id = %s"
    connection.execute(query, [Jsonb(list(signs), dumps=orjson.dumps), run_id])


def committed(connection: Connection, run_id: str) -> frozenset[tuple[str, int]]:
    """Returns table and number of every committed chunk."""
    rows = connection.execute("SELECT table_name, number FROM vecferry.chunk WHERE run_id = %s", [run_id])
    return frozenset((str(table), int(number)) for table, number in rows)


def totals(connection: Connection, run_id: str) -> dict[str, TableTotals]:
    """Returns what the committed chunks add up to, by table."""
    rows = connection.execute(
        "SELECT table_name, sum(rows_read)::bigint, sum(rows_written)::bigint, sum(rows_rejected)::bigint,"
        " sum(bytes_read)::bigint, sum(seconds) FROM vecferry.chunk WHERE run_id = %s GROUP BY table_name",
        [run_id],
    )
    return {str(table): TableTotals(*numbers) for table, *numbers in rows}


def chunk_times(connection: Connection, run_id: str) -> list[tuple[float, float, int, int]]:
    """Returns of each committed chunk the second of its commit, the seconds it took, its rows and its bytes."""
    query = (
        "SELECT extract(epoch FROM committed)::float8, seconds, rows_written, bytes_read FROM vecferry.chunk"
        " WHERE run_id = %s"
    )
    return [(float(end), float(taken), int(rows), int(size)) for end, taken, rows, size
            in connection.execute(query, [run_id])]  # fmt: skip


def chunk_statement(run_id: str, result: ChunkResult) -> str:
    """Returns the statement that records a chunk, for the connection that loads it."""
    values = (run_id, result.table, result.number, result.rows_read, result.rows_written, result.rows_rejected,
              result.bytes_read, result.seconds)  # fmt: skip
    return _written(
        "INSERT INTO vecferry.chunk (run_id, table_name, number, rows_read, rows_written, rows_rejected, bytes_read,"
        " seconds) VALUES ({}, {}, {}, {}, {}, {}, {}, {})",
        *values,
    )


def chunk_query(run_id: str, table: str, number: int) -> str:
    """Returns the query for a chunk that is recorded: the fields of `ChunkResult` from `rows_read` on."""
    return _written(
        "SELECT rows_read, rows_written, rows_rejected, bytes_read, seconds FROM vecferry.chunk"
        " WHERE run_id = {} AND table_name = {} AND number = {}",
        run_id, table, number,
    )  # fmt: skip


def _written(query: LiteralString, *values: object) -> str:
    return sql.SQL(query).format(*map(sql.Literal, values)).as_string()


def steps_done(connection: Connection, run_id: str) -> frozenset[str]:
    """Returns the names of the finished steps."""
    rows = connection.execute("SELECT name FROM vecferry.step WHERE run_id = %s AND finished IS NOT NULL", [run_id])
    return frozenset(str(row[0]) for row in rows)


def begin_step(connection: Connection, run_id: str, name: str) -> None:
    """Records that a step starts, or starts again."""
    connection.execute(
        "INSERT INTO vecferry.step (run_id, name) VALUES (%s, %s)"
        " ON CONFLICT (run_id, name) DO UPDATE SET started = clock_timestamp(), finished = NULL",
        [run_id, name],
    )


def finish_step(connection: Connection, run_id: str, name: str) -> None:
    """Records that a step is done."""
    connection.execute(
        "UPDATE vecferry.step SET finished = clock_timestamp() WHERE run_id = %s AND name = %s", [run_id, name]
    )
