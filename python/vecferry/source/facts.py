"""What the source tells for the report: its version and settings, the forms of its embeddings' texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.mapping.select import quote
from vecferry.source.connect import encrypted
from vecferry.source.flavor import flavor, plain_text
from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection

TEXTS = 200
"""How many texts of a column are looked at."""
_SETTINGS = (
    "version_comment", "sql_mode", "character_set_server", "collation_server", "time_zone", "system_time_zone",
    "lower_case_table_names", "innodb_buffer_pool_size", "max_allowed_packet", "log_bin",
)  # fmt: skip
_SIZES = ("innodb_buffer_pool_size", "max_allowed_packet")


def settings(connection: Connection[Any]) -> tuple[str, dict[str, str]]:
    """Returns the server's version, and those of its settings that decide what values mean and how fast they come.

    Raises:
        SourceError: the server refused a query.
    """
    kind = flavor(connection)
    listed = ", ".join(f"'{name}'" for name in _SETTINGS)
    # The session has an sql_mode and a time zone of its own.
    answers = rows(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({listed})")
    known = {plain_text(name): plain_text(value) for name, value in answers}
    found = {name: _sized(name, known[name]) for name in _SETTINGS if name in known}
    [(character_set,)] = rows(connection, "SELECT @@character_set_database")
    found["database's character set"] = plain_text(character_set)
    found["encrypted connection"] = "yes" if encrypted(connection) else "no"
    return f"{'MariaDB' if kind.mariadb else 'MySQL'} {kind.text}", found


def _sized(name: str, value: str) -> str:
    return f"{int(value) / 2**20:,.4g} MiB" if name in _SIZES and value.isdigit() else value


def text_forms(connection: Connection[Any], table: str, column: str) -> dict[str, int]:
    """Returns what the first values of a column begin as, with how many of each.

    Raises:
        SourceError: the server refused the query.
    """
    form = (
        f"CASE LEFT(LTRIM({quote(column)}), 1) WHEN '{{' THEN 'JSON object' WHEN '[' THEN 'JSON array' ELSE 'other' END"
    )
    body = f"SELECT {form} AS form FROM {quote(table)} WHERE {quote(column)} IS NOT NULL LIMIT {TEXTS}"
    answers = rows(connection, f"SELECT s.form, COUNT(*) FROM ({body}) s GROUP BY s.form ORDER BY 2 DESC")
    return {plain_text(name): int(count) for name, count in answers}
