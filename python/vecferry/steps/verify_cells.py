"""Reads a part of a table back on both sides and compares it cell by cell; functions of their arguments alone."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.compare import vectors
from vecferry.compare.buckets import Sums, no_rows, sums, within
from vecferry.compare.diff import Rule, compare, concatenated, source_forms, target_forms
from vecferry.compare.found import Difference, Found
from vecferry.compare.ranges import range_condition
from vecferry.compare.shown import shown_key
from vecferry.mapping.identifiers import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

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
    ours = concatenated(check.rule.pairs, (sample.taken(batch) for batch in _source(check, chunk, source)))
    condition = "" if _is_whole(check, chunk) else range_condition(_key_pairs(check), chunk)
    theirs = concatenated(check.rule.pairs, _target(check, condition, reader))
    found = compare(check.rule, ours, theirs)
    return replace(
        found,
        oracle=sample.agreed,
        differences=(*found.differences, *sample.differences),
        cells=_added(found.cells, sample.disagreed),
        different=found.different + sum(sample.disagreed.values()),
        halves=_halves(check, sample, ours, theirs),
    )


def add_up_source(check: Check, chunk: Chunk, source: Source) -> tuple[Sums, Found]:
    """Adds up the rows of one key range of the source; what the oracle says of some comes along."""
    sample = _Sample(check, chunk)
    result = no_rows()
    for batch in _source(check, chunk, source):
        result += sums(sample.taken(batch), check.rule.key_places)
    found = Found(oracle=sample.agreed, differences=tuple(sample.differences), cells=sample.disagreed)
    return result, found


def add_up_target(check: Check, condition: str, reader: Reader) -> Sums:
    """Adds up the rows of one slice of the target."""
    result = no_rows()
    for rows in _target(check, condition, reader):
        result += sums(rows, check.rule.key_places)
    return result


def kept_of_source(check: Check, chunk: Chunk, source: Source, wanted: NDArray[np.bool_]) -> list[pa.Table]:
    """Returns those rows of a key range, in canonical form, whose bucket is wanted."""
    key = check.rule.key_places
    return [within(source_forms(check.rule.pairs, batch), key, wanted) for batch in _source(check, chunk, source)]


def kept_of_target(check: Check, condition: str, reader: Reader, wanted: NDArray[np.bool_]) -> list[pa.Table]:
    """Returns those rows of a slice, in canonical form, whose bucket is wanted."""
    return [within(rows, check.rule.key_places, wanted) for rows in _target(check, condition, reader)]


MOST_LOOKED_UP = 500


def look_up(check: Check, chunk: Chunk, source: Source, reader: Reader) -> Found:
    """Compares some rows of a key range with those of the target that have their keys; rows too many stay unseen."""
    key = _key_pairs(check)
    chooser = random.Random(f"{check.seed}/{check.table}/{chunk.number}")  # noqa: S311 - a sample, no secret
    rows = pa.Table.from_batches(list(_source(check, chunk, source)) or [_no_batch(check)])
    if rows.num_rows > MOST_LOOKED_UP:
        rows = rows.take(sorted(chooser.sample(range(rows.num_rows), MOST_LOOKED_UP)))
    if not rows.num_rows:
        return Found()
    ours = source_forms(check.rule.pairs, rows)
    values = [ours.column(place).to_pylist() for place in check.rule.key_places]
    theirs = concatenated(check.rule.pairs, _target(check, _one_of(key, values), reader))
    return compare(check.rule, ours, theirs)


def _no_batch(check: Check) -> pa.RecordBatch:
    return pa.record_batch([pa.array([], pa.string()) for _ in check.rule.pairs], [p.name for p in check.rule.pairs])


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


def _source(check: Check, chunk: Chunk, source: Source) -> Iterator[pa.RecordBatch]:
    yield from source.read_back(check.table, check.rule.pairs, check.rule.key, chunk, batch_bytes=check.batch_bytes)


def _target(check: Check, condition: str, reader: Reader) -> Iterator[pa.Table]:
    listed = ", ".join(pair.target_select for pair in check.rule.pairs)
    query = f"SELECT {listed} FROM {qualified(check.schema, check.target)}"
    if condition:
        query += f" WHERE {condition}"
    for batch in reader.rows(query, check.target, batch_bytes=check.batch_bytes):
        yield target_forms(check.rule.pairs, batch)


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

    def taken(self, batch: pa.RecordBatch) -> pa.Table:
        """Returns the batch in canonical form."""
        forms = source_forms(self._check.rule.pairs, batch)
        for place in self.exact:
            self.exact[place].append(vectors.from_text(batch.column(place)))
        if self._places and self._check.oracle_share > 0:
            count = min(batch.num_rows, int(self._check.oracle_share * batch.num_rows + self._random.random()))
            rows = sorted(self._random.sample(range(batch.num_rows), count))
            for place in self._places:
                self._ask(place, batch, forms, rows)
        return forms

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
