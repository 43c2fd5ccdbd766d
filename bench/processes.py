"""What processes cost: CPU of this process and of a server's process tree, and this process's peak memory."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping


class Meter:
    """CPU seconds so far of this process, called `client`, and of servers known by name and process id."""

    def __init__(self, servers: Mapping[str, int]) -> None:
        self._servers = {name: psutil.Process(pid) for name, pid in servers.items()}

    def read(self) -> dict[str, float]:
        """Returns user and system time together; only differences of two readings mean something."""
        return {"client": own_cpu(), **{name: tree_cpu(server) for name, server in self._servers.items()}}


def own_cpu() -> float:
    """Returns the CPU seconds of this process, all its threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def children_cpu() -> float:
    """Returns the CPU seconds of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tree_cpu(server: psutil.Process) -> float:
    """Returns the CPU seconds of a server: its own, its living children's and those of children that have ended.

    A PostgreSQL backend that ends leaves its time to the postmaster, which waits for it.
    """
    used = server.cpu_times()
    total = used.user + used.system + used.children_user + used.children_system
    for child in server.children():
        try:
            alive = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += alive.user + alive.system
    return float(total)


def peak_memory() -> int:
    """Returns the largest resident size that this program has had, in bytes.

    Not `ru_maxrss`, which survives `exec` and so tells the size of the parent at the fork where that was larger.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmHWM: the benchmark needs Linux")
