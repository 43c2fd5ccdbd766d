"""Asks the source what the plan wants to know of its values: a scan of each table in question, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.mapping.select import quote
from vecferry.mapping.texts import is_json
from vecferry.origin import Answer
from vecferry.source.query import rows, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymysql.connections import Connection

    from vecferry.mapping.checks import Check
    from vecferry.origin import Reference

EXAMPLES = 3


def ask_values(
    connection: Connection[Any], table: str, checks: Sequence[Check], key: tuple[str, ...]
) -> dict[tuple[str, str, str], Answer]:
    """Counts the rows of each check, all in one scan.

    Args:
        connection: an open connection to the source.
        table: the table's name.
        checks: conditions on its columns.
        key: the columns that name a row; empty where the table has no key.

    Returns:
        What was found, by table, column and kind; nothing for a check that found nothing.

    Raises:
        SourceError: the server refused a query.
    """
    place = quote(table)
    found = {}
    for check in checks:
        if check.parsed and (answer := _parsed(connection, place, check, key)):
            found[table, check.column, check.kind] = answer
    counted = [check for check in checks if not check.parsed]
    if not counted:
        return found
    sums = ", ".join(f"SUM({check.condition})" for check in counted)
    [counts] = rows(connection, f"SELECT {sums} FROM {place}")
    for check, count in zip(counted, counts, strict=True):
        if count:
            body = f"{place} WHERE {check.condition}"
            examples = _examples(connection, body, [quote(name) for name in key], key)
            found[table, check.column, check.kind] = Answer(int(count), examples)
    return found


def ask_orphans(connection: Connection[Any], reference: Reference, key: tuple[str, ...]) -> Answer | None:
    """Counts the rows of a table whose parent is missing; None where there are none.

    Args:
        connection: an open connection to the source.
        reference: the foreign key.
        key: the columns that name a row of the table; empty where it has no key.

    Raises:
        SourceError: the server refused a query.
    """
    joined = " AND ".join(
        f"p.{quote(theirs)} = c.{quote(own)}"
        for own, theirs in zip(reference.columns, reference.parent_columns, strict=True)
    )
    asked = " AND ".join(f"c.{quote(own)} IS NOT NULL" for own in reference.columns)
    missing = [f"p.{quote(reference.parent_columns[0])} IS NULL"]
    for own, theirs, loose in zip(reference.columns, reference.parent_columns, reference.loose, strict=False):
        if loose:
            # By the index first, then by the very characters.
            missing.append(f"{_exact(f'p.{quote(theirs)}', reference)} <> {_exact(f'c.{quote(own)}', reference)}")
    body = (
        f"{quote(reference.table)} c LEFT JOIN {quote(reference.parent)} p ON {joined}"
        f" WHERE {asked} AND ({' OR '.join(missing)})"
    )
    [(count,)] = rows(connection, f"SELECT COUNT(*) FROM {body}")
    if not count:
        return None
    shown = key or reference.columns
    return Answer(int(count), _examples(connection, body, [f"c.{quote(name)}" for name in shown], shown))


def _exact(operand: str, reference: Reference) -> str:
    text = f"LOWER({operand})" if reference.ignore_case else operand
    return f"CAST(CONVERT({text} USING utf8mb4) AS BINARY)"


def _parsed(connection: Connection[Any], place: str, check: Check, key: tuple[str, ...]) -> Answer | None:
    """Counts the texts that are no JSON here, for a server that has no function for it."""
    listed = ", ".join(map(quote, (*key, check.column)))
    order = f" ORDER BY {', '.join(map(quote, key))}" if key else ""
    count = 0
    examples: list[str] = []
    for row in stream(connection, f"SELECT {listed} FROM {place} WHERE {check.condition}{order}"):
        if is_json(row[-1]):
            continue
        count += 1
        if key and len(examples) < EXAMPLES:
            examples.append(_named(key, row[:-1]))
    return Answer(count, tuple(examples)) if count else None


def _named(names: Sequence[str], values: Sequence[object]) -> str:
    return ", ".join(f"{name} = {_shown(value)}" for name, value in zip(names, values, strict=True))


def _examples(connection: Connection[Any], body: str, listed: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    if not listed:
        return ()
    found = rows(connection, f"SELECT {', '.join(listed)} FROM {body} ORDER BY {', '.join(listed)} LIMIT {EXAMPLES}")
    return tuple(
        ", ".join(f"{name} = {_shown(value)}" for name, value in zip(names, row, strict=True)) for row in found
    )


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str | bytes) else str(value)
