"""Which kind of server answers, and what its answers are as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.mapping.flavor import Flavor
from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection


def flavor(connection: Connection[Any]) -> Flavor:
    """Asks the server for its version.

    Raises:
        SourceError: it does not answer.
    """
    [(version,)] = rows(connection, "SELECT VERSION()")
    return Flavor.parse(plain_text(version))


def plain_text(value: str | bytes | None) -> str:
    """Returns what `information_schema` says as text; its long columns may come as bytes, and NULL is empty."""
    return value.decode() if isinstance(value, bytes) else value or ""
