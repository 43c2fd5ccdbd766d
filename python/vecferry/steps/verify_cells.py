"""Reads a part of a table back on both sides and compares it cell by cell; functions of their arguments alone."""

from __future__ import annotations

import random
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.compare import vectors
from vecferry.compare.buckets import Sums, no_rows, sums, within
from vecferry.compare.diff import Rule, compare, source_forms, target_forms
from vecferry.compare.found import Difference, Found
from vecferry.compare.held import Held
from vecferry.compare.large import LARGE, PART, as_column, places, selected, shrunk
from vecferry.compare.ranges import range_condition
from vecferry.compare.shown import shown_key
from vecferry.mapping.identifiers import qualified
from vecferry.source.read import LEAST_BYTES, STREAM_BYTES, TOLERANCE, large_row

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vecferry.compare.large import Place
    from vecferry.compare.pairs import Pair
    from vecferry.model import Chunk
    from vecferry.origin import Source
    from vecferry.target.read import Reader


@dataclass(frozen=True, slots=True)
class Check:
    """How one table is compared."""

    table: str
    """Its name in the source."""
    schema: str
    target: str
    """Its name in the target."""
    rule: Rule
    chunks: tuple[Chunk, ...]
    """Key ranges of the source."""
    ranged: bool
    """Whether the same ranges hold the same rows in the target, so that each can be compared by itself."""
    slices: tuple[str, ...] = ("",)
    """Conditions that cut the target's table where ranges cannot."""
    batch_bytes: int = 32 * 1024 * 1024
    """How much of a side that is streamed is held at once."""
    row_bytes: int = 1
    """The mean size of a row."""
    oracle_share: float = 0.0
    """The share of rows whose embeddings are read a third time."""
    seed: int = 1


def compare_chunk(check: Check, chunk: Chunk, source: Source, reader: Reader) -> Found:
    """Compares one key range of a table.

    Raises:
        SourceError: the source's rows cannot be read.
        TargetError: the target's rows cannot be read.
    """
    sample = _Sample(check, chunk)
    ours = Held(check.rule, TOLERANCE * max(LEAST_BYTES, check.batch_bytes), losses=True)
    for rows in _source_forms(check, chunk, source, sample.take):
        ours.add(rows)
    condition = "" if _is_whole(check, chunk) else range_condition(_key_pairs(check), chunk)
    theirs = _held(check, condition, reader, ours)
    held = (ours.rows(), theirs.rows())
    found = compare(check.rule, *held, ours.limit)
    return replace(
        found,
        oracle=sample.agreed,
        differences=(*found.differences, *sample.differences),
        cells=_added(found.cells, sample.disagreed),
        different=found.different + sum(sample.disagreed.values()),
        halves=_halves(check, sample, *held),
    )


def add_up_source(check: Check, chunk: Chunk, source: Source) -> tuple[Sums, Found]:
    """Adds up the rows of one key range of the source; what the oracle says of some comes along."""
    sample = _Sample(check, chunk)
    result = no_rows()
    for rows in _source_forms(check, chunk, source, sample.take):
        result += sums(rows, check.rule.key_places)
    found = Found(oracle=sample.agreed, differences=tuple(sample.differences), cells=sample.disagreed)
    return result, found


def add_up_target(check: Check, condition: str, reader: Reader) -> Sums:
    """Adds up the rows of one slice of the target."""
    result = no_rows()
    for rows in _target(check, condition, reader):
        result += sums(rows, check.rule.key_places)
    return result


KEPT = 16 * 1024
"""The limit of values that are kept until all of both sides have been read; larger ones are told by their digests."""


def kept_of_source(check: Check, chunk: Chunk, source: Source, wanted: NDArray[np.bool_]) -> list[pa.Table]:
    """Returns those rows of a key range, in canonical form, whose bucket is wanted."""
    read = _source_forms(check, chunk, source)
    return [_kept(check, rows, wanted, losses=True) for rows in read]


def kept_of_target(check: Check, condition: str, reader: Reader, wanted: NDArray[np.bool_]) -> list[pa.Table]:
    """Returns those rows of a slice, in canonical form, whose bucket is wanted."""
    return [_kept(check, rows, wanted) for rows in _target(check, condition, reader)]


