"""The form in which a value of the source and its counterpart of the target are compared.

Shares no code with vecferry. Values come from PyMySQL and psycopg; two of them are the same exactly when their
canonical forms are equal. The form depends on both columns' types: 1 of a `tinyint(1)` is `True` in a `boolean`
and 1 in a `smallint`.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import struct
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

_SPATIAL = frozenset(
    {
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
        "geometrycollection", "geomcollection",
    }
)  # fmt: skip
_EWKB_SRID = 0x20000000
_VECTORS = {"vector": np.float32, "halfvec": np.float16}


def from_source(value: Any, kind: str, target: str, zone: str = "UTC") -> Hashable:
    """Return the canonical form of a value that PyMySQL read.

    Args:
        value: The value.
        kind: MySQL's bare type: `bigint`, `longtext`.
        target: The base type of the column that took it, as `format_type` says it, without a modifier.
        zone: The time zone that a `datetime` is meant in where the target has time zones.
    """
    if value is None:
        return None
    if kind == "bit":
        return _bits(value, target)
    if kind in _SPATIAL:
        return _from_mysql_geometry(value)
    if kind == "timestamp" or target == "timestamp with time zone":
        at = _midnight(value)
        meant_in = ZoneInfo("UTC" if kind == "timestamp" else zone)
        return at.replace(tzinfo=meant_in).astimezone(dt.UTC) if isinstance(at, dt.datetime) else at
    if target == "timestamp without time zone":
        return _midnight(value)
    if kind == "float" and target == "real":
        return float(np.float32(value)).hex()
    if kind == "set" and target.endswith("[]"):
        return tuple(value.split(",")) if value else ()
    if target in _VECTORS:
        loaded = json.loads(value)
        numbers = [loaded[str(i)] for i in range(len(loaded))] if isinstance(loaded, dict) else loaded
        return _vector(numbers, target)
    return _plain(value, target)


def from_target(value: Any, kind: str, target: str) -> Hashable:
    """Return the canonical form of a value that psycopg read in UTC; json and vectors as text.

    Args:
        value: The value.
        kind: The bare type of MySQL's column.
        target: The column's base type as `format_type` says it, without a modifier.
    """
    if value is None:
        return None
    if kind in _SPATIAL:
        return _from_ewkb(bytes.fromhex(value) if isinstance(value, str) else bytes(value))
    if kind == "bit" and isinstance(value, str):
        return int(value, 2)
    if isinstance(value, dt.datetime) and kind == "timestamp" and value.tzinfo is None:
        return value.replace(tzinfo=dt.UTC)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC)
    if isinstance(value, dt.time):
        return dt.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    if target in _VECTORS:
        return _vector(json.loads(value), target)
    if target.endswith("[]"):
        return tuple(value)
    if target == "real":
        return float(np.float32(value)).hex()
    return _plain(value, target)


def _plain(value: Any, target: str) -> Hashable:
    """Return what holds for both ends; the target's type says which of a value's readings counts."""
    if target == "uuid":
        return value if isinstance(value, uuid.UUID) else _uuid(value)
    if target in {"inet", "cidr"}:
        return ipaddress.ip_address(value)
    if target == "jsonb":
        return _frozen(json.loads(value, parse_float=Decimal))
    if target == "boolean" and value in {0, 1}:
        return bool(value)
    if isinstance(value, float):
        return value.hex()  # -0.0 == 0.0
    if isinstance(value, bool):
        return ("boolean", value)  # True == 1, but the type asks for a number
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    form: Hashable = value
    return form


def _uuid(value: str | bytes) -> uuid.UUID:
    return uuid.UUID(bytes=value) if isinstance(value, bytes) else uuid.UUID(value)


def _midnight(value: dt.date | str) -> dt.date | str:
    """Return a date as the datetime that it begins with; PyMySQL reads zero dates as text, which stays."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return value


def _bits(value: bytes, target: str) -> Hashable:
    number = int.from_bytes(value)
    if target == "boolean" and number in {0, 1}:
        return bool(number)
    return number


def _vector(numbers: list[float], target: str) -> Hashable:
    # Through float32 on the way to float16, as pgvector does.
    return np.array(numbers, dtype=np.float64).astype(np.float32).astype(_VECTORS[target]).tobytes()


def _frozen(value: Any) -> Hashable:
    """Return a JSON value as one that can be hashed; numbers and texts, true and 1 stay apart."""
    if isinstance(value, dict):
        return ("object", tuple(sorted((name, _frozen(item)) for name, item in value.items())))
    if isinstance(value, list):
        return ("array", tuple(_frozen(item) for item in value))
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | Decimal):
        return ("number", Decimal(value))
    return ("text" if isinstance(value, str) else "null", value)


def _from_mysql_geometry(value: bytes) -> Hashable:
    """Return SRID and WKB of MySQL's own form: four bytes of SRID, then WKB."""
    return struct.unpack("<I", value[:4])[0], value[4:]


def _from_ewkb(value: bytes) -> Hashable:
    """Return SRID and WKB of PostGIS's EWKB, little-endian: a flag in the type says that the SRID follows."""
    order, kind = struct.unpack("<BI", value[:5])
    if order != 1:
        raise ValueError("not a little-endian WKB")
    if not kind & _EWKB_SRID:
        return 0, value
    return struct.unpack("<I", value[5:9])[0], struct.pack("<BI", 1, kind & ~_EWKB_SRID) + value[9:]
