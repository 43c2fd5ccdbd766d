"""Memory is bounded by workers and chunk bytes, whatever the rows: the command line under a limit, and its peak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.integration.client import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from tests.integration.client import Ended
    from vecferry.demo.servers import MariaDB
    from vecferry.demo.urls import MySQLConnection

MB = 1_000_000
DISTINCT = 50
TEXT_BYTES = 42_000
SMALL_CHUNKS = ("--workers", "2", "--chunk-bytes", "2MiB")
MOST_OF_SMALL_CHUNKS = 280 * MB
"""Of which some 150 MB are the program and its libraries, without any row."""
MOST = 700 * MB


def fill_embeddings(connection: MySQLConnection, size: int) -> int:
    """Fills a table `e` with so many bytes of JSON and returns the number of rows."""
    random = np.random.default_rng(1)
    texts = []
    for _ in range(DISTINCT):
        text = json.dumps({str(i): float(value) for i, value in enumerate(random.standard_normal(1536, np.float32))})
        texts.append((text[:-1].ljust(TEXT_BYTES - 1) + "}",))
    rows = size // TEXT_BYTES
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE texts (id int AUTO_INCREMENT PRIMARY KEY, embedding longtext)")
        cursor.executemany("INSERT INTO texts (embedding) VALUES (%s)", texts)
        cursor.execute("CREATE TABLE e (id int AUTO_INCREMENT PRIMARY KEY, embedding longtext NOT NULL)")
        cursor.execute(
            f"INSERT INTO e (embedding) SELECT embedding FROM seq_1_to_{rows} JOIN texts ON id = seq % {DISTINCT} + 1"
        )
    return rows


def fill_keyless(connection: MySQLConnection, size: int) -> int:
    """Fills a table `k` without a key with so many bytes and returns the number of rows."""
    rows = size // 1000
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE k (n int, price decimal(12, 2), at datetime, words varchar(2000))")
        cursor.execute(
            "INSERT INTO k SELECT seq, seq / 100, '2024-01-02 03:04:05' + INTERVAL seq SECOND, RPAD(seq, 960, 'words ')"
            f" FROM seq_1_to_{rows}"
        )
    return rows


def fill_skewed(connection: MySQLConnection, small: int, large: tuple[tuple[int, int], ...]) -> None:
    """Fills a table `s` with `small` rows and, together in their middle, large ones: (how many, of how many bytes)."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE s (id int PRIMARY KEY, words longtext, raw longblob)")
        first = small // 2
        cursor.execute(f"INSERT INTO s SELECT IF(seq <= {first}, seq, seq + 1000), 'few', NULL FROM seq_1_to_{small}")
        for count, size in large:
            for number in range(count):
                words, raw = (
                    (f"REPEAT('é', {size // 2})", "NULL") if number % 2 else ("NULL", f"REPEAT('\\0z', {size // 2})")
                )
                first += 1
                cursor.execute(f"INSERT INTO s VALUES ({first}, {words}, {raw})")


def carried(ended: Ended) -> int:
    assert ended.code == 0, ended.words
    return sum(table["rows_target"] for table in ended.report["tables"])


def same_digests(mysql: MySQLConnection, postgres: PostgresDatabase, table: str, least: int) -> None:
    """Compares the values of more than `least` bytes."""
    size = "coalesce(octet_length(words), octet_length(raw))"
    query = f"SELECT id, md5(words), md5(raw) FROM {table} WHERE {size} > {least} ORDER BY id"
    with mysql.cursor() as cursor:
        cursor.execute(query)
        there = list(cursor.fetchall())
    assert postgres.rows(query) == there
    assert there


