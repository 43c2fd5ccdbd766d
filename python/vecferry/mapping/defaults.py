"""Column defaults and expressions in one form, whatever the flavour of the server prints.

MySQL prints a literal's plain value (of bits and, since 8.0, of bytes a literal: `b'101'`, `0x6162`); MariaDB since
10.2.7 prints the default as it stands in SQL.
"""

from __future__ import annotations

import re

from vecferry.mapping.select import quote

_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BITS = re.compile(r"[bB]'[01]*'|[xX]'[0-9a-fA-F]*'|0x[0-9a-fA-F]+")
_NOW = re.compile(r"(?:current_timestamp|now)(?:\(\d?\))?", re.IGNORECASE)
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_BARE_QUOTE = re.compile(r"(?<!\\)'")
_ESCAPED = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a"}


def quoted_default(text: str | None) -> tuple[str | None, bool]:
    """Reads a default that is printed as SQL.

    Returns:
        the literal's plain value or the expression's text, and whether it is an expression.
    """
    if text is None or text.upper() == "NULL":
        return None, False
    if _QUOTED.fullmatch(text):
        return _ESCAPE.sub(_unescaped, text[1:-1]), False
    return text, not (_NUMBER.fullmatch(text) or _BITS.fullmatch(text))


def plain_default(text: str | None, data_type: str, extra: str) -> tuple[str | None, bool]:
    """Reads a default that is printed as a plain value.

    Args:
        text: the default.
        data_type: the column's bare type: before MySQL 8 a time's default is known for an expression by it.
        extra: the column's EXTRA, where MySQL 8 says `DEFAULT_GENERATED` of an expression.

    Returns:
        the literal's plain value or the expression's text, and whether it is an expression.
    """
    if text is None:
        return None, False
    if "DEFAULT_GENERATED" in extra.upper():
        return printed_expression(text), True
    return text, data_type in {"timestamp", "datetime"} and _NOW.fullmatch(text) is not None


def printed_expression(text: str) -> str:
    r"""Reads an expression (of a default, a generated column, an index, a CHECK) that MySQL prints.

    MySQL 8 prints it as if it stood in a string, with every quote escaped, and takes its bytes for characters
    (`prepare_default_value_string` and `fill_dd_columns_from_create_fields` in its sql/dd/dd_table.cc):
    `concat(_utf8mb4\'Ã©\',`a`)` is `concat(_utf8mb4'é',`a`)`. Others print it as it is.
    """
    if _BARE_QUOTE.search(text):
        return text
    text = _ESCAPE.sub(_unescaped, text)
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _unescaped(match: re.Match[str]) -> str:
    escaped = match[1]
    return "'" if escaped is None else _ESCAPED.get(escaped, escaped)


def json_marker(column: str) -> str:
    """Returns the CHECK by which MariaDB marks a `longtext` as JSON, in lower case."""
    return f"json_valid({quote(column)})".lower()
