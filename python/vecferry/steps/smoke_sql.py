"""Runs a statement of `[smoke]` on the target, which it cannot change, and compares what it returns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg

from vecferry.errors import one_line
from vecferry.expected import same, shortened, shown
from vecferry.report.report import SmokeResult

if TYPE_CHECKING:
    from vecferry.sections import SqlCheck
    from vecferry.target.connect import Connection

MAX_ROWS = 10_000
"""The most rows of an answer that are looked at."""


def check_sql(target: Connection, check: SqlCheck, seconds: float) -> SmokeResult:
    """Runs a statement in a transaction that can only read and is rolled back.

    Args:
        target: a connection that was opened read-only.
        check: the statement, and what it must return.
        seconds: the most that it may take.

    Raises:
        psycopg.OperationalError: the connection is lost.
    """
    started = time.perf_counter()
    passed, found = _outcome(target, check, seconds)
    taken = round(1000 * (time.perf_counter() - started), 1)
    return SmokeResult(check.name, "sql", passed, expectation(check), found, taken)


def _outcome(target: Connection, check: SqlCheck, seconds: float) -> tuple[bool, str]:
    try:
        with target.transaction(force_rollback=True):
            target.execute(f"SET LOCAL statement_timeout = {max(1, int(1000 * seconds))}".encode())
            cursor = target.execute(check.sql.encode(), prepare=False)
            rows = [list(row) for row in cursor.fetchmany(MAX_ROWS + 1)] if cursor.description else None
    except psycopg.errors.QueryCanceled:
        return False, f"no answer within {seconds:g} s"
    except psycopg.Error as error:
        if target.closed:
            raise
        return False, f"PostgreSQL refused it: {shortened(error.diag.message_primary or one_line(error))}"
    if rows is None:
        return False, "a statement that returns no rows"
    if len(rows) > MAX_ROWS:
        return False, f"more than {MAX_ROWS:,} rows"
    return _fits(check, rows), _found(check, rows)


def _fits(check: SqlCheck, rows: list[list[Any]]) -> bool:
    if check.row_count is not None:
        return len(rows) == check.row_count
    if check.rows is not None:
        return same(check.rows, rows)
    return len(rows) == 1 and len(rows[0]) == 1 and same(check.value, rows[0][0])


def expectation(check: SqlCheck) -> str:
    """Returns what a statement must return, for reading."""
    if check.row_count is not None:
        return f"{check.row_count} rows"
    return shown(check.rows) if check.rows is not None else shown(check.value)


def _found(check: SqlCheck, rows: list[list[Any]]) -> str:
    if check.row_count is not None:
        return f"{len(rows)} rows"
    if check.rows is None and len(rows) == 1 and len(rows[0]) == 1:
        return shown(rows[0][0])
    return shown(rows) if rows else "no rows"
