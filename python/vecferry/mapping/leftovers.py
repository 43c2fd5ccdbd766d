"""What a database holds besides tables, views, rows and keys, as the losses by which a plan says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.model import Loss

if TYPE_CHECKING:
    from collections.abc import Iterable

# The columns as TypeORM's MigrationExecutor and MysqlQueryRunner make them, under the tables' default names.
_TYPEORM = {
    "migrations": (frozenset({"id", "timestamp", "name"}), "migrations"),
    "typeorm_metadata": (
        frozenset({"type", "database", "schema", "table", "name", "value"}),
        "views and generated columns",
    ),
}


def not_carried(name: str, kind: str) -> Loss:
    """Returns the loss of a thing beside the tables: a `routine`, an `event`, a `sequence`."""
    return Loss(name, None, f"this {kind} is not carried")


def trigger(table: str, name: str) -> Loss:
    """Returns the loss of a table's trigger."""
    return Loss(table, None, f"trigger {name} is not carried")


def unenforced(table: str, name: str, clause: str) -> Loss:
    """Returns the loss of a CHECK that is declared and not kept."""
    return Loss(table, None, f"CHECK {name} is not carried: the source does not enforce it: {clause}")


def versions(table: str) -> Loss:
    """Returns the loss of a table with system versioning."""
    return Loss(table, None, "earlier versions of its rows are not carried")


def typeorm_record(table: str, columns: Iterable[str]) -> Loss | None:
    """Returns the loss of a table in which TypeORM keeps its own record of the source; None of any other table."""
    expected, record = _TYPEORM.get(table, (frozenset(), ""))
    if not expected or expected != set(columns):
        return None
    reason = f"TypeORM's own record of the source's {record} is not carried: TypeORM keeps its own in the target"
    return Loss(table, None, reason)
