"""What earlier runs of vecferry left in its own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.facts import Leftovers

if TYPE_CHECKING:
    from vecferry.doctor.read.session import Session

_THERE = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'vecferry' AND c.relname IN ('run', 'reject')
"""

_RUNS = """
SELECT id::text, source, target_schema, to_char(started, 'YYYY-MM-DD HH24:MI') FROM vecferry.run
WHERE finished IS NULL ORDER BY started
"""

_REJECTS = """
SELECT table_name, count(*) FILTER (WHERE left_out), count(*) FILTER (WHERE NOT left_out)
FROM (SELECT run_id, table_name, chunk, row_number, bool_or(action = 'reject') AS left_out
  FROM vecferry.reject GROUP BY run_id, table_name, chunk, row_number) AS rows
GROUP BY table_name ORDER BY table_name
"""
"""A row may have several entries."""


def read_leftovers(session: Session) -> Leftovers:
    """Returns unfinished runs and the rows that were rejected."""
    there = {name for (name,) in session.rows(_THERE, "the schema vecferry")}
    return Leftovers(
        runs=tuple(session.rows(_RUNS, "unfinished runs of vecferry")) if "run" in there else (),
        rejects=tuple(session.rows(_REJECTS, "rejected rows")) if "reject" in there else (),
    )
