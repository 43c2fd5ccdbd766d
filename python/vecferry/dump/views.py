"""A view's SELECT: cut out of CREATE VIEW, with names qualified as `information_schema.views` prints them.

SHOW CREATE VIEW, which dumps hold, leaves out the database that is in use, and so would depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from vecferry.dump.tokens import Cursor, Token
from vecferry.mapping.select import quote

if TYPE_CHECKING:
    from vecferry.dump.statement import SettingsLike

_JOINS = frozenset({"JOIN", "STRAIGHT_JOIN"})


@dataclass(frozen=True, slots=True)
class ViewText:
    """What a CREATE VIEW says."""

    name: str
    definition: str
    renamed: bool
    """Whether its columns are named apart from the SELECT."""


def read_view(text: str, settings: SettingsLike, database: str, views: frozenset[str] = frozenset()) -> ViewText:
    """Reads a CREATE VIEW.

    Args:
        text: the statement.
        settings: those that it was written under.
        database: the database that it is in.
        views: the database's views: columns of theirs are qualified with their name alone.

    Raises:
        NotUnderstoodError: it is no CREATE VIEW.
    """
    cursor = Cursor(text, settings)
    while not cursor.take("VIEW"):
        cursor.next()
    cursor.take("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    renamed = cursor.at("(")
    if renamed:
        cursor.names()
    cursor.need("AS")
    tokens = cursor.tokens[cursor.place : -1]
    for words in (("WITH", "CASCADED", "CHECK", "OPTION"), ("WITH", "LOCAL", "CHECK", "OPTION")):
        if tuple(token.value for token in tokens[-len(words) :]) == words:
            tokens = tokens[: -len(words)]
    if not tokens:
        raise cursor.stuck()
    return ViewText(name, _qualified(cursor.text, tokens, database, views), renamed)


@dataclass(slots=True)
class _Block:
    """One SELECT of the query, and what its FROM names."""

    outer: _Block | None = None
    depth: int = 0
    """How many parentheses it stands in: the FROM of `trim(' ' from a)` stands in more."""
    reading: bool = False
    """Whether its FROM has come."""
    names: dict[str, bool] = field(default_factory=dict)
    """Each name that columns are qualified with, and whether it is a table of the database itself."""


def _qualified(text: str, tokens: list[Token], database: str, views: frozenset[str]) -> str:
    """Returns the text of the tokens with the database in front of its tables and of their columns."""
    blocks, tables = _blocks(tokens)
    prefix = quote(database) + "."
    insertions = {tokens[place].start for place in tables}
    for place, token in enumerate(tokens[:-2]):
        first_of_two = (
            token.kind == "name"
            and tokens[place + 1].text == "."
            and tokens[place + 2].kind in {"name", "word"}
            and (place == 0 or tokens[place - 1].text != ".")
            and (place + 3 >= len(tokens) or tokens[place + 3].text != ".")
        )
        if first_of_two and token.value not in views and _is_table(blocks[place], token.value):
            insertions.add(token.start)
    start, end = tokens[0].start, tokens[-1].end
    cuts = [start, *sorted(insertions), end]
    return prefix.join(text[a:b] for a, b in pairwise(cuts))


def _is_table(block: _Block | None, name: str) -> bool:
    while block is not None:
        if name in block.names:
            return block.names[name]
        block = block.outer
    return False


def _blocks(tokens: list[Token]) -> tuple[list[_Block], list[int]]:
    """Returns the block that each token is in, and the places of tables without a database."""
    ctes = _ctes(tokens)
    here, expected = _Block(), False
    around: list[_Block] = []
    found: list[_Block] = []
    tables: list[int] = []
    for place, token in enumerate(tokens):
        word = token.value if token.kind in {"word", "mark"} else ""
        if word == "(":
            around.append(here)
        elif word == ")" and around:
            here, expected = around.pop(), False
            if tokens[place + 1 : place + 2] and tokens[place + 1].kind == "name":
                here.names[tokens[place + 1].value] = False
        elif word == "SELECT":
            here = _Block(around[-1] if around else None, len(around))
        elif word == "FROM" and here.depth == len(around):
            here.reading = expected = True
        elif word in _JOINS and here.reading:
            expected = True
        elif expected and token.kind == "name":
            name, alias, bare = _table(tokens, place)
            own = bare and name not in ctes
            here.names[alias or name] = own and not alias
            tables += [place] * own
            expected = False
        else:
            expected = expected and word == "LATERAL"
        found.append(here)
    return found, tables


def _table(tokens: list[Token], place: int) -> tuple[str, str, bool]:
    """Returns a table's name, its alias, and whether it stands without a database."""
    name, bare = tokens[place].value, True
    place += 1
    while place + 1 < len(tokens) and tokens[place].text == ".":
        name, bare = tokens[place + 1].value, False
        place += 2
    if place < len(tokens) and tokens[place].kind == "word" and tokens[place].value == "AS":
        place += 1
    alias = tokens[place].value if place < len(tokens) and tokens[place].kind == "name" else ""
    return name, alias, bare


def _ctes(tokens: list[Token]) -> set[str]:
    """Returns the names that WITH gives: each stands before `AS (`, or has its columns in between."""
    found: set[str] = set()
    for place, token in enumerate(tokens[:-2]):
        following = [other.value for other in tokens[place + 1 : place + 3]]
        if token.kind in {"name", "word"} and following == ["AS", "("]:
            found |= {token.value, token.text}
    return found if any(token.value == "WITH" for token in tokens) else set()