def _kept(check: Check, rows: pa.Table, wanted: NDArray[np.bool_], *, losses: bool = False) -> pa.Table:
    # Buckets go by what was added up.
    return shrunk(check.rule, within(rows, check.rule.key_places, wanted), KEPT, losses=losses)


MOST_LOOKED_UP = 500


def look_up(check: Check, chunk: Chunk, source: Source, reader: Reader) -> Found:
    """Compares some rows of a key range with those of the target that have their keys; rows too many stay unseen."""
    key = _key_pairs(check)
    chooser = random.Random(f"{check.seed}/{check.table}/{chunk.number}")  # noqa: S311 - a sample, no secret
    ours = Held(check.rule, TOLERANCE * max(LEAST_BYTES, check.batch_bytes), losses=True)
    for batch in _source_forms(check, chunk, source):
        ours.add(batch)
    rows = ours.rows()
    if rows.num_rows > MOST_LOOKED_UP:
        rows = rows.take(sorted(chooser.sample(range(rows.num_rows), MOST_LOOKED_UP)))
    if not rows.num_rows:
        return Found()
    values = [rows.column(place).to_pylist() for place in check.rule.key_places]
    chosen = Held(check.rule, rows.nbytes, ours.limit, losses=True)
    chosen.add(rows)
    theirs = _held(check, _one_of(key, values), reader, chosen)
    return compare(check.rule, chosen.rows(), theirs.rows(), chosen.limit)


def _one_of(key: Sequence[Pair], values: Sequence[Sequence[object]]) -> str:
    from vecferry.mapping.identifiers import literal, quote  # noqa: PLC0415 - its names are MySQL's elsewhere here

    def word(value: object) -> str:
        if isinstance(value, bytes):
            return f"'\\x{value.hex()}'"
        return str(value) if isinstance(value, int) else literal(str(value)).strip()

    names = ", ".join(quote(pair.target) for pair in key)
    rows = ", ".join(f"({', '.join(map(word, row))})" for row in zip(*values, strict=True))
    return f"({names}) IN ({rows})"


# --- reading ---------------------------------------------------------------------------------------


def _key_pairs(check: Check) -> list[Pair]:
    return [check.rule.pairs[place] for place in check.rule.key_places]


def _is_whole(check: Check, chunk: Chunk) -> bool:
    return not check.rule.key or (chunk.lower is None and chunk.upper is None)


def _source(check: Check, chunk: Chunk, source: Source) -> Generator[pa.RecordBatch, None, None]:
    yield from source.read_back(check.table, check.rule.pairs, check.rule.key, chunk, batch_bytes=check.batch_bytes)


def _source_forms(
    check: Check, chunk: Chunk, source: Source, seen: Callable[[pa.RecordBatch, pa.Table], None] | None = None
) -> Iterator[pa.Table]:
    """Yields the rows of a key range in canonical form, large values by their digests.

    Args:
        check: how the table is compared.
        chunk: the range.
        source: the source.
        seen: is shown what was read, and its canonical form with every value.
    """
    with closing(_source(check, chunk, source)) as batches:
        for batch in batches:
            forms = source_forms(check.rule.pairs, batch)
            if seen is not None:
                seen(batch, forms)
            rows = shrunk(check.rule, forms, LARGE, losses=True)
            # While the next are read, nothing is held of the large ones.
            del batch, forms
            yield rows


def _held(check: Check, condition: str, reader: Reader, ours: Held) -> Held:
    """Returns rows of the target; values have the same limit on both sides then."""
    theirs = Held(check.rule, TOLERANCE * max(LEAST_BYTES, check.batch_bytes), ours.limit)
    for rows in _target(check, condition, reader, ours.limit):
        theirs.add(rows)
    ours.limit_to(theirs.limit)
    return theirs


