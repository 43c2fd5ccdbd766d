"""A private PostgreSQL 15 server with PostGIS and without pgvector, from Debian's packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.install import PROGRAMS, ensure_postgis
from vecferry.demo.pginstall import SYSTEM_USER
from vecferry.demo.postgres import Postgres
from vecferry.demo.server import ServerError

if TYPE_CHECKING:
    from pathlib import Path


class PostGIS(Postgres):
    """A private PostgreSQL 15 server that has `postgis` and `citext` at hand, created in no database.

    See `Postgres` for the rest; nothing of the machine's own clusters is touched.
    """

    locale = ("--locale=C.UTF-8",)  # the builtin provider came with PostgreSQL 17
    extensions = ()

    def _make_directory(self) -> None:
        ensure_postgis(install=False)
        super()._make_directory()

    def _find_programs(self) -> Path:
        if self._system_user is not None and not self._system_user.can_run(PROGRAMS / "postgres"):
            raise ServerError(f"{PROGRAMS} is closed to the user {SYSTEM_USER}: open it")
        return PROGRAMS
