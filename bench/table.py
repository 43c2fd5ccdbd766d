"""A result as text: the tables of the terminal and of README.md are the same Markdown."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from bench.bars import Bar, bars, ledger_cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BEGIN = "<!-- figures: begin (written by `bench/run.py --update-readme`, not by hand) -->"
END = "<!-- figures: end -->"

_NAMES = {
    "floor": "psql, ready-made rows (the floor)",
    "wire": "vecferry, `wire` (default)",
    "cast": "vecferry, `cast`",
    "dump": "vecferry, `wire`, of a dump",
}
_MET = {True: "met", False: "not met", None: "-"}


def render(result: Mapping[str, Any]) -> str:
    """Returns the whole text of a result, in the form that `run.py` writes."""
    parts = [_heading(result), _loads(result), _costs(result), _parser(result)]
    if result.get("ledger") is not None:
        parts.append(_ledger(result["ledger"]))
    if result["memory"] is not None:
        parts.append(_memory(result["memory"]))
    parts += [render_bars(bars(result)), _foot(result)]
    return "\n\n".join(parts) + "\n"


def render_bars(judged: Iterable[Bar]) -> str:
    """Returns the block of requirements."""
    rows = [(bar.name, bar.bar, bar.measured, _MET[bar.met]) for bar in judged]
    return "Bars:\n\n" + markdown(("what", "bar", "measured", ""), rows)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table whose columns are aligned in the text too."""
    lines = [list(head), *map(list, rows)]
    widths = [max(3, *(len(line[place]) for line in lines)) for place in range(len(head))]
    padded = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]])


def update(readme: str, result: Mapping[str, Any]) -> str:
    """Returns the README's text with the figures of `result` between the markers.

    Raises:
        ValueError: the markers are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{render(result)}\n{END}{after}"


def _heading(result: Mapping[str, Any]) -> str:
    source, count = result["source"], len(result["runs"]["floor"])
    tables = ", ".join(f"{rows:,} {name}" for name, rows in source["counts"].items())
    runs = "one run each" if count == 1 else f"medians of {count} interleaved runs, smallest to largest in brackets"
    return f"{source['rows']:,} embeddings, {source['json_bytes'] / 1e6:,.0f} MB of JSON ({tables}); {runs}."


def _loads(result: Mapping[str, Any]) -> str:
    floor = median(run["seconds"] for run in result["runs"]["floor"])
    megabytes = result["source"]["json_bytes"] / 1e6
    rows = []
    for name, runs in result["runs"].items():
        seconds = [run["seconds"] for run in runs]
        middle = median(seconds)
        rate = "" if name == "floor" else f"{megabytes / middle:,.0f}"
        rows.append((_NAMES[name], _spread(seconds), f"{middle / floor:.2f} x", rate))
    return markdown(("load", "seconds", "to the floor", "MB of JSON/s"), rows)


def _costs(result: Mapping[str, Any]) -> str:
    rows = []
    for name, runs in result["runs"].items():
        cpu = [_median(run["cpu_seconds"].get(part) for run in runs) for part in ("client", "mariadb", "postgres")]
        plan = _median(run.get("steps", {}).get("plan") for run in runs)
        verify = _median(run.get("steps", {}).get("verify") for run in runs)
        wall = _median(run.get("wall_seconds") for run in runs)
        peak = max(run.get("peak_bytes", 0) for run in runs) / 1e6
        rows.append((_NAMES[name], *cpu, plan, verify, wall, f"{peak:.0f}" if peak else ""))
    head = ("", "CPU client", "CPU MariaDB", "CPU PostgreSQL", "plan", "verification", "wall", "peak client, MB")
    return (
        "What it costs, in seconds; the CPU is that of the load, the wall time that of the whole process.\n\n"
        + markdown(head, rows)
    )


def _parser(result: Mapping[str, Any]) -> str:
    parser = result["parser"]
    slow = parser["orjson_numpy"]["gb_per_second"]
    rows = [
        (name, f"{entry['gb_per_second']:.2f}", f"{entry['gb_per_second'] / slow:.1f} x")
        for name, entry in (("vecferry's core", parser["vecferry"]), ("orjson + numpy", parser["orjson_numpy"]))
    ]
    return "The parser alone, text to float32 on one core:\n\n" + markdown(("parser", "GB of JSON/s", ""), rows)


def _ledger(ledger: Mapping[str, Any]) -> str:
    runs = ledger["runs"]
    rows = [
        (
            f"{name} ledger and retries",
            _spread([run["seconds"] for run in runs[name]]),
            _spread([sum(run["cpu_seconds"].values()) for run in runs[name]]),
        )
        for name in ("with", "without")
    ]
    low, high = min(ledger["load_average"]), max(ledger["load_average"])
    return (
        f"What the ledger and the retries cost: {ledger_cost(runs):+.1%} of the load, the median over"
        f" {len(runs['with'])} interleaved pairs. The machine's load average was {low:.1f} to {high:.1f}.\n\n"
        + markdown(("the load", "seconds", "CPU of client and servers"), rows)
    )


def _memory(memory: Mapping[str, Any]) -> str:
    rows = [(f"{entry['rows']:,}", f"{entry['peak_bytes'] / 1e6:.0f}") for entry in (memory["small"], memory["large"])]
    return "Memory against the table's size:\n\n" + markdown(("embeddings", "peak client, MB"), rows)


def _foot(result: Mapping[str, Any]) -> str:
    commit, machine, versions = result["commit"], result["machine"], result["versions"]
    state = (commit["hash"] or "no commit")[:12] + (" with uncommitted changes" if commit["dirty"] else "")
    client = result["runs"]["wire"][0]
    settings = [f"{name}={value}" for server in result["settings"].values() for name, value in server.items()]
    hardware = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB"
    lines = (
        f"measured {result['started']} at {state}",
        f"{hardware}, {machine['system']}; client and servers on this one machine",
        f"{client['workers']} workers, chunks of {client['chunk_bytes'] / 2**20:g} MiB",
        ", ".join(f"{name} {value}" for name, value in versions.items()),
        ", ".join(settings),
    )
    return "\n".join(f"- {line}" for line in lines)


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} - {max(values):.2f})"


def _median(values: Iterable[float | None]) -> str:
    found = [value for value in values if value is not None]
    return f"{median(found):.2f}" if found else ""
