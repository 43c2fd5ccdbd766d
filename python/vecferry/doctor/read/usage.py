"""Which searches there are: statements that ran (pg_stat_statements), views and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.facts import Query, shown
from vecferry.mapping.identifiers import quote

if TYPE_CHECKING:
    from vecferry.doctor.read.session import Session

_SIGNS = r"<->|<=>|<#>|<\+>"

_VIEWS = """
SELECT n.nspname, c.relname, d.text FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_get_viewdef(c.oid) AS text) AS d
WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND d.text ~ %(signs)s
  AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
    AND e.deptype = 'e')
ORDER BY 1, 2 LIMIT 1000
"""

_FUNCTIONS = """
SELECT n.nspname, p.proname, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) ~ %(signs)s
  AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
    AND e.deptype = 'e')
ORDER BY 1, 2 LIMIT 1000
"""

_STATEMENTS_SCHEMA = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""


def read_queries(session: Session) -> tuple[tuple[Query, ...], bool]:
    """Returns the searches that are known, and whether statements that ran are among them."""
    values = {"signs": _SIGNS}
    queries = [
        Query(text, f"view {shown(schema, name)}")
        for schema, name, text in session.rows(_VIEWS, "the queries of views", values)
    ]
    queries += [
        Query(text, f"function {shown(schema, name)}")
        for schema, name, text in session.rows(_FUNCTIONS, "the queries of functions", values)
    ]
    schemas = session.rows(_STATEMENTS_SCHEMA, "pg_stat_statements")
    if not schemas:
        session.notes.append(
            "pg_stat_statements is not installed here: which operators searches use is known of views and functions"
            " alone"
        )
        return tuple(queries), False
    place = f"{quote(schemas[0][0])}.pg_stat_statements"
    before = len(session.notes)
    statements = session.rows(
        f"SELECT query, calls, rows FROM {place} WHERE dbid = (SELECT oid FROM pg_database"
        " WHERE datname = current_database()) AND (query ~ %(signs)s OR query = '<insufficient privilege>')"
        " AND query !~* '^\\s*(create|alter|explain|comment)\\y' ORDER BY calls DESC LIMIT 1000",
        "the statements that ran",
        values,
    )
    hidden = sum(text == "<insufficient privilege>" for text, _, _ in statements)
    if hidden:
        session.notes.append(
            f"pg_stat_statements hides {hidden} statements of other users: GRANT pg_read_all_stats shows them"
        )
    queries += [Query(text, "pg_stat_statements", calls, rows) for text, calls, rows in statements]
    return tuple(queries), len(session.notes) == before or bool(statements)
