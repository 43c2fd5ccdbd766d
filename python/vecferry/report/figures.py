"""What the page's plots and cards show, from the object of `report.json`; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.report.console import seconds_words, size_words
from vecferry.report.plots import Axis, Line, axis_from_zero, histogram_plot, line_plot
from vecferry.report.redact import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOALS = (0.95, 0.99)
"""Shares of recall at 10 whose `hnsw.ef_search` is told."""
_LONGEST_NAME = 100
_LEAST_STRETCHES = 3
"""A line of fewer points says less than its mean."""


def timeline(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns the steps with where their bars begin and how long these are, in thousandths of the whole."""
    whole = max((step["start"] + step["seconds"] for step in steps), default=0.0) or 1.0
    return [
        {
            "name": step["name"].replace("_", " "),
            "left": round(1000 * step["start"] / whole),
            "width": max(3, round(1000 * step["seconds"] / whole)),
            "seconds": step["seconds"],
            "finished": step["finished"],
        }
        for step in steps
    ]


def speed(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Returns the plots of bytes and rows per second; none of a load that was too short for a line."""
    if not found or len(found["bytes_per_second"]) < _LEAST_STRETCHES:
        return []
    width = found["seconds"]
    plots = []
    for title, values, words in (
        ("Source data per second", found["bytes_per_second"], lambda value: size_words(value).replace(".0 ", " ")),
        ("Rows per second", found["rows_per_second"], _short),
    ):
        whole = width * len(values)
        x = Axis(((0.0, "0 s"), (whole / 2, seconds_words(whole / 2)), (whole, seconds_words(whole))))
        mean, peak = words(sum(values) / len(values)), words(max(values))
        # Steps: each value is the mean of its stretch.
        edges = [width * (place + side) for place in range(len(values)) for side in (0, 1)]
        line = Line(title, edges, [value for value in values for _ in (0, 1)], area=True)
        alternative = f"{title} over {seconds_words(whole)} of loading: mean {mean}, peak {peak}."
        plot = line_plot([line], x, axis_from_zero(max(values), words), alternative)
        plots.append({"title": title, "plot": plot, "mean": mean, "peak": peak})
    return plots


def _short(number: float) -> str:
    thousand = 1000
    for unit in ("", "k", "M"):
        if number < thousand:
            return f"{number:.3g}{unit}"
        number /= thousand
    return f"{number:.3g}G"


def embeddings(report: Mapping[str, Any], details: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the embedding columns, each with its census, its index and the histogram of its norms."""
    censuses = {(entry["table"], entry["column"]): entry for entry in details.get("census", ())}
    indexes = {(entry["table"], entry["column"]): entry for entry in details.get("indexes", ())}
    found = []
    for vector in report["vectors"]:
        where = vector["table"], vector["column"]
        census = censuses.get(where)
        plot = None
        if census and census["norm_counts"]:
            counts, edges = census["norm_counts"], census["norm_edges"]
            middle = (edges[0] + edges[-1]) / 2
            x = Axis(tuple((edge, f"{edge:.4g}") for edge in (edges[0], middle, edges[-1])))
            alternative = (
                f"Histogram of {sum(counts):,} norms from {census['norm_least']:.4g} to {census['norm_greatest']:.4g},"
                f" mean {census['norm_mean']:.4g}."
            )
            plot = histogram_plot(counts, x, axis_from_zero(max(counts), _short), alternative)
        found.append({**vector, "census": census, "build": indexes.get(where), "plot": plot})
    return found


def searches(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns the measurements of each index and kind, with a plot of recall and one of latency."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for point in points:
        groups.setdefault((point["index"], point["kind"]), []).append(point)
    found = []
    for (index, kind), unsorted in groups.items():
        entries = sorted(unsorted, key=lambda point: point["ef_search"])
        place = list(range(len(entries)))
        x = Axis(tuple((float(number), str(entry["ef_search"])) for number, entry in enumerate(entries)))
        recalls = [[entry[name] for entry in entries] for name in ("recall10", "recall100")]
        times = [[entry[name] for entry in entries] for name in ("p50_ms", "p95_ms")]
        floor = min(0.9, int(10 * min(map(min, recalls))) / 10)
        y = Axis(tuple((value, f"{value:.2f}") for value in (floor, (1 + floor) / 2, 1.0)))
        first, last = entries[0]["ef_search"], entries[-1]["ef_search"]
        words = f"of {shorten(index, _LONGEST_NAME)} by ef_search, {first} to {last}"
        found.append({
            "index": index,
            "kind": kind,
            "entries": entries,
            "recall": line_plot(
                [Line("at 10", place, recalls[0], dots=True), Line("at 100", place, recalls[1], "two", dots=True)],
                x, y, f"Recall {words}: at 10 from {recalls[0][0]:.3f} to {recalls[0][-1]:.3f},"
                f" at 100 from {recalls[1][0]:.3f} to {recalls[1][-1]:.3f}.",
            ),
            "latency": line_plot(
                [Line("p50", place, times[0], dots=True), Line("p95", place, times[1], "two", dots=True)],
                x, axis_from_zero(max(map(max, times)), lambda value: f"{value:.3g} ms"),
                f"Latency {words}: median from {times[0][0]:.3g} to {times[0][-1]:.3g} ms.",
            ),
            "reached": [(goal, _reaching(entries, goal)) for goal in GOALS],
        })  # fmt: skip
    return found


def _reaching(entries: Sequence[Mapping[str, Any]], goal: float) -> int | None:
    return next((entry["ef_search"] for entry in entries if entry["recall10"] >= goal), None)
