"""The judgements of doctor that need no server, its page, and what a person reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from vecferry.config import TargetScope, load_scope, parse_target
from vecferry.doctor.checks.searches import operators_on
from vecferry.doctor.console import render_diagnosis, visible
from vecferry.doctor.diagnose import judge
from vecferry.doctor.document import document
from vecferry.doctor.facts import (
    Column,
    Facts,
    Index,
    Leftovers,
    Query,
    Sequence,
    Server,
    Table,
    VectorSample,
    operator_of,
    parse_version,
    shown,
)
from vecferry.doctor.model import Diagnosis, Finding, IndexLine, Severity
from vecferry.doctor.registry import CHECKS
from vecferry.errors import UsageError

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
README = Path(__file__).parents[2] / "README.md"

SERVER = Server(
    version="18.6", database="shop", user="me",
    settings={"shared_buffers": str(2**27), "effective_cache_size": str(2**32), "max_parallel_maintenance_workers": "2",
              "min_parallel_table_scan_size": str(2**23)},
    sources={}, statistics_seconds=0.0, pgvector="0.8.6", schema="public", available="0.8.6",
)  # fmt: skip
TABLE = Table(1, "public", "docs", False, False, 10, 0, 5000, (), (), True, False, ("id",))
COLUMN = Column(1, 2, "embedding", "vector", 3, True, "e")
INDEX = Index(
    7, "public", "docs_hnsw", 1, "hnsw", True, (2,), (2,), "vector_cosine_ops", "", "", "CREATE INDEX ...", (), 2**20,
    5000, 3,
)  # fmt: skip
HEALTHY = Facts(
    SERVER, {1: TABLE}, (COLUMN,), (INDEX,), {(1, 2): VectorSample(5000, 0, ((3, 5000),), 0, "")},
)  # fmt: skip


def names(facts: Facts) -> list[str]:
    return [finding.check for finding in judge(facts)]


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text() == document(), "run `make docs`"


def test_every_check_is_on_the_page_under_its_own_name() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert f"| `{check.name}` | {check.severity} |" in document()
        assert check.why.endswith(".")


def test_a_healthy_database_has_no_finding() -> None:
    assert judge(HEALTHY) == ()


@pytest.mark.parametrize(
    ("version", "check"),
    [
        ("0.5.1", ["buffer-overflow"]),
        ("0.8.1", ["buffer-overflow"]),
        ("0.8.2", ["index-corruption"]),
        ("0.8.3", ["outdated-extension"]),
        ("0.8.10", []),
        (None, ["no-extension"]),
    ],
)
def test_versions_are_compared_as_numbers(version: str | None, check: list[str]) -> None:
    assert names(replace(HEALTHY, server=replace(SERVER, pgvector=version))) == check


def test_a_fault_that_the_server_has_no_cure_for_says_what_to_install() -> None:
    [finding] = judge(replace(HEALTHY, server=replace(SERVER, pgvector="0.8.1", available="0.8.1")))
    assert finding.first == "install pgvector 0.8.2 or newer on the server"
    assert finding.sql[0] == "ALTER EXTENSION vector UPDATE"


@pytest.mark.parametrize(("text", "version"), [("0.8.2", (0, 8, 2)), ("0.8", (0, 8)), ("0.9.0dev", (0, 9)), (None, ())])
def test_versions_are_read(text: str | None, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("age", "index", "expected"),
    [
        (0.0, {"scans": 0}, []),
        (8 * 86400.0, {"scans": 0}, ["unused-index"]),
        (8 * 86400.0, {"scans": 1}, []),
        (8 * 86400.0, {"scans": 0, "child": True}, []),
        (8 * 86400.0, {"scans": 0, "valid": False}, ["invalid-index"]),
    ],
)
def test_an_index_is_unused_only_after_a_week(age: float, index: dict[str, int], expected: list[str]) -> None:
    facts = replace(HEALTHY, server=replace(SERVER, statistics_seconds=age), indexes=(replace(INDEX, **index),))  # type: ignore[arg-type]
    assert names(facts) == expected


def test_an_index_that_is_being_built_is_not_invalid() -> None:
    assert names(replace(HEALTHY, indexes=(replace(INDEX, valid=False, building=True),))) == []


def test_what_a_concurrent_rebuild_left_is_dropped_not_built() -> None:
    [finding] = judge(replace(HEALTHY, indexes=(INDEX, replace(INDEX, oid=8, name="docs_hnsw_ccnew1", valid=False))))
    assert finding.sql == ('DROP INDEX CONCURRENTLY "public"."docs_hnsw_ccnew1"',)


@pytest.mark.parametrize(("size", "expected"), [(2**32, []), (2**32 + 1, ["large-index"])])
def test_an_index_is_held_against_the_larger_of_two_memories(size: int, expected: list[str]) -> None:
    assert names(replace(HEALTHY, indexes=(replace(INDEX, size=size),))) == expected


def test_of_duplicates_the_one_of_more_use_stays() -> None:
    facts = replace(HEALTHY, indexes=(INDEX, replace(INDEX, oid=8, name="used", scans=9)))
    [finding] = judge(facts)
    assert finding.sql == ('DROP INDEX CONCURRENTLY "public"."docs_hnsw"',)
    assert names(replace(facts, indexes=(INDEX, replace(INDEX, oid=8, predicate="(id > 5)")))) == []


@pytest.mark.parametrize(("rows", "expected"), [(999, []), (1000, ["missing-index"])])
def test_a_small_table_needs_no_index(rows: int, expected: list[str]) -> None:
    vectors = {(1, 2): VectorSample(rows, 0, ((3, rows),), 0, "")}
    assert names(replace(HEALTHY, indexes=(), vectors=vectors)) == expected


@pytest.mark.parametrize(
    ("kind", "dimensions", "key"),
    [
        ("vector", 2000, '"embedding" "public".vector_cosine_ops'),
        ("vector", 2001, '(("embedding")::"public".halfvec(2001)) "public".halfvec_cosine_ops'),
        ("halfvec", 4000, '"embedding" "public".halfvec_cosine_ops'),
        ("vector", 4001, '(("public".binary_quantize("embedding"))::bit(4001)) "public".bit_hamming_ops'),
        ("sparsevec", 30000, '"embedding" "public".sparsevec_cosine_ops'),
    ],
)
def test_an_index_is_offered_over_what_it_takes(kind: str, dimensions: int, key: str) -> None:
    facts = replace(HEALTHY, columns=(replace(COLUMN, kind=kind, dimensions=dimensions),), indexes=())
    [finding] = judge(facts)
    assert finding.sql == (f'CREATE INDEX CONCURRENTLY ON "public"."docs" USING hnsw ({key})',)


@pytest.mark.parametrize(("next_number", "expected"), [(7, []), (6, ["sequence-behind"])])
def test_a_sequence_is_behind_when_it_gives_what_is_there(next_number: int, expected: list[str]) -> None:
    sequence = Sequence("public", "docs_id_seq", 1, "id", next_number, 6, 2**31 - 1)
    assert names(replace(HEALTHY, sequences=(sequence,))) == expected


def test_a_run_at_work_is_no_leftover() -> None:
    facts = replace(HEALTHY, leftovers=Leftovers(runs=(("an-id", "db", "public", "2026-01-01 00:00"),)))
    assert names(facts) == ["unfinished-run"]
    assert names(replace(facts, server=replace(SERVER, running=True))) == []


@pytest.mark.parametrize(
    ("operator_class", "sign"),
    [
        ("vector_cosine_ops", "<=>"), ("vector_l2_ops", "<->"), ("halfvec_ip_ops", "<#>"), ("vector_l1_ops", "<+>"),
        ("bit_hamming_ops", "<~>"), ("bit_jaccard_ops", "<%>"), ("my_ops", ""),
    ],
)  # fmt: skip
def test_operator_classes(operator_class: str, sign: str) -> None:
    assert operator_of(replace(INDEX, operator_class=operator_class)) == sign


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT $2", {"<=>"}),
        ("select id from DOCS d order by d.Embedding<->$1", {"<->"}),
        ('SELECT id FROM "docs" AS d ORDER BY "d"."embedding" <#> $1', {"<#>"}),
        ("SELECT id FROM docs ORDER BY $1 <=> d.embedding", {"<=>"}),
        ("SELECT id FROM docs ORDER BY '[1]'::vector <=> embedding", {"<=>"}),
        ("SELECT id FROM docs ORDER BY (embedding)::halfvec(3072) <=> $1", {"<=>"}),
        ("SELECT id FROM docs ORDER BY ((embedding)::public.halfvec(3)) <+> $1", {"<+>"}),
        ("SELECT id FROM docs ORDER BY (embedding OPERATOR(public.<=>) $1)", {"<=>"}),
        ('SELECT id FROM docs ORDER BY (embedding OPERATOR("e""x t".<->) $1)', {"<->"}),
        ("SELECT embedding <=> $1 AS d FROM docs ORDER BY d", {"<=>"}),
        ("SELECT embedding <=> $1 FROM docs", set()),
        ("SELECT id FROM docs ORDER BY other_embedding <=> $1", set()),
        ("SELECT id FROM docs ORDER BY embedding2 <=> $1", set()),
        ("SELECT id FROM docs2 ORDER BY embedding <=> $1", set()),
        ('SELECT id FROM "Docs" ORDER BY embedding <=> $1', set()),
    ],
)  # fmt: skip
def test_operators_are_read_from_a_text(text: str, signs: set[str]) -> None:
    assert operators_on(text, "docs", "embedding") == signs


def test_operators_on_hostile_names() -> None:
    text = 'SELECT 1 FROM "s"."do""cs\n🐘" ORDER BY "do""cs\n🐘"."e.*(" <=> $1'
    assert operators_on(text, 'do"cs\n🐘', "e.*(") == {"<=>"}
    assert operators_on(text, 'do"cs\n🐘', "e") == set()


@pytest.mark.parametrize(
    ("query", "settings", "expected"),
    [
        (Query("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT $2", "s", 10, 400), {}, ["low-ef-search"]),
        (Query("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT $2", "s", 10, 100), {}, []),
        (Query("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT $2", "s", 10, 900), {}, []),
        (Query("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT 41", "view v"), {}, ["low-ef-search"]),
        (Query("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT 40", "view v"), {}, []),
        (Query("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 41", "view v"), {}, ["wrong-operator"]),
        (
            Query("SELECT id FROM docs ORDER BY embedding <=> $1 LIMIT 41", "view v"),
            {"hnsw.iterative_scan": "relaxed_order"},
            [],
        ),
        (Query("", "view v"), {"hnsw.ef_search": "39"}, ["low-ef-search"]),
    ],
)
def test_ef_search_is_held_against_what_searches_ask(
    query: Query, settings: dict[str, str], expected: list[str]
) -> None:
    server = replace(SERVER, settings={**SERVER.settings, **settings})
    assert names(replace(HEALTHY, server=server, queries=(query,))) == expected


@pytest.mark.parametrize(
    ("source", "whose"),
    [("default", 'DATABASE "shop"'), ("user", 'ROLE "me"'), ("database user", 'ROLE "me" IN DATABASE "shop"')],
)
def test_a_setting_is_changed_where_it_comes_from(source: str, whose: str) -> None:
    server = replace(SERVER, settings={"hnsw.ef_search": "10"}, sources={"hnsw.ef_search": source})
    [finding] = judge(replace(HEALTHY, server=server))
    assert finding.sql == (f"ALTER {whose} SET hnsw.ef_search = 100",)


def test_names_are_shown_as_postgresql_would_need_them() -> None:
    assert shown("public", "Docs", "a b") == 'public."Docs"."a b"'


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert visible("a\x1b[31m\nb\u202ec🐘") == r"a\x1b[31m\nb\u202ec🐘"


def test_a_person_reads_every_finding_and_can_copy_its_statements() -> None:
    statement = 'UPDATE "two\nlines" SET ' + "x" * 200
    finding = Finding(
        "a-check", Severity.ERROR, "s.t\x1b", "3 of 5", "It matters.", (statement,), "look", "SELECT 1", "1%"
    )
    line = IndexLine("i", "t", "hnsw", "k", "<=>", 2_000_000, 3, valid=False)
    diagnosis = Diagnosis("db:1/x", "18.6", "0.8.6", 1, (finding,), (line,), ("a note",))
    console = Console(width=80, color_system=None, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(render_diagnosis(diagnosis), crop=False)
    text = captured.get()
    for part in (statement + ";", r"s.t\x1b", "3 of 5", "It matters.", "SELECT 1", "1%", "2.0 MB", "a note", "1 error"):
        assert part in text
    assert not diagnosis.healthy


class TestConfiguration:
    TARGET = "postgresql://me@db/shop"

    @pytest.fixture(autouse=True)
    def _no_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("SOURCE", "TARGET", "TARGET_SCHEMA", "TABLES", "EXCLUDE"):
            monkeypatch.delenv(f"VECFERRY_{name}", raising=False)

    def test_a_source_is_not_needed(self) -> None:
        assert load_scope(target=self.TARGET) == TargetScope(parse_target(self.TARGET))

    def test_a_target_is(self) -> None:
        with pytest.raises(UsageError, match="no target given"):
            load_scope()

    def test_the_file_of_a_run_serves(self, tmp_path: Path) -> None:
        file = tmp_path / "vecferry.toml"
        file.write_text(f'source = "nonsense"\ntarget = "{self.TARGET}"\nworkers = 3\ntarget_schema = "archive"\n')
        assert load_scope(file, tables=("a",)) == TargetScope(parse_target(self.TARGET), "archive", ("a",))

    def test_an_unknown_line_of_the_file_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "vecferry.toml"
        file.write_text(f'target = "{self.TARGET}"\nworker = 3\n')
        with pytest.raises(UsageError, match="worker"):
            load_scope(file)
