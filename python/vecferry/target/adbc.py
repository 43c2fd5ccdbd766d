"""What loading and reading back share of ADBC: one database for all sessions of a run, and a session's opening.

The driver's own handles are used, not its DB-API layer: that one imports polars where it is installed, which takes
longer than loading ten thousand embeddings.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import adbc_driver_postgresql
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement
from adbc_driver_manager import Error as AdbcError

from vecferry.target.connect import conninfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.config import DatabaseURL


class Database:
    """A target of which several threads open sessions; opening the first is the costly one."""

    def __init__(self, url: DatabaseURL) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._database: AdbcDatabase | None = None

    def open(self, settings: Iterable[str]) -> AdbcConnection:
        """Opens a session in autocommit mode.

        Args:
            settings: statements that it begins with.

        Raises:
            adbc_driver_manager.Error: the server cannot be reached or refuses.
        """
        with self._lock:
            if self._database is None:
                # The driver logs in to learn the server's types; the sessions share them.
                self._database = adbc_driver_postgresql.connect(conninfo(self._url))
        connection = AdbcConnection(self._database)
        try:
            for statement in settings:
                execute(connection, statement)
        except AdbcError:
            # The driver does not let go of a database with a connection that is open.
            with suppress(AdbcError):
                connection.close()
            raise
        return connection

    def close(self) -> None:
        """Closes what the sessions share; they are closed before."""
        if self._database is not None:
            # An interruption may have left a session in the hands of a thread that does not come back.
            with suppress(AdbcError, RuntimeError):
                self._database.close()


def execute(connection: AdbcConnection, query: str) -> None:
    """Runs a statement.

    Raises:
        adbc_driver_manager.Error: the server refused it.
    """
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(query)
        statement.execute_update()
