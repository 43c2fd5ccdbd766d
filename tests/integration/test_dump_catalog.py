"""The catalog of a dump is the one that the live server gives: every case's tables, and what servers print besides."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from pymysql.constants import CLIENT

from tests.cases.case import all_cases
from tests.dump_text import Settings, Statement, split
from vecferry.config import parse_source
from vecferry.dump.ddl import read_ddl
from vecferry.errors import UsageError
from vecferry.source.catalog import read_catalog
from vecferry.source.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.cases.case import Case
    from tests.conftest import MySQLDatabase
    from vecferry.dump.statement import StatementLike
    from vecferry.model import Catalog

DUMPS = Path(__file__).parents[1] / "unit" / "dumps"
OPTIONS = ("--no-data", "--routines", "--triggers", "--events", "--skip-lock-tables")
NAMED = re.compile(r"(?:TABLE|VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|CONSTRAINT)\s+(`(?:[^`]|``)+`|\w+)", re.IGNORECASE)

# What no case has, of what the server prints.
TYPES = """
CREATE TABLE types (a1 tinyint, a2 tinyint unsigned, b1 smallint, b2 smallint unsigned, c1 mediumint,
 c2 mediumint unsigned, d1 int, d2 int unsigned zerofill, e1 bigint, e2 bigint unsigned, f float, f2 float(7,3),
 f3 double, f4 double(9,2), f5 double unsigned, de decimal, de2 decimal(9,3) unsigned zerofill, bi bit(9), bo bool,
 ye year, da date, ti time, ti3 time(3), dt datetime, dt6 datetime(6), ts timestamp NULL, ch char, ch0 char(0),
 vc varchar(7) CHARACTER SET latin1, bn binary(4), vb varbinary(9) DEFAULT 'ab', tt tinytext, te text, mt mediumtext,
 lt longtext, tb tinyblob, bl blob, mb mediumblob, lb longblob, tu text CHARACTER SET ucs2,
 t32 varchar(9) CHARACTER SET utf32, tl text CHARACTER SET utf16, en enum('a','it''s, "b"','bcdefgh','ü,'),
 se set('x','yy','zzz'), po point, ge geometry, gc geometrycollection, mp multipolygon, chb char(4) BINARY,
 nb national varchar(5), tx text(300), chbin char(5) CHARACTER SET binary, tbin text CHARACTER SET binary,
 tasc varchar(4) ASCII, asc2 char(6) COLLATE latin1_bin, en2 enum(''), `desc` int COMMENT 'a "b" ''c'' \\\\ \n `d`',
 tss timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), neg int DEFAULT -1,
 big double DEFAULT 1e100, notnull int NOT NULL, KEY pre (te(10)), KEY hash_ (a1) USING HASH,
 UNIQUE KEY unique_hash (a2) USING HASH, KEY tree (b1, c1) USING BTREE COMMENT 'k; (`x`)', KEY `_under` (b2),
 KEY Upper (b2), KEY `ä` (b2), FULLTEXT KEY words (lt))
 ENGINE = InnoDB KEY_BLOCK_SIZE = 8 ROW_FORMAT = COMPRESSED STATS_PERSISTENT = 1 MAX_ROWS = 1000 COMMENT 'a; ''b'' \\\\'
