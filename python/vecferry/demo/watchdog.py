"""Ends a server when the Python that started it is gone, however it went."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from pathlib import Path

# `read` returns when the pipe's other end, in the Python, is gone. The server is known by its pid and by the data
# directory on its command line, so that a recycled pid is left alone. PR_SET_PDEATHSIG would be shorter, but it
# fires when the starting *thread* ends, and servers are started from threads.
_SCRIPT = """
read -r _
ours() { tr '\\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$2"; }
ours "$1" "$2" && kill -s "$3" "$1"
n=0
while ours "$1" "$2" && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
ours "$1" "$2" && kill -s KILL "$1"
[ -z "$4" ] || rm -rf -- "$4"
"""


def start(pid: int, data: Path, stop_signal: signal.Signals, temporary: Path | None) -> subprocess.Popen[bytes]:
    """Start watching a server on behalf of this process.

    Args:
        pid: The server's process.
        data: The data directory, which stands on the server's command line.
        stop_signal: What makes the server stop cleanly.
        temporary: A directory to remove after it, if any.
    """
    arguments = [str(pid), str(data), stop_signal.name.removeprefix("SIG"), str(temporary or "")]
    return subprocess.Popen(
        ["/bin/sh", "-c", _SCRIPT, "vecferry-watchdog", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def stop(watchdog: subprocess.Popen[bytes]) -> None:
    """Stop watching; the server is not touched."""
    watchdog.kill()
    watchdog.wait()
    if watchdog.stdin is not None:
        watchdog.stdin.close()
