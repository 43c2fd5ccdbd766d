"""Small questions to the source; rows of a migration are read elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql

from vecferry.errors import SourceError, one_line

if TYPE_CHECKING:
    from pymysql.connections import Connection


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
        words = error.args[1] if len(error.args) > 1 else one_line(error)
        raise SourceError(f"the source refused a query: {words}") from error
