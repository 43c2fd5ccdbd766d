"""The dump reader against real servers: what mariadb-dump writes is read as PyMySQL reads the same tables."""

from __future__ import annotations

import gzip
import random
import subprocess
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pytest

from vecferry._core import DumpError, DumpFile, DumpScan, DumpSettings, parse_rows, split_points

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MySQLDatabase

ROWS = 60
LATIN1 = "aZ09 '\"\\`%_;,()-#/*\0\b\t\n\r\x1aäßÿ\xa0€"
ANY = LATIN1 + "Ω漢😀\u2028"


def text(rng: random.Random, alphabet: str, most: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))


def bits(width: int) -> Callable[[random.Random, str], int]:
    return lambda rng, _: rng.choice([0, 1, rng.getrandbits(width), 2**width - 1])


def octets(most: int) -> Callable[[random.Random, str], bytes]:
    return lambda rng, _: rng.randbytes(rng.randint(0, most)) + rng.choice([b"", b"'\\\0\n;"])


def moment(rng: random.Random, _: str) -> datetime:
    return datetime(1971, 1, 1) + timedelta(microseconds=rng.randrange(10**15))


# Type, kind of column in the reader's answer, a value.
TYPES: list[tuple[str, str, Callable[[random.Random, str], Any]]] = [
    ("TINYINT", "text", lambda rng, _: rng.randint(-128, 127)),
    ("BIGINT UNSIGNED", "text", lambda rng, _: rng.choice([0, 2**64 - 1, rng.getrandbits(64)])),
    ("DECIMAL(30,10)", "text", lambda rng, _: f"{rng.uniform(-1e15, 1e15):.8f}"),
    ("DOUBLE", "text", lambda rng, _: rng.choice([0.0, -1e-300, 1e300, rng.uniform(-1, 1)])),
    ("FLOAT", "text", lambda rng, _: rng.uniform(-1e20, 1e20)),
    ("BIT(1)", "bit", bits(1)),
    ("BIT(64)", "bit", bits(64)),
    ("DATE", "text", lambda rng, _: date(1000, 1, 1) + timedelta(rng.randrange(3_000_000))),
    ("DATETIME(6)", "text", moment),
    ("TIMESTAMP(3) NULL", "text", lambda rng, _: datetime(1971, 1, 1) + timedelta(milliseconds=rng.randrange(10**12))),
    ("TIME(2)", "text", lambda rng, _: f"{rng.choice(['', '-'])}{rng.randint(0, 838)}:{rng.randint(0, 59):02}:01.25"),
    ("YEAR", "text", lambda rng, _: rng.randint(1901, 2155)),
    ("CHAR(20)", "text", lambda rng, alphabet: text(rng, alphabet, 20)),
    ("VARCHAR(80)", "text", lambda rng, alphabet: text(rng, alphabet, 80)),
    ("TEXT CHARACTER SET latin1", "text", lambda rng, _: text(rng, LATIN1, 300)),
    ("LONGTEXT", "text", lambda rng, alphabet: text(rng, alphabet, 3000)),
    ("BINARY(8)", "bytes", octets(3)),
    ("VARBINARY(40)", "bytes", octets(35)),
    ("LONGBLOB", "bytes", octets(3000)),
    ("ENUM('a','it''s','\\\\','é')", "text", lambda rng, _: rng.choice(["a", "it's", "\\", "é"])),
    ("SET('x','y','z''')", "text", lambda rng, _: rng.choice(["", "x", "x,y", "y,z'"])),
]


def make_table(server: MySQLDatabase, rng: random.Random, alphabet: str) -> list[str]:
    """Create a table of columns of random types with random values; the kind of each column."""
    chosen = rng.sample(TYPES, 14)
    names = ["plain", "sp ace", "q'uote", 'd"ouble', "back`tick", "semi;colon", "comma,", "--dash", "(x)", "/*c*/"]
    names += [f"c{index}" for index in range(len(names), len(chosen))]
    quoted = ["`" + name.replace("`", "``") + "`" for name in names]
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in zip(quoted, chosen, strict=True))
    server.execute(f"CREATE TABLE `t``;'x` (id INT PRIMARY KEY, {columns})")
    for row in range(ROWS):
        values = [None if rng.random() < 0.1 else value(rng, alphabet) for _, _, value in chosen]
        marks = ", ".join(["%s"] * (len(values) + 1))
        server.execute(f"INSERT INTO `t``;'x` VALUES ({marks})", [row, *values])
    return ["text", *(kind for _, kind, _ in chosen)]


