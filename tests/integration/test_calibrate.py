"""The trial on both servers: what it measures, what it does without a right, and that nothing of it stays."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from psycopg import sql

from tests.integration.support import config_for
from vecferry import make_plan
from vecferry.demo import sample
from vecferry.plan.estimate import Calibration, estimate
from vecferry.source.live import LiveSource
from vecferry.steps import calibrate as module
from vecferry.steps.calibrate import calibrate
from vecferry.target.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.model import Plan

DIMENSIONS = 256
ROWS = 600

CATALOGS = {
    "pg_class": "oid, relname, relnamespace, relkind, relpersistence, relhasindex, reloptions",
    "pg_type": "oid, typname, typnamespace",
    "pg_extension": "oid, extname, extversion",
    "pg_namespace": "oid, nspname, nspacl::text",
    "pg_proc": "oid, proname",
    "pg_attribute": "attrelid, attname, attnum, atttypid, attstorage",
}

RICH = """CREATE TABLE rich (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY, kind enum('a','b') NOT NULL, label varchar(50) NULL,
  tags set('x','y') NOT NULL, facts json NULL, price decimal(10,2) NULL, flag tinyint(1) NOT NULL, bits bit(5) NULL,
  day date NULL, seen datetime(6) NULL, lasted time(3) NULL, hash binary(16) NULL, place point NULL,
  embedding longtext NULL, UNIQUE KEY label_key (label)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"""


def there(postgres: PostgresDatabase) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the target's catalogs that something left behind would show in."""
    here_alone = "SELECT oid FROM pg_database WHERE datname = current_database()"
    found = {name: postgres.rows(f"SELECT {listed} FROM {name} ORDER BY 1, 2") for name, listed in CATALOGS.items()}
    # Settings are the whole server's, and other tests make some.
    settings = f"SELECT setrole, setconfig FROM pg_db_role_setting WHERE setdatabase = ({here_alone}) ORDER BY 1"
    return {**found, "pg_db_role_setting": postgres.rows(settings)}


def here(mysql: MySQLDatabase) -> list[Any]:
    """The source's tables, their contents and what else the database holds."""
    names = [name for (name,) in mysql.rows("SHOW TABLES")]
    return [mysql.rows(f"CHECKSUM TABLE `{name}`") + mysql.rows(f"SHOW CREATE TABLE `{name}`") for name in names]


def text(vector: list[float]) -> str:
    return json.dumps({str(number): value for number, value in enumerate(vector)})


def fill(mysql: MySQLDatabase, rows: int = ROWS, key: str = "PRIMARY KEY", table: str = "e") -> None:
    made = np.random.default_rng(7).standard_normal((rows, DIMENSIONS)).round(4).tolist()
    mysql.execute(f"CREATE TABLE {table} (id int NOT NULL {key}, v longtext NULL) CHARACTER SET utf8mb4")
    with mysql.connect().cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", [(i, text(v)) for i, v in enumerate(made)])


def trial(mysql: MySQLDatabase, postgres: PostgresDatabase, **options: Any) -> tuple[Plan, Calibration]:
    """Plans and calibrates, and checks that neither side has changed."""
    target, source = there(postgres), here(mysql)
    config = config_for(mysql, postgres, workers=2, **options)
    plan = make_plan(config)
    with connect(config.target_url) as connection, closing(LiveSource(config.source_url).open()) as asked:
        found = calibrate(
            plan, LiveSource(config.source_url), config.target_url, asked, connection, config.workers, seconds=0.5
        )
        assert there(postgres) == target
        assert connection.info.transaction_status.name == "IDLE"
    assert there(postgres) == target
    assert here(mysql) == source
    return plan, found


def samples(found: Calibration) -> set[str]:
    """The tables whose load was timed."""
    return {entry.table for entry in found.tables if entry.seconds is not None and entry.seconds > 0 and entry.rows > 0}


@contextmanager
def role(postgres: PostgresDatabase, rights: str) -> Iterator[PostgresDatabase]:
    """A user of the database who may create in it, but not make temporary tables."""
    name = f"weak_{postgres.database}"
    postgres.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD 'weak'; REVOKE ALL ON DATABASE {postgres.database} FROM PUBLIC;"
        f"GRANT {rights} ON DATABASE {postgres.database} TO {name}; GRANT ALL ON SCHEMA public TO {name}"
    )
    head, _, tail = postgres.url.partition("://")
    weak = replace(postgres, url=f"{head}://{name}:weak@{tail.rpartition('@')[2]}", _own=None, _connections=[])
    try:
        yield weak
    finally:
        weak.close()
        postgres.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)).as_string())


