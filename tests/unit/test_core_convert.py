"""What convert/embeddings.py makes of the compiled core's answers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from vecferry import _core
from vecferry.convert.embeddings import (
    Census,
    InvalidValue,
    Reason,
    census,
    explain,
    to_float32,
    to_wire,
)

ROWS = pa.array(["[1,2]", None, "[1]", '{"0":3,"1":4}', '{"0":3,"0":4}'])
INVALID = (InvalidValue(2, "wrong_dimension", 2, 1), InvalidValue(4, "duplicate_key", 7, 0))


def test_wire_and_the_invalid_values() -> None:
    converted, invalid = to_wire(ROWS, 2)
    one, two = (bytes.fromhex(row) for row in ("00020000 3f800000 40000000", "00020000 40400000 40800000"))
    assert converted.to_pylist() == [one, None, None, two, None]
    assert invalid == INVALID


def test_float32_and_the_invalid_values() -> None:
    converted, invalid = to_float32(ROWS, 2)
    assert converted.to_pylist() == [[1, 2], None, None, [3, 4], None]
    assert invalid == INVALID


def test_no_invalid_value() -> None:
    for convert in (to_wire, to_float32):
        assert convert(ROWS[:2], 2)[1] == ()


def test_every_reason_of_the_core_is_explained() -> None:
    assert ("ok", "null", *Reason) == _core.REASONS
    sentences = {explain(InvalidValue(0, reason, 0, 5), 3) for reason in Reason}
    assert len(sentences) == len(Reason)


@pytest.mark.parametrize(
    ("invalid", "sentence"),
    [
        (InvalidValue(0, Reason.MISSING_KEY, 9, 5), "the key 5 is missing"),
        (InvalidValue(0, Reason.DUPLICATE_KEY, 9, 5), "the key 5 is there twice"),
        (InvalidValue(0, Reason.KEY_OUT_OF_RANGE, 9, 0), "a key in it is not a whole number"),
        (InvalidValue(0, Reason.KEY_OUT_OF_RANGE, 9, 1536), "the key 1536 is not one of 0 to 1535"),
        (InvalidValue(0, Reason.WRONG_DIMENSION, 9, 768), "it has 768 dimensions, the column takes 1536"),
        (InvalidValue(0, Reason.NON_FINITE, 9, 0), "a value in it is NaN, infinite or beyond float32"),
    ],
)
def test_sentences(invalid: InvalidValue, sentence: str) -> None:
    assert explain(invalid, 1536) == sentence


def test_a_census_counts_kinds_and_dimensions() -> None:
    rows = ["[1,2]", None, "[1]", '{"0":3,"1":4}', '{"0":3,"0":4}', "word", "", "[]"]
    assert census(pa.array(rows)) == Census(
        rows=8, nulls=1, objects=2, arrays=3, others=2, invalid=4, dimensions=((2, 2), (1, 1))
    )
    assert census(pa.array([], pa.string())) == Census(0, 0, 0, 0, 0, 0, ())


def test_a_census_lists_lengths_that_no_column_takes() -> None:
    found = census(pa.array(["[" + ",".join("0" * 16_001) + "]"]))
    assert (found.invalid, found.dimensions) == (1, ((16_001, 1),))