def dump(server: MySQLDatabase, *options: str) -> bytes:
    url = urlsplit(server.url)
    command = ["mariadb-dump", "--no-defaults", f"--host={url.hostname}", f"--port={url.port}", "--protocol=tcp"]
    command += [f"--user={unquote(url.username or '')}", f"--password={unquote(url.password or '')}"]
    done = subprocess.run([*command, *options, server.database], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def cells(piece: Any, data: bytes, kinds: list[str], most_bytes: int = 1000) -> list[tuple[Any, ...]]:
    """The rows of a piece, by the reader."""
    batches = parse_rows(
        data,
        offset=piece.start,
        line=piece.line,
        fields=len(kinds),
        wanted=list(enumerate(kinds)),
        settings=piece.settings,
        most_bytes=most_bytes,
    )
    rows: list[tuple[Any, ...]] = []
    for batch in batches:
        columns = [column.to_pylist() for column in pa.array(batch).flatten()]
        rows += zip(*columns, strict=True)
    return rows


def read_dump(path: Path, kinds: list[str]) -> list[tuple[Any, ...]]:
    """The rows of a dump of one table; read piece by piece, and again at the places that the pieces tell."""
    scan = DumpScan(str(path), with_data=True, piece_bytes=2000)
    rows, file = [], DumpFile(str(path))
    for piece in scan:
        if piece.kind == "insert":
            assert piece.table == "t`;'x"
            assert file.read(piece.start, piece.end) == piece.data
            some = cells(piece, piece.data, kinds)
            assert len(some) == piece.rows
            rows += some
    assert scan.complete
    return rows


def read_server(server: MySQLDatabase, kinds: list[str]) -> list[tuple[Any, ...]]:
    """The same rows by PyMySQL, as the server's text."""
    connection = server.connect(conv={}, init_command="SET time_zone = '+00:00'")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM `t``;'x` ORDER BY id")
        rows = cursor.fetchall()

    def form(value: Any, kind: str) -> Any:
        return value.rjust(8, b"\0") if kind == "bit" and value is not None else value

    return [tuple(form(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in rows]


VARIANTS = {
    "plain": [],
    "hex": ["--hex-blob"],
    "single rows": ["--skip-extended-insert", "--complete-insert"],
    "replace": ["--replace", "--skip-comments"],
    "ignore": ["--insert-ignore", "--skip-add-locks"],
    "latin1": ["--default-character-set=latin1", "--hex-blob"],
    "ansi": ["--compatible=ansi", "--default-character-set=utf8mb4", "--complete-insert"],
    "old": ["--compatible=mysql40", "--default-character-set=utf8mb4", "--delayed-insert"],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_mariadb_dump_writes_is_read_as_the_server_tells_it(
    mysql: MySQLDatabase, tmp_path: Path, variant: str
) -> None:
    rng = random.Random(f"dump {variant}")
    kinds = make_table(mysql, rng, LATIN1 if variant == "latin1" else ANY)
    path = tmp_path / "dump.sql"
    path.write_bytes(dump(mysql, *VARIANTS[variant]))
    assert read_dump(path, kinds) == read_server(mysql, kinds)


@pytest.mark.parametrize("variant", ["plain", "hex"])
def test_what_an_old_server_holds_is_read_as_it_tells_it(
    mysql: MySQLDatabase, mysql56: MySQLDatabase, tmp_path: Path, variant: str
) -> None:
    rng = random.Random(f"5.6 {variant}")
    kinds = make_table(mysql56, rng, ANY)
    expected = read_server(mysql56, ["raw"] * len(kinds))
    # mariadb-dump cannot dump a server as old as this ("Unknown column 'generation_expression'"), so its table is
    # carried to one that it can.
    ((_, create),) = mysql56.rows("SHOW CREATE TABLE `t``;'x`")
    mysql.execute("SET time_zone = '+00:00'")
    mysql.execute(create)
    for row in expected:
        mysql.execute(f"INSERT INTO `t``;'x` VALUES ({', '.join(['%s'] * len(row))})", row)
    path = tmp_path / "dump.sql.gz"
    path.write_bytes(gzip.compress(dump(mysql, *VARIANTS[variant])))
    assert read_dump(path, kinds) == read_server(mysql56, kinds)


def test_a_dump_cut_at_any_byte_is_told(mysql: MySQLDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE t (id INT, a TEXT, b BLOB)")
    mysql.execute("INSERT INTO t VALUES (1, %s, %s), (22, 'x', NULL)", ["it's \\ (1,2),;", b"\0'\\"])
    mysql.execute("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.id = 1; /* ; */ END")
    whole = dump(mysql)
    expected = [("1", "it's \\ (1,2),;", b"\0'\\"), ("22", "x", None)]
    closing = whole.index(b"-- Dump completed")
    path = tmp_path / "cut.sql"
    told = 0
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        scan = DumpScan(str(path), with_data=True, piece_bytes=1)
        rows: list[tuple[Any, ...]] = []
        error = None
        try:
            for piece in scan:
                if piece.data is not None:
                    rows += cells(piece, piece.data, ["text", "text", "bytes"])
        except DumpError as told_error:
            error = told_error
        if error is None:
            assert scan.complete == (length >= closing + len("-- Dump completed"))
        else:
            told += 1
            assert error.offset <= length
            assert error.line == 1 + whole[: error.offset].count(b"\n")
            assert str(error).startswith(f"{path}, line {error.line}, byte {error.offset}: ")
        assert rows == expected[: len(rows)]
    assert rows == expected
    assert told > closing / 2


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
def test_literals_mean_what_the_server_says(mysql: MySQLDatabase, mode: str) -> None:
    rng = random.Random(f"literals {mode}")
    connection = mysql.connect()
    settings = DumpSettings(no_backslash_escapes=mode == "NO_BACKSLASH_ESCAPES", ansi_quotes=mode == "ANSI_QUOTES")
    quotes = "'" if settings.ansi_quotes else "'\""
    with connection.cursor() as cursor:
        cursor.execute("SET sql_mode = %s", [mode])
        for _ in range(400):
            literal = make_literal(rng, quotes, backslash=not settings.no_backslash_escapes)
            cursor.execute("SELECT HEX(" + literal + ")")
            row = cursor.fetchone()
            assert row is not None
            batches = parse_rows(
                f"({literal})".encode(), offset=0, line=1, fields=1, wanted=[(0, "bytes")], settings=settings
            )
            (value,) = pa.array(next(batches)).field(0).to_pylist()
            assert value.hex().upper() == row[0], literal


def make_literal(rng: random.Random, quotes: str, *, backslash: bool) -> str:
    """A string or hexadecimal literal of random form."""
    if rng.random() < 0.2:
        digits = rng.randbytes(rng.randint(1, 9)).hex()
        return rng.choice(
            [f"0x{digits}", f"X'{digits}'", f"x'{digits.upper()}'", f"0x{digits[1:]}", f"_binary 0x{digits}"]
        )
    quote = rng.choice(quotes)
    parts = ["a", "é", "😀", "\n", "'", '"', "%", "_", "-- ", "/*", "0", quote * 2]
    parts = [part for part in parts if part != quote]
    parts += [f"\\{c}" for c in "0bnrtZ%_\\'\"xé"] if backslash else ["\\"]
    inside = "".join(rng.choice(parts) for _ in range(rng.choice([3, 12, 150])))
    introducer = rng.choice(["", "", "", "_utf8mb4", "_binary ", "N"])
    if introducer == "N" and quote != "'":
        introducer = ""
    if introducer == "N" and "😀" in inside:
        inside = inside.replace("😀", "€")
    more = rng.choice(["", "", "", f" {quote}more{quote * 2}{quote}"])
    return f"{introducer}{quote}{inside}{quote}{more}"


CHARSETS = ["latin1", "latin2", "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "koi8r", "gbk", "cp932", "euckr"]
CHARSETS += ["ucs2", "utf16", "utf16le", "utf32"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_characters_are_those_of_the_server(mysql: MySQLDatabase, charset: str) -> None:
    rng = random.Random(charset)
    if charset in {"ucs2", "utf16", "utf16le", "utf32"}:
        width = 4 if charset == "utf32" else 2
        codes = [rng.randrange(0xD800).to_bytes(width, "big") for _ in range(1000)]
    elif charset in {"gbk", "cp932", "euckr"}:
        codes = [bytes([rng.randrange(0x81, 0xFF), rng.randrange(0x40, 0xFF)]) for _ in range(1000)]
    else:
        codes = [bytes([code]) for code in range(256)]
    compared = 0
    # A server refuses what is none of its characters; it has no byte order mark within text.
    valid = [code for code in codes if is_valid(mysql, charset, code)] if len(codes) > 256 else codes
    for start in range(0, len(valid), 200):
        part = valid[start : start + 200]
        text = "CONVERT(_{0} X'{1}' USING utf8mb4)"
        each = [text.format(charset, code.hex()) for code in part]
        ((*found,),) = mysql.rows(
            "SELECT " + ", ".join(f"HEX({value}), HEX(CONVERT({value} USING {charset}))" for value in each)
        )
        for code, there, back in zip(part, found[::2], found[1::2], strict=True):
            if back == code.hex().upper():
                compared += 1
                data = f"(_{charset} X'{code.hex()}')".encode()
                batches = parse_rows(data, offset=0, line=1, fields=1, wanted=[(0, "text")], settings=DumpSettings())
                (value,) = pa.array(next(batches)).field(0).to_pylist()
                assert value.encode().hex().upper() == there
    assert compared > 200


def is_valid(server: MySQLDatabase, charset: str, code: bytes) -> bool:
    try:
        server.rows(f"SELECT _{charset} X'{code.hex()}'")
    except Exception:  # noqa: BLE001 - the server's error for a string that is none
        return False
    return True


def test_parts_of_a_file_are_its_whole(mysql: MySQLDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE a (id INT PRIMARY KEY, t TEXT)")
    mysql.execute("CREATE TABLE b LIKE a")
    values = [(row, f"{row};\nINSERT INTO b VALUES (1,'x');\n" * (row % 5)) for row in range(400)]
    for table in "ab":
        with mysql.connect().cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", values)
    path = tmp_path / "dump.sql"
    path.write_bytes(dump(mysql, "--skip-extended-insert", "--databases"))
    whole = DumpScan(str(path))
    expected = [(piece.kind, piece.database, piece.table, piece.start, piece.line, piece.rows) for piece in whole]

    points = split_points(str(path), 5)
    assert len(points) == 4
    assert points == sorted(set(points))
    # The database and the settings that the first INSERT sees are those of the others.
    first = DumpScan(str(path))
    settings, database = next((piece.settings, piece.database) for piece in first if piece.kind == "insert")
    found, lines = [], 1
    for start, end in zip([0, *points], [*points, None], strict=True):
        known = {"settings": settings, "database": database} if start else {}
        part = DumpScan(str(path), start=start, end=end, line=lines, **known)  # type: ignore[arg-type]
        found += [(piece.kind, piece.database, piece.table, piece.start, piece.line, piece.rows) for piece in part]
        if end is not None:
            assert (part.size, part.settings, part.database) == (end, settings, database)
        lines = part.line
    assert found == expected
    assert lines == whole.line

    # A wrong guess is told by where the part before ends.
    inside = path.read_bytes().index(b"INSERT INTO b VALUES")
    part = DumpScan(str(path), end=inside)
    list(part)
    assert part.size > inside
