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
X = """in"dex 🐘 '
name"""
PLACE, COLUMN, INDEX = (sql.Identifier(*names).as_string() for names in ((S, T), (C,), (X,)))


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


def hnsw(postgres: PostgresDatabase, operator_class: str = "vector_cosine_ops", name: str = INDEX) -> None:
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
        builder.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON {PLACE} USING hnsw ({COLUMN} vector_l2_ops)".encode())
    writer.rollback()


def _invalid_partitioned(postgres: PostgresDatabase) -> None:
    _missing_partitioned(postgres)
    postgres.execute(f"CREATE INDEX {INDEX} ON ONLY {PLACE} USING hnsw ({COLUMN} vector_l2_ops)")


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
    postgres.execute(f"CREATE INDEX {INDEX} ON {PLACE} USING ivfflat ({COLUMN} vector_l2_ops) WITH (lists = 10)")
    postgres.execute(f"INSERT INTO {PLACE} SELECT i, ARRAY[i, 1, 2]::vector FROM generate_series(1, 500) AS i")


def _ivfflat_few(postgres: PostgresDatabase) -> None:
    start(postgres, rows=20)
    postgres.execute(f"CREATE INDEX {INDEX} ON {PLACE} USING ivfflat ({COLUMN} vector_l2_ops)")


def _serial(postgres: PostgresDatabase) -> None:
    start(postgres, "vector(2000)", 40, "array_fill(i, ARRAY[2000])::vector")
    postgres.execute(f"ALTER DATABASE {postgres.database} SET min_parallel_table_scan_size = '128kB'")


def _autovacuum(postgres: PostgresDatabase) -> None:
    start(postgres, "vector(2000)", 1, "array_fill(i, ARRAY[2000])::vector")
    postgres.execute(f"ALTER TABLE {PLACE} SET (autovacuum_enabled = off, toast.autovacuum_enabled = 0)")


def _never_analyzed(postgres: PostgresDatabase) -> None:
    start(postgres)
    postgres.execute(f"INSERT INTO {PLACE} VALUES (1, '[1,2,3]')")
    postgres.execute(f'DROP TABLE IF EXISTS x; CREATE TABLE {PLACE[:-1]}2" AS TABLE {PLACE}')


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
    postgres.execute(
        "CREATE TABLE vecferry.reject (run_id uuid, table_name text, chunk int, row_number bigint, action text)"
    )
    row = "(gen_random_uuid(), %s, 0, 1, 'reject')"
    postgres.execute(f"INSERT INTO vecferry.reject VALUES {row}, {row}", [T, T])


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
    "null-vectors": (_nulls, "5 of 20"),
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


@pytest.mark.parametrize("check", BY_HAND)
def test_what_only_new_embeddings_mend_is_listed_by_its_query(check: str, postgres: PostgresDatabase) -> None:
    provoke, evidence = BY_HAND[check]
    provoke(postgres)
    [finding] = found(look(postgres.url), check)
    assert evidence in finding.evidence
    assert (finding.sql, finding.first[:27]) == ((), "let the application embed t")
    keys = [key for (key,) in postgres.rows(finding.look)]
    assert len(keys) == int(evidence.split()[0])
    postgres.execute(f"UPDATE {PLACE} SET {COLUMN} = '[3,2,1]' WHERE id IN ({', '.join(map(str, keys))})")
    assert found(look(postgres.url), check) == []


# --- the troubles that hand-run migrations meet -----------------------------------------------------


def test_embeddings_left_as_json_objects(postgres: PostgresDatabase) -> None:
    """`invalid input syntax for type vector`, when the text is cast."""
    _text_objects(postgres)
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="invalid input syntax for type vector"):
        postgres.execute(f"SELECT {COLUMN}::vector FROM {PLACE}")
    [finding] = found(look(postgres.url), "text-vectors")
    assert "30 have 16 dimensions" in finding.evidence
    assert 'JSON objects {"0":...}' in finding.evidence
    mend(postgres.url, [finding])
    # Each number is where its key said, although the keys came in any order.
    for key, text in postgres.rows(f"SELECT id, {COLUMN}::text FROM {PLACE}"):
        assert json.loads(text) == pytest.approx([k / 10 + key for k in range(16)], rel=1e-6)


