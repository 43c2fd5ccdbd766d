"""Settings of the target's server that decide how indexes are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.target.connect import Connection

_GIB = 1024**3
_WORKERS = """
SELECT current_setting('max_parallel_maintenance_workers')::int, current_setting('max_parallel_workers')::int
"""


def memory_for_indexes(connection: Connection, asked: int | None) -> int:
    """Returns the most that `maintenance_work_mem` may be set to, in bytes.

    Args:
        connection: an open connection.
        asked: what the user said; None takes the server's `shared_buffers`, which say how much memory its owner gave
            it, and at least 1 GiB.

    Raises:
        psycopg.Error: the server refused a query.
    """
    if asked:
        return asked
    row = connection.execute("SELECT pg_size_bytes(current_setting('shared_buffers'))").fetchone()
    return max(_GIB, int(row[0]) if row else 0)


def parallel_workers(connection: Connection, wanted: int) -> int:
    """Returns how many parallel workers an index build can have if it asks for `wanted`.

    Raises:
        psycopg.Error: the server refused a query.
    """
    own, limit = connection.execute(_WORKERS).fetchone() or (0, 0)
    return min(max(int(own), wanted), int(limit))