def test_the_sample_application(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=300)
    postgres.execute("CREATE EXTENSION vector")
    plan, found = trial(mysql, postgres)
    assert found.remarks == ()
    assert samples(found) == {"meta_media", "content", "content_embedding", "qa_jobs"}
    assert found.index is not None
    assert (found.index.dimensions, found.index.rows > 100) == (1536, True)
    sizes = dict(next(entry for entry in found.tables if entry.table == "content_embedding").columns)
    assert sizes["embedding"] == pytest.approx(4 * 1536 + 4, rel=0.05)
    assert sizes["id"] == 4
    result = estimate(plan, found, 2**30)
    assert result.total_seconds is not None
    assert result.total_seconds > 0


def test_without_the_extension_the_same_bytes_are_written(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    _, found = trial(mysql, postgres)
    assert samples(found) == {"e"}
    assert found.index is None
    [remark] = found.remarks
    assert "pgvector is not installed" in remark


def test_the_index_is_built_on_what_was_carried(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    postgres.execute("CREATE EXTENSION vector")
    _, found = trial(mysql, postgres)
    assert found.remarks == ()
    assert found.index is not None
    assert (found.index.rows > 200, found.index.seconds > 0) == (True, True)


@pytest.mark.parametrize("options", [{"vector_load": "cast"}, {"hnsw": False}])
def test_other_ways_to_load(mysql: MySQLDatabase, postgres: PostgresDatabase, options: dict[str, Any]) -> None:
    fill(mysql)
    postgres.execute("CREATE EXTENSION vector")
    _, found = trial(mysql, postgres, **options)
    assert (found.remarks, samples(found)) == ((), {"e"})
    assert (found.index is not None) == options.get("hnsw", True)


def test_an_index_on_halfvec(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext NULL) CHARACTER SET utf8mb4")
    rows = [(i, text([float(i % 7 == j % 7) for j in range(2100)])) for i in range(60)]
    with mysql.connect().cursor() as cursor:
        cursor.executemany("INSERT INTO e VALUES (%s, %s)", rows)
    postgres.execute("CREATE EXTENSION vector")
    _, found = trial(mysql, postgres)
    assert found.remarks == ()
    assert found.index is not None
    assert found.index.dimensions == 2100


@pytest.mark.parametrize("extensions", ["", "CREATE EXTENSION vector; CREATE EXTENSION citext"])
def test_types_that_are_there_and_types_that_are_not(
    mysql: MySQLDatabase, postgres: PostgresDatabase, extensions: str
) -> None:
    mysql.execute(RICH)
    with mysql.connect().cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rich (kind, label, tags, facts, price, flag, bits, day, seen, lasted, hash, place, embedding)"
            " VALUES ('b', %s, 'x,y', '{\"a\": 1}', 1.25, 1, b'101', '2024-02-29', '2024-02-29 01:02:03.4',"
            " '-10:00:00.5', 'h', ST_GeomFromText('POINT(1 2)'), %s)",
            [(f"label {i}", text([i / 8] * 32)) for i in range(300)],
        )
    mysql.execute("INSERT INTO rich (kind, tags, flag) VALUES ('a', '', 0)")
    if extensions:
        postgres.execute(extensions)
    plan, found = trial(mysql, postgres, ci="citext")
    types = {column.name: column.target_type for column in plan.tables[0].columns}
    assert (types["label"], types["embedding"]) == ("citext", "vector(32)")
    assert "rich_kind_enum" in types["kind"]
    assert samples(found) == {"rich"}
    assert [remark for remark in found.remarks if "pgvector is not installed" not in remark] == []


def test_types_of_an_existing_table(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, kind enum('a','b'), label varchar(20), size int)")
    mysql.execute("INSERT INTO t VALUES (1, 'a', 'x', 3), (2, NULL, NULL, NULL)")
    postgres.execute(
        "CREATE TYPE kinds AS ENUM ('a', 'b'); CREATE DOMAIN small AS integer CHECK (VALUE < 10);"
        "CREATE TABLE t (id integer PRIMARY KEY, kind kinds, label varchar(20), size small)"
    )
    _, found = trial(mysql, postgres)
    assert (found.remarks, samples(found)) == ((), {"t"})


def test_a_table_called_like_a_type(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql, table="vector")
    postgres.execute("CREATE EXTENSION vector")
    _, found = trial(mysql, postgres)
    assert (found.remarks, samples(found)) == ((), {"vector"})
    assert found.index is not None


def test_tables_without_a_key_and_without_rows(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql, key="", table="keyless")
    mysql.execute("CREATE TABLE empty_keyless (a int, b text)")
    mysql.execute("CREATE TABLE empty (id int PRIMARY KEY, b text)")
    plan, found = trial(mysql, postgres, tables=["keyless", "empty", "empty_keyless"])
    assert plan.table("keyless").key == ()
    assert samples(found) == {"keyless"}


def test_an_empty_database(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE empty (id int PRIMARY KEY)")
    plan, found = trial(mysql, postgres)
    assert (found.tables, found.remarks) == ((), ())
    assert estimate(plan, found, 2**30).total_seconds == 0


def test_keys_of_texts_and_of_several_columns(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (a char(4), b int, c text, PRIMARY KEY (a, b)) CHARACTER SET utf8mb4")
    with mysql.connect().cursor() as cursor:
        rows = [(f"ü'{i % 10}", i, "x" * 2000) for i in range(1000)]
        cursor.executemany("INSERT INTO t VALUES (%s, %s, %s)", rows)
    _, found = trial(mysql, postgres, chunk_bytes="256KB")
    assert (found.remarks, samples(found)) == ((), {"t"})


def test_a_few_values_that_are_no_embedding_do_not_matter(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    mysql.execute("UPDATE e SET v = 'oops' WHERE id IN (3, 431)")
    _, found = trial(mysql, postgres, embedding=f"e.v:{DIMENSIONS}", chunk_bytes="128KB")
    assert samples(found) == {"e"}


def test_values_that_are_all_no_embeddings_are_told(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    fill(mysql, table="other")
    mysql.execute("UPDATE e SET v = CONCAT(v, 'oops') WHERE id % 20 <> 0")
    _, found = trial(mysql, postgres, embedding=f"e.v:{DIMENSIONS}", chunk_bytes="64KB")
    assert samples(found) == {"other"}
    assert "table e could not be measured" in found.remarks
    [invalid] = found.invalid
    assert invalid.startswith("e.v at id = ")


def test_a_value_that_postgresql_refuses_is_told(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, n int)")
    with mysql.connect().cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(i, 100) for i in range(1000)])
    postgres.execute(
        "CREATE DOMAIN small AS integer CHECK (VALUE < 10); CREATE TABLE t (id integer PRIMARY KEY, n integer)"
    )
    config = config_for(mysql, postgres, workers=2)
    plan = make_plan(config)
    [table] = plan.tables
    columns = tuple(replace(c, target_type="small") if c.name == "n" else c for c in table.columns)
    target = there(postgres)
    with connect(config.target_url) as connection, closing(LiveSource(config.source_url).open()) as asked:
        found = calibrate(
            replace(plan, tables=(replace(table, columns=columns),)),
            LiveSource(config.source_url), config.target_url, asked, connection, 2,
        )  # fmt: skip
    assert found.tables == ()
    assert "table t could not be measured" in found.remarks
    assert "small" in found.invalid[0]
    assert there(postgres) == target


def test_a_user_who_may_not_make_temporary_tables(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    with role(postgres, "CONNECT, CREATE") as weak:
        plan, found = trial(mysql, weak)
    [sampled] = found.tables
    assert sampled.seconds is None
    assert dict(sampled.columns)["v"] == pytest.approx(4 * DIMENSIONS + 4, abs=8)
    assert found.index is None
    assert any("may not create temporary tables" in remark for remark in found.remarks)
    assert estimate(plan, found, 2**30).load_seconds is None


def test_a_target_that_is_read_only(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    postgres.execute("CREATE EXTENSION vector")
    config = config_for(mysql, postgres, workers=2)
    plan = make_plan(config)
    postgres.execute(f"ALTER DATABASE {postgres.database} SET default_transaction_read_only = on")
    with connect(config.target_url) as connection, closing(LiveSource(config.source_url).open()) as asked:
        found = calibrate(plan, LiveSource(config.source_url), config.target_url, asked, connection, 2)
    assert [entry.seconds for entry in found.tables] == [None]
    assert any("the target is read-only" in remark for remark in found.remarks)


def test_an_index_that_takes_too_long_leaves_the_load(
    mysql: MySQLDatabase, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(mysql)
    fill(mysql, 50, table="smaller")
    postgres.execute("CREATE EXTENSION vector")
    monkeypatch.setattr(module, "_INDEX_SECONDS", 0.005)
    _, found = trial(mysql, postgres)
    assert samples(found) == {"e", "smaller"}
    assert found.index is None or found.index.rows <= 50
    assert any("index build could not be measured" in remark for remark in found.remarks)


def test_a_source_that_is_gone_is_a_remark(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    config = config_for(mysql, postgres, workers=2)
    plan = make_plan(config)
    gone = replace(config.source_url, password="not-the-password")
    with connect(config.target_url) as connection, closing(LiveSource(config.source_url).open()) as asked:
        found = calibrate(plan, LiveSource(gone), config.target_url, asked, connection, 2)
    assert any("Access denied" in remark for remark in found.remarks)
    assert not any("not-the-password" in remark for remark in found.remarks)
    assert found.tables == ()
