"""Two sets of rows in canonical form, matched by key and compared cell by cell; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.compare.expected import REJECTED, expected
from vecferry.compare.forms import source_form, target_form
from vecferry.compare.found import Difference, Found
from vecferry.compare.large import LARGE, held, shrunk
from vecferry.compare.shown import shown_key, shown_pair, shown_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vecferry.compare.expected import Allowance, Value
    from vecferry.compare.found import Kind
    from vecferry.compare.pairs import Pair


@dataclass(frozen=True, slots=True)
class Rejects:
    """What is known not to have arrived: keys as `shown_key` says them, `id = 7`."""

    rows: frozenset[str] = frozenset()
    """Of rows that were left out."""
    cells: frozenset[tuple[str, str]] = frozenset()
    """Key and column of values that were made NULL."""
    left_out: int = 0
    """How many rows were left out, those without a key too."""
    changed: int = 0
    """How many other rows have a value that was made NULL."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How the rows of one table are compared."""

    pairs: tuple[Pair, ...]
    key: tuple[str, ...]
    """Columns of the source that tell rows apart; empty where none do."""
    allowances: Mapping[str, Sequence[Allowance]] = field(default_factory=dict)
    """By column of the source."""
    rejects: Rejects = field(default_factory=Rejects)
    most: int = 20
    """How many differences of each kind are told in full."""

    @property
    def key_places(self) -> tuple[int, ...]:
        """Where in `pairs` the key's columns are."""
        names = [pair.name for pair in self.pairs]
        return tuple(names.index(name) for name in self.key)


def source_forms(pairs: Sequence[Pair], rows: pa.Table | pa.RecordBatch) -> pa.Table:
    """Brings what was read in the source to canonical form, a column for each pair in order."""
    return _table([source_form(pair, column) for pair, column in zip(pairs, rows.columns, strict=True)])


def target_forms(pairs: Sequence[Pair], rows: pa.Table | pa.RecordBatch) -> pa.Table:
    """Does the same with what was read in the target."""
    return _table([target_form(pair, column) for pair, column in zip(pairs, rows.columns, strict=True)])


def concatenated(pairs: Sequence[Pair], parts: Iterable[pa.Table]) -> pa.Table:
    """Returns tables in canonical form as one, with one chunk a column; none make an empty one."""
    tables = list(parts)
    if not tables:
        return _table([pa.array([], form_type(pair)) for pair in pairs])
    return pa.concat_tables(tables).combine_chunks()


def form_type(pair: Pair) -> pa.DataType:
    """Returns the Arrow type of a pair's canonical form."""
    if pair.form in {"integer", "double"}:
        return pa.int64()
    if pair.form in {"bytes", "json", "vector", "halfvec", "packed"}:
        return pa.large_binary()
    return pa.large_string()


def _table(columns: list[pa.Array]) -> pa.Table:
    return pa.Table.from_arrays(columns, names=[str(place) for place in range(len(columns))])


def compare(rule: Rule, source: pa.Table, target: pa.Table, limit: int = LARGE) -> Found:
    """Compares rows by their key, or as a multiset where there is none.

    Args:
        rule: how.
        source: the source's rows in canonical form.
        target: the target's, the same columns.
        limit: of values; larger ones are told by their digests, see `large.shrunk`.
    """
    if not rule.key:
        return _multiset(rule, source, target, limit)
    places = rule.key_places
    if not _aligned(source, target, places):
        # PostgreSQL fills the room that it finds, so rows come in another order than they went.
        source, target = _sorted(source, places), _sorted(target, places)
    if _aligned(source, target, places):
        return _cells(rule, source, target, limit)
    ours, theirs, missing, extra = _matched(source, target, places)
    found = _cells(rule, source.take(ours), target.take(theirs), limit)
    lost, rejected = _missing(rule, source.take(missing))
    expected_rows = {f"\n{REJECTED}": rejected} if rejected else {}
    added = [Difference("extra", _key(rule, target, row)) for row in extra[: rule.most].to_pylist()]
    return Found(
        rows_source=source.num_rows,
        rows_target=target.num_rows,
        missing=len(missing) - rejected,
        extra=len(extra),
        different=found.different,
        cells=found.cells,
        expected={**found.expected, **expected_rows},
        differences=(*lost, *added, *found.differences),
    )


