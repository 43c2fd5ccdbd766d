"""The measured process: one migration through the public API, its report and what it cost on stdout as JSON.

`load.py` starts it with a JSON object on stdin: `config`, the options of `vecferry.load_config`, `servers`, names and
process ids of the servers whose CPU is read at the beginning and the end of every step, and `bare`, whether the load
does without ledger and retries.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import bare
from bench.processes import Meter, peak_memory

from vecferry import load_config, migrate
from vecferry.progress import Progress


class Watch(Progress):
    """Reads the meter around every step."""

    def __init__(self, meter: Meter) -> None:
        self.cpu: dict[str, dict[str, float]] = {}
        self.load_peak = 0
        self._meter = meter
        self._before: dict[str, float] = {}

    def begin(self, step: str) -> None:  # noqa: ARG002 - the base class names it
        """Notes where the meter stands."""
        self._before = self._meter.read()

    def end(self, step: str, seconds: float) -> None:  # noqa: ARG002 - the base class names it
        """Notes what the step cost."""
        after = self._meter.read()
        self.cpu[step] = {name: round(after[name] - self._before[name], 3) for name in after}
        if step == "load":
            self.load_peak = peak_memory()


def main() -> None:
    job = json.load(sys.stdin)
    config = load_config(**job["config"])
    if job["bare"]:
        bare.install()
    watch = Watch(Meter(job["servers"]))
    report = migrate(config, watch)
    result = {
        "report": report.to_json(),
        "cpu_seconds": watch.cpu,
        "unmeasured_seconds": bare.unmeasured["seconds"],
        "load_peak_bytes": watch.load_peak,
        "peak_bytes": peak_memory(),
        "workers": config.workers,
        "chunk_bytes": int(config.chunk_bytes),
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
