"""The rows of a dump once more, for a comparison: by the plain reader, and by nothing that loads.

What a query of a comparison would have made of a value in MySQL's words (`compare.pairs`) is made of its text here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from vecferry._core import plain_rows
from vecferry.mapping.typemap import SPATIAL, base_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vecferry._core import DumpSettings
    from vecferry.compare.pairs import Pair
    from vecferry.model import Column

_NULL, _TEXT, _BARE, _BYTES = range(4)
"""What `plain_rows` says of a value."""

_UTF8 = frozenset({"utf8", "utf8mb3", "utf8mb4", "ascii"})
_CODECS = {
    "ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le", "utf32": "utf-32-be", "latin2": "iso8859-2",
    "cp1250": "cp1250", "cp1251": "cp1251", "cp1256": "cp1256", "cp1257": "cp1257", "greek": "iso8859-7",
    "hebrew": "iso8859-8", "latin5": "iso8859-9", "latin7": "iso8859-13", "koi8r": "koi8-r", "koi8u": "koi8-u",
    "sjis": "shift_jis", "cp932": "cp932", "ujis": "euc_jp", "gbk": "gbk", "gb2312": "gb2312", "gb18030": "gb18030",
    "big5": "big5", "euckr": "euc_kr", "cp850": "cp850", "cp852": "cp852", "cp866": "cp866", "tis620": "tis-620",
    "macroman": "mac-roman", "macce": "mac-latin2",
}  # fmt: skip
_UTC = frozenset({"SYSTEM", "UTC", "+00:00", "-00:00", "+0:00", "-0:00"})
_OFFSET = re.compile(r"([+-])(\d{1,2}):(\d\d)", re.ASCII)
_SECONDS = len("2000-01-01 00:00:00")
_TIME = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")


class NotReadableError(ValueError):
    """A value of a dump cannot be read a second time."""


def rows_of(
    data: bytes, fields: Sequence[str], columns: Sequence[Column], pairs: Sequence[Pair], settings: DumpSettings
) -> pa.RecordBatch:  # fmt: skip
    """Reads rows for a comparison.

    Args:
        data: rows, `(1,'a'),(2,NULL)`.
        fields: the columns of each row, in order.
        columns: the source's description of each pair's column.
        pairs: what is wanted.
        settings: how the rows are to be read; of the character set `binary` each text has its column's own.

    Returns:
        A column for each pair, of its `read_type`.

    Raises:
        NotReadableError: a value is not one of its column's type.
        ValueError: the rows cannot be read.
    """
    places = [fields.index(pair.name) for pair in pairs]
    read = pa.array(plain_rows(data, len(fields), places, not settings.no_backslash_escapes))
    arrays = []
    for number, (column, pair) in enumerate(zip(columns, pairs, strict=True)):
        values, forms = read.field(2 * number), read.field(2 * number + 1)
        try:
            array = _made(values, forms, column, pair, settings.charset)
            arrays.append(_in_utc(array, settings.time_zone) if column.data_type == "timestamp" else array)
        except (ValueError, OverflowError) as error:
            raise NotReadableError(f"a value of {pair.name} cannot be read as {column.column_type}: {error}") from error
    return pa.record_batch(arrays, names=[pair.name for pair in pairs])


def _made(values: pa.Array, forms: pa.Array, column: Column, pair: Pair, charset: str) -> pa.Array:
    kind, base = column.data_type, base_type(pair.target_type)
    if pair.form in {"bytes", "packed"}:
        return values
    if kind in SPATIAL:
        return _each(values, _shape_of(pair.target_type, base))
    if kind == "bit":
        numbers = pc.equal(forms, pa.scalar(_BARE, pa.uint8())).to_pylist()
        return pa.array(
            [None if value is None else _bits(value, bare=bare)
             for value, bare in zip(values.to_pylist(), numbers, strict=True)], pa.string(),
        )  # fmt: skip
    if base == "uuid" and column.character_set is None and kind != "uuid":
        return _each(values, lambda value: value.hex())
    return _of_text(_texts(values, forms, column, charset), kind, base, pair)


def _of_text(text: pa.Array, kind: str, base: str, pair: Pair) -> pa.Array:
    if base == "uuid":
        return pc.utf8_lower(pc.replace_substring(text, "-", ""))
    if kind == "time":
        return pa.array([None if value is None else _microseconds(value) for value in text.to_pylist()], pa.int64())
    if pair.form == "integer":
        return text.cast(pa.int64())
    if pair.form == "double":
        return (text.cast(pa.float32()) if kind == "float" else text).cast(pa.float64())
    if kind == "set" and pair.target_type.endswith("[]"):
        return pa.array([None if value is None else _elements(value) for value in text.to_pylist()], pa.string())
    if kind == "date" and base != "date":
        return pc.binary_join_element_wise(text, "00:00:00", " ")
    return text


def _in_utc(text: pa.Array, zone: str | None) -> pa.Array:
    """Returns moments that are told in the dump's time zone as UTC tells them."""
    if zone is None or zone.upper() in _UTC:
        return text
    offset = _OFFSET.fullmatch(zone)
    if offset:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        meant: tzinfo = timezone(-shift if offset[1] == "-" else shift)
    else:
        meant = ZoneInfo(zone)

    def told(value: str) -> str:
        if value.startswith("0000"):
            return value
        moment = datetime.fromisoformat(value[:_SECONDS]).replace(tzinfo=meant).astimezone(UTC)
        return moment.strftime("%Y-%m-%d %H:%M:%S") + value[_SECONDS:]

    return pa.array([None if value is None else told(value) for value in text.to_pylist()], pa.string())


