"""Installs MariaDB from the system's packages when it is missing; no service is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from vecferry.demo.mariadb import find_program
from vecferry.demo.server import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGES = ("mariadb-server-core", "mariadb-client")
_PROGRAMS = ("mariadbd", "mariadb-install-db")


def ensure_mariadb(*, install: bool) -> None:
    """Make sure that MariaDB's programs are on this machine.

    Args:
        install: Install the packages when they are missing, where that needs no password.

    Raises:
        ServerError: They are missing; the message ends with the command to type.
    """
    ensure("MariaDB", PACKAGES, _present, install=install)


def ensure(product: str, packages: Sequence[str], present: Callable[[], bool], *, install: bool) -> None:
    """Make sure that what some of Debian's packages hold is on this machine.

    Args:
        product: What the packages hold, as the messages name it.
        packages: Their names.
        present: Whether it is there.
        install: Install the packages when they are missing, where that needs no password.

    Raises:
        ServerError: It is missing; the message ends with the command to type.
    """
    if present():
        return
    manual = f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    missing = f"{product} is not installed: type `{manual}`"
    prefix = _privileged()
    if not install or prefix is None or shutil.which("apt-get") is None:
        raise ServerError(missing)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        # apt-get's words go to stderr: they are progress, not a result.
        done = subprocess.run(
            [*prefix, *environment, "apt-get", "-q", *command],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode != 0:
            raise ServerError(f"apt-get could not install {product}: type `{manual}`")
    if not present():
        raise ServerError(missing)


def run(ensures: Callable[..., None]) -> int:
    """Install what is missing; return 2 after one sentence when that cannot be done.

    Args:
        ensures: What makes sure of it, such as `ensure_mariadb`.
    """
    try:
        ensures(install=True)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def main() -> int:
    """Install MariaDB's programs when they are missing; see `run`."""
    return run(ensure_mariadb)


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
