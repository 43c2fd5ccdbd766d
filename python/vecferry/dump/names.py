"""The order in which `information_schema` lists names."""

from __future__ import annotations

import unicodedata

_MAX_NAME = 64
"""Most letters of a name: https://dev.mysql.com/doc/refman/8.4/en/identifier-length.html"""


def server_order(name: str) -> tuple[str, str]:
    """Returns the key by which a server sorts names: without case and accents, as `utf8_general_ci`.

    The collation takes a shorter name for one with spaces behind. The name itself comes second, for names that are
    equal in this.
    """
    return "".join(_weight(letter) for letter in name).ljust(_MAX_NAME), name


def _weight(letter: str) -> str:
    if ord(letter) > 0xFFFF:  # noqa: PLR2004 - the end of the basic plane, behind which all are equal
        return "\ufffd"
    base = unicodedata.normalize("NFD", letter)[0]
    upper = base.upper()
    return upper if len(upper) == 1 else base
