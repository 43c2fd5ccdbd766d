"""Servers for every test, started once per run, and a fresh database on each for every test that asks.

VECFERRY_TEST_MYSQL_URL, VECFERRY_TEST_MYSQL56_URL, VECFERRY_TEST_POSTGRES_URL and VECFERRY_TEST_POSTGIS_URL name
servers to use instead of private ones; their users must be allowed to create databases. A server that cannot be had is
an error, never a skipped test.
"""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.servers.mysql56 import MySQL56
from tests.servers.postgis import PostGIS
from vecferry.demo.servers import MariaDB, Postgres, Server, ServerError, start_all, stop_all
from vecferry.demo.urls import connect_mysql, with_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vecferry.demo.urls import MySQLConnection

MYSQL_URL = "VECFERRY_TEST_MYSQL_URL"
MYSQL56_URL = "VECFERRY_TEST_MYSQL56_URL"
POSTGRES_URL = "VECFERRY_TEST_POSTGRES_URL"
POSTGIS_URL = "VECFERRY_TEST_POSTGIS_URL"

# Nothing in a test's database has to survive the machine.
MARIADB_SETTINGS = {
    "innodb-buffer-pool-size": "256M",
    "innodb-log-file-size": "64M",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-doublewrite": "0",
    "innodb-flush-method": "nosync",
    "sync-frm": "0",
    "performance-schema": "0",
}
POSTGRES_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "autovacuum_naptime": "1h",
}

_started: list[Server] = []

# readline, which pytest loads, tells its children that the terminal has 80 columns.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the process that commands the xdist workers; these inherit the variables."""
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help:
        return
    wanted: dict[str, Server] = {}
    if _only_unit_tests(config):
        return
    if not os.environ.get(MYSQL_URL):
        wanted[MYSQL_URL] = MariaDB(settings=MARIADB_SETTINGS)
    if not os.environ.get(MYSQL56_URL):
        wanted[MYSQL56_URL] = MySQL56()
    if not os.environ.get(POSTGRES_URL):
        wanted[POSTGRES_URL] = Postgres(settings=POSTGRES_SETTINGS)
    if not wanted:
        return
    try:
        start_all(list(wanted.values()))
    except ServerError as error:
        raise pytest.UsageError(f"The tests need a server that did not start. {error}") from error
    _started.extend(wanted.values())
    for variable, server in wanted.items():
        os.environ[variable] = server.admin_url


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    if _started:
        for variable in (MYSQL_URL, MYSQL56_URL, POSTGRES_URL):
            if any(os.environ.get(variable) == server.admin_url for server in _started):
                del os.environ[variable]
        stop_all(_started)
        _started.clear()


def _only_unit_tests(config: pytest.Config) -> bool:
    """Whether every path asked for lies in a folder where no test needs a server."""
    folders = [Path(__file__).parent / name for name in ("unit", "cases", "browser")]
    paths = [Path(config.invocation_params.dir, argument.split("::")[0]).resolve() for argument in config.args]
    return bool(paths) and all(any(path.is_relative_to(folder) for folder in folders) for path in paths)


