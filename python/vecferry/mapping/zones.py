"""Wall-clock times of a zone → UTC, a column at a time.

By Python's zoneinfo, because Arrow's own `assume_timezone` reads no rule beyond a zone's last listed change: in
summer it is an hour off from 2038 on. zoneinfo takes the system's database, or the one of the package tzdata.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc


def to_utc(column: pa.Array, zone: str) -> pa.Array:
    """Converts the times that clocks in `zone` show to UTC.

    An hour that exists twice, when clocks are set back, is taken as the first of the two. One that does not exist,
    when clocks are set forward, is read by the offset from before, as PostgreSQL does: 02:30 becomes what is then
    called 03:30. So no two different times of it become one (https://peps.python.org/pep-0495/, fold=0).

    Args:
        column: timestamps without a zone, or dates, which are taken as midnight.
        zone: an IANA name: `Europe/Paris`.

    Returns:
        timestamp[us, UTC] of the same length with the same nulls.

    Raises:
        ValueError: this machine's database has no such zone.
    """
    info = _load(zone)
    local = column.cast(pa.timestamp("us"))
    # One look for each day, not for each value.
    days = local.cast(pa.date32(), safe=False).dictionary_encode()
    of_day = pa.array([_offset_of_day(day, info) for day in days.dictionary.to_pylist()], pa.int64())
    offsets = of_day.take(days.indices)
    changing = pc.and_(pc.is_null(offsets), pc.is_valid(local))
    if pc.any(changing).as_py():
        single = [_offset(time, info) for time in local.filter(changing).to_pylist()]
        offsets = pc.replace_with_mask(offsets, changing, pa.array(single, pa.int64()))
    return pc.subtract(local, offsets.cast(pa.duration("us"))).cast(pa.timestamp("us", "UTC"))


def _load(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"this machine knows no time zone {zone!r}: correct the name, or install the package tzdata"
        ) from error


def _offset_of_day(day: dt.date, zone: ZoneInfo) -> int | None:
    """Returns the offset from UTC, in microseconds, that holds for the whole day, None if it changes."""
    first, last = (_offset(dt.datetime.combine(day, time), zone) for time in (dt.time.min, dt.time.max))
    return first if first == last else None


def _offset(time: dt.datetime, zone: ZoneInfo) -> int:
    # Of a whole date zoneinfo knows the offset always.
    offset = time.replace(tzinfo=zone).utcoffset() or dt.timedelta()
    return offset // dt.timedelta(microseconds=1)
