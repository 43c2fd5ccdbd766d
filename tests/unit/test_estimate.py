"""What follows from a plan and a trial; sizes and memory against figures measured on PostgreSQL 18 and pgvector 0.8."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vecferry.mapping import ddl
from vecferry.model import Chunk, ColumnPlan, EmbeddingSpec, Plan, TablePlan
from vecferry.plan.estimate import (
    ELSEWHERE,
    Calibration,
    IndexSample,
    TableSample,
    disk_bytes,
    estimate,
    graph_bytes,
    hnsw_bytes,
    index_memory,
    is_half,
    row_bytes,
)

MIB = 1024**2
GIB = 1024**3


def column(name: str, kind: str, wire: str) -> ColumnPlan:
    return ColumnPlan(name, f"`{name}`", "string", kind, wire, nullable=True)


def spec(dimensions: int, m: int = 16, ef: int = 64) -> EmbeddingSpec:
    statement = ddl.vector_index("public", "e", "v", "e_v_hnsw", dimensions, "cosine", m, ef)
    return EmbeddingSpec("e", "v", dimensions, "cosine", "e_v_hnsw", statement)


def plan(rows: int = 10_000, dimensions: int = 1536, **changes: object) -> Plan:
    table = TablePlan(
        name="e",
        target="e",
        columns=(column("id", "integer", "int32"), column("v", f"vector({dimensions})", "vector")),
        key=("id",),
        chunks=tuple(Chunk("e", number) for number in range(10)),
        rows_estimate=rows,
        bytes_estimate=rows * 40_000,
        create="CREATE TABLE e ()",
        after=(ddl.primary_key("public", "e", "e_pkey", ["id"]),),
        row_bytes=40_000,
    )
    return Plan("here", "public", (replace(table, **changes),), (spec(dimensions),), ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dimensions", "m", "fitted"),
    [(24, 16, 10_336), (24, 32, 6_337), (384, 16, 3_725), (384, 32, 3_033), (1536, 16, 1_220), (1536, 32, 1_137),
     (2000, 16, 961), (2000, 32, 906)],
)  # fmt: skip
def test_the_graph_is_what_pgvector_says(dimensions: int, m: int, fitted: int) -> None:
    """The tuples after which a graph no longer fitted 8 MB."""
    assert graph_bytes(fitted, dimensions, m) == pytest.approx(8 * MIB, rel=0.02)


def test_a_graph_of_halfvec_has_vectors_of_half_the_size() -> None:
    assert graph_bytes(10, 3000) - graph_bytes(10, 3000, half=True) == 10 * 2 * 3000


@pytest.mark.parametrize(
    ("needed", "limit", "memory"),
    [(1, GIB, 64 * MIB), (100 * MIB, GIB, 116 * MIB), (2 * GIB, GIB, GIB), (1, MIB, MIB),
     (2**50, 2**60, 2_147_483_647 * 1024)],
)  # fmt: skip
def test_the_memory_of_a_build(needed: int, limit: int, memory: int) -> None:
    assert index_memory(needed, limit) == memory


def test_which_indexes_fit() -> None:
    [small] = estimate(plan(10_000), None, GIB).indexes
    assert (small.index, small.fits, small.memory_bytes) == ("e_v_hnsw", True, small.graph_bytes + 16 * MIB)
    large = estimate(plan(1_000_000), None, GIB)
    assert (large.indexes[0].fits, large.indexes[0].memory_bytes) == (False, GIB)
    assert any("does not fit" in remark for remark in large.remarks)
    assert not any("does not fit" in remark for remark in estimate(plan(10_000), None, GIB).remarks)


def test_the_options_of_an_index_that_is_there() -> None:
    there = replace(
        spec(1536), statement="CREATE INDEX i ON e USING hnsw (v vector_l2_ops) WITH (m='32', ef_construction='128')"
    )
    graph = replace(plan(), embeddings=(there,))
    assert estimate(graph, None, GIB).indexes[0].graph_bytes == graph_bytes(10_000, 1536, 32)
    assert estimate(graph, None, GIB).index_seconds == pytest.approx(
        2 * (estimate(plan(), None, GIB).index_seconds or 0)
    )


def test_beyond_2000_dimensions_the_index_is_on_halfvec() -> None:
    assert not is_half(spec(2000))
    assert is_half(spec(2001))


@pytest.mark.parametrize(
    ("dimensions", "m", "measured"),
    [(24, 16, 399), (24, 32, 601), (384, 16, 2_049), (1536, 16, 8_195), (1536, 32, 8_195), (2000, 16, 16_389)],
)
def test_what_an_hnsw_index_takes(dimensions: int, m: int, measured: int) -> None:
    assert hnsw_bytes(dimensions, m) == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize(("dimensions", "measured"), [(24, 152), (384, 1_659), (1536, 8_391), (2000, 8_503)])
def test_what_a_row_takes(dimensions: int, measured: int) -> None:
    """An int and a vector; pg_table_size by the number of rows."""
    assert row_bytes([4, 4 * dimensions + 8]) == pytest.approx(measured, rel=0.1)


def test_a_very_long_value_takes_its_length() -> None:
    assert row_bytes([100_000_000]) == pytest.approx(100_000_000 * (8192 + 4 * 22) / 7984, rel=0.01)


def test_a_row_of_small_values_stays_inside() -> None:
    assert row_bytes([4, 4]) == 8192 / (8168 // 36)
    assert row_bytes([]) == 8192 / (8168 // 28)


def test_the_disk() -> None:
    without = replace(plan(), embeddings=(replace(spec(1536), index=None, statement=None),))
    key = (16 + 4) / 0.9
    assert disk_bytes(without) == int(10_000 * (row_bytes([4, 6152]) + key))
    assert disk_bytes(plan()) == int(10_000 * (row_bytes([4, 6152]) + key + hnsw_bytes(1536, 16)))
    assert disk_bytes(plan(rows=0)) == 0


def test_sampled_sizes_overrule_guesses() -> None:
    text = (column("id", "integer", "int32"), column("t", "text", "text"))
    guessed = replace(plan(columns=text, row_bytes=108), embeddings=())
    key = (16 + 4) / 0.9
    assert disk_bytes(guessed) == int(10_000 * (row_bytes([4, 100]) + key))
    sampled = Calibration(workers=1, tables=(TableSample("e", 10, None, (("id", 4.0), ("t", 50.0))),))
    assert disk_bytes(guessed, sampled) == int(10_000 * (row_bytes([4, 50]) + key))


def test_the_time() -> None:
    index = IndexSample(10_000, 1536, 6.0)
    measured = Calibration(2, (TableSample("e", 100, 0.5, ()),), index=index, index_processes=3)
    found = estimate(plan(), measured, GIB)
    assert found.load_seconds == pytest.approx(10_000 / 200)
    assert found.index_seconds == pytest.approx(2.0)
    assert found.keys_seconds == pytest.approx(0.01)
    assert found.total_seconds == pytest.approx(52.01)
    assert found.remarks == ()


def test_an_index_takes_longer_than_its_rows_say() -> None:
    measured = Calibration(1, (TableSample("e", 100, 0.5, ()),), index=IndexSample(1_250, 1536, 0.51))
    assert estimate(plan(20_000), measured, GIB).index_seconds == pytest.approx(16.0, rel=0.05)
    half = replace(measured, index=IndexSample(1_250, 768, 0.51))
    assert estimate(plan(20_000), half, GIB).index_seconds == pytest.approx(32.0, rel=0.05)


def test_a_chunk_takes_its_time_however_small() -> None:
    measured = Calibration(2, (TableSample("e", 10_000, 0.001, ()),), chunk_seconds=1.0, index=IndexSample(1, 1, 1.0))
    assert estimate(plan(), measured, GIB).load_seconds == pytest.approx(5.0)


def test_a_table_that_was_not_tried_is_as_slow_as_the_slowest() -> None:
    [table] = plan().tables
    other = replace(table, name="o", target="o", after=())
    third = replace(table, name="p", target="p", after=())
    three = replace(plan(), tables=(table, other, third))
    measured = Calibration(1, (TableSample("e", 100, 1.0, ()), TableSample("o", 50, 1.0, ())))
    assert estimate(three, measured, GIB).load_seconds == pytest.approx(100 + 200 + 200)


def test_nothing_measured_is_said() -> None:
    found = estimate(plan(), None, GIB)
    assert (found.load_seconds, found.total_seconds) == (None, None)
    assert found.index_seconds is not None
    assert found.index_seconds > ELSEWHERE.seconds
    assert any("another machine" in remark for remark in found.remarks)
    unwritten = Calibration(1, (TableSample("e", 100, None, ()),), remarks=("why",))
    assert estimate(plan(), unwritten, GIB).load_seconds is None
    assert "why" in estimate(plan(), unwritten, GIB).remarks


def test_an_empty_source_takes_no_time() -> None:
    empty = replace(plan(rows=0, bytes_estimate=0, chunks=()), embeddings=())
    found = estimate(empty, Calibration(1), GIB)
    assert (found.total_seconds, found.disk_bytes, found.indexes, found.remarks) == (0.0, 0, (), ())


def test_what_a_cast_adds_is_not_counted_and_said() -> None:
    cast = plan(casts=("ALTER TABLE e",))
    assert any("--vector-load cast" in remark for remark in estimate(cast, None, GIB).remarks)
