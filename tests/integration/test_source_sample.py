"""A sample of real tables."""

from __future__ import annotations

from typing import Any

from vecferry.config import parse_source
from vecferry.mapping.keys import chunk_key
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect
from vecferry.source.sample import LONGEST_TEXT, Sample, sample


def look(mysql: Any, rows: int = 200) -> Sample:
    with connect(parse_source(mysql.url)) as connection:
        (table,) = read_catalog(connection).tables
        return sample(connection, table, chunk_key(table), rows)


def fill(mysql: Any, rows: list[tuple[Any, ...]]) -> None:
    with mysql.connect().cursor() as cursor:
        cursor.executemany(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)


def test_empty(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    found = look(mysql)
    assert (found.rows, found.row_bytes, found.row_bytes_max_stratum) == (0, 0, 0)
    assert found.texts["v"].to_pylist() == []


def test_sizes_and_texts(mysql: Any) -> None:
    mysql.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v longtext CHARACTER SET utf8mb4, short varchar(40), b blob,"
        " wide varchar(200), d datetime)"
    )
    fill(mysql, [(n, "é" * 50, "abc", b"\0\xff", None, None) for n in range(30)])
    found = look(mysql)
    assert found.rows == 30
    assert found.row_bytes == 8 + 100 + 3 + 2 + 0 + 8
    assert set(found.texts) == {"v", "wide"}
    assert found.texts["v"].to_pylist() == ["é" * 50] * 30
    assert found.texts["wide"].null_count == 30


def test_rows_come_from_all_over_the_table(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v longtext)")
    fill(mysql, [(n * 10, str(n) if n < 3000 else "x" * 4000) for n in range(4000)])
    found = look(mysql)
    assert 150 <= found.rows <= 220
    assert found.row_bytes_max_stratum == 4008
    assert 500 < found.row_bytes < 2000
    texts = found.texts["v"].to_pylist()
    numbers = [int(text) for text in texts if not text.startswith("x")]
    assert min(numbers) == 0
    assert max(numbers) > 2500
    assert len(numbers) == len(set(numbers))


def test_no_row_twice_in_a_sparse_table(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text)")
    fill(mysql, [(n, str(n)) for n in [*range(300), 2**62, 2**62 + 1]])
    texts = look(mysql).texts["v"].to_pylist()
    assert len(texts) == len(set(texts))
    assert {"0", str(2**62 + 1)} <= set(texts)


def test_both_ends_of_another_key(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id varchar(20) PRIMARY KEY, v text)")
    fill(mysql, [(f"k{n:05}", str(n)) for n in range(2000)])
    texts = look(mysql).texts["v"].to_pylist()
    assert len(texts) == len(set(texts))
    assert {"0", "1999"} <= set(texts)


def test_a_small_table_with_another_key(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id varchar(20) PRIMARY KEY, v text)")
    fill(mysql, [(f"k{n:05}", str(n)) for n in range(120)])
    texts = look(mysql).texts["v"].to_pylist()
    assert len(texts) == len(set(texts))


def test_without_a_key(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (v text)")
    fill(mysql, [(str(n),) for n in range(500)])
    found = look(mysql)
    assert 200 <= found.rows <= 210
    assert len(set(found.texts["v"].to_pylist())) == found.rows


def test_a_value_too_long_for_an_embedding_is_left_out_but_counted(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v longtext)")
    mysql.execute(f"INSERT INTO t VALUES (1, REPEAT('x', {LONGEST_TEXT})), (2, REPEAT('x', {LONGEST_TEXT} + 1))")
    found = look(mysql)
    assert found.row_bytes == LONGEST_TEXT + 8
    first, second = found.texts["v"].to_pylist()
    assert len(first) == LONGEST_TEXT
    assert second is None


def test_the_sample_is_bounded(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, v longtext)")
    for number in range(150):
        mysql.execute("INSERT INTO t VALUES (%s, REPEAT('x', 1000000))", (number,))
    assert look(mysql).texts["v"].nbytes < 50_000_000
