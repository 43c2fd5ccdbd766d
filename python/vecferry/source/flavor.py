"""What kind of server the source is: MySQL or MariaDB, and which version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymysql.connections import Connection


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
    def json_checks(self) -> bool:
        """Whether JSON is a text column with a CHECK that `information_schema` lists by table."""
        if not self.mariadb:
            return False
        return self.version >= (10, 3, 10) or (10, 2, 22) <= self.version < (10, 3, 0)

    @property
    def stale_statistics(self) -> bool:
        """Whether `information_schema` answers with estimates of up to a day ago unless told not to."""
        return not self.mariadb and self.version >= (8, 0, 3)


def flavor(connection: Connection[Any]) -> Flavor:
    """Asks the server for its version."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        row = cursor.fetchone()
    return Flavor.parse(str(row[0]) if row else "")
