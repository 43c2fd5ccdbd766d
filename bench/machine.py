"""Where and on what a figure was measured: commit, machine, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("vecferry", "connectorx", "adbc-driver-postgresql", "pyarrow", "psycopg", "numpy", "orjson")


def machine() -> dict[str, Any]:
    """Returns the processor, the cores this process may use, the memory and the system."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """Returns the versions of Python, the packages that carry the data, and the compiler at hand."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    found["rustc"] = _output("rustc", "--version") or "not there"
    return found


def commit() -> dict[str, Any]:
    """Returns the commit that is checked out, and whether files differ from it; null outside a repository."""
    status = _output("git", "status", "--porcelain")
    return {"hash": _output("git", "rev-parse", "HEAD") or None, "dirty": None if status is None else bool(status)}


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return platform.machine()


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
