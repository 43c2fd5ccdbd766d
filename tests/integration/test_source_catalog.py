"""The catalog of a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vecferry.config import parse_source
from vecferry.errors import UsageError
from vecferry.model import Column, ForeignKey, Index, IndexColumn
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect
from vecferry.source.flavor import Flavor

if TYPE_CHECKING:
    from vecferry.model import Catalog


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


def test_columns(mysql: Any) -> None:
    mysql.execute(
        "CREATE TABLE t ("
        " id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'the number; it''s ours',"
        " price decimal(12,3) NOT NULL, code char(3) CHARACTER SET latin1, name varchar(80) CHARACTER SET utf8mb4,"
        " kind enum('a','b''c') CHARACTER SET utf8mb4, seen datetime(6), made timestamp(3) NULL, data varbinary(16),"
        " body longtext CHARACTER SET utf8mb4, flags bit(10), small tinyint(1) NOT NULL"
        ") COMMENT = 'things & such'"
    )
    (table,) = catalog(mysql).tables
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


def test_defaults_of_every_server(mysql: Any) -> None:
    mysql.execute("SET SESSION sql_mode = ''")
    mysql.execute(
        r"CREATE TABLE t (none int NOT NULL, nothing int NULL, explicit varchar(9) NULL DEFAULT NULL,"
        r" number int DEFAULT -5, amount decimal(5,2) DEFAULT 1.5, ratio double DEFAULT 0.25,"
        r" word varchar(20) DEFAULT 'draft', empty varchar(20) DEFAULT '', null_word varchar(9) DEFAULT 'NULL',"
        r" hostile varchar(40) CHARACTER SET utf8mb4 DEFAULT 'it''s \\ a\nb \"c\" é', digits varchar(9) DEFAULT '007',"
        r" now_word varchar(40) DEFAULT 'CURRENT_TIMESTAMP', bits bit(3) DEFAULT b'101',"
        r" day date DEFAULT '2024-02-29', zero datetime DEFAULT '0000-00-00 00:00:00',"
        r" made datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),"
        r" seen datetime DEFAULT CURRENT_TIMESTAMP, kind enum('a','b') DEFAULT 'b')"
    )
    (table,) = catalog(mysql).tables
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


def test_json(mysql: Any) -> None:
    if kind(mysql).version < (5, 7, 8):
        pytest.skip("this server has no JSON")
    mysql.execute("CREATE TABLE t (`the ``doc` json, plain longtext)")
    (table,) = catalog(mysql).tables
    assert [column.data_type for column in table.columns] == ["json", "longtext"]


def test_keys_and_indexes(mysql: Any) -> None:
    mysql.execute(
        "CREATE TABLE t (b int NOT NULL, a varchar(40) CHARACTER SET latin1 NOT NULL, body text, mail varchar(60)"
        " CHARACTER SET latin1, PRIMARY KEY (a, b), UNIQUE KEY mail_key (mail), KEY body_key (body(20), b),"
        " FULLTEXT KEY words (body)) ENGINE = InnoDB"
    )
    (table,) = catalog(mysql).tables
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


def test_foreign_keys(mysql: Any) -> None:
    mysql.execute("CREATE TABLE parent (x int NOT NULL, y int NOT NULL, PRIMARY KEY (x, y)) ENGINE = InnoDB")
    mysql.execute(
        "CREATE TABLE child (id int PRIMARY KEY, p int, q int, boss int,"
        " CONSTRAINT to_parent FOREIGN KEY (p, q) REFERENCES parent (x, y) ON DELETE CASCADE ON UPDATE SET NULL,"
        " CONSTRAINT to_boss FOREIGN KEY (boss) REFERENCES child (id)) ENGINE = InnoDB"
    )
    child, parent = catalog(mysql).tables
    assert parent.foreign_keys == ()
    keys = {key.name: key for key in child.foreign_keys}
    assert keys["to_parent"] == ForeignKey("to_parent", ("p", "q"), "parent", ("x", "y"), "SET NULL", "CASCADE")
    assert keys["to_boss"].on_delete in {"RESTRICT", "NO ACTION"}
    assert keys["to_boss"].referenced_table == "child"


def test_views_are_no_tables(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (a int)")
    mysql.execute("CREATE VIEW v AS SELECT a FROM t")
    assert [table.name for table in catalog(mysql).tables] == ["t"]


def test_hostile_names(mysql: Any) -> None:
    mysql.execute("CREATE TABLE `a``b; -- 'x'` (`c``d\"e` int NOT NULL PRIMARY KEY, `größe` int)")
    (table,) = catalog(mysql).tables
    assert table.name == "a`b; -- 'x'"
    assert table.primary_key == ('c`d"e',)
    assert [column.name for column in table.columns] == ['c`d"e', "größe"]


def test_patterns(mysql: Any) -> None:
    for name in ("content", "content_embedding", "Users", "log_2024", "log_2025"):
        mysql.execute(f"CREATE TABLE {name} (a int)")

    def names(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> set[str]:
        return {table.name for table in catalog(mysql, include, exclude).tables}

    assert names() == {"content", "content_embedding", "Users", "log_2024", "log_2025"}
    assert names(("content*",)) == {"content", "content_embedding"}
    assert names(("log_202[45]", "Users"), ("*5",)) == {"Users", "log_2024"}
    assert names((), ("*",)) == set()
    with pytest.raises(UsageError, match=r"--tables 'users' matches no table of the source"):
        names(("content", "users"))


def test_empty_database(mysql: Any) -> None:
    found = catalog(mysql)
    assert found.tables == ()
    assert found.database == mysql.database
    assert found.server == mysql.rows("SELECT VERSION()")[0][0]


def test_a_hundred_tables_take_as_many_queries_as_one(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a varchar(20), KEY (a))")
    for_one = queries_of_a_catalog(mysql, tables=1)
    for number in range(99):
        mysql.execute(f"CREATE TABLE t{number:03} (id int PRIMARY KEY, a varchar(20), KEY (a))")
    assert queries_of_a_catalog(mysql, tables=100) == for_one


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
