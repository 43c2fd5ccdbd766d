"""The benchmark's text: the bars it judges, and the section of its README that it writes."""

from __future__ import annotations

from typing import Any

import pytest
from bench.bars import bars
from bench.table import BEGIN, END, markdown, render, update


def run(seconds: float, peak: int = 300_000_000) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "steps": {"plan": 0.1},
        "wall_seconds": seconds + 1,
        "cpu_seconds": {"client": 1.0, "mariadb": 0.5, "postgres": 0.7},
        "peak_bytes": peak,
        "workers": 2,
        "chunk_bytes": 2**25,
    }


def result(rows: int = 20_000, *, wire: float = 1.2, large_peak: int | None = None) -> dict[str, Any]:
    memory = large_peak and {
        "small": {"rows": rows, "peak_bytes": 300_000_000},
        "large": {"rows": 5 * rows, "peak_bytes": large_peak},
    }
    return {
        "started": "2026-01-02T03:04:05+00:00",
        "commit": {"hash": "0123456789abcdef", "dirty": False},
        "machine": {"cpu": "A CPU", "cores": 2, "memory_bytes": 2**34, "system": "Linux", "load_average": [0.1]},
        "versions": {"python": "3.11"},
        "settings": {"postgres": {"fsync": "on"}, "mariadb": {"log_bin": "OFF"}},
        "source": {"rows": rows, "json_bytes": 846_000_000, "counts": {"content_embedding": rows}},
        "parser": {"vecferry": {"gb_per_second": 1.5}, "orjson_numpy": {"gb_per_second": 0.15}},
        "runs": {
            "floor": [{"seconds": 0.6, "cpu_seconds": {"client": 0.1, "postgres": 0.5}}],
            "wire": [run(wire)],
            "cast": [run(3.0)],
        },
        "memory": memory or None,
    }


@pytest.mark.parametrize(
    ("found", "met"),
    [
        (result(), [True, True, True, None]),
        (result(wire=1.6), [False, True, True, None]),
        (result(large_peak=350_000_000), [True, True, True, True]),
        (result(large_peak=400_000_000), [True, True, True, False]),
        # Another number of rows shows its figures and is not judged by bars that are not about it.
        (result(500, wire=9.0), [None, True, None, None]),
    ],
)
def test_bars_are_judged(found: dict[str, Any], met: list[bool | None]) -> None:
    assert [bar.met for bar in bars(found)] == met


def test_the_ratio_is_that_of_the_medians() -> None:
    found = result()
    found["runs"]["wire"] = [run(seconds) for seconds in (1.0, 1.2, 9.0)]

    text = render(found)

    assert "1.20 (1.00 - 9.00)" in text
    assert "2.00 x" in text


@pytest.mark.parametrize(("slower", "met"), [(1.02, True), (1.05, False)])
def test_the_ledger_costs_the_median_of_the_pairs(slower: float, met: bool) -> None:
    found = result()
    pairs = {"with": [run(slower), run(9.0), run(slower)], "without": [run(1.0), run(1.0), run(1.0)]}
    found["ledger"] = {"runs": pairs, "load_average": [0.5, 1.5]}

    assert bars(found)[-1].met is met
    assert f"{slower - 1:+.1%} of the load" in render(found)
    assert "0.5 to 1.5" in render(found)


def test_only_what_lies_between_the_markers_is_rewritten() -> None:
    text = update(f"before\n{BEGIN}\nold figures\n{END}\nafter\n", result())

    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old figures" not in text
    assert "0123456789ab" in text


def test_a_readme_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="figures: begin"):
        update("no markers", result())


def test_columns_are_aligned() -> None:
    assert markdown(("a", "bcde"), [("xyzw", "1")]) == "| a    | bcde |\n|------|------|\n| xyzw | 1    |"
