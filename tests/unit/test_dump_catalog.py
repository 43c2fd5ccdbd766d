"""The catalog of dumps that no test can make here, and of statements that nobody writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dump_text import Settings, Statement, split
from tests.unit.test_catalog_mysql84 import catalog as answers_of_mysql84
from vecferry.dump.ddl import databases, read_ddl
from vecferry.errors import SourceError, UsageError
from vecferry.model import Check, ForeignKey, Index, IndexColumn, Loss, View

if TYPE_CHECKING:
    from vecferry._core import DumpPiece
    from vecferry.model import Catalog, Column, Table

DUMPS = Path(__file__).parent / "dumps"
MARIADB = Settings(server="10.11.6-MariaDB")
MYSQL57 = Settings(server="5.7.44")
MYSQL84 = Settings(server="8.4.6")


def read(name: str) -> list[DumpPiece]:
    return split((DUMPS / f"{name}.sql").read_bytes())


def make(text: str, settings: Settings = MARIADB, name: str = "t") -> Statement:
    return Statement("create table", text, name, settings=settings)


def table_of(definitions: str, settings: Settings = MARIADB) -> Table:
    (table,) = read_ddl([make(f"CREATE TABLE t ({definitions})", settings)], "shop").tables
    return table


def column_of(definition: str, settings: Settings = MARIADB) -> Column:
    (column,) = table_of(f"`c` {definition}", settings).columns
    return column


def without_estimates(catalog: Catalog) -> Catalog:
    tables = tuple(replace(table, rows_estimate=0, bytes_estimate=0) for table in catalog.tables)
    return replace(catalog, tables=tables, notes=())


def test_mysqldump_8_4() -> None:
    expected = without_estimates(answers_of_mysql84())
    hidden, *others = expected.leftovers
    assert hidden.table == "hidden"
    found = read_ddl(read("mysqldump84"), "shop")
    for one, other in zip(found.tables, expected.tables, strict=True):
        assert one.columns == other.columns
        assert set(one.indexes) == set(other.indexes)
        assert one.indexes[-1] == other.indexes[-1]
    # The recorded answers are not in the order that a server would give.
    tables = tuple(
        replace(table, indexes=ours.indexes) for table, ours in zip(expected.tables, found.tables, strict=True)
    )
    assert found == replace(expected, tables=tables, leftovers=tuple(others))


def test_phpmyadmin() -> None:
    found = read_ddl(read("phpmyadmin"), "shop")
    assert found.server == "10.11.6-MariaDB"
    customer, purchase = found.tables
    assert customer.primary_key == ("id",)
    assert customer.column("id").auto_increment
    assert customer.column("profile").data_type == "json"
    assert customer.checks == ()
    assert [index.kind for index in customer.indexes] == ["BTREE", "BTREE", "SPATIAL", "FULLTEXT"]
    assert purchase.next_number == 42
    assert purchase.foreign_keys == (
        ForeignKey("bought_by", ("customer_id",), "customer", ("id",), "NO ACTION", "SET NULL"),
    )
    assert found.views == (
        View(
            "spending",
            "SELECT `shop`.`purchase`.`customer_id` AS `customer_id`, sum(`shop`.`purchase`.`total`) AS `total`"
            " FROM `shop`.`purchase` GROUP BY `shop`.`purchase`.`customer_id`",
        ),
    )
    assert found.leftovers == (
        Loss("tidy", None, "this procedure is not carried"),
        Loss("customer", None, "trigger stamp is not carried"),
    )


def test_mydumper() -> None:
    found = read_ddl(read("mydumper"), "shop")
    assert found.server == "10.6-MariaDB (assumed: the dump does not tell)"
    assert [table.name for table in found.tables] == ["customer", "purchase"]
    assert found.tables[1].indexes == (Index("by_customer", (IndexColumn("customer_id"),), unique=False),)
    assert [view.name for view in found.views] == ["spending"]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("`a` int NOT NULL DEFAULT '0'", "8.0.30"),
        ("`a` int(11) NOT NULL DEFAULT '0'", "5.7"),
        ("`a` int(11) NOT NULL DEFAULT 0", "10.6-MariaDB"),
        ("`a` uuid", "10.6-MariaDB"),
        ("`a` varchar(9) COLLATE utf8mb4_0900_ai_ci", "8.0.30"),
    ],
)
def test_a_server_that_is_not_told(text: str, server: str) -> None:
    catalog = read_ddl([make(f"CREATE TABLE t ({text})", Settings())])
    assert catalog.server == f"{server} (assumed: the dump does not tell)"


# --- servers differ ------------------------------------------------------------------------------


def test_widths_went_with_8_0_19() -> None:
    names = ("tinyint(1)", "tinyint(4)", "int(11)", "int", "int(5) zerofill", "year(4)", "tinyint(1) unsigned")
    assert [column_of(name, MYSQL84).column_type for name in names] == [
        "tinyint(1)", "tinyint", "int", "int", "int(5) unsigned zerofill", "year", "tinyint unsigned"
    ]  # fmt: skip
    assert [column_of(name, MYSQL57).column_type for name in names] == [
        "tinyint(1)", "tinyint(4)", "int(11)", "int(11)", "int(5) unsigned zerofill", "year(4)", "tinyint(1) unsigned"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("server", "written", "charset", "collation"),
    [
        ("5.7.44", "CHARSET utf8", "utf8", "utf8_general_ci"),
        ("5.7.44", "CHARSET utf8mb3", "utf8", "utf8_general_ci"),
        ("8.0.28", "CHARSET utf8", "utf8mb3", "utf8_general_ci"),
        ("8.4.6", "CHARSET utf8", "utf8mb3", "utf8mb3_general_ci"),
        ("8.4.6", "COLLATE utf8_bin", "utf8mb3", "utf8_bin"),
        ("10.11.6-MariaDB", "CHARSET utf8", "utf8mb3", "utf8mb3_general_ci"),
        ("5.7.44", "CHARSET utf8mb4", "utf8mb4", "utf8mb4_general_ci"),
        ("8.4.6", "CHARSET utf8mb4", "utf8mb4", "utf8mb4_0900_ai_ci"),
        ("11.8.2-MariaDB", "CHARSET utf8mb4", "utf8mb4", "utf8mb4_uca1400_ai_ci"),
        ("5.7.44", "", "latin1", "latin1_swedish_ci"),
        ("8.4.6", "", "utf8mb4", "utf8mb4_0900_ai_ci"),
        ("8.4.6", "CHARSET gbk", "gbk", "gbk_chinese_ci"),
    ],
)
def test_charsets(server: str, written: str, charset: str, collation: str) -> None:
    column = column_of(f"varchar(9) {written}", Settings(server=server))
    assert (column.character_set, column.collation) == (charset, collation)


def test_the_first_timestamp() -> None:
    text = "a timestamp(3), b timestamp, c timestamp NULL, d timestamp DEFAULT '2024-02-29', e timestamp NOT NULL"
    found = {column.name: column for column in table_of(text, MYSQL57).columns}
    assert (found["a"].default, found["a"].default_is_expression) == ("CURRENT_TIMESTAMP(3)", True)
    assert found["a"].renewed
    assert [found[name].default for name in "bcde"] == ["0000-00-00 00:00:00", None, "2024-02-29", None]
    assert [found[name].nullable for name in "abcde"] == [False, False, True, True, False]
    assert {column.default for column in table_of("a timestamp, b timestamp", MYSQL84).columns} == {None}
    assert all(column.nullable for column in table_of("a timestamp, b timestamp", MYSQL84).columns)


@pytest.mark.parametrize(
    ("settings", "written", "meant"),
    [
        (MYSQL57, "", ("RESTRICT", "RESTRICT")),
        (MYSQL84, "", ("NO ACTION", "NO ACTION")),
        (MARIADB, "", ("RESTRICT", "RESTRICT")),
        (MYSQL84, "ON DELETE RESTRICT", ("NO ACTION", "RESTRICT")),
        (MYSQL57, "ON DELETE NO ACTION ON UPDATE SET NULL", ("SET NULL", "NO ACTION")),
        (MARIADB, "MATCH FULL ON UPDATE SET DEFAULT", ("SET DEFAULT", "RESTRICT")),
    ],
)
def test_actions_of_foreign_keys(settings: Settings, written: str, meant: tuple[str, str]) -> None:
    (key,) = table_of(f"a int, CONSTRAINT k FOREIGN KEY (a) REFERENCES `x`.`u` (b) {written}", settings).foreign_keys
    assert key == ForeignKey("k", ("a",), "u", ("b",), *meant)


def test_types_of_later_servers() -> None:
    assert column_of("vector(1536) NOT NULL", Settings(server="11.8.2-MariaDB")).length == 6144
    newer = Settings(server="9.2.0")
    assert column_of("vector(3) DEFAULT NULL", newer).column_type == "vector(3)"
    assert column_of("vector(3) DEFAULT NULL", newer).length is None
    table = table_of("v vector(3) NOT NULL, VECTOR KEY `near` (`v`) `M`=8 `DISTANCE`=cosine", MARIADB)
    assert table.indexes == (Index("near", (IndexColumn("v"),), unique=False, kind="VECTOR"),)
    column = column_of(
        "int /*!50606 STORAGE DISK */ /*!50606 COLUMN_FORMAT DYNAMIC */ DEFAULT '7' NOT SECONDARY", newer
    )
    assert (column.column_type, column.default) == ("int", "7")


def test_mariadb_does_not_print_reference_systems() -> None:
    shapes = "a point, b geometry REF_SYSTEM_ID=4326, c polygon, d int"
    (note,) = read_ddl([make(f"CREATE TABLE t ({shapes})")]).notes
    assert note.endswith("stay without, in t.a, t.c")
    assert read_ddl([make("CREATE TABLE t (a point SRID 4326, b point)", MYSQL84)]).notes == ()
    assert column_of("point SRID 4326", MYSQL84).srid == 4326


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "written", "meant"),
    [
        (Settings(), r"'it''s \\ a\nb \"c\" \% é 😀'", 'it\'s \\ a\nb "c" \\% é 😀'),
        (Settings(), '"say ""hi"""', 'say "hi"'),
        (Settings(no_backslash_escapes=True), r"'it''s \'", "it's \\"),
        (Settings(), r"'\'); DROP TABLE t; -- '", "'); DROP TABLE t; -- "),
        (Settings(), "'/*!50100 ) */'", "/*!50100 ) */"),
        (Settings(), "_utf8mb4'é'", "é"),
        (Settings(), "''", ""),
    ],
)
def test_strings(settings: Settings, written: str, meant: str) -> None:
    settings = replace(settings, server="8.4.6")
    column = column_of(f"varchar(99) DEFAULT {written} COMMENT {written.removeprefix('_utf8mb4')}", settings)
    assert (column.default, column.default_is_expression, column.comment) == (meant, False, meant)


