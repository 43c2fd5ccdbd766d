"""Ends a process with all its children, finds a free port, reads the end of a log."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

STOP_SECONDS = 60.0
LOG_LINES = 12
POLL_SECONDS = 0.02


def tail(log: Path) -> str:
    """Return the last lines of a log file."""
    if not log.exists():
        return "(nothing)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a process, kill it when it does not end, and wait for its children too."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    if process.poll() is None:
        process.send_signal(number)
    if number == signal.SIGKILL:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    deadline = time.monotonic() + STOP_SECONDS
    while any(map(alive, children)):
        if time.monotonic() > deadline:
            for child in filter(alive, children):
                child.kill()
            return
        time.sleep(POLL_SECONDS)


def alive(process: psutil.Process) -> bool:
    """Whether a process runs; an orphan's remains, where the container's first process reaps nothing, do not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
