"""The rules for literals, columns and operators."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from vecferry.mapping.translate.rules import Translator, quoted, rule, string_of
from vecferry.mapping.translate.temporal import days_between, in_to_days, moment, plus_interval, stretch
from vecferry.mapping.translate.terms import (
    DIVISION_DIGITS,
    NUMBER,
    NUMBERS,
    TEMPORAL,
    RefusedError,
    Term,
    described,
    integer,
    number,
    numeric,
    string,
)

MOST_DIGITS = 20
"""The scale that a quotient is computed with: PostgreSQL's division keeps the dividend's at least."""
_COMPARED: dict[type[exp.Expression], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
}  # fmt: skip
_EQUALITY = frozenset({"=", "<>", "IS NOT DISTINCT FROM"})
_COLLATION = re.compile(r"\w+_bin", re.ASCII)


def _logical(text: str) -> Term:
    return Term(text, "bool", logical=True)


@rule(exp.Literal, "this", "is_string")
def _literal(_: Translator, node: exp.Expression) -> Term:
    return string(str(node.this)) if node.is_string else number(str(node.this))


@rule(exp.Null)
def _null(_: Translator, __: exp.Expression) -> Term:
    return Term("NULL", "null")


@rule(exp.Boolean, "this")
def _boolean(_: Translator, node: exp.Expression) -> Term:
    return _logical("TRUE" if node.this else "FALSE")


@rule(exp.Column, "this", "table", "db")
def _column(translator: Translator, node: exp.Expression) -> Term:
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        raise RefusedError("it uses an asterisk")
    return translator.column(node)


@rule(exp.Paren, "this")
def _paren(translator: Translator, node: exp.Expression) -> Term:
    return translator.value(node.this)


@rule(exp.And, "this", "expression")
def _and(translator: Translator, node: exp.Expression) -> Term:
    return _logical(f"({translator.condition(node.this)} AND {translator.condition(node.expression)})")


@rule(exp.Or, "this", "expression")
def _or(translator: Translator, node: exp.Expression) -> Term:
    return _logical(f"({translator.condition(node.this)} OR {translator.condition(node.expression)})")


@rule(exp.Xor, "this", "expression")
def _xor(translator: Translator, node: exp.Expression) -> Term:
    return _logical(f"({translator.condition(node.this)} <> {translator.condition(node.expression)})")


@rule(exp.Not, "this")
def _not(translator: Translator, node: exp.Expression) -> Term:
    return _logical(f"(NOT {translator.condition(node.this)})")


@rule(exp.Is, "this", "expression")
def _is(translator: Translator, node: exp.Expression) -> Term:
    if isinstance(node.expression, exp.Null):
        return _logical(f"({translator.value(node.this).text} IS NULL)")
    if isinstance(node.expression, exp.Boolean):
        return _logical(f"({translator.condition(node.this)} IS {'TRUE' if node.expression.this else 'FALSE'})")
    raise RefusedError("it uses IS with something else than NULL, TRUE or FALSE")


def compared(translator: Translator, left: Term, operator: str, right: Term) -> Term:
    """Returns the comparison of two terms as MySQL compares them."""
    if operator in {"=", "<>"}:
        for one, other in ((left, right), (right, left)):
            if one.kind == "bool" and other.kind == "int" and other.constant in {"0", "1"}:
                return _logical(one.text if (other.constant == "1") == (operator == "=") else f"(NOT {one.text})")
    left, right = _aligned(translator, left, right, equality=operator in _EQUALITY)
    return _logical(f"({left.text} {operator} {right.text})")


def _comparison(translator: Translator, node: exp.Expression) -> Term:
    operator = _COMPARED[type(node)]
    return compared(translator, translator.value(node.this), operator, translator.value(node.expression))


for _node in _COMPARED:
    rule(_node, "this", "expression")(_comparison)


def _aligned(translator: Translator, left: Term, right: Term, *, equality: bool) -> tuple[Term, Term]:
    if left.quotient or right.quotient:
        raise RefusedError("it compares a quotient, which MySQL does with more digits than it shows")
    if left.kind == "bool" and right.kind == "bool" and equality:
        return left, right
    for one, other in ((left, right), (right, left)):
        # Any other number than 0 has become true.
        if one.kind == "bool" and not one.logical and other.constant not in {None, "0", "1"}:
            raise RefusedError(f"it compares a boolean with {other.constant}")
    return _matching(translator, integer(left), integer(right), equality=equality)


def _matching(translator: Translator, left: Term, right: Term, *, equality: bool) -> tuple[Term, Term]:
    for one, other, swapped in ((left, right, False), (right, left, True)):
        if one.constant is not None and one.kind == "text" and other.kind != "text":
            converted, beside = _constant(translator, one, other, equality=equality)
            return (beside, converted) if swapped else (converted, beside)
    kinds = {left.kind, right.kind}
    if "null" in kinds or kinds <= NUMBERS:
        return left, right
    # In what order PostgreSQL puts values of an unknown type, an enum's perhaps, is unknown, too.
    if "unknown" in kinds and (equality or kinds & (NUMBERS | TEMPORAL)):
        return left, right
    if kinds <= TEMPORAL:
        return (left, right) if len(kinds) == 1 else (translator.local(left), translator.local(right))
    if kinds == {"text"}:
        translator.exact()
        return left, right
    if "text" in kinds and kinds <= {"text", "enum", "uuid"}:
        translator.exact()
        return translator.as_text(left), translator.as_text(right)
    if len(kinds) == 1 and equality and left.kind in {"uuid", "bytea", "enum"} and left.name == right.name:
        return left, right
    raise RefusedError(f"it compares {described(left)} with {described(right)}")


def _constant(translator: Translator, constant: Term, other: Term, *, equality: bool) -> tuple[Term, Term]:
    value = constant.constant or ""
    if other.kind == "null":
        return constant, other
    if other.kind in NUMBERS and NUMBER.fullmatch(value):
        return number(value), other
    if other.kind in TEMPORAL:
        return moment(value), translator.local(other)
    if other.kind == "time":
        return stretch(value), other
    if other.kind == "enum":
        label = _label(translator, value, other) if equality else None
        if label is not None:
            return replace(constant, text=quoted(label), constant=label), other
        translator.exact()
        return constant, translator.as_text(other)
    if other.kind == "unknown" and equality and not re.match(r"\s*[-+.\d]", value):
        translator.exact()
        return constant, other
    raise RefusedError(f"it compares {described(other)} with a string")


def _label(translator: Translator, value: str, other: Term) -> str | None:
    """Returns the label that MySQL, which mostly ignores case, takes a string for; None where it takes it for none."""
    labels = translator.labels.get(other.name)
    if labels is None or value in labels:
        return value
    return next((label for label in labels if label.casefold() == value.casefold()), None)


@rule(exp.In, "this", "expressions", "query")
def _in(translator: Translator, node: exp.Expression) -> Term:
    left = translator.value(node.this)
    if node.args.get("query") is not None:
        return _in_query(translator, left, node.args["query"])
    pairs = [_aligned(translator, left, translator.value(item), equality=True) for item in node.expressions]
    if not pairs or len({pair[0].text for pair in pairs}) != 1:
        raise RefusedError("it looks for values of different types with IN")
    return _logical(f"({pairs[0][0].text} IN ({', '.join(pair[1].text for pair in pairs)}))")


def _in_query(translator: Translator, left: Term, query: exp.Expression) -> Term:
    if translator.subquery is None:
        raise RefusedError("it uses a subquery")
    text, columns = translator.subquery(query, False)
    if len(columns) != 1:
        raise RefusedError("it uses IN with a subquery of several columns")
    one, other = _aligned(translator, left, columns[0], equality=True)
    if (one.text, other.text) != (left.text, columns[0].text):
        raise RefusedError(f"it looks for {described(left)} in a subquery of {described(columns[0])}")
    return _logical(f"({left.text} IN ({text}))")


@rule(exp.Exists, "this")
def _exists(translator: Translator, node: exp.Expression) -> Term:
    if translator.subquery is None:
        raise RefusedError("it uses a subquery")
    return _logical(f"(EXISTS ({translator.subquery(node.this, True)[0]}))")


@rule(exp.Subquery, "this")
def _subquery(translator: Translator, node: exp.Expression) -> Term:
    if translator.subquery is None:
        raise RefusedError("it uses a subquery")
    text, columns = translator.subquery(node.this, False)
    if len(columns) != 1:
        raise RefusedError("it uses a subquery of several columns as a value")
    found = columns[0]
    return Term(f"({text})", found.kind, found.scale, quotient=found.quotient, wide=found.wide, name=found.name)


@rule(exp.Between, "this", "low", "high")
def _between(translator: Translator, node: exp.Expression) -> Term:
    left = translator.value(node.this)
    one, low = _aligned(translator, left, translator.value(node.args["low"]), equality=False)
    other, high = _aligned(translator, left, translator.value(node.args["high"]), equality=False)
    if one.text != other.text:
        raise RefusedError("it uses BETWEEN with values of different types")
    return _logical(f"({one.text} BETWEEN {low.text} AND {high.text})")


@rule(exp.Like, "this", "expression", "negate")
def _like(translator: Translator, node: exp.Expression) -> Term:
    return _matched(translator, node, None)


def _matched(translator: Translator, node: exp.Expression, escape: str | None) -> Term:
    translator.exact()
    left = translator.as_text(translator.value(node.this))
    pattern = string_of(node.expression, "a pattern of LIKE")
    mark = "\\" if escape is None else escape
    if mark and (len(pattern) - len(pattern.rstrip(mark))) % 2:
        raise RefusedError("it uses a pattern of LIKE that ends in the middle of an escape")
    operator = "NOT LIKE" if node.args.get("negate") else "LIKE"
    end = "" if escape is None else f" ESCAPE {quoted(escape)}"
    return _logical(f"({left.text} {operator} {quoted(pattern)}{end})")


@rule(exp.Escape, "this", "expression")
def _escape(translator: Translator, node: exp.Expression) -> Term:
    mark = string_of(node.expression, "an escape of LIKE")
    if not isinstance(node.this, exp.Like) or len(mark) != 1:
        raise RefusedError("it uses an ESCAPE that is not one character")
    return _matched(translator, node.this, mark)


# Letters and digits, classes of them, anchors, groups and repetition mean the same to ICU, PCRE and PostgreSQL.
_REGEX = re.compile(
    r"""(?: [A-Za-z0-9\ @_,/:%\#&=~;<>!'"-]
    | \\ [.+*?|()\[\]{}^$/-]
    | \[ \^? (?: [A-Za-z0-9\ @_,/:%\#&=;<>!'".+*?|(){}$-] | \\ [.-] )+ \]
    | [\^$|] | \((?!\?) | \)
    | (?: [*+?] | \{ \d+ (?: ,\d* )? \} ) (?! [*+?{] )
    )+""",
    re.ASCII | re.VERBOSE,
)


@rule(exp.RegexpLike, "this", "expression")
def _regexp(translator: Translator, node: exp.Expression) -> Term:
    if translator.use != "check":
        raise RefusedError("it uses a regular expression")
    left = translator.as_text(translator.value(node.this))
    pattern = string_of(node.expression, "a regular expression")
    if not _REGEX.fullmatch(pattern):
        raise RefusedError("it uses a regular expression that PostgreSQL may read otherwise")
    return _logical(f"({left.text} ~ {quoted(pattern)})")


@rule(exp.Collate, "this", "expression")
def _collate(translator: Translator, node: exp.Expression) -> Term:
    name = node.expression.name
    if not _COLLATION.fullmatch(name):
        raise RefusedError(f"it uses the collation {name}")
    translator.exact()
    return translator.value(node.this)


# --- arithmetic ----------------------------------------------------------------------------------


def _arithmetic(translator: Translator, node: exp.Expression) -> Term:
    sign = "+" if isinstance(node, exp.Add) else "-" if isinstance(node, exp.Sub) else "*"
    if isinstance(node.expression, exp.Interval):
        return plus_interval(translator, node.this, node.expression.this, node.expression.args.get("unit"), sign)
    if isinstance(node.this, exp.Interval) and sign == "+":
        return plus_interval(translator, node.expression, node.this.this, node.this.args.get("unit"), sign)
    later, earlier = in_to_days(node.this), in_to_days(node.expression)
    if sign == "-" and later is not None and earlier is not None:
        return days_between(translator, later, earlier)
    left = numeric(translator.value(node.this), sign)
    right = numeric(translator.value(node.expression), sign)
    kinds = {left.kind, right.kind}
    if kinds == {"int"}:
        # MySQL computes with 64 bits.
        text = left.text if left.wide or right.wide else f"{left.text}::bigint"
        return Term(f"({text} {sign} {right.text})", "int", wide=True)
    if "float" in kinds:
        return Term(f"({left.text} {sign} {right.text})", "float")
    scales = [0 if term.kind == "int" else term.scale or 0 for term in (left, right)]
    known = left.scale is not None or left.kind != "numeric", right.scale is not None or right.kind != "numeric"
    scale = sum(scales) if sign == "*" else max(scales)
    _affordable(scale)
    return Term(f"({left.text} {sign} {right.text})", "numeric", scale if all(known) else None)


for _node in (exp.Add, exp.Sub, exp.Mul):
    rule(_node, "this", "expression")(_arithmetic)


def _affordable(scale: int) -> None:
    if scale > 30:  # noqa: PLR2004 - DECIMAL_MAX_SCALE of MySQL
        raise RefusedError("it computes with more than 30 digits after the point, which MySQL cuts off")


@rule(exp.Neg, "this")
def _neg(translator: Translator, node: exp.Expression) -> Term:
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        return number(f"-{node.this.this}")
    term = numeric(translator.value(node.this), "-")
    text = term.text if term.wide or term.kind != "int" else f"{term.text}::bigint"
    return Term(f"(- {text})", term.kind, term.scale, wide=True)


def _divisor(term: Term) -> str:
    # MySQL's division by zero is NULL.
    plain = term.constant is not None and float(term.constant) != 0
    return term.text if plain else f"nullif({term.text}, 0)"


@rule(exp.Div, "this", "expression", "typed")
def _div(translator: Translator, node: exp.Expression) -> Term:
    left = numeric(translator.value(node.this), "/")
    right = numeric(translator.value(node.expression), "/")
    if "float" in {left.kind, right.kind}:
        return Term(f"({left.text}::double precision / {_divisor(right)})", "float")
    scale = 0 if left.kind == "int" else left.scale
    if scale is None or scale > MOST_DIGITS - DIVISION_DIGITS:
        raise RefusedError("it divides a number whose digits after the point are not known or too many")
    dividend = f"{left.text}::numeric(65,{MOST_DIGITS})"
    return Term(f"({dividend} / {_divisor(right)})", "numeric", scale + DIVISION_DIGITS, quotient="exact")


@rule(exp.IntDiv, "this", "expression")
def _int_div(translator: Translator, node: exp.Expression) -> Term:
    left = numeric(translator.value(node.this), "DIV")
    right = numeric(translator.value(node.expression), "DIV")
    if {left.kind, right.kind} == {"int"}:
        return Term(f"({left.text} / {_divisor(right)})", "int", wide=True)
    raise RefusedError("it uses DIV with something else than integers")


@rule(exp.Mod, "this", "expression")
def _mod(translator: Translator, node: exp.Expression) -> Term:
    left = numeric(translator.value(node.this), "%")
    right = numeric(translator.value(node.expression), "%")
    if {left.kind, right.kind} != {"int"}:
        # MariaDB's remainder of decimals knows a -0.00 that differs from 0.
        raise RefusedError("it uses % with something else than integers")
    return Term(f"({left.text} % {_divisor(right)})", "int", wide=True)


# --- choices -------------------------------------------------------------------------------------


def _chosen(text: str, sample: Term) -> Term:
    if sample.kind == "null":
        return Term("NULL", "null")  # whatever is chosen; a CASE of NULL alone is text to PostgreSQL
    return Term(
        text, sample.kind, sample.scale, logical=sample.logical, quotient=sample.quotient, wide=sample.wide,
        name=sample.name,
    )  # fmt: skip


def _cases(translator: Translator, whens: list[tuple[str, exp.Expression]], default: exp.Expression | None) -> Term:
    values = [translator.value(then) for _, then in whens]
    if default is not None:
        values.append(translator.value(default))
    terms, sample = translator.unified(values)
    parts = " ".join(f"WHEN {when} THEN {term.text}" for (when, _), term in zip(whens, terms, strict=False))
    end = "" if default is None else f" ELSE {terms[-1].text}"
    return _chosen(f"CASE {parts}{end} END", sample)


@rule(exp.If, "this", "true", "false")
def _if(translator: Translator, node: exp.Expression) -> Term:
    return _cases(translator, [(translator.condition(node.this), node.args["true"])], node.args.get("false"))


@rule(exp.Case, "this", "ifs", "default")
def _case(translator: Translator, node: exp.Expression) -> Term:
    whens = []
    for when in node.args["ifs"]:
        if node.this is None:
            condition = translator.condition(when.this)
        else:
            condition = compared(translator, translator.value(node.this), "=", translator.value(when.this)).text
        whens.append((condition, when.args["true"]))
    return _cases(translator, whens, node.args.get("default"))


@rule(exp.Coalesce, "this", "expressions")
def _coalesce(translator: Translator, node: exp.Expression) -> Term:
    terms, sample = translator.unified([translator.value(item) for item in (node.this, *node.expressions)])
    return _chosen(f"coalesce({', '.join(term.text for term in terms)})", sample)


@rule(exp.Nullif, "this", "expression")
def _nullif(translator: Translator, node: exp.Expression) -> Term:
    value = translator.value(node.this)
    equal = compared(translator, value, "=", translator.value(node.expression)).text
    return _chosen(f"CASE WHEN {equal} THEN NULL ELSE {value.text} END", value)


def _extreme(translator: Translator, node: exp.Expression) -> Term:
    name = "greatest" if isinstance(node, exp.Greatest) else "least"
    terms, sample = translator.unified([integer(translator.value(item)) for item in (node.this, *node.expressions)])
    if sample.kind not in NUMBERS | TEMPORAL or sample.quotient or any(term.kind == "null" for term in terms):
        raise RefusedError(f"it uses {name.upper()} with something else than numbers or dates")
    # PostgreSQL's skip NULL; MySQL's are NULL as soon as one is.
    missing = " OR ".join(f"{term.text} IS NULL" for term in terms if term.constant is None) or "FALSE"
    chosen = f"{name}({', '.join(term.text for term in terms)})"
    return _chosen(f"CASE WHEN {missing} THEN NULL ELSE {chosen} END", sample)


for _node in (exp.Greatest, exp.Least):
    rule(_node, "this", "expressions", "ignore_nulls")(_extreme)
