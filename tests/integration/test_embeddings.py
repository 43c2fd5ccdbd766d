"""Embedding columns: forms, detection, invalid values, resuming after a correction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.integration.support import read_vector, run, target_rows
from vecferry import Progress
from vecferry.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.conftest import MySQLDatabase, PostgresDatabase

DIMENSIONS = 24


class Loaded(Progress):
    """Counts the rows that a run carries."""

    def __init__(self) -> None:
        self.rows = 0

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        self.rows += rows


def vectors(count: int, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((count, dimensions)).astype(np.float32)


def as_object(vector: NDArray[np.float32]) -> str:
    return json.dumps({str(i): float(v) for i, v in enumerate(vector)})


def fill(mysql: MySQLDatabase, values: list[str | None], kind: str = "longtext") -> None:
    mysql.execute(f"CREATE TABLE e (id int PRIMARY KEY, v {kind}) CHARACTER SET utf8mb4")
    with mysql.connect().cursor() as cursor:
        cursor.executemany("INSERT INTO e VALUES (%s, %s)", list(enumerate(values)))


@pytest.mark.parametrize("kind", ["longtext", "json", "mediumtext", "varchar(4000)"])
def test_objects_arrays_any_order_and_nulls(mysql: MySQLDatabase, postgres: PostgresDatabase, kind: str) -> None:
    made = vectors(40)
    texts: list[str | None] = [as_object(v) for v in made]
    texts[3] = json.dumps([float(v) for v in made[3]])
    texts[4] = json.dumps(dict(reversed(list(json.loads(as_object(made[4])).items()))))
    texts[5] = json.dumps(json.loads(as_object(made[5])), indent=4)
    texts[6] = None
    fill(mysql, texts, kind)
    report = run(mysql, postgres)
    assert report.status == "ok"
    assert (report.vectors[0].dimensions, report.vectors[0].rows) == (DIMENSIONS, 39)
    for row in target_rows(postgres, "e", "id"):
        if row["id"] == 6:
            assert row["v"] is None
        else:
            assert read_vector(row["v"]).tobytes() == made[row["id"]].tobytes()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"0":1}', "1"),
        ("oops", "JSON"),
        ('{"0":1,"0":2}', "0"),
        ('{"0":"a"}', "number"),
        ('{"0":1e99}', "float32"),
        ('{"0":1.5', "end"),
    ],
)
def test_an_invalid_embedding_stops_the_run_and_the_next_goes_on(
    mysql: MySQLDatabase, postgres: PostgresDatabase, broken: str, reason: str
) -> None:
    rows = 600
    made = vectors(rows, 256)
    fill(mysql, [as_object(v) for v in made])
    mysql.execute("UPDATE e SET v = %s WHERE id = 431", [broken])
    with pytest.raises(InvalidValueError) as caught:
        run(mysql, postgres, embedding="e.v:256", chunk_bytes="256KB", workers=2)
    message = str(caught.value)
    assert "e.v at id = 431: not an embedding of 256 dimensions" in message
    assert reason.lower() in message.lower()
    assert "at byte" in message
    committed = postgres.rows("SELECT count(*) FROM e")[0][0]
    ledger = postgres.rows("SELECT coalesce(sum(rows_written), 0) FROM vecferry.chunk")[0][0]
    assert committed == ledger < rows
    assert postgres.rows("SELECT count(*) FROM e WHERE id = 431") == [(0,)]
    mysql.execute("UPDATE e SET v = %s WHERE id = 431", [as_object(made[431])])
    before = dict(postgres.rows("SELECT id, xmin::text FROM e"))
    report = run(mysql, postgres, embedding="e.v:256", chunk_bytes="256KB", workers=2)
    assert report.status == "ok"
    after = dict(postgres.rows("SELECT id, xmin::text FROM e"))
    assert len(after) == rows
    assert {key: after[key] for key in before} == before
    for row in target_rows(postgres, "e", "id"):
        assert read_vector(row["v"]).tobytes() == made[row["id"]].tobytes()


def test_a_mixed_column_is_left_as_text_and_reported(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    made = vectors(20)
    fill(mysql, [as_object(v) if i % 2 else "pending" for i, v in enumerate(made)])
    report = run(mysql, postgres)
    assert report.vectors == ()
    assert any("e.v looks like an embedding but is mixed" in note for note in report.notes)
    assert target_rows(postgres, "e", "id")[0]["v"] == "pending"


def test_long_vectors_get_a_halfvec_index(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    made = vectors(12, 3072)
    fill(mysql, [as_object(v) for v in made])
    report = run(mysql, postgres)
    assert report.status == "ok"
    assert report.vectors[0].problems == ()
    [(definition,)] = postgres.rows("SELECT pg_get_indexdef(%s::regclass)", [f"public.{report.vectors[0].index}"])
    assert "((v)::halfvec(3072)) halfvec_cosine_ops" in definition
    for row in target_rows(postgres, "e", "id"):
        assert read_vector(row["v"]).tobytes() == made[row["id"]].tobytes()


@pytest.mark.parametrize("distance", ["l2", "ip"])
def test_other_distances(mysql: MySQLDatabase, postgres: PostgresDatabase, distance: str) -> None:
    fill(mysql, [as_object(v) for v in vectors(200)])
    report = run(mysql, postgres, distance=distance, m=8, ef_construction=32)
    assert report.status == "ok"
    [(definition,)] = postgres.rows("SELECT pg_get_indexdef(%s::regclass)", [f"public.{report.vectors[0].index}"])
    assert f"vector_{distance}_ops) WITH (m='8', ef_construction='32')" in definition


def test_all_values_null(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql, [None] * 5)
    report = run(mysql, postgres, embedding=f"e.v:{DIMENSIONS}")
    assert report.status == "ok"
    assert report.vectors[0].rows == 0


def test_an_invalid_value_deep_in_a_table_without_a_key_is_named(
    mysql: MySQLDatabase, postgres: PostgresDatabase
) -> None:
    made = vectors(400)
    mysql.execute("CREATE TABLE e (n int, v longtext)")
    with mysql.connect().cursor() as cursor:
        cursor.executemany("INSERT INTO e VALUES (%s, %s)", [(n, as_object(v)) for n, v in enumerate(made)])
    mysql.execute("UPDATE e SET v = 'oops' WHERE n = 350")
    with pytest.raises(InvalidValueError, match=r"e\.v at row 351 of the table: not an embedding"):
        run(mysql, postgres, embedding=f"e.v:{DIMENSIONS}", chunk_bytes="16KB")
    assert postgres.rows("SELECT count(*) FROM e") == [(0,)]


def test_a_value_that_postgresql_refuses_is_told_with_its_key(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text, j json)")
    mysql.execute("INSERT INTO t VALUES (1, 'fine', '[]'), (2, 'ab', NULL)")

    class SpoilAfterThePlan(Progress):
        def begin(self, step: str) -> None:
            if step == "load":
                mysql.execute("UPDATE t SET a = 'a\\0b' WHERE id = 2")

    with pytest.raises(InvalidValueError) as caught:
        run(mysql, postgres, SpoilAfterThePlan())
    message = str(caught.value)
    assert 'invalid byte sequence for encoding "UTF8": 0x00' in message
    assert "it is a of the row of table t at id = 2: correct the value" in message
    assert "PGRES" not in message
    assert caught.value.exit_code == 5
    mysql.execute("UPDATE t SET a = 'ab' WHERE id = 2")
    assert run(mysql, postgres).status == "ok"
