"""Columns of a dump's rows → the columns that a server's own rows are read as; pure.

A value passes three stations. *Raw* is what the row parser gives: the characters of the file as UTF-8, or bytes.
*Stored* is what the server would print of the value in a session in UTC, a string, or its bytes where the type is one
of bytes; checks and repairs (`dump.conditions`) are on these. *Typed* is the Arrow column that a plan's `read_type`
names, as `source.read` yields it of a server.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.mapping.typemap import SPATIAL, type_name
from vecferry.mapping.zones import to_utc
from vecferry.model import Column, Loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from vecferry.model import Table

BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector", *SPATIAL})
"""Types whose stored values are bytes; those of `bit` are, too."""
_KNOWN = frozenset({"ascii", "latin1", "utf8", "utf8mb3", "utf8mb4"})
"""The usual character sets, in which the parser takes texts that are written in hexadecimal, too."""
_WITHOUT_ZONE = frozenset({"SYSTEM", "UTC", "+00:00", "-00:00", "+0:00", "-0:00"})
_TYPES = {"date32": pa.date32(), "timestamp[us]": pa.timestamp("us"), "binary": pa.binary()}
_TIME = r"^(?P<sign>-?)(?P<hours>[0-9]+):(?P<minutes>[0-9]{2}):(?P<seconds>[0-9]{2})(?:\.(?P<rest>[0-9]{1,6}))?$"
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):(?P<minutes>\d\d)", re.ASCII)
_SHOWN = 80
_EXACT = Context(prec=100)
_END = 2**31 - 1
_SECONDS = len("2000-01-01 00:00:00")


class UnreadableError(ValueError):
    """A value that a dump holds and no server prints of the column's type, or that Arrow has no value for.

    Args:
        column: the column's name in the source.
        row: its place in the array, from 0.
        value: the stored value.
        wanted: what it should be.
        place: the key of its row, `id = 7`, where that is known.
    """

    def __init__(self, column: str, row: int, value: str | bytes, wanted: str, place: str = "") -> None:
        shown = repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}..."
        super().__init__(f"{column}{f' at {place}' if place else ''} holds {shown}, which is no {wanted}")
        self.column = column
        self.row = row
        self.value = value
        self.wanted = wanted

    def at(self, place: str) -> UnreadableError:
        """Returns the error with the key of its row."""
        return UnreadableError(self.column, self.row, self.value, self.wanted, place)


def raw_kind(column: Column, charset: str) -> str:
    """Returns what the row parser (`parse_rows` of the compiled core) is asked for.

    Args:
        column: the source's column.
        charset: what the file's text is in, the parser's `settings.charset`. Under `binary` (`SET NAMES binary`, which
            mydumper writes) a text is in its column's own character set, and the parser refuses one that it does not
            know.
    """
    if column.data_type == "bit":
        return "bit"
    if column.data_type in BYTES:
        return "bytes"
    own = column.character_set or "utf8mb4"
    return f"text:{own}" if own in _KNOWN or charset == "binary" else "text"


def stored(raw: pa.Array, column: Column, *, zone: str | None = None) -> pa.Array:
    """Returns what the server would print of each value in a session in UTC, or its bytes.

    Args:
        raw: the parser's column, of the kind that `raw_kind` names.
        column: the source's column.
        zone: the session's time zone where the rows stand, the parser's `settings.time_zone`: `+02:00`,
            `Europe/Paris`. None, and `SYSTEM`, which only that server knew, leave times as they are.

    Returns:
        A string or binary array of the same length with the same nulls.

    Raises:
        UnreadableError: a value cannot be of the column's type.
        ValueError: this machine knows no such time zone.
    """
    kind = column.data_type
    if kind == "bit":
        return pc.binary_slice(raw, 8 - ((column.precision or 1) + 7) // 8, 8)
    if kind in BYTES:
        return _padded(raw, 1 if column.length is None else column.length) if kind == "binary" else raw
    if kind == "char":
        # The server never gives them back; it prints them in PAD_CHAR_TO_FULL_LENGTH.
        return pc.utf8_rtrim(raw, " ") if pc.any(pc.ends_with(raw, " ")).as_py() else raw
    if kind == "decimal":
        return _scaled(raw, column)
    if kind == "timestamp" and zone is not None and zone.upper() not in _WITHOUT_ZONE:
        return _in_utc(raw, column, zone)
    return raw


def typed(values: pa.Array, column: Column, read_type: str) -> pa.Array:
    """Returns the column as it is read of a server under the type table's `select`.

    Args:
        values: what `stored` gave, repaired.
        column: the source's column.
        read_type: the plan's; a decimal stays text.

    Returns:
        An array of the type that `read_type` names, with the same nulls.

    Raises:
        UnreadableError: a value is not of that type, such as the date 0000-00-00.
    """
    kind = column.data_type
    if kind == "time":
        return _checked(_microseconds, values, column, "time")
    if kind in SPATIAL:
        return _ewkb(values)
    if kind in {"inet4", "inet6"}:
        return _checked(_address, values, column, "address")
    if read_type in {"string", "binary"} or read_type.startswith("decimal("):
        return values
    wanted = _TYPES.get(read_type) or pa.type_for_alias(read_type)
    return _checked(lambda part: part.cast(wanted), values, column, kind)


def integers(values: pa.Array, column: Column) -> pa.Array:
    """Returns an integer column's stored values as uint64 where the type needs that, else as int64.

    Raises:
        UnreadableError: a value is no whole number.
    """
    wide = pa.uint64() if type_name(column) == "bigint unsigned" else pa.int64()
    return _checked(lambda part: part.cast(wide), values, column, column.data_type)


def microseconds(values: pa.Array, column: Column) -> pa.Array:
    """Returns a `time` column's stored values in microseconds, int64.

    Raises:
        UnreadableError: a value is no time.
    """
    return _checked(_microseconds, values, column, "time")


def announced(table: Table) -> tuple[Loss, ...]:
    """Returns what any dump of a table has lost already, whatever program wrote it.

    The server prints a FLOAT with six digits (`FLT_DIG` in `my_gcvt` of the servers' strings/dtoa.c), where nine tell
    all of them apart, and no dump asks it for more. One with declared decimals is rounded to them when it is stored.
    """
    reason = "a dump has six digits of a FLOAT: from the seventh on, a value may differ from the server's"
    return tuple(
        Loss(table.name, column.name, reason)
        for column in table.columns
        if column.data_type == "float" and column.scale is None
    )


def _padded(raw: pa.Array, length: int) -> pa.Array:
    lengths = pc.binary_length(raw)
    if not pc.any(pc.less(lengths, length)).as_py():
        return raw
    filled = pc.binary_slice(pc.binary_join_element_wise(raw, bytes(length), b""), 0, length)
    return pc.if_else(pc.less(lengths, length), filled, raw)


def _scaled(raw: pa.Array, column: Column) -> pa.Array:
    """Brings numbers that were not written by a server to the digits that it prints."""
    scale = column.scale or 0
    point = pc.find_substring(raw, ".")
    digits = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.subtract(pc.binary_length(raw), point), 1))
    odd = pc.or_(pc.not_equal(digits, scale), pc.match_substring(raw, "e", ignore_case=True))
    if not pc.any(odd).as_py():
        return raw
    odd = odd.fill_null(False)
    places = pc.indices_nonzero(odd).to_pylist()
    exact = [_quantized(raw[place].as_py(), scale, column, place) for place in places]
    return pc.replace_with_mask(raw, odd, pa.array(exact, pa.string()))


def _quantized(text: str, scale: int, column: Column, place: int) -> str:
    try:
        return format(Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _EXACT), "f")
    except InvalidOperation as error:
        raise UnreadableError(column.name, place, text, column.column_type) from error


def _in_utc(raw: pa.Array, column: Column, zone: str) -> pa.Array:
    nowhere = pc.fill_null(pc.starts_with(raw, "0000-00-00"), False)
    times = pc.if_else(nowhere, pa.scalar(None, pa.string()), raw)
    local = _checked(lambda part: part.cast(pa.timestamp("us")), times, column, "timestamp")
    match = _OFFSET.fullmatch(zone)
    if match:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        moved = pc.subtract(local, pa.scalar(-offset if match["sign"] == "-" else offset, pa.duration("us")))
    else:
        moved = to_utc(local, zone)
    digits = column.fraction_digits or 0
    text = moved.cast(pa.timestamp("us")).cast(pa.string())
    return pc.if_else(nowhere, raw, pc.utf8_slice_codeunits(text, 0, _SECONDS + (digits and digits + 1)))


def _microseconds(values: pa.Array) -> pa.Array:
    if not pc.any(pc.less(pc.binary_length(values), len("00:00:00"))).as_py():
        with suppress(pa.ArrowInvalid):
            # Times of a day, which are most, are read ten times as fast.
            return pc.binary_join_element_wise("1970-01-01", values, " ").cast(pa.timestamp("us")).cast(pa.int64())
    parts = pc.extract_regex(values, _TIME)
    if parts.null_count > values.null_count:
        raise pa.ArrowInvalid("not a time")
    sign, hours, minutes, seconds, rest = (pc.struct_field(parts, place) for place in range(5))
    whole = pa.scalar(0, pa.int64())
    for part in (hours, minutes, seconds):
        whole = pc.add(pc.multiply(whole, 60), part.cast(pa.int64()))
    size = pc.add(pc.multiply(whole, 1_000_000), pc.ascii_rpad(rest, 6, "0").cast(pa.int64()))
    return pc.if_else(pc.equal(sign, "-"), pc.negate(size), size)


def _address(values: pa.Array) -> pa.Array:
    """Returns addresses in the network's byte order, as INET6_ATON gives them."""
    encoded = values.dictionary_encode()
    try:
        known = [
            socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
            for text in encoded.dictionary.to_pylist()
        ]
    except OSError as error:
        raise pa.ArrowInvalid("not an address") from error
    return pa.array(known, pa.binary()).take(encoded.indices)


def _ewkb(values: pa.Array) -> pa.Array:
    """Returns PostGIS's form of a shape, see `mapping.typemap`."""
    # Arrow fails at values that are shorter than a slice without an end.
    order_and_type, srid, rest = (pc.binary_slice(values, *part) for part in ((4, 8), (0, 4), (9, _END)))
    return pc.binary_join_element_wise(order_and_type, b"\x20", srid, rest, b"")


def holds(values: pa.Array, pattern: re.Pattern[bytes]) -> bool:
    """Says whether the bytes of a string or binary array may match `pattern` anywhere, nulls' and neighbours' too.

    Searched at the speed of memory, where Arrow's own kernels take a value at a time.
    """
    buffer = values.buffers()[-1]
    return buffer is not None and pattern.search(buffer) is not None


def _checked(convert: Callable[[pa.Array], pa.Array], values: pa.Array, column: Column, wanted: str) -> pa.Array:
    try:
        return convert(values)
    except pa.ArrowInvalid as error:
        row = _first_refused(convert, values)
        raise UnreadableError(column.name, row, values[row].as_py(), wanted) from error


def _first_refused(convert: Callable[[pa.Array], pa.Array], values: pa.Array) -> int:
    """Returns the place of the first value that `convert` refuses, by halves."""
    start, length = 0, len(values)
    while length > 1:
        half = length // 2
        try:
            convert(values.slice(start, half))
        except pa.ArrowInvalid:
            length = half
        else:
            start, length = start + half, length - half
    return start
