"""Random tables with hostile names, labels, defaults and comments: the catalog of their dump is the live server's."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from tests.dump_text import split
from tests.integration.test_dump_catalog import differences, dump, dump_of_mysql56, live_catalogs
from vecferry.dump.ddl import read_ddl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import MySQLDatabase

TABLES = 1500
NAME_PARTS = (
    "a",
    "B",
    "c1",
    "`",
    "'",
    '"',
    "\n",
    "é",
    "日",
    ";",
    ",",
    "(",
    ")",
    "#",
    "--",
    "/*",
    "*/",
    ".",
    "select",
    "\\",
)
TEXT_PARTS = (
    *NAME_PARTS, "''", "\r", "\t", "\0", "/*!50000 ", "%", "_", " ", "@", "NULL", "0x41", "b'1'", "\x1a", "/*M!100100 ",
    "$",
)  # fmt: skip
CHARSETS = ("utf8mb4", "latin1", "utf8", "ascii", "ucs2", "utf16", "utf32", "cp1251", "gbk", "sjis", "binary", "koi8r")
NUMBERS = ("tinyint", "smallint", "mediumint", "int", "bigint", "int(5)", "decimal", "decimal(12)", "decimal(20,5)")
FLOATS = ("float", "double", "float(5,2)", "double(8,3)")
TIMES = ("datetime", "datetime(3)", "timestamp", "timestamp(6)", "time", "time(2)")
TEXTS = ("char", "char(5)", "varchar(0)", "varchar(20)", "varchar(300)", "tinytext", "text", "mediumtext", "longtext")
BYTES = ("binary(4)", "varbinary(9)", "tinyblob", "blob", "longblob")
OTHERS = ("bool", "bit", "bit(7)", "date", "year", "point", "geometry")
MARIADB = ("json", "uuid", "inet6")
KEYS = frozenset({"tinyint", "smallint", "int", "bigint", "date", "datetime", "decimal"})
DEFAULTS = {
    "bool": "1", "bit": "b'1'", "date": "'2024-02-29'", "datetime": "'2024-02-29 01:02:03'", "time": "'01:02:03'",
    "year": "2024", "float": "1.5", "double": "1e3", "char": "'a'", "int": "7", "tinyint": "0", "decimal": "3",
}  # fmt: skip


class Maker:
    """Makes statements out of a seed."""

    def __init__(self, seed: str, *, mariadb: bool) -> None:
        self.random = random.Random(seed)
        self.mariadb = mariadb

    def likely(self, chance: float) -> bool:
        return self.random.random() < chance

    def text(self, most: int) -> str:
        return "".join(self.random.choice(TEXT_PARTS) for _ in range(self.random.randint(0, most)))

    def name(self, used: set[str]) -> str:
        while True:
            found = "".join(self.random.choice(NAME_PARTS) for _ in range(self.random.randint(1, 5)))
            if found == found.strip() and found.lower() not in used:
                used.add(found.lower())
                return quoted(found)

    def table(self, used: set[str]) -> str:
        names: set[str] = set()
        columns = [(self.name(names), *self.column()) for _ in range(self.random.randint(1, 9))]
        parts = [f"{name} {definition}" for name, _, definition in columns]
        keys = [(name, definition) for name, base, definition in columns if base in KEYS]
        if self.mariadb and keys and self.likely(0.4):
            kept = self.random.choice(("VIRTUAL", "STORED"))
            parts.append(f"{self.name(names)} varchar(50) AS (concat({keys[0][0]}, {literal(self.text(4))})) {kept}")
        needed = [name for name, definition in keys if "NOT NULL" in definition]
        if needed and self.likely(0.6):
            parts.append(f"PRIMARY KEY ({needed[0]})")
        parts += self.indexes([name for name, _ in keys])
        options = ["", "CHARACTER SET latin1", "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "COLLATE utf8_bin"]
        engines = ["", "AUTO_INCREMENT=7", "ENGINE=MyISAM", "ROW_FORMAT=DYNAMIC"]
        engines += ["WITH SYSTEM VERSIONING"] * self.mariadb
        chosen = f"{self.random.choice(options)} {self.random.choice(engines)} COMMENT={literal(self.text(9))}"
        return f"CREATE TABLE {self.name(used)} ({', '.join(parts)}) {chosen}"

    def indexes(self, columns: Sequence[str]) -> list[str]:
        names: set[str] = set()
        options = ["", "USING BTREE", "USING HASH", "COMMENT " + literal(self.text(3)), *["IGNORED"] * self.mariadb]
        found = []
        for _ in range(self.random.randint(0, 3) if columns else 0):
            some = self.random.sample(columns, self.random.randint(1, min(2, len(columns))))
            parts = ", ".join(column + self.random.choice(("", " DESC")) for column in some)
            kind = self.random.choice(("KEY", "UNIQUE KEY"))
            found.append(f"{kind} {self.name(names)} ({parts}) {self.random.choice(options)}")
        return found

    def column(self) -> tuple[str, str]:
        """Returns the bare type and the definition."""
        kinds = (*NUMBERS, *FLOATS, *TIMES, *TEXTS, *BYTES, *OTHERS, "enum", "set", *(MARIADB if self.mariadb else ()))
        kind = self.random.choice(kinds)
        base, _, digits = kind.partition("(")
        words = [kind]
        if kind in {"enum", "set"}:
            words = [f"{kind}({', '.join(literal(label) for label in self.labels(kind))})"]
        elif kind in TEXTS and self.likely(0.4):
            charset = self.random.choice(CHARSETS)
            words += [f"CHARACTER SET {charset}", f"COLLATE {charset}_bin".replace("binary_bin", "binary")]
        elif kind in (*NUMBERS, *FLOATS) and self.likely(0.4):
            words.append(self.random.choice(("unsigned", "unsigned zerofill", "zerofill")))
        words.append(self.random.choice(("NOT NULL", "NULL")))
        if base == "timestamp" or (base == "datetime" and self.likely(0.3)):
            now = f"CURRENT_TIMESTAMP({digits.rstrip(')') or 0})"
            words += [f"DEFAULT {now}", *[f"ON UPDATE {now}"] * self.likely(0.5)]
        elif self.likely(0.5) and (value := self.default(kind, base)):
            words.append(f"DEFAULT {value}")
        if self.mariadb and words[-1] == "NULL" and self.likely(0.1):
            words.append("INVISIBLE")
        words.append(f"COMMENT {literal(self.text(8))}")
        if self.mariadb and base in {"int", "bigint"} and self.likely(0.2):
            words.append(f"CHECK (1 < 2 OR ')' <> {literal(self.text(3))})")
        return base, " ".join(words)

    def labels(self, kind: str) -> list[str]:
        # The server takes trailing spaces off, and MySQL 5.6 prints no NUL.
        labels: dict[str, str] = {}
        for _ in range(self.random.randint(1, 4)):
            label = self.text(4).replace("\0", "").replace("," if kind == "set" else "\0", "").rstrip()
            labels.setdefault(label.lower(), label)
        return list(labels.values())

    def default(self, kind: str, base: str) -> str | None:
        if kind in {"varchar(300)", "text", "blob"} and self.mariadb:
            text = literal(self.text(5))
            return self.random.choice((text, "uuid()", f"(concat({text}, 'x'))", f"concat({text}, rand())"))
        return literal(self.text(5)) if kind == "varchar(300)" else DEFAULTS.get(base)


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0").replace("\x1a", "\\Z") + "'"


@pytest.mark.torture
@pytest.mark.parametrize("server", ["mysql", "mysql56"])
def test_random_tables(server: str, request: pytest.FixtureRequest) -> None:
    source: MySQLDatabase = request.getfixturevalue(server)
    seed = f"{server} {random.SystemRandom().randrange(1 << 32)}"
    maker = Maker(seed, mariadb=server == "mysql")
    source.execute("SET SESSION sql_mode = ''")
    used: set[str] = set()
    made = sum(accepted(source, maker.table(used)) for _ in range(TABLES))
    print(f"seed {seed!r}: {made} of {TABLES} tables")  # noqa: T201 - what a campaign says
    assert made > TABLES / 2
    names = [source.database]
    statements: Any = split(dump(source, *names)) if maker.mariadb else dump_of_mysql56(source, names)
    (live,) = live_catalogs(source, names)
    assert len(live.tables) == made
    assert list(differences(live, read_ddl(statements, source.database), seed)) == []


def accepted(source: MySQLDatabase, statement: str) -> bool:
    try:
        source.execute(statement)
    except pymysql.err.Error:
        return False
    return True
