"""Values of PostgreSQL's text with what is known of their type."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from vecferry.mapping.identifiers import literal

Kind = Literal[
    "null", "bool", "int", "numeric", "float", "text", "enum", "date", "timestamp", "timestamptz", "time", "json",
    "uuid", "bytea", "other", "unknown",
]  # fmt: skip

NUMBERS: frozenset[Kind] = frozenset({"int", "numeric", "float"})
TEMPORAL: frozenset[Kind] = frozenset({"date", "timestamp", "timestamptz"})
NUMBER = re.compile(r"-?\d{1,15}|-?\d{1,7}\.\d{1,8}", re.ASCII)
"""A string that MySQL reads as the same number, to the last digit, when it compares it with one."""
INTEGER_MAX, BIGINT_MAX = 2**31 - 1, 2**63 - 1
DIVISION_DIGITS = 4
"""What `/` and AVG add to the scale: MySQL's default of div_precision_increment."""


class RefusedError(Exception):
    """The translation is refused; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Term:
    """A value: text that needs no parentheses around it, and its type."""

    text: str
    kind: Kind
    scale: int | None = None
    """Digits after the point of a numeric, of the seconds of a timestamp; None where they are not known."""
    constant: str | None = None
    """The value of a literal."""
    logical: bool = False
    """Whether a boolean is the outcome of a condition, which MySQL knows as the integers 0 and 1."""
    quotient: Literal["", "exact", "rounded"] = ""
    """Whether it comes from `/` or AVG. MySQL computes on with more digits than it shows, how many depends."""
    wide: bool = False
    """Whether an integer is a bigint."""
    name: str = ""
    """The PostgreSQL type of a column."""


def of_type(text: str, type_name: str) -> Term:
    """Returns the term for a column of a PostgreSQL type; an empty type is an unknown one."""
    number = re.search(r"\((?:\d+\s*,\s*)?(\d+)\)", type_name)
    scale = int(number[1]) if number else None
    base = re.sub(r"\([\d, ]+\)", "", type_name).strip()
    if base == "numeric":
        if number is None:  # never a column of MySQL: a view's quotient
            return Term(text, "numeric", quotient="rounded", name=type_name)
        return Term(text, "numeric", scale if "," in number[0] else 0, name=type_name)
    if base.startswith("timestamp"):
        kind: Kind = "timestamptz" if base.endswith("with time zone") else "timestamp"
        return Term(text, kind, 6 if scale is None else scale, name=type_name)
    if base.startswith('"') or base.endswith("_enum"):
        return Term(text, "enum", name=type_name)
    kind = _KINDS.get(base, "other") if base else "unknown"
    return Term(text, kind, wide=base == "bigint", name=type_name)


_KINDS: dict[str, Kind] = {
    "smallint": "int", "integer": "int", "bigint": "int", "real": "float", "double precision": "float",
    "boolean": "bool", "text": "text", "character varying": "text", "citext": "text", "date": "date",
    "interval": "time", "jsonb": "json", "uuid": "uuid", "bytea": "bytea",
}  # fmt: skip


def type_of(term: Term) -> str:
    """Returns the PostgreSQL type of a term, for those who read it as a column; empty where it is not known."""
    if term.name:
        return term.name
    if term.kind == "int":
        return "bigint" if term.wide else "integer"
    if term.kind == "numeric":
        return "numeric" if term.quotient or term.scale is None else f"numeric(65,{term.scale})"
    if term.kind == "timestamp":
        return f"timestamp({term.scale})"
    if term.kind == "timestamptz":
        return f"timestamp({term.scale}) with time zone"
    plain = {"bool": "boolean", "float": "double precision", "time": "interval", "json": "jsonb", "null": "text"}
    return plain.get(term.kind, term.kind if term.kind in {"text", "date", "uuid", "bytea"} else "")


def number(text: str) -> Term:
    """Returns the term of a numeric literal."""
    if "e" in text.lower():
        return Term(f"({text})::double precision", "float", constant=text)
    shown = f"({text})" if text.startswith("-") else text
    if "." in text:
        return Term(shown, "numeric", len(text.partition(".")[2]), constant=text)
    if abs(int(text)) > BIGINT_MAX:
        return Term(shown, "numeric", 0, constant=text)
    return Term(shown, "int", constant=text, wide=abs(int(text)) > INTEGER_MAX)


def string(value: str) -> Term:
    """Returns the term of a string literal."""
    if "\0" in value:
        raise RefusedError("it has a string with a zero byte, which PostgreSQL's text cannot hold")
    return Term(literal(value).strip(), "text", constant=value)


def integer(term: Term) -> Term:
    """Returns a boolean as MySQL's 0 or 1, and any other term as it is."""
    return Term(f"{term.text}::integer", "int") if term.kind == "bool" else term


def numeric(term: Term, what: str) -> Term:
    """Returns a term to compute with.

    Raises:
        RefusedError: it is no number; `what` is what was to be computed.
    """
    term = integer(term)
    if term.quotient:
        raise RefusedError(f"it computes on with a quotient in {what}, whose digits MySQL cuts off")
    if term.kind in NUMBERS:
        # MySQL computes with 64 bits, where PostgreSQL would with the 32 of a real.
        return replace(term, text=f"{term.text}::double precision", name="") if term.name == "real" else term
    raise RefusedError(f"it uses {described(term)} as a number in {what}")


def settled(term: Term) -> Term:
    """Returns a term as MySQL shows it: a quotient with its digits, rounded."""
    if term.quotient != "exact":
        return term
    return replace(term, text=f"round({term.text}, {term.scale})", quotient="rounded")


def described(term: Term) -> str:
    """Returns what a user calls such a value."""
    if term.kind == "unknown":
        return "a value whose type is not known"
    if term.constant is not None and term.kind == "text":
        return "a string"
    words: dict[Kind, str] = {
        "null": "NULL", "bool": "a boolean", "int": "a number", "numeric": "a number",
        "float": "a floating point number",
        "text": "text", "enum": "an enum", "date": "a date", "timestamp": "a date and time",
        "timestamptz": "a timestamp with time zone", "time": "a time", "json": "JSON", "uuid": "a UUID",
        "bytea": "bytes",
    }  # fmt: skip
    return words.get(term.kind, f"a value of type {term.name}")