"""
MEMORY = "CREATE TABLE memory (id int PRIMARY KEY, a int, KEY x (a), KEY y (a) USING BTREE) ENGINE = MEMORY"
MYISAM = "CREATE TABLE myisam (p point NOT NULL, SPATIAL KEY places (p)) ENGINE = MyISAM CHARACTER SET latin1"
LATIN = "CREATE TABLE latin (a varchar(5), b text COLLATE latin1_german2_ci) CHARACTER SET latin1 COLLATE latin1_bin"
HOSTILE = "CREATE TABLE `a``b; -- 'x' /* {0} */` (`c``d\"e` int NOT NULL PRIMARY KEY, `grö\nße` int, `('` varchar(3))"
LONG = f"CREATE TABLE `{'t' * 64}` (`{'ü' * 64}` int, KEY `{'k' * 64}` (`{'ü' * 64}`))"
NAMES = tuple(f"CREATE TABLE `{name}` (a int)" for name in ("B", "a", "a\nb", "C", "_x", "Ä1", "z z", "[q]", "~t"))
VIEWS = (
    (
        "CREATE VIEW joined AS SELECT types.a1, x.b1, (SELECT max(a1) FROM types WHERE types.b1 = x.b1) m,"
        " 'it''s `q`.`r`' q FROM types JOIN types x ON types.a1 = x.a1 LEFT JOIN a ON a.a = types.a1"
        " WHERE types.a1 IN (SELECT a FROM a) AND trim(' ' FROM types.tt) <> '' ORDER BY 1 LIMIT 3"
    ),
    "CREATE VIEW above AS SELECT joined.a1 FROM joined WHERE joined.m > 1 UNION SELECT a FROM a WHERE a < 2",
    "CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW checked AS SELECT a FROM a WHERE a > 1 WITH LOCAL CHECK OPTION",
)
BESIDES = (
    "CREATE TRIGGER stamp BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.a = 1; SET @b = ';'; END",
    "CREATE TRIGGER `second; one` AFTER INSERT ON a FOR EACH ROW SET @c = 'DELIMITER'",
    "CREATE PROCEDURE tidy() BEGIN DELETE FROM a; END",
    "CREATE FUNCTION tidy() RETURNS int NO SQL RETURN 1",
    "CREATE FUNCTION Able() RETURNS int NO SQL RETURN 1",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM a",
)
BOTH = (TYPES, MEMORY, MYISAM, LATIN, HOSTILE, LONG, *NAMES, *VIEWS, *BESIDES)
MARIADB = (
    r"""CREATE TABLE newer (a1 int, uu uuid, i6 inet6, i4 inet4, js json, inv int INVISIBLE DEFAULT 3,
    gg int AS (a1 + 1) VIRTUAL INVISIBLE, g2 varchar(9) AS (concat(')', a1, 'it''s \\')) STORED COMMENT 'x',
    ex varchar(40) DEFAULT concat('a', uuid()), ex2 int DEFAULT (1 + 2), dd date DEFAULT curdate(),
    tss timestamp(3) NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3) INVISIBLE,
    cc varchar(100) COMPRESSED, un text UNIQUE, nn int NOT NULL DEFAULT 0 CHECK (nn >= 0 AND nn IN (1, 2, 3)),
    wo int WITHOUT SYSTEM VERSIONING, KEY kk (a1) IGNORED, KEY kd (nn DESC, a1), CONSTRAINT `both` CHECK (a1 <> ')('),
    CHECK (nn < 5)) WITH SYSTEM VERSIONING""",
    "CREATE TABLE period (p date, q date, x int, PERIOD FOR app (p, q), UNIQUE u (x, app WITHOUT OVERLAPS))",
    (
        "CREATE TABLE named (a int PRIMARY KEY, b int, since timestamp(6) GENERATED ALWAYS AS ROW START,"
        " `until` timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (since, `until`),"
        " UNIQUE KEY ub (b), KEY ku (`until`)) WITH SYSTEM VERSIONING"
    ),
    "CREATE TABLE custom (id int PRIMARY KEY, a int) `PAGE_COMPRESSED`=1 `PAGE_COMPRESSION_LEVEL`=3",
    (
        "CREATE TABLE parts (id int, y int, PRIMARY KEY (id, y)) PARTITION BY LIST (y) SUBPARTITION BY HASH (id)"
        " (PARTITION a VALUES IN (1, 2), PARTITION b VALUES IN (3))"
    ),
    "CREATE SEQUENCE tickets",
    "CREATE TABLE numbered (id bigint DEFAULT nextval(tickets))",
    "CREATE VIEW shadowed AS SELECT * FROM (SELECT a1 FROM types) AS types UNION SELECT a FROM a",
    "CREATE VIEW common AS WITH c AS (SELECT a1 FROM types) SELECT c.a1, lag(c.a1) OVER (ORDER BY c.a1) l FROM c",
)


@dataclass
class Filled:
    """Databases on one server, and the dump of all of them."""

    url: str
    names: list[str] = field(default_factory=list)


# --- what is dumped ------------------------------------------------------------------------------


def packed(cases: list[Case]) -> list[list[str]]:
    """Puts the cases' scripts together as long as they make different things: a live catalog takes its time."""
    groups: list[tuple[set[str], list[str]]] = []
    for case in cases:
        names = {name.strip("`").lower() for name in NAMED.findall(case.mysql)}
        group = next((group for group in groups if not names & group[0]), None)
        if group is None:
            groups.append((set(names), [case.mysql]))
        else:
            group[0].update(names)
            group[1].append(case.mysql)
    return [scripts for _, scripts in groups]


