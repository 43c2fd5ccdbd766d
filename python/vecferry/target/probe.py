"""Asks PostgreSQL whether an expression or a view is valid, before there is a table to try it on; changes nothing.

EXPLAIN parses, resolves and plans a query without running it. The columns are NULLs of their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import psycopg

from vecferry.errors import one_line
from vecferry.mapping.identifiers import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vecferry.target.connect import Connection

_MISSING_TYPES = """
SELECT name FROM unnest(%s::text[]) AS name WHERE to_regtype(name) IS NULL
"""

_NO_ANSWER = ("08", "53", "57", "58")
"""SQLSTATE classes that say nothing about the statement
(https://www.postgresql.org/docs/current/errcodes-appendix.html): the connection, resources, an operator's or
system's intervention."""


def refusal(
    connection: Connection, columns: Mapping[str, str], expression: str, kind: Literal["boolean", "value"]
) -> str | None:
    """Says what PostgreSQL has against an expression; nothing where it is valid.

    Whether the expression is immutable, as generated columns and indexes need it, is not asked.

    Args:
        connection: an autocommit connection.
        columns: the types of the columns, by name; a type that does not exist yet counts as `text`.
        expression: PostgreSQL text; columns are named without a table.
        kind: a condition, such as a CHECK's, or any value.

    Raises:
        psycopg.Error: the server gave no answer.
    """
    try:
        row = _row(columns, _missing_types(connection, columns.values()))
        selected = (
            f"1 FROM {row} AS t WHERE ({expression}\n)" if kind == "boolean" else f"({expression}\n) FROM {row} AS t"
        )
        _explain(connection, f"SELECT {selected}")
    except psycopg.Error as error:
        return words(error)
    return None


def view_refusal(connection: Connection, relations: Mapping[str, Mapping[str, str]], query: str) -> str | None:
    """Says what PostgreSQL has against a view's SELECT; nothing where it is valid.

    A column that is neither grouped nor aggregated is let through: it is valid where the primary key of its
    table is grouped, and the keys are made after the data.

    Args:
        connection: an autocommit connection.
        relations: the types of the columns of each table and view in the query; a type that does not exist yet
            counts as `text`.
        query: the SELECT in PostgreSQL's words. `relations` stand for names without a schema; a name with one
            means what is in the target now.

    Raises:
        psycopg.Error: the server gave no answer.
    """
    try:
        missing = _missing_types(connection, [kind for columns in relations.values() for kind in columns.values()])
        tables = ", ".join(f"{quote(name)} AS {_row(columns, missing)}" for name, columns in relations.items())
        # The query may begin with a WITH of its own.
        _explain(connection, f"{f'WITH {tables} ' if tables else ''}SELECT * FROM ({query}\n) AS v")
    except psycopg.errors.GroupingError:
        return None
    except psycopg.Error as error:
        return words(error)
    return None


def words(error: psycopg.Error) -> str:
    """Returns PostgreSQL's own words for why it refused a statement, as one line.

    Raises:
        psycopg.Error: `error` itself, where it is no answer, e.g. a lost connection.
    """
    if error.sqlstate is None or error.sqlstate.startswith(_NO_ANSWER):
        raise error
    return (error.diag.message_primary or one_line(error)).splitlines()[0]


def _row(columns: Mapping[str, str], missing: frozenset[str]) -> str:
    nulls = ", ".join(f"NULL::{'text' if kind in missing else kind} AS {quote(name)}" for name, kind in columns.items())
    # Without OFFSET the planner would compute the expression with the NULLs.
    return f"(SELECT {nulls} OFFSET 0)"


def _missing_types(connection: Connection, kinds: Iterable[str]) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.execute(_MISSING_TYPES, [sorted(set(kinds))]))


def _explain(connection: Connection, query: str) -> None:
    # Asking for binary results takes the protocol that carries one statement only: text that closes a bracket
    # too many cannot smuggle in a second.
    connection.execute(f"EXPLAIN {query}".encode(), binary=True)
