"""What the source is computing for this process, so that an interruption can end it there, too.

A server does not notice that its client has gone before it has rows to send: a scan for the plan goes on for its whole
length. Sessions of PyMySQL are known by their number, reads of connectorx, which tells none, by their text.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymysql.connections import Connection

_lock = threading.Lock()
_sessions: set[int] = set()
_reads: dict[str, int] = {}

_FOUND = "SELECT id, info FROM information_schema.processlist WHERE command IN ('Query', 'Execute', 'Prepare')"


def opened(connection: Connection[Any]) -> None:
    """Remembers a session; numbers are not given twice, so nobody has to forget it."""
    with _lock:
        _sessions.add(connection.thread_id())  # type: ignore[no-untyped-call]


@contextmanager
def reading(query: str) -> Iterator[None]:
    """Remembers a read for as long as it runs."""
    with _lock:
        _reads[query] = _reads.get(query, 0) + 1
    try:
        yield
    finally:
        with _lock:
            _reads[query] -= 1
            if not _reads[query]:
                del _reads[query]


def end_all(connection: Connection[Any]) -> None:
    """Ends what is remembered and still runs, as far as the server lets us.

    Args:
        connection: another session of the same user.
    """
    with _lock:
        sessions, reads = set(_sessions), set(_reads)
    sessions.discard(connection.thread_id())  # type: ignore[no-untyped-call]
    with connection.cursor() as cursor:
        cursor.execute(_FOUND)
        for number, query in cursor.fetchall():
            if number in sessions or query in reads:
                with suppress(pymysql.err.Error):  # it has ended meanwhile, or is another user's
                    cursor.execute(f"KILL QUERY {int(number)}")
