"""Whether the source is there, asked before every call of connectorx.

connectorx retries a failed connection for 30 seconds and then says little, so a connection of PyMySQL's is kept
and asked first: one round trip while all is well, the server's own words when it is not.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pymysql

from vecferry.source.connect import encrypted, open_connection

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.config import DatabaseURL

PROBE_SECONDS = 5


_lock = threading.Lock()
_kept: tuple[DatabaseURL, Connection[Any]] | None = None


def probe(url: DatabaseURL) -> bool:
    """Makes sure that the server answers.

    Returns:
        whether it talks TLS with us.

    Raises:
        SourceError: it cannot be reached or refuses the login.
    """
    global _kept  # noqa: PLW0603 - a connection for all workers, guarded by the lock
    with _lock:
        if _kept is not None:
            known, connection = _kept
            if known == url:
                with contextlib.suppress(pymysql.err.Error, OSError):
                    connection.ping(reconnect=False)
                    return encrypted(connection)
            _kept = None
            connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001 - close() would talk to a dead server
        connection = open_connection(url, read_seconds=PROBE_SECONDS)
        _kept = url, connection
        return encrypted(connection)