def test_tables_are_not_held_whole(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    connection = mysql.connect()
    rows = fill_embeddings(connection, 200 * MB) + fill_keyless(connection, 100 * MB) + DISTINCT

    ended = call(mysql.url, postgres.url, tmp_path, *SMALL_CHUNKS, "--no-index", most_bytes=MOST_OF_SMALL_CHUNKS)

    assert carried(ended) == rows
    assert ended.peak_bytes < MOST_OF_SMALL_CHUNKS
    assert postgres.rows("SELECT count(DISTINCT embedding), min(vector_dims(embedding)) FROM e") == [(DISTINCT, 1536)]


def test_a_chunk_is_not_held_whole_where_rows_are_far_from_the_mean(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path
) -> None:
    connection = mysql.connect()
    fill_skewed(connection, 20_000, ((100, MB), (2, 10 * MB)))

    ended = call(mysql.url, postgres.url, tmp_path, *SMALL_CHUNKS, most_bytes=MOST_OF_SMALL_CHUNKS)

    assert carried(ended) == 20_102
    assert ended.peak_bytes < MOST_OF_SMALL_CHUNKS
    same_digests(connection, postgres, "s", 1000)


def test_values_of_64_mb(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    connection = mysql.connect()
    fill_skewed(connection, 10, ((2, 64 * MB),))
    mysql.execute("CREATE TABLE j (id int PRIMARY KEY, value json)")
    mysql.execute("""INSERT INTO j VALUES (1, CONCAT('["', REPEAT('x', 63999996), '"]'))""")

    ended = call(mysql.url, postgres.url, tmp_path, "--workers", "2", most_bytes=MOST)

    assert carried(ended) == 13
    assert ended.peak_bytes < MOST
    same_digests(connection, postgres, "s", 1000)
    assert postgres.rows("SELECT length(value->>0) FROM j") == [(63_999_996,)]


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
def test_a_value_that_the_server_would_make_null_is_refused(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase, tmp_path: Path, key: str
) -> None:
    # An expression's result beyond max_allowed_packet is NULL; a text that is cleaned of NUL is an expression.
    server = private_mariadb()
    url = server.create_database("small")
    with server.connect("small").cursor() as cursor:
        cursor.execute(f"CREATE TABLE t (id int {key}, v longtext)")
        cursor.execute("INSERT INTO t VALUES (1, 'a\\0b'), (2, REPEAT('x', 1500000))")
        cursor.execute("SET GLOBAL max_allowed_packet = 1048576")

    ended = call(url, postgres.url, tmp_path, "--on", "nul-byte=replace")

    assert ended.code == 3
    assert "table t" in ended.words
    assert "raise max_allowed_packet on the source" in ended.words
    assert postgres.rows("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_gigabyte_under_700_mb(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase, tmp_path: Path
) -> None:
    server = private_mariadb()
    url = server.create_database("big")
    connection = server.connect("big")
    rows = fill_embeddings(connection, 1000 * MB) + fill_keyless(connection, 1000 * MB) + DISTINCT

    ended = call(url, postgres.url, tmp_path, "--workers", "2", "--no-index", most_bytes=MOST)

    assert carried(ended) == rows
    assert ended.peak_bytes < MOST


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_rows_of_64_mb_in_one_chunk_under_700_mb(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase, tmp_path: Path
) -> None:
    server = private_mariadb()
    url = server.create_database("big")
    connection = server.connect("big")
    fill_skewed(connection, 100_000, ((20, 64 * MB),))

    ended = call(url, postgres.url, tmp_path, "--workers", "2", most_bytes=MOST)

    assert carried(ended) == 100_020
    assert ended.peak_bytes < MOST
    same_digests(connection, postgres, "s", 1000)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_value_that_jsonb_cannot_hold_is_named(
    private_mariadb: Callable[..., MariaDB], postgres: PostgresDatabase, tmp_path: Path
) -> None:
    server = private_mariadb(settings={"max-allowed-packet": "1G"})
    url = server.create_database("big")
    with server.connect("big").cursor() as cursor:
        cursor.execute("CREATE TABLE j (id int PRIMARY KEY, value json)")
        cursor.execute("INSERT INTO j VALUES (1, '1'), (7, CONCAT('[\"', REPEAT('x', 270000000), '\"]')), (9, '2')")

    ended = call(url, postgres.url, tmp_path, "--workers", "2")

    assert ended.code == 5
    assert "string too long to represent as jsonb string" in ended.words
    assert "j at id = 7" in ended.words
