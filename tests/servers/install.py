"""Installs PostgreSQL with PostGIS, and mydumper, from Debian's packages when missing; no service is started."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from vecferry.demo.install import ensure, run

# It depends on the server, which is not named: apt-get would upgrade one that is there, and restart its clusters.
PACKAGES = ("postgresql-postgis",)
_LIBRARY = Path("/usr/lib/postgresql")
_SHARE = Path("/usr/share/postgresql")
SERVICES = Path("/run/systemd/system")


def ensure_postgis(*, install: bool) -> None:
    """Make sure that a PostgreSQL with PostGIS is on this machine.

    Args:
        install: Install the packages when they are missing, where that needs no password and starts no service:
            where systemd runs, Debian's postgresql makes a cluster of its own and starts it.

    Raises:
        ServerError: They are missing; the message ends with the command to type.
    """
    harmless = any(_LIBRARY.glob("*/bin/postgres")) or not SERVICES.exists()
    ensure("PostgreSQL with PostGIS", PACKAGES, lambda: programs() is not None, install=install and harmless)


def ensure_mydumper(*, install: bool) -> None:
    """Make sure that mydumper is on this machine; see `ensure_postgis`.

    Raises:
        ServerError: It is missing; the message ends with the command to type.
    """
    ensure("mydumper", ("mydumper",), lambda: shutil.which("mydumper") is not None, install=install)


def programs() -> Path | None:
    """Return the folder of the newest server's programs that has PostGIS, None where there is none."""
    found = [path for path in _LIBRARY.glob("*/bin") if (path / "postgres").exists() and _has_postgis(path)]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _has_postgis(path: Path) -> bool:
    return (_SHARE / path.parent.name / "extension" / "postgis.control").exists()


def main() -> int:
    """Install what is missing; return 2 after one sentence when that cannot be done."""
    return run(ensure_postgis) or run(ensure_mydumper)


if __name__ == "__main__":
    sys.exit(main())
