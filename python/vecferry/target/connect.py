"""Connections to the target for statements and bookkeeping, and the translation of PostgreSQL's errors."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from vecferry.errors import TargetError, mask, one_line
from vecferry.mapping.identifiers import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.config import DatabaseURL

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 5
_AGAIN = "run the same command again to go on"

PATIENCE = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_session_timeout',
  'idle_in_transaction_session_timeout')
UNION ALL
SELECT set_config(name, value, false)
FROM (VALUES ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '6'),
  ('default_transaction_isolation', 'read committed')) AS fixed (name, value)
UNION ALL
SELECT set_config(name, '1s', false) FROM pg_settings
WHERE name = 'client_connection_check_interval' AND version() LIKE '%linux%'
"""
"""A session that waits while tables load, and builds indexes for hours, is not the one that these limits are for. One
whose client or network is gone must end soon, in the middle of a statement, too: what it has locked is in the way of
the session that tries again. Servers on other systems than Linux refuse to look after their clients, most of them.
Chunks that load at the same time touch no common row; a stricter isolation would only find conflicts where there are
none."""

PATH = """
SELECT set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), string_agg(name, ', ')),
  false)
FROM (SELECT DISTINCT quote_ident(n.nspname) AS name FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname IN ('vector', 'citext', 'postgis')) AS schemas
"""
"""An extension's types and operators are named without their schema, which may be one that nobody looks into."""

_HINTS = {
    "28P01": "check the password",
    "28000": "check the user and pg_hba.conf",
    "3D000": "create the database first, or check its name",
    "0A000": "",
    "53100": "free disk space on the target, then run the same command again",
    "53200": "give the target more memory, or lower --index-memory and --workers, then run the same command again",
    "55P03": "another session holds a lock on the table: run the same command again to go on",
    "57014": "somebody stopped the statement, or a time limit did: run the same command again to go on",
    "53300": "raise max_connections or lower --workers, then run the same command again",
    "57P01": "run the same command again to go on",
    "25006": "the target is read-only: connect to the primary, or make it writable, then run the same command again",
}
_SHARED_MEMORY = {
    "shared memory segment": "give /dev/shm of the target's machine or container more room",
    "out of shared memory": "raise max_locks_per_transaction on the target and restart it",
}
_NO_RIGHT = "42501"
_DENIED = re.compile(r'permission denied for (?P<kind>\w+) "?(?P<name>.+?)"?(?= DETAIL: | \(|$)')
_RIGHTS = {
    "database": "CONNECT, CREATE",
    "schema": "USAGE, CREATE",
    "sequence": "USAGE, SELECT, UPDATE",
    "table": "SELECT, INSERT",
    "type": "USAGE",
}
"""What a run needs of the objects of each kind that others own."""

_PASSING_CLASS = "08"
"""Connection exceptions."""
_PASSING = frozenset({
    "57P01", "57P02", "57P03", "57P05",  # the server ends the session, restarts, is not ready yet
    "53300",  # too many connections
    "40001", "40P01",  # serialization failure, deadlock
    "55P03", "57014", "25P03", "25P04",  # limits of time: locks, statements, transactions
    "25006",  # read-only: a replica that is about to be the primary, or the other way round
})  # fmt: skip
"""What may work a little later, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
_NO_SLOT = ("too many clients", "too many connections", "remaining connection slots")
_PASSING_WORDS = (
    *_NO_SLOT,
    "connection refused", "connection reset", "connection timed out", "timeout expired", "broken pipe",
    "no route to host", "network is unreachable", "temporary failure in name resolution",
    "server closed the connection", "terminating connection", "connection has been closed unexpectedly",
    "the connection is closed", "the connection is lost", "no connection to the server",
    "could not receive data from server", "could not send data to server", "ssl syscall error",
    "the database system is",  # starting up, shutting down, in recovery mode, not yet accepting connections
    "session is read-only", "server is in hot standby mode",  # with target_session_attrs in the URL
)  # fmt: skip
"""The same where there is no SQLSTATE, which libpq does not hand on from a login: its words in lower case."""
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist')
_TALK = re.compile(
    r" (?:This probably means the server terminated abnormally before or while processing the request\."
    r"|Is the server running on that host and accepting TCP/IP connections\?)"
)


def conninfo(url: DatabaseURL) -> str:
    """Returns libpq's connection string for `url`, password included."""
    return make_conninfo(
        url.with_password(),
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=6,
        application_name="vecferry",
    )


