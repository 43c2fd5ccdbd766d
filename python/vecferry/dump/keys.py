"""Keys, indexes, foreign keys and checks in CREATE or ALTER TABLE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vecferry.model import Check, ForeignKey, Index, IndexColumn

if TYPE_CHECKING:
    from vecferry.dump.tokens import Cursor

_KINDS = ("FULLTEXT", "SPATIAL", "VECTOR")
_ACTIONS = ("RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT")


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key or index as written; the name is empty where it has none."""

    index: Index
    """Its `kind` is empty where it is the storage engine's own."""
    primary: bool = False
    hidden: bool = False
    """Whether the server may not use it."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period of application time (MariaDB)."""

    name: str
    start: str
    end: str


Constraint = Key | Period | ForeignKey | tuple[Check, bool]
"""What a table's definition has besides columns; a check stands with whether it is enforced."""


def read_constraint(cursor: Cursor, default_action: str) -> Constraint | None:
    """Reads a key, index, foreign key, check or period, if one comes next.

    Args:
        cursor: where to read.
        default_action: what the server calls the action of a foreign key that says none.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    named = cursor.take("CONSTRAINT")
    name = cursor.name() if named and not cursor.at_any("PRIMARY", "UNIQUE", "FOREIGN", "CHECK") else ""
    if cursor.take("PRIMARY", "KEY"):
        cursor.take("CLUSTERED")
        return _key(cursor, Index("PRIMARY", (), unique=True, kind=""), primary=True)
    if cursor.take("UNIQUE"):
        cursor.take_any("KEY", "INDEX")
        return _key(cursor, Index(name, (), unique=True, kind=""))
    if kind := cursor.take_any(*_KINDS):
        cursor.take_any("KEY", "INDEX")
        return _key(cursor, Index("", (), unique=False, kind=kind))
    if cursor.take("FOREIGN", "KEY"):
        return _foreign_key(cursor, name, default_action)
    if cursor.take("CHECK"):
        return Check(name, cursor.inside()), enforced(cursor)
    if cursor.take("PERIOD", "FOR"):
        return Period(cursor.name(), *_pair(cursor))
    if named:
        raise cursor.stuck()
    if cursor.take_any("KEY", "INDEX"):
        return _key(cursor, Index("", (), unique=False, kind=""))
    return None


def read_index(cursor: Cursor) -> tuple[Key, str]:
    """Reads `CREATE INDEX` behind its first word; returns the index and its table.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    cursor.take_any("ONLINE", "OFFLINE")
    kind = cursor.take_any("UNIQUE", *_KINDS)
    cursor.need("INDEX")
    cursor.take("IF", "NOT", "EXISTS")
    index = Index(cursor.name(), (), unique=kind == "UNIQUE", kind=kind if kind in _KINDS else "")
    using = _using(cursor)
    cursor.need("ON")
    table = cursor.qualified()
    key = _key(cursor, replace(index, kind=index.kind or using))
    return key, table


def _pair(cursor: Cursor) -> tuple[str, str]:
    start, end = cursor.names()
    return start, end


def _key(cursor: Cursor, index: Index, *, primary: bool = False) -> Key:
    cursor.take("IF", "NOT", "EXISTS")
    kind = _using(cursor)
    if not cursor.at("("):
        name = cursor.name()
        index = index if primary else replace(index, name=name)
        kind = _using(cursor)
    spatial = index.kind == "SPATIAL"
    cursor.need("(")
    columns = [_part(cursor, spatial=spatial)]
    while cursor.take(","):
        columns.append(_part(cursor, spatial=spatial))
    cursor.need(")")
    hidden = False
    while not (cursor.here.kind == "end" or cursor.at_any(",", ")")):
        if cursor.at("USING"):
            kind = _using(cursor)
        elif cursor.take_any("INVISIBLE", "IGNORED"):
            hidden = True
        else:
            _option(cursor)
    kind = index.kind if index.kind in _KINDS else kind or index.kind
    return Key(replace(index, columns=tuple(columns), kind=kind), primary, hidden)


def _using(cursor: Cursor) -> str:
    return cursor.next().value if cursor.take("USING") else ""


def _option(cursor: Cursor) -> None:
    if cursor.take("WITH", "PARSER"):
        cursor.name()
    elif not cursor.take("VISIBLE") and not cursor.take("NOT", "IGNORED"):
        # COMMENT, KEY_BLOCK_SIZE, ALGORITHM, LOCK, and what engines take: a name and a value.
        cursor.name()
        cursor.take("=")
        if cursor.here.kind == "mark":
            raise cursor.stuck()
        cursor.next()


def _part(cursor: Cursor, *, spatial: bool) -> IndexColumn:
    if cursor.at("("):
        part = IndexColumn("", expression=cursor.inside())
    else:
        name, prefix = cursor.name(), None
        if cursor.take("("):
            prefix = cursor.number()
            cursor.need(")")
        if cursor.take("WITHOUT", "OVERLAPS"):
            return IndexColumn(name, expression=_OVERLAPS)
        part = IndexColumn(name, None if spatial else prefix)
    return replace(part, descending=cursor.take_any("ASC", "DESC") == "DESC")


_OVERLAPS = "WITHOUT OVERLAPS"


def with_period(key: Key, periods: dict[str, Period]) -> Key:
    """Returns the key with the columns of the period that it is on, as MariaDB lists them."""
    columns: list[IndexColumn] = []
    for part in key.index.columns:
        period = periods.get(part.name) if part.expression == _OVERLAPS else None
        columns += [IndexColumn(period.end), IndexColumn(period.start)] if period else [part]
    return replace(key, index=replace(key.index, columns=tuple(columns)))


def _foreign_key(cursor: Cursor, name: str, default_action: str) -> ForeignKey:
    cursor.take("IF", "NOT", "EXISTS")
    if not cursor.at("("):
        own = cursor.name()
        name = name or own
    columns = cursor.names()
    cursor.need("REFERENCES")
    table, referenced = cursor.qualified(), cursor.names()
    update, delete = actions(cursor, default_action)
    return ForeignKey(name, columns, table, referenced, update, delete)


def actions(cursor: Cursor, default: str) -> tuple[str, str]:
    """Reads what a foreign key does; returns the actions of UPDATE and of DELETE.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    found = {"UPDATE": default, "DELETE": default}
    if cursor.take("MATCH"):
        cursor.next()
    while cursor.at("ON", "UPDATE") or cursor.at("ON", "DELETE"):
        cursor.next()
        event = cursor.next().value
        action = next((action for action in _ACTIONS if cursor.take(*action.split())), None)
        if action is None:
            raise cursor.stuck()
        found[event] = action
    return found["UPDATE"], found["DELETE"]


def enforced(cursor: Cursor) -> bool:
    """Reads whether a check is enforced, behind its clause."""
    if cursor.take("NOT", "ENFORCED"):
        return False
    cursor.take("ENFORCED")
    return True
