"""doctor finds what was provoked, and its own statements mend it; every name is hostile."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from vecferry import cli
from vecferry.config import load_scope, parse_target
from vecferry.demo.urls import with_database
from vecferry.doctor.checks import indexes as index_checks
from vecferry.doctor.diagnose import diagnose
from vecferry.doctor.model import Severity
from vecferry.doctor.read import rows as row_reader
from vecferry.doctor.read import session as sessions
from vecferry.doctor.registry import CHECKS
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import PostgresDatabase
    from vecferry.demo.servers import Postgres
    from vecferry.doctor.model import Diagnosis, Finding

S = """we"ird schema 🐘
%s {0} \\ '$$"""
T = """do"cs 🐘 ' % $1
table"""
C = """em"bed ' 🐘 %s
ding"""
I = """in"dex 🐘 '
name"""
PLACE, COLUMN, INDEX = (
    sql.Identifier(S, T).as_string(),
    sql.Identifier(C).as_string(),
    sql.Identifier(S, I).as_string(),
)
INDEX_NAME = sql.Identifier(I).as_string()


def look(url: str, **options: Any) -> Diagnosis:
    return diagnose(load_scope(target=url, **options))


def found(diagnosis: Diagnosis, check: str) -> list[Finding]:
    return [finding for finding in diagnosis.findings if finding.check == check]


def mend(url: str, findings: list[Finding]) -> None:
    """Runs the statements as an operator would: each finding's in one session, in autocommit mode."""
    for finding in findings:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in finding.sql:
                connection.execute(statement.encode())


def start(postgres: PostgresDatabase, column: str = "vector(3)", rows: int = 0, value: str = "'[1,2,3]'") -> None:
    """Makes the extension and a table with hostile names, `rows` rows long, and analyzes it."""
    postgres.execute("CREATE EXTENSION IF NOT EXISTS vector")
    postgres.execute(f"CREATE SCHEMA {sql.Identifier(S).as_string()}")
    postgres.execute(f"CREATE TABLE {PLACE} (id integer PRIMARY KEY, {COLUMN} {column})")
    if rows:
        postgres.execute(f"INSERT INTO {PLACE} SELECT i, {value} FROM generate_series(1, {rows}) AS i")
    postgres.execute(f"ANALYZE {PLACE}")


def hnsw(postgres: PostgresDatabase, operator_class: str = "vector_cosine_ops", name: str = INDEX_NAME) -> None:
    postgres.execute(f"CREATE INDEX {name} ON {PLACE} USING hnsw ({COLUMN} {operator_class})")


# --- troubles, by check ----------------------------------------------------------------------------

OBJECT = """'{' || (SELECT string_agg(format('"%s": %s', k, k / 10.0 + i), ', ' ORDER BY random())
  FROM generate_series(0, 15) AS k) || '}'"""
LIST = "'[' || repeat(i || '.5, ', 15) || '1e-7]'"


def _text_objects(postgres: PostgresDatabase) -> None:
    start(postgres, "text NOT NULL", 30, OBJECT)


def _text_lists(postgres: PostgresDatabase) -> None:
    start(postgres, "jsonb", 30, f"({LIST})::jsonb")


def _text_mixed(postgres: PostgresDatabase) -> None:
    start(postgres, "text NOT NULL", 30, f"CASE WHEN i % 10 > 1 THEN {OBJECT} WHEN i < 12 THEN 'none' ELSE {LIST} END")
    postgres.execute(f"UPDATE {PLACE} SET {COLUMN} = replace({COLUMN}, '[', '[0, ') WHERE id = 21")


def _text_without_extension(postgres: PostgresDatabase) -> None:
    _text_objects(postgres)
    postgres.execute("DROP EXTENSION vector")


def _mixed(postgres: PostgresDatabase) -> None:
    start(postgres, "vector NOT NULL", 20, "(CASE i WHEN 7 THEN '[1,2]' ELSE '[1,2,3]' END)::vector")


def _mixed_sparse(postgres: PostgresDatabase) -> None:
    start(postgres, "sparsevec", 20, "(CASE i WHEN 7 THEN '{1:1}/4' ELSE '{1:2}/5' END)::sparsevec")


def _undeclared(postgres: PostgresDatabase) -> None:
    start(postgres, "halfvec", 20)


def _nulls(postgres: PostgresDatabase) -> None:
    start(postgres, rows=20, value="CASE WHEN i > 5 THEN '[1,2,3]'::vector END")


def _zeros(postgres: PostgresDatabase) -> None:
    start(postgres, rows=20, value="(CASE WHEN i > 5 THEN '[1,2,3]' ELSE '[0,0,0]' END)::vector")
    hnsw(postgres)


def _missing(postgres: PostgresDatabase) -> None:
    start(postgres, rows=1000, value="ARRAY[i, 1, 2]::vector")


