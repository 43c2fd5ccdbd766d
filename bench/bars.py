"""What is required of the figures, and whether they meet it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 20_000
"""The bars of the load are about so many embeddings; a smaller run only shows its figures."""
LOAD_TO_FLOOR = 2.5
PARSER_GB = 1.0
PEAK_MB = 600
DUMP_PEAK_MB = 400
GROWTH = 1.2
LEDGER = 0.03


@dataclass(frozen=True)
class Bar:
    """One requirement."""

    name: str
    bar: str
    measured: str
    met: bool | None
    """None: not measured, or not on the rows that the bar is about."""


def bars(result: Mapping[str, Any]) -> list[Bar]:
    """Judges a result, in the form that `run.py` writes."""
    full = result["source"]["rows"] == ROWS
    wire, floor = (median(run["seconds"] for run in result["runs"][name]) for name in ("wire", "floor"))
    peak = max(run["peak_bytes"] for run in result["runs"]["wire"]) / 1e6
    parser = result["parser"]["vecferry"]["gb_per_second"]
    memory = result["memory"]
    if memory is None:
        grown = Bar("memory grows with the table", f"<= {GROWTH:.2f} x", "not measured: --memory", None)
    else:
        growth = memory["large"]["peak_bytes"] / memory["small"]["peak_bytes"]
        rows = f"{memory['large']['rows']:,} against {memory['small']['rows']:,} embeddings"
        met = growth <= GROWTH and memory["large"]["peak_bytes"] / 1e6 <= PEAK_MB
        measured = f"{growth:.2f} x, {memory['large']['peak_bytes'] / 1e6:.0f} MB ({rows})"
        grown = Bar("memory grows with the table", f"<= {GROWTH:.2f} x", measured, met if full else None)
    judged = [
        _bar(
            "load, wire, against the floor",
            f"<= {LOAD_TO_FLOOR} x",
            f"{wire / floor:.2f} x",
            wire / floor <= LOAD_TO_FLOOR,
            full,
        ),
        Bar("parser on one core", f">= {PARSER_GB:.1f} GB/s", f"{parser:.2f} GB/s", parser >= PARSER_GB),
        _bar("peak memory of the client", f"<= {PEAK_MB} MB", f"{peak:.0f} MB", peak <= PEAK_MB, full),
        grown,
    ]
    if dumps := result["runs"].get("dump"):
        ratio = median(run["seconds"] for run in dumps) / floor
        peak = max(run["peak_bytes"] for run in dumps) / 1e6
        met = ratio <= LOAD_TO_FLOOR
        judged += [
            _bar("load of a dump, against the floor", f"<= {LOAD_TO_FLOOR} x", f"{ratio:.2f} x", met, full),
            _bar("peak memory with a dump", f"<= {DUMP_PEAK_MB} MB", f"{peak:.0f} MB", peak <= DUMP_PEAK_MB, full),
        ]
    if (ledger := result.get("ledger")) is not None:
        cost = ledger_cost(ledger["runs"])
        judged.append(_bar("ledger and retries, of the load", f"<= {LEDGER:.0%}", f"{cost:+.1%}", cost <= LEDGER, full))
    return judged


def ledger_cost(runs: Mapping[str, Any]) -> float:
    """Returns the share by which the load takes longer with ledger and retries: the median over the pairs."""
    pairs = zip(runs["with"], runs["without"], strict=True)
    return float(median(one["seconds"] / other["seconds"] for one, other in pairs)) - 1


def _bar(name: str, bar: str, measured: str, met: bool, full: bool) -> Bar:
    return Bar(name, bar, measured, met) if full else Bar(name, f"{bar} at {ROWS:,}", measured, None)
