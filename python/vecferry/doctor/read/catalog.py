"""What the catalog says: tables, columns, indexes, constraints."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vecferry.doctor.facts import TEXT_KINDS, VECTOR_KINDS, VECTOR_METHODS, Column, Constraint, Index, Table, shown

if TYPE_CHECKING:
    from vecferry.config import TargetScope
    from vecferry.doctor.read.session import Session

# What extensions own is theirs. A partitioned table has no pages of its own.
_TABLES = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind = 'p', c.relispartition,
  CASE c.relkind WHEN 'p' THEN
    (SELECT coalesce(sum(pg_relation_size(relid)), 0) FROM pg_partition_tree(c.oid) WHERE isleaf)
  ELSE pg_relation_size(c.oid) END::bigint / current_setting('block_size')::bigint,
  coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)::bigint / current_setting('block_size')::bigint,
  c.reltuples::bigint, coalesce(c.reloptions, '{}'), coalesce(x.reloptions, '{}'),
  s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL
    OR EXISTS (SELECT 1 FROM pg_stats p WHERE p.schemaname = n.nspname AND p.tablename = c.relname),
  ARRAY(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute a ON a.attnum = k.number
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid ORDER BY k.place),
  has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), row_security_active(c.oid)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class x ON x.oid = c.reltoastrelid
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'vecferry')
  AND (%(schema)s::text IS NULL OR n.nspname = %(schema)s)
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""

# A varchar shorter than 64 holds no embedding.
_COLUMNS = """
SELECT a.attrelid::bigint, a.attnum::int, a.attname, t.typname, a.atttypmod, NOT a.attnotnull, a.attstorage::text
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY(%(tables)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  AND (t.typname = ANY(%(vectors)s) AND t.typnamespace = (SELECT extnamespace FROM pg_extension
      WHERE extname = 'vector')
    OR t.typname = ANY(%(texts)s) AND t.typnamespace = 'pg_catalog'::regnamespace AND a.attgenerated = ''
      AND (a.atttypmod = -1 OR a.atttypmod >= 68))
ORDER BY a.attrelid, a.attnum
"""

# An index depends on every column that it mentions (src/backend/catalog/index.c, index_create).
_INDEXES = """
SELECT c.oid::bigint, n.nspname, c.relname, i.indrelid::bigint, m.amname, i.indisvalid AND i.indisready,
  i.indkey::int2[]::int[],
  ARRAY(SELECT DISTINCT d.refobjsubid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0),
  o.opcname, CASE WHEN i.indkey[0] = 0 THEN pg_get_indexdef(c.oid, 1, false) ELSE '' END,
  coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
  CASE c.relkind WHEN 'I'
    THEN replace(pg_get_indexdef(c.oid), format('INDEX %%I ON ONLY ', c.relname), format('INDEX %%I ON ', c.relname))
    ELSE pg_get_indexdef(c.oid) END,
  coalesce(c.reloptions, '{}'), pg_relation_size(c.oid), c.reltuples::bigint, coalesce(s.idx_scan, 0),
  c.relkind = 'I', EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = c.oid),
  EXISTS (SELECT 1 FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_am m ON m.oid = c.relam
JOIN pg_opclass o ON o.oid = i.indclass[0]
LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = c.oid
WHERE i.indrelid = ANY(%(tables)s::oid[]) AND (m.amname = ANY(%(methods)s) OR NOT (i.indisvalid AND i.indisready))
ORDER BY n.nspname, c.relname
"""

# A constraint that is not enforced (PostgreSQL 18) is not validated on purpose.
_CONSTRAINTS = """
SELECT k.conrelid::bigint, k.conname, k.contype::text, pg_get_constraintdef(k.oid)
FROM pg_constraint k
WHERE k.conrelid = ANY(%(tables)s::oid[]) AND k.contype IN ('f', 'c', 'n') AND NOT k.convalidated
  AND k.conparentid = 0 AND k.coninhcount = 0 AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
ORDER BY k.conrelid, k.conname
"""


def read_tables(session: Session, scope: TargetScope) -> tuple[dict[int, Table], frozenset[int]]:
    """Returns the tables by their OID, and which of them this user may read in full."""
    found: dict[int, Table] = {}
    readable: set[int] = set()
    closed: list[str] = []
    for *facts, key, may_read, secured in session.rows(_TABLES, "the tables", {"schema": scope.schema}):
        oid, schema, name, partitioned, partition, pages, toast, rows, options, toast_options, analyzed = facts
        if not _asked_for(name, scope):
            continue
        found[oid] = Table(
            oid, schema, name, partitioned, partition, pages, toast, rows, tuple(options), tuple(toast_options),
            analyzed, pages == 0, tuple(key),
        )  # fmt: skip
        if may_read and not secured:
            readable.add(oid)
        else:
            closed.append(shown(schema, name))
    if closed:
        first = ", ".join(closed[:5]) + (", ..." if closed[5:] else "")
        session.notes.append(f"the rows of {first} are closed to this user: looked at in the catalog alone")
    return found, frozenset(readable)


def read_columns(session: Session, tables: dict[int, Table]) -> tuple[Column, ...]:
    """Returns the columns that hold vectors, or text that may be one."""
    values = {"tables": list(tables), "vectors": list(VECTOR_KINDS), "texts": list(TEXT_KINDS)}
    return tuple(
        Column(table, number, name, kind, modifier if modifier > 0 else None, nullable, storage)
        for table, number, name, kind, modifier, nullable, storage in session.rows(_COLUMNS, "the columns", values)
    )


def read_indexes(session: Session, tables: dict[int, Table]) -> tuple[Index, ...]:
    """Returns the vector indexes, and every index that is invalid."""
    values = {"tables": list(tables), "methods": list(VECTOR_METHODS)}
    return tuple(
        Index(
            oid, schema, name, table, method, valid, tuple(columns), tuple(uses), operator_class, expression, predicate,
            definition, tuple(options), size, rows, scans, partitioned, child, building,
        )
        for oid, schema, name, table, method, valid, columns, uses, operator_class, expression, predicate, definition,
        options, size, rows, scans, partitioned, child, building in session.rows(_INDEXES, "the indexes", values)
    )  # fmt: skip


def read_constraints(session: Session, tables: dict[int, Table]) -> tuple[Constraint, ...]:
    """Returns the constraints that are not validated."""
    found = session.rows(_CONSTRAINTS, "the constraints", {"tables": list(tables)})
    return tuple(Constraint(*row) for row in found)


def _asked_for(table: str, scope: TargetScope) -> bool:
    wanted = not scope.tables or any(fnmatchcase(table, pattern) for pattern in scope.tables)
    return wanted and not any(fnmatchcase(table, pattern) for pattern in scope.exclude)
