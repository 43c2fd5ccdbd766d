"""The HNSW build under conditions that production has: little memory, little shared memory, a crash before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vecferry import Progress
from vecferry.config import parse_target
from vecferry.mapping.ddl import vector_index
from vecferry.model import EmbeddingSpec
from vecferry.steps.vector_index import build_vector_index
from vecferry.target.connect import connect

if TYPE_CHECKING:
    from tests.conftest import PostgresDatabase

ROWS, DIMENSIONS = 1500, 384
SPEC = EmbeddingSpec(
    "e", "v", DIMENSIONS, "l2", "e_v_hnsw", vector_index("public", "e", "v", "e_v_hnsw", DIMENSIONS, "l2", 16, 64)
)


class Watch(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.phases: set[str] = set()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def index(self, name: str, phase: str, done: int, total: int) -> None:  # noqa: ARG002 - the protocol's names
        self.phases.add(phase)


@pytest.fixture
def table(postgres: PostgresDatabase) -> PostgresDatabase:
    postgres.execute("CREATE EXTENSION vector")
    postgres.execute(f"CREATE TABLE e (id int PRIMARY KEY, v vector({DIMENSIONS}))")
    vector = f"SELECT array_agg(random() + 0 * i * j) FROM generate_series(1, {DIMENSIONS}) j"
    postgres.execute(f"INSERT INTO e SELECT i, ({vector})::vector FROM generate_series(1, {ROWS}) i")
    return postgres


def build(postgres: PostgresDatabase, rows: int, limit: int | None, workers: int = 1) -> Watch:
    watch = Watch()
    url = parse_target(postgres.url)
    with connect(url) as connection:
        build_vector_index(connection, lambda: connect(url), "public", SPEC, rows, limit, workers, watch)
    return watch


def valid(postgres: PostgresDatabase) -> list[tuple[bool]]:
    return postgres.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'e_v_hnsw'::regclass")


def test_a_graph_that_no_longer_fits_is_told(table: PostgresDatabase) -> None:
    watch = build(table, ROWS, 1024 * 1024)
    assert valid(table) == [(True,)]
    assert any("needs about 3 MiB and may use 1 MiB" in note and "--index-memory" in note for note in watch.notes)
    assert any("hnsw graph no longer fits into maintenance_work_mem" in note for note in watch.notes)


def test_without_shared_memory_it_is_built_serially(table: PostgresDatabase) -> None:
    # A parallel build takes maintenance_work_mem from /dev/shm at once, and no machine has 2 TiB of that.
    watch = build(table, 10**9, 2**41)
    assert valid(table) == [(True,)]
    assert any("no shared memory for a parallel build" in note and "serially" in note for note in watch.notes)


def test_the_table_and_session_are_left_as_they_were(table: PostgresDatabase) -> None:
    assert build(table, ROWS, None).notes == []
    assert table.rows("SELECT reloptions FROM pg_class WHERE relname = 'e'") == [(None,)]
    [(definition,)] = table.rows("SELECT pg_get_indexdef('e_v_hnsw'::regclass)")
    before = table.rows("SELECT oid FROM pg_class WHERE relname = 'e_v_hnsw'")
    build(table, ROWS, None)
    assert table.rows("SELECT oid FROM pg_class WHERE relname = 'e_v_hnsw'") == before
    assert "USING hnsw (v vector_l2_ops)" in definition


def test_an_invalid_index_is_built_again(table: PostgresDatabase) -> None:
    build(table, ROWS, None)
    table.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'e_v_hnsw'::regclass")
    build(table, ROWS, None)
    assert valid(table) == [(True,)]
