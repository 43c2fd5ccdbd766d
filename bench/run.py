"""Measures vecferry against PostgreSQL's own COPY, on private servers; README.md beside it says what and how."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import machine
from bench.bars import bars
from bench.ends import Ends, Source, WrongResultError
from bench.floor import Floor, FloorError
from bench.load import LoadError, migrate, run_load
from bench.say import Say, teller
from bench.table import render, update

from vecferry import VecferryError, _core
from vecferry.demo.server import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.load import Figures

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
FAST_ROWS = 500
MEMORY_FACTOR = 5
PARSER_ROWS = 2000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    options = _parser().parse_args(arguments)
    if options.update_readme is not None:
        README.write_text(update(README.read_text(), json.loads(options.update_readme.read_text())))
        return 0
    if _core.DEBUG:
        sys.stderr.write("the core is a debug build: build it with `maturin develop --release` first\n")
        return 2
    if options.fast:
        options.rows, options.repeats, options.pairs = FAST_ROWS, 1, 1
    try:
        result = measure(
            options.rows, options.repeats, options.pairs, teller(), memory=options.memory, keep=options.keep_data
        )
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except (FloorError, LoadError, ServerError, VecferryError, WrongResultError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    path = options.json or (None if options.fast else HERE / "results" / f"{result['started'][:10]}.json")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n")
        sys.stderr.write(f"every measurement is in {path}\n")
    sys.stdout.write(render(result))
    failed = any(bar.met is False for bar in bars(result))
    return 1 if options.must_meet and failed else 0


def measure(rows: int, repeats: int, pairs: int, say: Say, *, memory: bool, keep: Path | None) -> dict[str, Any]:
    """Measures everything and returns it, ready for JSON.

    Args:
        rows: how many embeddings.
        repeats: how many counted rounds; each runs the floor and the loads, in a rotated order.
        pairs: how many times the load is run with and without ledger and retries; 0 leaves it out.
        say: is told what happens.
        memory: whether a source five times as large is loaded too, for the client's peak memory.
        keep: a directory that keeps MariaDB's data between calls.

    Raises:
        FloorError: psql failed.
        LoadError: a migration failed.
        WrongResultError: a run left something else than the sample.
    """
    result: dict[str, Any] = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "machine": machine.machine(),
    }
    say("measuring the parser alone")
    result["parser"] = _measure_parser(min(rows, PARSER_ROWS), repeats)
    with tempfile.TemporaryDirectory(prefix="vecferry-bench-") as directory, Ends(say, keep) as ends:
        source = ends.source(rows)
        result["versions"] = {**machine.versions(), **ends.versions()}
        result["settings"] = ends.settings()
        result["source"] = {key: value for key, value in asdict(source).items() if key != "url"}
        result["runs"] = _rounds(ends, source, repeats, Path(directory), say)
        result["ledger"] = _pairs(ends, source, pairs, say)
        result["memory"] = _memory(ends, rows, result["runs"]["wire"], say) if memory else None
    return result


def _rounds(ends: Ends, source: Source, repeats: int, directory: Path, say: Say) -> dict[str, list[Figures]]:
    say("warming up, and preparing the floor's files")
    with ends.target() as migrated, ends.target("bench_empty") as empty:
        migrate(ends, source, migrated, "wire")
        ends.check(source, "the warm-up")
        floor = Floor(ends, source, directory, migrated, empty)
    floor.run()
    dump = ends.dump(source, directory / "dump.sql")
    contenders: dict[str, Callable[[], Figures]] = {
        "floor": floor.run,
        "wire": lambda: run_load(ends, source, "wire"),
        "cast": lambda: run_load(ends, source, "cast"),
        "dump": lambda: run_load(ends, source, "wire", dump=dump),
    }
    runs: dict[str, list[Figures]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(repeats):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            figures = contenders[name]()
            runs[name].append(figures)
            say(f"round {number + 1} of {repeats}: {name} {figures['seconds']:.2f} s")
    return runs


def _pairs(ends: Ends, source: Source, count: int, say: Say) -> dict[str, Any] | None:
    """Loads with and without ledger and retries, in turn; which of a pair goes first alternates."""
    runs: dict[str, list[Figures]] = {"with": [], "without": []}
    load_average = [os.getloadavg()[0]]
    for number in range(count):
        names = ("with", "without") if number % 2 else ("without", "with")
        for name in names:
            runs[name].append(run_load(ends, source, "wire", bare=name == "without"))
        taken = ", ".join(f"{name} ledger {runs[name][-1]['seconds']:.2f} s" for name in runs)
        say(f"pair {number + 1} of {count}: {taken}")
        load_average.append(os.getloadavg()[0])
    return {"runs": runs, "load_average": load_average} if count else None


def _memory(ends: Ends, rows: int, small: Sequence[Figures], say: Say) -> dict[str, Any]:
    source = ends.source(rows * MEMORY_FACTOR)
    figures = run_load(ends, source, "wire")
    say(f"{source.rows:,} embeddings: {figures['seconds']:.2f} s, peak {figures['peak_bytes'] / 1e6:.0f} MB")
    return {
        "small": {"rows": rows, "peak_bytes": max(run["peak_bytes"] for run in small)},
        "large": {"rows": source.rows, "peak_bytes": figures["peak_bytes"], "run": figures},
    }


def _measure_parser(rows: int, repeats: int) -> dict[str, Any]:
    """Measures in a process of its own, on one core."""
    code = f"import json\nfrom bench.parser import measure\nprint(json.dumps(measure({rows}, {repeats})))"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH")))),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadError(f"the parser's measurement failed:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="embeddings in the source (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="counted rounds (%(default)s)")
    parser.add_argument("--pairs", type=int, default=9, help="loads with and without the ledger (%(default)s)")
    parser.add_argument("--fast", action="store_true", help=f"{FAST_ROWS} rows, one round: that it runs, not how fast")
    parser.add_argument("--memory", action="store_true", help="peak memory on a source five times as large, too")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="the measurements (results/DATE.json; none if --fast)"
    )
    parser.add_argument("--keep-data", type=Path, metavar="DIR", help="keep MariaDB's data there between calls")
    parser.add_argument("--assert", dest="must_meet", action="store_true", help="exit with 1 when a bar is not met")
    parser.add_argument(
        "--update-readme", type=Path, metavar="FILE", help="write the figures of FILE into README.md, and no more"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
