"""Gives the planner statistics of what was loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified

if TYPE_CHECKING:
    from vecferry.model import Plan
    from vecferry.target.connect import Connection


def analyze(connection: Connection, plan: Plan) -> None:
    """Runs ANALYZE on every table of the plan, one statement a table.

    Raises:
        psycopg.Error: the server refused.
    """
    for table in plan.tables:
        connection.execute(f"ANALYZE {qualified(plan.target_schema, table.target)}".encode())
