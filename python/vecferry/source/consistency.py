"""A source that holds still while it is copied, or the signs that it did not.

`position` is taken before and after the copy and `moved` compares the two; `held` keeps writers out instead.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pymysql

from vecferry.errors import SourceError, one_line
from vecferry.mapping.select import quote
from vecferry.source.connect import LOCK_SECONDS, open_connection, translate
from vecferry.source.flavor import flavor, plain_text
from vecferry.source.query import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pymysql.connections import Connection

    from vecferry.config import DatabaseURL
    from vecferry.mapping.flavor import Flavor

BEAT_SECONDS = 30
_IDLE_SECONDS = 300
"""After how much silence the server ends the lock's session: a machine that lost its power or network sends no
goodbye, and must not keep the writers out for the hours that TCP takes to notice."""
_SHOWN = 80

_LOCK_TIMEOUT = 1205
_NO_RELOAD = 1227
_NO_LOCK_TABLES = frozenset({1044, 1142})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a source stands; it can be stored as JSON and compared by another process."""

    log: str = ""
    """The GTIDs that the server has executed, or the binary log's file and offset; empty where neither is known."""
    rows: dict[str, int] = field(default_factory=dict)
    """The number of rows of each table, counted only where the binary log does not tell of every write."""
    largest: dict[str, str] = field(default_factory=dict)
    """The largest value of the first column of each table's key; without the tables that have no key or no rows."""
    written: dict[str, str] = field(default_factory=dict)
    """When each table was last written to, in UTC. InnoDB forgets it in a restart, and MySQL 5.6 never knows."""


def position(connection: Connection[Any], tables: Mapping[str, Sequence[str]]) -> Position:
    """Returns where the source stands now.

    Cheap where the binary log tells of every write to the database; elsewhere each table is counted.

    Args:
        connection: an open connection to the source, in autocommit.
        tables: the names of the tables, each with the columns of its key, which an index begins with.

    Raises:
        SourceError: the server refused to read a table, or the connection was lost.
    """
    kind = flavor(connection)
    log, whole = _log(connection, kind)
    counted, largest = {}, {}
    for name, key in tables.items():
        if key:
            [(value,)] = rows(connection, f"SELECT MAX({quote(key[0])}) FROM {quote(name)}")
            if value is not None:
                largest[name] = value.hex() if isinstance(value, bytes) else str(value)
        if not whole:
            [(count,)] = rows(connection, f"SELECT COUNT(*) FROM {quote(name)}")
            counted[name] = int(count)
    return Position(log, counted, largest, _written(connection, kind, tables))


def moved(before: Position, after: Position) -> tuple[str, ...]:
    """Returns a sentence for each sign that the source was written to between two positions; none if there is none."""
    names = sorted(
        before.rows.keys() | after.rows.keys() | before.largest.keys() | after.largest.keys() | after.written.keys()
    )
    found = [
        f"table {name} changed during the copy: {'; '.join(signs)}"
        for name in names
        if (signs := _signs(name, before, after))
    ]
    if before.log and after.log:
        if before.log != after.log:
            found.append(_log_moved(before, after, seen=bool(found)))
    elif before.log != after.log and before.rows.keys() != after.rows.keys():
        when = "before" if before.log else "after"
        found.append(
            "whether the source was written to during the copy cannot be told in full:"
            f" the server's binary log was readable {when} it only"
        )
    return tuple(found)


@contextmanager
def held(
    url: DatabaseURL,
    tables: Sequence[str],
    *,
    wait_seconds: int = LOCK_SECONDS,
    instead: str = "use --consistency watch",
    again: str = "carry everything again with --restart",
) -> Iterator[None]:
    """Keeps every other session from writing to `tables`, on a connection of its own; all may read.

    The lock ends with the block, with the process and, within minutes, with the machine. Writers wait meanwhile.

    Args:
        url: the source.
        tables: the names of base tables; none locks nothing.
        wait_seconds: how long each table is waited for.
        instead: what a user who may not lock can do.
        again: what to do once the lock was lost.

    Raises:
        SourceError: the lock was refused, or was not had in time; or, at the end, it was lost on the way.
    """
    if not tables:  # FLUSH TABLES without a name would lock the whole server
        yield
        return
    connection = open_connection(url)
    ended = threading.Event()
    lost: list[str] = []
    keeper = threading.Thread(target=_keep, args=(connection, ended, lost), name="vecferry-lock", daemon=True)
    try:
        _lock(connection, url, tables, wait_seconds, instead)
        connection._read_timeout = BEAT_SECONDS  # type: ignore[attr-defined]  # noqa: SLF001 - no setter
        keeper.start()
        yield
        ended.set()
        keeper.join()
        if not lost:
            _say(connection, "UNLOCK TABLES", lost)
        if lost:
            raise SourceError(
                f"the read lock at {url.place} was lost {lost[0]}: rows may have been written while the others were"
                f" copied: see that nobody ends the session, and {again}"
            )
    finally:
        ended.set()
        if keeper.ident is not None:
            keeper.join()
        connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001 - close() would talk to a dead server


