"""Measures what a table costs beyond its rows: many small tables, planned and migrated."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import machine
from bench.ends import Ends
from bench.say import teller

from vecferry import load_config, make_plan, migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

DATABASE = "bench_tables"
PLAN_SECONDS = 10
"""The bar for the plan of 500 tables."""
TABLE_SECONDS = 0.05
"""The bar for what one table adds to a migration."""
COLUMNS = (
    "id int PRIMARY KEY AUTO_INCREMENT, parent int, name varchar(50), made datetime(6) DEFAULT CURRENT_TIMESTAMP(6),"
    " active tinyint(1), kind enum('a','b'), body text, UNIQUE KEY uq (name), KEY made (made)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench/tables.py", description=__doc__)
    parser.add_argument("--tables", type=int, default=500, help="how many (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="counted rounds (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements there")
    options = parser.parse_args(arguments)
    result = measure(options.tables, options.repeats)
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    plan, whole = (statistics.median(run[name] for run in result["runs"]) for name in ("plan", "migrate"))
    each = 1000 * whole / options.tables
    print(f"{options.tables} tables: plan {plan:.2f} s, migrate {whole:.2f} s, {each:.1f} ms each")
    return 0 if plan < PLAN_SECONDS and whole / options.tables < TABLE_SECONDS else 1


def measure(tables: int, repeats: int) -> dict[str, Any]:
    """Fills a database with `tables` tables of two rows, each referencing the one before, and carries it."""
    say = teller()
    runs = []
    with Ends(say, None) as ends:
        source = _fill(ends, tables)
        for number in range(repeats + 1):
            with ends.target() as target:
                config = load_config(source=source, target=target, estimate=False)
                began = time.perf_counter()
                make_plan(config)
                planned = time.perf_counter()
                report = migrate(config)
                run = {"plan": planned - began, "migrate": time.perf_counter() - planned, "steps": report.seconds}
            if report.status != "ok":
                raise SystemExit(f"the migration ended with {report.status}")
            say(f"{'warm-up' if number == 0 else number}: plan {run['plan']:.2f} s, migrate {run['migrate']:.2f} s")
            runs.append(run)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "started": started,
        "commit": machine.commit(),
        "machine": machine.machine(),
        "tables": tables,
        "runs": runs[1:],
    }


def _fill(ends: Ends, tables: int) -> str:
    url = ends.mariadb.create_database(DATABASE)
    with ends.mariadb.connect(DATABASE) as connection, connection.cursor() as cursor:
        for number in range(tables):
            key = f", CONSTRAINT fk{number} FOREIGN KEY (parent) REFERENCES t{number - 1} (id)" if number else ""
            cursor.execute(f"CREATE TABLE t{number} ({COLUMNS}{key})")
            cursor.execute(
                f"INSERT INTO t{number} (parent, name, active, kind, body)"
                " VALUES (NULL, 'a', 1, 'a', 'x'), (1, 'b', 0, 'b', 'y')"
                if number
                else "INSERT INTO t0 (name, active, kind, body) VALUES ('a', 1, 'a', 'x'), ('b', 0, 'b', 'y')"
            )
    return url


if __name__ == "__main__":
    sys.exit(main())
