"""The server: versions, settings, the age of its statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.facts import Server
from vecferry.mapping.identifiers import quote
from vecferry.target import ledger

if TYPE_CHECKING:
    from vecferry.doctor.read.session import Session

_SERVER = """
SELECT current_setting('server_version'), current_database(), current_user,
  extract(epoch FROM clock_timestamp() - coalesce(
    (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()), pg_postmaster_start_time()))::float8
"""

_PGVECTOR = """
SELECT e.extversion, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector'
"""

_AVAILABLE = "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"

_SIZES = (
    "shared_buffers", "effective_cache_size", "maintenance_work_mem", "min_parallel_table_scan_size",
)  # fmt: skip
_SETTINGS = f"""
SELECT name, CASE WHEN name IN {_SIZES} THEN pg_size_bytes(current_setting(name))::text ELSE setting END, source
FROM pg_settings WHERE name IN {_SIZES}
  OR name IN ('autovacuum', 'track_counts', 'max_parallel_maintenance_workers', 'hnsw.ef_search',
    'hnsw.iterative_scan')
"""


def read_server(session: Session) -> Server:
    """Reads what the server says of itself."""
    [(version, database, user, seconds)] = session.connection.execute(_SERVER).fetchall()
    pgvector = session.rows(_PGVECTOR, "the extension vector")
    installed, schema = pgvector[0] if pgvector else (None, "")
    if installed:
        # Its settings are there once its library is.
        session.rows(f"SELECT '[1]'::{quote(schema)}.vector", "the settings of pgvector")
    available = session.rows(_AVAILABLE, "the extensions that the server has at hand")
    settings = session.rows(_SETTINGS, "the server's settings")
    return Server(
        version=version.split(" ")[0],
        database=database,
        user=user,
        settings={name: value for name, value, _ in settings},
        sources={name: source for name, _, source in settings},
        statistics_seconds=float(seconds),
        pgvector=installed,
        schema=schema,
        available=available[0][0] if available else None,
        running=ledger.held(session.connection),
    )
