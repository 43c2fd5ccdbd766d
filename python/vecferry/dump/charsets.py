"""Character sets and the collations that go with them, as far as a dump leaves them unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.mapping.flavor import Flavor

# Those whose default is not `<name>_general_ci`: `SHOW CHARACTER SET` of MySQL 5.6 and 8.4 and MariaDB 10.11.
_DEFAULTS = {
    "big5": "big5_chinese_ci",
    "binary": "binary",
    "cp932": "cp932_japanese_ci",
    "dec8": "dec8_swedish_ci",
    "eucjpms": "eucjpms_japanese_ci",
    "euckr": "euckr_korean_ci",
    "gb18030": "gb18030_chinese_ci",
    "gb2312": "gb2312_chinese_ci",
    "gbk": "gbk_chinese_ci",
    "hp8": "hp8_english_ci",
    "latin1": "latin1_swedish_ci",
    "latin5": "latin5_turkish_ci",
    "sjis": "sjis_japanese_ci",
    "swe7": "swe7_swedish_ci",
    "tis620": "tis620_thai_ci",
    "ujis": "ujis_japanese_ci",
}
_UNICODE = frozenset({"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"})
_SHORTEST = {"ucs2": 2, "utf16": 2, "utf16le": 2, "utf32": 4}


def default_collation(charset: str, server: Flavor) -> str:
    """Returns the collation that a server gives a character set that stands alone."""
    if server.mariadb and server.version >= (11, 6, 0) and charset in _UNICODE:
        return f"{charset}_uca1400_ai_ci"
    if not server.mariadb and server.version >= (8, 0, 1) and charset == "utf8mb4":
        return "utf8mb4_0900_ai_ci"
    if not server.mariadb and server.version < (8, 0, 30) and charset == "utf8mb3":
        # Collations got the name that the character set has had since 8.0.24.
        return "utf8_general_ci"
    return _DEFAULTS.get(charset, f"{charset}_general_ci")


def charset_of(collation: str, server: Flavor) -> str:
    """Returns the character set of a collation."""
    charset = collation.partition("_")[0]
    return charset_name("utf8mb3", server) if charset == "utf8" else charset


def charset_name(charset: str, server: Flavor) -> str:
    """Returns the name that the server gives a character set: `utf8` is `utf8mb3` to newer ones."""
    if charset not in {"utf8", "utf8mb3"}:
        return charset
    return "utf8mb3" if server.version >= ((10, 6, 0) if server.mariadb else (8, 0, 24)) else "utf8"


def default_charset(server: Flavor) -> str:
    """Returns the character set of a database that was made without saying one, on a server that says none either."""
    return "utf8mb4" if server.version >= ((11, 6, 0) if server.mariadb else (8, 0, 1)) else "latin1"


def shortest(charset: str) -> int:
    """Returns how many bytes a character has at least."""
    return _SHORTEST.get(charset, 1)
