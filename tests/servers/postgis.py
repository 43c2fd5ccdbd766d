"""A private PostgreSQL server with PostGIS and without pgvector, from Debian's packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.install import ensure_postgis, programs
from vecferry.demo.pginstall import SYSTEM_USER
from vecferry.demo.postgres import Postgres
from vecferry.demo.server import ServerError

if TYPE_CHECKING:
    from pathlib import Path


class PostGIS(Postgres):
    """A private PostgreSQL server, 15 on Debian 12, that has `postgis` and `citext` at hand, created in no database.

    See `Postgres` for the rest; nothing of the machine's own clusters is touched.
    """

    locale = ("--locale=C.UTF-8",)  # the builtin provider came with PostgreSQL 17
    extensions = ()

    def _make_directory(self) -> None:
        ensure_postgis(install=False)
        super()._make_directory()

    def _find_programs(self) -> Path:
        found = programs()
        if found is None:
            raise ServerError("PostgreSQL with PostGIS is gone: run `make postgis`")
        if self._system_user is not None and not self._system_user.can_run(found / "postgres"):
            raise ServerError(f"{found} is closed to the user {SYSTEM_USER}: open it")
        return found