def _missing_partitioned(postgres: PostgresDatabase) -> None:
    start(postgres)
    postgres.execute(f"DROP TABLE {PLACE}")
    postgres.execute(f"CREATE TABLE {PLACE} (id integer, {COLUMN} vector(3)) PARTITION BY RANGE (id)")
    part = sql.Identifier(S, "part").as_string()
    postgres.execute(f"CREATE TABLE {part} PARTITION OF {PLACE} FOR VALUES FROM (1) TO (2000)")
    postgres.execute(f"INSERT INTO {PLACE} SELECT i, ARRAY[i, 1, 2]::vector FROM generate_series(1, 1000) AS i")


def _long(postgres: PostgresDatabase) -> None:
    start(postgres, "vector(3072)", 3, "array_fill(i, ARRAY[3072])::vector")


def _very_long(postgres: PostgresDatabase) -> None:
    start(postgres, "halfvec(4001)", 3, "array_fill(i, ARRAY[4001])::halfvec")


def _invalid(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    writer = postgres.connect(autocommit=False)
    writer.execute(f"UPDATE {PLACE} SET id = id".encode())
    builder = postgres.connect()
    builder.execute("SET lock_timeout = '50ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        builder.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX_NAME} ON {PLACE} USING hnsw ({COLUMN} vector_l2_ops)".encode()
        )
    writer.rollback()


def _invalid_partitioned(postgres: PostgresDatabase) -> None:
    _missing_partitioned(postgres)
    postgres.execute(f"CREATE INDEX {INDEX_NAME} ON ONLY {PLACE} USING hnsw ({COLUMN} vector_l2_ops)")


def _duplicate(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    hnsw(postgres)
    hnsw(postgres, name='"other 🐘"')


def _duplicate_ivfflat(postgres: PostgresDatabase) -> None:
    start(postgres, rows=200, value="ARRAY[i, 1, 2]::vector")
    hnsw(postgres)
    postgres.execute(f"CREATE INDEX other ON {PLACE} USING ivfflat ({COLUMN} vector_cosine_ops) WITH (lists = 5)")


def _unused(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    hnsw(postgres)


def _operator_of_a_view(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    hnsw(postgres)
    postgres.execute(f"CREATE VIEW nearest AS SELECT id FROM {PLACE} ORDER BY {COLUMN} <-> '[1,2,3]' LIMIT 5")


def _operator_of_a_function(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    hnsw(postgres, "vector_l2_ops")
    postgres.execute(
        f"CREATE FUNCTION nearest(vector) RETURNS SETOF integer LANGUAGE sql"
        f" BEGIN ATOMIC SELECT id FROM {PLACE} ORDER BY {COLUMN} <#> $1 LIMIT 5; END"
    )


def _ef_search(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    hnsw(postgres)
    postgres.execute(f"ALTER DATABASE {postgres.database} SET hnsw.ef_search = 10")


def _ef_search_below_limit(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    hnsw(postgres)
    postgres.execute(f"CREATE VIEW nearest AS SELECT id FROM {PLACE} ORDER BY {COLUMN} <=> '[1,2,3]' LIMIT 150")


def _ivfflat_early(postgres: PostgresDatabase) -> None:
    start(postgres)
    postgres.execute(f"CREATE INDEX {INDEX_NAME} ON {PLACE} USING ivfflat ({COLUMN} vector_l2_ops) WITH (lists = 10)")
    postgres.execute(f"INSERT INTO {PLACE} SELECT i, ARRAY[i, 1, 2]::vector FROM generate_series(1, 500) AS i")


def _ivfflat_few(postgres: PostgresDatabase) -> None:
    start(postgres, rows=20)
    postgres.execute(f"CREATE INDEX {INDEX_NAME} ON {PLACE} USING ivfflat ({COLUMN} vector_l2_ops)")


def _serial(postgres: PostgresDatabase) -> None:
    start(postgres, "vector(2000)", 40, "array_fill(i, ARRAY[2000])::vector")
    postgres.execute(f"ALTER DATABASE {postgres.database} SET min_parallel_table_scan_size = '128kB'")


def _autovacuum(postgres: PostgresDatabase) -> None:
    start(postgres, "vector(2000)", 1, "array_fill(i, ARRAY[2000])::vector")
    postgres.execute(f"ALTER TABLE {PLACE} SET (autovacuum_enabled = off, toast.autovacuum_enabled = 0)")


def _never_analyzed(postgres: PostgresDatabase) -> None:
    start(postgres)
    postgres.execute(f"INSERT INTO {PLACE} VALUES (1, '[1,2,3]')")
    postgres.execute(f"DROP TABLE IF EXISTS x; CREATE TABLE {PLACE[:-1]}2\" AS TABLE {PLACE}")


def _identity(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    postgres.execute(f"ALTER TABLE {PLACE} ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")


def _small_sequence(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    sequence = sql.Identifier(S, "se'q\"uence").as_string()
    postgres.execute(f"CREATE SEQUENCE {sequence} AS smallint")
    name = sql.Literal(sequence).as_string().strip()
    postgres.execute(f"ALTER TABLE {PLACE} ALTER COLUMN id SET DEFAULT nextval({name})")
    postgres.execute(f"INSERT INTO {PLACE} VALUES (40000, '[1,2,3]')")


def _constraints(postgres: PostgresDatabase) -> None:
    start(postgres, rows=5)
    name = sql.Identifier("ch'eck \" 🐘").as_string()
    postgres.execute(f"ALTER TABLE {PLACE} ADD CONSTRAINT {name} CHECK (id > 0) NOT VALID")
    postgres.execute(f"ALTER TABLE {PLACE} ADD FOREIGN KEY (id) REFERENCES {PLACE} NOT VALID")


def _ledger(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE EXTENSION vector; CREATE SCHEMA vecferry")
    postgres.execute(
        "CREATE TABLE vecferry.run (id uuid PRIMARY KEY, source text, target_schema text, started timestamptz,"
        " finished timestamptz)"
    )


def _unfinished(postgres: PostgresDatabase) -> None:
    _ledger(postgres)
    postgres.execute("INSERT INTO vecferry.run VALUES (gen_random_uuid(), 'db:3306/x', 'public', now(), NULL)")
    postgres.execute("INSERT INTO vecferry.run VALUES (gen_random_uuid(), 'db:3306/x', 'public', now(), now())")


def _rejected(postgres: PostgresDatabase) -> None:
    _ledger(postgres)
    postgres.execute("CREATE TABLE vecferry.reject (table_name text)")
    postgres.execute("INSERT INTO vecferry.reject VALUES (%s), (%s)", [T, T])


def _version(version: str) -> Callable[[PostgresDatabase], None]:
    def provoke(postgres: PostgresDatabase) -> None:
        start(postgres, rows=5)
        hnsw(postgres)
        postgres.execute("UPDATE pg_extension SET extversion = %s WHERE extname = 'vector'", [version])

    return provoke


def _no_extension(_: PostgresDatabase) -> None:
    """A fresh database has none."""


TROUBLES: list[tuple[str, Callable[[PostgresDatabase], None], int]] = [
    ("no-extension", _no_extension, 1),
    ("buffer-overflow", _version("0.8.1"), 1),
    ("index-corruption", _version("0.8.2"), 1),
    ("outdated-extension", _version("0.8.4"), 1),
    ("text-vectors", _text_objects, 1),
    ("text-vectors", _text_lists, 1),
    ("text-vectors", _text_mixed, 1),
    ("text-vectors", _text_without_extension, 1),
    ("mixed-dimensions", _mixed, 1),
    ("mixed-dimensions", _mixed_sparse, 1),
    ("undeclared-dimensions", _undeclared, 1),
    ("missing-index", _missing, 1),
    ("missing-index", _missing_partitioned, 1),
    ("too-many-dimensions", _long, 1),
    ("too-many-dimensions", _very_long, 1),
    ("invalid-index", _invalid, 1),
    ("invalid-index", _invalid_partitioned, 1),
    ("duplicate-index", _duplicate, 1),
    ("duplicate-index", _duplicate_ivfflat, 1),
    ("unused-index", _unused, 1),
    ("wrong-operator", _operator_of_a_view, 1),
    ("wrong-operator", _operator_of_a_function, 1),
    ("low-ef-search", _ef_search, 1),
    ("low-ef-search", _ef_search_below_limit, 1),
    ("ivfflat-few-rows", _ivfflat_early, 1),
    ("ivfflat-few-rows", _ivfflat_few, 1),
    ("serial-build", _serial, 1),
    ("autovacuum-off", _autovacuum, 1),
    ("never-analyzed", _never_analyzed, 1),
    ("sequence-behind", _identity, 1),
    ("sequence-behind", _small_sequence, 1),
    ("not-validated", _constraints, 2),
    ("unfinished-run", _unfinished, 1),
    ("rejected-rows", _rejected, 1),
]

BY_HAND = {
    "null-vectors": (_nulls, "15 of 20"),
    "zero-vectors": (_zeros, "5 of 20"),
}
"""What only new embeddings mend; the statement `look` names the rows."""

ELSEWHERE = {"large-index"}
"""Checks that need a server of their own."""


def test_every_check_is_provoked_and_mended_by_a_test() -> None:
    assert {name for name, _, _ in TROUBLES} | set(BY_HAND) | ELSEWHERE == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("check", "provoke", "times"),
    TROUBLES,
    ids=[f"{name}{provoke.__name__}" for name, provoke, _ in TROUBLES],
)
def test_a_trouble_is_found_and_its_statements_mend_it(
    check: str,
    provoke: Callable[[PostgresDatabase], None],
    times: int,
    postgres: PostgresDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if check == "unused-index":
        monkeypatch.setattr(index_checks, "UNUSED_AFTER_SECONDS", 0)
    provoke(postgres)
    before = look(postgres.url)
    findings = found(before, check)
    assert len(findings) == times, before
    assert all(finding.evidence and finding.why and finding.sql for finding in findings)
    mend(postgres.url, findings)
    after = look(postgres.url)
    assert found(after, check) == []
    worse = {f.check for f in after.findings if f.severity is Severity.ERROR} - {f.check for f in before.findings}
    assert worse == set()
