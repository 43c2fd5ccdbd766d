"""Fills a MySQL or MariaDB database with the sample application's tables.

The same seed gives the same bytes, and a row does not depend on how many rows there are. Run it as
`python -m vecferry.demo.sample --url mysql://user:password@host:port/database --rows 1000`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING

import pymysql

from vecferry.demo.jsnumber import vector_texts
from vecferry.demo.sample_rows import COLUMNS, Binary, Counts, content_row, embedding_row, job_row, media_row
from vecferry.demo.sample_text import TOPICS
from vecferry.demo.sample_vectors import (
    BLOCK,
    DIMENSIONS,
    SEED,
    content_of,
    topic_of,
    topic_query_vector,
    vector_of,
    vectors_of_block,
)
from vecferry.demo.urls import connect_mysql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vecferry.demo.sample_rows import Row, Value
    from vecferry.demo.urls import MySQLConnection

    Progress = Callable[[int, int], None]

__all__ = [
    "DIMENSIONS",
    "SEED",
    "TOPICS",
    "Counts",
    "content_of",
    "create_schema",
    "fill",
    "topic_of",
    "topic_query_vector",
    "vector_of",
]

# Below the smallest max_allowed_packet a server is likely to have: MySQL 5.6's default is 4 MiB.
STATEMENT_BYTES = 3_500_000
COMMIT_BYTES = 32_000_000


def create_schema(connection: MySQLConnection) -> None:
    """Create the sample application's four tables, empty, in the connection's database."""
    script = resources.files("vecferry.demo").joinpath("athena.sql").read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        for statement in script.split(";\n"):
            if statement.strip():
                cursor.execute(statement)


def fill(
    target: MySQLConnection | str,
    *,
    rows: int,
    seed: int = SEED,
    dimensions: int = DIMENSIONS,
    progress: Progress | None = None,
) -> Counts:
    """Create the tables and fill them.

    The rows of a statement are made while the server stores those of the one before; no more than these are held
    in memory.

    Args:
        target: A connection with the empty database selected, or its URL. The connection's time zone and
            transaction settings are changed.
        rows: How many rows content_embedding gets; the other tables follow in proportion.
        seed: Another seed, another sample.
        dimensions: How long the vectors are.
        progress: Called with the rows of content_embedding written so far and `rows`.

    Returns:
        How many rows each table has.
    """
    if isinstance(target, str):
        with closing(connect_mysql(target)) as connection:
            return fill(connection, rows=rows, seed=seed, dimensions=dimensions, progress=progress)
    create_schema(target)
    counts = Counts.of(rows)
    target.autocommit(False)
    with target.cursor() as cursor:
        cursor.execute("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'")
    tables = {
        "meta_media": (media_row(number, seed) for number in range(1, counts.meta_media + 1)),
        "content": (content_row(number, seed) for number in range(1, counts.content + 1)),
        "content_embedding": _embedding_rows(rows, seed, dimensions),
        "qa_jobs": (job_row(number, seed) for number in range(1, counts.qa_jobs + 1)),
    }
    with ThreadPoolExecutor(1) as pool:
        for table, table_rows in tables.items():
            vectors = table == "content_embedding"
            # The server looks at every character of a text in utf8mb4 one by one, and takes bytes as they are:
            # half its time. A JSON column of MySQL refuses bytes.
            target.query("SET NAMES binary" if vectors else "SET NAMES utf8mb4")
            for written in _insert(target, pool, table, table_rows):
                if vectors and progress is not None:
                    progress(written, rows)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m vecferry.demo.sample", description=__doc__)
    parser.add_argument("--url", required=True, help="mysql://user:password@host:port/database, an empty one")
    parser.add_argument("--rows", type=int, default=1000, help="rows in content_embedding (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed, another sample (%(default)s)")
    parser.add_argument("--dimensions", type=int, default=DIMENSIONS, help="length of a vector (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        counts = fill(
            options.url,
            rows=options.rows,
            seed=options.seed,
            dimensions=options.dimensions,
            progress=_show if sys.stderr.isatty() else None,
        )
    except pymysql.MySQLError as error:
        sys.stderr.write(f"The sample could not be written: {error}\n")
        return 2
    text = ", ".join(f"{count} {table}" for table, count in asdict(counts).items())
    sys.stderr.write(f"Wrote {text}.\n")
    return 0


def _embedding_rows(rows: int, seed: int, dimensions: int) -> Iterator[Row]:
    for block in range(-(-rows // BLOCK)):
        first = block * BLOCK + 1
        vectors = vectors_of_block(block, seed=seed, dimensions=dimensions)[: rows - first + 1]
        for number, text in enumerate(vector_texts(vectors), first):
            yield embedding_row(number, seed, text)


def _insert(connection: MySQLConnection, pool: ThreadPoolExecutor, table: str, rows: Iterator[Row]) -> Iterator[int]:
    """Insert rows, in transactions of bounded size; yield how many are written after each statement."""
    head = f"INSERT INTO `{table}` ({COLUMNS[table]}) VALUES\n".encode()
    written = uncommitted = 0
    sent: Future[int] | None = None
    for values in _batches(rows):
        if sent is not None:
            written += sent.result()
            yield written
            if uncommitted >= COMMIT_BYTES:
                connection.commit()
                uncommitted = 0
        statement = head + b",\n".join(values)
        uncommitted += len(statement)
        sent = pool.submit(connection.query, statement)
    if sent is not None:
        written += sent.result()
    connection.commit()
    yield written


def _batches(rows: Iterator[Row]) -> Iterator[list[bytes]]:
    """Yield the rows' SQL texts, as many at a time as a statement holds."""
    batch: list[bytes] = []
    size = 0
    for row in rows:
        text = b"(%b)" % b",".join(map(_literal, row))
        if batch and size + len(text) > STATEMENT_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text) + len(b",\n")
    if batch:
        yield batch


def _literal(value: Value) -> bytes:
    """Return a value as SQL; PyMySQL's own escaping would copy each vector three times."""
    if value is None:
        return b"NULL"
    if isinstance(value, Binary):
        return b"X'%b'" % value.hex().encode()
    if isinstance(value, bytes):
        return b"'%b'" % value
    if isinstance(value, str):
        return b"'%b'" % value.replace("\\", "\\\\").replace("'", "\\'").encode()
    if isinstance(value, date):
        return f"'{value}'".encode()
    return repr(value).encode()


def _show(written: int, rows: int) -> None:
    sys.stderr.write(f"\r{written:,} of {rows:,} rows" + ("\n" if written == rows else ""))


if __name__ == "__main__":
    sys.exit(main())
