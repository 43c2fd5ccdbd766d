"""The rights that docs/security.md names are enough, and no more is asked for."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
import pytest
from psycopg import sql

from vecferry import load_config, make_plan, migrate
from vecferry.config import parse_source, parse_target
from vecferry.demo import sample
from vecferry.errors import SourceError, TargetError
from vecferry.source.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase

PASSWORD = "s3cr3t-of-an-ordinary-user"
DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
GRANTS = re.findall(r"^GRANT .*;$", DOCUMENT.read_text(), re.MULTILINE)
SOURCE = [grant for grant in GRANTS if "'vecferry'@'%'" in grant]
TARGET = [grant for grant in GRANTS if grant not in SOURCE]


@contextmanager
def reader(mysql: MySQLDatabase, *grants: str) -> Iterator[str]:
    """A user of the source with the rights that `grants`, statements of the document, give; by its URL."""
    name = f"r{mysql.database[5:17]}"
    url = parse_source(mysql.url)
    mysql.execute(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
    try:
        for grant in grants:
            mysql.execute(grant.replace("'vecferry'@'%'", f"'{name}'@'127.0.0.1'").replace("athena", mysql.database))
        yield f"mysql://{name}:{PASSWORD}@{url.host}:{url.port}/{url.database}"
    finally:
        mysql.execute(f"DROP USER '{name}'@'127.0.0.1'")


@contextmanager
def writer(postgres: PostgresDatabase) -> Iterator[str]:
    """A user of the target with the rights that the document gives, where nobody has any by default; by its URL."""
    name, url = f"w{postgres.database[5:17]}", parse_target(postgres.url)
    admin = postgres.connect()
    user, database = sql.Identifier(name), sql.Identifier(postgres.database)
    admin.execute(sql.SQL("CREATE USER {} PASSWORD {}").format(user, sql.Literal(PASSWORD)))
    try:
        admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC")
                      .format(database))  # fmt: skip
        for grant in TARGET:
            postgres.execute(grant.replace("TO vecferry", f"TO {name}").replace("athena", postgres.database))
        yield f"postgresql://{name}:{PASSWORD}@{url.host}:{url.port}/{url.database}"
    finally:
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(user))
        admin.execute(sql.SQL("DROP USER {}").format(user))


def test_ordinary_users_migrate_the_sample(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=200, dimensions=64)
    mysql.execute("CREATE VIEW latest AS SELECT id, title FROM content WHERE id > 10")
    postgres.execute("CREATE EXTENSION vector")
    with reader(mysql, SOURCE[0]) as source, writer(postgres) as target:
        config = load_config(source=source, target=target)
        plan = make_plan(config)
        assert plan.problems == ()
        assert [view.name for view in plan.views] == ["latest"]
        assert not any("the source's user" in note for note in plan.notes)
        report = migrate(config)
        assert report.status == "ok"
        assert migrate(config).status == "nothing to do"
        assert PASSWORD not in str(plan) + str(report)


@pytest.mark.parametrize(("engine", "grants"), [("InnoDB", "LOCK"), ("MyISAM", "LOCK|RELOAD")])
def test_a_lock_takes_more(mysql: MySQLDatabase, postgres: PostgresDatabase, engine: str, grants: str) -> None:
    mysql.execute(f"CREATE TABLE t (id int PRIMARY KEY) ENGINE = {engine}")
    mysql.execute("INSERT INTO t VALUES (1)")
    more = [grant for grant in SOURCE if re.match(f"GRANT ({grants})", grant)]
    with writer(postgres) as target:
        for missing in more:
            without = [grant for grant in more if grant != missing]
            with (
                reader(mysql, SOURCE[0], *without) as source,
                pytest.raises(SourceError, match=re.match(r"GRANT (\w+)", missing)[1]),  # type: ignore[index]
            ):
                migrate(load_config(source=source, target=target, consistency="lock"))
        with reader(mysql, SOURCE[0], *more) as source:
            config = load_config(source=source, target=target, consistency="lock")
            assert migrate(config).status == "ok"


def test_the_position_of_the_log_takes_one_right_more(mysql: MySQLDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    (monitor,) = (grant for grant in SOURCE if "REPLICATION CLIENT" in grant)
    for grants, seen in ((SOURCE[:1], False), ((SOURCE[0], monitor), True)):
        with reader(mysql, *grants) as source, closing(connect(parse_source(source))) as connection:
            cursor = connection.cursor()
            if seen:
                cursor.execute("SHOW MASTER STATUS")
            else:
                with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
                    cursor.execute("SHOW MASTER STATUS")


def test_pgvector_that_the_user_may_not_create_is_told(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=50, dimensions=64)
    with reader(mysql, SOURCE[0]) as source, writer(postgres) as target:
        config = load_config(source=source, target=target)
        assert any("create the extension vector" in right for right in make_plan(config).rights)
        with pytest.raises(TargetError, match='permission denied to create extension "vector"'):
            migrate(config)
