"""The pure half of verification: canonical forms, matching, sums of rows, and what policies make of values."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vecferry import _core
from vecferry.compare.buckets import buckets_of, differing, sums, within
from vecferry.compare.diff import Rejects, Rule, compare, form_type, source_forms, target_forms
from vecferry.compare.expected import CLOCK_GAP, Allowance, expected
from vecferry.compare.found import Difference, Found, total
from vecferry.compare.pairs import Pair, pair_of
from vecferry.compare.ranges import is_range, range_condition
from vecferry.compare.shown import shown_pair
from vecferry.compare.vectors import oracle, oracle_agrees
from vecferry.model import Chunk, Column, TargetColumn

if TYPE_CHECKING:
    from collections.abc import Sequence


def pair(form: str, name: str = "c", target_type: str = "text", **more: Any) -> Pair:
    return Pair(name, name, more.pop("source_type", "varchar"), target_type, f"`{name}`", "string", name, form, **more)


def forms(pairs: Sequence[Pair], *columns: Sequence[Any]) -> pa.Table:
    arrays = [pa.array(column, form_type(own)) for own, column in zip(pairs, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=[str(place) for place in range(len(arrays))])


def rows_of(pairs: Sequence[Pair], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in pairs]
    return forms(pairs, *columns)


# --- canonical forms -------------------------------------------------------------------------------

# Form, digits of the fraction, what the source prints, what the target prints.
SAME: list[tuple[str, int, Any, Any]] = [
    ("number", 2, "1.10", "1.1"),
    ("number", 2, "100.00", "100"),
    ("number", 0, "100", "100"),
    ("number", 2, "0.00", "0"),
    ("number", 2, "-0.00", "0"),
    ("number", 2, "0012.50", "12.5"),
    ("whole", 0, "0007", "7"),
    ("whole", 0, "0", "0"),
    ("moment", 6, "2024-07-01 12:00:00.500000", "2024-07-01 12:00:00.5"),
    ("moment", 6, "2024-07-01 12:00:10.000000", "2024-07-01 12:00:10"),
    ("moment", 0, "2024-07-01 12:00:10", "2024-07-01 12:00:10"),
    ("moment", 0, "0000-01-01", "0001-01-01 BC"),
    ("padded", 0, "ab  ", "ab"),
    ("address", 0, "::ffff:c000:201", "::ffff:192.0.2.1"),
    ("json", 0, '{"b": 1.50, "a": [1e2]}', '{"a": [100], "b": 1.5}'),
    ("double", 0, 0.1, 0.1),
    ("text", 0, None, None),
]
OTHER: list[tuple[str, int, Any, Any]] = [
    ("number", 2, "1.10", "1.11"),
    ("number", 0, "10", "1"),
    ("moment", 6, "2024-07-01 12:00:00.500000", "2024-07-01 12:00:00.500001"),
    ("moment", 0, "0001-01-01", "0001-01-01 BC"),
    ("padded", 0, " ab", "ab"),
    ("text", 0, "ab ", "ab"),
    ("text", 0, "", None),
    ("double", 0, -0.0, 0.0),
    ("json", 0, "no JSON", '"no JSON"'),
]


def both(form: str, fraction: int, source: Any, target: Any) -> tuple[Any, Any]:
    own = pair(form, fraction=fraction)
    kind = pa.float64() if form == "double" else pa.string()
    ours = source_forms([own], pa.table({"c": pa.array([source], kind)}))
    theirs = target_forms([own], pa.table({"c": pa.array([target], kind)}))
    assert ours.schema.field(0).type == theirs.schema.field(0).type == form_type(own)
    return ours.column(0)[0].as_py(), theirs.column(0)[0].as_py()


@pytest.mark.parametrize(("form", "fraction", "source", "target"), SAME)
def test_the_same_value_has_one_form(form: str, fraction: int, source: Any, target: Any) -> None:
    one, other = both(form, fraction, source, target)
    assert one == other


@pytest.mark.parametrize(("form", "fraction", "source", "target"), OTHER)
def test_another_value_has_another_form(form: str, fraction: int, source: Any, target: Any) -> None:
    one, other = both(form, fraction, source, target)
    assert one != other


@settings(deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10,
))  # fmt: skip
def test_any_json_has_one_form_however_it_is_written(value: Any) -> None:
    one, other = json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    try:
        other.encode()
    except UnicodeEncodeError:
        other = one
    first, second = pa.array(_core.plain_json(pa.array([one, other]))).to_pylist()
    assert first is not None
    assert first == second
    assert json.loads(first) == json.loads(one)


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_the_plain_reader_reads_what_the_fast_one_and_numpy_read(numbers: list[float]) -> None:
    listed = orjson.dumps(numbers).decode()
    keyed = orjson.dumps({str(place): number for place, number in reversed(list(enumerate(numbers)))}).decode()
    sent = len(numbers).to_bytes(2, "big") + b"\0\0" + np.array(numbers, ">f4").tobytes()
    column = pa.array([listed, keyed, None])
    assert pa.array(_core.plain_vectors(column)).to_pylist() == [sent, sent, None]
    assert pa.array(_core.embeddings_to_wire(column).values()).to_pylist() == [sent, sent, None]
    assert oracle(keyed) == sent
    assert oracle_agrees(listed, sent)


def test_the_oracle_disagrees_with_one_bit() -> None:
    sent = oracle("[0.1,0.2]")
    assert sent is not None
    assert not oracle_agrees("[0.1,0.2]", sent[:-1] + bytes([sent[-1] ^ 1]))
    assert not oracle_agrees("[0.1,0.2]", None)
    assert not oracle_agrees("[0.0]", oracle("[-0.0]"))
    assert not oracle_agrees("nothing", b"")


def test_the_oracle_knows_that_it_rounds_twice() -> None:
    # A little above the middle of two float32: as a float64 it is the middle, and numpy takes the even one.
    text = "[1.000000059604644775390626]"
    [read] = pa.array(_core.plain_vectors(pa.array([text]))).to_pylist()
    assert read != oracle(text)
    assert oracle_agrees(text, read)


def test_types_without_a_rule_are_not_compared() -> None:
    column = Column("c", "datetime", "datetime", nullable=True)
    assert pair_of(column, TargetColumn("c", "integer", "b", nullable=True, has_default=False), "UTC") is None


# --- matching --------------------------------------------------------------------------------------

ID, NAME, SCORE = pair("integer", "id"), pair("text", "name"), pair("double", "score")
PAIRS = (ID, NAME, SCORE)
KEYED, LOOSE = Rule(PAIRS, ("id",)), Rule(PAIRS, ())
THREE = [(1, "a", 10), (2, "b", 20), (3, None, None)]


@pytest.mark.parametrize("rule", [KEYED, LOOSE])
def test_equal_rows_in_any_order(rule: Rule) -> None:
    found = compare(rule, rows_of(PAIRS, THREE), rows_of(PAIRS, THREE[::-1]))
    assert found.equal
    assert (found.rows_source, found.rows_target) == (3, 3)
    assert compare(rule, rows_of(PAIRS, []), rows_of(PAIRS, [])).equal


def test_rows_by_key() -> None:
    target = [(1, "a", 10), (3, "c", None), (4, "d", 40)]
    found = compare(KEYED, rows_of(PAIRS, THREE), rows_of(PAIRS, target))
    assert (found.missing, found.extra, found.different, found.cells) == (1, 1, 1, {"name": 1})
    assert found.differences == (
        Difference("missing", "id = 2"),
        Difference("extra", "id = 4"),
        Difference("cell", "id = 3", "name", "NULL", "'c'"),
    )


def test_a_key_that_is_there_twice() -> None:
    found = compare(KEYED, rows_of(PAIRS, THREE), rows_of(PAIRS, [*THREE, THREE[1]]))
    assert (found.missing, found.extra, found.different) == (0, 1, 0)


def test_rows_without_a_key_are_a_multiset() -> None:
    twice = [*THREE, THREE[0]]
    assert compare(LOOSE, rows_of(PAIRS, twice), rows_of(PAIRS, twice[::-1])).equal
    found = compare(LOOSE, rows_of(PAIRS, twice), rows_of(PAIRS, THREE))
    assert (found.missing, found.extra) == (1, 0)
    assert found.differences == (Difference("missing", "id = 1, name = 'a', score = 5e-323"),)


def test_rows_without_a_key_that_differ_in_one_value_are_one_row() -> None:
    found = compare(LOOSE, rows_of(PAIRS, THREE), rows_of(PAIRS, [(1, "A", 10), *THREE[1:]]))
    assert (found.missing, found.extra, found.different, found.cells) == (0, 0, 1, {"name": 1})
    [difference] = found.differences
    assert (difference.column, difference.source, difference.target) == ("name", "'a'", "'A'")


def test_rejected_rows_and_values_are_expected() -> None:
    rejects = Rejects(frozenset({"id = 1"}), frozenset({("id = 2", "name")}))
    rule = Rule(PAIRS, ("id",), rejects=rejects)
    found = compare(rule, rows_of(PAIRS, THREE), rows_of(PAIRS, [(2, None, 20), (3, None, None)]))
    assert found.equal
    assert found.expected == {"\nrejected": 1, "name\nrejected": 1}
    found = compare(rule, rows_of(PAIRS, THREE), rows_of(PAIRS, [(2, "x", 20)]))
    assert (found.missing, found.cells) == (1, {"name": 1})


def test_totals_count_all_and_keep_some() -> None:
    part = Found(missing=2, cells={"a": 3}, expected={"a\nb": 1}, differences=(Difference("missing", "1"),) * 2)
    whole = total([part, part], 3)
    assert (whole.missing, whole.cells, whole.expected, len(whole.differences)) == (4, {"a": 6}, {"a\nb": 2}, 3)


# --- sums of rows ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["a", "b", "", None]), st.integers(0, 2)), max_size=30))
def test_sums_know_no_order(rows: list[tuple[int, str | None, int]]) -> None:
    for key in ((), (0,)):
        one, other = sums(rows_of(PAIRS, rows), key), sums(rows_of(PAIRS, rows[::-1]), key)
        assert not differing(one, other).any()
        half = len(rows) // 2
        parts = sums(rows_of(PAIRS, rows[:half]), key) + sums(rows_of(PAIRS, rows[half:]), key)
        assert not differing(one, parts).any()
        assert one.rows == len(rows)


@pytest.mark.parametrize("other", [
    [(1, "a", 10), (2, "b", 20)], [*THREE, THREE[0]], [(1, "b", 10), (2, "a", 20), THREE[2]],
    [(1, "a", 11), *THREE[1:]], [(1, "a", 10), (2, "b", 20), (3, "", None)], [(10, "a", 1), *THREE[1:]],
])  # fmt: skip
@pytest.mark.parametrize("key", [(), (0,)])
def test_sums_tell_every_change(key: tuple[int, ...], other: list[tuple[Any, ...]]) -> None:
    ours, theirs = rows_of(PAIRS, THREE), rows_of(PAIRS, other)
    unlike = differing(sums(ours, key), sums(theirs, key))
    assert unlike.any()
    assert unlike.sum() <= 4
    kept = within(ours, key, unlike)
    assert set(kept.column(0).to_pylist()) <= {1, 2, 3}
    assert kept.num_rows == int(unlike[buckets_of(ours, key)].sum())


# --- ranges ----------------------------------------------------------------------------------------


def test_a_range_of_the_source_is_one_of_the_target() -> None:
    one = pair("integer", "a", "bigint", source_type="int")
    other = pair("moment", "b", "timestamp(6) with time zone", source_type="timestamp")
    chunk = Chunk("t", 0, ("5", "'2024-01-01 00:00:00'"), ("9", "'2024-01-02 00:00:00.5'"))
    assert is_range([one, other], [chunk])
    assert range_condition([one, other], chunk) == (
        """("a", "b") > (5, '2024-01-01 00:00:00+00') AND ("a", "b") <= (9, '2024-01-02 00:00:00.5+00')"""
    )
    assert not is_range([pair("text")], [chunk])
    assert not is_range([], [chunk])
    assert not is_range([other], [Chunk("t", 0, None, ("'0000-00-00 00:00:00'",))])
    maybe = pair("integer", "a", "bigint", source_type="int", nullable=True)
    assert range_condition([maybe], Chunk("t", 0, None, ("5",))) == '(("a") <= (5)) OR "a" IS NULL'


# --- what policies make of values ------------------------------------------------------------------

# Pair, kind, policy, value, what arrives.
POLICIES: list[tuple[Pair, str, str, Any, Any]] = [
    (pair("moment"), "zero-date", "null", "0000-00-00", None),
    (pair("moment"), "zero-date", "null", "2023-02-30", None),
    (pair("moment"), "zero-date", "replace", "2023-00-10 01:02:03", "1970-01-01 00:00:00"),
    (pair("moment"), "zero-date", "replace", "0000-00-00", "1970-01-01"),
    (pair("text"), "nul-byte", "null", "a\0", None),
    (pair("text"), "nul-byte", "replace", "a\0\0", "a\ufffd\ufffd"),
    (pair("text", target_type="character varying(3)"), "too-long", "truncate", "😀😀😀😀", "😀😀😀"),
    (pair("padded", target_type="character(3)"), "too-long", "truncate", "a  b", "a"),
    (pair("text", target_type="character varying(3)"), "too-long", "null", "abcd", None),
    (pair("text", labels=("x",)), "unknown-label", "null", "y", None),
    (pair("text", target_type="uuid"), "not-uuid", "null", "0" * 31, None),
    (pair("integer", target_type="smallint"), "out-of-range", "null", 40_000, None),
    (pair("number", target_type="numeric(4,2)"), "out-of-range", "null", "100", None),
    (pair("integer", target_type="time without time zone", source_type="time"), "out-of-range", "null", -1, None),
    (pair("number", target_type="numeric(10,2)"), "too-precise", "truncate", "-7.9901", "-7.99"),
    (pair("number", target_type="numeric(10,2)"), "too-precise", "truncate", "-0.001", "0"),
    (pair("moment", target_type="timestamp(3) without time zone"), "too-precise", "truncate",
     "2024-01-01 00:00:00.1239", "2024-01-01 00:00:00.123"),
    (pair("json"), "json-escape", "null", b'{"a":"\\u0000"}', None),
    (pair("json"), "json-escape", "replace", b'["\\\\u0000\\u0000\\ud800"]', '["\\\\u0000\ufffd\ufffd"]'.encode()),
    (pair("json"), "json-text", "null", b"", None),
    (pair("json"), "json-text", "replace", b'say "x"', b'"say \\"x\\""'),
]  # fmt: skip
FINE: list[tuple[Pair, str, str, Any]] = [
    (pair("moment"), "zero-date", "null", "2024-02-29"),
    (pair("moment"), "zero-date", "null", "0000-02-29"),
    (pair("text"), "nul-byte", "null", "a"),
    (pair("text", target_type="character varying(3)"), "too-long", "null", "abc"),
    (pair("text", labels=("x",)), "unknown-label", "null", "x"),
    (pair("integer", target_type="smallint"), "out-of-range", "null", -32_768),
    (pair("number", target_type="numeric(4,2)"), "out-of-range", "null", "-99.99"),
    (pair("json"), "json-escape", "null", b'"\\\\u0000"'),
    (pair("json"), "json-text", "null", b"{}"),
]


@pytest.mark.parametrize(("own", "kind", "policy", "value", "arrives"), POLICIES)
def test_a_policy_is_worked_out_again(own: Pair, kind: str, policy: str, value: Any, arrives: Any) -> None:
    assert expected(value, own, [Allowance(kind, policy)]) == (arrives, (kind,))
    assert expected(value, own, []) == (value, ())


@pytest.mark.parametrize(("own", "kind", "policy", "value"), FINE)
def test_a_policy_leaves_what_fits(own: Pair, kind: str, policy: str, value: Any) -> None:
    assert expected(value, own, [Allowance(kind, policy)]) == (value, ())


def test_only_what_was_announced_is_expected() -> None:
    own = pair("text", "name")
    rule = Rule((ID, own), ("id",), {"name": (Allowance("nul-byte", "replace"),)})
    source = rows_of((ID, own), [(1, "a\0"), (2, "b\0"), (3, "c")])
    found = compare(rule, source, rows_of((ID, own), [(1, "a\ufffd"), (2, "b"), (3, None)]))
    assert found.expected == {"name\nnul-byte": 1}
    assert [difference.key for difference in found.differences] == ["id = 2", "id = 3"]
    loose = compare(
        Rule((ID, own), (), rule.allowances), source, rows_of((ID, own), [(1, "a\ufffd"), (2, "b"), (3, "c")])
    )
    assert loose.expected == {"name\nnul-byte": 1}
    assert [(difference.kind, difference.column) for difference in loose.differences] == [("cell", "name")]


def test_an_hour_that_clocks_skip() -> None:
    own = pair("moment", zone="Europe/Paris")
    assert expected("2024-03-31 02:30:00", own, []) == ("2024-03-31 03:30:00", (CLOCK_GAP,))
    assert expected("2024-03-31 02:30:00.5", own, []) == ("2024-03-31 03:30:00.5", (CLOCK_GAP,))
    assert expected("2024-10-27 02:30:00", own, []) == ("2024-10-27 02:30:00", ())
    assert expected("0000-00-00 00:00:00", own, []) == ("0000-00-00 00:00:00", ())


# --- what is shown ---------------------------------------------------------------------------------


def test_long_values_are_shown_where_they_part() -> None:
    one, other = shown_pair(pair("text"), "x" * 500 + "abc", "x" * 500 + "abd")
    assert one == "...xxxxxxxxxxabc'"
    assert other == "...xxxxxxxxxxabd'"
    assert shown_pair(pair("bytes"), b"\x00", None) == ("0x00", "NULL")


def test_a_component_is_named() -> None:
    head = b"\x00\x03\x00\x00"
    one, other = (head + struct.pack(">3f", 0.5, value, 2) for value in (0.25, -0.0))
    assert shown_pair(pair("vector"), one, other) == ("component 1: 0.25", "component 1: -0.0")
    assert shown_pair(pair("vector"), one, head + one[4:-4]) == ("3 dimensions", "2 dimensions")
