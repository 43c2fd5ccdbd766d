"""How the C allocator treats a chunk's buffers; for a process of vecferry's own, never for a library's user."""

from __future__ import annotations

import ctypes
import platform

# <malloc.h> of glibc; mallopt(3) says what they mean.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGEST_CHUNK = 1 << 30


def keep_freed_buffers() -> None:
    """Lets the next chunk use the memory of the one before.

    glibc maps buffers of more than 32 MiB anew each time, and the kernel zeroes every page of them again;
    that was a seventh of a load's processor time. One arena, so that what a thread frees another can take. Must be
    called before threads start; does nothing with another C library.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_CHUNK)
    libc.mallopt(_M_TRIM_THRESHOLD, _LARGEST_CHUNK)
    libc.mallopt(_M_ARENA_MAX, 1)
