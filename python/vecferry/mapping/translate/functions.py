"""The rules for functions of text, numbers and JSON, and for casts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from vecferry.mapping.translate.rules import Translator, named, number_of, quoted, rule, string_of
from vecferry.mapping.translate.temporal import moment
from vecferry.mapping.translate.terms import (
    TEMPORAL,
    RefusedError,
    Term,
    described,
    integer,
    numeric,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# --- text ----------------------------------------------------------------------------------------


def _text(translator: Translator, node: exp.Expression | None) -> str:
    return translator.as_text(translator.value(node)).text


@rule(exp.Concat, "expressions")
def _concat(translator: Translator, node: exp.Expression) -> Term:
    parts = [_text(translator, item) for item in node.expressions]
    return Term(f"({' || '.join(parts)})" if len(parts) > 1 else parts[0], "text")


@rule(exp.ConcatWs, "expressions")
def _concat_ws(translator: Translator, node: exp.Expression) -> Term:
    between, *parts = node.expressions
    texts = [_text(translator, part) for part in parts]
    if not translator.immutable:
        return Term(f"concat_ws({_text(translator, between)}, {', '.join(texts)})", "text")
    # PostgreSQL's concat_ws is only stable: every part that is there brings its separator, the first is cut off.
    mark = string_of(between, "a separator")
    joined = " || ".join(f"coalesce({quoted(mark)} || {text}, '')" for text in texts)
    return Term(f"substr({joined}, {len(mark) + 1})", "text")


@rule(exp.Length, "this", "binary")
def _length(translator: Translator, node: exp.Expression) -> Term:
    if not node.args.get("binary"):
        return Term(f"char_length({_text(translator, node.this)})", "int")
    return _octets(translator, node.this)


@named("octet_length")
def _octet_length(translator: Translator, node: exp.Expression) -> Term:
    return _octets(translator, _one(node))


def _octets(translator: Translator, node: exp.Expression) -> Term:
    term = translator.value(node)
    if term.kind == "bytea":
        return Term(f"octet_length({term.text})", "int")
    if translator.use == "generated":
        raise RefusedError("it uses LENGTH, which counts bytes of the column's character set")
    return Term(f"octet_length({translator.as_text(term).text})", "int")


def _one(node: exp.Expression) -> exp.Expression:
    if len(node.expressions) != 1:
        raise RefusedError("it is not understood")
    inner = node.expressions[0]
    if not isinstance(inner, exp.Expression):
        raise RefusedError("it is not understood")
    return inner


def _changed_case(translator: Translator, node: exp.Expression) -> Term:
    name = "lower" if isinstance(node, exp.Lower) else "upper"
    if translator.use == "generated":
        raise RefusedError(f"it uses {name.upper()}, which follows the target's locale in PostgreSQL")
    return Term(f"{name}({_text(translator, node.this)})", "text")


rule(exp.Lower, "this")(_changed_case)
rule(exp.Upper, "this")(_changed_case)


@rule(exp.Trim, "this", "position", "expression")
def _trim(translator: Translator, node: exp.Expression) -> Term:
    removed = node.args.get("expression")
    mark = " " if removed is None else string_of(removed, "characters to trim")
    if len(mark) != 1:  # PostgreSQL trims any of the characters, MySQL the string of them
        raise RefusedError("it trims more than one character")
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "btrim")
    return Term(f"{name}({_text(translator, node.this)}, {quoted(mark)})", "text")


@rule(exp.Substring, "this", "start", "length")
def _substring(translator: Translator, node: exp.Expression) -> Term:
    return _part_of(translator, node.this, node.args.get("start"), node.args.get("length"))


@named("mid")
def _mid(translator: Translator, node: exp.Expression) -> Term:
    if len(node.expressions) != 3:  # noqa: PLR2004 - text, start and length
        raise RefusedError("it is not understood")
    return _part_of(translator, *node.expressions)


def _part_of(
    translator: Translator, text: exp.Expression, start: exp.Expression | None, length: exp.Expression | None
) -> Term:
    first = number_of(start, "a start of SUBSTRING")
    if first == 0:
        raise RefusedError("it uses SUBSTRING from 0")
    count = "" if length is None else f", {number_of(length, 'a length of SUBSTRING')}"
    return Term(f"substr({_text(translator, text)}, {first}{count})", "text")


def _end_of(translator: Translator, node: exp.Expression) -> Term:
    name = "left" if isinstance(node, exp.Left) else "right"
    count = translator.value(node.expression)
    if count.kind != "int" or count.wide:
        raise RefusedError(f"it uses {described(count)} as the length of {name.upper()}")
    length = count.text
    if count.constant is None or count.constant.startswith("-"):
        # A negative length gives an empty string in MySQL, and leaves off the other end in PostgreSQL.
        length = f"CASE WHEN {count.text} < 0 THEN 0 ELSE {count.text} END"
    return Term(f"{name}({_text(translator, node.this)}, {length})", "text")


rule(exp.Left, "this", "expression")(_end_of)
rule(exp.Right, "this", "expression")(_end_of)


@rule(exp.Replace, "this", "expression", "replacement")
def _replace(translator: Translator, node: exp.Expression) -> Term:
    # A NULL among what is sought and put does not always make NULL in MySQL.
    sought, put = (string_of(node.args.get(key), "a string in REPLACE") for key in ("expression", "replacement"))
    return Term(f"replace({_text(translator, node.this)}, {quoted(sought)}, {quoted(put)})", "text")


# --- numbers -------------------------------------------------------------------------------------


@rule(exp.Abs, "this")
def _abs(translator: Translator, node: exp.Expression) -> Term:
    term = numeric(translator.value(node.this), "ABS")
    text = term.text if term.wide or term.kind != "int" else f"{term.text}::bigint"
    return Term(f"abs({text})", term.kind, term.scale, wide=True)


@rule(exp.Round, "this", "decimals")
def _round(translator: Translator, node: exp.Expression) -> Term:
    term = integer(translator.value(node.this))
    places = node.args.get("decimals")
    return _cut(term, "round", 0 if places is None else number_of(places, "a number of places in ROUND"))


@rule(exp.Trunc, "this", "decimals")
def _truncate(translator: Translator, node: exp.Expression) -> Term:
    term = numeric(translator.value(node.this), "TRUNCATE")
    return _cut(term, "trunc", number_of(node.args.get("decimals"), "a number of places in TRUNCATE"))


def _cut(term: Term, name: str, places: int) -> Term:
    if term.kind == "int":
        return term
    if term.quotient == "rounded":
        raise RefusedError(f"it computes on with a quotient in {name.upper()}, whose digits MySQL cuts off")
    if term.kind != "numeric" or term.scale is None:
        raise RefusedError(f"it uses {described(term)} in {name.upper()}")
    if places > term.scale and term.quotient:
        raise RefusedError("it rounds a quotient to more digits than MySQL gives it")
    return Term(f"{name}({term.text}, {places})", "numeric", places if places <= term.scale else None)


def _whole(translator: Translator, node: exp.Expression) -> Term:
    name = "ceil" if isinstance(node, exp.Ceil) else "floor"
    term = numeric(translator.value(node.this), name.upper())
    if term.kind == "int":
        return term
    if term.kind == "float":
        # MySQL shows what is computed from such a double with few digits.
        raise RefusedError(f"it uses {described(term)} in {name.upper()}")
    return Term(f"{name}({term.text})", "numeric", 0)


rule(exp.Ceil, "this")(_whole)
rule(exp.Floor, "this")(_whole)


# --- casts ---------------------------------------------------------------------------------------


@rule(exp.Cast, "this", "to")
def _cast(translator: Translator, node: exp.Expression) -> Term:
    target = node.args["to"]
    sizes = [number_of(size.this, "a size of a type") for size in target.expressions]
    name = target.this.name if isinstance(target.this, exp.DataType.Type) else str(target.this)
    cast = _CASTS.get(name)
    charset = target.args.get("kind")
    if cast is None or (charset is not None and charset.name.lower() not in {"utf8mb4", "utf8mb3", "utf8"}):
        raise RefusedError(f"it casts to {target.sql(dialect='mysql')}")
    return cast(translator, node.this, sizes)


def _to_char(translator: Translator, node: exp.Expression, sizes: list[int]) -> Term:
    text = _text(translator, node)
    return Term(f"left({text}, {sizes[0]})" if sizes else text, "text")


def _to_signed(translator: Translator, node: exp.Expression, _: list[int]) -> Term:
    term = numeric(translator.value(node), "CAST")
    return Term(f"{term.text}::bigint", "int", wide=True)


def _to_unsigned(translator: Translator, node: exp.Expression, _: list[int]) -> Term:
    term = numeric(translator.value(node), "CAST")
    if term.kind != "int":
        raise RefusedError(f"it casts {described(term)} to an unsigned integer")
    large = f"{term.text}::numeric"
    return Term(f"CASE WHEN {term.text} < 0 THEN {large} + 18446744073709551616 ELSE {large} END", "numeric", 0)


def _to_decimal(translator: Translator, node: exp.Expression, sizes: list[int]) -> Term:
    precision, scale = (sizes + [10, 0][len(sizes) :])[:2]
    value = integer(translator.value(node))
    if value.quotient != "exact" or value.scale is None or scale > value.scale:
        value = numeric(value, "CAST")
    if value.kind == "float":
        raise RefusedError("it casts a floating point number to DECIMAL")
    return Term(f"{value.text}::numeric({precision},{scale})", "numeric", scale)


def _to_double(translator: Translator, node: exp.Expression, _: list[int]) -> Term:
    return Term(f"{numeric(translator.value(node), 'CAST').text}::double precision", "float")


def _moment(translator: Translator, node: exp.Expression) -> Term:
    if isinstance(node, exp.Literal) and node.is_string:
        return moment(str(node.this))
    term = translator.local(translator.value(node))
    if term.kind not in TEMPORAL:
        raise RefusedError(f"it casts {described(term)} to a date")
    return term


def _to_date(translator: Translator, node: exp.Expression, _: list[int]) -> Term:
    term = _moment(translator, node)
    return term if term.kind == "date" else Term(f"{term.text}::date", "date")


def _to_datetime(translator: Translator, node: exp.Expression, sizes: list[int]) -> Term:
    term = _moment(translator, node)
    digits = sizes[0] if sizes else 0
    if (term.scale or 0) > digits:
        raise RefusedError("it casts to DATETIME with fewer digits, which MySQL rounds and MariaDB cuts off")
    return Term(f"{term.text}::timestamp({digits})", "timestamp", digits)


_CASTS: dict[str, Callable[[Translator, exp.Expression, list[int]], Term]] = {
    "CHAR": _to_char, "CHARACTER_SET": _to_char, "BIGINT": _to_signed, "UBIGINT": _to_unsigned,
    "DECIMAL": _to_decimal, "DOUBLE": _to_double, "DATE": _to_date, "DATETIME": _to_datetime,
    # sqlglot's reading of TIMESTAMP'...'
    "TIMESTAMPTZ": _to_datetime,
}  # fmt: skip


# --- JSON ----------------------------------------------------------------------------------------


def _inner(translator: Translator, node: exp.Expression) -> str:
    document = translator.value(node.this)
    if document.kind != "json":
        raise RefusedError(f"it takes a part of {described(document)} as of JSON")
    path = node.expression
    if not isinstance(path, exp.JSONPath):
        raise RefusedError("it uses a JSON path that is no plain string")
    text = document.text
    for step in path.expressions[1:]:
        if isinstance(step, exp.JSONPathKey) and isinstance(step.this, str):
            text = f"({text} -> {quoted(step.this)})"
        elif isinstance(step, exp.JSONPathSubscript) and isinstance(step.this, int) and step.this > 0:
            text = f"({text} -> {step.this})"
        elif isinstance(step, exp.JSONPathSubscript) and step.this == 0:
            # [0] of what is no array is the thing itself to MySQL.
            text = f"CASE WHEN jsonb_typeof({text}) = 'array' THEN {text} -> 0 ELSE {text} END"
        else:
            raise RefusedError("it uses a JSON path that is more than names and numbers")
    return text


@rule(exp.JSONExtract, "this", "expression")
def _json_extract(translator: Translator, node: exp.Expression) -> Term:
    return Term(_inner(translator, node), "json")


@rule(exp.JSONExtractScalar, "this", "expression")
def _json_text(translator: Translator, node: exp.Expression) -> Term:
    if translator.use == "generated":
        raise RefusedError("it takes text out of JSON, which PostgreSQL may print otherwise")
    text = _inner(translator, node)
    # The JSON value null is the text null to MySQL, and NULL to PostgreSQL's #>>.
    return Term(f"CASE WHEN jsonb_typeof({text}) = 'null' THEN 'null' ELSE {text} #>> '{{}}' END", "text")


@named("json_unquote")
def _json_unquote(translator: Translator, node: exp.Expression) -> Term:
    inner = _one(node)
    if not isinstance(inner, exp.JSONExtract):
        raise RefusedError("it uses JSON_UNQUOTE on something else than JSON_EXTRACT")
    return _json_text(translator, inner)


# --- defaults ------------------------------------------------------------------------------------


@rule(exp.Uuid)
def _uuid(translator: Translator, _: exp.Expression) -> Term:
    if translator.use != "default":
        raise RefusedError(f"it uses UUID, which {translator.place} cannot")
    return Term("gen_random_uuid()", "uuid")


@rule(exp.JSONObject)
def _json_object(translator: Translator, _: exp.Expression) -> Term:
    return _empty_json(translator, "{}")


@named("json_array")
def _json_array(translator: Translator, node: exp.Expression) -> Term:
    if node.expressions:
        raise RefusedError("it uses the function JSON_ARRAY")
    return _empty_json(translator, "[]")


def _empty_json(translator: Translator, text: str) -> Term:
    if translator.use != "default":
        raise RefusedError("it makes JSON")
    return Term(f"'{text}'::jsonb", "json")
