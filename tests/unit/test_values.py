"""Wire columns of plain values: their bytes, their nulls, and what does not fit."""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
import struct
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vecferry.convert.values import encode
from vecferry.errors import InvalidValueError
from vecferry.mapping.zones import to_utc

ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"]


def encoded(wire: str, values: list[Any] | pa.Array, kind: pa.DataType, target: str = "any") -> list[Any]:
    """Encodes `values` as they are and as a slice of a longer column, which must make no difference."""
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    found = encode(wire, column, str(kind), target)
    longer = pa.concat_arrays([column, column, column])
    sliced = encode(wire, longer.slice(len(column), len(column)), str(kind), target)
    found.validate(full=True)
    assert sliced.equals(found)
    listed: list[Any] = found.to_pylist()
    return listed


def bit_string(value: bytes | None, bits: int) -> bytes | None:
    """`bit_recv`'s bytes, by way of the digits."""
    if value is None:
        return None
    digits = f"{int.from_bytes(value, 'big'):0{bits}b}"
    digits += "0" * (-bits % 8)
    return struct.pack(">i", bits) + bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8))


@given(st.data())
def test_bits(data: st.DataObject) -> None:
    bits = data.draw(st.integers(1, 64))
    value = st.integers(0, 2**bits - 1).map(lambda number: number.to_bytes((bits + 7) // 8, "big"))
    values = data.draw(st.lists(st.none() | value, max_size=20))
    for target in (f"bit({bits})", f"bit varying({bits})"):
        assert encoded("bit", values, pa.binary(), target) == [bit_string(value, bits) for value in values]


def test_bits_of_another_length() -> None:
    values = [b"\x03\xff", None, b"\x00\x01"]
    for target, bits in [("bit(10)", 10), ("bit(13)", 13), ("bit varying(64)", 64), ("bit varying", 16)]:
        assert encoded("bit", values, pa.binary(), target) == [bit_string(value, bits) for value in values]
    assert encoded("bit", [None], pa.binary(), "bit varying") == [None]


@pytest.mark.parametrize(
    ("value", "target", "message"),
    [
        (b"\x04\x00", "bit(10)", "1024 takes more than 10 bits"),
        (b"\x04", "bit varying(2)", "4 takes more than 2 bits"),
        (b"\x00" * 9, "bit(64)", "72 bits are more than the 64 that a BIT of MySQL can have"),
        (b"\x00", "bit(65)", "65 bits are more than the 64 that a BIT of MySQL can have"),
    ],
)
def test_bits_that_do_not_fit(value: bytes, target: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        encode("bit", pa.array([None, b"\x00", value]), "binary", target)


def test_addresses() -> None:
    texts = ["0.0.0.0", "192.0.2.255", "::", "2001:db8::ff", "::ffff:192.0.2.1"]
    addresses = [ipaddress.ip_address(text) for text in texts]
    head = {4: b"\x02\x20\x00\x04", 6: b"\x03\x80\x00\x10"}
    expected = [head[address.version] + address.packed for address in addresses]
    values = [*(address.packed for address in addresses), None]
    assert encoded("inet", values, pa.binary()) == [*expected, None]
    assert encoded("inet", [None], pa.binary()) == [None]


@pytest.mark.parametrize("length", [0, 3, 5, 15, 17])
def test_bytes_that_are_no_address(length: int) -> None:
    value = bytes(range(length))
    with pytest.raises(InvalidValueError, match=f"0x{value.hex()} is neither the 4 bytes of IPv4 nor the 16 of IPv6"):
        encode("inet", pa.array([b"\x00" * 4, None, value]), "binary", "inet")


def ewkb(x: float, y: float, srid: int | None = None) -> bytes:
    head = struct.pack("<BI", 1, 1) if srid is None else struct.pack("<BII", 1, 0x20000001, srid)
    return head + struct.pack("<dd", x, y)


@given(st.lists(st.none() | st.tuples(st.floats(), st.floats(), st.none() | st.integers(0, 2**32 - 1)), max_size=20))
def test_points(points: list[tuple[float, float, int | None] | None]) -> None:
    values = [None if point is None else ewkb(*point) for point in points]
    expected = [None if point is None else struct.pack(">dd", *point[:2]) for point in points]
    assert encoded("point", values, pa.binary()) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"",
        ewkb(1, 2)[:-1],
        ewkb(1, 2) + b"\x00",
        ewkb(1, 2, 4326)[:-1],
        struct.pack(">BIdd", 0, 1, 1, 2),  # the highest byte first
        struct.pack("<BIddd", 1, 0x80000001, 1, 2, 3),  # a Z
        struct.pack("<BIII", 1, 2, 0, 0),  # a LINESTRING
    ],
)
def test_bytes_that_are_no_point(value: bytes) -> None:
    with pytest.raises(InvalidValueError, match=f"0x{value.hex()} is not the EWKB of a POINT of two dimensions"):
        encode("point", pa.array([ewkb(0, 0), None, value]), "binary", "point")


def test_uuids() -> None:
    uuids = [UUID(int=random.Random(5).getrandbits(128)) for _ in range(20)]
    texts = [*map(str, uuids), None, str(uuids[0]).upper(), uuids[0].hex]
    expected = [*(uuid.bytes for uuid in uuids), None, uuids[0].bytes, uuids[0].bytes]
    for kind in (pa.string(), pa.large_string()):
        assert encoded("uuid", texts, kind) == expected
        assert encoded("uuid", [None, None], kind) == [None, None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0011",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233-4455-6677-8899-aabbccddeeff ",
        "{00112233-4455-6677-8899-aabbccddeeff}",
        "é" * 16,
    ],
)
def test_texts_that_are_no_uuid(text: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^a value does not fit uuid: '{text}' is not a UUID$"):
        encode("uuid", pa.array([None, UUID(int=7).hex, text, "x"]), "string", "uuid")


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_every_integer_becomes_a_boolean(kind: str) -> None:
    integers = pa.type_for_alias(kind)
    assert encoded("bool", [1, 0, None], integers, "boolean") == [True, False, None]
    with pytest.raises(InvalidValueError, match="1 values are neither 0 nor 1"):
        encode("bool", pa.array([1, 2, None], integers), kind, "boolean")


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        (pa.int8(), [-128, 127]),
        (pa.uint8(), [0, 255]),
        (pa.int16(), [-32768, 32767]),
        (pa.uint16(), [0, 65535]),
        (pa.int32(), [-(2**31), 2**31 - 1]),
        (pa.uint32(), [0, 2**32 - 1]),
    ],
    ids=str,
)
def test_integers_become_doubles(kind: pa.DataType, bounds: list[int]) -> None:
    found = encoded("float64", [*bounds, None], kind, "double precision")
    assert found == [*map(float, bounds), None]
    assert all(isinstance(value, float) for value in found[:2])


