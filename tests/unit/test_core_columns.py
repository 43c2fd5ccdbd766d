"""Columns in and out of the compiled core: every Arrow type, slices, nulls, faults of use, the GIL."""

from __future__ import annotations

import struct
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from vecferry import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = ['{"0":0.5,"1":-2}', None, "[1,2]", "[1,2,3]", '{"1":4,"0":3}', "[1"]
VALUES = [[0.5, -2.0], None, [1.0, 2.0], None, [3.0, 4.0], None]
REASONS = ["ok", "null", "ok", "wrong_dimension", "ok", "truncated"]
TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()]


def wire(values: list[float]) -> bytes:
    return struct.pack(f">hh{len(values)}f", len(values), 0, *values)


def reasons(parsed: _core.ParsedEmbeddings) -> list[str]:
    return [_core.REASONS[code] for code in pa.array(parsed.outcomes()).field("reason").to_pylist()]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_type_of_text_is_read(kind: pa.DataType) -> None:
    parsed = _core.parse_embeddings(pa.array(ROWS).cast(kind), 2)
    values = pa.array(parsed.values())
    values.validate(full=True)
    assert values.type == pa.list_(pa.field("item", pa.float32(), nullable=False), 2)
    assert values.to_pylist() == VALUES
    assert reasons(parsed) == REASONS
    assert (parsed.dimensions, parsed.rows, parsed.valid, parsed.nulls, parsed.first_invalid) == (2, 6, 3, 1, 3)


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_slice_is_only_its_rows(kind: pa.DataType) -> None:
    column = pa.array(["x" * 20, *ROWS, None, "y"]).cast(kind)
    for sliced in (column.slice(1, 6), column.slice(1)[:6], column[1:7]):
        parsed = _core.parse_embeddings(sliced, 2)
        assert pa.array(parsed.values()).to_pylist() == VALUES
        assert parsed.first_invalid == 3
    assert pa.array(_core.embeddings_to_wire(column.slice(3, 1), 2).values()).to_pylist() == [wire([1, 2])]


def test_the_input_is_left_where_it_is() -> None:
    column = pa.array(ROWS)
    allocated = pa.total_allocated_bytes()
    for _ in range(3):
        _core.parse_embeddings(column, 2)
        _core.sniff(column)
    assert pa.total_allocated_bytes() == allocated
    assert column.to_pylist() == ROWS


def test_values_outlive_what_they_came_from() -> None:
    values = pa.array(_core.parse_embeddings(pa.array(ROWS), 2).values())
    assert values.to_pylist() == VALUES


def test_under_a_null_there_are_zeros() -> None:
    values = pa.array(_core.parse_embeddings(pa.array(["[1,2", "[3,4]", None]), 2).values())
    assert values.values.to_pylist() == [0, 0, 3, 4, 0, 0]


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("dimensions", [None, 3])
def test_an_empty_column(kind: pa.DataType, dimensions: int | None) -> None:
    column = pa.array([], kind)
    for parse in (_core.parse_embeddings, _core.embeddings_to_wire):
        parsed = parse(column, dimensions)
        assert (parsed.rows, parsed.valid, parsed.nulls, parsed.first_invalid) == (0, 0, 0, None)
        assert parsed.dimensions == (dimensions or 0)
        assert len(pa.array(parsed.values())) == len(pa.array(parsed.outcomes())) == 0
    assert len(pa.array(_core.sniff(column))) == 0


def test_a_column_of_nulls() -> None:
    for parse in (_core.parse_embeddings, _core.embeddings_to_wire):
        for dimensions in (None, 3):
            parsed = parse(pa.nulls(3, pa.string()), dimensions)
            assert (parsed.valid, parsed.nulls, parsed.first_invalid) == (0, 3, None)
            assert pa.array(parsed.values()).to_pylist() == [None] * 3


def test_the_first_embedding_gives_the_dimension() -> None:
    rows = [None, "x", '{"0":1,"7":1}', "[1,2]", "[1,2,3]", '{"0":1,"1":2}']
    for parse in (_core.parse_embeddings, _core.embeddings_to_wire):
        parsed = parse(pa.array(rows))
        assert parsed.dimensions == 2
        assert reasons(parsed) == ["null", "not_json", "key_out_of_range", "ok", "wrong_dimension", "ok"]


def test_without_any_embedding_there_is_no_dimension() -> None:
    rows = ["x", None, "[]", '{"0":1,"7":1}']
    for parse in (_core.parse_embeddings, _core.embeddings_to_wire):
        parsed = parse(pa.array(rows))
        assert (parsed.dimensions, parsed.valid, parsed.first_invalid) == (0, 0, 0)
        assert reasons(parsed) == ["not_json", "null", "wrong_dimension", "missing_key"]
        assert pa.array(parsed.values()).to_pylist() == [None] * 4


def test_both_ways_to_the_wire_form_give_the_same_bytes() -> None:
    generator = np.random.default_rng(7)
    rows: list[str | None] = [
        "[" + ",".join(map(repr, row.tolist())) + "]" for row in generator.standard_normal((50, 64), np.float32)
    ]
    rows[3:5] = [None, "[1,2"]
    parsed = _core.parse_embeddings(pa.array(rows), 64)
    fused = _core.embeddings_to_wire(pa.array(rows), 64)
    encoded = pa.array(_core.encode_vectors(parsed.values()))
    assert encoded.type == pa.binary()
    assert pa.array(fused.values()).equals(encoded)
    assert pa.array(fused.outcomes()).equals(pa.array(parsed.outcomes()))
    floats = pa.array(parsed.values()).to_pylist()
    assert encoded.to_pylist() == [None if row is None else wire(row) for row in floats]


