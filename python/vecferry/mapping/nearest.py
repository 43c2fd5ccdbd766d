"""Nearest-neighbour queries as text: what an index on vectors is asked, and what plan answered; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vecferry.mapping.identifiers import quote

OPERATORS: dict[str, str] = {"cosine": "<=>", "l2": "<->", "ip": "<#>", "l1": "<+>"}
"""pgvector's distance operators, by the word in the name of their operator class."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The texts that queries on an indexed vector are made of."""

    table: str
    """Qualified and quoted."""
    column: str
    """Quoted."""
    operand: str
    """What the index is on: the column, or an expression such as its cast to halfvec."""
    vector: str
    """The type that a query's vector is cast to, e.g. `vector(1536)`."""
    distance: str
    """A key of `OPERATORS`."""
    condition: str = ""
    """The predicate of a partial index, which only serves queries that imply it."""

    @property
    def where(self) -> str:
        """The rows that the index may hold: a scan that sorts would end with the NULLs, which it does not."""
        return f"{self.column} IS NOT NULL" + (f" AND ({self.condition})" if self.condition else "")

    @property
    def norm(self) -> str:
        """The Euclidean norm of a stored vector."""
        return f"{'vector_norm' if self.vector.startswith('vector') else 'l2_norm'}({self.operand})"

    def distances(self, limit: int) -> bytes:
        """The distances of the `limit` nearest, in the order that the index or the sort has them.

        `%(vector)s` is the query's vector as text.
        """
        return self._query(self._order, limit)

    def ids(self, key: str, limit: int) -> bytes:
        """The values of the column `key` of the `limit` nearest, as text; `%(vector)s` as in `distances`."""
        return self._query(f"{_escaped(quote(key))}::text", limit)

    @property
    def _order(self) -> str:
        return f"{_escaped(self.operand)} {OPERATORS[self.distance]} %(vector)s::{self.vector}"

    def _query(self, chosen: str, limit: int) -> bytes:
        rows = f"{_escaped(self.table)} WHERE {_escaped(self.where)}"
        return f"SELECT {chosen} FROM {rows} ORDER BY {self._order} LIMIT {limit}".encode()

    def sample(self, share: float, limit: int, seed: int) -> bytes:
        """Some stored vectors as text, the same each time.

        A vector of zeros is left out: it has no direction and, under cosine, no place in the index.

        Args:
            share: of the rows that are looked at, in percent.
            limit: how many are wanted.
            seed: chooses the rows.
        """
        # Sampled rows come in the table's order: the first of them alone would be its oldest.
        return (
            f"SELECT {self.operand}::text FROM {self.table} TABLESAMPLE BERNOULLI ({share:.6f}) REPEATABLE ({seed})"
            f" WHERE {self.where} AND {self.norm} > 0 ORDER BY md5(ctid::text) LIMIT {limit}"
        ).encode()


def indexes_of(plan: Any) -> set[str]:  # noqa: ANN401 - EXPLAIN's JSON
    """Returns the names of the indexes in a plan of `EXPLAIN (FORMAT JSON)`."""
    if isinstance(plan, list):
        return set().union(*(indexes_of(item) for item in plan))
    if isinstance(plan, dict):
        own = {str(plan["Index Name"])} if "Index Name" in plan else set()
        return own.union(*(indexes_of(value) for value in plan.values()))
    return set()


def _escaped(sql: str) -> str:
    """A percent sign of a name or a predicate is none of psycopg's placeholders."""
    return sql.replace("%", "%%")