# --- where the source stands


def _log(connection: Connection[Any], kind: Flavor) -> tuple[str, bool]:
    """Returns where the binary log stands, and whether it tells of every write to the database."""
    status = _asked(connection, status_statement(kind))
    if status == []:
        return "", False
    gtids = _gtids(connection, kind)
    if status is None:
        return gtids, False
    file, offset, only, never = (plain_text(str(value)) for value in status[0][:4])
    [(found,)] = rows(connection, "SELECT DATABASE()")
    database = plain_text(found)
    whole = (not only or database in only.split(",")) and database not in never.split(",")
    if gtids:
        return gtids, whole
    # A replica may leave what it replicates out of its own log.
    return f"{file}:{offset}", whole and _asked(connection, replica_statement(kind)) == []


def status_statement(kind: Flavor) -> str:
    """Returns the statement that tells where the server's binary log stands."""
    # https://dev.mysql.com/doc/refman/8.4/en/show-binary-log-status.html; MySQL 8.4 has the new one alone.
    renamed = not kind.mariadb and kind.version >= (8, 2, 0)
    return "SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS"


def replica_statement(kind: Flavor) -> str:
    """Returns the statement that has a row for each server that this one replicates."""
    if kind.mariadb:
        return "SHOW ALL SLAVES STATUS"
    return "SHOW REPLICA STATUS" if kind.version >= (8, 0, 22) else "SHOW SLAVE STATUS"


def _gtids(connection: Connection[Any], kind: Flavor) -> str:
    """Returns the GTIDs of everything that was executed; empty where writes have none."""
    if kind.mariadb:
        # The former lacks what was replicated without being logged, the latter what other servers' ids were logged by.
        found = _asked(connection, "SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_current_pos")
        parts = [plain_text(part) for part in found[0]] if found else []
    else:
        found = _asked(connection, "SELECT @@GLOBAL.gtid_executed FROM DUAL WHERE @@GLOBAL.gtid_mode = 'ON'")
        parts = [plain_text(part) for part in found[0]] if found else []
    return "; ".join(dict.fromkeys("".join(part.split()) for part in parts if part))


def _written(connection: Connection[Any], kind: Flavor, tables: Mapping[str, Sequence[str]]) -> dict[str, str]:
    if kind.stale_statistics:
        rows(connection, "SET SESSION information_schema_stats_expiry = 0")
    query = "SELECT table_name, update_time FROM information_schema.tables WHERE table_schema = DATABASE()"
    found = ((plain_text(name), time) for name, time in rows(connection, query))
    return {name: str(time) for name, time in found if time is not None and name in tables}


def _asked(connection: Connection[Any], query: str) -> list[tuple[Any, ...]] | None:
    """Returns the rows of a question that the server need not answer; None if it refused."""
    try:
        return rows(connection, query)
    except SourceError:
        if not connection.open:
            raise
        return None


# --- what two positions say


def _signs(name: str, before: Position, after: Position) -> list[str]:
    signs = []
    count = before.rows.get(name), after.rows.get(name)
    if None not in count and count[0] != count[1]:
        signs.append(f"it had {count[0]:,} rows and has {count[1]:,}")
    first, last = before.largest.get(name), after.largest.get(name)
    if first != last:
        signs.append(f"its largest key was {_shown(first)} and is {_shown(last)}")
    # A time that is gone says nothing: the server forgets it when it starts, or needs the memory.
    time = after.written.get(name)
    if time is not None and time != before.written.get(name):
        signs.append(f"it was last written to at {time} UTC")
    return signs


