"""Opens PyMySQL connections from a URL and swaps the database in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pymysql

if TYPE_CHECKING:
    from typing import TypeAlias

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    MySQLConnection: TypeAlias = Connection[Cursor]


def connect_mysql(url: str, **options: Any) -> MySQLConnection:  # noqa: ANN401 - PyMySQL's own options
    """Connect to the server that a `mysql://user:password@host:port/database` URL names.

    Args:
        url: The URL; the database may be left out.
        **options: Passed to `pymysql.connect`, over what the URL says.
    """
    parts = urlsplit(url)
    arguments: dict[str, Any] = {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.lstrip("/")) or None,
        "charset": "utf8mb4",
    }
    return pymysql.connect(**{**arguments, **options})


def with_database(url: str, database: str) -> str:
    """Return the URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
