"""Where a script goes: a file under a temporary name until it is whole, its owner's alone, or standard output."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Self, cast

import pyarrow as pa

from vecferry.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

Compression = Literal["gzip", "zstd"]
STANDARD = "-"
_PIECE = 4 * 1024 * 1024
_GZIP_LEVEL = 4
_NOT_COPIED = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
"""What the kernel says of files that it does not copy between."""
_BY_EXTENSION: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}


def regular_file(name: str) -> Path | None:
    """Returns the file that is made of this name, through symbolic links.

    None where the bytes go into what is there already: standard output, a device such as /dev/null, a named pipe.
    """
    path = Path(name)
    if name == STANDARD or (path.exists() and not path.is_file()):
        return None
    return path.resolve()


def compression_of(name: str) -> Compression | None:
    """Returns how a file of this name is compressed; standard output is not."""
    return _BY_EXTENSION.get(Path(name).suffix)


class Output:
    """A script on its way out; a block that ends with an exception leaves no file behind.

    Args:
        name: a path, or `-` for standard output. A device or a pipe is written to, never replaced.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes = 0
        """What was written so far, compressed where the file is."""
        self._compression = compression_of(name)
        self._path = regular_file(name)
        self._temporary: Path | None = None
        self._file: BinaryIO

    def __enter__(self) -> Self:
        """Opens the file.

        Raises:
            TargetError: it cannot be made.
        """
        if self.name == STANDARD:
            self._file = sys.stdout.buffer
            return self
        with self._told():
            if self._path is None:
                self._file = open(self.name, "wb", buffering=0)  # noqa: PTH123 - __exit__ closes it
                return self
            # The name is new and the file its owner's alone, whatever lies there already.
            handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent)
            self._temporary = Path(name)
            self._file = os.fdopen(handle, "wb", buffering=0)
        return self

    def text(self, text: str) -> None:
        """Writes text, compressed where the file is.

        Raises:
            TargetError: it cannot be written.
        """
        self.raw(compressed(text.encode(), self._compression))

    def raw(self, data: bytes | memoryview) -> None:
        """Writes bytes that are compressed already where the file is.

        Raises:
            TargetError: they cannot be written.
        """
        with self._told():
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        self.bytes += len(data)

    def raw_from(self, file: int, start: int, end: int) -> None:
        """Writes a part of another file, see `raw`; where both are files of one disk, the kernel copies it by itself.

        Raises:
            TargetError: it cannot be read or written.
        """
        at = start
        with self._told():
            while self._temporary is not None and at < end:
                try:
                    count = os.copy_file_range(file, self._file.fileno(), end - at, at)
                except OSError as error:
                    if error.errno not in _NOT_COPIED:
                        raise
                    count = 0
                if not count:
                    break
                at += count
                self.bytes += count
        buffer = memoryview(bytearray(min(_PIECE, end - at)))
        while at < end:
            with self._told():
                count = os.preadv(file, [buffer[: end - at]], at)
            if not count:
                raise TargetError("the temporary file is shorter than what was written: look at its disk")
            self.raw(buffer[:count])
            at += count

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives a whole file its name, and takes away one that is not whole."""
        if self._temporary is None:
            with self._told() if kind is None else contextlib.suppress(OSError):
                self._file.flush()
            if self.name != STANDARD:
                self._file.close()
            return
        try:
            if kind is None:
                with self._told():
                    os.fsync(self._file.fileno())
                    self._file.close()
                    self._temporary.replace(cast("Path", self._path))
        finally:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise TargetError("the reader of the script is gone", advice="look at what it says") from error
        except OSError as error:
            where = "standard output" if self.name == STANDARD else self.name
            raise TargetError(f"cannot write the script to {where}: {error.strerror or error}") from error


class GzipStream(gzip.GzipFile):
    """A gzip frame that is written into a file of its own, and closes that with itself.

    pyarrow's stream knows only the highest level, which takes ten times as long for a script that is hardly smaller.

    Args:
        sink: the file.
    """

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__(fileobj=sink, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0)
        self._sink = sink

    def close(self) -> None:
        """Ends the frame."""
        super().close()
        self._sink.close()


def compressed(data: bytes, compression: Compression | None) -> bytes:
    """Returns `data` as a frame of its own; frames one after the other are one file."""
    if compression is None:
        return data
    if compression == "gzip":
        return gzip.compress(data, _GZIP_LEVEL, mtime=0)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, compression) as stream:
        stream.write(data)
    return bytes(sink.getvalue())
