"""Column defaults in one form, whatever the flavour of the server prints.

MySQL prints a literal's plain value; MariaDB since 10.2.7 prints the default as it stands in SQL.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BITS = re.compile(r"[bB]'[01]*'|[xX]'[0-9a-fA-F]*'|0x[0-9a-fA-F]+")
_NOW = re.compile(r"(?:current_timestamp|now)(?:\(\d?\))?", re.IGNORECASE)
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
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
        return text, True
    return text, data_type in {"timestamp", "datetime"} and _NOW.fullmatch(text) is not None


def _unescaped(match: re.Match[str]) -> str:
    escaped = match[1]
    return "'" if escaped is None else _ESCAPED.get(escaped, escaped)
