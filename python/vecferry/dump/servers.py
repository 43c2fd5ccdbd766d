"""Which server a dump was made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vecferry.mapping.flavor import Flavor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.dump.statement import StatementLike

_ASSUMED = "{} (assumed: the dump does not tell)"
_MARIADB = re.compile(r"current_timestamp\(\)|_uca1400_|CHECK \(json_valid\(|\bDEFAULT -?\d|`\s+(?:uuid|inet[46])\b")
_MYSQL_8 = re.compile(
    r"_0900_|DEFAULT \(|`\s+(?:big|small|medium)?int(?: unsigned)?\s+(?:NOT|DEFAULT|NULL|AUTO)|\bSRID\b"
)


def server_of(statements: Iterable[StatementLike]) -> Flavor:
    """Returns the server by what the dump says of it, else by how it prints tables.

    mydumper and phpMyAdmin may not say it; the version is then one that prints as what was found.
    """
    texts = []
    for statement in statements:
        if statement.settings.server:
            return Flavor.parse(statement.settings.server)
        if statement.kind == "create table":
            texts.append(statement.text or "")
    whole = "\n".join(texts)
    if _MARIADB.search(whole):
        return Flavor.parse(_ASSUMED.format("10.6-MariaDB"))
    return Flavor.parse(_ASSUMED.format("8.0.30" if _MYSQL_8.search(whole) else "5.7"))
