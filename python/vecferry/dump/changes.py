"""Statements of a dump that change rows in another way than INSERT ... VALUES; pure.

A server would carry them out; whoever reads a dump as data cannot, and must not act as if they were not there. What
takes all rows of a table away is another matter: it leaves nothing of what was read before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.dump.tokens import Cursor, NotUnderstoodError
from vecferry.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.dump.statement import StatementLike

_HEAD = 4096
"""As many letters of a statement say what it changes; of an INSERT ... SET the rest may be a row of any size."""
_MODIFIERS = (
    "LOW_PRIORITY",
    "HIGH_PRIORITY",
    "DELAYED",
    "QUICK",
    "IGNORE",
    "INTO",
    "FROM",
    "TABLE",
    "IF",
    "EXISTS",
    "ONLY",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a statement does to rows that stand elsewhere."""

    word: str
    """What it begins with: `UPDATE`."""
    table: str | None
    """The table; None where only a server could tell."""
    database: str | None
    line: int
    all_rows: bool = False
    """Whether it takes all rows of the table away."""


def changes_of(statement: StatementLike, line: int | None = None) -> tuple[Change, ...]:
    """Returns what a statement changes; nothing for one that changes no rows.

    Args:
        statement: any but an INSERT of values.
        line: where it begins, if not where it says.
    """
    if statement.kind not in {"drop", "other"} or not statement.text:
        return ()
    cursor = Cursor(statement.text[:_HEAD], statement.settings)
    place = statement.line if line is None else line
    word = cursor.take_any("DROP", "TRUNCATE", "DELETE", "UPDATE", "INSERT", "REPLACE", "LOAD", "CALL", "WITH")
    if not word or (word == "DROP" and not cursor.at("TABLE")):
        return ()
    try:
        if word in {"DROP", "TRUNCATE", "DELETE"}:
            return tuple(
                Change(word, table, database or statement.database, place, all_rows=whole)
                for database, table, whole in _emptied(cursor, short=len(statement.text) < _HEAD)
            )
        if word == "LOAD":
            while not cursor.take("INTO", "TABLE"):
                cursor.next()
        if word in {"CALL", "WITH"}:
            return (Change(word, None, statement.database, place),)
        database, table = _name(cursor)
    except NotUnderstoodError:
        return (Change(word, None, statement.database, place),)
    return (Change(word, table, database or statement.database, place),)


def refuse(place: str, changes: Iterable[Change], database: str | None, tables: Iterable[str]) -> None:
    """Refuses a dump of whose tables the rows are not what its INSERTs say.

    Args:
        place: the dump.
        changes: what it changes.
        database: the one that is read.
        tables: those of its tables that are read.

    Raises:
        SourceError: the first of the changes that matters is named.
    """
    names = frozenset(tables)
    for change in changes:
        ours = change.database is None or database is None or change.database == database
        if ours and (change.table is None or change.table in names):
            what = f"rows of table {change.table}" if change.table is not None else "rows"
            raise SourceError(
                f"the dump {place} changes {what} by {change.word} in line {change.line}, which only a server can carry"
                " out",
                advice="load the dump into a server and migrate from there"
                + (", or leave the table out with --exclude" if change.table is not None else ", or take the line out"),
            )


def _emptied(cursor: Cursor, *, short: bool) -> list[tuple[str | None, str, bool]]:
    found = [_name(cursor)]
    while cursor.take(","):
        found.append(_name(cursor))
    if cursor.take_any("RESTRICT", "CASCADE"):
        pass
    whole = short and cursor.here.kind == "end"
    return [(database, table, whole) for database, table in found]


def _name(cursor: Cursor) -> tuple[str | None, str]:
    while cursor.take_any(*_MODIFIERS):
        pass
    database, table = None, cursor.name()
    while cursor.take("."):
        database, table = table, cursor.name()
    return database, table
