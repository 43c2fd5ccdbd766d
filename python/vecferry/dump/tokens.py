"""The words of a statement, and a cursor that reads them.

sqlglot parses MySQL's DDL, but gives expressions back in its own words, and a catalog holds them in the server's; what
mysqldump prints of indexes, checks and options it knows in part. So a definition is read word by word here, and the
text of an expression is cut out as it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from vecferry.mapping.select import quote

if TYPE_CHECKING:
    from vecferry.dump.statement import SettingsLike

Kind = Literal["word", "name", "string", "number", "bits", "mark", "end"]

_WORDS = frozenset({"word", "mark"})
_SHOWN = 60
"""Letters of a statement in a message."""
# Comments of a version stand open: whoever split the statements has taken out those that the server would not read.
_SPACE = r"(?P<space>\s+|--(?=\s|$)[^\n]*|\#[^\n]*|/\*M?!\d*|\*/|/\*.*?\*/)"
_REST = r"""
|(?P<bits>[bB]'[01]*'|[xX]'[0-9a-fA-F]*'|0x[0-9a-fA-F]+(?![\w$])|0b[01]+(?![\w$]))
|(?P<string>{single})|(?P<double>{double})|(?P<name>`(?:[^`]|``)*`)
|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w$]))
|(?P<word>[\w$]+)|(?P<mark>.)"""
_ESCAPING = {"single": r"'(?:[^'\\]|\\.|'')*'", "double": r'"(?:[^"\\]|\\.|"")*"'}
_PLAIN = {"single": r"'(?:[^']|'')*'", "double": r'"(?:[^"]|"")*"'}
_FLAGS = re.VERBOSE | re.DOTALL
_PATTERNS = {
    False: re.compile(_SPACE + _REST.format_map(_ESCAPING), _FLAGS),
    True: re.compile(_SPACE + _REST.format_map(_PLAIN), _FLAGS),
}
# Of % and _ the backslash stays: https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
_ESCAPED = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a", "%": r"\%", "_": r"\_"}


class NotUnderstoodError(Exception):
    """A statement goes on otherwise than expected; the text is what stands there."""


class Token(NamedTuple):
    """A word, name, value or mark; `value` is what a name or string means, else the text in upper case."""

    kind: Kind
    text: str
    start: int
    end: int
    value: str


def standard(text: str, settings: SettingsLike) -> str:
    """Returns the statement as one reads it without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`, as the catalog does."""
    if not (settings.ansi_quotes or settings.no_backslash_escapes):
        return text
    pattern = _PATTERNS[settings.no_backslash_escapes]
    return pattern.sub(lambda match: _standard(match, settings), text)


def _standard(match: re.Match[str], settings: SettingsLike) -> str:
    text, group = match[0], match.lastgroup
    if group == "double" and settings.ansi_quotes:
        return quote(text[1:-1].replace('""', '"'))
    if group in {"string", "double"} and settings.no_backslash_escapes:
        return text.replace("\\", "\\\\")
    return text


def tokens(text: str) -> list[Token]:
    """Returns the tokens of a statement in its standard form, with one of the kind `end` behind them."""
    found = [_token(match) for match in _PATTERNS[False].finditer(text) if match.lastgroup != "space"]
    return [*found, Token("end", "", len(text), len(text), "")]


def _token(match: re.Match[str]) -> Token:
    text, group = match[0], match.lastgroup
    if group == "name":
        return Token("name", text, *match.span(), text[1:-1].replace("``", "`"))
    if group in {"string", "double"}:
        return Token("string", text, *match.span(), _string(text))
    kinds: dict[str | None, Kind] = {"bits": "bits", "number": "number", "word": "word"}
    return Token(kinds.get(group, "mark"), text, *match.span(), text.upper())


def _string(text: str) -> str:
    mark = text[0]
    return re.sub(
        rf"\\(.)|{mark}{mark}",
        lambda match: mark if match[1] is None else _ESCAPED.get(match[1], match[1]),
        text[1:-1],
        flags=re.DOTALL,
    )


class Cursor:
    """Reads a statement from its first token to its last.

    Args:
        text: the statement.
        settings: those that it was written under.
    """

    def __init__(self, text: str, settings: SettingsLike) -> None:
        self.text = standard(text, settings)
        self.tokens = tokens(self.text)
        self.place = 0

    @property
    def here(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.place]

    def at(self, *words: str) -> bool:
        """Whether these words or marks, in upper case, come next; a quoted name is no word."""
        here = self.tokens[self.place]
        if here.value != words[0] or here.kind not in _WORDS:
            return False
        following = self.tokens[self.place + 1 : self.place + len(words)]
        return len(following) == len(words) - 1 and all(
            token.value == word and token.kind in _WORDS for token, word in zip(following, words[1:], strict=True)
        )

    def at_any(self, *words: str) -> bool:
        """Whether one of these words comes next."""
        return any(self.at(word) for word in words)

    def take(self, *words: str) -> bool:
        """Passes over these words if they come next, and says so."""
        if not self.at(*words):
            return False
        self.place += len(words)
        return True

    def take_any(self, *words: str) -> str:
        """Passes over one of these words, and returns it; empty where none comes next."""
        return next((word for word in words if self.take(word)), "")

    def need(self, *words: str) -> None:
        """Passes over these words.

        Raises:
            NotUnderstoodError: others come next; so from every method that follows.
        """
        if not self.take(*words):
            raise self.stuck()

    def next(self) -> Token:
        """Passes over one token."""
        token = self.here
        if token.kind == "end":
            raise self.stuck()
        self.place += 1
        return token

    def stuck(self) -> NotUnderstoodError:
        """The error of a statement that goes on otherwise than expected."""
        rest = " ".join(self.text[self.here.start :].split())
        shown = rest if len(rest) <= _SHOWN else f"{rest[:_SHOWN]}…"
        return NotUnderstoodError(repr(shown) if shown else "its end")

    def name(self) -> str:
        """Passes over a name, quoted or bare."""
        token = self.here
        if token.kind not in {"name", "word", "number"}:
            raise self.stuck()
        self.place += 1
        return token.text if token.kind != "name" else token.value

    def qualified(self) -> str:
        """Passes over a name that may have a database in front; returns the last part."""
        name = self.name()
        while self.take("."):
            name = self.name()
        return name

    def names(self) -> tuple[str, ...]:
        """Passes over names in parentheses."""
        self.need("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.need(")")
        return tuple(found)

    def number(self) -> int:
        """Passes over a whole number."""
        if self.here.kind != "number" or not self.here.text.isdigit():
            raise self.stuck()
        return int(self.next().text)

    def string(self) -> str:
        """Passes over a string, or several that stand in a row for one, and returns what it means."""
        if self.here.kind != "string":
            raise self.stuck()
        found = ""
        while self.here.kind == "string":
            found += self.next().value
        return found

    def inside(self) -> str:
        """Passes over parentheses with all that is in them; returns what is, as it stands."""
        start = self.here.end
        self.need("(")
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.here.text if self.here.kind == "mark" else "", 0)
            self.next()
        return self.text[start : self.tokens[self.place - 1].start].strip()
