"""The decisions of a plan, from catalogs made by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from vecferry.config import load
from vecferry.convert.embeddings import Census
from vecferry.mapping.checks import Abilities
from vecferry.model import (
    Catalog,
    Chunk,
    Column,
    Extension,
    Plan,
    Table,
    TargetColumn,
    TargetObject,
    TargetState,
    TargetTable,
)
from vecferry.origin import Answer
from vecferry.plan.build import draft
from vecferry.plan.findings import Findings, Look
from vecferry.plan.fingerprint import fingerprint


def column(name: str, data_type: str, column_type: str | None = None, **more: Any) -> Column:
    return Column(name=name, data_type=data_type, column_type=column_type or data_type, nullable=True, **more)


ID = column("id", "int", "int(11)", extra="auto_increment")
EMBEDDING = column("embedding", "longtext")
FOUND = Census(rows=10, nulls=1, objects=9, arrays=0, others=0, invalid=0, dimensions=((1536, 9),))


def plan_of(
    *columns: Column,
    census: dict[str, Census] | None = None,
    there: TargetTable | None = None,
    extensions: tuple[str, ...] = ("vector", "citext"),
    answers: dict[tuple[str, str, str], Answer] | None = None,
    **options: Any,
) -> Plan:
    catalog = Catalog("10.11", "db", (Table("t", columns, primary_key=("id",)),))
    at_hand = tuple(Extension(name, "1.0", installed=True) for name in extensions)
    state = TargetState("18", "db", at_hand, (there,) if there else ())
    look = Look(("id",), (Chunk("t", 0),), 100, 10, census or {})
    config = load(source="mysql://u@h/db", target="postgresql://u@h/db", **options)
    findings = Findings({"t": look}, answers or {})
    plan, _ = draft(catalog, state, config, findings, set(), Abilities(json=True, lookaround=True, flat_shapes=False))
    return plan


def problem_of(*columns: Column, **options: Any) -> str:
    return "\n".join(plan_of(*columns, **options).problems)


def target_column(name: str, kind: str, **more: Any) -> TargetColumn:
    return TargetColumn(name, kind, more.pop("type_kind", "b"), nullable=more.pop("nullable", True),
                        has_default=more.pop("has_default", False), **more)  # fmt: skip


def test_an_embedding_is_found_by_its_values() -> None:
    plan = plan_of(ID, EMBEDDING, census={"embedding": FOUND})
    [spec] = plan.embeddings
    assert (spec.dimensions, spec.index) == (1536, "t_embedding_hnsw")
    assert plan.tables[0].columns[1].target_type == "vector(1536)"
    assert '"embedding" vector(1536)' in (plan.tables[0].create or "")


def test_cast_lands_real_first() -> None:
    plan = plan_of(ID, EMBEDDING, census={"embedding": FOUND}, vector_load="cast")
    assert plan.tables[0].columns[1].target_type == "real[]"
    assert plan.tables[0].casts == (
        'ALTER TABLE "public"."t" ALTER COLUMN "embedding" TYPE vector(1536) USING "embedding"::vector(1536)',
    )


@pytest.mark.parametrize(
    ("census", "words"),
    [
        (Census(10, 0, 8, 0, 2, 2, ((1536, 8),)), "mixed: of 10 sampled values 8 of 1536 dimensions and 2 are none"),
        (Census(10, 0, 10, 0, 0, 0, ((1536, 6), (768, 4))), "6 of 1536 dimensions, 4 of 768 dimensions"),
        (Census(10, 0, 0, 10, 0, 0, ((3, 10),)), "holds lists of 3 numbers: kept as they are"),
    ],
)
def test_what_is_not_plainly_an_embedding_is_reported_not_guessed(census: Census, words: str) -> None:
    plan = plan_of(ID, EMBEDDING, census={"embedding": census})
    assert plan.embeddings == ()
    assert plan.tables[0].columns[1].target_type == "text"
    assert any(words in note for note in plan.notes)


def test_the_users_word_comes_first() -> None:
    mixed = Census(10, 0, 8, 0, 2, 2, ((4, 8),))
    plan = plan_of(ID, EMBEDDING, census={"embedding": mixed}, embedding="t.embedding:4")
    assert plan.embeddings[0].dimensions == 4
    assert re.search(
        r"no sampled value is an embedding: say --embedding t.embedding:DIM",
        problem_of(ID, EMBEDDING, embedding="t.embedding"),
    )
    assert re.search(r"no such column", problem_of(ID, EMBEDDING, embedding="t.nope:3"))
    assert re.search(r"no such table", problem_of(ID, EMBEDDING, embedding="u.embedding:3"))
    assert re.search(r"not text or JSON", problem_of(ID, EMBEDDING, embedding="t.id:3"))


def test_no_detect() -> None:
    assert plan_of(ID, EMBEDDING, census={"embedding": FOUND}, detect_embeddings=False).embeddings == ()


def test_long_vectors_are_indexed_as_halfvec_or_refused() -> None:
    def census(dimensions: int) -> dict[str, Census]:
        return {"embedding": Census(10, 0, 10, 0, 0, 0, ((dimensions, 10),))}

    assert "halfvec(3072)" in (plan_of(ID, EMBEDDING, census=census(3072)).embeddings[0].statement or "")
    assert re.search(r"an HNSW index takes at most 4000.*--no-index", problem_of(ID, EMBEDDING, census=census(4001)))
    assert plan_of(ID, EMBEDDING, census=census(4001), hnsw=False).embeddings[0].index is None
    assert re.search(r"holds at most 16000", problem_of(ID, EMBEDDING, census=census(16001), hnsw=False))


def test_no_pgvector_is_said() -> None:
    assert re.search(
        r"the target has no pgvector: install it", problem_of(ID, EMBEDDING, census={"embedding": FOUND}, extensions=())
    )
    assert plan_of(ID, extensions=()).embeddings == ()


def test_an_orms_text_column_is_altered() -> None:
    there = TargetTable("t", (target_column("id", "integer"), target_column("embedding", "text")), empty=True)
    plan = plan_of(ID, EMBEDDING, census={"embedding": FOUND}, there=there)
    assert plan.tables[0].create is None
    assert plan.tables[0].before[-1].endswith('ALTER COLUMN "embedding" TYPE vector(1536) USING NULL::vector(1536)')


def test_a_targets_own_index_is_dropped_and_comes_back_as_it_was() -> None:
    definition = "CREATE INDEX hand ON public.t USING hnsw (embedding vector_l2_ops) WITH (m='8')"
    other = "CREATE INDEX other ON public.t USING btree (id)"
    there = TargetTable(
        "t",
        (target_column("id", "integer"), target_column("embedding", "vector(1536)")),
        empty=True,
        objects=(TargetObject("index", "t", "hand", definition), TargetObject("index", "t", "other", other)),
    )
    plan = plan_of(ID, EMBEDDING, there=there)
    assert (plan.embeddings[0].index, plan.embeddings[0].statement) == ("hand", definition)
    assert plan.tables[0].before == (
        'DROP INDEX IF EXISTS "public"."hand"',
        'DROP INDEX IF EXISTS "public"."other"',
    )
    assert [item.statement for item in plan.tables[0].after] == [other]


def test_all_problems_are_said_at_once() -> None:
    there = TargetTable(
        "t",
        (target_column("id", "text"), target_column("mine", "integer", nullable=False)),
        empty=False,
    )
    text = problem_of(ID, column("more", "int", "int(11)"), column("place", "geometry"), there=there)
    assert "table t in the target is not empty" in text
    assert "column t.more is missing in the target" in text
    assert "column t.mine of the target is NOT NULL without a default" in text
    assert "t.id: int(11) cannot be loaded into the target's text (possible: smallint, integer" in text


def test_types_without_a_row_are_refused() -> None:
    assert re.search(
        r"t.place: vecferry does not know the type quaternion", problem_of(ID, column("place", "quaternion"))
    )


def test_tinyint_one_is_boolean_unless_it_holds_more() -> None:
    flag = column("flag", "tinyint", "tinyint(1)")
    assert plan_of(ID, flag).tables[0].columns[1].target_type == "boolean"
    kept = plan_of(ID, flag, answers={("t", "flag", "not-boolean"): Answer(3)})
    assert kept.tables[0].columns[1].target_type == "smallint"
    assert "kept as smallint" in kept.notes[0]


@pytest.mark.parametrize(
    ("made", "target_type", "wire"),
    [
        (column("a", "int", "int(10) unsigned zerofill"), "bigint", "int64"),
        (column("a", "bigint", "bigint(20) unsigned"), "numeric(20)", "numeric"),
        (column("a", "tinyint", "tinyint(3) unsigned"), "smallint", "int16"),
        (column("a", "decimal", "decimal(65,30)", precision=65, scale=30), "numeric(65,30)", "numeric"),
        (column("a", "bit", "bit(1)", precision=1), "boolean", "bit_bool"),
        (column("a", "bit", "bit(12)", precision=12), "bit(12)", "bit"),
        (column("a", "datetime", "datetime(6)", fraction_digits=6), "timestamp(6)", "timestamp"),
        (column("a", "timestamp", "timestamp", fraction_digits=0), "timestamp(0) with time zone", "timestamptz"),
        (column("a", "time", "time(3)", fraction_digits=3), "interval", "interval"),
        (column("a", "varchar", "varchar(20)", length=20), "character varying(20)", "text"),
        (column("a", "json", "longtext"), "jsonb", "jsonb"),
        (column("a", "set", "set('a','b')"), "text[]", "text[]"),
        (column("a", "enum", "enum('a','b')"), '"public"."t_a_enum"', "text"),
        (column("a", "varbinary", "varbinary(8)"), "bytea", "bytea"),
    ],
)
def test_types(made: Column, target_type: str, wire: str) -> None:
    planned = plan_of(ID, made).tables[0].columns[1]
    assert (planned.target_type, planned.wire) == (target_type, wire)


def test_the_fingerprint_names_what_differs() -> None:
    def prints(*columns: Column, **options: Any) -> dict[str, str]:
        catalog = Catalog("10.11", "db", (Table("t", columns),))
        return fingerprint(catalog, load(source="mysql://u:secret@h/db", target="postgresql://u@h/db", **options))

    one, other = prints(ID), prints(ID, EMBEDDING, distance="l2", workers=7)
    assert {name for name in one if one[name] != other[name]} == {"table t", "option distance"}
    assert "secret" not in str(one)