def test_an_integer_that_no_double_holds_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="9007199254740993"):
        encode("float64", pa.array([2**53 + 1]), "int64", "double precision")


def in_utc(time: dt.datetime | None, zone: str) -> dt.datetime | None:
    """Python's own reading; of an hour that exists twice, the first."""
    return None if time is None else time.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


@pytest.mark.parametrize("zone", ZONES)
@given(
    times=st.lists(
        st.none()
        | st.datetimes(dt.datetime(1000, 1, 2), dt.datetime(9999, 12, 30))
        | st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)),
        max_size=20,
    )
)
def test_times_of_a_zone(times: list[dt.datetime | None], zone: str) -> None:
    found = encoded(f"timestamptz@{zone}", times, pa.timestamp("us"), "timestamp(6) with time zone")
    assert found == [in_utc(time, zone) for time in times]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [1970, 2011, 2500])
def test_every_half_hour_of_a_year(zone: str, year: int) -> None:
    first = dt.datetime(year, 1, 1)
    times = [first + n * dt.timedelta(minutes=30, microseconds=1) for n in range(366 * 48)]
    assert to_utc(pa.array(times), zone).to_pylist() == [in_utc(time, zone) for time in times]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2024-03-31 01:59:59.999999", "2024-03-31 00:59:59.999999"),
        ("2024-03-31 02:30:00", "2024-03-31 01:30:00"),  # does not exist: what is then called 03:30
        ("2024-03-31 03:00:00", "2024-03-31 01:00:00"),
        ("2024-10-27 01:59:59.999999", "2024-10-26 23:59:59.999999"),
        ("2024-10-27 02:30:00", "2024-10-27 00:30:00"),  # exists twice: the first
        ("2024-10-27 03:00:00", "2024-10-27 02:00:00"),
        ("2050-07-01 12:00:00", "2050-07-01 10:00:00"),
        ("1900-01-01 00:00:00", "1899-12-31 23:50:39"),
    ],
)
def test_where_clocks_are_set(local: str, utc: str) -> None:
    [found] = to_utc(pa.array([dt.datetime.fromisoformat(local)]), "Europe/Paris").to_pylist()
    assert found == dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)


def test_the_last_and_the_first_time_go_beyond_the_calendar() -> None:
    last, first = dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(1, 1, 1)
    for zone, time, hours in [("Etc/GMT+5", last, 5), ("Etc/GMT-5", first, -5)]:
        [found] = to_utc(pa.array([time], pa.timestamp("us")), zone).cast(pa.int64()).to_pylist()
        [local] = pa.array([time], pa.timestamp("us")).cast(pa.int64()).to_pylist()
        assert found - local == hours * 3600 * 1_000_000


def test_a_date_is_midnight_of_the_zone() -> None:
    found = encoded("timestamptz@Europe/Paris", [dt.date(2024, 7, 1), None], pa.date32())
    assert found == [dt.datetime(2024, 6, 30, 22, tzinfo=dt.UTC), None]


def test_without_a_zone_times_are_in_utc() -> None:
    assert encoded("timestamptz", [dt.datetime(2024, 7, 1)], pa.timestamp("us")) == [
        dt.datetime(2024, 7, 1, tzinfo=dt.UTC)
    ]


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    with pytest.raises(InvalidValueError, match=f"this machine knows no time zone '{zone}': correct the name"):
        encode(f"timestamptz@{zone}", pa.array([dt.datetime(2024, 7, 1)]), "timestamp[us]", "timestamptz")