def test_an_embedding_of_another_length(postgres: PostgresDatabase) -> None:
    """`expected 16 dimensions, not 17`, when the column gets its type; nothing is lost when it is mended."""
    _text_mixed(postgres)
    before = dict(postgres.rows(f"SELECT id, {COLUMN} FROM {PLACE}"))
    with pytest.raises(psycopg.errors.DataException, match="expected 16 dimensions, not 17"):
        postgres.execute(f"SELECT {COLUMN}::vector(16) FROM {PLACE} WHERE id = 21")
    [finding] = found(look(postgres.url), "text-vectors")
    assert "1 have 17 dimensions" in finding.evidence
    assert "3 are no vector" in finding.evidence
    mend(postgres.url, [finding])
    kept = dict(postgres.rows(f"SELECT * FROM {sql.Identifier(S, f'{T}_{C}_aside').as_string()}"))
    emptied = {key for (key,) in postgres.rows(f"SELECT id FROM {PLACE} WHERE {COLUMN} IS NULL")}
    assert set(kept) == emptied == {1, 10, 11, 21}
    assert all(before[key] == text for key, text in kept.items())
    assert found(look(postgres.url), "null-vectors")[0].evidence == "4 of 30 rows are NULL"


@pytest.mark.parametrize(("provoke", "check"), [(_text_mixed, "text-vectors"), (_mixed, "mixed-dimensions")])
def test_a_mend_that_fails_half_way_changes_nothing(
    provoke: Callable[[PostgresDatabase], None], check: str, postgres: PostgresDatabase
) -> None:
    provoke(postgres)
    postgres.execute(f"CREATE VIEW v AS SELECT {COLUMN} FROM {PLACE}")
    everything = f"SELECT id, {COLUMN}::text FROM {PLACE} ORDER BY id"
    before = postgres.rows(everything)
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="used by a view"):
        mend(postgres.url, found(look(postgres.url), check))
    assert postgres.rows(everything) == before
    assert postgres.rows("SELECT relname FROM pg_class WHERE relname LIKE '%aside'") == []


def test_a_search_that_grew_slow(postgres: PostgresDatabase) -> None:
    """Without an HNSW index a search reads every row; with doctor's it uses the index."""
    _missing(postgres)
    search = f"EXPLAIN SELECT id FROM {PLACE} ORDER BY {COLUMN} <=> '[1,2,3]' LIMIT 5"
    assert "Seq Scan" in str(postgres.rows(search))
    findings = found(look(postgres.url), "missing-index")
    mend(postgres.url, findings)
    postgres.execute("SET enable_seqscan = off")
    assert "Index Scan" in str(postgres.rows(search))


# --- what is no trouble ---------------------------------------------------------------------------


