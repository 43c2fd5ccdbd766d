"""What the plan said would become of a value: the user's policies, worked out a second time; pure.

A policy acts inside the SELECT that loads; here its outcome is computed from the value that the source holds.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa

from vecferry.compare import vectors
from vecferry.compare.digests import losses_of
from vecferry.mapping.ranges import precision_and_scale, range_of
from vecferry.mapping.typemap import modifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vecferry.compare.pairs import Pair

Value = int | str | bytes | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """A loss that was announced for a column."""

    kind: str
    """A key of `config.POLICIES`."""
    policy: str
    count: int | None = None
    """How many values the plan counted; None where no plan did."""


CLOCK_GAP = "clock-gap"
"""An hour that clocks skip: what they would have shown is what they show an hour later."""
REJECTED = "rejected"
"""A value or row that lies in the reject store."""


def expected(value: Value, pair: Pair, allowances: Sequence[Allowance]) -> tuple[Value, tuple[str, ...]]:
    """Returns the canonical form that a value of the source arrives in, and the kinds of losses that made it another.

    Args:
        value: the source's value in its canonical form.
        pair: how the column is compared.
        allowances: the column's.
    """
    if (told := losses_of(value) if isinstance(value, str | bytes) else None) is not None:
        return told
    kinds, original = [], value
    for allowance in allowances:
        change = _CHANGES.get(allowance.kind)
        if change is None or original is None:
            continue
        # The plan counts each kind among the values as they are, and lets the policies act one on another's outcome.
        if change(original, pair, allowance.policy) != original:
            kinds.append(allowance.kind)
        value = None if value is None else change(value, pair, allowance.policy)
    if pair.zone != "UTC" and isinstance(value, str):
        shown = _shown(value, pair.zone)
        if shown != value:
            value = shown
            kinds.append(CLOCK_GAP)
    return value, tuple(kinds)


def _shown(value: str, zone: str) -> str:
    """Returns what clocks in `zone` show at what the value says, which is another time if they skip that."""
    try:
        meant = dt.datetime.fromisoformat(value)
        there = meant.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return value
    return value if there == meant else there.isoformat(sep=" ").rstrip("0") if there.microsecond else str(there)


# --- what each policy does -------------------------------------------------------------------------

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DAY = 24 * 3600 * 1_000_000


def _zero_date(value: Value, _: Pair, policy: str) -> Value:
    match = _DATE.match(str(value))
    if match is None or _exists(*map(int, match.groups())):
        return value
    if policy == "null":
        return None
    return "1970-01-01" if len(str(value)) == len("1970-01-01") else "1970-01-01 00:00:00"


def _exists(year: int, month: int, day: int) -> bool:
    if not month or not day:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= _DAYS[month - 1] + (month == _FEBRUARY and leap)


def _nul_byte(value: Value, _: Pair, policy: str) -> Value:
    if not isinstance(value, str) or "\0" not in value:
        return value
    return None if policy == "null" else value.replace("\0", "\ufffd")


def _too_long(value: Value, pair: Pair, policy: str) -> Value:
    most = modifier(pair.target_type)
    if not isinstance(value, str) or most is None or len(value) <= most:
        return value
    if policy == "null":
        return None
    return value[:most].rstrip(" ") if pair.form == "padded" else value[:most]


def _unknown_label(value: Value, pair: Pair, _: str) -> Value:
    return value if value in pair.labels else None


_UUID_DIGITS = re.compile(r"[0-9a-f]{32}")


def _not_uuid(value: Value, _: Pair, __: str) -> Value:
    return value if _UUID_DIGITS.fullmatch(str(value)) else None


def _out_of_range(value: Value, pair: Pair, _: str) -> Value:
    if pair.source_type == "time":
        return value if isinstance(value, int) and 0 <= value < _DAY else None
    digits = precision_and_scale(pair.target_type)
    if digits is not None:
        whole = str(value).lstrip("-").split(".")[0].lstrip("0")
        return value if len(whole) <= digits[0] - digits[1] else None
    holds = range_of(pair.target_type)
    if holds is None or value is None:
        return value
    return value if holds[0] <= int(value) <= holds[1] else None


def _too_precise(value: Value, pair: Pair, _: str) -> Value:
    if not isinstance(value, str) or "." not in value:
        return value
    digits = precision_and_scale(pair.target_type)
    kept = digits[1] if digits is not None else modifier(pair.target_type)
    if kept is None:
        return value
    whole, fraction = value.split(".", 1)
    cut = f"{whole}.{fraction[:kept]}".rstrip("0").rstrip(".")
    return "0" if cut == "-0" else cut


_ESCAPE = re.compile(rb"\\\\|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def _json_escape(value: Value, _: Pair, policy: str) -> Value:
    """Acts on the canonical form, where nothing but a backslash, a quote and control characters is escaped."""
    if not isinstance(value, bytes):
        return value
    replaced = _ESCAPE.sub(lambda match: match[0] if match[0] == rb"\\" else "\ufffd".encode(), value)
    if replaced == value:
        return value
    return None if policy == "null" else _json_form(replaced)


def _json_text(value: Value, _: Pair, policy: str) -> Value:
    if not isinstance(value, bytes) or vectors.is_json(value):
        return value
    return None if policy == "null" else _json_form(orjson.dumps(value.decode()))


def _json_form(text: bytes) -> bytes:
    form: bytes = vectors.json_form(pa.array([text], pa.large_binary()))[0].as_py()
    return form


_CHANGES: dict[str, Callable[[Value, Pair, str], Value]] = {
    "zero-date": _zero_date,
    "nul-byte": _nul_byte,
    "too-long": _too_long,
    "unknown-label": _unknown_label,
    "not-uuid": _not_uuid,
    "out-of-range": _out_of_range,
    "too-precise": _too_precise,
    "json-escape": _json_escape,
    "json-text": _json_text,
}
