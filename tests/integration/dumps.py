"""Dumps of a test's database by the real mariadb-dump."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase


def dump(mysql: MySQLDatabase, path: Path, *options: str) -> Path:
    """Dumps a database, structure and all, into a file."""
    parts = urlsplit(mysql.url)
    command = ["mariadb-dump", "--no-defaults", "--protocol=tcp", f"--host={parts.hostname}", f"--port={parts.port}",
               f"--user={parts.username}", "--routines", "--events", *options, mysql.database]  # fmt: skip
    environment = {**os.environ, "MYSQL_PWD": unquote(parts.password or "")}
    with path.open("wb") as file:
        subprocess.run(command, env=environment, check=True, stdout=file, timeout=120)
    return path
