"""A disk of a few megabytes: a tmpfs of the test's own, mounted, filled and made larger at will."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_BALLAST = "ballast"
_BLOCK = b"\xff" * (1 << 20)


class Disk:
    """A tmpfs at a new folder. Use it as a context manager.

    Mounting takes root with CAP_SYS_ADMIN (Docker: `--privileged`, or `--cap-add SYS_ADMIN`). There is no other way
    to a disk that is full for a server and not for everybody, so without that right a test fails and says so.

    Args:
        path: a folder that does not exist yet.
        size: in MiB.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size

    def __enter__(self) -> Self:
        self.path.mkdir()
        self._mount(f"size={self._size}m,mode=0777", "-t", "tmpfs", "tmpfs")
        return self

    def __exit__(self, *_: object) -> None:
        # Lazily: a server may not have closed its last file yet.
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    def fill(self) -> None:
        """Leaves no byte free."""
        with (self.path / _BALLAST).open("ab", buffering=0) as file:
            try:
                while file.write(_BLOCK):
                    pass
            except OSError:
                return

    def grow(self, size: int) -> None:
        """Makes it larger by `size` MiB."""
        self._size += size
        self._mount(f"remount,size={self._size}m")

    def free(self) -> int:
        """The bytes that are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def _mount(self, options: str, *arguments: str) -> None:
        command = ["mount", "-o", options, *arguments, str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"this test has to mount a tmpfs, as root with CAP_SYS_ADMIN: {done.stderr.strip()}")