def connect(url: DatabaseURL) -> Connection:
    """Opens an autocommit connection in UTC.

    Raises:
        TargetError: the server cannot be reached or refuses; its own words are in the message.
    """
    try:
        connection = psycopg.connect(conninfo(url), autocommit=True)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(PATIENCE)
        connection.execute(PATH)
    except psycopg.Error as error:
        raise translate(error, url, "connect") from error
    return connection


def alive(connection: Connection) -> bool:
    """Returns whether `connection`, used by nobody for a while, still reaches the session that it opened."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def translated(url: DatabaseURL, doing: str) -> Iterator[None]:
    """Turns psycopg's errors into TargetError; `doing` completes "the target refused to ..."."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, url, doing) from error


def translate(error: psycopg.Error, url: DatabaseURL, doing: str) -> TargetError:
    """Returns the user's sentence for what PostgreSQL or libpq said."""
    words = error.diag.message_primary or one_line(error)
    detail = error.diag.message_detail
    if detail:
        words = f"{words} ({' '.join(detail.split())})"
    return refusal(url, doing, words, error.sqlstate)


def refusal(url: DatabaseURL, doing: str, words: str, sqlstate: str | None) -> TargetError:
    """Returns the user's sentence for what a driver reported.

    Args:
        url: the target; its password is kept out of the sentence.
        doing: completes "the target refused to ...".
        words: the server's or libpq's own, as one line.
        sqlstate: the error's code; None where libpq itself failed, or a login did.
    """
    words = mask(_TALK.sub("", words), *url.secrets)
    return TargetError(
        f"the target {url.place} refused to {doing}: {words}",
        advice=_advice(url, sqlstate or "", words),
        passing=_passing(sqlstate or "", words),
    )


def _passing(sqlstate: str, words: str) -> bool:
    if sqlstate:
        return sqlstate in _PASSING or sqlstate.startswith(_PASSING_CLASS)
    lower = words.lower()
    return any(sign in lower for sign in _PASSING_WORDS)


def _advice(url: DatabaseURL, sqlstate: str, words: str) -> str:
    lower = words.lower()
    for sign, advice in _SHARED_MEMORY.items():
        if sign in lower:
            return f"{advice}, then {_AGAIN}"
    # ADBC tells no SQLSTATE of the catalog queries that it makes itself.
    if sqlstate == _NO_RIGHT or (not sqlstate and "permission denied for" in lower):
        return f"{_grant(url, words)}, then {_AGAIN}"
    return _HINTS.get(sqlstate) or _connection_hint(lower)


def _grant(url: DatabaseURL, words: str) -> str:
    denied, user = _DENIED.search(words), quote(url.user) if url.user else "the target's user"
    if denied is not None and denied["kind"] in _RIGHTS:
        kind = denied["kind"]
        return f"GRANT {_RIGHTS[kind]} ON {kind.upper()} {quote(denied['name'])} TO {user}"
    return f"make {user} its owner" if "must be owner of" in words else f"give {user} the right"


def _connection_hint(lower: str) -> str:
    if "terminat" in lower:
        return _AGAIN
    if "closed the connection" in lower or "connection is lost" in lower:
        return f"look at the server's log, then {_AGAIN}"
    if "password authentication failed" in lower or "no password supplied" in lower:
        return "check the user and the password"
    if "connection refused" in lower or "timeout" in lower or "no route" in lower:
        return "check the host, the port and that the server runs"
    if "name or service not known" in lower or "resolve" in lower or "name resolution" in lower:
        return "check the host name"
    if "server does not support ssl" in lower:
        return "the server has no TLS: set up a certificate there, or leave --require-tls and sslmode out"
    if "certificate" in lower or "ssl error" in lower:
        return "the encrypted connection failed: check sslmode and sslrootcert in the target URL"
    if _NO_DATABASE.search(lower):
        return "create the database first, or check its name"
    if any(sign in lower for sign in _NO_SLOT):
        return _HINTS["53300"]
    return ""
