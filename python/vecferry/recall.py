"""How good an approximate search is: recall, percentiles, and which setting is enough; pure."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROUNDING = 2.0**-24
"""Half of float32's distance between 1 and the next number."""


def slack(distance: str, dimensions: int, size: float) -> float:
    """Returns how far apart two distances may be and still be a tie.

    An index over cosine orders normalized vectors, and the query then tells distances of the vectors as they are: the
    same in exact arithmetic, but summed in float32, where the error of a sum of n terms grows about like sqrt(n). Other
    distances are the very same function in the index and in the query.

    Args:
        distance: `cosine`, `l2`, `ip` or `l1`.
        dimensions: of the vectors.
        size: the distance that others are compared with.
    """
    if distance == "cosine":
        return max(1e-6, 2 * _ROUNDING * sqrt(dimensions))
    return 1e-6 * abs(size)


def recall(found: Sequence[float], exact: Sequence[float], k: int, distance: str, dimensions: int) -> float | None:
    """Returns the share of the exact `k` nearest that a search found, told by distance so that ties are equally right.

    Args:
        found: distances of what the search returned, in any order.
        exact: distances of the exact answer, ascending; fewer than `k` where there are no more rows.
        k: how many were asked for.
        distance: as for `slack`.
        dimensions: as for `slack`.

    Returns:
        A share from 0 to 1; None where the exact answer is empty.
    """
    best = exact[:k]
    if not best:
        return None
    furthest = best[-1] + slack(distance, dimensions, best[-1])
    return min(len(best), sum(value <= furthest for value in sorted(found)[:k])) / len(best)


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the nearest-rank percentile: the smallest of `values` that at least `share` of them do not exceed.

    Args:
        values: at least one.
        share: above 0, at most 1.
    """
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def mean(values: Sequence[float]) -> float:
    """Returns the mean of `values`, at least one."""
    return sum(values) / len(values)


def smallest_reaching(recalls: Mapping[int, Sequence[float]], wanted: float) -> int | None:
    """Returns the smallest setting from which on every kind of query has at least the recall `wanted`.

    Args:
        recalls: for each setting the recall of each kind of query.
        wanted: a share from 0 to 1.
    """
    enough: int | None = None
    for setting in sorted(recalls, reverse=True):
        if min(recalls[setting], default=0.0) < wanted:
            break
        enough = setting
    return enough
