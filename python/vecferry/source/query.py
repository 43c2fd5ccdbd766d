"""Small questions to the source; rows of a migration are read elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.cursors import SSCursor

from vecferry.source.connect import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymysql.connections import Connection


def stream(connection: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Yields the rows of a large result, held one at a time.

    Raises:
        SourceError: the server refused; its own words are in the message.
    """
    try:
        with connection.cursor(SSCursor) as cursor:
            cursor.execute(query)
            yield from cursor
    except pymysql.Error as error:
        raise refused(error, connection, "run a query") from error


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """Returns all rows of a small result.

    Raises:
        SourceError: the server refused; its own words are in the message.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
    except pymysql.Error as error:
        raise refused(error, connection, "run a query") from error
