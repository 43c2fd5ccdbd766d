"""Values as no server writes them, from dumps made by hand, and what is said of those that cannot be read."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from vecferry.dump.answers import Tally, parent_frame, tally_values
from vecferry.dump.conditions import mask
from vecferry.dump.json_texts import quoted, without_escapes
from vecferry.dump.row_keys import shown
from vecferry.dump.rows import wanted
from vecferry.dump.values import UnreadableError, raw_kind, stored, typed
from vecferry.mapping.checks import Check
from vecferry.model import Column, Table


def column(kind: str, full_type: str = "", **more: Any) -> Column:
    return Column("v", kind, full_type or kind, nullable=True, **more)


DECIMAL = column("decimal", "decimal(10,2)", precision=10, scale=2)


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def test_decimals_get_the_digits_that_a_server_prints() -> None:
    found = stored(texts("1.5", "1e3", "-7", ".5", "1.005", "12.30", None), DECIMAL)
    assert found.to_pylist() == ["1.50", "1000.00", "-7.00", "0.50", "1.01", "12.30", None]
    whole = column("decimal", "decimal(65,0)", precision=65, scale=0)
    assert stored(texts("9" * 65, "-1.0"), whole).to_pylist() == ["9" * 65, "-1"]


def test_binary_is_filled_and_char_loses_its_blanks() -> None:
    found = stored(pa.array([b"ab", b"abcd", b"", None]), column("binary", "binary(4)", length=4))
    assert found.to_pylist() == [b"ab\0\0", b"abcd", b"\0\0\0\0", None]
    assert stored(texts("ab  ", " a\t", None), column("char", "char(9)")).to_pylist() == ["ab", " a\t", None]
    assert stored(texts("ab  "), column("varchar", "varchar(9)")).to_pylist() == ["ab  "]


@pytest.mark.parametrize(("bits", "expected"), [(1, b"\5"), (8, b"\5"), (9, b"\0\5"), (64, b"\0" * 7 + b"\5")])
def test_bits_are_as_many_bytes_as_they_need(bits: int, expected: bytes) -> None:
    raw = pa.array([b"\0" * 7 + b"\5", None])
    assert stored(raw, column("bit", f"bit({bits})", precision=bits)).to_pylist() == [expected, None]


TYPES = [
    (column("tinyint"), "int8", "128", "v holds '128', which is no tinyint"),
    (column("int"), "int32", "5.0", "v holds '5.0', which is no int"),
    (column("date"), "date32", "2024-1-5", "v holds '2024-1-5', which is no date"),
    (column("datetime"), "timestamp[us]", "now", "v holds 'now', which is no datetime"),
    (column("time"), "int64", "1:2", "v holds '1:2', which is no time"),
    (column("inet6"), "binary", "::x", "v holds '::x', which is no address"),
    (column("double"), "double", "1" * 90 + "x", f"v holds '{'1' * 80}'..., which is no double"),
]


@pytest.mark.parametrize(("kind", "read_type", "value", "message"), TYPES, ids=[entry[0].data_type for entry in TYPES])
def test_the_first_value_that_cannot_be_read_is_told(kind: Column, read_type: str, value: str, message: str) -> None:
    good = {"date": "2024-01-05", "datetime": "2024-01-05 00:00:00", "time": "01:02:03", "inet6": "::1"}
    fine = good.get(kind.data_type, "7")
    values = texts(*[fine] * 9, None, value, fine, value)
    with pytest.raises(UnreadableError) as caught:
        typed(values, kind, read_type)
    assert (str(caught.value), caught.value.row) == (message, 10)
    assert str(caught.value.at("id = 7")).startswith("v at id = 7 holds ")


def test_a_decimal_that_is_none_is_told() -> None:
    with pytest.raises(UnreadableError, match=r"^v holds 'abc', which is no decimal\(10,2\)$"):
        stored(texts("1.00", "abc"), DECIMAL)


def test_a_zone_that_nobody_knows_is_told() -> None:
    with pytest.raises(ValueError, match="knows no time zone 'Nowhere'"):
        stored(texts("2024-01-01 00:00:00"), column("timestamp"), zone="Nowhere")


@pytest.mark.parametrize("zone", [None, "SYSTEM", "utc", "+00:00", "-0:00"])
def test_times_are_left_alone_in_utc_and_where_no_zone_is_known(zone: str | None) -> None:
    raw = texts("2024-01-01 00:00:00", "0000-00-00 00:00:00")
    assert stored(raw, column("timestamp"), zone=zone) is raw


def test_what_the_parser_is_asked_for() -> None:
    assert raw_kind(column("bit"), "utf8mb4") == "bit"
    assert raw_kind(column("point"), "binary") == "bytes"
    assert raw_kind(column("varchar", character_set="latin1"), "utf8mb4") == "text:latin1"
    # The parser does not know it, and needs not.
    assert raw_kind(column("varchar", character_set="tis620"), "utf8mb4") == "text"
    assert raw_kind(column("varchar", character_set="tis620"), "binary") == "text:tis620"
    source = Table("t", (column("int"), Column("w", "blob", "blob", nullable=True)))
    assert wanted(source, ["w", "v", "w"], ["V", "other", "W"], "utf8mb4") == [
        ("v", 0, "text:utf8mb4"),
        ("w", 2, "bytes"),
    ]
    with pytest.raises(ValueError, match="^its rows have no values of the column w$"):
        wanted(source, ["w"], ["v"], "utf8mb4")
    source = Table("t", (column("int", extra="VIRTUAL GENERATED"),))
    with pytest.raises(ValueError, match="^its rows have no values of the column v, which the server computes$"):
        wanted(source, ["v"], ["w"], "utf8mb4")


EMPTY = [
    ("zero-date", column("date"), ""), ("nul-byte", column("text"), ""), ("json-escape", column("text"), "jsonb"),
    ("json-text", column("text"), "jsonb"), ("out-of-range", column("int"), "smallint"),
    ("out-of-range", column("time"), ""), ("out-of-range", DECIMAL, "numeric(3,1)"),
    ("too-precise", DECIMAL, "numeric(9,1)"), ("too-long", column("text"), "character varying(3)"),
    ("unknown-label", column("text"), "mood"), ("not-uuid", column("text"), "uuid"), ("null", column("int"), ""),
    ("other-shape", column("geometry"), "geography(Point,4326)"), ("not-boolean", column("tinyint"), ""),
    ("empty-label", column("enum", "enum('a')"), ""), ("untold-label", column("enum", "enum('a','?')"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "source", "target_type"), EMPTY)
def test_no_condition_counts_what_is_null(kind: str, source: Column, target_type: str) -> None:
    for count in (0, 3):
        values = pa.nulls(count, pa.binary() if source.data_type == "geometry" else pa.string())
        found = mask(kind, values, source, target_type)
        assert found.type == pa.bool_()
        assert found.to_pylist() == [kind == "null"] * count


def test_json_strings_and_escapes() -> None:
    assert quoted('a"\\/\b\f\n\r\t\x01é🐬') == r'"a\"\\/\b\f\n\r\t\u0001é🐬"'
    assert without_escapes(r'["\u0000","\\u0000","\ud83d\ude00","\ude00\ud83d"]') == (
        r'["\ufffd","\\u0000","\ud83d\ude00","\ufffd\ufffd"]'
    )


def test_tallies_keep_the_smallest_keys_of_all_parts() -> None:
    source = Table("t", (Column("id", "int", "int", nullable=False), column("text")), primary_key=("id",))
    check = Check("v", "nul-byte", "")
    total = Tally()
    for first in (50, 0, 20):
        ids = [str(number) for number in range(first + 9, first - 1, -1)]
        values = {"id": texts(*ids), "v": texts(*["\0"] * 10)}
        total += tally_values(values, source, [check], ["id"])["v", "nul-byte"]
    assert (total.count, total.examples) == (30, ("id = 0", "id = 1", "id = 2"))
    assert tally_values({"v": texts("\0")}, source, [check], [])["v", "nul-byte"] == Tally(1)


def test_parents_are_held_once() -> None:
    parts = [pl.DataFrame({"0": [1, 2, 3]}), pl.DataFrame({"0": [3, 4]}), *[pl.DataFrame({"0": [5, 5]})] * 9]
    assert sorted(parent_frame(parts)["0"]) == [1, 2, 3, 4, 5]
    assert parent_frame([]).is_empty()


def test_keys_are_shown_as_a_servers_driver_gives_them() -> None:
    assert shown("0007", column("int")) == "7"
    assert shown("0000-00-00", column("date")) == "'0000-00-00'"
    assert shown("2024-01-01 00:00:00.500", column("datetime")) == "2024-01-01 00:00:00.500000"
    assert shown("-01:00:00", column("time")) == "-1 day, 23:00:00"
    assert shown(b"\x01", column("binary")) == r"b'\x01'"
    assert shown(None, column("int")) == "None"
