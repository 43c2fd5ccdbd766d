"""The compiled core's reading of packed float32, against struct and numpy, bit for bit."""

from __future__ import annotations

import math
import struct
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vecferry import _core
from vecferry.convert.embeddings import InvalidValue, explain, packed_to_float32, packed_to_wire

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
BOTH = [_core.packed_to_float32, _core.packed_to_wire]
KINDS = [pa.binary(), pa.large_binary()]
NON_FINITE = "a value in it is NaN, infinite or beyond float32"


def packed(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def wire(*values: float) -> bytes:
    return struct.pack(f">hh{len(values)}f", len(values), 0, *values)


def outcomes(parsed: _core.ParsedEmbeddings) -> list[tuple[str, int, int]]:
    rows = pa.array(parsed.outcomes()).to_pylist()
    return [(_core.REASONS[row["reason"]], row["offset"], row["found"]) for row in rows]


@given(st.data())
def test_every_bit_is_kept(data: st.DataObject) -> None:
    dimensions = data.draw(st.integers(1, 70))
    vector = st.lists(FLOATS, min_size=dimensions, max_size=dimensions)
    rows = data.draw(st.lists(st.none() | vector, max_size=8))
    column = pa.array([None if row is None else packed(*row) for row in rows], data.draw(st.sampled_from(KINDS)))
    for part in (column, pa.concat_arrays([column, column]).slice(len(column))):
        found, invalid = packed_to_wire(part, dimensions)
        found.validate(full=True)
        assert found.to_pylist() == [None if row is None else wire(*row) for row in rows]
        assert invalid == ()
        floats, invalid = packed_to_float32(part, dimensions)
        floats.validate(full=True)
        assert floats.type == pa.list_(pa.field("item", pa.float32(), nullable=False), dimensions)
        assert [None if row is None else packed(*row) for row in floats.to_pylist()] == column.to_pylist()
        assert invalid == ()


def test_a_matrix_of_numpy() -> None:
    matrix = np.random.default_rng(7).integers(0, 2**32, (200, 1536), np.uint32).view(np.float32)
    matrix[~np.isfinite(matrix)] = np.float32(-0.0)
    column = pa.array([row.astype("<f4").tobytes() for row in matrix])
    header = np.array([1536 << 16], ">u4").tobytes()
    found = pa.array(_core.packed_to_wire(column, 1536).values()).to_pylist()
    assert found == [header + row.astype(">f4").tobytes() for row in matrix]
    floats = pa.array(_core.packed_to_float32(column, 1536).values())
    assert floats.values.to_numpy().tobytes() == matrix.tobytes()


def test_what_is_wrong_is_that_rows_outcome() -> None:
    rows = [
        packed(1, 2),
        None,
        packed(1),
        packed(1, 2, 3),
        b"",
        packed(1, 2)[:-1],
        packed(1, 2) + b"\x00",
        packed(1, math.nan),
        packed(-math.inf, math.nan),
        packed(3, 4),
    ]
    expected = [
        ("ok", 0, 0),
        ("null", 0, 0),
        ("wrong_dimension", 4, 1),
        ("wrong_dimension", 12, 3),
        ("wrong_dimension", 0, 0),
        ("partial_component", 4, 7),
        ("partial_component", 8, 9),
        ("non_finite", 4, 0),
        ("non_finite", 0, 0),
        ("ok", 0, 0),
    ]
    for kind in KINDS:
        for function in BOTH:
            parsed = function(pa.array(rows, kind), 2)
            assert outcomes(parsed) == expected
            counted = (parsed.dimensions, parsed.rows, parsed.valid, parsed.nulls, parsed.first_invalid)
            assert counted == (2, 10, 2, 1, 2)
    values = pa.array(_core.packed_to_wire(pa.array(rows), 2).values()).to_pylist()
    assert values == [wire(1, 2), *[None] * 8, wire(3, 4)]
    floats = pa.array(_core.packed_to_float32(pa.array(rows), 2).values())
    assert floats.to_pylist() == [[1, 2], *[None] * 8, [3, 4]]
    assert floats.values.to_pylist() == [1, 2, *[0] * 16, 3, 4]


def test_invalid_values_are_explained() -> None:
    for convert in (packed_to_wire, packed_to_float32):
        for value, invalid, sentence in [
            (packed(1), InvalidValue(1, "wrong_dimension", 4, 1), "it has 1 dimensions, the column takes 2"),
            (b"\x00" * 5, InvalidValue(1, "partial_component", 4, 5), "it is 5 bytes long, and a dimension takes 4"),
            (
                packed(1, math.inf),
                InvalidValue(1, "non_finite", 4, 0),
                NON_FINITE,
            ),
        ]:
            found = convert(pa.array([None, value, b""]), 2)[1]
            assert found == (invalid, InvalidValue(2, "wrong_dimension", 0, 0))
            assert explain(found[0], 2) == sentence


@pytest.mark.parametrize("function", BOTH)
def test_columns_without_a_vector(function: Any) -> None:
    for kind in KINDS:
        empty, nulls = function(pa.array([], kind), 3), function(pa.nulls(2, kind), 3)
        assert (empty.rows, empty.valid, empty.first_invalid, empty.dimensions) == (0, 0, None, 3)
        assert (nulls.rows, nulls.nulls, nulls.first_invalid) == (2, 2, None)
        assert pa.array(nulls.values()).to_pylist() == [None, None]


@pytest.mark.parametrize("function", BOTH)
def test_faults_of_use(function: Any) -> None:
    for dimensions in (0, -1, 16_001, 2**40):
        with pytest.raises(ValueError, match=f"dimensions must be 1 to 16000, got {dimensions}"):
            function(pa.array([b""]), dimensions)
    for column in (pa.array([1.0], pa.float32()), pa.array([[1.0]]), b"", None):
        with pytest.raises(TypeError, match="expected an? (Arrow array|column)"):
            function(column, 1)


def test_the_most_dimensions() -> None:
    values = np.arange(16_000, dtype="<f4")
    [found] = pa.array(_core.packed_to_wire(pa.array([values.tobytes()]), 16_000).values()).to_pylist()
    assert found == struct.pack(">hh", 16_000, 0) + values.astype(">f4").tobytes()


def test_more_than_two_gib_are_refused() -> None:
    column = pa.array([b""]).take(pa.array([0] * 350_000))
    with pytest.raises(ValueError, match="350000 vectors of 1536 dimensions exceed the 2 GiB"):
        _core.packed_to_wire(column, 1536)


def test_threads_read_the_same_column_at_once() -> None:
    column = pa.array([packed(1, 2), None, packed(1)] * 500)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(pa.array(_core.packed_to_wire(column, 2).values()).to_pylist()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[wire(1, 2), None, None] * 500] * 4
