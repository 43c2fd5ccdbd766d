"""Sets the sequence of every auto-numbered column past its maximum, so that the next insert does not collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified, quote
from vecferry.report.report import SequenceResult

if TYPE_CHECKING:
    from vecferry.model import Plan
    from vecferry.target.connect import Connection


def set_sequences(connection: Connection, plan: Plan) -> tuple[SequenceResult, ...]:
    """Sets each sequence to its column's maximum; of an empty table, so that it starts at 1.

    A column that the target does not number (no identity, no serial) is left alone.

    Raises:
        psycopg.Error: the server refused a statement.
    """
    results = []
    for item in plan.sequences:
        place = qualified(plan.target_schema, item.table)
        row = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", [place, item.column]).fetchone()
        if row is None or row[0] is None:
            continue
        # A sequence cannot stand below 1; a table of negative numbers alone starts at 1, too.
        found = f"SELECT coalesce(max({quote(item.column)}), 0) AS last FROM {place}"
        query = f"SELECT setval(%s::regclass, greatest(last, 1), last >= 1), last FROM ({found}) AS found"
        answer = connection.execute(query.encode(), [row[0]]).fetchone()
        last = int(answer[1]) if answer and answer[1] >= 1 else None
        results.append(SequenceResult(str(row[0]), last))
    return tuple(results)