def fill(mysql: MySQLDatabase, scripts: list[list[str]]) -> Iterator[list[str]]:
    """Makes a database of each list of scripts; they are dropped after the test."""
    names = [f"{mysql.database}_{number}" for number in range(len(scripts))]
    with mysql.connect(client_flag=CLIENT.MULTI_STATEMENTS).cursor() as cursor:
        try:
            for name, group in zip(names, scripts, strict=True):
                cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
                for script in group:
                    cursor.execute(f"USE {name}")
                    cursor.execute("SET SESSION sql_mode = DEFAULT")
                    cursor.execute(script)
                    while cursor.nextset():
                        pass
            yield names
        finally:
            for name in names:
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def mariadb_names(mysql: MySQLDatabase) -> Iterator[list[str]]:
    cases = [case for case in all_cases() if "mariadb" in case.expected.servers]
    yield from fill(mysql, [[*BOTH, *MARIADB], *packed(cases)])


@pytest.fixture
def mysql56_names(mysql56: MySQLDatabase) -> Iterator[list[str]]:
    # 5.6 prints the label `a\0` as `a`, and counts it as two.
    other = "nul-in-default-label-and-comment"
    cases = [case for case in all_cases() if "mysql56" in case.expected.servers and case.name != other]
    yield from fill(mysql56, [[*BOTH], *packed(cases)])


