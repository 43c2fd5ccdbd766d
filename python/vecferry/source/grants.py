"""What the source's user cannot see, and so nobody would miss: the catalog shows only what rights were given for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection

_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<object>\S+) TO ", re.DOTALL)
_UNSEEN = {
    "SELECT": "tables and columns that it was not given are missing here without a word",
    "TRIGGER": "triggers are not listed",
    "EVENT": "events are not listed",
}


def unseen(connection: Connection[Any], database: str) -> tuple[str, ...]:
    """Returns a sentence for each kind of thing that may be there and out of the user's sight.

    Args:
        connection: an open connection to the source.
        database: the database's name.

    Raises:
        SourceError: the server refused a query.
    """
    held: set[str] = set()
    for (line,) in rows(connection, "SHOW GRANTS"):
        grant = _GRANT.match(str(line))
        if grant is None:
            return ()  # a role, whose rights are not in this list
        if _covers(grant["object"], database):
            held |= {right.strip().upper() for right in grant["rights"].split(",")}
    if {"ALL PRIVILEGES", "ALL"} & held:
        return ()
    return tuple(
        f"the source's user has no {right} on the whole database {database}: {what}"
        for right, what in _UNSEEN.items()
        if right not in held
    )


def _covers(place: str, database: str) -> bool:
    if place == "*.*":
        return True
    name = re.fullmatch(r"`(?P<pattern>.*)`\.\*", place)
    if name is None:
        return False
    # In a grant, % and _ are wildcards unless a backslash stands before them.
    parts = re.findall(r"\\.|.", name["pattern"].replace("``", "`"), re.DOTALL)
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.fullmatch(pattern, database, re.DOTALL) is not None
