"""Connections to the target for statements and bookkeeping, and the translation of PostgreSQL's errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from vecferry.errors import TargetError, mask, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.config import DatabaseURL

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 5

PATIENCE = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('statement_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')
"""
"""A session that waits while tables load, and builds indexes for hours, is not the one that these limits are for."""

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
    "42501": "grant the right to the target's user",
    "0A000": "",
    "53100": "free disk space on the target, then run the same command again",
    "53200": "give the target more memory, then run the same command again",
    "53300": "raise max_connections or lower --workers",
    "57P01": "run the same command again to go on",
    "25006": "the target is read-only: connect to the primary",
}


def conninfo(url: DatabaseURL) -> str:
    """Returns libpq's connection string for `url`, password included."""
    return make_conninfo(
        url.with_password(), connect_timeout=CONNECT_SECONDS, keepalives_idle=30, application_name="vecferry"
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


@contextmanager
def translated(url: DatabaseURL, doing: str) -> Iterator[None]:
    """Turns psycopg's errors into TargetError; `doing` completes "the target refused to ..."."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, url, doing) from error


def translate(error: psycopg.Error, url: DatabaseURL, doing: str) -> TargetError:
    """Returns the user's sentence for what PostgreSQL or libpq said."""
    words = mask(error.diag.message_primary or one_line(error), url.password)
    detail = error.diag.message_detail
    if detail:
        words = f"{words} ({mask(' '.join(detail.split()), url.password)})"
    hint = _HINTS.get(error.sqlstate or "") or _connection_hint(words)
    tail = f": {hint}" if hint else ""
    return TargetError(f"the target {url.place} refused to {doing}: {words}{tail}")


def _connection_hint(words: str) -> str:
    lower = words.lower()
    if "password authentication failed" in lower or "no password supplied" in lower:
        return "check the user and the password"
    if "connection refused" in lower or "timeout" in lower or "no route" in lower:
        return "check the host, the port and that the server runs"
    if "name or service not known" in lower or "resolve" in lower or "name resolution" in lower:
        return "check the host name"
    if "does not exist" in lower and "database" in lower:
        return "create the database first, or check its name"
    if "terminat" in lower or "closed the connection" in lower or "connection is lost" in lower:
        return "run the same command again to go on"
    return ""
