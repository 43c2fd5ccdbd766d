"""The compiled core's reading of embeddings, against a reader of exact fractions, orjson and numpy."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vecferry import _core

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
LARGEST = Fraction(float(np.finfo(np.float32).max))


class Outcome(NamedTuple):
    reason: str
    offset: int
    found: int


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def outcomes(column: pa.Array, dimensions: int | None = None) -> list[Outcome]:
    parsed = _core.parse_embeddings(column, dimensions)
    rows = pa.array(parsed.outcomes()).to_pylist()
    assert len(rows) == parsed.rows == len(column)
    return [Outcome(_core.REASONS[row["reason"]], row["offset"], row["found"]) for row in rows]


def read(text: str | bytes, dimensions: int | None = None) -> list[float] | Outcome:
    """Returns the row's components, or why it has none."""
    data = text.encode() if isinstance(text, str) else text
    parsed = _core.parse_embeddings(pa.array([data], pa.binary()), dimensions)
    [row] = pa.array(parsed.values()).to_pylist()
    [outcome] = pa.array(parsed.outcomes()).to_pylist()
    assert (row is None) == (outcome["reason"] != 0)
    if row is None:
        return Outcome(_core.REASONS[outcome["reason"]], outcome["offset"], outcome["found"])
    values: list[float] = row
    return values


def nearest(text: str) -> float | None:
    """Rounds a decimal once to float32, ties to even, by exact arithmetic; None beyond float32."""
    significand, _, exponent = text.lower().partition("e")
    # No number here has so many digits that a power beyond 400 matters.
    exact = abs(Fraction(f"{significand}e{min(max(int(exponent or 0), -400), 400)}"))
    power = exact.numerator.bit_length() - exact.denominator.bit_length()
    power -= Fraction(2) ** power > exact
    step = Fraction(2) ** (max(power, -126) - 23)
    rounded = round(exact / step) * step
    if rounded > LARGEST:
        return None
    return math.copysign(float(rounded), -1 if text.startswith("-") else 1)


def embedding(data: bytes) -> list[float] | None:
    """Reads strictly and slowly what the core reads fast; None for what is no embedding."""
    try:
        document = json.loads(
            data.decode(), object_pairs_hook=tuple, parse_float=Number, parse_int=Number, parse_constant=refuse
        )
    except ValueError:
        return None
    if isinstance(document, tuple):
        members = dict(document)
        if len(members) != len(document) or set(members) != {str(key) for key in range(len(members))}:
            return None
        document = [members[str(key)] for key in range(len(members))]
    if not isinstance(document, list) or not all(isinstance(value, Number) for value in document):
        return None
    values = [nearest(value) for value in document]
    return [value for value in values if value is not None] if values and None not in values else None


def refuse(name: str) -> None:
    raise ValueError(name)


def same(left: list[float], right: list[float]) -> bool:
    return np.array(left, np.float32).tobytes() == np.array(right, np.float32).tobytes()


def as_object(values: list[float]) -> str:
    return orjson.dumps({str(key): value for key, value in enumerate(values)}).decode()


EXAMPLES = (
    '{"0":0.012731435708701611,"1":-0.5,"2":1.2e-7,"3":12345.678}',
    '{ "2" : 1.0 , "0" : 0.1234567890123456789 ,\n"1":\t-0 }',
    "[0.012731435708701611,-1.2345678901234567e-7, 3 ,0.25]",
    as_object([(key - 6) / 7 for key in range(12)]),
)


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_document_cut_at_any_byte_is_truncated(text: str) -> None:
    cuts = [text[:end] for end in range(1, len(text))]
    assert outcomes(pa.array(cuts), 3) == [Outcome("truncated", len(cut), 0) for cut in cuts]
    assert read("") == Outcome("not_json", 0, 0)


