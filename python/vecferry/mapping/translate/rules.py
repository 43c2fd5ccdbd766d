"""The translator: a rule for each node of the syntax tree that is translated, and a refusal for every other."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from vecferry.mapping.identifiers import literal
from vecferry.mapping.translate.terms import NUMBERS, TEMPORAL, Kind, RefusedError, Term, described, integer, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Use = Literal["default", "generated", "check", "index", "view"]

_RULES: dict[type[exp.Expression], tuple[frozenset[str], Callable[[Translator, exp.Expression], Term]]] = {}
_FUNCTIONS: dict[str, Callable[[Translator, exp.Expression], Term]] = {}
_SAYS_NOTHING = frozenset(
    {"safe", "coalesce", "big_int", "_type", "only_json_types", "scalar_only", "date_part_boundary", "nested"}
)
"""Arguments that sqlglot's MySQL parser sets itself, always alike."""


def rule(
    node: type[exp.Expression], *arguments: str
) -> Callable[[Callable[[Translator, exp.Expression], Term]], Callable[[Translator, exp.Expression], Term]]:
    """Registers the rule for a node; one with other arguments than those named is refused."""

    def register(
        function: Callable[[Translator, exp.Expression], Term],
    ) -> Callable[[Translator, exp.Expression], Term]:
        _RULES[node] = (frozenset(arguments), function)
        return function

    return register


def named(
    name: str,
) -> Callable[[Callable[[Translator, exp.Expression], Term]], Callable[[Translator, exp.Expression], Term]]:
    """Registers the rule for a function that sqlglot has no node for."""

    def register(
        function: Callable[[Translator, exp.Expression], Term],
    ) -> Callable[[Translator, exp.Expression], Term]:
        _FUNCTIONS[name] = function
        return function

    return register


