"""What a comparison holds of one side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.compare.diff import concatenated
from vecferry.compare.large import LARGE, SMALL, shrunk

if TYPE_CHECKING:
    import pyarrow as pa

    from vecferry.compare.diff import Rule


class Held:
    """The rows of one side of a chunk, in canonical form.

    Once there is more of them than planned, the limit of values is `SMALL`, for those that are held already, too.

    Args:
        rule: how they are compared.
        most_bytes: how much was planned.
        limit: of values, see `shrunk`.
        losses: whether they are the source's.
    """

    def __init__(self, rule: Rule, most_bytes: int, limit: int = LARGE, *, losses: bool = False) -> None:
        self.limit = limit
        self._rule = rule
        self._most = most_bytes
        self._losses = losses
        self._tables: list[pa.Table] = []
        self._bytes = 0

    def add(self, rows: pa.Table) -> None:
        """Takes further rows."""
        rows = shrunk(self._rule, rows, self.limit, losses=self._losses)
        self._tables.append(rows)
        self._bytes += rows.nbytes
        if self._bytes > self._most:
            self.limit_to(SMALL)

    def limit_to(self, limit: int) -> None:
        """Holds no values of more than `limit` bytes from now on."""
        if limit < self.limit:
            self.limit = limit
            self._tables = [shrunk(self._rule, rows, limit, losses=self._losses) for rows in self._tables]

    def rows(self) -> pa.Table:
        """Gives the rows away, as one table."""
        tables, self._tables = self._tables, []
        return concatenated(self._rule.pairs, tables)
