"""A plan and a report as a person reads them: every number that the model holds is there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from vecferry.cli.migrate import exit_code
from vecferry.cli.output import print_result
from vecferry.model import (
    Chunk,
    ColumnPlan,
    DdlObject,
    EmbeddingSpec,
    Estimate,
    IndexFit,
    Loss,
    Plan,
    SequencePlan,
    TablePlan,
)
from vecferry.report.console import render_plan, render_report, seconds_words, size_words
from vecferry.report.report import Report, SequenceResult, SmokeResult, TableResult, VectorResult


def shown(renderable: RenderableType, width: int = 160) -> str:
    console = Console(width=width, color_system=None, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def column(name: str, read: str, target: str, select: str = "") -> ColumnPlan:
    return ColumnPlan(name, select or f"`{name}`", read, target, "text", nullable=True)


PLAN = Plan(
    source="db.example:3306/shop",
    target_schema="archive",
    tables=(
        TablePlan(
            name="documents",
            target="documents",
            columns=(
                column("id", "int64", "bigint"),
                column("title", "string", "character varying(80)"),
                column("visible", "int8", "boolean"),
                column("opens", "int64", "interval", "TIMESTAMPDIFF(...)"),
                column("embedding", "string", "vector(1536)"),
            ),
            key=("id",),
            chunks=(Chunk("documents", 0), Chunk("documents", 1)),
            rows_estimate=1_234_567,
            bytes_estimate=8_900_000_000,
            create="CREATE TABLE archive.documents (id bigint)",
            after=(DdlObject("primary key", "documents", "pk", "ALTER TABLE archive.documents ADD PRIMARY KEY (id)"),),
        ),
        TablePlan(
            name="tags",
            target="labels",
            columns=(column("name", "string", "text"),),
            key=(),
            chunks=(Chunk("tags", 0),),
            rows_estimate=1,
            bytes_estimate=20,
            create=None,
            before=("DROP INDEX archive.tags_name",),
            after=(DdlObject("index", "labels", "tags_name", "CREATE INDEX tags_name ON archive.labels (name)"),),
        ),
    ),
    embeddings=(
        EmbeddingSpec(
            "documents",
            "embedding",
            1536,
            "cosine",
            "documents_embedding_hnsw",
            "CREATE INDEX documents_embedding_hnsw ON archive.documents USING hnsw (embedding vector_cosine_ops)",
        ),
    ),
    sequences=(SequencePlan("documents", "id"),),
    losses=(
        Loss("documents", "opens", "beyond a day", 42, ("id = 7", "id = 9")),
        Loss("tags", None, "FULLTEXT index is left out"),
    ),
    notes=("tags.meta holds arrays of many lengths",),
    extensions=("vector", "citext"),
    estimate=Estimate(
        75.0,
        3600.0,
        2.0,
        3677.0,
        12_300_000_000,
        (IndexFit("documents_embedding_hnsw", 8 * 10**9, 10**9, fits=False),),
        ("the trial was short",),
    ),
)

REPORT = Report(
    run_id="1f2e3d",
    status="ok",
    seconds={"plan": 0.42, "load": 12.3, "vector_index": 185.0, "total": 200.5},
    tables=(
        TableResult("documents", 1_234_567, 1_234_567, 0, 8_900_000_000, 24.6, "equal"),
        TableResult("tags", 12, 12, 0, 345, 0.01, "equal"),
    ),
    vectors=(
        VectorResult("documents", "embedding", 1536, "vector(1536)", 1_234_000, "documents_embedding_hnsw", 0.987),
    ),
    sequences=(SequenceResult("documents_id_seq", 1_234_567), SequenceResult("tags_id_seq", None)),
    losses=(Loss("documents", "opens", "beyond a day", 42),),
    notes=("one chunk was read twice",),
)


class TestPlan:
    def test_tables(self) -> None:
        text = shown(render_plan(PLAN))
        documents = next(line for line in text.splitlines() if "documents " in line)
        for word in ("1,234,567", "8.9 GB", "2", "id", "created"):
            assert word in documents
        tags = next(line for line in text.splitlines() if line.strip().startswith("tags "))
        assert "used as labels, 1 change first" in tags
        assert "db.example:3306/shop -> schema archive" in text

    def test_estimate(self) -> None:
        text = shown(render_plan(PLAN))
        assert "documents_embedding_hnsw: its graph needs about 8.0 GB and gets 1.0 GB: it does NOT fit" in text
        assert "disk: about 12.3 GB in the target" in text
        assert "time: about 1 h 01 min (load 1 min 15 s, HNSW 1 h 00 min, keys 2.0 s)" in text
        assert "note: the trial was short" in text
        assert PLAN.estimate is not None
        unknown = replace(PLAN, estimate=replace(PLAN.estimate, load_seconds=None, total_seconds=None))
        assert "time: not known (HNSW 1 h 00 min, keys 2.0 s)" in shown(render_plan(unknown))

    def test_problems_are_last_and_say_so(self) -> None:
        text = shown(render_plan(replace(PLAN, problems=("t.a: 2 rows hold NULL", "table t is not empty"))))
        assert "what forbids this migration:\n  - t.a: 2 rows hold NULL\n  - table t is not empty" in text
        assert text.strip().splitlines()[-1] == "2 problems forbid this migration; nothing has been changed"

    def test_only_columns_whose_type_is_a_decision(self) -> None:
        text = shown(render_plan(PLAN))
        decisions = text.split("whose type is a decision")[1].split("Embeddings")[0]
        assert "boolean" in decisions
        assert "interval" in decisions
        assert "TIMESTAMPDIFF" not in decisions
        assert "TIMESTAMPDIFF" in shown(render_plan(PLAN, verbose=True))
        for name in ("title", "vector(1536)", "tags"):
            assert name not in decisions

    def test_embeddings_losses_and_notes(self) -> None:
        text = shown(render_plan(PLAN))
        for words in (
            "documents.embedding",
            "1536",
            "cosine",
            "documents_embedding_hnsw",
            "42",
            "beyond a day (id = 7; id = 9)",
            "extensions: vector, citext",
            "dropped for the load and made again: index tags_name of labels",
            "FULLTEXT index is left out",
            "note: tags.meta holds arrays of many lengths",
        ):
            assert words in text

    def test_the_last_line_sums_up(self) -> None:
        last = shown(render_plan(PLAN)).splitlines()[-1]
        assert last == "2 tables, about 1,234,568 rows and 8.9 GB, in 3 chunks; nothing has been changed"

    def test_statements_when_verbose(self) -> None:
        assert "CREATE TABLE" not in shown(render_plan(PLAN))
        text = shown(render_plan(PLAN, verbose=True))
        before, after = text.split("Statements after the data")
        assert "CREATE TABLE archive.documents (id bigint);" in before
        assert "DROP INDEX archive.tags_name;" in before
        assert "ADD PRIMARY KEY (id);" in after
        assert "USING hnsw" in after
        assert "character varying(80)" in text

    def test_a_statement_is_neither_wrapped_nor_cut(self, capsys: pytest.CaptureFixture[str]) -> None:
        statement = "CREATE INDEX i ON t (" + ", ".join(f"column_{number}" for number in range(40)) + ")"
        table = replace(PLAN.tables[1], before=(statement,))
        print_result(render_plan(replace(PLAN, tables=(table,)), verbose=True))
        assert f"\n{statement};\n" in capsys.readouterr().out

    def test_halfvec_is_named(self) -> None:
        spec = replace(PLAN.embeddings[0], statement="CREATE INDEX i ON t USING hnsw ((e::halfvec(3072)) ...)")
        assert "documents_embedding_hnsw (of halfvec)" in shown(render_plan(replace(PLAN, embeddings=(spec,))))


class TestReport:
    def test_numbers(self) -> None:
        text = shown(render_report(REPORT))
        documents = next(line for line in text.splitlines() if "8.9 GB" in line)
        assert documents.count("1,234,567") == 2
        assert "24.6 s" in documents
        assert "equal" in documents
        vector = next(line for line in text.splitlines() if "0.987" in line)
        for word in ("documents.embedding", "vector(1536)", "1536", "1,234,000", "documents_embedding_hnsw"):
            assert word in vector
        assert "documents_id_seq" in text
        assert "not used yet" in text
        assert "beyond a day" in text
        assert "note: one chunk was read twice" in text
        assert "time: plan 0.42 s, load 12.3 s, vector index 3 min 05 s, total 3 min 20 s" in text

    def test_ok_is_said_in_words_at_the_end(self) -> None:
        last = shown(render_report(REPORT)).splitlines()[-1]
        assert last == "done: 2 tables, 1,234,579 rows, verified equal, in 3 min 20 s (run 1f2e3d)"

    def test_what_was_not_checked_is_not_called_equal(self) -> None:
        tags = replace(REPORT.tables[1], verified="not checked")
        last = shown(render_report(replace(REPORT, tables=(REPORT.tables[0], tags)))).splitlines()[-1]
        assert "1 table not checked" in last
        assert "verified equal" not in last

    def test_differences_name_their_place(self) -> None:
        tags = replace(REPORT.tables[1], rows_target=11, verified="different")
        vector = replace(REPORT.vectors[0], problems=("3 vectors are NULL",))
        report = replace(REPORT, status="differences", tables=(REPORT.tables[0], tags), vectors=(vector,))
        text = shown(render_report(report))
        assert "DIFFERENT" in text
        assert "note: documents.embedding: 3 vectors are NULL" in text
        assert text.splitlines()[-1] == (
            "done, but verification found differences in tags, documents.embedding (run 1f2e3d)"
        )

    def test_rejected_rows_are_counted_and_found(self) -> None:
        tags = replace(REPORT.tables[1], rows_rejected=3)
        text = shown(render_report(replace(REPORT, status="rejected", tables=(REPORT.tables[0], tags))))
        assert text.splitlines()[-1] == (
            "done, but 3 rows left out: `vecferry rejects list` shows what is in the reject store (run 1f2e3d)"
        )

    def test_nothing_to_do_names_the_report_and_the_smoke_tests(self) -> None:
        smoke = (SmokeResult("history", "http", True, "200", "200", 12.5),)
        text = shown(render_report(replace(REPORT, status="nothing to do", report="monday/report.json", smoke=smoke)))
        assert "report: monday/report.html, and report.json beside it" in text
        assert re.search(r"history\s+passed", text)
        assert text.splitlines()[-1] == "nothing is left to do: everything was carried before (run 1f2e3d)"

    def test_nothing_to_do_is_one_line(self) -> None:
        text = shown(render_report(replace(REPORT, status="nothing to do")))
        assert text == "nothing is left to do: everything was carried before (run 1f2e3d)\n"

    def test_names_are_whole_on_a_narrow_terminal(self) -> None:
        name = "a_table_with_a_name_of_sixty_three_characters_which_is_the_most"
        tables = (replace(REPORT.tables[0], name=name),)
        text = shown(render_report(replace(REPORT, tables=tables)), width=80)
        assert "…" not in text
        assert "1,234,567" in text

    def test_markup_in_a_name_is_a_name(self) -> None:
        tables = (replace(REPORT.tables[0], name="[bold]docs[/]"),)
        assert "[bold]docs[/]" in shown(render_report(replace(REPORT, tables=tables)))

    @pytest.mark.parametrize(("status", "code"), [("ok", 0), ("nothing to do", 0), ("differences", 1), ("rejected", 1)])
    def test_exit_code(self, status: str, code: int) -> None:
        assert exit_code(replace(REPORT, status=status)) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.00 s"),
        (0.994, "0.99 s"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.9, "1 h 00 min"),
        (7620, "2 h 07 min"),
    ],
)
def test_seconds_words(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (32_000_000, "32.0 MB"), (8.9e9, "8.9 GB"), (2.5e12, "2.5 TB")],
)
def test_size_words(size: float, words: str) -> None:
    assert size_words(size) == words
