"""MySQL's text to sqlglot's syntax tree, guarding what sqlglot reads otherwise than MySQL."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from vecferry.mapping.translate.terms import RefusedError

_TOKEN = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<name>`(?:[^`]|``)*`)
    |(?P<comment>--|\#|/\*)
    |(?P<introducer>_utf8(?:mb[34])?\s*(?='))
    |(?P<escape>\\)
    |\w+|.""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ESCAPES = frozenset("\\'\"nrt_%")
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def expression(text: str) -> exp.Expression:
    """Returns the tree of one expression.

    Raises:
        RefusedError: it is not read, or not surely as MySQL reads it.
    """
    # Behind SELECT a name like REPLACE is a function to sqlglot; in front it is a statement.
    query = _parsed("SELECT " + prepared(text))
    present = {key for key, value in query.args.items() if value}
    if not isinstance(query, exp.Select) or present != {"expressions"} or len(query.expressions) != 1:
        raise RefusedError("it is not read as one expression")
    found = query.expressions[0]
    if not isinstance(found, exp.Expression) or isinstance(found, exp.Alias | exp.Aliases):
        raise RefusedError("it is not read as one expression")
    if found.find(exp.AggFunc) is not None:
        raise RefusedError("it uses an aggregate")
    return found


def query(text: str) -> exp.Expression:
    """Returns the tree of a query.

    Raises:
        RefusedError: as `expression`.
    """
    return _parsed(prepared(text))


def prepared(text: str) -> str:
    r"""Returns the text without introducers of UTF-8, and unescaped where MySQL 8 escaped it whole.

    `information_schema` of MySQL 8 prints `_utf8mb4'it\'s'` as `_utf8mb4\'it\\\'s\'`, the quotes of other literals
    likewise: a backslash outside of quotes tells that form.
    """
    tokens = list(_TOKEN.finditer(text))
    if any(token.lastgroup == "escape" for token in tokens):
        text = re.sub(r"\\(.)", lambda match: _UNESCAPED.get(match[1], match[1]), text, flags=re.DOTALL)
        tokens = list(_TOKEN.finditer(text))
    kept = []
    for token in tokens:
        if token.lastgroup in {"comment", "escape"}:
            raise RefusedError(f"it has {token[0]}, which is not read")
        if token.lastgroup == "string" and not set(re.findall(r"\\(.)", token[0], re.DOTALL)) <= _ESCAPES:
            raise RefusedError("it has a string with an unusual escape sequence")
        if token.lastgroup != "introducer":
            kept.append(token[0])
    return "".join(kept)


def _parsed(text: str) -> exp.Expression:
    try:
        trees = sqlglot.parse(text, dialect="mysql")
    except (SqlglotError, RecursionError) as error:
        raise RefusedError("it is not understood") from error
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Expression):
        raise RefusedError("it is not one statement")
    for node in tree.walk():
        _same_precedence(node)
    return tree


def _same_precedence(node: exp.Expr) -> None:
    # `a = b < c` is `(a = b) < c` in MySQL, where all predicates bind alike, and `a = (b < c)` in sqlglot.
    if isinstance(node, _PREDICATES) and any(
        isinstance(child, (*_PREDICATES, exp.Not)) for child in node.iter_expressions()
    ):
        raise RefusedError("it has comparisons of comparisons without parentheses")


_PREDICATES = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.Is, exp.In, exp.Between, exp.Like,
    exp.RegexpLike,
)  # fmt: skip
