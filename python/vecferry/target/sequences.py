"""Which sequences number a column, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.target.connect import Connection

# A column's own sequence (serial, identity), and those that its default draws from without owning them.
_SEQUENCES = """
WITH found(oid) AS (
  SELECT pg_get_serial_sequence(%(table)s, %(column)s)::regclass::oid
  UNION
  SELECT d.refobjid FROM pg_attribute a
  JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
  WHERE a.attrelid = %(table)s::regclass AND a.attname = %(column)s
)
SELECT format('%%I.%%I', n.nspname, c.relname), q.seqincrement
FROM found JOIN pg_sequence q ON q.seqrelid = found.oid
JOIN pg_class c ON c.oid = found.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of a column."""

    name: str
    """Qualified and quoted."""
    increment: int
    last_value: int
    called: bool
    """Whether it has given `last_value`; one that has not gives it next."""


def sequences_of(connection: Connection, table: str, column: str) -> list[Sequence]:
    """Returns the sequences that number a column.

    Args:
        connection: an open connection.
        table: the table, qualified and quoted.
        column: the column's name.

    Raises:
        psycopg.Error: the server refused a query.
    """
    found = []
    for name, increment in connection.execute(_SEQUENCES, {"table": table, "column": column}).fetchall():
        row = connection.execute(f"SELECT last_value, is_called FROM {name}".encode()).fetchone() or (0, False)
        found.append(Sequence(str(name), int(increment), int(row[0]), bool(row[1])))
    return found