class Translator:
    """Translates the nodes of one expression or view.

    Args:
        use: what it is for.
        column: gives the term of a column.
        subquery: gives the text and the columns of a query inside of an expression; None where there can be none.
        labels: the labels of enum types, by the type's name.
    """

    def __init__(
        self,
        use: Use,
        column: Callable[[exp.Column], Term],
        subquery: Callable[[exp.Expression, bool], tuple[str, list[Term]]] | None = None,
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.use = use
        self.labels = labels or {}
        self.column = column
        self.subquery = subquery

    def value(self, node: exp.Expression | None) -> Term:
        """Returns the term of a node.

        Raises:
            RefusedError: no rule knows it.
        """
        if node is None:
            raise RefusedError("it is not understood")
        if isinstance(node, exp.Anonymous):
            function = _FUNCTIONS.get(str(node.this).lower())
            if function is None:
                raise RefusedError(f"it uses the function {str(node.this).upper()}")
            return function(self, node)
        allowed, function = _RULES.get(type(node), (frozenset(), None))
        if function is None:
            raise RefusedError(_unknown(node))
        used = {key for key, value in node.args.items() if value is not None and value is not False and value != []}
        if used - allowed - _SAYS_NOTHING:
            raise RefusedError(_unknown(node))
        return function(self, node)

    def condition(self, node: exp.Expression | None) -> str:
        """Returns a boolean expression that is true where MySQL takes the node's value for true."""
        term = self.value(node)
        if term.kind == "bool":
            return term.text
        if term.kind == "null":
            return "NULL::boolean"
        if term.kind in NUMBERS and term.constant is not None:
            return "TRUE" if float(term.constant) else "FALSE"
        if term.kind in NUMBERS and not term.quotient:
            return f"({term.text} <> 0)"
        raise RefusedError(f"it uses {described(term)} as a condition")

    @property
    def immutable(self) -> bool:
        """Whether PostgreSQL asks for immutable functions, and the value must be MySQL's own."""
        return self.use in {"generated", "index"}

    def stable(self, what: str) -> None:
        """Refuses what follows a session's settings where that cannot be."""
        if self.immutable:
            raise RefusedError(f"it uses {what}, which follows the session's settings in PostgreSQL")

    @property
    def place(self) -> str:
        """The use, as a user says it."""
        words = {"default": "a default", "generated": "a generated column", "check": "a check"}
        return words.get(self.use, "an index" if self.use == "index" else "a view")

    def exact(self) -> None:
        """Refuses to compare text where the outcome must be MySQL's own."""
        if self.immutable:
            raise RefusedError("it compares text, which follows the column's collation in MySQL")

    def local(self, term: Term) -> Term:
        """Returns a timestamp with time zone as the session's clock shows it, which is what MySQL computes with."""
        if term.kind != "timestamptz":
            return term
        self.stable("a timestamp with time zone")
        return Term(f"{term.text}::timestamp", "timestamp", term.scale)

    def as_text(self, term: Term) -> Term:
        """Returns a term as the text that MySQL makes of it.

        A boolean and a UUID may have been bytes in MySQL: bit(1), binary(16).
        """
        if term.logical:
            term = integer(term)
        if term.kind == "text":
            return term
        if term.kind == "null":
            return Term("NULL::text", "text")
        whole = term.kind == "int" or (term.kind == "numeric" and term.scale is not None)
        if whole and not term.quotient:
            return Term(f"{term.text}::text", "text")
        if term.kind == "enum":
            self.stable("the text of an enum")
            return Term(f"{term.text}::text", "text")
        if term.kind == "date":
            self.stable("the text of a date")
            return Term(f"to_char({term.text}, 'YYYY-MM-DD')", "text")
        if term.kind in TEMPORAL:
            self.stable("the text of a date and time")
            fraction = f".FF{term.scale}" if term.scale else ""
            return Term(f"to_char({term.text}, 'YYYY-MM-DD HH24:MI:SS{fraction}')", "text")
        raise RefusedError(f"it makes text of {described(term)}")

    def unified(self, terms: Sequence[Term]) -> tuple[list[Term], Term]:
        """Returns terms that PostgreSQL finds one type for, the one MySQL finds, and a term with that type."""
        kinds = {term.kind for term in terms} - {"null"}
        if len(kinds) > 1 and "bool" in kinds and kinds <= NUMBERS | {"bool"}:
            terms = [integer(term) for term in terms]
            kinds = {term.kind for term in terms} - {"null"}
        first = next((term for term in terms if term.kind != "null"), terms[0])
        plain = replace(first, constant=None, text="", name="")
        if not kinds or kinds == {"bool"}:
            logical = all(term.logical for term in terms if term.kind == "bool")
            return list(terms), replace(plain, logical=logical)
        if kinds <= NUMBERS:
            return self._one_number(terms)
        if kinds <= TEMPORAL:
            return self._one_moment(terms)
        if "unknown" in kinds:
            if any(term.constant is not None for term in terms):
                raise RefusedError("it mixes a constant with a value whose type is not known")
            return list(terms), Term("", "unknown")
        if "text" in kinds and not kinds & (TEMPORAL | {"json"}):
            return [term if term.kind == "null" else self.as_text(term) for term in terms], Term("", "text")
        names = {term.name for term in terms if term.kind != "null"}
        if len(kinds) == 1 and len(names) == 1:
            return list(terms), replace(plain, name=first.name)
        raise RefusedError("it mixes " + " and ".join(sorted({described(t) for t in terms if t.kind != "null"})))

    def _one_moment(self, terms: Sequence[Term]) -> tuple[list[Term], Term]:
        if any(term.constant is not None for term in terms):
            raise RefusedError("it mixes a string's date with others")
        kinds = {term.kind for term in terms} - {"null"}
        if len(kinds) > 1:
            terms = [self.local(term) for term in terms]
        kind: Kind = "timestamptz" if kinds == {"timestamptz"} else "date" if kinds == {"date"} else "timestamp"
        return list(terms), Term("", kind, max(term.scale or 0 for term in terms))

    def _one_number(self, terms: Sequence[Term]) -> tuple[list[Term], Term]:
        parts = [term for term in terms if term.kind != "null"]
        quotients = {term.quotient for term in parts} - {""}
        if quotients and len(parts) > 1:
            return self._shown_quotient(terms)
        if any(term.kind == "float" for term in parts):
            return [
                Term(f"{term.text}::double precision", "float") if term.name == "real" else term for term in terms
            ], Term("", "float")
        wide = any(term.wide for term in parts)
        if all(term.kind == "int" for term in parts):
            return list(terms), Term("", "int", wide=wide)
        scales = {0 if term.kind == "int" else term.scale for term in parts}
        quotient = parts[0].quotient
        return list(terms), Term("", "numeric", scales.pop() if len(scales) == 1 else None, quotient=quotient)

    def _shown_quotient(self, terms: Sequence[Term]) -> tuple[list[Term], Term]:
        scales = [0 if term.kind == "int" else term.scale for term in terms if term.kind != "null"]
        known = [scale for scale in scales if scale is not None]
        if len(known) < len(scales) or any(term.kind == "float" for term in terms):
            raise RefusedError("it chooses between a quotient and a number of unknown digits")
        return [settled(term) for term in terms], Term("", "numeric", max(known), quotient="rounded")


def shown(term: Term) -> Term:
    """Returns a term as MySQL hands it out: conditions as 0 or 1, quotients rounded."""
    return integer(term) if term.logical else settled(term)


def string_of(node: exp.Expression | None, what: str) -> str:
    """Returns the value of a string literal.

    Raises:
        RefusedError: the node is none.
    """
    if isinstance(node, exp.Literal) and node.is_string and "\0" not in str(node.this):
        return str(node.this)
    raise RefusedError(f"it uses {what} that is no plain string")


def number_of(node: exp.Expression | None, what: str) -> int:
    """Returns the value of an integer literal that is not negative.

    Raises:
        RefusedError: the node is none.
    """
    if isinstance(node, exp.Literal) and re.fullmatch(r"\d{1,9}", str(node.this), re.ASCII):
        return int(node.this)
    raise RefusedError(f"it uses {what} that is no plain number")


def quoted(value: str) -> str:
    """Returns a string literal of PostgreSQL."""
    return literal(value).strip()


_WORDS: dict[type[exp.Expression], str] = {
    exp.Parameter: "a user variable",
    exp.SessionParameter: "a system variable",
    exp.Placeholder: "a parameter",
    exp.Window: "a window function",
    exp.Introducer: "a string with a character set of its own",
    exp.National: "a national string",
    exp.HexString: "a hexadecimal value",
    exp.BitString: "a bit value",
    exp.Star: "an asterisk",
    exp.Tuple: "a row of values",
    exp.Select: "a subquery",
    exp.Subquery: "a subquery",
    exp.Distinct: "DISTINCT in a place where it has no translation",
}


def _unknown(node: exp.Expression) -> str:
    word = _WORDS.get(type(node))
    if word:
        return f"it uses {word}"
    text = node.sql(dialect="mysql")
    function = re.match(r"(\w+)\(", text)
    if function:
        return f"it uses the function {function[1].upper()}"
    return f"it uses {text}"