def test_vectors_are_encoded_from_slices_with_their_nulls() -> None:
    vectors = pa.array([[9, 9], [1.5, -0.0], None, [2, 3]], pa.list_(pa.float32(), 2))
    assert pa.array(_core.encode_vectors(vectors.slice(1))).to_pylist() == [wire([1.5, -0.0]), None, wire([2, 3])]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2], None, [3, float("nan")]], "row 2: component 1 is NaN"),
        ([[1, 2], [float("-inf"), 3]], "row 1: component 0 is -inf"),
        ([[1, 2], [3, None]], "row 1: component 1 is null"),
    ],
)
def test_what_a_vector_cannot_hold_is_refused_by_its_place(rows: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.encode_vectors(pa.array(rows, pa.list_(pa.float32(), 2)))


@pytest.mark.parametrize("dimensions", [0, -1, 16_001, 2**40])
def test_a_dimension_that_no_column_has_is_refused(dimensions: int) -> None:
    for parse in (_core.parse_embeddings, _core.embeddings_to_wire):
        with pytest.raises(ValueError, match=f"dimensions must be 1 to 16000, got {dimensions}"):
            parse(pa.array(ROWS), dimensions)


def test_vectors_of_no_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match="dimensions must be 1 to 16000, got 0"):
        _core.encode_vectors(pa.array([[]], pa.list_(pa.float32(), 0)))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2]),
        pa.array([["a"]]),
        pa.array(["a"]).dictionary_encode(),
        pa.nulls(2),
        pa.table({"a": ["[1]"]}),
        pa.record_batch({"a": ["[1]"]}),
        pa.chunked_array([["[1]"]]),
        ["[1]"],
        "[1]",
        None,
        np.array([1.0]),
    ],
    ids=lambda column: type(column).__name__,
)
def test_what_is_no_column_of_text_is_refused(column: Any) -> None:
    for function in (_core.parse_embeddings, _core.embeddings_to_wire, _core.sniff):
        with pytest.raises(TypeError, match="expected an? (Arrow array|column)"):
            function(column)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.0]], pa.list_(pa.float64(), 1)),
        pa.array([[1.0]], pa.list_(pa.float32())),
        pa.array(["[1]"]),
        [[1.0]],
    ],
    ids=lambda column: str(getattr(column, "type", "list")),
)
def test_what_is_no_column_of_vectors_is_refused(column: Any) -> None:
    with pytest.raises(TypeError, match="expected an? (Arrow array|column)"):
        _core.encode_vectors(column)


def test_text_that_is_not_utf8_is_only_an_outcome() -> None:
    offsets = pa.py_buffer(np.array([0, 4, 8], np.int32))
    broken = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b'\xff\xfe[1{"\xc3"'))
    assert reasons(_core.parse_embeddings(broken, 1)) == ["not_json", "key_out_of_range"]


def test_sniffing_tells_kind_dimension_and_reason() -> None:
    longer = "[" + ",".join("0" * 16_001) + "]"
    rows = [None, "[1,2]", ' {"0":1}', "", "word", "3", '{"1":1}', "[]", longer, "[1"]
    sniffed = pa.array(_core.sniff(pa.array(rows)))
    assert sniffed.type == pa.struct(
        [
            pa.field("kind", pa.uint8(), nullable=False),
            pa.field("dimensions", pa.uint32(), nullable=False),
            pa.field("reason", pa.uint8(), nullable=False),
        ]
    )
    found = [(_core.KINDS[row["kind"]], row["dimensions"], _core.REASONS[row["reason"]]) for row in sniffed.to_pylist()]
    assert found == [
        ("null", 0, "null"),
        ("array", 2, "ok"),
        ("object", 1, "ok"),
        ("other", 0, "not_json"),
        ("other", 0, "not_json"),
        ("other", 0, "not_json"),
        ("object", 0, "missing_key"),
        ("array", 0, "wrong_dimension"),
        ("array", 16_001, "wrong_dimension"),
        ("array", 0, "truncated"),
    ]


@pytest.fixture
def no_preemption() -> Iterator[None]:
    """A thread keeps the GIL until it gives it up itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("no_preemption")
@pytest.mark.parametrize("function", [_core.parse_embeddings, _core.embeddings_to_wire, _core.sniff])
def test_another_thread_runs_while_the_core_works(function: Any) -> None:
    column = pa.array(["[" + ",".join(["0.012731435708701611"] * 1536) + "]"] * 1000)
    turns, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            turns[0] += 1
            time.sleep(0)

    other = threading.Thread(target=count)
    other.start()
    try:
        ran = False
        for _ in range(20):
            before = turns[0]
            function(column)
            ran = ran or turns[0] > before
        assert ran
    finally:
        stop.set()
        other.join()


def test_threads_read_the_same_column_at_once() -> None:
    column = pa.array(ROWS * 200)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(pa.array(_core.parse_embeddings(column, 2).values()).to_pylist()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [VALUES * 200] * 4