def _log_moved(before: Position, after: Position, *, seen: bool) -> str:
    sentence = f"the server's binary log moved from {_shown(before.log)} to {_shown(after.log)} during the copy"
    if seen:
        return sentence
    looked = "number of rows, largest key" if before.rows else "largest key"
    return (
        f"{sentence}, but no table's {looked} or known time of writing did: it may be another database's,"
        " or rows of these tables that were changed or deleted"
    )


def _shown(value: str | None) -> str:
    if value is None:
        return "none"
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."


# --- the lock


def _lock(
    connection: Connection[Any], url: DatabaseURL, tables: Sequence[str], wait_seconds: int, instead: str
) -> None:
    names = [quote(name) for name in tables]
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET SESSION lock_wait_timeout = {wait_seconds:d}, innodb_lock_wait_timeout = {wait_seconds:d},"
                f" innodb_table_locks = 1, wait_timeout = {_IDLE_SECONDS}"
                " /*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */"
            )
            try:
                # Writers then wait before they have a place in the table's own queue, where those of MyISAM, and
                # ALTER TABLE of any engine, would hold up every reader behind them: the copy itself.
                cursor.execute(f"FLUSH TABLES {', '.join(names)} WITH READ LOCK")
            except pymysql.err.MySQLError as error:
                if _code(error) != _NO_RELOAD:
                    raise
                _refuse_other_engines(connection, url, tables, instead)
                # Out of autocommit InnoDB takes a lock of its own as well, without which MySQL before 5.7 lets
                # open transactions commit.
                # https://dev.mysql.com/doc/refman/8.4/en/lock-tables.html
                cursor.execute("SET SESSION autocommit = 0")
                cursor.execute(f"LOCK TABLES {', '.join(f'{name} READ' for name in names)}")
    except (pymysql.err.Error, OSError) as error:
        raise _not_locked(error, connection, url, wait_seconds, instead) from error


def _refuse_other_engines(connection: Connection[Any], url: DatabaseURL, tables: Sequence[str], instead: str) -> None:
    query = "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
    found = {plain_text(name): plain_text(engine) for name, engine in rows(connection, query)}
    for name in tables:
        if found.get(name, "InnoDB") != "InnoDB":
            raise SourceError(
                f"cannot lock table {name} at {url.place}: its engine is {found[name]}, which takes the right RELOAD:"
                f" GRANT RELOAD ON *.* TO {_user(connection)}, or {instead}"
            )


def _not_locked(
    error: BaseException, connection: Connection[Any], url: DatabaseURL, wait_seconds: int, instead: str
) -> SourceError:
    code = _code(error)
    if code == _LOCK_TIMEOUT:
        return SourceError(
            f"cannot lock the tables at {url.place}: another session has been using one of them for {wait_seconds}"
            " seconds: find it with SHOW PROCESSLIST (an open transaction shows as Sleep), end it and run again"
        )
    if code in _NO_LOCK_TABLES:
        return SourceError(
            f"cannot lock the tables at {url.place}: {_words(error)}:"
            f" GRANT SELECT, LOCK TABLES ON {quote(url.database)}.* TO {_user(connection)}, or {instead}"
        )
    return translate(error, url, "lock the tables")


def _user(connection: Connection[Any]) -> str:
    [(found,)] = rows(connection, "SELECT CURRENT_USER()")
    name, _, host = plain_text(found).rpartition("@")
    return "@".join("'" + part.replace("'", "''") + "'" for part in (name, host))


def _keep(connection: Connection[Any], ended: threading.Event, lost: list[str]) -> None:
    while not lost and not ended.wait(BEAT_SECONDS):
        _say(connection, "DO 0", lost)


def _say(connection: Connection[Any], statement: str, lost: list[str]) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except (pymysql.err.Error, OSError) as error:
        lost.append(f"at some time before {datetime.now(UTC):%H:%M:%S} UTC ({_words(error)})")


def _code(error: BaseException) -> int | None:
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else None


def _words(error: BaseException) -> str:
    """Returns the server's or the system's words without the number before them."""
    return " ".join(str(error.args[-1]).split()) if error.args and error.args[-1] else one_line(error)