@dataclass
class MySQLDatabase:
    """A fresh MySQL or MariaDB database of one test; the user is the server's administrator."""

    url: str
    database: str
    _connections: list[MySQLConnection] = field(default_factory=list, repr=False)
    _own: MySQLConnection | None = field(default=None, repr=False)

    def connect(self, **options: Any) -> MySQLConnection:
        """Open a connection with autocommit; it is closed after the test."""
        connection = connect_mysql(self.url, **{"autocommit": True, **options})
        self._connections.append(connection)
        return connection

    def execute(self, statement: str, params: Sequence[Any] | None = None) -> int:
        """Run one statement and return the number of rows it touched."""
        with self._shared().cursor() as cursor:
            return cursor.execute(statement, params)

    def rows(self, statement: str, params: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one query and return all its rows."""
        with self._shared().cursor() as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())

    def _shared(self) -> MySQLConnection:
        if self._own is None or not self._own.open:
            self._own = self.connect()
        return self._own

    def close(self) -> None:
        """Close every connection; one that the test closed or killed is closed already."""
        for connection in self._connections:
            if connection.open:
                connection.close()


@dataclass
class PostgresDatabase:
    """A fresh PostgreSQL database of one test, without extensions; the user is the server's administrator."""

    url: str
    database: str
    _connections: list[psycopg.Connection[tuple[Any, ...]]] = field(default_factory=list, repr=False)
    _own: psycopg.Connection[tuple[Any, ...]] | None = field(default=None, repr=False)

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection with autocommit; it is closed after the test."""
        connection = psycopg.connect(self.url, **{"autocommit": True, **options})
        self._connections.append(connection)
        return connection

    def execute(self, statement: str, params: Sequence[Any] | None = None) -> int:
        """Run one statement, or several without parameters, and return the number of rows it touched."""
        return self._shared().execute(statement.encode(), params).rowcount

    def rows(self, statement: str, params: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one query and return all its rows."""
        return self._shared().execute(statement.encode(), params).fetchall()

    def _shared(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._own is None or self._own.closed:
            self._own = self.connect()
        return self._own

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()


@pytest.fixture
def mysql() -> Iterator[MySQLDatabase]:
    """A fresh database on the MySQL or MariaDB server."""
    with _mysql_database(MYSQL_URL) as database:
        yield database


@pytest.fixture
def mysql56() -> Iterator[MySQLDatabase]:
    """A fresh database on the MySQL 5.6 server."""
    with _mysql_database(MYSQL56_URL) as database:
        yield database


@pytest.fixture
def postgres() -> Iterator[PostgresDatabase]:
    """A fresh database on the PostgreSQL server; the extension vector is at hand but not created."""
    with _postgres_database(_server_url(POSTGRES_URL)) as database:
        yield database


@pytest.fixture
def other() -> Iterator[PostgresDatabase]:
    """A second fresh database beside `postgres`."""
    with _postgres_database(_server_url(POSTGRES_URL)) as database:
        yield database


@pytest.fixture(scope="session")
def _postgis_server() -> Iterator[str]:
    """The PostgreSQL 15 server's URL; few tests want it, so each process starts its own when one asks."""
    if url := os.environ.get(POSTGIS_URL):
        yield url
        return
    with PostGIS(settings=POSTGRES_SETTINGS) as server:
        yield server.admin_url


@pytest.fixture
def postgis(_postgis_server: str) -> Iterator[PostgresDatabase]:
    """A fresh database on PostgreSQL 15; postgis is at hand but not created, and there is no pgvector."""
    with _postgres_database(_postgis_server) as database:
        yield database


@pytest.fixture
def private_mariadb() -> Iterator[Callable[..., MariaDB]]:
    """Start MariaDB servers of the test's own, to kill at will; takes what `MariaDB` takes."""
    servers: list[MariaDB] = []

    def start(**options: Any) -> MariaDB:
        options["settings"] = {**MARIADB_SETTINGS, **options.get("settings", {})}
        servers.append(MariaDB(**options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def private_postgres() -> Iterator[Callable[..., Postgres]]:
    """Start PostgreSQL servers of the test's own, to kill at will; takes what `Postgres` takes."""
    servers: list[Postgres] = []

    def start(**options: Any) -> Postgres:
        options["settings"] = {**POSTGRES_SETTINGS, **options.get("settings", {})}
        servers.append(Postgres(**options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A temporary folder that every user can reach; pytest's `tmp_path` is closed to a server's own user."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@contextmanager
def _mysql_database(variable: str) -> Iterator[MySQLDatabase]:
    admin = _server_url(variable)
    name = f"test_{uuid.uuid4().hex[:16]}"
    with connect_mysql(admin, database=None) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    database = MySQLDatabase(with_database(admin, name), name)
    try:
        yield database
    finally:
        database.close()
        with connect_mysql(admin, database=None) as connection, connection.cursor() as cursor:
            # A session that still holds a lock of the database would make DROP wait.
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
            for (session,) in cursor.fetchall():
                _kill(connection, session)
            cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def _postgres_database(admin: str) -> Iterator[PostgresDatabase]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(admin, autocommit=True) as connection:
        # template1 may hold the extension; template0 is bare. WAL_LOG copies it without a checkpoint.
        query = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(query.format(sql.Identifier(name)))
    database = PostgresDatabase(with_database(admin, name), name)
    try:
        yield database
    finally:
        database.close()
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _server_url(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        pytest.fail(f"{variable} names no server: a test of its folder must not ask for one", pytrace=False)
    return url


def _kill(connection: MySQLConnection, session: int) -> None:
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"KILL {session}")
        except Exception as error:  # noqa: BLE001 - the session ended by itself
            sys.stderr.write(f"KILL {session}: {error}\n")