@pytest.mark.parametrize("text", EXAMPLES)
def test_any_one_byte_changed_is_read_as_the_exact_reader_does(text: str) -> None:
    whole = text.encode()
    changed = [
        whole[:place] + bytes([other]) + whole[place + 1 :]
        for place in range(len(whole))
        for other in (*b'019.-+eE",:{}[] n', 0, 0x7F, 0xFF, whole[place] ^ 1, whole[place] ^ 0x80)
    ]
    read_rows = [read(row) for row in changed]
    for row, found in zip(changed, read_rows, strict=True):
        expected = embedding(row)
        if expected is None:
            assert isinstance(found, Outcome), row
            assert found.offset <= len(row)
        else:
            assert isinstance(found, list), row
            assert same(found, expected), row


@given(st.lists(FLOATS, min_size=1, max_size=200))
def test_floats_written_as_doubles_come_back_bit_by_bit(values: list[float]) -> None:
    keyed = {str(key): value for key, value in enumerate(values)}
    for text in (as_object(values), orjson.dumps(values), json.dumps(values), json.dumps(keyed, indent=1)):
        found = read(text)
        assert isinstance(found, list)
        assert same(found, values)
        document = orjson.loads(text)
        assert same(found, list(document.values()) if isinstance(document, dict) else document)


@given(st.lists(FLOATS, min_size=2, max_size=60).flatmap(lambda values: st.permutations(list(enumerate(values)))))
def test_a_component_goes_where_its_key_says(members: list[tuple[int, float]]) -> None:
    found = read(orjson.dumps({str(key): value for key, value in members}))
    assert isinstance(found, list)
    assert same(found, [value for _, value in sorted(members)])


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?", fullmatch=True))
def test_any_decimal_is_rounded_once(text: str) -> None:
    expected = nearest(text)
    assert read(f"[{text}]") == (Outcome("non_finite", 1, 0) if expected is None else [expected])


@given(st.integers(0x0000_0001, 0x7F7F_FFFF), st.integers(-3, 3), st.sampled_from(["", "0", "1", "000000000001"]))
def test_decimals_next_to_the_middle_of_two_floats_are_rounded_once(bits: int, nudge: int, more: str) -> None:
    below, above = (Fraction(float(np.uint32(at).view(np.float32))) for at in (bits - 1, bits))
    middle = (below + above) / 2
    # The middle has at most 150 decimal places below 1, and is a whole number from 2^25 on.
    scaled = middle * 10**150
    assert scaled.denominator == 1
    digits = f"{scaled.numerator + nudge:0151d}"
    text = f"{digits[:-150]}.{digits[-150:]}{more}"
    expected = nearest(text)
    assert expected is not None
    assert read(f"[-{text}]") == [-expected]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-0", -0.0),
        ("-0.0e99", -0.0),
        ("1e-45", 1.401298464324817e-45),
        ("7e-46", 0.0),
        ("7.1e-46", 1.401298464324817e-45),
        ("1.17549435e-38", 1.1754943508222875e-38),
        ("3.4028235e38", 3.4028234663852886e38),
        ("340282346638528859811704183484516925440", 3.4028234663852886e38),
        ("16777217", 16777216.0),
        ("16777217.0000000000000000000000000000000001", 16777218.0),
        ("1e-99999999999999999999", 0.0),
        ("0e99999999999999999999", 0.0),
    ],
)
def test_the_ends_of_float32(text: str, value: float) -> None:
    found = read(f"[{text}]")
    assert found == [value]
    assert isinstance(found, list)
    assert math.copysign(1, found[0]) == math.copysign(1, value)


