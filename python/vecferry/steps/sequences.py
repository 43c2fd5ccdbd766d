"""Sets the sequence of every auto-numbered column past its maximum, so that the next insert does not collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.crash import crash_point
from vecferry.mapping.identifiers import qualified, quote
from vecferry.report.report import SequenceResult

if TYPE_CHECKING:
    from vecferry.model import Plan, SequencePlan
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


def set_sequences(connection: Connection, plan: Plan) -> tuple[SequenceResult, ...]:
    """Sets each sequence to its column's maximum, or to what the source gave last, unless it is further already.

    A column that the target does not number is left alone, and so is a sequence that counts down.

    Raises:
        psycopg.Error: the server refused a statement, e.g. the maximum is beyond the sequence's.
    """
    return tuple(result for item in plan.sequences for result in _set(connection, plan.target_schema, item))


def _set(connection: Connection, schema: str, item: SequencePlan) -> list[SequenceResult]:
    place = qualified(schema, item.table)
    found = connection.execute(_SEQUENCES, {"table": place, "column": item.column}).fetchall()
    if not found:
        return []
    [highest] = connection.execute(f"SELECT max({quote(item.column)}) FROM {place}".encode()).fetchone() or (None,)
    maximum = max(highest or 0, item.next_number - 1) or highest
    results = []
    for sequence, increment in found:
        last, called = connection.execute(f"SELECT last_value, is_called FROM {sequence}".encode()).fetchone() or (0, 0)
        # One that was not called yet gives its last value next, so that an equal maximum is reason enough.
        if maximum is not None and increment > 0 and maximum >= last:
            last, called = int(maximum), True
            connection.execute("SELECT setval(%s::regclass, %s)", [sequence, last])
            crash_point("sequence set")
        results.append(SequenceResult(str(sequence), int(last) if called else None))
    return results
