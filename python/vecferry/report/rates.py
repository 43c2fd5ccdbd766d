"""Numbers for plots: the speed of a load from its chunks, the histogram of norms; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vecferry.report.details import Throughput

if TYPE_CHECKING:
    from collections.abc import Sequence

STRETCHES = 60
BARS = 25
"""An odd number, so that norms which are all about the same are one bar."""
_SHORTEST = 0.2
"""Seconds that a stretch lasts at least."""
_INSTANT = 0.001
_NARROWEST = 0.02
"""The least width of a histogram, as a share of the largest value: rounding is no spread."""


def throughput(chunks: Sequence[tuple[float, float, int, int]]) -> Throughput | None:
    """Returns how fast chunks were loaded, each spread evenly over the time that it took.

    Args:
        chunks: for each the second of its commit, the seconds that it took, its rows and its bytes.

    Returns:
        The speed over working time, idle time left out; None where there are no chunks.
    """
    if not chunks:
        return None
    intervals = sorted((end - max(taken, _INSTANT), end, rows, size) for end, taken, rows, size in chunks)
    reach = intervals[0][0]
    idle = reach
    shifted = []
    for start, end, rows, size in intervals:
        idle += max(0.0, start - reach)
        reach = max(reach, end)
        shifted.append((start - idle, end - idle, rows, size))
    total = reach - idle
    count = max(1, min(STRETCHES, int(total / _SHORTEST)))
    width = total / count
    row_sums, byte_sums = [0.0] * count, [0.0] * count
    for start, end, rows, size in shifted:
        for place in range(min(count - 1, int(start / width)), min(count, math.ceil(end / width))):
            share = max(0.0, min(end, (place + 1) * width) - max(start, place * width)) / (end - start)
            row_sums[place] += rows * share
            byte_sums[place] += size * share
    return Throughput(
        round(width, 6),
        tuple(round(value / width, 3) for value in row_sums),
        tuple(round(value / width, 1) for value in byte_sums),
    )


def histogram(values: Sequence[float]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Returns the bounds of a histogram's bars, one more than there are bars, and how many values each has."""
    if not values:
        return (), ()
    low, high = min(values), max(values)
    middle, width = (low + high) / 2, max(high - low, abs(high) * _NARROWEST, 1e-6)
    low = max(0.0, middle - width / 2) if low >= 0 else middle - width / 2
    counts = [0] * BARS
    for value in values:
        counts[max(0, min(BARS - 1, int((value - low) / width * BARS)))] += 1
    return tuple(low + width * place / BARS for place in range(BARS + 1)), tuple(counts)
