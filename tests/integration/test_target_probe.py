"""Expressions and views that PostgreSQL is asked about before there is a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from vecferry.target.probe import refusal, view_refusal

if TYPE_CHECKING:
    from tests.conftest import PostgresDatabase

COLUMNS = {
    "id": "bigint",
    "name": "character varying(20)",
    'a "b"': "numeric(10,2)",
    "kind": '"public"."t_kind_enum"',
    "v": "vector(3)",
    "tags": "text[]",
    "at": "timestamp(6) without time zone",
    "body": "jsonb",
}


@pytest.mark.parametrize(
    "expression",
    [
        'id > 0 AND "a ""b""" < 100.5',
        "kind IN ('a', 'b') AND v IS NOT NULL",
        "name ~ '^[a-z]+$' -- letters",
        "10 / id > 1",
        "tags <@ ARRAY['x', 'y']",
        "(body ->> 'n')::int BETWEEN 1 AND 9",
    ],
)
def test_a_valid_condition_is_not_refused(postgres: PostgresDatabase, expression: str) -> None:
    assert refusal(postgres.connect(), COLUMNS, expression, "boolean") is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("nosuch > 0", 'column "nosuch" does not exist'),
        ("id + 1", "argument of WHERE must be type boolean, not type bigint"),
        ("name = id", "operator does not exist: character varying = bigint"),
        ("nosuch(id)", "function nosuch(bigint) does not exist"),
        ("id > ", 'syntax error at or near ")"'),
        ("count(id) > 1", "aggregate functions are not allowed in WHERE"),
        ("id > 1 / 0", "division by zero"),
        ("true); DROP TABLE kept; SELECT (1", "cannot insert multiple commands into a prepared statement"),
    ],
)
def test_an_invalid_condition_is_refused_in_postgresqls_words(
    postgres: PostgresDatabase, expression: str, words: str
) -> None:
    postgres.execute("CREATE TABLE kept (id int)")
    connection = postgres.connect()
    assert refusal(connection, COLUMNS, expression, "boolean") == words
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert postgres.rows("SELECT to_regclass('kept') IS NULL") == [(False,)]


def test_values(postgres: PostgresDatabase) -> None:
    connection = postgres.connect()
    assert refusal(connection, COLUMNS, "upper(name) || '-' || id", "value") is None
    assert refusal(connection, COLUMNS, "upper(name) -- loud", "value") is None
    assert refusal(connection, {}, "CURRENT_TIMESTAMP(6)", "value") is None
    assert refusal(connection, {}, "gen_random_uuid()", "value") is None
    # The columns are no constants: PostgreSQL does not compute with their NULLs.
    assert (
        refusal(connection, COLUMNS, "CASE WHEN id IS NULL THEN ('x' || coalesce(name, ''))::int END", "value") is None
    )
    assert refusal(connection, COLUMNS, "upper(id)", "value") == "function upper(bigint) does not exist"
    assert refusal(connection, {}, "uuid_generate_v4()", "value") == "function uuid_generate_v4() does not exist"


def test_a_type_that_exists_is_taken_as_it_is(postgres: PostgresDatabase) -> None:
    connection = postgres.connect()
    assert refusal(connection, COLUMNS, "kind = 'c'", "boolean") is None
    assert refusal(connection, COLUMNS, "v <-> '[1,2,3]' < 1", "boolean") == "operator does not exist: text <-> unknown"
    postgres.execute("CREATE TYPE t_kind_enum AS ENUM ('a', 'b'); CREATE EXTENSION vector")
    assert refusal(connection, COLUMNS, "kind = 'b'", "boolean") is None
    assert refusal(connection, COLUMNS, "kind = 'c'", "boolean") == 'invalid input value for enum t_kind_enum: "c"'
    assert refusal(connection, COLUMNS, "v <-> '[1,2,3]' < 1", "boolean") is None


def test_views(postgres: PostgresDatabase) -> None:
    connection = postgres.connect()
    relations = {"t": COLUMNS, "O'u\"r": {"id": "integer", "t_id": "bigint"}, "bare": {}}
    other = '"O\'u""r"'
    valid = f'SELECT t.id, upper(t."name") AS n, u.id AS u FROM "t" AS t JOIN {other} AS u ON u.t_id = t.id'
    assert view_refusal(connection, relations, valid) is None
    assert view_refusal(connection, relations, 'WITH x AS (SELECT id FROM "t") SELECT * FROM x -- all') is None
    assert view_refusal(connection, relations, 'SELECT count(*) FROM "t", "bare" UNION SELECT 1') is None
    assert view_refusal(connection, {}, "SELECT 1 AS one") is None
    assert view_refusal(connection, relations, 'SELECT t.x FROM "t" AS t') == "column t.x does not exist"
    assert view_refusal(connection, relations, 'SELECT * FROM "nosuch"') == 'relation "nosuch" does not exist'
    assert view_refusal(connection, relations, 'SELECT ifnull(id, 0) FROM "t"') == (
        "function ifnull(bigint, integer) does not exist"
    )
    two = "SELECT 1) AS v; CREATE TABLE made (id int); SELECT (1"
    assert view_refusal(connection, relations, two) == "cannot insert multiple commands into a prepared statement"
    assert postgres.rows("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


def test_a_column_that_depends_on_a_grouped_key_is_let_through(postgres: PostgresDatabase) -> None:
    query = 'SELECT t.id, t.name, count(*) FROM "t" AS t GROUP BY t.id'
    assert view_refusal(postgres.connect(), {"t": COLUMNS}, query) is None
    postgres.execute(f"CREATE TABLE t (id bigint PRIMARY KEY, name text); CREATE VIEW v AS {query}")


def test_a_schema_qualified_name_means_what_is_there(postgres: PostgresDatabase) -> None:
    connection = postgres.connect()
    query = 'SELECT id FROM "public"."t"'
    assert view_refusal(connection, {"t": COLUMNS}, query) == 'relation "public.t" does not exist'
    postgres.execute("CREATE TABLE t (id int)")
    assert view_refusal(connection, {"t": COLUMNS}, query) is None


def test_it_asks_in_a_transaction_that_may_write_nothing(postgres: PostgresDatabase) -> None:
    connection = postgres.connect()
    connection.execute("SET default_transaction_read_only = on")
    assert refusal(connection, COLUMNS, "id > 0", "boolean") is None
    assert view_refusal(connection, {"t": COLUMNS}, 'SELECT id FROM "t"') is None


@pytest.mark.parametrize("kind", ["expression", "view"])
def test_a_lost_connection_is_no_refusal(postgres: PostgresDatabase, kind: str) -> None:
    def ask() -> str | None:
        if kind == "view":
            return view_refusal(connection, {"t": COLUMNS}, 'SELECT id FROM "t"')
        return refusal(connection, COLUMNS, "id > 0", "boolean")

    connection = postgres.connect()
    postgres.rows("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        ask()
    assert connection.closed
    with pytest.raises(psycopg.OperationalError):
        ask()