def test_a_healthy_database(postgres: PostgresDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    start(postgres, rows=1500, value="ARRAY[i, 1, 2]::vector")
    hnsw(postgres)
    postgres.execute(f"CREATE VIEW nearest AS SELECT id FROM {PLACE} ORDER BY {COLUMN} <=> '[1,2,3]' LIMIT 5")
    postgres.execute("CREATE TABLE tags (id serial PRIMARY KEY, ids jsonb, note text, name varchar(20))")
    postgres.execute("INSERT INTO tags (ids, note) SELECT '[1, 2, 3]', '{not json' FROM generate_series(1, 50)")
    postgres.execute("ANALYZE tags")
    diagnosis = look(postgres.url)
    assert diagnosis.findings == ()
    assert (diagnosis.tables, diagnosis.pgvector) == (2, "0.8.6")
    [index] = diagnosis.indexes
    assert (index.operator, index.method, index.valid) == ("<=>", "hnsw", True)
    assert cli.run(["doctor", "--target", postgres.url]) == ExitCode.DONE
    shown = capsys.readouterr().out
    assert "healthy: nothing found" in shown
    assert r"""do""cs 🐘 ' % $1\ntable""" in shown


def test_an_index_a_length_is_no_mixture(postgres: PostgresDatabase) -> None:
    start(postgres, "vector", 20, "(CASE WHEN i > 9 THEN '[1,2]' ELSE '[1,2,3]' END)::vector")
    for length in (2, 3):
        postgres.execute(
            f"CREATE INDEX ON {PLACE} USING hnsw (({COLUMN}::vector({length})) vector_l2_ops)"
            f" WHERE vector_dims({COLUMN}) = {length}"
        )
    assert look(postgres.url).findings == ()


def test_a_migration_at_work_is_no_leftover(postgres: PostgresDatabase) -> None:
    from vecferry.target import ledger  # noqa: PLC0415 - only this test plays the migration

    _unfinished(postgres)
    migration = postgres.connect()
    assert ledger.lock(migration)
    assert found(look(postgres.url), "unfinished-run") == []
    migration.close()
    assert len(found(look(postgres.url), "unfinished-run")) == 1


def test_advice_alone_is_exit_0(postgres: PostgresDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    _nulls(postgres)
    assert cli.run(["doctor", "--target", postgres.url, "--json"]) == ExitCode.DONE
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "healthy"
    assert answer["counts"] == {"error": 0, "warning": 0, "advice": 1}


def test_findings_are_exit_1_and_json_holds_them(
    postgres: PostgresDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    _identity(postgres)
    assert cli.run(["doctor", "--target", postgres.url, "--json"]) == ExitCode.DIFFERENCES
    answer = json.loads(capsys.readouterr().out)
    [finding] = answer["findings"]
    assert (finding["check"], finding["severity"]) == ("sequence-behind", "error")
    postgres.execute(finding["sql"][0])
    assert cli.run(["doctor", "--target", postgres.url]) == ExitCode.DONE


def test_a_server_that_is_not_there_is_exit_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--target", "postgresql://me:secret@127.0.0.1:1/shop"]) == ExitCode.TARGET
    shown = capsys.readouterr()
    assert "refused" in shown.err
    assert "secret" not in shown.err


def test_scope(postgres: PostgresDatabase) -> None:
    _nulls(postgres)
    postgres.execute("CREATE TABLE plain (v vector(3)); INSERT INTO plain VALUES (NULL); ANALYZE plain")

    def seen(**options: Any) -> set[str]:
        return {finding.object for finding in look(postgres.url, **options).findings}

    both = seen()
    assert len(both) == 2
    assert seen(target_schema="public") == {"public.plain.v"}
    assert seen(target_schema=S) == both - {"public.plain.v"}
    assert seen(tables=("pla*",)) == seen(exclude=("do*",)) == {"public.plain.v"}


# --- bounds, rights, other servers ------------------------------------------------------------------


def test_large_tables_are_sampled_and_the_finding_says_so(
    postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(postgres, rows=4000, value="CASE WHEN i % 2 = 0 THEN ARRAY[i, 1, 2]::vector END")
    wide = sql.Identifier(S, "wide").as_string()
    postgres.execute(f"CREATE TABLE {wide} (v vector(2000))")
    postgres.execute(f"INSERT INTO {wide} SELECT array_fill(i, ARRAY[2000])::vector FROM generate_series(1, 200) AS i")
    postgres.execute(f"INSERT INTO {wide} SELECT NULL FROM generate_series(1, 200) i; ANALYZE {wide}")
    monkeypatch.setattr(row_reader, "FULL_PAGES", 20)
    diagnosis = look(postgres.url)
    sampled = found(diagnosis, "null-vectors")
    assert len(sampled) == 2
    for finding in sampled:
        assert "a sample of" in finding.sampled
        rows = int(finding.evidence.split(" of ")[1].split()[0].replace(",", ""))
        assert 0 < rows < 4000
    assert any("sampled" in note for note in diagnosis.notes)


def test_a_probe_that_takes_too_long_is_a_note(postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    _nulls(postgres)
    holder = postgres.connect(autocommit=False)
    holder.execute(f"LOCK TABLE {PLACE}".encode())
    monkeypatch.setattr(sessions, "_READ_ONLY", sessions._READ_ONLY.replace("'2s'", "'50ms'"))
    diagnosis = look(postgres.url)
    holder.rollback()
    assert any("met a lock" in note for note in diagnosis.notes)
    assert found(diagnosis, "null-vectors") == []


def test_the_session_cannot_write(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE TABLE t (v integer)")
    with sessions.open_session(parse_target(postgres.url)) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("INSERT INTO public.t VALUES (1)")
        assert connection.execute("SHOW search_path").fetchone() == ("",)


@contextmanager
def ordinary_user(postgres: PostgresDatabase) -> Iterator[tuple[str, sql.Identifier]]:
    """A user with no right beyond CONNECT, by its URL and its name."""
    name, url = f"o{postgres.database[5:17]}", parse_target(postgres.url)
    user = sql.Identifier(name)
    admin = postgres.connect()
    admin.execute(sql.SQL("CREATE USER {} PASSWORD 'pw'").format(user))
    try:
        yield f"postgresql://{name}:pw@{url.host}:{url.port}/{url.database}", user
    finally:
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(user))
        admin.execute(sql.SQL("DROP USER {}").format(user))


def test_an_ordinary_user_sees_what_it_may_and_is_told_of_the_rest(postgres: PostgresDatabase) -> None:
    _constraints(postgres)
    postgres.execute("CREATE TABLE mine (id serial PRIMARY KEY, v vector(3))")
    postgres.execute("INSERT INTO mine VALUES (7, NULL); ANALYZE mine")
    postgres.execute("CREATE SCHEMA vecferry; CREATE TABLE vecferry.run (finished timestamptz)")
    with ordinary_user(postgres) as (url, user):
        closed = look(url)
        assert {finding.check for finding in closed.findings} == {"not-validated"}
        assert any("closed to this user" in note for note in closed.notes)
        assert any("unfinished runs" in note for note in closed.notes)
        postgres.connect().execute(sql.SQL("GRANT SELECT ON mine TO {}").format(user))
        opened = look(url)
        assert {finding.check for finding in opened.findings} == {"not-validated", "null-vectors"}
        assert any("mine_id_seq" in note for note in opened.notes)
        postgres.connect().execute(sql.SQL("GRANT SELECT ON SEQUENCE mine_id_seq TO {}").format(user))
        assert "sequence-behind" in {finding.check for finding in look(url).findings}


def test_rows_that_row_security_hides_are_a_note(postgres: PostgresDatabase) -> None:
    _nulls(postgres)
    postgres.execute(f"ALTER TABLE {PLACE} ENABLE ROW LEVEL SECURITY")
    with ordinary_user(postgres) as (url, user):
        admin = postgres.connect()
        admin.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(S), user))
        admin.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(sql.Identifier(S), user))
        diagnosis = look(url)
        assert diagnosis.findings == ()
        assert any("closed to this user" in note for note in diagnosis.notes)


def test_postgresql_15_without_pgvector(postgis: PostgresDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    postgis.execute("CREATE EXTENSION postgis; CREATE TABLE t (id serial PRIMARY KEY, e text)")
    postgis.execute(f"INSERT INTO t (e) SELECT {OBJECT} FROM generate_series(1, 20) AS i; ANALYZE t")
    diagnosis = look(postgis.url)
    assert {finding.check for finding in diagnosis.findings} == {"no-extension", "text-vectors"}
    [finding] = found(diagnosis, "no-extension")
    assert finding.first == "install pgvector on the server"
    assert diagnosis.tables == 1
    assert cli.run(["doctor", "--target", postgis.url]) == ExitCode.DIFFERENCES
    assert "no pgvector" in capsys.readouterr().out


def test_a_server_of_its_own(private_postgres: Callable[..., Postgres]) -> None:
    """What needs its own settings: queries that ran, an index larger than memory, autovacuum off for all."""
    server = private_postgres(
        settings={"shared_preload_libraries": "pg_stat_statements", "shared_buffers": "1MB", "max_connections": "20"}
    )
    url = with_database(server.admin_url, "shop")
    server.create_database("shop")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats")
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("ALTER SYSTEM SET effective_cache_size = '1MB'")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE SCHEMA {sql.Identifier(S).as_string()}".encode())
        connection.execute(f"CREATE TABLE {PLACE} (id integer PRIMARY KEY, {COLUMN} vector(1500))".encode())
        connection.execute(
            f"INSERT INTO {PLACE} SELECT i, array_fill(random() + i, ARRAY[1500])::vector"
            f" FROM generate_series(1, 200) i; ANALYZE {PLACE}".encode()
        )
        connection.execute(f"CREATE INDEX {INDEX} ON {PLACE} USING hnsw ({COLUMN} vector_l2_ops)".encode())
        connection.execute("SET enable_seqscan = off")
        for sign, limit in (("<->", 100), ("<->", 100), ("<#>", 30)):
            point = "(array_fill(1, ARRAY[1500])::vector)"
            connection.execute(f"SELECT id FROM {PLACE} ORDER BY {COLUMN} {sign} {point} LIMIT {limit}".encode())
    before = look(url)
    names = {finding.check for finding in before.findings}
    assert {"large-index", "low-ef-search", "wrong-operator", "autovacuum-off"} <= names
    [cut] = found(before, "low-ef-search")
    assert "pg_stat_statements: about 40 rows a call in 2 calls" in cut.evidence
    [wrong] = found(before, "wrong-operator")
    assert "pg_stat_statements, 1 call orders by <#>, the indexes serve <->" in wrong.evidence
    assert not any("not installed" in note for note in before.notes)
    mend(url, list(before.findings))
    _reloaded(url)
    after = look(url)
    assert {finding.check for finding in after.findings} & names == set()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE USER other PASSWORD 'pw'; GRANT USAGE ON SCHEMA stats TO other")
    other = url.replace(url.split("//")[1].split("@")[0], "other:pw")
    assert any("pg_stat_statements hides" in note for note in look(other).notes)


def _reloaded(url: str) -> None:
    """Waits until a new session has what ALTER SYSTEM said."""
    for _ in range(500):
        with psycopg.connect(url) as connection:
            if connection.execute("SHOW autovacuum").fetchone() == ("on",):
                return
    pytest.fail("the server did not read its configuration again")


@pytest.mark.parametrize(
    ("check", "provoke"),
    [
        ("text-vectors", _text_mixed),
        ("mixed-dimensions", _mixed),
        ("too-many-dimensions", _long),
        ("zero-vectors", _zeros),
    ],
)
def test_an_extension_in_a_schema_that_nobody_looks_into(
    check: str, provoke: Callable[[PostgresDatabase], None], postgres: PostgresDatabase
) -> None:
    provoke(postgres)
    postgres.execute("""CREATE SCHEMA "ex""t $$ '🐘"; ALTER EXTENSION vector SET SCHEMA "ex""t $$ '🐘" """)
    findings = found(look(postgres.url), check)
    assert len(findings) == 1
    for finding in findings:
        if finding.look:
            postgres.rows(finding.look)
    mend(postgres.url, findings)
    assert check == "zero-vectors" or found(look(postgres.url), check) == []
