"""One measured load: vecferry in a process of its own, into a fresh database."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.ends import WrongResultError

if TYPE_CHECKING:
    from bench.ends import Ends, Source

CLIENT = Path(__file__).with_name("client.py")

Figures = dict[str, Any]


class LoadError(RuntimeError):
    """The measured process failed; its own words are in the message."""


def run_load(
    ends: Ends,
    source: Source,
    vector_load: Literal["wire", "cast"],
    *,
    bare: bool = False,
    dump: Path | None = None,
) -> Figures:
    """Migrates `source` into a fresh database and checks what arrived; if `bare`, without ledger and retries.

    With a `dump` of the source, that is read instead of the server.

    Returns:
        `seconds`, of the load alone: everything but the plan, keys, sequences and verification; `steps`, the
        seconds of each step; `wall_seconds` of the whole process, Python's start included; `cpu_seconds` during
        the load of client, mariadb and postgres; `peak_bytes`, the client's largest resident size.

    Raises:
        LoadError: the migration failed.
        WrongResultError: it left something else than the sample.
    """
    with ends.target() as url:
        result = migrate(ends, source, url, vector_load, bare=bare, dump=dump)
        ends.check(source, f"vecferry --vector-load {vector_load}{' of a dump' if dump else ''}")
    return result


def migrate(
    ends: Ends,
    source: Source,
    target: str,
    vector_load: Literal["wire", "cast"],
    *,
    bare: bool = False,
    dump: Path | None = None,
) -> Figures:
    """Does the same into the database `target`, and leaves it there unchecked."""
    config = {"source": str(dump or source.url), "target": target, "vector_load": vector_load, "hnsw": False}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(CLIENT)],
        input=json.dumps({"config": config, "servers": ends.pids, "bare": bare}),
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - began
    if done.returncode != 0:
        raise LoadError(f"vecferry --vector-load {vector_load} failed:\n{done.stderr.strip()}")
    result = json.loads(done.stdout)
    report = result["report"]
    if report["status"] != "ok":
        raise WrongResultError(f"vecferry --vector-load {vector_load} ended with {report['status']}")
    return {
        "seconds": report["seconds"]["load"] - result["unmeasured_seconds"],
        "steps": report["seconds"],
        "wall_seconds": round(wall, 3),
        "cpu_seconds": result["cpu_seconds"]["load"],
        "peak_bytes": result["peak_bytes"],
        "load_peak_bytes": result["load_peak_bytes"],
        "workers": result["workers"],
        "chunk_bytes": result["chunk_bytes"],
    }
