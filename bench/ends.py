"""The two ends of a measurement: private servers, the source's rows, a fresh target database for every run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

import numpy as np
from psycopg import sql

from vecferry.demo import sample
from vecferry.demo.sample_vectors import BLOCK, DIMENSIONS, SEED, vectors_of_block
from vecferry.demo.servers import MariaDB, Postgres, start_all, stop_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.say import Say

MARIADB_SETTINGS = {
    # 20,000 embeddings stay in memory, so that no disk is measured.
    "innodb-buffer-pool-size": "2G",
    # What the fill left in memory is written in seconds, not at 200 pages a second.
    "innodb-io-capacity": "20000",
    "innodb-io-capacity-max": "40000",
}
"""Beyond those of the demo."""

TARGET = "bench"
FLUSH_SECONDS = 180


class WrongResultError(RuntimeError):
    """A run's rows are not those of the sample: its figures are worth nothing."""


@dataclass(frozen=True)
class Source:
    """A filled database."""

    url: str
    rows: int
    """Of `content_embedding`; `counts` has those of every table."""
    counts: dict[str, int]
    json_bytes: int
    digest: str
    """Of all vectors, as `Ends.digest` computes it in the target."""


class Ends:
    """One MariaDB and one PostgreSQL for the whole benchmark."""

    def __init__(self, say: Say, keep: Path | None) -> None:
        self._say = say
        self.mariadb = MariaDB(settings=MARIADB_SETTINGS, directory=keep / "mariadb" if keep else None)
        self.postgres = Postgres()

    def __enter__(self) -> Self:
        self._say("starting MariaDB and PostgreSQL")
        start_all((self.mariadb, self.postgres))
        return self

    def __exit__(self, *_: object) -> None:
        self._say("stopping the servers")
        stop_all((self.mariadb, self.postgres))

    @property
    def pids(self) -> dict[str, int]:
        """The servers' process ids by the names that figures have."""
        return {"mariadb": self.mariadb.pid, "postgres": self.postgres.pid}

    def source(self, rows: int) -> Source:
        """Returns the sample with so many embeddings, filled unless an earlier run left it."""
        name = f"bench_{rows}"
        counts = asdict(sample.Counts.of(rows))
        if self._counts_of(name) != counts:
            self._say(f"filling the source with {rows:,} embeddings")
            self._query(f"DROP DATABASE IF EXISTS `{name}`")
            sample.fill(self.mariadb.create_database(name), rows=rows)
        self._settle(name)
        [(size,)] = self._query(f"SELECT SUM(LENGTH(embedding)) FROM `{name}`.content_embedding")
        return Source(self.mariadb.url_of(name), rows, counts, int(size), expected_digest(rows))

    def dump(self, source: Source, path: Path) -> Path:
        """Writes a dump of the source by the server's own program."""
        parts = urlsplit(source.url)
        command = ["mariadb-dump", "--no-defaults", "--protocol=tcp", f"--host={parts.hostname}",
                   f"--port={parts.port}", f"--user={parts.username}", "--single-transaction",
                   parts.path.removeprefix("/")]  # fmt: skip
        with path.open("wb") as file:
            environment = {**os.environ, "MYSQL_PWD": unquote(parts.password or "")}
            subprocess.run(command, stdout=file, env=environment, check=True)
        return path

    @contextmanager
    def target(self, name: str = TARGET) -> Iterator[str]:
        """Makes an empty database and gives its URL; afterwards it is dropped.

        The checkpoint leaves nothing of the run before to be written at this one's cost.
        """
        url = self.postgres.create_database(name)
        try:
            with self.postgres.connect() as connection:
                connection.execute("CHECKPOINT")
            yield url
        finally:
            with self.postgres.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def check(self, source: Source, what: str) -> None:
        """Compares the target with what the sample is known to hold, without the tool under test.

        Raises:
            WrongResultError: rows are missing or a vector differs in a single bit.
        """
        with self.postgres.connect(TARGET) as connection:
            for table, count in source.counts.items():
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table))
                row = connection.execute(query).fetchone()
                if row != (count,):
                    raise WrongResultError(f"{what} left {row} rows in {table} instead of {count}")
            row = connection.execute(
                "SELECT md5(string_agg(md5(vector_send(embedding)), '' ORDER BY id)) FROM public.content_embedding"
            ).fetchone()
            if row != (source.digest,):
                raise WrongResultError(f"{what} left other vectors than the sample has")

    def settings(self) -> dict[str, dict[str, str]]:
        """Returns the servers' settings that weigh on the figures, as the servers tell them."""
        names = ("fsync", "full_page_writes", "synchronous_commit", "wal_level", "shared_buffers", "max_wal_size")
        with self.postgres.connect() as connection:
            rows = connection.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(names)]
            ).fetchall()
        wanted = ("innodb_buffer_pool_size", "innodb_flush_method", "innodb_flush_log_at_trx_commit", "log_bin")
        quoted = ", ".join(f"'{name}'" for name in wanted)
        found = self._query(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({quoted})")
        return {
            "postgres": {str(name): str(value) for name, value in sorted(rows)},
            "mariadb": {str(name): str(value) for name, value in found},
        }

    def versions(self) -> dict[str, str]:
        """Returns the versions of the servers and of pgvector."""
        [(mariadb,)] = self._query("SELECT VERSION()")
        with self.postgres.connect() as connection:
            postgres = connection.execute("SHOW server_version").fetchone()
            vector = connection.execute(
                "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
            ).fetchone()
        return {
            "MariaDB": str(mariadb),
            "PostgreSQL": str((postgres or ("?",))[0]),
            "pgvector": str((vector or "?")[0]),
        }

    def _counts_of(self, name: str) -> dict[str, int]:
        tables = self._query(f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}'")
        return {table: int(self._query(f"SELECT COUNT(*) FROM `{name}`.`{table}`")[0][0]) for (table,) in tables}

    def _settle(self, name: str) -> None:
        """Waits until the server has written what the fill left behind, and has its statistics."""
        for (table,) in self._query(f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}'"):
            self._query(f"ANALYZE TABLE `{name}`.`{table}`")
        [(share,)] = self._query("SELECT @@GLOBAL.innodb_max_dirty_pages_pct")
        self._query("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        deadline = time.monotonic() + FLUSH_SECONDS
        # A few pages of the server's own are always dirty.
        while int(self._query("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0][1]) > 100:
            if time.monotonic() > deadline:
                self._say("MariaDB still writes what the fill left: expect slower first runs")
                break
            time.sleep(0.2)
        self._query(f"SET GLOBAL innodb_max_dirty_pages_pct = {share}")

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        with self.mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


def expected_digest(rows: int) -> str:
    """Computes from the sample's vectors themselves what `Ends.check` computes in the target.

    A vector's bytes are those of pgvector's `vector_send`: int16 dimensions, int16 zero, float32 values, big-endian.
    """
    head = np.array([DIMENSIONS, 0], dtype=">i2").tobytes()
    digest = hashlib.md5(usedforsecurity=False)
    for block in range(-(-rows // BLOCK)):
        vectors = vectors_of_block(block, seed=SEED, dimensions=DIMENSIONS)[: rows - block * BLOCK].astype(">f4")
        for vector in vectors:
            digest.update(hashlib.md5(head + vector.tobytes(), usedforsecurity=False).hexdigest().encode())
    return digest.hexdigest()
