"""The folder of a backup: it holds a whole one, or nothing that looks like one."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from vecferry.backups.frames import SUFFIXES
from vecferry.backups.manifest import NAME
from vecferry.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARTIAL = ".partial"
DUMP, DUMP_FOLDER = "dump.sql", "dump"
"""The dump of mariadb-dump or mysqldump, with the suffix of its compression, and mydumper's files."""
_OURS = {f"{name}{_PARTIAL}" for name in (NAME, DUMP_FOLDER, *(DUMP + suffix for suffix in SUFFIXES.values()))}


class Folder:
    """A folder that is being filled; made by `new_folder`.

    What is written lies under names that end in `.partial` until `commit`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: list[str] = []

    def partial(self, name: str) -> Path:
        """Returns where the file or folder that will be called `name` is written."""
        if name not in self._names:
            self._names.append(name)
        return self.path / f"{name}{_PARTIAL}"

    def write(self, name: str, text: str) -> None:
        """Writes a small file, readable by its owner alone.

        Raises:
            OSError: it cannot be written.
        """
        descriptor = os.open(self.partial(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def commit(self) -> None:
        """Gives everything its name, in the order in which it was asked for.

        Raises:
            OSError: a name could not be given.
        """
        for name in self._names:
            self.partial(name).replace(self.path / name)
        sync_folder(self.path)

    def discard(self) -> None:
        """Removes all that was written."""
        for name in self._names:
            _remove(self.partial(name))
            _remove(self.path / name)


@contextmanager
def new_folder(path: Path) -> Iterator[Folder]:
    """Makes the folder of a backup; where the block fails, nothing of it stays.

    Raises:
        UsageError: it cannot be made, holds something already, or could not be written to, e.g. on a full disk.
    """
    made = not path.exists()
    try:
        if made:
            path.mkdir(mode=0o700, parents=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"--out: the folder {path} cannot be made: {error.strerror}") from None
    try:
        _claim(path, descriptor)
        folder = Folder(path)
        try:
            yield folder
        except BaseException as error:
            folder.discard()
            if made:
                with suppress(OSError):
                    path.rmdir()
            if isinstance(error, OSError):
                raise UsageError(
                    f"the backup could not be written to {path}: {error.strerror or error}: nothing of it was kept,"
                    " see to the disk or name another folder, then run again"
                ) from None
            raise
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Waits until the disk knows the names of the files in `path`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _claim(path: Path, descriptor: int) -> None:
    """Takes the folder for this process alone, and clears away what one that was killed has left."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UsageError(f"--out: another backup is being written to {path}: name another folder") from None
    there = sorted(path.iterdir())
    if any(entry.name == NAME for entry in there):
        raise UsageError(f"--out: {path} holds a backup already: name another folder, or remove it")
    if others := [entry.name for entry in there if entry.name not in _OURS]:
        raise UsageError(f"--out: {path} is not empty, it holds {others[0]}: name an empty or a new folder")
    for entry in there:
        _remove(entry)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
