"""The main job on the sample application, between real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import psycopg
import pymysql
import pytest

from tests.integration.support import (
    config_for,
    read_json_embedding,
    read_vector,
    run,
    source_rows,
    target_rows,
)
from vecferry import Progress, make_plan, migrate
from vecferry.demo import sample
from vecferry.errors import ForbiddenError

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

ROWS = 400
TABLES = {"meta_media": "id", "content": "id", "content_embedding": "id", "qa_jobs": "id"}


@pytest.fixture
def athena(mysql: MySQLDatabase) -> MySQLDatabase:
    sample.fill(mysql.connect(), rows=ROWS)
    return mysql


class Watch(Progress):
    """Counts what a run carries."""

    def __init__(self) -> None:
        self.rows = 0
        self.notes: list[str] = []

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        self.rows += rows

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_every_value_arrives(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    report = run(athena, postgres, chunk_bytes="2MB")
    assert report.status == "ok"
    assert {table.name: table.verified for table in report.tables} == dict.fromkeys(TABLES, "equal")
    for name, key in TABLES.items():
        order = f'"{key}"' if name != "qa_jobs" else f'"{key}" COLLATE "C"'
        here = source_rows(athena, name, f"`{key}`")
        there = target_rows(postgres, name, order)
        assert len(here) == len(there) == next(t.rows_target for t in report.tables if t.name == name)
        for left, right in zip(here, there, strict=True):
            assert _expected(name, left) == _found(right), f"{name} {left[key]}"


def _expected(table: str, row: dict[str, Any]) -> dict[str, Any]:
    row = dict(row)
    if table == "content":
        row["tags"] = row["tags"].split(",") if row["tags"] else []
    if table == "meta_media":
        row["isPublic"] = bool(row["isPublic"])
    if table == "content_embedding":
        row["embedding"] = read_json_embedding(row["embedding"]).tobytes()
    if table == "qa_jobs" and row["sources"] is not None:
        row["sources"] = orjson.loads(row["sources"])
    if table == "qa_jobs" and row["similarity"] is not None:
        # MySQL prints a float with six digits; the target is compared at that precision here, and bit for bit
        # in test_types.
        row["similarity"] = float(f"{row['similarity']:.5g}")
    return row


def _found(row: dict[str, Any]) -> dict[str, Any]:
    row = dict(row)
    if "embedding" in row:
        row["embedding"] = read_vector(row["embedding"]).tobytes()
    if row.get("similarity") is not None:
        row["similarity"] = float(f"{row['similarity']:.5g}")
    return {name: value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for name, value in row.items()}


def test_vector_column_index_and_search(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    report = run(athena, postgres)
    [vector] = report.vectors
    assert (vector.table, vector.column, vector.dimensions) == ("content_embedding", "embedding", 1536)
    assert (vector.type, vector.rows, vector.problems) == ("vector(1536)", ROWS, ())
    assert vector.recall_at_10 is not None
    assert vector.recall_at_10 >= 0.9
    [(definition, valid)] = postgres.rows(
        "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [vector.index]
    )
    assert valid
    assert "USING hnsw (embedding vector_cosine_ops)" in definition
    [(stored,)] = postgres.rows("SELECT embedding::text FROM content_embedding WHERE id = 7")
    [(nearest, distance)] = postgres.rows(
        "SELECT id, embedding <=> %s::vector FROM content_embedding ORDER BY 2 LIMIT 1", [stored]
    )
    assert (nearest, round(distance, 6)) == (7, 0.0)


def test_cast_gives_the_same_vectors_as_wire(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    run(athena, postgres, vector_load="cast", hnsw=False)
    there = target_rows(postgres, "content_embedding", "id")
    here = source_rows(athena, "content_embedding", "id")
    assert len(there) == ROWS
    for left, right in zip(here, there, strict=True):
        assert np.array_equal(read_json_embedding(left["embedding"]), read_vector(right["embedding"]))


def test_keys_and_foreign_keys_are_those_of_the_source(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    run(athena, postgres)
    constraints = postgres.rows(
        "SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f') ORDER BY 1, 2"
    )
    by_kind = {kind: [c for c in constraints if c[2] == kind] for kind in "puf"}
    assert {c[0] for c in by_kind["p"]} == set(TABLES)
    assert (
        "content_embedding",
        "IDX_498ccd90c2c8ee4db1fec8b9db",
        "u",
        'UNIQUE ("contentId", "chunkIndex")',
    ) in by_kind["u"]
    actions = {c[1]: c[3] for c in by_kind["f"]}
    assert actions["FK_63d470d74b8b1aa5027f00cdd43"].endswith("REFERENCES content(id) ON DELETE CASCADE")
    assert actions["FK_e1740997f3d94cee76a5174b469"].endswith("REFERENCES meta_media(id) ON DELETE SET NULL")
    assert len(actions) == 3
    indexes = {row[0] for row in postgres.rows("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    assert {"IDX_3af40e8cc4e8f63c8f7f03d773", "IDX_63d470d74b8b1aa5027f00cdd4"} <= indexes


def test_the_next_insert_gets_a_free_number(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    athena.execute("CREATE TABLE empty_one (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int)")
    report = run(athena, postgres)
    last = {entry.sequence: entry.last_value for entry in report.sequences}
    assert last["public.content_id_seq"] == ROWS // 4
    assert last["public.empty_one_id_seq"] is None
    assert postgres.rows("INSERT INTO empty_one (a) VALUES (1) RETURNING id") == [(1,)]
    assert postgres.rows("INSERT INTO meta_media (url) VALUES ('x') RETURNING id, type, \"isPublic\"")[0] == (
        report.tables[0].rows_source + 1 if report.tables[0].name == "meta_media" else _count(report, "meta_media") + 1,
        "image",
        True,
    )
    query = 'INSERT INTO content_embedding ("contentId", "chunkIndex", "chunkText") VALUES (1, 999, \'x\') RETURNING id'
    assert postgres.rows(query) == [(ROWS + 1,)]


def _count(report: Any, table: str) -> int:
    return next(int(entry.rows_source) for entry in report.tables if entry.name == table)


def test_again_there_is_nothing_to_do(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    first = run(athena, postgres)
    before = postgres.rows("SELECT xmin::text, id FROM content_embedding ORDER BY id")
    watch = Watch()
    again = run(athena, postgres, watch)
    assert (again.status, again.run_id) == ("nothing to do", first.run_id)
    assert watch.rows == 0
    assert any("nothing is left to do" in note for note in watch.notes)
    assert postgres.rows("SELECT xmin::text, id FROM content_embedding ORDER BY id") == before
    assert [(t.name, t.verified) for t in again.tables] == [(t.name, "equal") for t in first.tables]
    with pytest.raises(ForbiddenError, match="not empty"):
        run(athena, postgres, restart=True)
    assert postgres.rows("SELECT count(*) FROM content_embedding") == [(ROWS,)]


def test_plan_changes_nothing(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    before = postgres.rows("SELECT oid, relname FROM pg_class ORDER BY 1")
    plan = make_plan(config_for(athena, postgres))
    assert {table.name for table in plan.tables} == set(TABLES)
    assert plan.embeddings[0].dimensions == 1536
    assert postgres.rows("SELECT oid, relname FROM pg_class ORDER BY 1") == before
    assert postgres.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'vecferry'") == []


def test_the_ledger_adds_up(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    report = run(athena, postgres, chunk_bytes="2MB")
    for table in report.tables:
        [(read, written, rejected, chunks)] = postgres.rows(
            "SELECT sum(rows_read), sum(rows_written), sum(rows_rejected), count(*) FROM vecferry.chunk"
            " WHERE table_name = %s",
            [table.name],
        )
        assert (read, written, rejected) == (table.rows_source, table.rows_target, 0)
        if table.name == "content_embedding":
            assert chunks > 5
    secrets = postgres.rows("SELECT plan::text || fingerprint::text || report::text FROM vecferry.run")
    assert athena.url.split(":")[2].split("@")[0] not in secrets[0][0]


def test_a_full_target_is_refused_and_truncate_asks(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    run(athena, postgres)
    postgres.execute("DELETE FROM vecferry.run")
    postgres.execute("CREATE TABLE note (id int, media int REFERENCES meta_media (id)); INSERT INTO note VALUES (1, 1)")
    with pytest.raises(ForbiddenError, match="4 tables in the target are not empty .*content.*--truncate"):
        run(athena, postgres)
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(ForbiddenError, match="consent was not given"):
        migrate(config_for(athena, postgres, truncate=True), confirm=refuse)
    assert "public.note" in asked[0]
    assert "public.content_embedding" in asked[0]
    assert postgres.rows("SELECT count(*) FROM note") == [(1,)]
    report = run(athena, postgres, truncate=True)
    assert report.status == "ok"
    assert postgres.rows("SELECT count(*) FROM note") == [(0,)]
    again = run(athena, postgres, truncate=True)
    assert (again.status, again.run_id != report.run_id) == ("ok", True)


def test_a_difference_since_is_no_success(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    run(athena, postgres)
    postgres.execute("DELETE FROM qa_jobs WHERE id IN (SELECT id FROM qa_jobs LIMIT 1)")
    again = run(athena, postgres)
    assert again.status == "differences"
    assert {table.name for table in again.tables if table.verified == "different"} == {"qa_jobs"}


def test_a_second_migration_is_refused_while_one_runs(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    class Nested(Progress):
        error: Exception | None = None

        def end(self, step: str, seconds: float) -> None:  # noqa: ARG002 - the protocol's names
            if step == "load":
                try:
                    run(athena, postgres)
                except ForbiddenError as error:
                    self.error = error

    nested = Nested()
    assert run(athena, postgres, nested).status == "ok"
    assert "another migration is running" in str(nested.error)


def test_unique_keys_hold_in_the_target(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    run(athena, postgres)
    with pytest.raises(psycopg.errors.UniqueViolation):
        postgres.execute("INSERT INTO content (title, slug, body) SELECT title, slug, body FROM content LIMIT 1")


def test_a_foreign_key_named_like_its_index_is_not_lost(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE p (id int PRIMARY KEY)")
    mysql.execute("CREATE TABLE c (id int PRIMARY KEY, p int, CONSTRAINT fkx FOREIGN KEY (p) REFERENCES p (id))")
    run(mysql, postgres)
    assert postgres.rows("SELECT contype::text FROM pg_constraint WHERE conname = 'fkx'") == [("f",)]
    assert postgres.rows("SELECT count(*) FROM pg_indexes WHERE indexname = 'fkx'") == [(1,)]


def test_a_key_that_is_missing_at_the_end_is_a_difference(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    class DropAtTheEnd(Progress):
        def begin(self, step: str) -> None:
            if step == "verify":
                postgres.execute('ALTER TABLE content DROP CONSTRAINT "FK_e1740997f3d94cee76a5174b469"')

    report = run(athena, postgres, DropAtTheEnd())
    assert report.status == "differences"
    assert any("foreign key FK_e1740997f3d94cee76a5174b469 of table content is missing" in n for n in report.notes)


def test_an_index_may_be_called_like_a_table(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE author (id int PRIMARY KEY)")
    mysql.execute("CREATE TABLE book (id int PRIMARY KEY, author int, KEY author (author), KEY book (id))")
    assert run(mysql, postgres).status == "ok"
    names = {row[0] for row in postgres.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'book'")}
    assert names == {"book_pkey", "book_author", "book_book"}


def test_what_is_not_carried_is_listed(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, c int, j json, CONSTRAINT positive CHECK (c > 0))")
    mysql.execute("CREATE VIEW v AS SELECT * FROM t")
    mysql.execute("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.c = 1")
    mysql.execute("CREATE VIEW w AS SELECT CRC32(c) AS hash FROM t")
    losses = {(loss.table, loss.reason.split(":")[0]) for loss in make_plan(config_for(mysql, postgres)).losses}
    assert losses == {("w", "the view w is not carried"), ("t", "trigger tr is not carried")}


def test_a_name_that_a_view_has_is_refused(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE taken (id int PRIMARY KEY)")
    postgres.execute("CREATE VIEW taken AS SELECT 1")
    with pytest.raises(ForbiddenError) as caught:
        run(mysql, postgres)
    assert "a view or another relation called taken" in str(caught.value)


def test_extensions_land_where_everyone_sees_them(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE u (id int PRIMARY KEY, email varchar(50) COLLATE utf8mb4_general_ci)")
    mysql.execute("INSERT INTO u VALUES (1, 'A@x')")
    # PostgreSQL would create them in the user's own schema, which comes first on the default search_path.
    postgres.execute("CREATE SCHEMA AUTHORIZATION CURRENT_USER")
    assert run(mysql, postgres, ci="citext").status == "ok"
    assert postgres.rows(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'citext'"
    ) == [("public",)]
    assert postgres.rows("SELECT id FROM u WHERE email = 'a@X'") == [(1,)]


def test_a_source_that_moves_is_told(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    class AddARow(Progress):
        def begin(self, step: str) -> None:
            if step == "load":
                athena.execute("INSERT INTO meta_media (id, url) SELECT MAX(id) + 1, 'new' FROM meta_media")

    report = run(athena, postgres, AddARow())
    assert any("table meta_media changed during the copy" in note for note in report.notes)
    assert not any("changed during the copy" in note for note in run(athena, postgres, truncate=True).notes)


def test_a_lock_keeps_writers_out_until_the_copy_is_done(athena: MySQLDatabase, postgres: PostgresDatabase) -> None:
    refused: list[str] = []

    class TryToWrite(Progress):
        def advance(self, table: str, rows: int, size: int) -> None:
            if not refused and table and rows and size:
                with athena.connect() as connection, connection.cursor() as cursor:
                    cursor.execute("SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
                    try:
                        cursor.execute("UPDATE meta_media SET url = 'other' LIMIT 1")
                    except pymysql.err.OperationalError as error:
                        refused.append(str(error))

        def begin(self, step: str) -> None:
            if step == "keys":
                athena.execute("UPDATE meta_media SET url = url LIMIT 1")

    assert run(athena, postgres, TryToWrite(), consistency="lock").status == "ok"
    assert "Lock wait timeout" in refused[0]
