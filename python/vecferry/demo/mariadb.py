"""A private MariaDB server from the system's `mariadbd`."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

from vecferry.demo.server import USER, Server, ServerError
from vecferry.demo.urls import connect_mysql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vecferry.demo.urls import MySQLConnection

# Debian keeps the daemon where an ordinary user's PATH does not look.
_SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])

SETTINGS = {
    "character-set-server": "utf8mb4",
    "innodb-buffer-pool-size": "1G",
    "innodb-log-file-size": "256M",
    "max-allowed-packet": "64M",
}


def find_program(name: str) -> str | None:
    """Return the path of one of MariaDB's programs, None when it is not installed."""
    return shutil.which(name, path=_SEARCH)


class MariaDB(Server):
    """A private MariaDB server.

    `vecferry` is an ordinary user with all rights on every database that `create_database` makes; `root` is
    the administrator. Both log in over TCP with random passwords. `settings` takes options of mariadbd
    without their dashes, as `{"log-bin": "binlog", "server-id": "1"}`. See `Server` for the rest.
    """

    scheme = "mysql"
    admin_user = "root"
    admin_database = "mysql"
    stop_signal = signal.SIGTERM
    defaults: Mapping[str, str] = SETTINGS
    """What `settings` goes before."""

    def connect(self, database: str | None = None) -> MySQLConnection:
        """Connect as the administrator, to no database unless one is named."""
        return connect_mysql(self.admin_url, database=database, autocommit=True)

    def create_database(self, name: str) -> str:
        """Create a utf8mb4 database, give `vecferry` all rights on it and return its URL."""
        quoted = name.replace("`", "``")
        # In a GRANT, _ and % in a database name are wildcards.
        pattern = quoted.replace("_", r"\_").replace("%", r"\%")
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{quoted}` CHARACTER SET utf8mb4")
            cursor.execute(f"GRANT ALL ON `{pattern}`.* TO '{USER}'@'127.0.0.1'")
        return self.url_of(name)

    def _install(self) -> None:
        command = [
            _program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self._tmpdir()}",
            *_as_root(),
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            "--innodb-log-file-size=16M",
            # A machine that crashes during these two seconds starts over; the system tables are synced by the
            # server's first clean stop.
            "--debug-no-sync",
        ]
        try:
            self._run(command)
        except ServerError:
            shutil.rmtree(self.data, ignore_errors=True)
            raise

    def _daemon(self) -> str:
        """Return the path of the server's program."""
        return _program("mariadbd")

    def _options(self) -> dict[str, str]:
        """Return the server's options, without their dashes."""
        return {
            "datadir": str(self.data),
            "tmpdir": str(self._tmpdir()),
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            # Relative to the data directory: an absolute path may be longer than a socket's name can be.
            "socket": "mysql.sock",
            "pid-file": "mysql.pid",
            "init-file": str(self._init_file()),
            **self.defaults,
            **self.settings,
        }

    def _command(self) -> list[str]:
        options = [f"--{name}={value}" for name, value in self._options().items()]
        return [self._daemon(), "--no-defaults", *_as_root(), "--skip-name-resolve", *options]

    def _tmpdir(self) -> Path:
        """Make the server's own folder for temporary tables: two servers that start at once can collide in /tmp."""
        path = self.directory / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def _init_file(self) -> Path:
        """Write the statements that run before the first login: no account is ever without a password."""
        path = self.directory / "init.sql"
        path.touch(mode=0o600)
        admin, user = f"root@'127.0.0.1' IDENTIFIED BY '{self.admin_password}'", f"{USER}@'127.0.0.1'"
        path.write_text(
            f"CREATE OR REPLACE USER {admin};\n"
            "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
            f"ALTER USER IF EXISTS root@localhost IDENTIFIED BY '{self.admin_password}';\n"
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{self.password}';\n"
        )
        return path

    def _login(self) -> None:
        self.connect().close()

    def _prepare(self) -> None:
        self.create_database(self.database)


def _as_root() -> list[str]:
    """Return the option without which MariaDB refuses to run as root."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _program(name: str) -> str:
    path = find_program(name)
    if path is None:
        raise ServerError(f"{name} was not found: run `python -m vecferry.demo.install` once")
    return path
