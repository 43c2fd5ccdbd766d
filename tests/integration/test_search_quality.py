"""Searches measured on a real pgvector: recall, latency, and indexes that are not what they should be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.integration.support import run
from tests.servers.webapp import Asked, Reply, closed_port, web_app
from vecferry import search_quality
from vecferry.cli import run as run_cli
from vecferry.cli.searching import show_search
from vecferry.config import load_target, parse_target
from vecferry.demo.sample_vectors import vectors_of_block
from vecferry.errors import ExitCode, UsageError
from vecferry.mapping.identifiers import quote
from vecferry.model import EmbeddingSpec, Plan
from vecferry.progress import Progress
from vecferry.steps.verify_vectors import verify_vectors
from vecferry.target.connect import connect

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.report.report import VectorResult
    from vecferry.report.search import SearchReport, SearchResult

ROWS, DIMENSIONS = 1500, 48
EFFORT = {"queries": 6, "ef_search": [10, 40, 400], "seconds": 60}


def scattered(rows: int = ROWS, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """Vectors without clusters, on which approximate searches are hardest."""
    return np.random.default_rng(1).normal(size=(rows, dimensions)).astype(np.float32)


def clustered(rows: int = ROWS) -> NDArray[np.float32]:
    blocks = [vectors_of_block(block, seed=1, dimensions=DIMENSIONS) for block in range(rows // 64 + 1)]
    return np.concatenate(blocks)[:rows]


def text(vector: Any) -> str:
    return json.dumps([float(value) for value in vector])


def fill(postgres: PostgresDatabase, vectors: NDArray[np.float32], table: str = "docs", column: str = "v") -> None:
    postgres.execute("CREATE EXTENSION IF NOT EXISTS vector")
    postgres.execute(f"CREATE TABLE {quote(table)} (id int PRIMARY KEY, {quote(column)} vector({vectors.shape[1]}))")
    connection = postgres.connect()
    with connection.cursor() as cursor, cursor.copy(f"COPY {quote(table)} FROM STDIN".encode()) as copy:
        for number, vector in enumerate(vectors):
            copy.write_row((number, text(vector)))
    postgres.execute(f"ANALYZE {quote(table)}")


def index(postgres: PostgresDatabase, operator_class: str = "vector_cosine_ops", options: str = "") -> None:
    postgres.execute(f"CREATE INDEX docs_v ON docs USING hnsw (v {operator_class}) {options}")


def measure(postgres: PostgresDatabase, queries: Path | None = None, **options: Any) -> SearchReport:
    search = {**EFFORT, **options.pop("search", {})}
    return search_quality(load_target(target=postgres.url, search=search, **options), queries)


def recalls(result: SearchResult, setting: int) -> list[float]:
    return [row.recall_at_10 for row in result.measured if row.setting == setting]


def short_form(postgres: PostgresDatabase, distance: str = "cosine", dimensions: int = DIMENSIONS) -> VectorResult:
    """What `migrate` checks."""
    spec = EmbeddingSpec("docs", "v", dimensions, distance, "docs_v", "CREATE INDEX")  # type: ignore[arg-type]
    with connect(parse_target(postgres.url)) as target:
        [result] = verify_vectors(target, Plan("", "public", (), (spec,), ()))
    return result


class TestAGoodIndex:
    def test_is_measured_at_each_setting_with_both_kinds_of_queries(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered())
        index(postgres)
        report = measure(postgres)
        [result] = report.indexes
        assert report.passed
        assert (result.table, result.column, result.index) == ("docs", "v", "docs_v")
        assert (result.method, result.operator_class) == ("hnsw", "vector_cosine_ops")
        assert [(row.setting, row.kind, row.queries) for row in result.measured] == [
            (setting, kind, 6) for setting in (10, 40, 400) for kind in ("stored", "perturbed")
        ]
        assert min(recalls(result, 400)) >= 0.95
        assert all(0 < row.p50_ms <= row.p95_ms for row in result.measured)
        assert result.exact_p50_ms
        # A search returns no more rows than hnsw.ef_search.
        assert [row.recall_at_100 for row in result.measured if row.setting == 10] == pytest.approx(
            [0.1, 0.1], abs=0.03
        )
        reaches = {(reach.k, reach.recall): reach.setting for reach in result.reaches}
        assert reaches[100, 0.95] == 400
        assert reaches[10, 0.95] in {10, 40, 400}

    def test_the_same_seed_measures_the_same(self, postgres: PostgresDatabase) -> None:
        fill(postgres, scattered())
        index(postgres, options="WITH (m = 4, ef_construction = 8)")

        def figures(seed: int) -> list[tuple[float, float]]:
            [result] = measure(postgres, search={"seed": seed}).indexes
            return [(row.recall_at_10, row.recall_at_100) for row in result.measured]

        assert figures(1) == figures(1)
        assert figures(1) != figures(2)

    def test_nothing_is_written(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(200))
        index(postgres)
        connection = postgres.connect()
        connection.execute(f'ALTER DATABASE "{postgres.database}" SET default_transaction_read_only = on'.encode())
        assert measure(postgres).indexes[0].measured

    def test_of_halfvec_is_searched_through_its_cast(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(300))
        postgres.execute(f"CREATE INDEX docs_v ON docs USING hnsw ((v::halfvec({DIMENSIONS})) halfvec_l2_ops)")
        [result] = measure(postgres).indexes
        assert (result.column, result.problems) == ("v", ())
        assert min(recalls(result, 400)) >= 0.95

    def test_over_part_of_the_rows_is_searched_within_them(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(400))
        postgres.execute("ALTER TABLE docs ADD kind text DEFAULT 'a%b'")
        postgres.execute("UPDATE docs SET kind = 'other' WHERE id >= 150")
        postgres.execute("CREATE INDEX docs_v ON docs USING hnsw (v vector_l2_ops) WHERE kind = 'a%b'")
        [result] = measure(postgres).indexes
        assert (result.problems, result.census is not None and result.census.rows) == ((), 150)
        assert min(recalls(result, 400)) >= 0.95

    def test_of_ivfflat_is_measured_by_its_probes(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(400))
        postgres.execute("CREATE INDEX docs_v ON docs USING ivfflat (v vector_cosine_ops) WITH (lists = 40)")
        [result] = measure(postgres).indexes
        assert (result.setting, [row.setting for row in result.measured[::2]]) == ("ivfflat.probes", [1, 4, 10, 20, 40])
        assert recalls(result, 40) == [1.0, 1.0]
        assert min(recalls(result, 1)) < 1.0

    def test_with_names_that_must_be_quoted(self, postgres: PostgresDatabase, tmp_path: Path) -> None:
        fill(postgres, clustered(200), 'do"cs %s', "Ve %ctor")
        postgres.execute('CREATE INDEX "my Index" ON "do""cs %s" USING hnsw ("Ve %ctor" vector_cosine_ops)')
        [result] = measure(postgres).indexes
        assert (result.problems, result.index) == ((), "my Index")
        assert recalls(result, 400) == [1.0, 1.0]
        file = tmp_path / "queries.jsonl"
        query = {
            "table": 'do"cs %s',
            "column": "Ve %ctor",
            "vector": list(map(float, clustered(8)[7])),
            "expected": [7],
        }
        file.write_text(json.dumps(query))
        assert measure(postgres, file).queries[0].ranks == (1,)


class TestABrokenIndex:
    def test_with_too_few_links_has_a_recall_that_is_lower(self, postgres: PostgresDatabase) -> None:
        fill(postgres, scattered())
        index(postgres)
        [good] = measure(postgres).indexes
        assert (min(recalls(good, 400)) >= 0.95, good.problems) == (True, ())
        postgres.execute("DROP INDEX docs_v")
        index(postgres, options="WITH (m = 2, ef_construction = 4)")
        report = measure(postgres)
        [broken] = report.indexes
        assert max(recalls(broken, 40)) < min(recalls(good, 40)) - 0.2
        assert {reach.setting for reach in broken.reaches} == {None}
        assert not report.passed
        assert "build the index docs_v again with larger m and ef_construction" in broken.problems[0]

    def test_is_found_by_the_short_form_too(self, postgres: PostgresDatabase) -> None:
        fill(postgres, scattered())
        index(postgres)
        good = short_form(postgres)
        postgres.execute("DROP INDEX docs_v")
        index(postgres, options="WITH (m = 2, ef_construction = 4)")
        broken = short_form(postgres)
        assert good.recall_at_10 is not None
        assert broken.recall_at_10 is not None
        assert (good.recall_at_10 > 0.9, good.problems) == (True, ())
        assert broken.recall_at_10 < 0.7

    def test_of_the_wrong_operator_class_is_told(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(200))
        index(postgres, "vector_l2_ops")
        told = "the index docs_v is of vector_l2_ops, but searches by cosine distance need vector_cosine_ops"
        assert measure(postgres, distance="cosine").indexes[0].problems == (told,)
        assert measure(postgres, distance="l2").passed
        assert measure(postgres).passed, "nobody said what the application searches by"
        assert short_form(postgres).problems == (told,)
        assert short_form(postgres, "l2").problems == ()

    def test_that_is_invalid_is_told(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(200))
        index(postgres)
        postgres.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'docs_v'::regclass")
        report = measure(postgres)
        assert (report.passed, report.indexes[0].problems) == (False, ("the index docs_v is invalid: REINDEX it",))

    def test_that_another_index_stands_before_is_told(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(300))
        index(postgres)
        postgres.execute("CREATE INDEX docs_w ON docs USING hnsw (v vector_cosine_ops)")
        problems = {result.index: result.problems for result in measure(postgres).indexes}
        assert sorted(problems.values()) in [
            [(), (f"a search for the nearest does not use the index {name}",)] for name in ("docs_v", "docs_w")
        ]

    def test_that_is_not_there(self, postgres: PostgresDatabase) -> None:
        fill(postgres, clustered(10))
        assert measure(postgres).notes == ("there is no vector index in the schema public",)


class TestWhatIsStored:
    def test_nulls_zeros_and_duplicates_are_counted(self, postgres: PostgresDatabase) -> None:
        vectors = clustered(200)
        vectors[50:70] = vectors[50]
        vectors[100:103] = vectors[100]
        vectors[150:152] = 0
        fill(postgres, vectors)
        postgres.execute("INSERT INTO docs VALUES (1000, NULL), (1001, NULL), (1002, NULL)")
        index(postgres)
        [result] = measure(postgres).indexes
        census = result.census
        assert census is not None
        assert (census.rows, census.nulls, census.zeros) == (203, 3, 2)
        assert (census.duplicates, census.largest_group) == (19 + 2 + 1, 20)
        assert "2 vectors of length 0: no search by cosine distance finds them" in result.notes
        assert any(note.startswith("20 rows hold the same vector") for note in result.notes)

    def test_only_nulls_and_zeros(self, postgres: PostgresDatabase) -> None:
        fill(postgres, np.zeros((20, 3), np.float32))
        postgres.execute("INSERT INTO docs VALUES (1000, NULL)")
        index(postgres)
        [result] = measure(postgres).indexes
        assert (result.measured, result.problems) == ((), ())
        assert "not measured: no vector with a length was found in time" in result.notes

    def test_an_empty_table(self, postgres: PostgresDatabase) -> None:
        fill(postgres, np.zeros((0, 3), np.float32))
        index(postgres)
        [result] = measure(postgres).indexes
        assert result.census is not None
        assert (result.census.rows, result.measured, result.problems) == (0, (), ())

    @pytest.mark.parametrize("distance", ["cosine", "l2"])
    def test_equal_vectors_are_equally_right(self, postgres: PostgresDatabase, distance: str) -> None:
        fill(postgres, np.ones((500, 8), np.float32))
        index(postgres, f"vector_{distance}_ops")
        [result] = measure(postgres).indexes
        assert {row.recall_at_10 for row in result.measured if row.kind == "stored"} == {1.0}
        short = short_form(postgres, distance, 8)
        assert (short.recall_at_10, short.problems) == (1.0, ())

    def test_collinear_vectors_are_equally_right_by_cosine(self, postgres: PostgresDatabase) -> None:
        direction = np.random.default_rng(1).normal(size=96)
        fill(postgres, np.outer(np.arange(1, 3001), direction).astype(np.float32))
        index(postgres)
        short = short_form(postgres, dimensions=96)
        assert (short.recall_at_10, short.problems) == (1.0, ())
        [result] = measure(postgres).indexes
        assert set(recalls(result, 40)) == {1.0}


@pytest.mark.parametrize(
    "search",
    [
        {"queries": 1000, "seconds": 0.3},  # more exact searches than fit
        {"queries": 20, "seconds": 1, "ef_search": list(range(1, 200))},  # more searches through the index
    ],
)
def test_time_is_bounded_and_what_did_not_fit_is_told(postgres: PostgresDatabase, search: dict[str, Any]) -> None:
    fill(postgres, clustered())
    index(postgres)
    [result] = measure(postgres, search=search).indexes
    assert all(row.queries < search["queries"] for row in result.measured)
    assert any("did not fit the time" in note or "not measured" in note for note in result.notes)
    assert len({row.queries for row in result.measured}) <= 1, "each setting has the same queries"


def test_after_a_migration_the_plan_says_what_there_must_be(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE docs (id int PRIMARY KEY, v longtext)")
    for number, vector in enumerate(clustered(64)):
        mysql.execute("INSERT INTO docs VALUES (%s, %s)", (number, text(vector)))
    report = run(mysql, postgres, distance="l2")
    name = report.vectors[0].index
    assert measure(postgres).passed
    postgres.execute(f'DROP INDEX "{name}"')
    assert [result.problems for result in measure(postgres).indexes] == [
        (f"the index {name} is missing: searches scan the table",)
    ]
    assert measure(postgres, exclude=("docs",)).indexes == ()
    postgres.execute(f'CREATE INDEX "{name}" ON docs USING hnsw (v vector_cosine_ops)')
    assert measure(postgres).indexes[0].problems == (
        f"the index {name} is of vector_cosine_ops, but searches by l2 distance need vector_l2_ops",
    )


def test_the_report_of_a_migration_shows_them(
    mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mysql.execute("CREATE TABLE docs (id int PRIMARY KEY, v longtext)")
    for number, vector in enumerate(clustered(64)):
        mysql.execute("INSERT INTO docs VALUES (%s, %s)", (number, text(vector)))
    monday = tmp_path / "monday"
    search = ["verify", "--search", "-t", postgres.url, "--quiet", "--report", str(monday)]
    assert run_cli(search) == ExitCode.USAGE
    assert "no report of a migration" in capsys.readouterr().err
    assert run_cli(["migrate", "-s", mysql.url, "-t", postgres.url, "--quiet", "--report", str(monday)]) == 0
    before = json.loads((monday / "report.json").read_text())
    assert "Search quality" not in (monday / "report.html").read_text()

    for problems in ([], ["docs.v: the index docs_v_hnsw is missing: searches scan the table"]):
        assert run_cli(search) == (ExitCode.DIFFERENCES if problems else ExitCode.DONE)
        after = json.loads((monday / "report.json").read_text())
        page = (monday / "report.html").read_text()
        assert after["search_problems"] == problems
        assert [sentence for sentence in problems if sentence not in page] == []
        assert "Search quality" in page
        assert {**after, "search": [], "search_problems": []} == before
        points = {(point["kind"], point["ef_search"]) for point in after["search"]}
        assert points == ({(kind, ef) for kind in ("stored", "perturbed") for ef in (10, 40, 100, 200, 400)}
                          if not problems else set())  # fmt: skip
        postgres.execute("DROP INDEX IF EXISTS docs_v_hnsw")

    before["details"]["target"] = "elsewhere:5432/shop"
    (monday / "report.json").write_text(json.dumps(before))
    assert run_cli(search) == ExitCode.USAGE
    assert "is of a migration into elsewhere:5432/shop" in capsys.readouterr().err


def test_each_partition_has_an_index_of_its_own(postgres: PostgresDatabase, tmp_path: Path) -> None:
    fill(postgres, clustered(300), "filled")
    postgres.execute(f"CREATE TABLE docs (id int, v vector({DIMENSIONS})) PARTITION BY RANGE (id)")
    postgres.execute("CREATE TABLE docs_low PARTITION OF docs FOR VALUES FROM (0) TO (100)")
    postgres.execute("CREATE TABLE docs_high PARTITION OF docs FOR VALUES FROM (100) TO (300)")
    postgres.execute("INSERT INTO docs SELECT * FROM filled")
    index(postgres)
    file = tmp_path / "queries.jsonl"
    query = {"table": "docs", "column": "v", "vector": list(map(float, clustered(300)[250])), "expected": [250]}
    file.write_text(json.dumps({**query, "id": "id"}))
    report = measure(postgres, file)
    assert report.passed
    assert report.queries[0].ranks == (1,)
    counted = {result.table: result.census.rows for result in report.indexes if result.census}
    assert counted == {"docs_low": 100, "docs_high": 200}
    assert all(result.measured for result in report.indexes)


class TestQueriesOfTheUser:
    @pytest.fixture(autouse=True)
    def _docs(self, postgres: PostgresDatabase) -> None:
        fill(postgres, np.eye(6, dtype=np.float32) + np.float32(0.1) * np.arange(6, dtype=np.float32)[:, None])
        index(postgres)

    def test_hits_and_ranks(self, postgres: PostgresDatabase, tmp_path: Path) -> None:
        nearest = postgres.rows(f"SELECT id FROM docs ORDER BY v <=> '{text(np.eye(6)[2])}' LIMIT 3")
        first, second, third = (str(row[0]) for row in nearest)
        query = {"table": "docs", "column": "v", "vector": list(np.eye(6)[2])}
        lines = [
            {**query, "expected": [first]},
            {**query, "expected": [int(third), first], "k": 3},
            {**query, "expected": [second, third], "k": 2},
            {**query, "expected": [second, third], "k": 2, "min_hits": 1, "id": "id"},
        ]
        file = tmp_path / "queries.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        report = measure(postgres, file)
        assert [(entry.line, entry.hits, entry.ranks, entry.passed) for entry in report.queries] == [
            (1, 1, (1,), True),
            (2, 2, (3, 1), True),
            (3, 1, (2, None), False),
            (4, 1, (2, None), True),
        ]
        assert not report.passed
        assert report.queries[2].found == (first, second)

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ({"vector": [1, 2]}, "line 1: the vector has 2 numbers, but docs.v has 6 dimensions"),
            ({"vector": [1] * 6, "column": "w"}, "line 1: docs.w has no valid index on vectors in the schema public"),
            ({"text": "what"}, "line 1: a text needs [embedding_endpoint]"),
        ],
    )
    def test_what_cannot_be_asked(
        self, postgres: PostgresDatabase, tmp_path: Path, line: dict[str, Any], sentence: str
    ) -> None:
        file = tmp_path / "queries.jsonl"
        file.write_text(json.dumps({"table": "docs", "column": "v", "expected": [1], **line}))
        with pytest.raises(UsageError) as caught:
            measure(postgres, file)
        assert sentence in str(caught.value)

    def test_a_table_without_a_key(self, postgres: PostgresDatabase, tmp_path: Path) -> None:
        postgres.execute("ALTER TABLE docs DROP CONSTRAINT docs_pkey")
        file = tmp_path / "queries.jsonl"
        query = {"table": "docs", "column": "v", "vector": [1] * 6, "expected": [5], "k": 6}
        file.write_text(json.dumps(query))
        with pytest.raises(UsageError, match='name the column of ids as "id"'):
            measure(postgres, file)
        file.write_text(json.dumps({**query, "id": "id"}))
        assert measure(postgres, file).queries[0].passed

    def test_a_text_becomes_a_vector_by_the_service(
        self, postgres: PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EMBEDDING_KEY", "s3cret-key")
        file = tmp_path / "queries.jsonl"
        file.write_text(json.dumps({"table": "docs", "column": "v", "text": "dés", "expected": [3], "k": 1}))

        def reply(asked: Asked) -> Reply:
            assert json.loads(asked.body) == {"input": "dés", "model": "small"}
            assert asked.headers["Authorization"] == "Bearer s3cret-key"
            vector = [float(x) for x in np.eye(6)[3] + 0.3]
            return Reply.of({"object": "list", "data": [{"index": 0, "embedding": vector}]})

        with web_app({"POST /v1/embeddings": reply}) as app:
            endpoint = {
                "url": f"{app.url}/v1/embeddings",
                "model": "small",
                "headers": {"Authorization": "Bearer ${EMBEDDING_KEY}"},
            }
            report = measure(postgres, file, embedding_endpoint=endpoint)
            assert [(entry.ranks, entry.passed) for entry in report.queries] == [((1,), True)]
            assert len(app.asked) == 1
            for answer, sentence in (
                (Reply(401, b"no such key: s3cret-key"), "answered with status 401: no such key: ***"),
                (Reply.of({"data": []}), "answered with something else than data[0].embedding"),
                (Reply(200, b"<html>"), "answered with something else than data[0].embedding: <html>"),
                (Reply.of({"data": [{"embedding": [1, None]}]}), "something else than data[0].embedding"),
            ):
                app.routes["POST /v1/embeddings"] = answer
                with pytest.raises(UsageError) as caught:
                    measure(postgres, file, embedding_endpoint=endpoint)
                assert sentence in str(caught.value)
                assert "s3cret-key" not in str(caught.value)
        with closed_port() as url, pytest.raises(UsageError, match="failed: connection refused"):
            measure(postgres, file, embedding_endpoint={**endpoint, "url": url, "headers": {}})

    def test_on_the_terminal_and_as_json(
        self, postgres: PostgresDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "queries.jsonl"
        query = {"table": "docs", "column": "v", "vector": [1, 0, 0, 0, 0, 0], "expected": [0, 77], "k": 1}
        file.write_text(json.dumps({**query, "min_hits": 2}))
        config = load_target(target=postgres.url, search=EFFORT)
        assert show_search(config, file, Progress(), json_output=False) == ExitCode.DIFFERENCES
        shown = capsys.readouterr().out
        for words in ("hnsw.ef_search", "6 perturbed", "MISSED", "77: not found", "1 of 1 of the file's searches"):
            assert words in shown
        assert show_search(config, None, Progress(), json_output=True) == ExitCode.DONE
        found = json.loads(capsys.readouterr().out)
        assert found["passed"] is True
        assert found["indexes"][0]["measured"][0]["recall_at_10"] == 1.0
        assert replace(measure(postgres), queries=()).passed
