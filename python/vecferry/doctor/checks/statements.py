"""The statements that several checks offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import quote

if TYPE_CHECKING:
    from vecferry.doctor.facts import Column, Index, Table

MOST_DIMENSIONS = {"vector": 2000, "halfvec": 4000}
"""What HNSW and IVFFlat take (https://github.com/pgvector/pgvector#hnsw); of a sparsevec only what is not 0 counts."""
MOST_HALFVEC = 4000


def create_hnsw(table: Table, column: Column, schema: str, distance: str = "cosine") -> str:
    """Returns the statement that makes an HNSW index on a column, over halfvec or bits where it is too long.

    Args:
        table: the table.
        column: a vector column with declared dimensions.
        schema: that of the extension vector.
        distance: `cosine`, `l2`, `ip` or `l1`; over bits it is always Hamming.
    """
    name, own = quote(column.name), quote(schema)
    kind, key = column.kind, name
    length = column.dimensions or 0
    if length > MOST_DIMENSIONS.get(kind, length):
        if length <= MOST_HALFVEC:
            kind, key = "halfvec", f"(({name})::{own}.halfvec({length}))"
        else:
            kind, key, distance = "bit", f"(({own}.binary_quantize({name}))::bit({length}))", "hamming"
    return f"CREATE INDEX {_online(table)}ON {table.place} USING hnsw ({key} {own}.{kind}_{distance}_ops)"


def drop_index(index: Index) -> str:
    """Returns the statement that drops an index, without keeping writers waiting where that is possible."""
    return f"DROP INDEX {'' if index.partitioned else 'CONCURRENTLY '}{index.place}"


def reindex(index: Index) -> str:
    """Returns the statement that builds an index anew without keeping writers waiting."""
    return f"REINDEX INDEX CONCURRENTLY {index.place}"


def _online(table: Table) -> str:
    return "" if table.partitioned else "CONCURRENTLY "