def _target(check: Check, condition: str, reader: Reader, limit: int = LARGE) -> Iterator[pa.Table]:
    pairs = check.rule.pairs
    listed = ", ".join(selected(check.rule, place, limit) for place in range(len(pairs)))
    table = qualified(check.schema, check.target)
    query = f"SELECT {listed} FROM {table}"
    if condition:
        query += f" WHERE {condition}"
    incomplete: list[tuple[pa.Table, list[Place]]] = []
    for batch in reader.rows(query, check.target, batch_bytes=check.batch_bytes):
        rows, told = target_forms(pairs, batch), places(check.rule, batch)
        by_row = {row: [place for place in told if place.row == row] for row in {place.row for place in told}}
        # The session has no other query to spare before this one is at its end.
        incomplete += [(rows.take([row]), own) for row, own in by_row.items()]
        rows = rows.filter(pa.array([row not in by_row for row in range(rows.num_rows)])) if told else rows
        yield shrunk(check.rule, rows, limit)
    for row, told in incomplete:
        whole = row
        for place in told:
            pair = pairs[place.column]
            with large_row if place.size > STREAM_BYTES else nullcontext():
                value = as_column(reader.value(place.query(pair, table), check.target, batch_bytes=2 * PART))
                form = target_forms([pair], pa.table([value], [pair.name]))
                form = shrunk(replace(check.rule, pairs=(pair,), key=()), form, limit)
                del value
            whole = whole.set_column(place.column, whole.field(place.column), form.column(0))
        yield whole


# --- a sample for the oracle -----------------------------------------------------------------------


class _Sample:
    """Embeddings that are read by orjson and numpy besides.

    What agrees with the source's canonical form agrees with what the target returns, or the comparison of the two says
    so.
    """

    def __init__(self, check: Check, chunk: Chunk) -> None:
        self._check = check
        self._random = random.Random(f"{check.seed}/{check.table}/{chunk.number}")  # noqa: S311 - a sample, no secret
        self._places = [place for place, pair in enumerate(check.rule.pairs) if pair.form in {"vector", "halfvec"}]
        self.agreed: dict[str, int] = {}
        self.disagreed: dict[str, int] = {}
        self.differences: list[Difference] = []
        self.exact: dict[int, list[pa.Array]] = {
            place: [] for place in self._places if check.rule.pairs[place].form == "halfvec"
        }
        """Float32 components of halfvec columns, from which their errors are measured."""

    def take(self, batch: pa.RecordBatch, forms: pa.Table) -> None:
        """Takes some of a batch's rows; `forms` is its canonical form."""
        for place in self.exact:
            self.exact[place].append(vectors.from_text(batch.column(place)))
        if self._places and self._check.oracle_share > 0:
            count = min(batch.num_rows, int(self._check.oracle_share * batch.num_rows + self._random.random()))
            rows = sorted(self._random.sample(range(batch.num_rows), count))
            for place in self._places:
                self._ask(place, batch, forms, rows)

    def _ask(self, place: int, batch: pa.RecordBatch, forms: pa.Table, rows: Sequence[int]) -> None:
        pair = self._check.rule.pairs[place]
        for row in rows:
            text = batch.column(place)[row].as_py()
            if text is None:
                continue
            read = forms.column(place)[row].as_py()
            if vectors.oracle_agrees(text, read, half=pair.form == "halfvec"):
                self.agreed[pair.name] = self.agreed.get(pair.name, 0) + 1
                continue
            if read == text.encode():
                continue  # no embedding to either
            self.disagreed[pair.name] = self.disagreed.get(pair.name, 0) + 1
            key = [self._check.rule.pairs[at] for at in self._check.rule.key_places]
            values = [forms.column(at)[row].as_py() for at in self._check.rule.key_places]
            self.differences.append(
                Difference("oracle", shown_key(key, values), pair.name, "orjson and numpy read another vector", None)
            )


def _halves(check: Check, sample: _Sample, ours: pa.Table, theirs: pa.Table) -> dict[str, tuple[float, float]]:
    halves = {}
    for place, parts in sample.exact.items():
        if not parts or ours.num_rows != theirs.num_rows:
            continue
        if not all(ours.column(at).equals(theirs.column(at)) for at in check.rule.key_places):
            continue
        error = vectors.half_error(pa.concat_arrays(parts), theirs.column(place))
        halves[check.rule.pairs[place].name] = (error.greatest, error.cosine)
    return halves


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
