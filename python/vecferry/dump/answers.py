"""What a plan asks of values, counted in a dump's rows a batch at a time; pure.

Each batch gives tallies, and tallies add up in any order, so that the ranges of a file can be counted by themselves.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.dump.conditions import mask_of
from vecferry.dump.row_keys import smallest_keys
from vecferry.dump.values import BYTES, integers
from vecferry.mapping.ranges import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from vecferry.dump.row_keys import Key
    from vecferry.mapping.checks import Check
    from vecferry.model import Column, Table

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a question found, and the smallest keys of them."""

    count: int = 0
    keys: tuple[Key, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        """Returns the tally of both parts."""
        if not other.count:
            return self
        return Tally(self.count + other.count, tuple(heapq.nsmallest(EXAMPLES, (*self.keys, *other.keys))))

    @property
    def examples(self) -> tuple[str, ...]:
        """The keys in words: `id = 7`."""
        return tuple(words for _, words in self.keys)


Tallies = dict[tuple[str, str], Tally]
"""By column, or index, and kind of check; without those that found nothing."""


def columns_asked(checks: Iterable[Check], key: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns that `tally_values` needs."""
    asked = [name for check in checks for name in (check.columns or (check.column,))]
    return tuple(dict.fromkeys((*asked, *key)))


def tally_values(values: Mapping[str, pa.Array], source: Table, checks: Sequence[Check], key: Sequence[str]) -> Tallies:
    """Counts the rows of each check in one batch.

    Args:
        values: stored values, by column of the source: those of `columns_asked`.
        source: the table.
        checks: conditions on its columns.
        key: the columns that name a row; empty where the table has no key.

    Raises:
        UnreadableError: a value cannot be of its column's type.
    """
    found = {}
    for check in checks:
        asked = mask_of(check, values, source)
        if tally := _tally(asked, values, source, key):
            found[check.column, check.kind] = tally
    return found


def together(parts: Iterable[Tallies]) -> Tallies:
    """Returns the tallies of all parts of a table."""
    total: Tallies = {}
    for part in parts:
        for name, tally in part.items():
            total[name] = total.get(name, Tally()) + tally
    return total


def _tally(asked: pa.Array, values: Mapping[str, pa.Array], source: Table, key: Sequence[str]) -> Tally | None:
    count = pc.sum(asked).as_py()
    return Tally(count, smallest_keys(values, source, key, asked, EXAMPLES)) if count else None


# --- orphans -------------------------------------------------------------------------------------


def key_frame(
    values: Mapping[str, pa.Array], columns: Sequence[Column], others: Sequence[Column], *, ignore_case: bool
) -> pl.DataFrame:
    """Returns one side of a foreign key in the form in which both sides are compared, a row for each row.

    Values are equal here where PostgreSQL will find them equal: texts by their characters, with their case folded one
    by one where the target does not regard it. MySQL's collations find more texts equal, which is what
    `Reference.loose` is about, but no two that are equal here are different to MySQL: what counts as no orphan is none.

    Args:
        values: stored values, by column of the source.
        columns: the side's columns, in the key's order.
        others: the columns of the other side.
        ignore_case: `Reference.ignore_case`.
    """
    import polars as pl  # noqa: PLC0415 - importing it takes longer than connecting to both servers

    arrays = [
        _comparable(values[own.name], own, other, ignore_case=ignore_case)
        for own, other in zip(columns, others, strict=True)
    ]
    return pl.DataFrame({str(place): pl.Series(array) for place, array in enumerate(arrays)})


def parent_frame(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Returns the parents' keys of all parts, each once; this is what is held in memory."""
    import polars as pl  # noqa: PLC0415 - as above

    held: list[pl.DataFrame] = []
    known = size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        # Only once there are twice as many, so that many parts take no more time than their rows.
        if size > 2 * known:
            held = [pl.concat(held).unique(maintain_order=False)]
            known = size = len(held[0])
    found = pl.concat(held).unique(maintain_order=False) if held else pl.DataFrame()
    return found.sort("0") if found.width == 1 else found


def tally_orphans(
    child: pl.DataFrame, parents: pl.DataFrame, values: Mapping[str, pa.Array], source: Table, key: Sequence[str]
) -> Tally:
    """Counts the rows of one batch whose parent is missing; one with NULL in the foreign key has none to miss.

    Args:
        child: what `key_frame` gave for the batch.
        parents: what `parent_frame` gave for the other table.
        values: stored values of the batch, by column of the source.
        source: the table.
        key: the columns that name a row, or the foreign key's own where the table has no key.
    """
    missing = _missing(child.with_row_index("row").drop_nulls(), parents)
    if missing.is_empty():
        return Tally()
    asked = pc.is_in(pa.array(range(len(child)), pa.uint32()), missing["row"].to_arrow())
    return Tally(len(missing), smallest_keys(values, source, key, asked, EXAMPLES))


def _missing(child: pl.DataFrame, parents: pl.DataFrame) -> pl.DataFrame:
    if parents.is_empty():
        return child
    if parents.width > 1 or not parents["0"].dtype.is_integer():
        return child.join(parents, on=parents.columns, how="anti")
    # A join would look at all parents for every batch of children.
    places = parents["0"].search_sorted(child["0"]).clip(0, len(parents) - 1)
    return child.filter(parents["0"].gather(places) != child["0"])


_AS_BYTES = BYTES | {"bit"}
_FRACTION = r"(\.[0-9]*?)0+$"


def _comparable(values: pa.Array, own: Column, other: Column, *, ignore_case: bool) -> pa.Array:
    kinds = {own.data_type, other.data_type}
    if kinds <= INTEGERS.keys():
        return integers(values, own)
    if kinds & _AS_BYTES:
        return values.cast(pa.binary())
    if kinds <= {"datetime", "timestamp", "time"}:
        return _bare_fraction(values)
    if kinds <= {"decimal", *INTEGERS}:
        return _bare_fraction(pc.replace_substring_regex(values, r"^(-?)0+([0-9])", r"\1\2"))
    return pc.utf8_lower(values) if ignore_case and own.character_set else values


def _bare_fraction(values: pa.Array) -> pa.Array:
    """Drops zeros after the point that say nothing: 1.50 and 1.5 are equal."""
    return pc.replace_substring_regex(pc.replace_substring_regex(values, _FRACTION, r"\1"), r"\.$", "")
