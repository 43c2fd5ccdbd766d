"""What the rows say: vectors, texts, and how far sequences are behind; large tables are sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from vecferry.convert.embeddings import census
from vecferry.doctor.facts import Sequence, TextSample, VectorSample, shown
from vecferry.mapping.identifiers import qualified, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.doctor.facts import Column, Table
    from vecferry.doctor.read.session import Session

FULL_PAGES = 16 * 1024
"""A table of no more pages (128 MB) is read in full; of a larger one about as many pages are."""
MOST_ROWS = 20_000
TEXTS_GLANCED = 1000
TEXTS_READ = 200
LONGEST_TEXT = 1024 * 1024
"""A longer value is no embedding: 16,000 numbers are less than 600 KB of JSON."""

# A column's own sequence (serial, identity), and those that its default draws from without owning them.
_SEQUENCES = """
WITH found AS (
  SELECT d.refobjid AS relation, d.refobjsubid AS number, d.objid AS sequence FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND d.refobjsubid > 0
  UNION
  SELECT f.adrelid, f.adnum, d.refobjid FROM pg_attrdef f
  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
)
SELECT found.relation::bigint, a.attname, n.nspname, c.relname, q.seqincrement, q.seqmax
FROM found JOIN pg_sequence q ON q.seqrelid = found.sequence
JOIN pg_class c ON c.oid = found.sequence JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = found.relation AND a.attnum = found.number
WHERE found.relation = ANY(%(tables)s::oid[]) AND q.seqincrement > 0
  AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype)
ORDER BY n.nspname, c.relname, a.attname
"""

_NORMS = {"vector": "vector_norm", "halfvec": "l2_norm", "sparsevec": "l2_norm"}


def sample_vectors(session: Session, table: Table, column: Column, schema: str) -> VectorSample | None:
    """Counts NULLs, dimensions and zero vectors of a column; None where the server did not say.

    Args:
        session: the session.
        table: the table.
        column: its column.
        schema: that of the extension vector.
    """
    clause, limit, sampled = _part(table, MOST_ROWS)
    dimensions = "split_part(v::text, '/', 2)::int" if column.kind == "sparsevec" else f"{quote(schema)}.vector_dims(v)"
    query = (
        f"SELECT d, count(*), count(*) FILTER (WHERE norm = 0) FROM (SELECT {dimensions} AS d,"
        f" {quote(schema)}.{_NORMS[column.kind]}(v) AS norm FROM (SELECT {quote(column.name)} AS v"
        f" FROM {table.place}{clause}{limit}) AS part) AS seen GROUP BY d ORDER BY 2 DESC, 1"
    )
    found = session.rows(query, f"the vectors of {shown(table.schema, table.name, column.name)}")
    if not found:
        return None
    return VectorSample(
        rows=sum(count for _, count, _ in found),
        nulls=sum(count for length, count, _ in found if length is None),
        dimensions=tuple((length, count) for length, count, _ in found if length is not None),
        zeros=sum(zeros for length, _, zeros in found if length is not None),
        sampled=sampled,
    )


def sample_texts(session: Session, table: Table, column: Column) -> TextSample | None:
    """Looks whether a text column holds lists of numbers; None where none of its values looks like one."""
    clause, _, sampled = _part(table, TEXTS_GLANCED)
    texts = (
        f"(SELECT {quote(column.name)}::text AS v FROM {table.place}{clause}"
        f" WHERE {quote(column.name)} IS NOT NULL LIMIT {TEXTS_GLANCED}) AS part"
    )
    like = f"ltrim(left(v, 32)) ~ '^[[{{]' AND octet_length(v) <= {LONGEST_TEXT}"
    what = f"the texts of {shown(table.schema, table.name, column.name)}"
    glance = session.rows(f"SELECT count(*), count(*) FILTER (WHERE {like}) FROM {texts}", what)
    if not glance or not glance[0][1]:
        return None
    values, likely = glance[0]
    rows = session.rows(f"SELECT v FROM {texts} WHERE {like} LIMIT {TEXTS_READ}", what)
    seen = census(pa.array([row[0] for row in rows], pa.large_string()))
    read = f"{len(rows):,} of its values were read" if values == TEXTS_GLANCED or likely > len(rows) else ""
    return TextSample(values - likely + len(rows), seen.objects, seen.arrays, seen.dimensions, read or sampled)


def read_sequences(session: Session, tables: Iterable[Table]) -> tuple[Sequence, ...]:
    """Returns the sequences of the tables' columns, with what each would give next."""
    places = {table.oid: table for table in tables if not table.partition}
    found = []
    rows = session.rows(_SEQUENCES, "the sequences", {"tables": list(places)})
    for relation, column, schema, name, step, last in rows:
        state = session.rows(f"SELECT last_value, is_called FROM {qualified(schema, name)}", f"{shown(schema, name)}")
        table = places[relation]
        what = f"the greatest {shown(table.schema, table.name, column)}"
        highest = session.rows(f"SELECT max({quote(column)}) FROM {table.place}", what)
        if state and highest:
            value, called = state[0]
            top = None if highest[0][0] is None else int(highest[0][0])
            found.append(Sequence(schema, name, relation, column, value + step if called else value, top, last))
    return tuple(found)


def _part(table: Table, rows: int) -> tuple[str, str, str]:
    """Returns the TABLESAMPLE and the LIMIT that keep a read of a large table small, and how to tell of it.

    A sample of pages is cheapest, but where the rows' bulk is in TOAST there are few pages, each with many rows:
    there rows are sampled, and those that are not taken leave their TOAST alone.
    """
    size = table.pages + table.toast_pages
    if size <= FULL_PAGES:
        return "", "", ""
    percent = 100 * FULL_PAGES / size
    method = "SYSTEM" if table.pages > FULL_PAGES else "BERNOULLI"
    said = f"a sample of {percent:.2g}% of the table, at most {rows:,} rows"
    return f" TABLESAMPLE {method} ({percent:.4f}) REPEATABLE (1)", f" LIMIT {rows}", said
