"""The rules for dates and times. MySQL computes them by the session's clock, which is what `local` gives."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from vecferry.mapping.translate.rules import Translator, named, number_of, rule
from vecferry.mapping.translate.terms import TEMPORAL, RefusedError, Term, described

if TYPE_CHECKING:
    from collections.abc import Callable

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_STRETCH = re.compile(r"\d{2,3}:[0-5]\d:[0-5]\d(?:\.\d{1,6})?", re.ASCII)
_UNITS = {
    "MICROSECOND": ("microsecond", 1), "SECOND": ("second", 1), "MINUTE": ("minute", 1), "HOUR": ("hour", 1),
    "DAY": ("day", 1), "WEEK": ("week", 1), "MONTH": ("month", 1), "QUARTER": ("month", 3), "YEAR": ("year", 1),
}  # fmt: skip
_WHOLE_DAYS = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}


def moment(value: str) -> Term:
    """Returns the literal of a date, or of a date and time.

    Raises:
        RefusedError: it is not written in full, or there is no such date.
    """
    try:
        if _DATE.fullmatch(value):
            date.fromisoformat(value)
            return Term(f"date '{value}'", "date")
        if _MOMENT.fullmatch(value):
            whole, _, fraction = value.replace("T", " ").partition(".")
            datetime.fromisoformat(whole)
            return Term(f"timestamp '{value.replace('T', ' ')}'", "timestamp", len(fraction))
    except ValueError as error:
        raise RefusedError(f"it uses the date '{value}', which does not exist in PostgreSQL") from error
    raise RefusedError(f"it uses the string '{value}' as a date")


def stretch(value: str) -> Term:
    """Returns the literal of a time.

    Raises:
        RefusedError: it is not written in full.
    """
    if _STRETCH.fullmatch(value):
        return Term(f"interval '{value}'", "time")
    raise RefusedError(f"it uses the string '{value}' as a time")


def _temporal(translator: Translator, node: exp.Expression | None, what: str) -> Term:
    if isinstance(node, exp.Literal) and node.is_string:
        return moment(str(node.this))
    term = translator.local(translator.value(node))
    if term.kind not in TEMPORAL:
        raise RefusedError(f"it uses {described(term)} in {what}")
    return term


# --- the clock -----------------------------------------------------------------------------------


def _clock(translator: Translator, digits: int) -> Term:
    if translator.use == "default":
        return Term(f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP", "timestamptz", digits)
    if translator.use != "view":
        raise RefusedError(f"it uses the current time, which {translator.place} cannot")
    if digits:
        raise RefusedError("it uses the current time with fractions of a second")
    # MySQL cuts the fraction off, LOCALTIMESTAMP(0) would round it.
    return Term("date_trunc('second', LOCALTIMESTAMP)", "timestamp", 0)


@rule(exp.CurrentTimestamp, "this")
def _current_timestamp(translator: Translator, node: exp.Expression) -> Term:
    return _clock(translator, 0 if node.this is None else number_of(node.this, "a precision"))


@named("now")
@named("localtime")
@named("localtimestamp")
def _now(translator: Translator, node: exp.Expression) -> Term:
    return _clock(translator, number_of(node.expressions[0], "a precision") if node.expressions else 0)


@rule(exp.CurrentDate)
def _current_date(translator: Translator, _: exp.Expression) -> Term:
    if translator.use not in {"default", "view"}:
        raise RefusedError(f"it uses the current date, which {translator.place} cannot")
    return Term("CURRENT_DATE", "date")


# --- parts ---------------------------------------------------------------------------------------


@rule(exp.TsOrDsToDate, "this")
def _date(translator: Translator, node: exp.Expression) -> Term:
    term = _temporal(translator, node.this, "DATE")
    return term if term.kind == "date" else Term(f"{term.text}::date", "date")


def _part(translator: Translator, argument: exp.Expression | None, unit: str) -> Term:
    if isinstance(argument, exp.TsOrDsToDate) and unit not in _HOURS:
        argument = argument.this  # what sqlglot wraps the argument in; DATE() changes no part of a date
    term = _temporal(translator, argument, unit)
    if unit in _HOURS and term.kind == "date":
        raise RefusedError(f"it uses a date in {unit}")
    text = f"extract({_FIELDS[unit]} FROM {term.text})"
    if unit == "SECOND":
        text = f"floor({text})"
    return Term(f"{text}::integer" if unit not in _SHIFTED else f"({text}::integer {_SHIFTED[unit]})", "int")


_FIELDS = {
    "YEAR": "year", "QUARTER": "quarter", "MONTH": "month", "DAY": "day", "HOUR": "hour", "MINUTE": "minute",
    "SECOND": "second", "DAYOFWEEK": "dow", "WEEKDAY": "isodow", "DAYOFYEAR": "doy",
}  # fmt: skip
_HOURS = frozenset({"HOUR", "MINUTE", "SECOND"})
_SHIFTED = {"DAYOFWEEK": "+ 1", "WEEKDAY": "- 1"}


def _part_rule(unit: str) -> Callable[[Translator, exp.Expression], Term]:
    return lambda translator, node: _part(translator, node.this, unit)


for _node, _unit in (
    (exp.Year, "YEAR"), (exp.Quarter, "QUARTER"), (exp.Month, "MONTH"), (exp.Day, "DAY"), (exp.DayOfMonth, "DAY"),
    (exp.Hour, "HOUR"), (exp.Minute, "MINUTE"), (exp.Second, "SECOND"), (exp.DayOfWeek, "DAYOFWEEK"),
    (exp.DayOfYear, "DAYOFYEAR"),
):  # fmt: skip
    rule(_node, "this")(_part_rule(_unit))


@named("weekday")
def _weekday(translator: Translator, node: exp.Expression) -> Term:
    if len(node.expressions) != 1:
        raise RefusedError("it is not understood")
    return _part(translator, node.expressions[0], "WEEKDAY")


@rule(exp.Extract, "this", "expression")
def _extract(translator: Translator, node: exp.Expression) -> Term:
    unit = node.this.name.upper()
    if unit not in {"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}:
        raise RefusedError(f"it uses EXTRACT of {unit}")
    return _part(translator, node.expression, unit)


# --- intervals -----------------------------------------------------------------------------------


def plus_interval(
    translator: Translator, moment_node: exp.Expression, count: exp.Expression, unit: exp.Expression | None, sign: str
) -> Term:
    """Returns the sum or difference of a moment and an interval."""
    name = unit.name.upper() if unit is not None else ""
    if name not in _UNITS:
        raise RefusedError(f"it uses an interval of {name or 'no unit'}")
    term = _temporal(translator, moment_node, "an interval's sum")
    word, times = _UNITS[name]
    amount = count.this if isinstance(count, exp.Paren) else count
    if isinstance(amount, exp.Literal):
        if not re.fullmatch(r"-?\d{1,9}", str(amount.this), re.ASCII):
            raise RefusedError("it uses an interval that is no whole number")
        added = f"interval '{int(amount.this) * times} {word}'"
    else:
        number = translator.value(amount)
        if number.kind != "int":
            raise RefusedError(f"it uses {described(number)} as an interval")
        added = f"{number.text} * interval '{times} {word}'"
    text = f"({term.text} {sign} {added})"
    # A string with an interval added is a string to MySQL still, which matters where it meets other values.
    string = "a string" if isinstance(moment_node, exp.Literal) else term.constant
    if term.kind == "date" and name in _WHOLE_DAYS:
        return Term(f"{text}::date", "date", constant=string)
    return Term(text, "timestamp", 6 if name == "MICROSECOND" else term.scale or 0, constant=string)


def _date_add(translator: Translator, node: exp.Expression) -> Term:
    sign = "+" if isinstance(node, exp.DateAdd) else "-"
    return plus_interval(translator, node.this, node.expression, node.args.get("unit"), sign)


for _sum in (exp.DateAdd, exp.DateSub):
    rule(_sum, "this", "expression", "unit")(_date_add)


@rule(exp.DateDiff, "this", "expression")
def _datediff(translator: Translator, node: exp.Expression) -> Term:
    return days_between(translator, node.this, node.expression)


def days_between(translator: Translator, later: exp.Expression, earlier: exp.Expression) -> Term:
    """Returns the days from one date to another."""
    terms = [_temporal(translator, argument, "DATEDIFF") for argument in (later, earlier)]
    dates = [term.text if term.kind == "date" else f"{term.text}::date" for term in terms]
    return Term(f"({dates[0]} - {dates[1]})", "int")


def in_to_days(node: exp.Expression) -> exp.Expression | None:
    """Returns the argument of TO_DAYS, whose node in sqlglot is a sum; None for any other node.

    MariaDB prints DATEDIFF as a difference of two TO_DAYS.
    """
    added = node.this if isinstance(node, exp.Paren) else None
    days = added.this if isinstance(added, exp.Add) else None
    if isinstance(days, exp.DateDiff) and days.expression.this == exp.Literal.string("0000-01-01"):
        argument = days.this
        return argument if isinstance(argument, exp.Expression) else None
    return None


@rule(exp.TimestampDiff, "this", "expression", "unit")
def _timestampdiff(translator: Translator, node: exp.Expression) -> Term:
    unit = node.args["unit"].name.upper()
    if unit not in _SECONDS:
        raise RefusedError(f"it uses TIMESTAMPDIFF of {unit}")
    terms = [_temporal(translator, argument, "TIMESTAMPDIFF") for argument in (node.this, node.expression)]
    moments = [term.text if term.kind == "timestamp" else f"{term.text}::timestamp" for term in terms]
    seconds = f"extract(epoch FROM ({moments[0]} - {moments[1]}))"
    return Term(f"trunc({seconds} / {_SECONDS[unit]})::bigint", "int", wide=True)
