"""The catalog of a real database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from vecferry.config import parse_source
from vecferry.errors import UsageError
from vecferry.mapping.flavor import Flavor
from vecferry.model import Check, Column, ForeignKey, Index, IndexColumn, Loss
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect

if TYPE_CHECKING:
    from vecferry.model import Catalog


@pytest.fixture(params=["mysql", "mysql56"])
def source(request: pytest.FixtureRequest) -> Any:
    """A fresh database on each server."""
    return request.getfixturevalue(request.param)


def catalog(mysql: Any, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Catalog:
    with connect(parse_source(mysql.url)) as connection:
        return read_catalog(connection, include, exclude)


def kind(mysql: Any) -> Flavor:
    return Flavor.parse(mysql.rows("SELECT VERSION()")[0][0])


@pytest.mark.parametrize(
    ("text", "mariadb", "version"),
    [
        ("8.4.2", False, (8, 4, 2)),
        ("5.6.24-log", False, (5, 6, 24)),
        ("10.11.19-MariaDB-0+deb12u1", True, (10, 11, 19)),
        ("5.5.5-10.4.1-MariaDB-log", True, (10, 4, 1)),
        ("8.0.11-TiDB-v7.5.0", False, (8, 0, 11)),
        ("11.4-mariadb", True, (11, 4, 0)),
        ("unheard of", False, (0, 0, 0)),
    ],
)
def test_flavor(text: str, mariadb: bool, version: tuple[int, int, int]) -> None:
    assert Flavor.parse(text) == Flavor(text, mariadb, version)


def test_columns(source: Any) -> None:
    source.execute(
        "CREATE TABLE t ("
        " id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'the number; it''s ours',"
        " price decimal(12,3) NOT NULL, code char(3) COLLATE latin1_bin, name varchar(80) CHARACTER SET utf8mb4,"
        " kind enum('a','b''c') CHARACTER SET utf8mb4, seen datetime(6), made timestamp(3) NULL, data varbinary(16),"
        " body longtext CHARACTER SET utf8mb4, flags bit(10), small tinyint(1) NOT NULL"
        ") COMMENT = 'things & such'"
    )
    (table,) = catalog(source).tables
    assert table.comment == "things & such"
    assert table.primary_key == ("id",)
    assert [column.name for column in table.columns] == [
        "id", "price", "code", "name", "kind", "seen", "made", "data", "body", "flags", "small"
    ]  # fmt: skip
    number = table.column("id")
    assert number.data_type == "bigint"
    assert number.unsigned
    assert number.auto_increment
    assert not number.nullable
    assert number.comment == "the number; it's ours"
    price = table.column("price")
    assert (price.data_type, price.precision, price.scale, price.column_type) == ("decimal", 12, 3, "decimal(12,3)")
    assert (table.column("code").character_set, table.column("code").length) == ("latin1", 3)
    assert (table.column("name").character_set, table.column("name").length) == ("utf8mb4", 80)
    assert (table.column("code").collation, number.collation) == ("latin1_bin", None)
    assert (number.expression, number.srid) == ("", None)
    assert table.column("kind").column_type == "enum('a','b''c')"
    assert table.column("seen").fraction_digits == 6
    assert table.column("made").fraction_digits == 3
    assert table.column("data").length == 16
    assert table.column("data").character_set is None
    assert table.column("body").data_type == "longtext"
    assert table.column("flags").precision == 10
    assert table.column("small").data_type == "tinyint"


def default(column: Column) -> tuple[str | None, bool]:
    return column.default, column.default_is_expression


def test_defaults_of_every_server(source: Any) -> None:
    source.execute("SET SESSION sql_mode = ''")
    source.execute(
        r"CREATE TABLE t (none int NOT NULL, nothing int NULL, explicit varchar(9) NULL DEFAULT NULL,"
        r" number int DEFAULT -5, amount decimal(5,2) DEFAULT 1.5, ratio double DEFAULT 0.25,"
        r" word varchar(20) DEFAULT 'draft', empty varchar(20) DEFAULT '', null_word varchar(9) DEFAULT 'NULL',"
        r" hostile varchar(40) CHARACTER SET utf8mb4 DEFAULT 'it''s \\ a\nb \"c\" é', digits varchar(9) DEFAULT '007',"
        r" now_word varchar(40) DEFAULT 'CURRENT_TIMESTAMP', bits bit(3) DEFAULT b'101',"
        r" day date DEFAULT '2024-02-29', zero datetime DEFAULT '0000-00-00 00:00:00',"
        r" made datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),"
        r" seen datetime DEFAULT CURRENT_TIMESTAMP, kind enum('a','b') DEFAULT 'b')"
    )
    (table,) = catalog(source).tables
    found = {column.name: default(column) for column in table.columns}
    now, now6 = found.pop("seen"), found.pop("made")
    assert now[1]
    assert now[0] is not None
    assert now[0].lower().removesuffix("()") == "current_timestamp"
    assert now6[1]
    assert now6[0] is not None
    assert now6[0].lower() == "current_timestamp(6)"
    assert "on update" in table.column("made").extra.lower()
    assert found == {
        "none": (None, False),
        "nothing": (None, False),
        "explicit": (None, False),
        "number": ("-5", False),
        "amount": ("1.50", False),
        "ratio": ("0.25", False),
        "word": ("draft", False),
        "empty": ("", False),
        "null_word": ("NULL", False),
        "hostile": ('it\'s \\ a\nb "c" é', False),
        "digits": ("007", False),
        "now_word": ("CURRENT_TIMESTAMP", False),
        "bits": ("b'101'", False),
        "day": ("2024-02-29", False),
        "zero": ("0000-00-00 00:00:00", False),
        "kind": ("b", False),
    }


def test_expressions_and_generated_columns(mysql: Any) -> None:
    if kind(mysql).version < (8, 0, 13):
        pytest.skip("this server has no default expressions")
    mysql.execute(
        "CREATE TABLE t (id varchar(36) DEFAULT (uuid()), n int DEFAULT (1 + 2),"
        " twice int AS (n * 2) VIRTUAL, thrice int AS (n * 3) STORED)"
    )
    (table,) = catalog(mysql).tables
    assert default(table.column("id")) == ("uuid()", True)
    assert default(table.column("n"))[1]
    assert [column.name for column in table.columns if column.generated] == ["twice", "thrice"]
    assert default(table.column("twice")) == (None, False)
    assert table.column("twice").expression.strip("()") == "`n` * 2"
    assert table.column("id").expression == ""


def test_json(mysql: Any) -> None:
    if kind(mysql).version < (5, 7, 8):
        pytest.skip("this server has no JSON")
    mysql.execute("CREATE TABLE t (`the ``doc` json, plain longtext)")
    (table,) = catalog(mysql).tables
    assert [column.data_type for column in table.columns] == ["json", "longtext"]
    assert table.checks == ()


def test_keys_and_indexes(source: Any) -> None:
    source.execute(
        "CREATE TABLE t (b int NOT NULL, a varchar(40) CHARACTER SET latin1 NOT NULL, body text, mail varchar(60)"
        " CHARACTER SET latin1, PRIMARY KEY (a, b), UNIQUE KEY mail_key (mail), KEY body_key (body(20), b),"
        " FULLTEXT KEY words (body)) ENGINE = InnoDB"
    )
    (table,) = catalog(source).tables
    assert table.primary_key == ("a", "b")
    assert {index.name: index for index in table.indexes} == {
        "mail_key": Index("mail_key", (IndexColumn("mail"),), unique=True),
        "body_key": Index("body_key", (IndexColumn("body", 20), IndexColumn("b")), unique=False),
        "words": Index("words", (IndexColumn("body"),), unique=False, kind="FULLTEXT"),
    }


def test_descending_index(mysql: Any) -> None:
    if kind(mysql).version < (8, 0, 1):
        pytest.skip("this server has no descending indexes")
    mysql.execute("CREATE TABLE t (a int, b int, KEY k (a DESC, b))")
    (table,) = catalog(mysql).tables
    assert table.indexes[0].columns == (IndexColumn("a", descending=True), IndexColumn("b"))


def test_foreign_keys(source: Any) -> None:
    source.execute("CREATE TABLE parent (x int NOT NULL, y int NOT NULL, PRIMARY KEY (x, y)) ENGINE = InnoDB")
    source.execute(
        "CREATE TABLE child (id int PRIMARY KEY, p int, q int, boss int,"
        " CONSTRAINT to_parent FOREIGN KEY (p, q) REFERENCES parent (x, y) ON DELETE CASCADE ON UPDATE SET NULL,"
        " CONSTRAINT to_boss FOREIGN KEY (boss) REFERENCES child (id)) ENGINE = InnoDB"
    )
    child, parent = catalog(source).tables
    assert parent.foreign_keys == ()
    keys = {key.name: key for key in child.foreign_keys}
    assert keys["to_parent"] == ForeignKey("to_parent", ("p", "q"), "parent", ("x", "y"), "SET NULL", "CASCADE")
    assert keys["to_boss"].on_delete in {"RESTRICT", "NO ACTION"}
    assert keys["to_boss"].referenced_table == "child"


def test_spatial_index_has_no_prefix(source: Any) -> None:
    source.execute("CREATE TABLE t (place point NOT NULL, SPATIAL KEY places (place)) ENGINE = MyISAM")
    (table,) = catalog(source).tables
    assert table.indexes == (Index("places", (IndexColumn("place"),), unique=False, kind="SPATIAL"),)


def test_views(source: Any) -> None:
    source.execute("CREATE TABLE t (a int, b varchar(9))")
    source.execute("CREATE VIEW shown AS SELECT a FROM t WHERE b <> 'it''s'")
    source.execute("CREATE VIEW above AS SELECT a FROM shown")
    found = catalog(source)
    assert [table.name for table in found.tables] == ["t"]
    assert [view.name for view in found.views] == ["above", "shown"]
    own = f"`{source.database}`.`t`"
    shown = found.views[1].definition.replace("(", "").replace(")", "")
    assert shown == f"select {own}.`a` AS `a` from {own} where {own}.`b` <> 'it\\'s'"
    assert found.leftovers == ()
    assert [view.name for view in catalog(source, exclude=("ab*",)).views] == ["shown"]


def test_view_with_a_hidden_definition(source: Any) -> None:
    source.execute("CREATE TABLE t (a int)")
    source.execute("CREATE VIEW v AS SELECT a FROM t")
    user = f"u{source.database[-15:]}"
    source.execute(f"CREATE USER {user} IDENTIFIED BY 'secret'")
    try:
        source.execute(f"GRANT SELECT ON {source.database}.* TO {user}")
        address = urlsplit(source.url)
        url = urlunsplit(address._replace(netloc=f"{user}:secret@{address.hostname}:{address.port}"))
        with connect(parse_source(url)) as connection:
            found = read_catalog(connection)
            without = read_catalog(connection, exclude=("v",))
    finally:
        source.execute(f"DROP USER {user}")
    assert found.views == ()
    assert found.leftovers == (
        Loss(
            "v", None, "this view is not carried: the user may not see its definition; grant the user SHOW VIEW on it"
        ),
    )
    assert without.leftovers == ()


def test_leftovers(source: Any) -> None:
    source.execute("CREATE TABLE t (a int)")
    source.execute("CREATE TABLE other (a int)")
    source.execute("CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1")
    source.execute("CREATE TRIGGER far BEFORE INSERT ON other FOR EACH ROW SET NEW.a = 1")
    source.execute("CREATE PROCEDURE tidy() DELETE FROM t")
    source.execute("CREATE FUNCTION tidy() RETURNS int NO SQL RETURN 1")
    source.execute("CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM t")
    assert catalog(source, ("t",)).leftovers == (
        Loss("tidy", None, "this function is not carried"),
        Loss("tidy", None, "this procedure is not carried"),
        Loss("nightly", None, "this event is not carried"),
        Loss("t", None, "trigger stamp is not carried"),
    )


MIGRATIONS = "CREATE TABLE migrations (id int PRIMARY KEY, `timestamp` bigint NOT NULL, name varchar(255) NOT NULL"
METADATA = (
    "CREATE TABLE typeorm_metadata (`type` varchar(255) NOT NULL, `database` varchar(255), `schema` varchar(255),"
    " `table` varchar(255), name varchar(255), value text)"
)


def test_typeorm_keeps_its_own_records(source: Any) -> None:
    source.execute(f"{MIGRATIONS})")
    source.execute(METADATA)
    source.execute("CREATE TABLE note (id int PRIMARY KEY)")
    found = catalog(source)
    assert [table.name for table in found.tables] == ["note"]
    assert found.leftovers == (
        Loss(
            "migrations",
            None,
            "TypeORM's own record of the source's migrations is not carried: TypeORM keeps its own in the target",
        ),
        Loss(
            "typeorm_metadata",
            None,
            "TypeORM's own record of the source's views and generated columns is not carried:"
            " TypeORM keeps its own in the target",
        ),
    )
    asked = catalog(source, ("migrations", "typeorm*", "note"))
    assert [table.name for table in asked.tables] == ["migrations", "note"]
    assert [loss.table for loss in asked.leftovers] == ["typeorm_metadata"]
    assert catalog(source, exclude=("migrations", "typeorm_metadata")).leftovers == ()


def test_a_table_of_migrations_that_is_not_typeorms(source: Any) -> None:
    source.execute(f"{MIGRATIONS}, batch int)")
    found = catalog(source)
    assert [table.name for table in found.tables] == ["migrations"]
    assert found.leftovers == ()


def mariadb(source: Any, *since: int) -> None:
    found = kind(source)
    if not found.mariadb or found.version < since:
        pytest.skip(f"{found.text} has none")


def test_checks(mysql: Any) -> None:
    if not kind(mysql).checks:
        pytest.skip("this server lists no CHECK constraints")
    mysql.execute(
        "CREATE TABLE a (n int, word varchar(9) CHARACTER SET utf8mb4, doc json, plain longtext,"
        r" CONSTRAINT positive CHECK (n > 0), CONSTRAINT words CHECK (word <> 'it''s \\ é'),"
        " CONSTRAINT both_ CHECK (json_valid(plain) AND n < 9))"
    )
    (table,) = catalog(mysql).tables
    found = {check.name: check.clause.replace("(", "").replace(")", "") for check in table.checks}
    assert found.keys() == {"positive", "words", "both_"}
    assert found["positive"] == "`n` > 0"
    assert found["words"].replace("_utf8mb4", "") == r"`word` <> 'it\'s \\ é'"
    assert table.column("doc").data_type == "json"
    assert table.column("plain").data_type == "longtext"
    assert catalog(mysql).leftovers == ()


def test_checks_of_columns_have_the_same_name_in_every_table(mysql: Any) -> None:
    mariadb(mysql, 10, 2, 22)
    mysql.execute("CREATE TABLE a (n int CHECK (n > 0), doc longtext CHECK (json_valid(doc)))")
    mysql.execute("CREATE TABLE b (n int CHECK (n < 9), doc text CHECK (json_valid(doc)))")
    first, second = catalog(mysql).tables
    assert first.checks == (Check("n", "`n` > 0"),)
    assert first.column("doc").data_type == "json"
    assert second.checks == (Check("doc", "json_valid(`doc`)"), Check("n", "`n` < 9"))
    assert second.column("doc").data_type == "text"


def test_expressions_are_printed_as_sql(mysql: Any) -> None:
    if not kind(mysql).generation_expressions:
        pytest.skip("this server does not tell")
    mysql.execute(
        r"CREATE TABLE t (`größe` varchar(9), b varchar(40) AS (concat(`größe`, 'it''s \\ é')) STORED)"
        " CHARACTER SET utf8mb4"
    )
    (table,) = catalog(mysql).tables
    expression = table.column("b").expression.replace("_utf8mb4", "")
    assert expression == r"concat(`größe`,'it\'s \\ é')"


def test_invisible_columns(mysql: Any) -> None:
    mariadb(mysql, 10, 3)
    mysql.execute("CREATE TABLE t (a int, b int INVISIBLE DEFAULT 5, c int AS (a + b) VIRTUAL INVISIBLE)")
    (table,) = catalog(mysql).tables
    assert [(column.name, column.generated) for column in table.columns] == [("a", False), ("b", False), ("c", True)]


def test_indexes_that_the_server_ignores_come_last(mysql: Any) -> None:
    mariadb(mysql, 10, 6)
    mysql.execute("CREATE TABLE t (z int NOT NULL, a int NOT NULL, UNIQUE KEY z (z), UNIQUE KEY a (a) IGNORED)")
    (table,) = catalog(mysql).tables
    assert table.indexes == (Index("z", (IndexColumn("z"),), unique=True), Index("a", (IndexColumn("a"),), unique=True))


def test_system_versioning(mysql: Any) -> None:
    mariadb(mysql, 10, 3, 4)
    mysql.execute("CREATE TABLE implicit (a int PRIMARY KEY, b int UNIQUE) WITH SYSTEM VERSIONING")
    mysql.execute(
        "CREATE TABLE named (a int PRIMARY KEY, b int, since timestamp(6) GENERATED ALWAYS AS ROW START,"
        " `until` timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (since, `until`),"
        " UNIQUE KEY ub (b), KEY ku (`until`)) WITH SYSTEM VERSIONING"
    )
    found = catalog(mysql)
    implicit, named = found.tables
    assert [column.name for column in implicit.columns] == ["a", "b"]
    assert [table.primary_key for table in found.tables] == [("a",), ("a",)]
    assert [(column.name, column.expression) for column in named.columns if column.generated] == [
        ("since", "ROW START"),
        ("until", "ROW END"),
    ]
    assert named.indexes == (
        Index("ku", (IndexColumn("until"),), unique=False),
        Index("ub", (IndexColumn("b"),), unique=True),
    )
    reason = "earlier versions of its rows are not carried"
    assert found.leftovers == (Loss("implicit", None, reason), Loss("named", None, reason))


def test_sequences_are_no_tables(mysql: Any) -> None:
    mariadb(mysql, 10, 3)
    mysql.execute("CREATE SEQUENCE tickets")
    mysql.execute("CREATE TABLE t (id bigint DEFAULT nextval(tickets))")
    found = catalog(mysql)
    assert [table.name for table in found.tables] == ["t"]
    assert found.leftovers == (Loss("tickets", None, "this sequence is not carried"),)
    assert found.tables[0].column("id").default_is_expression
    with pytest.raises(UsageError, match="'tickets' matches no table"):
        catalog(mysql, ("tickets",))


def test_spatial_reference_systems(mysql: Any) -> None:
    mariadb(mysql, 10, 1, 2)
    mysql.execute("CREATE TABLE t (here point REF_SYSTEM_ID=4326, there point, far point REF_SYSTEM_ID=900913, a int)")
    (table,) = catalog(mysql).tables
    assert [column.srid for column in table.columns] == [4326, None, None, None]


def test_hostile_names(source: Any) -> None:
    source.execute("CREATE TABLE `a``b; -- 'x'` (`c``d\"e` int NOT NULL PRIMARY KEY, `größe` int)")
    (table,) = catalog(source).tables
    assert table.name == "a`b; -- 'x'"
    assert table.primary_key == ('c`d"e',)
    assert [column.name for column in table.columns] == ['c`d"e', "größe"]


def test_patterns(source: Any) -> None:
    for name in ("content", "content_embedding", "Users", "log_2024", "log_2025"):
        source.execute(f"CREATE TABLE {name} (a int)")

    def names(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> set[str]:
        return {table.name for table in catalog(source, include, exclude).tables}

    assert names() == {"content", "content_embedding", "Users", "log_2024", "log_2025"}
    assert names(("content*",)) == {"content", "content_embedding"}
    assert names(("log_202[45]", "Users"), ("*5",)) == {"Users", "log_2024"}
    assert names((), ("*",)) == set()
    with pytest.raises(UsageError, match=r"--tables 'users' matches no table of the source"):
        names(("content", "users"))


def test_empty_database(source: Any) -> None:
    found = catalog(source)
    assert found.tables == ()
    assert found.database == source.database
    assert found.server == source.rows("SELECT VERSION()")[0][0]


def test_a_hundred_tables_take_as_many_queries_as_one(source: Any) -> None:
    source.execute("CREATE TABLE t (id int PRIMARY KEY, a varchar(20), KEY (a))")
    for_one = queries_of_a_catalog(source, tables=1)
    for number in range(99):
        source.execute(f"CREATE TABLE t{number:03} (id int PRIMARY KEY, a varchar(20), KEY (a))")
    assert queries_of_a_catalog(source, tables=100) == for_one


def queries_of_a_catalog(mysql: Any, tables: int) -> int:
    with connect(parse_source(mysql.url)) as connection:
        queries = []
        original = connection.query

        def counted(sql: Any, unbuffered: bool = False) -> int:
            queries.append(sql)
            return original(sql, unbuffered=unbuffered)

        connection.query = counted  # type: ignore[method-assign]
        assert len(read_catalog(connection).tables) == tables
    return len(queries)


def test_what_the_user_may_not_see_is_told(mysql: Any) -> None:
    mysql.execute("CREATE TABLE seen (id int PRIMARY KEY)")
    mysql.execute("CREATE TABLE hidden (id int PRIMARY KEY)")
    user = f"u{mysql.database[5:17]}"
    mysql.execute(f"CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY 'pw'")
    try:
        mysql.execute(f"GRANT SELECT ON {mysql.database}.seen TO '{user}'@'127.0.0.1'")
        url = replace(parse_source(mysql.url), user=user, password="pw")
        with connect(url) as connection:
            found = read_catalog(connection)
        assert [table.name for table in found.tables] == ["seen"]
        assert [note.split(" on the whole")[0] for note in found.notes] == [
            f"the source's user has no {right}" for right in ("SELECT", "TRIGGER", "EVENT")
        ]
        mysql.execute(f"GRANT ALL ON `{mysql.database[:8]}%`.* TO '{user}'@'127.0.0.1'")
        with connect(url) as connection:
            assert read_catalog(connection).notes == ()
    finally:
        mysql.execute(f"DROP USER '{user}'@'127.0.0.1'")
