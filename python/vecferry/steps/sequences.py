"""Sets the sequence of every auto-numbered column past its maximum, so that the next insert does not collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.crash import crash_point
from vecferry.mapping.identifiers import qualified, quote
from vecferry.report.report import SequenceResult
from vecferry.target.sequences import sequences_of

if TYPE_CHECKING:
    from vecferry.model import Plan, SequencePlan
    from vecferry.target.connect import Connection


def set_sequences(connection: Connection, plan: Plan) -> tuple[SequenceResult, ...]:
    """Sets each sequence to its column's maximum, or to what the source gave last, unless it is further already.

    A column that the target does not number is left alone, and so is a sequence that counts down.

    Raises:
        psycopg.Error: the server refused a statement, e.g. the maximum is beyond the sequence's.
    """
    return tuple(result for item in plan.sequences for result in _set(connection, plan.target_schema, item))


def _set(connection: Connection, schema: str, item: SequencePlan) -> list[SequenceResult]:
    place = qualified(schema, item.table)
    found = sequences_of(connection, place, item.column)
    if not found:
        return []
    [highest] = connection.execute(f"SELECT max({quote(item.column)}) FROM {place}".encode()).fetchone() or (None,)
    maximum = max(highest or 0, item.next_number - 1) or highest
    results = []
    for sequence in found:
        last, called = sequence.last_value, sequence.called
        # One that was not called yet gives its last value next, so that an equal maximum is reason enough.
        if maximum is not None and sequence.increment > 0 and maximum >= last:
            last, called = int(maximum), True
            connection.execute("SELECT setval(%s::regclass, %s)", [sequence.name, last])
            crash_point("sequence set")
        results.append(SequenceResult(sequence.name, last if called else None))
    return results
