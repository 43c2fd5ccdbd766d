"""A session that can only read, whose queries are bounded in time and whose refusals are notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from vecferry.target.connect import connect
from vecferry.target.probe import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vecferry.config import DatabaseURL
    from vecferry.target.connect import Connection

PROBE_SECONDS = 10
"""The longest that one query may take; what it would have told becomes a note."""

# With an empty path the server prints every name with its schema, and nobody's function is taken for a built-in one.
_READ_ONLY = f"""
SELECT set_config('default_transaction_read_only', 'on', false), set_config('search_path', '', false),
  set_config('statement_timeout', '{PROBE_SECONDS}s', false), set_config('lock_timeout', '2s', false),
  set_config('row_security', 'on', false)
"""

_TOO_LONG = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)


@dataclass(frozen=True)
class Session:
    """A connection that is only read from, and what it was not allowed to see."""

    connection: Connection
    notes: list[str] = field(default_factory=list)

    def rows(
        self, query: str, what: str, params: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Runs a query; where the server refuses or takes too long, notes that `what` is unknown and returns nothing.

        Raises:
            psycopg.Error: the server gave no answer, e.g. the connection is lost.
        """
        try:
            return self.connection.execute(query.encode(), params).fetchall()
        except _TOO_LONG:
            self.notes.append(f"{what}: not known, it took longer than {PROBE_SECONDS} s or met a lock")
        except psycopg.Error as error:
            self.notes.append(f"{what}: not known: {words(error)}")
        return []


def open_session(url: DatabaseURL) -> Connection:
    """Opens a connection that can only read.

    Raises:
        TargetError: the server cannot be reached or refuses.
    """
    connection = connect(url)
    connection.execute(_READ_ONLY)
    return connection
