"""Arrow columns as they were read → wire columns: exactly what COPY BINARY of the target's type expects.

Pure functions. Each encoder takes the column and the target's type in full and returns an Arrow array whose
wire form, as the ADBC driver writes it, is what the type's receive function reads
(https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"). Casts are checked: a value that
does not fit raises instead of changing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.errors import InvalidValueError, one_line
from vecferry.mapping.typemap import modifier
from vecferry.mapping.zones import to_utc

Encoder = Callable[[pa.Array, str], pa.Array]

_MICROSECONDS_A_DAY = 24 * 3600 * 1_000_000
_MOST_BITS = 64
_EWKB_POINT = b"\x01\x01\x00\x00\x00"
_EWKB_POINT_SRID = b"\x01\x01\x00\x00\x20"


def encode(wire: str, column: pa.Array, read_type: str, target_type: str) -> pa.Array:
    """Converts one column of a batch.

    Args:
        wire: the kind of wire column, a key of `ENCODERS`; `timestamptz@Europe/Paris` for timestamps that are the
            wall-clock time of that zone.
        column: the values as the reader returned them, of any length, nulls kept.
        read_type: the type table's name of the values' Arrow type; a decimal arrives as text.
        target_type: PostgreSQL's type in full.

    Returns:
        An Arrow array of the same length with the same nulls.

    Raises:
        InvalidValueError: a value does not fit the target's type; the message says which and why.
    """
    kind, _, zone = wire.partition("@")
    try:
        if read_type.startswith("decimal("):
            column = column.cast(_decimal_type(read_type))
        if zone:
            column = to_utc(column, zone)
        return ENCODERS[kind](column, target_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise InvalidValueError(f"a value does not fit {target_type}: {one_line(error)}") from error


def _decimal_type(name: str) -> pa.DataType:
    """Returns the Arrow type of the type table's `decimal(65,30)`."""
    precision, scale = (int(part) for part in name[len("decimal(") : -1].split(","))
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)  # noqa: PLR2004


def _cast(to: pa.DataType) -> Encoder:
    return lambda column, _: column.cast(to)


def _text(column: pa.Array, _: str) -> pa.Array:
    return (
        column if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else column.cast(pa.string())
    )


def _numeric(column: pa.Array, _: str) -> pa.Array:
    if pa.types.is_integer(column.type):
        return column.cast(pa.decimal128(20, 0))
    return column


def _bool(column: pa.Array, target_type: str) -> pa.Array:
    outside = pc.sum(pc.and_(pc.not_equal(column, 0), pc.not_equal(column, 1))).as_py()
    if outside:
        raise ValueError(f"{outside} values are neither 0 nor 1, and {target_type} holds nothing else")
    return pc.not_equal(column, 0)


def _bit_bool(column: pa.Array, _: str) -> pa.Array:
    return pc.not_equal(column.cast(pa.binary()), pa.scalar(b"\x00", pa.binary()))