def dump(mysql: MySQLDatabase, *arguments: str) -> bytes:
    address = urlsplit(mysql.url)
    login = ("--host=127.0.0.1", f"--port={address.port}", f"--user={address.username}")
    command = ["mariadb-dump", *login, *OPTIONS, *arguments]
    done = subprocess.run(command, env={"MYSQL_PWD": address.password or ""}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dump_of_mysql56(mysql: MySQLDatabase, names: list[str]) -> list[Statement]:
    """What mysqldump would write, of the same SHOW CREATE; Debian's asks MySQL 5.6 for what only later ones have."""
    settings = Settings(server=mysql.rows("SELECT version()")[0][0])
    found: list[Statement] = []

    def add(kind: str, text: str, name: str = "") -> None:
        found.append(Statement(kind, text, name, database, len(found) + 1, settings))

    for database in names:
        mysql.execute(f"USE {database}")
        for name, kind in mysql.rows("SHOW FULL TABLES"):
            quoted = "`" + name.replace("`", "``") + "`"
            what = "view" if kind == "VIEW" else "table"
            if what == "view":
                add("create view", f"CREATE VIEW {quoted} AS SELECT 1 AS `a`", name)
                add("drop", f"DROP VIEW IF EXISTS {quoted}")
            add(f"create {what}", mysql.rows(f"SHOW CREATE {what} {quoted}")[0][1], name)
        for name, *_ in mysql.rows("SHOW TRIGGERS"):
            add("create trigger", mysql.rows(f"SHOW CREATE TRIGGER `{name}`")[0][2])
        for what in ("PROCEDURE", "FUNCTION"):
            for _, name, *_ in mysql.rows(f"SHOW {what} STATUS WHERE db = '{database}'"):
                add(f"create {what.lower()}", mysql.rows(f"SHOW CREATE {what} `{name}`")[0][2])
        for _, name, *_ in mysql.rows("SHOW EVENTS"):
            add("create event", mysql.rows(f"SHOW CREATE EVENT `{name}`")[0][3])
    return found


# --- comparison ----------------------------------------------------------------------------------


def differences(live: Any, dumped: Any, where: str) -> Iterator[str]:
    """Yields what differs, but for estimates."""
    if type(live) is not type(dumped):
        yield f"{where}: {live!r} is {dumped!r}"
    elif is_dataclass(live):
        for part in fields(live):
            if part.name not in {"rows_estimate", "bytes_estimate", "notes"}:
                place = f"{where}.{part.name}"
                yield from differences(getattr(live, part.name), getattr(dumped, part.name), place)
    elif isinstance(live, tuple) and len(live) == len(dumped):
        for one, other in zip(live, dumped, strict=True):
            yield from differences(one, other, f"{where}[{getattr(one, 'name', '')}]")
    elif live != dumped:
        yield f"{where}: {live!r} is {dumped!r}"


def live_catalogs(mysql: MySQLDatabase, names: list[str]) -> Iterator[Catalog]:
    with connect(parse_source(mysql.url)) as connection:
        for name in names:
            connection.select_db(name)
            yield read_catalog(connection)


def check(mysql: MySQLDatabase, names: list[str], statements: Sequence[StatementLike]) -> None:
    found: list[str] = []
    for live in live_catalogs(mysql, names):
        assert live.tables
        found += differences(live, read_ddl(statements, live.database), live.database)
    assert found == []


def test_every_case_on_mariadb(mysql: MySQLDatabase, mariadb_names: list[str]) -> None:
    statements = split(dump(mysql, "--databases", *mariadb_names))
    check(mysql, mariadb_names, statements)
    with pytest.raises(UsageError, match=f"several databases, {mariadb_names[0]}, {mariadb_names[1]}, .* name the one"):
        read_ddl(statements)
    with pytest.raises(UsageError, match=f"no database shop: it holds {mariadb_names[0]}, "):
        read_ddl(statements, "shop")
    alone = split(dump(mysql, mariadb_names[0]))
    (live,) = live_catalogs(mysql, mariadb_names[:1])
    assert list(differences(live, read_ddl(alone, live.database), "")) == []
    assert list(differences(replace(live, database="", views=()), replace(read_ddl(alone), views=()), "")) == []


def test_every_case_on_mysql_5_6(mysql56: MySQLDatabase, mysql56_names: list[str]) -> None:
    check(mysql56, mysql56_names, dump_of_mysql56(mysql56, mysql56_names))


@pytest.mark.parametrize("name", ["phpmyadmin", "mydumper", "by_hand"])
def test_what_other_tools_write(mysql: MySQLDatabase, name: str) -> None:
    settings = Settings(server=mysql.rows("SELECT version()")[0][0])
    text = (DUMPS / f"{name}.sql").read_bytes()
    statements = [
        Statement(piece.kind, piece.text, piece.table, piece.database, piece.line, settings) for piece in split(text)
    ]
    for statement in statements:
        mysql.execute(statement.text or "")
    (live,) = live_catalogs(mysql, [mysql.database])
    made = "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"
    dumped = read_ddl([Statement("create database", made), *statements], mysql.database)
    assert [view.name for view in dumped.views] == [view.name for view in live.views]
    # Only a server's own words for a view are those of its catalog.
    assert list(differences(replace(live, views=()), replace(dumped, views=()), "")) == []


@pytest.mark.parametrize(
    "options",
    [("--default-character-set=latin1",), ("--compatible=ansi", "--databases"), ("--compact",), ("--skip-comments",)],
)
def test_options_of_the_writer(mysql: MySQLDatabase, options: tuple[str, ...]) -> None:
    mysql.execute("CREATE TABLE `grö\"ße` (`é` enum('ä','\\\\','''') DEFAULT 'ä' COMMENT 'ö\n', b varchar(9) AS (`é`))")
    mysql.execute("CREATE VIEW v AS SELECT `é`, b AS `x\"y` FROM `grö\"ße` WHERE b <> 'ß''\"`'")
    mysql.execute("CREATE TRIGGER `tr` BEFORE INSERT ON `grö\"ße` FOR EACH ROW SET @a = 'é;'")
    (live,) = live_catalogs(mysql, [mysql.database])
    dumped = read_ddl(split(dump(mysql, *options, mysql.database)), mysql.database)
    assert list(differences(live, replace(dumped, server=live.server), "")) == []
