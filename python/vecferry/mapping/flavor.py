"""What kind of server the source is: MySQL or MariaDB, which version, and what its `information_schema` has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vecferry.mapping.checks import Abilities


@dataclass(frozen=True, slots=True)
class Flavor:
    """A server's version in its own words and as numbers."""

    text: str
    mariadb: bool
    version: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> Flavor:
        """Reads what `SELECT VERSION()` says: `8.4.2`, `10.11.19-MariaDB-log`, `5.5.5-10.4.1-MariaDB`."""
        mariadb = "mariadb" in text.lower()
        # Replication clients of old expect a MySQL version; MariaDB puts 5.5.5 before its own for them.
        numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text.removeprefix("5.5.5-") if mariadb else text)
        parts = numbers.groups(default="0") if numbers else ("0", "0", "0")
        return cls(text, mariadb, (int(parts[0]), int(parts[1]), int(parts[2])))

    @property
    def quoted_defaults(self) -> bool:
        """Whether `information_schema` prints defaults as SQL: `'draft'`, `NULL`; else it prints values."""
        return self.mariadb and self.version >= (10, 2, 7)

    @property
    def checks(self) -> bool:
        """Whether CHECK constraints can be listed with the table that each belongs to."""
        if not self.mariadb:
            return self.version >= (8, 0, 16)
        return self.version >= (10, 3, 10) or (10, 2, 22) <= self.version < (10, 3, 0)

    @property
    def generation_expressions(self) -> bool:
        """Whether `columns` tells what a generated column is computed from."""
        return self.version >= ((10, 2, 5) if self.mariadb else (5, 7, 6))

    @property
    def srs_ids(self) -> bool:
        """Whether `columns` tells the spatial reference system of a spatial column."""
        return not self.mariadb and self.version >= (8, 0, 11)

    @property
    def geometry_columns(self) -> bool:
        """Whether a view of its own tells the spatial reference systems."""
        return self.mariadb and self.version >= (10, 1, 2)

    @property
    def index_expressions(self) -> bool:
        """Whether an index can be on an expression."""
        return not self.mariadb and self.version >= (8, 0, 13)

    @property
    def visible_indexes(self) -> str | None:
        """The condition that holds of an index that the server may use, where an index can be hidden from it."""
        if self.mariadb:
            return "ignored = 'NO'" if self.version >= (10, 6, 0) else None
        return "is_visible = 'YES'" if self.version >= (8, 0, 0) else None

    @property
    def abilities(self) -> Abilities:
        """What the server can be asked of texts."""
        json, lookaround = ((10, 2, 3), (10, 0, 5)) if self.mariadb else ((5, 7, 8), (8, 0, 4))
        return Abilities(
            json=self.version >= json,
            lookaround=self.version >= lookaround,
            flat_shapes=self.mariadb or self.version < (8, 0, 0),
        )

    @property
    def stale_statistics(self) -> bool:
        """Whether `information_schema` answers with estimates of up to a day ago unless told not to."""
        return not self.mariadb and self.version >= (8, 0, 3)
