"""An expression of a table's definition: its columns, and how its value becomes the column's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import quote, shorten
from vecferry.mapping.translate import aggregates, functions, operators, parse, temporal
from vecferry.mapping.translate.rules import Translator, Use, shown
from vecferry.mapping.translate.temporal import moment
from vecferry.mapping.translate.terms import (
    NUMBER,
    NUMBERS,
    TEMPORAL,
    RefusedError,
    Term,
    described,
    integer,
    number,
    of_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlglot import exp

RULES = (aggregates, functions, operators, temporal)
"""The modules whose import registers the rules."""


def translate(
    text: str, columns: Mapping[str, str], use: Use, result: str = "", labels: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Returns PostgreSQL's words for an expression; see `translate_expression`.

    Raises:
        RefusedError: they are not known to mean the same.
    """
    known = {name.lower(): (name, type_name) for name, type_name in columns.items()}

    def column(node: exp.Column) -> Term:
        if use == "default":
            raise RefusedError("it uses another column, which a default cannot")
        found = known.get(node.name.lower())
        if found is None or node.args.get("db"):
            raise RefusedError(f"it uses the column {node.name}, which is not known")
        return of_type(quote(shorten(found[0])), found[1])

    translator = Translator(use, column, labels=labels)
    tree = parse.expression(text)
    if use == "check":
        return translator.condition(tree)
    term = translator.value(tree)
    return _fitting(translator, term, result).text if result else shown(term).text


def _fitting(translator: Translator, term: Term, result: str) -> Term:
    wanted = of_type("", result)
    if _is_string(term, wanted):
        return _from_string(term, wanted)
    found = term if term.kind == "null" else None
    if wanted.kind == "bool":
        found = found or _boolean(term)
    elif wanted.kind in NUMBERS:
        value = integer(shown(term))
        if value.kind in NUMBERS and (value.kind != "float" or wanted.kind == "float"):
            found = value
    elif wanted.kind == "text":
        found = term if term.kind == "uuid" else translator.as_text(shown(term))
    elif wanted.kind == "enum":
        if (term.kind == "text" and term.constant is not None) or (term.kind == "enum" and term.name == result):
            found = term
    elif _same_moment(translator, term, wanted) or (term.kind == wanted.kind and term.kind not in {"other", "time"}):
        found = term
    if found is None:
        raise RefusedError(f"it stores {described(term)} in a column of type {result}")
    return found


def _is_string(term: Term, wanted: Term) -> bool:
    """Whether a string is read as a value of another type."""
    return term.kind == "text" and term.constant is not None and wanted.kind in {*NUMBERS, *TEMPORAL, "json"}


def _from_string(term: Term, wanted: Term) -> Term:
    text = term.constant or ""
    if wanted.kind == "json":
        try:
            json.loads(text)
        except ValueError as error:
            raise RefusedError("it stores a string that is no JSON") from error
        return Term(f"{term.text}::jsonb", "json")
    if wanted.kind in TEMPORAL:
        found = moment(text)
        if wanted.kind == "date" and found.kind != "date":
            raise RefusedError("it stores a date and time in a date")
        return found
    if not NUMBER.fullmatch(text):
        raise RefusedError(f"it stores the string '{text}' in a column of type {wanted.name}")
    return number(text)


def _boolean(term: Term) -> Term | None:
    if term.kind == "int" and term.constant in {"0", "1"}:
        return Term("TRUE" if term.constant == "1" else "FALSE", "bool")
    return term if term.kind == "bool" else None


def _same_moment(translator: Translator, term: Term, wanted: Term) -> bool:
    if {term.kind, wanted.kind} <= {"timestamp", "timestamptz"}:
        # Digits that do not fit are rounded by MySQL and cut off by MariaDB.
        if (term.scale or 0) > (wanted.scale or 0):
            raise RefusedError("it stores more digits of a second than the column has")
        if term.kind != wanted.kind:
            translator.stable("a timestamp with time zone")
        return True
    return term.kind == "date" and wanted.kind == "timestamp"
