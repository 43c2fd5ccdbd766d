"""The vector indexes of a target, whoever made them, as the catalog has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified, quote
from vecferry.mapping.nearest import OPERATORS, Nearest

if TYPE_CHECKING:
    from vecferry.target.connect import Connection

_INDEXES = """
SELECT n.nspname, t.relname, c.relname, m.amname, i.indisvalid AND i.indisready, o.opcname,
  coalesce((SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = i.indkey[0]
      AND i.indkey[0] > 0),
    (SELECT a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = t.oid AND d.refobjsubid > 0 ORDER BY d.refobjsubid LIMIT 1)),
  CASE WHEN i.indkey[0] = 0 THEN pg_get_indexdef(c.oid, 1, false) END,
  format_type(e.atttypid, e.atttypmod), coalesce(pg_get_expr(i.indpred, i.indrelid), ''), t.reltuples::bigint,
  c.relkind = 'I'
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_am m ON m.oid = c.relam
JOIN pg_opclass o ON o.oid = i.indclass[0]
JOIN pg_attribute e ON e.attrelid = c.oid AND e.attnum = 1
WHERE m.amname IN ('hnsw', 'ivfflat') AND n.nspname = %(schema)s AND t.relpersistence <> 't'
ORDER BY t.relname, c.relname
"""

_KEY = """
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass(%(table)s) AND i.indisprimary AND i.indnkeyatts = 1
"""

_CLASS = re.compile(r"(?P<kind>vector|halfvec)_(?P<distance>[a-z0-9]+)_ops")


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """An HNSW or IVFFlat index."""

    schema: str
    table: str
    name: str
    method: str
    """`hnsw` or `ivfflat`."""
    valid: bool
    operator_class: str
    column: str
    expression: str | None
    """What it is on, where that is not the column itself."""
    type: str
    """The indexed type in full, e.g. `vector(1536)`."""
    predicate: str
    """Of a partial index; empty for a whole one."""
    rows: int
    """PostgreSQL's estimate for the table; -1 where it was never analyzed."""
    partitioned: bool
    """Whether it holds nothing itself: its partitions are indexes of their own."""

    @property
    def distance(self) -> str | None:
        """The distance that it serves, a key of `OPERATORS`; None for bits and sparse vectors."""
        found = _CLASS.fullmatch(self.operator_class)
        return found["distance"] if found and found["distance"] in OPERATORS else None

    @property
    def dimensions(self) -> int:
        """Of the indexed type; 0 where it names none."""
        found = re.search(r"\((\d+)\)$", self.type)
        return int(found[1]) if found else 0

    @property
    def nearest(self) -> Nearest | None:
        """The queries that it serves; None for bits and sparse vectors."""
        distance = self.distance
        if distance is None:
            return None
        column = quote(self.column)
        operand = f"({self.expression})" if self.expression else column
        return Nearest(qualified(self.schema, self.table), column, operand, self.type, distance, self.predicate)


def read_vector_indexes(target: Connection, schema: str) -> tuple[VectorIndex, ...]:
    """Returns the HNSW and IVFFlat indexes of a schema's tables.

    Raises:
        psycopg.Error: the server refused the query.
    """
    return tuple(VectorIndex(*row) for row in target.execute(_INDEXES, {"schema": schema}))


def key_of(target: Connection, schema: str, table: str) -> str | None:
    """Returns the column of a table's primary key, None where there is none or it has several."""
    found = target.execute(_KEY, {"table": qualified(schema, table)}).fetchone()
    return str(found[0]) if found else None