def _missing(rule: Rule, rows: pa.Table) -> tuple[list[Difference], int]:
    """Returns some of the rows that the target has not, and how many of all lie in the reject store."""
    listed: list[Difference] = []
    rejected = 0
    for row in range(rows.num_rows if rule.rejects.rows else min(rows.num_rows, rule.most)):
        key = _key(rule, rows, row)
        if key in rule.rejects.rows:
            rejected += 1
        elif len(listed) < rule.most:
            listed.append(Difference("missing", key))
    return listed, rejected


def _aligned(source: pa.Table, target: pa.Table, places: Sequence[int]) -> bool:
    # A key that is unique in the source is so in the target if both are equal.
    return source.num_rows == target.num_rows and all(
        source.column(place).equals(target.column(place)) for place in places
    )


def _sorted(rows: pa.Table, places: Sequence[int]) -> pa.Table:
    order = pc.sort_indices(rows, [(str(place), "ascending") for place in places])
    return rows if order.equals(pa.array(range(len(order)), order.type)) else rows.take(order)


def _matched(
    source: pa.Table, target: pa.Table, places: Sequence[int]
) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """Returns the rows of both sides that belong together, and those of either that belong to none.

    Of rows with equal keys the first belongs to the first, and so on.
    """
    import polars as pl  # noqa: PLC0415 - importing it takes longer than most chunks

    names = [str(place) for place in places]

    def frame(rows: pa.Table, number: str) -> pl.DataFrame:
        keys = pl.DataFrame(pl.from_arrow(rows.select(list(places)))).with_row_index(number)
        return keys.with_columns(pl.int_range(pl.len()).over(names).alias("again"))

    joined = frame(source, "ours").join(
        frame(target, "theirs"), on=[*names, "again"], how="full", nulls_equal=True, maintain_order="left_right"
    )
    both = joined.filter(pl.col("ours").is_not_null() & pl.col("theirs").is_not_null())
    only_ours = joined.filter(pl.col("theirs").is_null())
    only_theirs = joined.filter(pl.col("ours").is_null())
    columns = (both["ours"], both["theirs"], only_ours["ours"], only_theirs["theirs"])
    ours, theirs, missing, extra = (column.to_arrow() for column in columns)
    return ours, theirs, missing, extra


def _cells(rule: Rule, source: pa.Table, target: pa.Table, limit: int) -> Found:
    """Compares rows that belong together."""
    cells: Counter[str] = Counter()
    losses: Counter[str] = Counter()
    listed: list[Difference] = []
    different: set[int] = set()
    for place, pair in enumerate(rule.pairs):
        rows = _differing(_one(source.column(place)), _one(target.column(place)))
        if not len(rows):
            continue
        ours, theirs = source.column(place).take(rows).to_pylist(), target.column(place).take(rows).to_pylist()
        for row, one, other in zip(rows.to_pylist(), ours, theirs, strict=True):
            kinds = _explained(rule, pair, one, other, limit)
            if not kinds and other is None and rule.rejects.cells:
                kinds = (REJECTED,) if (_key(rule, source, row), pair.name) in rule.rejects.cells else ()
            if kinds:
                losses.update(f"{pair.name}\n{kind}" for kind in kinds)
                continue
            cells[pair.name] += 1
            different.add(row)
            if cells[pair.name] <= rule.most:
                listed.append(Difference("cell", _key(rule, source, row), pair.name, *shown_pair(pair, one, other)))
    return Found(
        rows_source=source.num_rows,
        rows_target=target.num_rows,
        different=len(different),
        cells=dict(cells),
        expected=dict(losses),
        differences=tuple(listed),
    )


def _explained(rule: Rule, pair: Pair, one: Value, other: Value, limit: int) -> tuple[str, ...]:
    """Returns the announced losses that turn one value into the other; none where they do not."""
    allowances = rule.allowances.get(pair.name, ())
    if not allowances and pair.zone == "UTC":
        return ()
    value, kinds = expected(one, pair, allowances)
    return kinds if held(value, limit) == other else ()


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _differing(one: pa.Array, other: pa.Array) -> pa.Array:
    """Returns the places where two columns differ; NULL is the same as NULL."""
    if one.equals(other):
        return pa.array([], pa.uint64())
    unequal = pc.fill_null(pc.not_equal(one, other), fill_value=False)
    one_sided = pc.xor(pc.is_null(one), pc.is_null(other))
    return pc.indices_nonzero(pc.or_(unequal, one_sided))


