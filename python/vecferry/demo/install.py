"""Installs MariaDB from the system's packages when it is missing; no service is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from vecferry.demo.mariadb import find_program
from vecferry.demo.server import ServerError

PACKAGES = ("mariadb-server-core", "mariadb-client")
_PROGRAMS = ("mariadbd", "mariadb-install-db")
_MANUAL = f"sudo apt-get install --no-install-recommends {' '.join(PACKAGES)}"


def ensure_mariadb(*, install: bool) -> None:
    """Make sure that MariaDB's programs are on this machine.

    Args:
        install: Install the packages when they are missing, where that needs no password.

    Raises:
        ServerError: They are missing; the message ends with the command to type.
    """
    if _present():
        return
    missing = f"MariaDB is not installed: type `{_MANUAL}`"
    prefix = _privileged()
    if not install or prefix is None or shutil.which("apt-get") is None:
        raise ServerError(missing)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        # apt-get's words go to stderr: they are progress, not a result.
        done = subprocess.run(
            [*prefix, *environment, "apt-get", "-q", *command],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode != 0:
            raise ServerError(f"apt-get could not install MariaDB: type `{_MANUAL}`")
    if not _present():
        raise ServerError(missing)


def main() -> int:
    """Install what is missing; return 2 after one sentence when that cannot be done."""
    try:
        ensure_mariadb(install=True)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _present() -> bool:
    return all(find_program(name) is not None for name in _PROGRAMS)


def _privileged() -> list[str] | None:
    """Return what to put before a command to run it as root without a password, None when nothing does."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is not None:
        done = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
        if done.returncode == 0:
            return ["sudo", "-n"]
    return None


if __name__ == "__main__":
    sys.exit(main())
