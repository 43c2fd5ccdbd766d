"""Triggers, routines, events and sequences of a dump: what is never carried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vecferry.dump.names import server_order
from vecferry.mapping.leftovers import not_carried, trigger

if TYPE_CHECKING:
    from vecferry.dump.tokens import Cursor
    from vecferry.model import Loss

KINDS = frozenset({"create trigger", "create procedure", "create function", "create event", "create sequence"})
"""Kinds of statements that `Leftovers.read` reads."""
_ROUTINES = ("PROCEDURE", "FUNCTION", "PACKAGE")
_STATEMENTS = (*_ROUTINES, "TRIGGER", "EVENT", "SEQUENCE")


@dataclass(slots=True)
class Leftovers:
    """Names of what lies beside the tables; those of triggers with their table in front."""

    triggers: set[tuple[str, str]] = field(default_factory=set)
    routines: set[tuple[str, str]] = field(default_factory=set)
    """Name and kind."""
    events: set[str] = field(default_factory=set)
    sequences: set[str] = field(default_factory=set)

    def read(self, cursor: Cursor) -> None:
        """Reads the statement that makes one; only its head is looked at.

        Raises:
            NotUnderstoodError: it is none.
        """
        kind = ""
        while not kind:
            kind = cursor.take_any(*_STATEMENTS)
            if not kind:
                cursor.next()
        if kind == "PACKAGE" and cursor.take("BODY"):
            kind = "PACKAGE BODY"
        cursor.take("IF", "NOT", "EXISTS")
        name = cursor.qualified()
        if kind == "TRIGGER":
            while not cursor.take("ON"):
                cursor.next()
            self.triggers.add((cursor.qualified(), name))
        elif kind == "EVENT":
            self.events.add(name)
        elif kind == "SEQUENCE":
            self.sequences.add(name)
        else:
            self.routines.add((name, kind.lower()))

    def losses(self, tables: frozenset[str]) -> tuple[Loss, ...]:
        """Returns a loss for each routine and event, and for each trigger of `tables`; sequences are not among them."""
        return (
            *(not_carried(name, kind) for name, kind in _in_order(self.routines)),
            *(not_carried(name, "event") for name in sorted(self.events, key=server_order)),
            *(trigger(table, name) for table, name in _in_order(self.triggers) if table in tables),
        )


def _in_order(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: (server_order(pair[0]), server_order(pair[1])))
