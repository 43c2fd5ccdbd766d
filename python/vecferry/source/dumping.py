"""What a dump must know beforehand: what is there, what the user may read, where the binary log stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from vecferry.errors import SourceError, UsageError
from vecferry.mapping.select import literal
from vecferry.source.connect import encrypted
from vecferry.source.consistency import status_statement
from vecferry.source.flavor import flavor, plain_text
from vecferry.source.grants import unseen
from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection


_THINGS = """
SELECT t.table_name AS name, t.table_type AS kind, t.engine AS engine_, e.transactions AS transactions_,
       COALESCE(t.data_length, 0) AS bytes
FROM information_schema.tables t
LEFT JOIN information_schema.engines e ON e.engine = t.engine
WHERE t.table_schema = DATABASE()
ORDER BY t.table_name
"""
_VERSIONED = "SYSTEM VERSIONED"
_BASE = frozenset({"BASE TABLE", _VERSIONED})
_GLOBAL = re.compile(r"GRANT (?P<rights>.+?) ON \*\.\* TO ", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Thing:
    """A table, view or sequence; `engine` is empty for a view."""

    name: str
    kind: str
    engine: str
    transactional: bool
    bytes_estimate: int

    @property
    def is_table(self) -> bool:
        """Whether it holds rows."""
        return self.kind in _BASE

    @property
    def versioned(self) -> bool:
        """Whether it keeps earlier versions of its rows."""
        return self.kind == _VERSIONED

    @property
    def is_view(self) -> bool:
        """Whether it is a view."""
        return self.kind == "VIEW"


@dataclass(frozen=True, slots=True)
class Dumpable:
    """What is there to dump.

    Args:
        mariadb: whether the server is MariaDB.
        version: the server's.
        version_text: the same in its own words.
        encrypted: whether the connection that asked runs over TLS.
        chosen: what is to be dumped.
        left_out: the names of what is not.
        events: whether the user may read events.
        snapshot_tells: whether a snapshot itself tells where the binary log stood at its moment (MariaDB).
        log_readable: whether the user may ask where the binary log stands.
        may_flush: whether the user may lock the whole server.
        notes: what the user may not read, a sentence each.
    """

    mariadb: bool
    version: tuple[int, int, int]
    version_text: str
    encrypted: bool
    chosen: tuple[Thing, ...]
    left_out: tuple[str, ...]
    events: bool
    snapshot_tells: bool
    log_readable: bool
    may_flush: bool
    notes: tuple[str, ...]

    @property
    def tables(self) -> tuple[Thing, ...]:
        """Those of `chosen` that hold rows."""
        return tuple(thing for thing in self.chosen if thing.is_table)


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place in the server's binary log; `gtid` is empty where it has none."""

    file: str
    offset: int
    gtid: str = ""


def look(connection: Connection[Any], include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Dumpable:
    """Asks what there is to dump, and what the user may read of it.

    Args:
        connection: an open connection to the source.
        include: shell patterns of names of tables and views; none means everything.
        exclude: shell patterns of names to leave out.

    Raises:
        UsageError: a pattern of `include` matches nothing.
        SourceError: the server refused a query.
    """
    kind = flavor(connection)
    things = [
        Thing(plain_text(name), plain_text(type_), plain_text(engine), plain_text(transactions) == "YES", int(size))
        for name, type_, engine, transactions, size in rows(connection, _THINGS)
    ]
    for pattern in include:
        if not any(fnmatchcase(thing.name, pattern) for thing in things):
            raise UsageError(f"--tables {pattern!r} matches no table or view of the source")
    chosen = [
        thing
        for thing in things
        if (not include or _matches(thing.name, include)) and not _matches(thing.name, exclude)
    ]
    [(database,)] = rows(connection, "SELECT DATABASE()")
    missing = unseen(connection, plain_text(database))
    return Dumpable(
        mariadb=kind.mariadb,
        version=kind.version,
        version_text=kind.text,
        encrypted=encrypted(connection),
        chosen=tuple(chosen),
        left_out=tuple(thing.name for thing in things if thing not in chosen),
        events=not any(" EVENT " in note for note in missing),
        snapshot_tells=_snapshot(connection) is not None,
        log_readable=bool(_asked(connection, status_statement(kind))),
        may_flush=bool({"RELOAD", "ALL PRIVILEGES", "ALL"} & _global_rights(connection)),
        notes=(*missing, *_hidden_routines(connection, proc=kind.mariadb or kind.version < (8, 0, 0))),
    )


def log_position(connection: Connection[Any]) -> LogPosition | None:
    """Returns where the binary log stands now; None where there is none, or the user may not ask.

    Raises:
        SourceError: the connection was lost.
    """
    kind = flavor(connection)
    if found := _snapshot(connection):
        return LogPosition(*found, gtid=gtid_at(connection, *found))
    status = _asked(connection, status_statement(kind))
    if not status:
        return None
    file, offset, *more = status[0]
    gtid = plain_text(more[2]) if len(more) > 2 else ""  # noqa: PLR2004 - Executed_Gtid_Set, the fifth
    place = plain_text(file), int(offset)
    return LogPosition(*place, gtid="".join(gtid.split()) or gtid_at(connection, *place))


def gtid_at(connection: Connection[Any], file: str, offset: int) -> str:
    """Returns MariaDB's GTIDs at a place in its binary log; empty where it does not tell.

    Raises:
        SourceError: the connection was lost.
    """
    found = _asked(connection, f"SELECT BINLOG_GTID_POS({literal(file)}, {offset:d})")
    return plain_text(found[0][0]) if found else ""


def _snapshot(connection: Connection[Any]) -> tuple[str, int] | None:
    """Returns what MariaDB tells everybody: outside of a snapshot, where the log stands now.

    Source: https://mariadb.com/kb/en/replication-and-binary-log-status-variables/#binlog_snapshot_file
    """
    found = {plain_text(name).lower(): value for name, value in rows(connection, "SHOW STATUS LIKE 'binlog_snapshot%'")}
    file = plain_text(found.get("binlog_snapshot_file"))
    return (file, int(found["binlog_snapshot_position"])) if file else None


def _global_rights(connection: Connection[Any]) -> set[str]:
    grants = [_GLOBAL.match(plain_text(line)) for (line,) in rows(connection, "SHOW GRANTS")]
    return {right.strip().upper() for grant in grants if grant for right in grant["rights"].split(",")}


def _hidden_routines(connection: Connection[Any], *, proc: bool) -> tuple[str, ...]:
    if not proc:
        rights = _global_rights(connection)
        if {"SELECT", "SHOW_ROUTINE", "ALL PRIVILEGES", "ALL"} & rights:
            return ()
        right = "SHOW_ROUTINE ON *.*"
    elif _asked(connection, "SELECT 1 FROM mysql.proc LIMIT 0") is not None:
        return ()
    else:
        right = "SELECT ON mysql.proc"
    return (f"the source's user has no {right}: routines that others made are missing here without a word",)


def _asked(connection: Connection[Any], query: str) -> list[tuple[Any, ...]] | None:
    """Returns the rows of a question that the server need not answer; None if it refused."""
    try:
        return rows(connection, query)
    except SourceError:
        if not connection.open:
            raise
        return None


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
