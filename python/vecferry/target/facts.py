"""What the target tells for the report: its settings, the norms of its vectors, the state of its indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified, quote

if TYPE_CHECKING:
    from vecferry.model import EmbeddingSpec
    from vecferry.target.connect import Connection

NORMS = 20_000
"""Most rows whose norms are computed; larger tables are sampled by their pages."""
SECONDS = 20
"""Most time that one question may take."""

_SETTINGS = (
    "server_encoding", "TimeZone", "shared_buffers", "maintenance_work_mem", "max_parallel_maintenance_workers",
    "max_parallel_workers", "max_wal_size", "wal_level", "hnsw.ef_search",
)  # fmt: skip
_DATABASE = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
_EXTENSIONS = """
SELECT extname, extversion FROM pg_extension WHERE extname IN ('vector', 'citext', 'postgis') ORDER BY extname DESC
"""


@dataclass(frozen=True, slots=True)
class Norms:
    """What sampled rows of a vector column hold."""

    rows: int
    complete: bool
    """Whether these are all rows of the table."""
    nulls: int
    norms: tuple[float, ...]
    dimensions: dict[str, int]


def bound(connection: Connection) -> None:
    """Lets no question of the session change anything or take long.

    Raises:
        psycopg.Error: the server refused.
    """
    connection.execute(f"SET statement_timeout = '{SECONDS}s'".encode())
    connection.execute("SET default_transaction_read_only = on")


def settings(connection: Connection) -> tuple[str, dict[str, str]]:
    """Returns the server's version, and its settings that matter for a load and its indexes.

    Raises:
        psycopg.Error: the server refused a query.
    """
    found: dict[str, str] = {}
    for name, version in connection.execute(_EXTENSIONS):
        found["pgvector" if name == "vector" else str(name)] = str(version)
    if "pgvector" in found:
        connection.execute("SELECT '[1]'::vector")  # its settings are there once its library is
    collation = connection.execute(_DATABASE).fetchone()
    found["collation"] = str(collation[0]) if collation else ""
    names = connection.execute(
        "SELECT s.name, CASE WHEN s.name = 'TimeZone' THEN s.reset_val ELSE current_setting(s.name) END"
        " FROM pg_settings s WHERE s.name = ANY (%s) ORDER BY array_position(%s, s.name)",
        [list(_SETTINGS), list(_SETTINGS)],
    )
    found |= {str(name): str(value) for name, value in names}
    found["encrypted connection"] = "yes" if connection.pgconn.ssl_in_use else "no"
    [version] = connection.execute("SELECT current_setting('server_version')").fetchone() or ("",)
    return f"PostgreSQL {version}", found


def norms(connection: Connection, schema: str, spec: EmbeddingSpec, rows: int) -> Norms:
    """Returns the norms of a vector column, of all rows or of pages drawn at random, the same in every call.

    Args:
        connection: an open connection.
        schema: the target schema.
        spec: the embedding column.
        rows: about how many rows the table has.

    Raises:
        psycopg.Error: the server refused the query, or it took too long.
    """
    complete = rows <= NORMS
    share = "" if complete else f" TABLESAMPLE SYSTEM ({100 * 1.2 * NORMS / rows:.6f}) REPEATABLE (1)"
    column = quote(spec.column)
    query = (
        f"SELECT vector_norm({column}), vector_dims({column}) FROM {qualified(schema, spec.table)}{share} LIMIT {NORMS}"
    )
    found = connection.execute(query.encode()).fetchall()
    dimensions: dict[str, int] = {}
    for _, length in found:
        if length is not None:
            dimensions[str(length)] = dimensions.get(str(length), 0) + 1
    values = tuple(float(norm) for norm, _ in found if norm is not None)
    return Norms(len(found), complete and len(found) < NORMS, len(found) - len(values), values, dimensions)


def index_state(connection: Connection, schema: str, index: str) -> tuple[int, bool] | None:
    """Returns the size of an index in bytes and whether it is valid; None where there is none.

    Raises:
        psycopg.Error: the server refused the query.
    """
    row = connection.execute(
        "SELECT pg_relation_size(indexrelid), indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
        [qualified(schema, index)],
    ).fetchone()
    return (int(row[0]), bool(row[1])) if row else None
