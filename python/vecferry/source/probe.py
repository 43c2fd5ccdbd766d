"""Whether the source is there, asked before every call of connectorx.

connectorx retries a failed connection for 30 seconds and then says little, so a connection of PyMySQL's is kept
for each thread and asked first: one round trip while all is well, the server's own words when it is not.
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


class _Kept(threading.local):
    url: DatabaseURL | None = None
    connection: Connection[Any] | None = None


_kept = _Kept()


def probe(url: DatabaseURL) -> bool:
    """Makes sure that the server answers.

    Returns:
        whether it talks TLS with us.

    Raises:
        SourceError: it cannot be reached or refuses the login.
    """
    kept = _kept.connection
    if kept is not None and _kept.url == url:
        with contextlib.suppress(pymysql.err.Error, OSError):
            kept.ping(reconnect=False)
            return encrypted(kept)
    if kept is not None:
        kept._force_close()  # type: ignore[attr-defined]  # noqa: SLF001 - close() would talk to a dead server
    _kept.url, _kept.connection = url, None
    _kept.connection = open_connection(url, read_seconds=PROBE_SECONDS)
    return encrypted(_kept.connection)