FAULTS = [
    ("", "not_json", 0, 0),
    ("null", "not_json", 0, 0),
    ("0.5", "not_json", 0, 0),
    ('"[1,2]"', "not_json", 0, 0),
    ("\ufeff[1,2]", "not_json", 0, 0),
    ("[1,2,]", "not_json", 5, 0),
    ("[01,2]", "not_json", 2, 0),
    ("[+1,2]", "not_json", 1, 0),
    ("[.5,2]", "not_json", 1, 0),
    ("[1.,2]", "not_json", 3, 0),
    ("{'0':1}", "not_json", 1, 0),
    ('{"0":1,"1":2,}', "not_json", 13, 0),
    ('{"0":1,"2":2}', "key_out_of_range", 12, 2),
    ('{"1":1}', "missing_key", 6, 0),
    ('{"0":1,"0":2}', "duplicate_key", 7, 0),
    ('{"1":1,"0":2,"1":3}', "duplicate_key", 13, 1),
    ('{"a":1}', "key_out_of_range", 1, 0),
    ('{"0":1,"01":2}', "key_out_of_range", 7, 0),
    ('{"-1":1}', "key_out_of_range", 1, 0),
    ('{"\\u0030":1}', "key_out_of_range", 1, 0),
    ('{"0":1,"65536":2}', "key_out_of_range", 7, 65_536),
    ('{"0":1,"18446744073709551616":2}', "key_out_of_range", 7, 2**32 - 1),
    ('{"0":1}', "wrong_dimension", 6, 1),
    ('{"2":3,"1":2,"0":1}', "wrong_dimension", 18, 3),
    ("{}", "wrong_dimension", 1, 0),
    ("[]", "wrong_dimension", 1, 0),
    ("[1,2,3]", "wrong_dimension", 6, 3),
    ('{"0":"1","1":2}', "not_a_number", 5, 0),
    ("[1,null]", "not_a_number", 3, 0),
    ("[true,1]", "not_a_number", 1, 0),
    ("[1,[2]]", "not_a_number", 3, 0),
    ("[1,NaN]", "non_finite", 3, 0),
    ("[Infinity,1]", "non_finite", 1, 0),
    ("[1,-Infinity]", "non_finite", 3, 0),
    ('{"0":1e39,"1":1}', "non_finite", 5, 0),
    ("[1,2] x", "trailing_bytes", 6, 0),
    ("[1,2][3,4]", "trailing_bytes", 5, 0),
    ('{"0":1,"1":2', "truncated", 12, 0),
    ("[1,2", "truncated", 4, 0),
]


@pytest.mark.parametrize(("text", "reason", "offset", "found"), FAULTS)
def test_each_reason_with_its_place(text: str, reason: str, offset: int, found: int) -> None:
    assert read(text, 2) == Outcome(reason, offset, found)


def test_every_reason_has_an_example() -> None:
    of_packed_values_alone = {"partial_component"}
    assert {reason for _, reason, _, _ in FAULTS} | {"ok", "null"} | of_packed_values_alone == set(_core.REASONS)
    assert _core.REASONS[:2] == ("ok", "null")


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ('{"0":1,"0":null}', "duplicate_key", 7),
        ('{"0":null,"0":1}', "not_a_number", 5),
        ("[] x", "wrong_dimension", 1),
        ("[1e99,x]", "non_finite", 1),
        ("[x,1e99]", "not_json", 1),
        ("[1e99", "truncated", 5),
    ],
)
def test_the_first_problem_in_the_text_wins(text: str, reason: str, offset: int) -> None:
    assert read(text, 2) == Outcome(reason, offset, 0)


@settings(max_examples=500)
@given(st.binary(max_size=40) | st.text('[]{}"0123:,.-+eE ', max_size=40).map(str.encode))
def test_any_bytes_are_judged_as_the_exact_reader_does(data: bytes) -> None:
    expected = embedding(data)
    found = read(data)
    assert isinstance(found, Outcome) if expected is None else found == expected


def test_all_dimensions_of_a_vector_column() -> None:
    values = np.random.default_rng(1).standard_normal(_core.MAX_DIMENSIONS, np.float32).tolist()
    backwards = orjson.dumps({str(key): values[key] for key in reversed(range(len(values)))})
    for text in (as_object(values), orjson.dumps(values), backwards):
        found = read(text, len(values))
        assert isinstance(found, list)
        assert same(found, values)
    longer = as_object([*values, 0.5])
    assert read(longer) == Outcome("wrong_dimension", len(longer) - 1, 16_001)


def test_a_key_is_remembered_only_below_65536() -> None:
    members: list[Any] = [f'"{key}":1' for key in range(65_537)]
    at = len("{" + ",".join(members[:-1]) + ",")
    assert read("{" + ",".join(members) + "}", 2) == Outcome("key_out_of_range", at, 65_536)
    whole = "{" + ",".join(reversed(members[:-1])) + "}"
    assert read(whole, 2) == Outcome("wrong_dimension", len(whole) - 1, 65_536)
