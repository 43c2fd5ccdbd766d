"""Measures `vecferry transform` on one core: MB of dump a second of processor time and of wall time, peak memory.

A script counts only when psql loads it and the target then holds the sample's very vectors.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import machine
from bench.ends import Ends, Source
from bench.say import teller

from vecferry import _core
from vecferry.demo.pginstall import package_directory

LEAST_MB = 300
MOST_PEAK_MB = 400


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    options = _parser().parse_args(arguments)
    if _core.DEBUG:
        sys.stderr.write("the core is a debug build: build it with `maturin develop --release` first\n")
        return 2
    result = measure(options.rows, options.repeats, options.keep_data)
    text = json.dumps(result, indent=2) + "\n"
    if options.json is not None:
        options.json.write_text(text)
    sys.stdout.write(text)
    met = result["cpu_mb_a_second"] >= LEAST_MB and result["peak_mb"] <= MOST_PEAK_MB
    return 0 if met or not options.must_meet else 1


def measure(rows: int, repeats: int, keep: Path | None) -> dict[str, Any]:
    """Rewrites the sample's dump `repeats` times and loads the last script.

    Returns:
        Medians, `MB` being 10^6 bytes of dump, `cpu` user and system time of the whole process; every run.
    """
    say = teller()
    with tempfile.TemporaryDirectory(prefix="vecferry-bench-") as name, Ends(say, keep) as ends:
        source, directory = ends.source(rows), Path(name)
        dump, script = ends.dump(source, directory / "dump.sql"), directory / "out.sql"
        size = dump.stat().st_size / 1e6
        runs = [_run(dump, script) for _ in range(repeats)]
        for number, run in enumerate(runs, 1):
            say(f"round {number} of {repeats}: {size / run['cpu_seconds']:.0f} MB/s, peak {run['peak_mb']:.0f} MB")
        seconds = _load(ends, source, script)
        return {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": machine.commit(),
            "machine": machine.machine(),
            "rows": rows,
            "dump_mb": round(size, 1),
            "script_mb": round(script.stat().st_size / 1e6, 1),
            "cpu_mb_a_second": round(size / median(run["cpu_seconds"] for run in runs), 1),
            "wall_mb_a_second": round(size / median(run["seconds"] for run in runs), 1),
            "peak_mb": round(max(run["peak_mb"] for run in runs), 1),
            "psql_seconds": round(seconds, 2),
            "runs": runs,
        }


def _run(dump: Path, script: Path) -> dict[str, float]:
    """Rewrites the dump in a process that has one core."""
    core = str(min(os.sched_getaffinity(0)))
    began = time.perf_counter()
    command = [sys.executable, "-m", "vecferry", "transform", str(dump), str(script), "--quiet"]
    process = subprocess.Popen(["taskset", "-c", core, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"vecferry transform ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - began, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mb": round(usage.ru_maxrss * 1024 / 1e6, 1),
    }


def _load(ends: Ends, source: Source, script: Path) -> float:
    """Loads the script and compares what is there with the sample; returns psql's seconds."""
    psql = package_directory() / "pginstall" / "bin" / "psql"
    with ends.target() as url:
        began = time.perf_counter()
        subprocess.run([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", script], check=True)
        seconds = time.perf_counter() - began
        ends.check(source, "the script")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/script.py", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="embeddings in the dump (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="counted rounds (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the measurements")
    parser.add_argument("--keep-data", type=Path, metavar="DIR", help="keep MariaDB's data there between calls")
    parser.add_argument("--assert", dest="must_meet", action="store_true", help="exit with 1 when a bar is not met")
    return parser


if __name__ == "__main__":
    sys.exit(main())
