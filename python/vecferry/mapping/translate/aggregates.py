"""The rules for aggregates, and how MySQL sorts."""

from __future__ import annotations

from sqlglot import exp

from vecferry.mapping.translate.rules import Translator, quoted, rule, string_of
from vecferry.mapping.translate.terms import (
    DIVISION_DIGITS,
    NUMBERS,
    TEMPORAL,
    RefusedError,
    Term,
    described,
    integer,
    numeric,
)


def _argument(node: exp.Expression) -> tuple[str, exp.Expression]:
    inner = node.this
    if not isinstance(inner, exp.Distinct):
        return "", inner
    if len(inner.expressions) != 1 or inner.args.get("on"):
        raise RefusedError("it counts distinct rows of several values")
    return "DISTINCT ", inner.expressions[0]


@rule(exp.Count, "this")
def _count(translator: Translator, node: exp.Expression) -> Term:
    distinct, inner = _argument(node)
    if not distinct and (isinstance(inner, exp.Star) or (isinstance(inner, exp.Literal) and not inner.is_string)):
        return Term("count(*)", "int", wide=True)
    term = translator.value(inner)
    if distinct and term.kind == "json":
        raise RefusedError("it counts distinct JSON")
    return Term(f"count({distinct}{term.text})", "int", wide=True)


@rule(exp.Sum, "this")
def _sum(translator: Translator, node: exp.Expression) -> Term:
    distinct, inner = _argument(node)
    term = numeric(translator.value(inner), "SUM")
    text = f"sum({distinct}{term.text})"
    if term.kind == "int":
        return Term(text if term.wide else f"{text}::numeric", "numeric", 0)
    return Term(text, term.kind, term.scale)


@rule(exp.Avg, "this")
def _avg(translator: Translator, node: exp.Expression) -> Term:
    distinct, inner = _argument(node)
    term = numeric(translator.value(inner), "AVG")
    text = f"avg({distinct}{term.text})"
    if term.kind == "float":
        return Term(text, "float")
    scale = 0 if term.kind == "int" else term.scale
    if scale is None:
        raise RefusedError("it uses AVG of a number whose digits after the point are not known")
    return Term(text, "numeric", scale + DIVISION_DIGITS, quotient="exact")


def _extreme_of(translator: Translator, node: exp.Expression) -> Term:
    name = "min" if isinstance(node, exp.Min) else "max"
    distinct, inner = _argument(node)
    term = integer(translator.value(inner))
    if term.kind == "enum":  # MySQL compares the words here, PostgreSQL their order
        term = translator.as_text(term)
    if term.kind not in NUMBERS | TEMPORAL | {"text", "time"} or term.quotient:
        raise RefusedError(f"it uses {described(term)} in {name.upper()}")
    return Term(f"{name}({distinct}{term.text})", term.kind, term.scale, wide=term.wide, name=term.name)


rule(exp.Min, "this")(_extreme_of)
rule(exp.Max, "this")(_extreme_of)


@rule(exp.GroupConcat, "this", "separator")
def _group_concat(translator: Translator, node: exp.Expression) -> Term:
    inner, order = node.this, []
    if isinstance(inner, exp.Order):
        inner, order = inner.this, inner.expressions
    distinct = isinstance(inner, exp.Distinct)
    if distinct:
        if len(inner.expressions) != 1 or inner.args.get("on"):
            raise RefusedError("it uses GROUP_CONCAT of several distinct values")
        inner = inner.expressions[0]
    text = translator.as_text(translator.value(inner)).text
    keys = [sort_key(translator, item) for item in order]
    if distinct and any(key != text for key, _ in keys):
        raise RefusedError("it sorts GROUP_CONCAT(DISTINCT ...) by something else than its text")
    separator = node.args.get("separator")
    mark = "," if separator is None else string_of(separator, "a separator")
    by = " ORDER BY " + ", ".join(f"{key} {how}" for key, how in keys) if keys else ""
    return Term(f"string_agg({'DISTINCT ' if distinct else ''}{text}, {quoted(mark)}{by})", "text")


def sort_key(translator: Translator, node: exp.Expression) -> tuple[str, str]:
    """Returns what is sorted by and how: NULL comes first in MySQL, and last when it sorts downward."""
    if not isinstance(node, exp.Ordered) or isinstance(node.this, exp.Literal):
        raise RefusedError("it sorts by a constant")
    term = translator.value(node.this)
    if term.kind == "json":
        raise RefusedError("it sorts by JSON")
    return term.text, "DESC NULLS LAST" if node.args.get("desc") else "ASC NULLS FIRST"