def _key(rule: Rule, rows: pa.Table, row: int) -> str:
    if not rule.key:
        return shown_row(rule.pairs, [column[row].as_py() for column in rows.columns])
    places = rule.key_places
    return shown_key([rule.pairs[place] for place in places], [rows.column(place)[row].as_py() for place in places])


# --- without a key ---------------------------------------------------------------------------------


def _multiset(rule: Rule, source: pa.Table, target: pa.Table, limit: int) -> Found:
    """Compares rows as wholes: each may be there several times, and their order says nothing."""
    everything = range(len(rule.pairs))
    _, _, missing, extra = _matched(source, target, everything)
    lost, added = source.take(missing), target.take(extra)
    losses: Counter[str] = Counter()
    arrived, kinds = lost, list[list[str]]()
    if lost.num_rows and (any(rule.allowances.values()) or any(pair.zone != "UTC" for pair in rule.pairs)):
        arrived, kinds = _as_expected(rule, lost)
        arrived = shrunk(rule, arrived, limit)
        ours, _, still, extra = _matched(arrived, added, everything)
        for row in ours.to_pylist():
            losses.update(kinds[row])
        lost, arrived, added = lost.take(still), arrived.take(still), added.take(extra)
        kinds = [kinds[row] for row in still.to_pylist()]
    rows: list[tuple[Kind, pa.Table, int]]
    rows = [*(("missing", lost, row) for row in range(min(rule.most, lost.num_rows))),
            *(("extra", added, row) for row in range(min(rule.most, added.num_rows)))]  # fmt: skip
    paired = _paired(rule, arrived, added)
    taken = {("missing", ours) for ours, _, _ in paired} | {("extra", theirs) for _, theirs, _ in paired}
    listed = [Difference(kind, _key(rule, table, row)) for kind, table, row in rows if (kind, row) not in taken]
    cells: Counter[str] = Counter()
    for ours, theirs, place in paired:
        pair = rule.pairs[place]
        values = shown_pair(pair, lost.column(place)[ours].as_py(), added.column(place)[theirs].as_py())
        listed.append(Difference("cell", _key(rule, lost, ours), pair.name, *values))
        cells[pair.name] += 1
        losses.update(kind for kind in (kinds[ours] if kinds else ()) if not kind.startswith(f"{pair.name}\n"))
    return Found(
        rows_source=source.num_rows,
        rows_target=target.num_rows,
        missing=lost.num_rows - len(paired),
        extra=added.num_rows - len(paired),
        different=len(paired),
        cells=dict(cells),
        expected=dict(losses),
        differences=tuple(listed),
    )


def _as_expected(rule: Rule, rows: pa.Table) -> tuple[pa.Table, list[list[str]]]:
    """Returns rows as the policies make them, and for each the losses that did."""
    kinds: list[list[str]] = [[] for _ in range(rows.num_rows)]
    columns = []
    for place, pair in enumerate(rule.pairs):
        column = rows.column(place)
        allowances = rule.allowances.get(pair.name, ())
        if allowances or pair.zone != "UTC":
            made = [expected(value, pair, allowances) for value in column.to_pylist()]
            for row, (_, why) in enumerate(made):
                kinds[row].extend(f"{pair.name}\n{kind}" for kind in why)
            column = pa.array([value for value, _ in made], form_type(pair))
        columns.append(column)
    return pa.Table.from_arrays(columns, names=rows.column_names), kinds


_MOST_PAIRED = 100
"""Rows of either side that are looked at for twins; each is compared with each."""


def _paired(rule: Rule, lost: pa.Table, added: pa.Table) -> list[tuple[int, int, int]]:
    """Finds rows that differ in one column alone: they are taken for one row whose value was changed.

    Returns:
        Row of `lost`, row of `added`, place of the column.
    """
    if len(rule.pairs) == 1 or max(lost.num_rows, added.num_rows) > _MOST_PAIRED:
        return []
    ours, theirs = _rows(lost), _rows(added)
    pairs: list[tuple[int, int, int]] = []
    taken: set[int] = set()
    for row, one in enumerate(ours):
        for other_row, other in enumerate(theirs):
            if other_row in taken:
                continue
            places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
            if len(places) == 1:
                pairs.append((row, other_row, places[0]))
                taken.add(other_row)
                break
    return pairs


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
