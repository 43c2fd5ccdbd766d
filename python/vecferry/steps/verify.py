"""Compares what arrived with what was read: the rows of every table on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified
from vecferry.report.report import TableResult
from vecferry.target.ledger import TableTotals

if TYPE_CHECKING:
    from vecferry.model import Plan, TablePlan
    from vecferry.origin import Session
    from vecferry.target.connect import Connection


def verify_tables(
    source: Session, target: Connection, plan: Plan, totals: dict[str, TableTotals]
) -> tuple[TableResult, ...]:
    """Counts every table on both sides; rows read must be rows written and rejected, too."""
    return tuple(
        _verify_table(source, target, plan, table, totals.get(table.name, TableTotals())) for table in plan.tables
    )


def _verify_table(source: Session, target: Connection, plan: Plan, table: TablePlan, total: TableTotals) -> TableResult:
    rows_source = source.count(table.name)
    query = f"SELECT count(*) FROM {qualified(plan.target_schema, table.target)}"
    [rows_target] = target.execute(query.encode()).fetchone() or (0,)
    equal = (
        rows_source == rows_target + total.rows_rejected
        and total.rows_read == total.rows_written + total.rows_rejected
        and total.rows_written == rows_target
    )
    return TableResult(
        name=table.name,
        rows_source=rows_source,
        rows_target=int(rows_target),
        rows_rejected=total.rows_rejected,
        bytes_read=total.bytes_read,
        seconds=round(total.seconds, 3),
        verified="equal" if equal else "different",
    )