NAMES = (
    "a`b",
    "it's",
    '"q"',
    "line\nbreak",
    "😀",
    "日" * 64,
    "a.b",
    "(",
    ");",
    "-- x",
    "/* x */",
    "#",
    "select",
    " x",
    "%s{}",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ansi", [False, True])
def test_hostile_names(name: str, ansi: bool) -> None:
    mark = '"' if ansi else "`"
    quoted = mark + name.replace(mark, mark * 2) + mark
    text = (
        f"CREATE TABLE {quoted} ({quoted} int NOT NULL, b int, PRIMARY KEY ({quoted}), KEY {quoted} ({quoted} DESC),"
        f" CONSTRAINT {quoted} FOREIGN KEY ({quoted}) REFERENCES {quoted} ({quoted}))"
    )
    alter = Statement("alter table", f"ALTER TABLE {quoted} ADD UNIQUE KEY u (b, {quoted})", name, settings=MARIADB)
    settings = Settings(ansi_quotes=ansi, server="8.4.6")
    (table,) = read_ddl([make(text, settings), replace(alter, settings=settings)]).tables
    assert (table.name, table.columns[0].name, table.primary_key) == (name, name, (name,))
    (key,) = table.foreign_keys
    assert key == ForeignKey(name, (name,), name, (name,), "NO ACTION", "NO ACTION")
    assert {index.name: [part.name for part in index.columns] for index in table.indexes} == {
        name: [name],
        "u": ["b", name],
    }
    view = Statement("create view", f"CREATE VIEW v AS select {quoted}.{quoted} from {quoted}", "v", settings=settings)
    ticked = "`" + name.replace("`", "``") + "`"
    assert read_ddl([view], "d").views == (View("v", f"select `d`.{ticked}.{ticked} from `d`.{ticked}"),)


def test_settings_are_not_the_catalogs() -> None:
    settings = Settings(no_backslash_escapes=True, ansi_quotes=True, server="8.4.6")
    table = table_of("\"c\" enum('a\\','b'''), g int AS (\"c\" = 'x\\'), CHECK (\"c\" <> '\\n')", settings)
    assert table.columns[0].column_type == r"enum('a\\','b''')"
    assert table.columns[1].expression == r"`c` = 'x\\'"
    assert table.checks == (Check("t_chk_1", r"`c` <> '\\n'"),)


def test_expressions_stand_as_they_are() -> None:
    text = (
        "n int GENERATED ALWAYS AS (( `a` + ')' + `)` )) VIRTUAL NOT NULL, a int,"
        " CONSTRAINT x CHECK ((`n` <> _utf8mb4'('))"
    )
    table = table_of(text, MYSQL84)
    assert table.columns[0].expression == "( `a` + ')' + `)` )"
    assert table.checks == (Check("x", "(`n` <> _utf8mb4'(')"),)


# --- statements one after another ----------------------------------------------------------------


def test_a_table_made_anew_is_as_the_last_one() -> None:
    first, second = make("CREATE TABLE t (a int)"), make("CREATE TABLE t (b int)")
    drop = Statement("drop", "DROP TABLE IF EXISTS `x`, `t`", settings=MARIADB)
    assert [column.name for column in read_ddl([first, drop, second]).tables[0].columns] == ["b"]
    assert read_ddl([first, second, drop], exclude=("*",)).tables == ()
    with pytest.raises(SourceError, match="the table t a second time, in line 1, without a DROP"):
        read_ddl([first, second])


def test_a_view_in_place_of_a_table_and_back() -> None:
    table = make("CREATE TABLE IF NOT EXISTS v (a int)", name="v")
    view = Statement("create view", "CREATE VIEW v AS SELECT 1 AS a", "v", settings=MARIADB)
    assert [found.name for found in read_ddl([table, view]).views] == ["v"]
    assert read_ddl([table, view]).tables == ()
    assert read_ddl([view, table]).tables == ()
    drop = Statement("drop", "DROP VIEW IF EXISTS v", settings=MARIADB)
    assert read_ddl([view, drop]).views == ()


def test_a_view_with_names_of_its_own() -> None:
    view = Statement("create view", "CREATE VIEW v (`a`, `b`) AS select 1 AS `1`,2 AS `2`", "v", settings=MYSQL84)
    found = read_ddl([view])
    assert found.views == ()
    (loss,) = found.leftovers
    assert "named apart" in loss.reason


SELECTS = [
    ("select `x`.`a` AS `a` from `t` `x`", "select `x`.`a` AS `a` from `d`.`t` `x`"),
    ("select `t`.`a` AS `t` from `e`.`t`", "select `t`.`a` AS `t` from `e`.`t`"),
    ("select `t`.`a` from (`t` join `u` on(`t`.`a` = `u`.`a`))",
     "select `d`.`t`.`a` from (`d`.`t` join `d`.`u` on(`d`.`t`.`a` = `d`.`u`.`a`))"),
    ("select trim(' ' from `t`.`a`),'`t`.`a`' from `t`", "select trim(' ' from `d`.`t`.`a`),'`t`.`a`' from `d`.`t`"),
    ("select (select `t`.`a` from `u` `t`) from `t` where `t`.`b`",
     "select (select `t`.`a` from `d`.`u` `t`) from `d`.`t` where `d`.`t`.`b`"),
    ("select `u`.`a` from `u` where exists(select 1 from `t` where `t`.`a` = `u`.`a`)",
     "select `d`.`u`.`a` from `d`.`u` where exists(select 1 from `d`.`t` where `d`.`t`.`a` = `d`.`u`.`a`)"),
    ("select `t`.`a` from (select `t`.`a` from `t`) `t`", "select `t`.`a` from (select `d`.`t`.`a` from `d`.`t`) `t`"),
    (
        "select (select `t`.`a` from (select 1 AS `a`) `t`) from `t`",
        "select (select `t`.`a` from (select 1 AS `a`) `t`) from `d`.`t`",
    ),
    ("with `c` as (select `t`.`a` from `t`) select `c`.`a` from `c`",
     "with `c` as (select `d`.`t`.`a` from `d`.`t`) select `c`.`a` from `c`"),
    ("select `v`.`a` from `v` WITH CASCADED CHECK OPTION", "select `v`.`a` from `d`.`v`"),
    ("select straight_join `t`.`a` from `t` straight_join `u`",
     "select straight_join `d`.`t`.`a` from `d`.`t` straight_join `d`.`u`"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "meant"), SELECTS)
def test_views_name_the_database(written: str, meant: str) -> None:
    views = [
        Statement("create view", f"CREATE VIEW `v{number}` AS {text}", f"v{number}", settings=MYSQL84)
        for number, text in (("", "select 1 AS `a`"), ("2", written))
    ]
    assert read_ddl(views, "d").views[1].definition == meant


def test_patterns() -> None:
    statements = [make(f"CREATE TABLE {name} (a int)", name=name) for name in ("content", "Users", "log_1")]
    broken = make("CREATE TABLE broken (a int WHATEVER)", name="broken")

    def names(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
        return [table.name for table in read_ddl([*statements, broken], None, include, exclude).tables]

    assert names((), ("broken",)) == ["content", "log_1", "Users"]
    assert names(("*o*", "Users"), ("b*", "log*")) == ["content", "Users"]
    with pytest.raises(UsageError, match="--tables 'users' matches no table of the source"):
        names(("users",))
    with pytest.raises(SourceError, match="WHATEVER"):
        names()
    alter = Statement("alter table", "ALTER TABLE broken ADD WHATEVER", "broken", settings=MARIADB)
    assert read_ddl([broken, alter], exclude=("b*",)).tables == ()
    view = Statement("create view", "CREATE VIEW broken", "broken")
    assert read_ddl([view], exclude=("bro*",)).views == ()
    with pytest.raises(SourceError, match="CREATE VIEW for broken .* its end; leave it out by --exclude 'broken'"):
        read_ddl([view])


def test_databases() -> None:
    statements = [replace(make("CREATE TABLE t (a int)"), database=name) for name in ("mysql", "one", "two", "sys")]
    assert databases(statements) == ("one", "two")
    assert read_ddl(statements, "two").database == "two"
    unnamed = Statement("drop", "DROP TABLE IF EXISTS `t`")
    assert [table.name for table in read_ddl([*statements, unnamed], "two").tables] == ["t"]
    with pytest.raises(UsageError, match="several databases, one, two: name the one to carry"):
        read_ddl(statements)
    with pytest.raises(UsageError, match="no database mysql: it holds one, two"):
        read_ddl(statements, "mysql")
    assert read_ddl(statements[:2]).database == "one"
    assert read_ddl([make("CREATE TABLE t (a int)")], "given").database == "given"
    assert read_ddl([Statement("use", "USE `empty`", database="empty")]).database == "empty"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (make("CREATE TABLE t (a int FROBNICATED 7, b int)"),
         ("the dump's CREATE TABLE for t in line 1 is not understood at 'FROBNICATED 7, b int)'; leave it out by"
         " --exclude 't', or mend the statement")),
        (make("CREATE TABLE t (a int) SELECT 1 AS b"), "'SELECT 1 AS b'"),
        (make("CREATE TABLE t (a int"), "not understood at its end"),
        (make("CREATE TABLE t (a enum('x'"), "not understood at its end"),
        (make("CREATE TABLE t LIKE nothing"), "'nothing'"),
        (make("CREATE TABLE t (a varchar(9) DEFAULT 'x)"), "in line 1 is not understood at \"'x)\""),
        (
            Statement("alter table", "ALTER TABLE t DROP COLUMN a", "t", line=7),
            "ALTER TABLE for t in line 7 is not understood at 'DROP COLUMN a'",
        ),
        (Statement("alter table", "ALTER TABLE t RENAME TO u", "t"), "'RENAME TO u'"),
        (Statement("alter table", "ALTER TABLE t MODIFY b int", "t"), "'b int'"),
        (Statement("alter table", "ALTER TABLE t ADD c int AFTER x", "t"), "'x'"),
        (Statement("other", "RENAME TABLE t TO u", "t"), "'RENAME TABLE t TO u'"),
        (Statement("create view", "CREATE VIEW v", "v"), "CREATE VIEW for v"),
        (Statement("create trigger", "CREATE TRIGGER x", "t"), "CREATE TRIGGER for t"),
    ],
)  # fmt: skip
def test_what_is_not_understood(statement: Statement, sentence: str) -> None:
    before = [] if statement.kind == "create table" else [make("CREATE TABLE t (a int)")]
    with pytest.raises(SourceError) as caught:
        read_ddl([*before, statement])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
