"""The program that dumps: where it is, who made it, and which servers it is not made for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vecferry.errors import UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Name = Literal["mariadb-dump", "mysqldump", "mydumper"]
Maker = Literal["MariaDB", "MySQL", "mydumper"]

_TRIED_MYDUMPER = (0, 10)
_VERSION_SECONDS = 20
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
_BANNERS: tuple[tuple[re.Pattern[str], Maker], ...] = (
    (re.compile(r"^mydumper v?(\d+)\.(\d+)\.(\d+)"), "mydumper"),
    (re.compile(r"(\d+)\.(\d+)\.(\d+)-MariaDB"), "MariaDB"),
    (re.compile(r"mysqldump\b.*\bDistrib (\d+)\.(\d+)\.(\d+)"), "MySQL"),
    (re.compile(r"mysqldump\b.*\bVer ([89]|\d\d+)\.(\d+)\.(\d+)"), "MySQL"),
)
_PACKAGES = {
    "mariadb-dump": "mariadb-client (Debian, Ubuntu) or mariadb (Red Hat)",
    "mysqldump": "mysql-client (Ubuntu), mysql (Red Hat) or mysql-community-client (MySQL's own repositories)",
    "mydumper": "mydumper",
}


@dataclass(frozen=True, slots=True)
class Client:
    """A program that dumps a database; `maker` is who wrote it, whatever the program is called."""

    name: str
    path: str
    maker: Maker
    version: tuple[int, int, int]

    def __str__(self) -> str:
        by = f" of {self.maker}" if self.maker != "mydumper" else ""
        return f"{self.name} {'.'.join(map(str, self.version))}{by}"


def environment() -> dict[str, str]:
    """Returns what of this process's environment a client needs; a password is in none of it."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("LC_")}
    # MySQL's clients read a file of logins besides the options that they are given, and would prefer it.
    return {**kept, "MYSQL_TEST_LOGIN_FILE": os.devnull}


def find_client(*, mariadb: bool, wanted: Name | None = None, place: Path | None = None) -> Client:
    """Looks for the client that suits a server.

    Args:
        mariadb: whether the server is MariaDB.
        wanted: the program to use; None for the one of the server's maker, or the other's where it is missing.
        place: the program itself, or the folder to look in; None for the folders of PATH.

    Raises:
        UsageError: there is none, or it is no program that dumps.
    """
    if place is not None and not place.is_dir():
        return _identified(str(place), place.name)
    names = _names(mariadb=mariadb, wanted=wanted)
    searched = os.environ.get("PATH", os.defpath) if place is None else str(place)
    found = [_identified(path, name) for name in names if (path := shutil.which(name, path=searched))]
    if not found:
        where = f"in {place}" if place is not None else "in the folders of PATH"
        raise UsageError(
            f"--client: there is no {' and no '.join(names)} {where}: install the package {_PACKAGES[names[0]]},"
            " or say where the program is with --client-path"
        )
    of_server: Maker = "MariaDB" if mariadb else "MySQL"
    return next((client for client in found if client.maker == of_server), found[0])


def doubts(client: Client, *, mariadb: bool, version: tuple[int, int, int]) -> tuple[str, ...]:
    """Returns a sentence for what is known to go wrong between a client and a server of `version`."""
    if client.maker == "mydumper":
        if client.version[:2] == _TRIED_MYDUMPER:
            return ()
        return (f"{client} was not tried: vecferry knows mydumper {'.'.join(map(str, _TRIED_MYDUMPER))}",)
    server = f"{'MariaDB' if mariadb else 'MySQL'} {'.'.join(map(str, version))}"
    own = client.maker == ("MariaDB" if mariadb else "MySQL")
    if own and client.version[:2] < version[:2]:
        return (f"{client} is older than the server, {server}: what is new there may be missing in the dump",)
    if own:
        return ()
    if mariadb:
        return (f"{client} is not made for {server}: it may fail, and sequences are not in its dump: use mariadb-dump",)
    if version >= (8, 0, 0):
        # https://jira.mariadb.org/browse/MDEV-14871 and its kin: invisible columns, roles, caching_sha2_password.
        return (f"{client} is not made for {server}: it may fail, or leave out what MariaDB has not: use mysqldump",)
    return ()


def _names(*, mariadb: bool, wanted: Name | None) -> Sequence[Name]:
    if wanted is not None:
        return (wanted,)
    return ("mariadb-dump", "mysqldump") if mariadb else ("mysqldump", "mariadb-dump")


def _identified(path: str, name: str) -> Client:
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user names, or PATH's
            [path, "--version"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--client: {path} --version cannot be run: {one_line(error)}") from None
    banner = " ".join((done.stdout or done.stderr).split())
    for pattern, maker in _BANNERS:
        if found := pattern.search(banner):
            return Client(name, path, maker, (int(found[1]), int(found[2]), int(found[3])))
    raise UsageError(
        f"--client: {path} is no mariadb-dump, mysqldump or mydumper: its --version says {banner[:100]!r}:"
        " name one with --client-path"
    )
