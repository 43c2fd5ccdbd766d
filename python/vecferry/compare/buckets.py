"""Rows as sums of hashes in a fixed number of buckets, so that tables of any size compare in constant memory; pure.

Each row falls into a bucket by its key, or by all its values where it has none, and adds the hash of all its values to
the bucket's sum. Equal multisets have equal sums; different ones have different sums but for one chance in 2^64 a
bucket. The rows of buckets that differ are then read again and compared by their values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BUCKETS = 65_536
_FACTOR = 0x9E37_79B9_7F4A_7C15
"""An odd number with bits all over, 2^64 by the golden ratio, so that the order of columns counts."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What the rows of one side add up to, a number for each bucket."""

    counts: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.counts + other.counts, self.hashes + other.hashes)

    @property
    def rows(self) -> int:
        """How many rows."""
        return int(self.counts.sum())


def no_rows() -> Sums:
    """Returns the sums of nothing."""
    return Sums(np.zeros(BUCKETS, np.int64), np.zeros(BUCKETS, np.uint64))


def sums(rows: pa.Table, key: Sequence[int]) -> Sums:
    """Adds up rows in canonical form.

    Args:
        rows: the rows.
        key: the places of the columns that say which bucket; all where there are none.
    """
    if not rows.num_rows:
        return no_rows()
    hashes = _hashes(rows, range(rows.num_columns))
    buckets = buckets_of(rows, key)
    added = np.zeros(BUCKETS, np.uint64)
    np.add.at(added, buckets, hashes)
    return Sums(np.bincount(buckets, minlength=BUCKETS).astype(np.int64), added)


def buckets_of(rows: pa.Table, key: Sequence[int]) -> NDArray[np.uint64]:
    """Returns the bucket of each row."""
    return _hashes(rows, key or range(rows.num_columns)) >> np.uint64(48)


def differing(source: Sums, target: Sums) -> NDArray[np.bool_]:
    """Says of each bucket whether the sides differ in it."""
    unlike: NDArray[np.bool_] = (source.counts != target.counts) | (source.hashes != target.hashes)
    return unlike


def within(rows: pa.Table, key: Sequence[int], wanted: NDArray[np.bool_]) -> pa.Table:
    """Returns the rows whose bucket is wanted."""
    return rows.filter(pa.array(wanted[buckets_of(rows, key)])) if rows.num_rows else rows


def _hashes(rows: pa.Table, places: Sequence[int] | range) -> NDArray[np.uint64]:
    import polars as pl  # noqa: PLC0415 - importing it takes longer than most chunks

    result = np.zeros(rows.num_rows, np.uint64)
    for place in places:
        values = pl.Series(pl.from_arrow(rows.column(place))).hash(seed=place + 1).to_numpy()
        result = (result ^ values) * np.uint64(_FACTOR)
        result ^= result >> np.uint64(32)
    return result
