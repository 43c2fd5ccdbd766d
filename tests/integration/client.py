"""The command line in a process of its own, with the largest resident size that it had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# As `vecferry` does, and then: VmHWM is this program's own, ru_maxrss would survive exec and tell the parent's size.
_PROGRAM = """
import atexit, os, sys
from pathlib import Path
result, group = sys.argv[1:3]
del sys.argv[1:3]
if group:
    Path(group, "cgroup.procs").write_text(str(os.getpid()))
def tell():
    status = Path("/proc/self/status").read_text()
    Path(result).write_text(status.split("VmHWM:")[1].split()[0])
atexit.register(tell)
from vecferry.cli import main
main()
"""
_GROUPS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)


@dataclass(frozen=True)
class Ended:
    """What came of a call."""

    code: int
    peak_bytes: int
    """The largest resident size; 0 of a process that was killed."""
    report: dict[str, Any]
    words: str
    """All that it wrote to stderr."""


def call(source: str, target: str, folder: Path, *options: str, most_bytes: int | None = None) -> Ended:
    """Runs `vecferry migrate --json`; where this user may say so, with no more memory than `most_bytes`."""
    result = folder / f"peak-{uuid.uuid4().hex}"
    with _limited(most_bytes) as group:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(result), group, "migrate", "--json", "--yes", *options],
            env={**os.environ, "VECFERRY_SOURCE": source, "VECFERRY_TARGET": target},
            capture_output=True,
            text=True,
            check=False,
        )
    peak = int(result.read_text()) * 1024 if result.exists() else 0
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = {}
    return Ended(done.returncode, peak, report, done.stderr)


@contextmanager
def _limited(most_bytes: int | None) -> Iterator[str]:
    """Makes a control group in which the kernel kills what takes more; gives "" where that may not be done."""
    for parent, limit in _GROUPS if most_bytes is not None else ():
        group = parent / f"vecferry-{uuid.uuid4().hex[:12]}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if not (group / limit).exists():
                continue
            (group / limit).write_text(str(most_bytes))
            yield str(group)
            return
        finally:
            group.rmdir()
    yield ""