def _each(values: pa.Array, made: Callable[[bytes], str]) -> pa.Array:
    return pa.array([None if value is None else made(value) for value in values.to_pylist()], pa.string())


def _texts(values: pa.Array, forms: pa.Array, column: Column, charset: str) -> pa.Array:
    """Returns texts; the bytes of a literal without a character set are in the column's own."""
    own = column.character_set or "utf8mb4"
    written = own if charset == "binary" else charset
    loose = pc.any(pc.equal(forms, pa.scalar(_BYTES, pa.uint8()))).as_py()
    if written in _UTF8 and (own in _UTF8 or not loose):
        return values.cast(pa.string())
    found = [
        None if value is None else _decoded(value, "ascii" if form == _BARE else own if form == _BYTES else written)
        for value, form in zip(values.to_pylist(), forms.to_pylist(), strict=True)
    ]
    return pa.array(found, pa.string())


def _decoded(value: bytes, charset: str) -> str:
    if charset in _UTF8:
        return value.decode()
    if charset == "latin1":
        # MySQL's latin1 is Windows' code page 1252, with the five bytes that this leaves out as they are.
        return "".join(_LATIN1[byte] for byte in value)
    if charset not in _CODECS:
        raise NotReadableError(f"the character set {charset} is not known")
    return value.decode(_CODECS[charset])


def _latin1(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_LATIN1: Final = [_latin1(byte) for byte in range(256)]


def _bits(value: bytes, *, bare: bool) -> str:
    number = int(value) if bare else int.from_bytes(value, "big")
    return f"{number:b}" if number else ""


def _microseconds(value: str) -> int:
    match = _TIME.fullmatch(value)
    if match is None:
        raise NotReadableError(f"{value!r} is no time")
    sign, hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    found = whole * 1_000_000 + int((fraction or "").ljust(6, "0"))
    return -found if sign else found


def _elements(value: str) -> str:
    return f"[1:{value.count(',') + 1}]{value}" if value else ""


def _shape_of(full: str, base: str) -> Callable[[bytes], str]:
    """Returns what tells a shape, of the form in which MySQL stores it: the SRID in four bytes, then WKB."""
    if base == "point":
        return lambda value: (value[16:8:-1] + value[24:16:-1]).hex().upper()
    declared = 0
    if base in {"geometry", "geography"}:
        declared = int(full.rsplit(",", 1)[1].rstrip(")")) if "," in full else 4326 if base == "geography" else 0
    return lambda value: f"{int.from_bytes(value[:4], 'little') or declared};{value[4:].hex().upper()}"