def _bit(column: pa.Array, target_type: str) -> pa.Array:
    """`bit_recv` (src/backend/utils/adt/varbit.c): how many bits, int32, then the bits.

    PostgreSQL fills the last byte with zeros; MySQL, whose BIT is the bytes of a number, fills the first.
    """
    values = column.cast(pa.binary())
    most = 8 * (pc.max(pc.binary_length(values)).as_py() or 0)
    bits = modifier(target_type) or most
    if max(most, bits) > _MOST_BITS:
        raise ValueError(f"{max(most, bits)} bits are more than the {_MOST_BITS} that a BIT of MySQL can have")
    # Arrow shifts integers, and those lie in memory with the lowest byte first.
    low_first = pc.binary_slice(_join(pc.binary_reverse(values), bytes(8)), 0, 8)
    numbers = low_first.cast(pa.binary(8)).view(pa.uint64())
    largest = pa.scalar((1 << bits) - 1, pa.uint64())
    _refuse(numbers, pc.greater(numbers, largest), f"{{}} takes more than {bits} bits")
    filled = pc.shift_left(numbers, pa.scalar(-bits % 8, pa.uint64())).view(pa.binary(8)).cast(pa.binary())
    return _join(bits.to_bytes(4, "big"), pc.binary_slice(pc.binary_reverse(filled), 8 - (bits + 7) // 8, 8))


def _inet(column: pa.Array, _: str) -> pa.Array:
    """`network_recv` (src/backend/utils/adt/network.c): family, bits, is_cidr, bytes of the address, the address.

    The families 2 and 3 are PGSQL_AF_INET and PGSQL_AF_INET6 (src/include/utils/inet.h). The values are addresses in
    the network's byte order, as INET6_ATON gives them.
    """
    lengths = pc.binary_length(column)
    short, long = pc.equal(lengths, 4), pc.equal(lengths, 16)
    _refuse(column, pc.invert(pc.or_(short, long)), "{} is neither the 4 bytes of IPv4 nor the 16 of IPv6")
    return _join(pc.if_else(short, b"\x02\x20\x00\x04", b"\x03\x80\x00\x10"), column)


def _point(column: pa.Array, _: str) -> pa.Array:
    """`point_recv` (src/backend/utils/adt/geo_ops.c): x, then y, each a float8, the highest byte first.

    The values are POINTs in EWKB with the lowest byte first, with or without an SRID, which a point does not keep
    (https://postgis.net/docs/using_postgis_dbmanagement.html#EWKB_EWKT).
    """
    bare = pc.and_(pc.starts_with(column, _EWKB_POINT), pc.equal(pc.binary_length(column), 21))
    with_srid = pc.and_(pc.starts_with(column, _EWKB_POINT_SRID), pc.equal(pc.binary_length(column), 25))
    _refuse(column, pc.invert(pc.or_(bare, with_srid)), "{} is not the EWKB of a POINT of two dimensions")
    return _join(pc.binary_reverse(pc.binary_slice(column, -16, -8)), pc.binary_reverse(pc.binary_slice(column, -8)))


def _jsonb(column: pa.Array, _: str) -> pa.Array:
    """`jsonb_recv` (src/backend/utils/adt/jsonb.c): the version byte 1, then the text."""
    text = column.cast(pa.large_binary())
    return pc.binary_join_element_wise(pa.scalar(b"\x01", pa.large_binary()), text, pa.scalar(b"", pa.large_binary()))


def _text_list(column: pa.Array, _: str) -> pa.Array:
    parts = pc.split_pattern(column, ",")
    empty = pa.array([[]], parts.type)[0]
    return pc.if_else(pc.equal(column, ""), empty, parts)


def _uuid(column: pa.Array, _: str) -> pa.Array:
    """`uuid_recv` (src/backend/utils/adt/uuid.c): the 16 bytes. The hyphens are not looked at."""
    import polars as pl  # noqa: PLC0415 - importing it takes longer than connecting to both servers

    digits = pl.Series("uuid", column).str.replace_all("-", "", literal=True)
    decoded = digits.str.decode("hex", strict=False).to_arrow().cast(pa.large_binary())
    whole = pc.equal(pc.binary_length(decoded), 16).fill_null(False)
    _refuse(column, pc.and_not(pc.is_valid(column), whole), "{!r} is not a UUID")
    return decoded.cast(pa.binary(16))


def _join(*parts: pa.Array | bytes) -> pa.Array:
    """Returns the bytes of `parts` laid end to end in each row."""
    return pc.binary_join_element_wise(*parts, b"")


def _refuse(column: pa.Array, wrong: pa.Array, sentence: str) -> None:
    """Raises ValueError with the first of the values that are `wrong` in `sentence`; bytes as hexadecimal digits."""
    if pc.any(wrong).as_py():
        value = column.filter(wrong)[0].as_py()
        raise ValueError(sentence.format(f"0x{value.hex()}" if isinstance(value, bytes) else value))


def _time(column: pa.Array, _: str) -> pa.Array:
    if pc.any(pc.or_(pc.less(column, 0), pc.greater_equal(column, _MICROSECONDS_A_DAY))).as_py():
        raise ValueError("it is negative or beyond 24 hours: declare the column as interval")
    return column.cast(pa.time64("us"))


ENCODERS: Final[dict[str, Encoder]] = {
    "int16": _cast(pa.int16()),
    "int32": _cast(pa.int32()),
    "int64": _cast(pa.int64()),
    "float32": _cast(pa.float32()),
    "float64": _cast(pa.float64()),
    "numeric": _numeric,
    "bool": _bool,
    "bit_bool": _bit_bool,
    "bit": _bit,
    "text": _text,
    "jsonb": _jsonb,
    "bytea": _cast(pa.large_binary()),
    "text[]": _text_list,
    "uuid": _uuid,
    "inet": _inet,
    "point": _point,
    "uuid_bytes": _cast(pa.binary(16)),
    "date": _cast(pa.date32()),
    "time": _time,
    "timestamp": _cast(pa.timestamp("us")),
    "timestamptz": _cast(pa.timestamp("us", "UTC")),
    "interval": _cast(pa.duration("us")),
}
"""Wire columns by name; the two kinds of embedding column are `convert.embeddings`'."""
