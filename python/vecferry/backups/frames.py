"""A file that is compressed as it is written: independent frames of some MiB, made by several threads.

A reader can begin at any frame. zstd's frames are followed by an index of them, the seekable format
(https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md), which every
zstd passes over; gzip's are members one after the other (RFC 1952, 2.2).
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, Self

import pyarrow as pa

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

Compression = Literal["none", "gzip", "zstd"]
FRAME_BYTES = 4 << 20
SUFFIXES: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_LEVELS = {"gzip": 4, "zstd": 3}
_SKIPPABLE, _SEEKABLE = 0x184D2A5E, 0x8F92EAB1


class FrameFile:
    """A file of frames, readable by its owner alone. Use it as a context manager.

    Memory is about `(threads + 2) x 2 x FRAME_BYTES`.

    Args:
        path: where it is written; nothing may be there.
        compression: of the frames.
        threads: that compress.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, compression: Compression, threads: int) -> None:
        self.text_bytes = 0
        self.bytes = 0
        self._sha256 = hashlib.sha256()
        self._compression = compression
        self._most = threads + 1
        self._pending: deque[tuple[int, Future[bytes]]] = deque()
        self._index = bytearray()
        self._frames = 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._pool = ThreadPoolExecutor(threads, "vecferry-compress")

    def __enter__(self) -> Self:
        """Leaves the file open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file as it stands."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of the bytes that are written."""
        return self._sha256.hexdigest()

    def write(self, block: bytes) -> None:
        """Adds a frame with `block`, at most 4 GiB.

        Raises:
            OSError: an earlier frame could not be written, e.g. on a full disk.
        """
        self._pending.append((len(block), self._pool.submit(_compressed, block, self._compression)))
        self.text_bytes += len(block)
        while len(self._pending) > self._most:
            self._land()

    def finish(self) -> None:
        """Writes what is left and the index, and waits until the disk has it all.

        Raises:
            OSError: it could not be written, e.g. on a full disk.
        """
        while self._pending:
            self._land()
        if self._compression == "zstd":
            footer = struct.pack("<IBI", self._frames, 0, _SEEKABLE)
            self._append(struct.pack("<II", _SKIPPABLE, len(self._index) + len(footer)) + self._index + footer)
        os.fsync(self._file.fileno())

    def _land(self) -> None:
        size, frame = self._pending.popleft()
        data = frame.result()
        self._append(data)
        self._index += struct.pack("<II", len(data), size)
        self._frames += 1

    def _append(self, data: bytes) -> None:
        self._sha256.update(data)
        self.bytes += len(data)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]


def _compressed(block: bytes, compression: Compression) -> bytes:
    if compression == "none":
        return block
    codec = pa.Codec(compression, compression_level=_LEVELS[compression])
    found: bytes = codec.compress(block, asbytes=True)
    return found
