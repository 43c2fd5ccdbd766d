"""The rights that the README names are enough, and no more is asked for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from vecferry import load_config, make_plan, migrate
from vecferry.config import parse_source, parse_target
from vecferry.demo import sample
from vecferry.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase

PASSWORD = "s3cr3t-of-an-ordinary-user"


@contextmanager
def reader(mysql: MySQLDatabase, *rights: str) -> Iterator[str]:
    """A user of the source with `rights` on the database, by its URL."""
    name = f"r{mysql.database[5:17]}"
    url = parse_source(mysql.url)
    mysql.execute(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
    try:
        mysql.execute(f"GRANT {', '.join(rights)} ON `{mysql.database}`.* TO '{name}'@'127.0.0.1'")
        yield f"mysql://{name}:{PASSWORD}@{url.host}:{url.port}/{url.database}"
    finally:
        mysql.execute(f"DROP USER '{name}'@'127.0.0.1'")


@contextmanager
def writer(postgres: PostgresDatabase) -> Iterator[str]:
    """A user of the target who may create in the database and in its schema public, by its URL."""
    name, url = f"w{postgres.database[5:17]}", parse_target(postgres.url)
    admin = postgres.connect()
    user, database = sql.Identifier(name), sql.Identifier(postgres.database)
    admin.execute(sql.SQL("CREATE USER {} PASSWORD {}").format(user, sql.Literal(PASSWORD)))
    try:
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, user))
        admin.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(user))
        yield f"postgresql://{name}:{PASSWORD}@{url.host}:{url.port}/{url.database}"
    finally:
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(user))
        admin.execute(sql.SQL("DROP USER {}").format(user))


def test_ordinary_users_migrate_the_sample(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=200, dimensions=64)
    mysql.execute("CREATE VIEW latest AS SELECT id, title FROM content WHERE id > 10")
    postgres.execute("CREATE EXTENSION vector")
    with reader(mysql, "SELECT", "SHOW VIEW", "TRIGGER", "EVENT") as source, writer(postgres) as target:
        config = load_config(source=source, target=target)
        plan = make_plan(config)
        assert plan.problems == ()
        assert [view.name for view in plan.views] == ["latest"]
        assert not any("the source's user" in note for note in plan.notes)
        report = migrate(config)
        assert report.status == "ok"
        assert migrate(config).status == "nothing to do"
        assert PASSWORD not in str(plan) + str(report)


def test_a_lock_takes_one_right_more(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO t VALUES (1)")
    with reader(mysql, "SELECT", "LOCK TABLES") as source, writer(postgres) as target:
        assert migrate(load_config(source=source, target=target, consistency="lock")).status == "ok"


def test_pgvector_that_the_user_may_not_create_is_told(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=50, dimensions=64)
    with reader(mysql, "SELECT") as source, writer(postgres) as target:
        config = load_config(source=source, target=target)
        assert any("create the extension vector" in right for right in make_plan(config).rights)
        with pytest.raises(TargetError, match='permission denied to create extension "vector"'):
            migrate(config)
