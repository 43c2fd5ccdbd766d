"""Installs PostgreSQL 15 with PostGIS from Debian's packages when it is missing; no service is started."""

from __future__ import annotations

import sys
from pathlib import Path

from vecferry.demo.install import ensure
from vecferry.demo.server import ServerError

# It depends on postgresql-15, which is not named: apt-get would upgrade one that is there, and restart its clusters.
PACKAGES = ("postgresql-15-postgis-3",)
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
CONTROL = Path("/usr/share/postgresql/15/extension/postgis.control")
SERVICES = Path("/run/systemd/system")


def ensure_postgis(*, install: bool) -> None:
    """Make sure that PostgreSQL 15 and PostGIS are on this machine.

    Args:
        install: Install the packages when they are missing, where that needs no password and starts no service:
            where systemd runs, Debian's postgresql-15 makes a cluster of its own and starts it.

    Raises:
        ServerError: They are missing; the message ends with the command to type.
    """
    harmless = (PROGRAMS / "postgres").exists() or not SERVICES.exists()
    ensure("PostgreSQL 15 with PostGIS", PACKAGES, _present, install=install and harmless)


def main() -> int:
    """Install what is missing; return 2 after one sentence when that cannot be done."""
    try:
        ensure_postgis(install=True)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _present() -> bool:
    return (PROGRAMS / "postgres").exists() and CONTROL.exists()


if __name__ == "__main__":
    sys.exit(main())
