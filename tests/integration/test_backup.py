"""A backup is taken as of one moment, restored elsewhere it is the same, and one that is damaged is told."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil
import pyarrow as pa
import pymysql
import pytest

from tests.servers.disk import Disk
from vecferry import Progress, backup, check_backup
from vecferry.backups.manifest import NAME
from vecferry.cli import run as cli
from vecferry.config import SourceScope, parse_source
from vecferry.errors import ExitCode, ForbiddenError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.backups.manifest import Manifest
    from vecferry.demo.servers import MariaDB

SECRET = "g8qx'\"w\\z#v k;é😀=\t%41@/:?"
TABLES = """
CREATE TABLE plain (id int PRIMARY KEY AUTO_INCREMENT, note text, raw blob, price decimal(20,6), f float, d double,
  at timestamp(6) NULL, day date, b bit(12), e enum('a','b'',(') NOT NULL);
CREATE TABLE child (id int PRIMARY KEY, parent int, twice int GENERATED ALWAYS AS (parent * 2) STORED,
  FOREIGN KEY (parent) REFERENCES plain (id));
CREATE TABLE `-- odd``name, "'(;` (`a``b` int PRIMARY KEY, `--` varchar(20));
CREATE TABLE nothing (id int);
"""
PLAIN_TABLES = TABLES.replace(", twice int GENERATED ALWAYS AS (parent * 2) STORED", "")
"""Without what MySQL 5.6 has not."""
THINGS = """
CREATE VIEW seen AS SELECT id, note FROM plain WHERE id > 1;
CREATE PROCEDURE count_all() SELECT ');' , COUNT(*) FROM plain;
CREATE FUNCTION one() RETURNS int DETERMINISTIC RETURN 1;
CREATE TRIGGER before_plain BEFORE INSERT ON plain FOR EACH ROW SET NEW.f = COALESCE(NEW.f, 1);
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM nothing;
"""
BIG_ROWS = 24


def fill(mysql: MySQLDatabase, tables: str = TABLES) -> None:
    """Values that a reader of dumps may stumble over, and everything else that a dump holds."""
    mysql.execute("SET sql_mode = ''")
    for statement in (tables + THINGS).split(";\n"):
        if statement.strip():
            mysql.execute(statement)
    odd = [
        "",
        "'",
        "a),(1,'b",
        "\\",
        "\\'",
        "';\n-- Dump completed\n",
        "é😀\r\n\t\0\x1a",
        '"',
        "/*!50001 x */",
        "`",
        None,
    ]
    rows = [(text, None if text is None else text.encode() + b"\xff\x00\x80", i * 1.5) for i, text in enumerate(odd)]
    with mysql.connect().cursor() as cursor:
        cursor.executemany(
            "INSERT INTO plain (note, raw, price, f, d, at, day, b, e)"
            " VALUES (%s, %s, %s, 0.1, 1e300, '2024-02-29 23:59:59.999999', '0000-00-00', 5, 'b'',(')",
            rows,
        )
        cursor.execute("INSERT INTO child (id, parent) SELECT id, id FROM plain")
        cursor.execute("INSERT INTO `-- odd``name, \"'(;` VALUES (1, '),('), (2, NULL), (3, '''')")


def fill_big(mysql: MySQLDatabase, table: str = "big", rows: int = BIG_ROWS) -> None:
    """A table of `rows` MB, so that its dump is far from its end when the first part of it is there."""
    mysql.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, v longtext)")
    for number in range(rows):
        mysql.execute(f"INSERT INTO {table} VALUES (%s, REPEAT(%s, 62500))", [number, f"{number:016d}"])


def scope_of(mysql: MySQLDatabase | str, *tables: str, exclude: tuple[str, ...] = ()) -> SourceScope:
    url = mysql if isinstance(mysql, str) else mysql.url
    return SourceScope(parse_source(url), tables, exclude)


def counts(mysql: MySQLDatabase) -> dict[str, int]:
    query = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
    )
    return {name: mysql.rows(f"SELECT COUNT(*) FROM {quoted(name)}")[0][0] for (name,) in mysql.rows(query)}


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def dump_text(folder: Path, manifest: Manifest) -> bytes:
    [file] = manifest.files
    with (folder / file.name).open("rb") as raw:
        if file.compression == "none":
            return raw.read()
        found: bytes = pa.CompressedInputStream(raw, file.compression).read()
        return found


def restore(text: bytes, into: MySQLDatabase) -> None:
    """Loads a dump with the server's own client."""
    url = parse_source(into.url)
    login = ["--protocol=tcp", f"--host={url.host}", f"--port={url.port}", f"--user={url.user}"]
    command = ["mariadb", "--no-defaults", *login, "--max-allowed-packet=1G", url.database]
    done = subprocess.run(
        command, input=text, env={**os.environ, "MYSQL_PWD": url.password or ""}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def restore_folder(folder: Path, manifest: Manifest, into: MySQLDatabase) -> None:
    """Loads mydumper's files: tables, rows, views, triggers, routines and events."""
    kinds = ("-schema.sql.gz", ".sql.gz", "-schema-view.sql.gz", "-schema-triggers.sql.gz", "-schema-post.sql.gz")
    left = {file.name for file in manifest.files if not file.name.endswith(("metadata", "-schema-create.sql.gz"))}
    order = [
        next(kind for kind in sorted(kinds, key=len, reverse=True) if name.endswith(kind)) for name in sorted(left)
    ]
    for _, name in sorted(zip(map(kinds.index, order), sorted(left), strict=True)):
        text = gzip.decompress((folder / name).read_bytes())
        if name.endswith("-schema-post.sql.gz"):
            text = b"DELIMITER ;;\n" + text.replace(b";\n", b";;\n")
        restore(text, into)


def state(mysql: MySQLDatabase) -> dict[str, Any]:
    """Every row of every table, and what else there is."""
    mysql.execute("SET NAMES utf8mb4, time_zone = '+00:00'")
    found: dict[str, Any] = {
        name: sorted(mysql.rows(f"SELECT * FROM {quoted(name)}"), key=repr) for name in counts(mysql)
    }
    for kind in ("view", "trigger", "event"):
        place = "event_schema" if kind == "event" else f"{'table' if kind == 'view' else kind}_schema"
        name = "table_name" if kind == "view" else f"{kind}_name"
        query = f"SELECT {name} FROM information_schema.{kind}s WHERE {place} = DATABASE() ORDER BY 1"
        found[f"{kind}s"] = mysql.rows(query)
    routines = "SELECT routine_name, routine_type FROM information_schema.routines WHERE routine_schema = DATABASE()"
    found["routines"] = sorted(mysql.rows(routines))
    return found


@pytest.fixture
def other() -> Iterator[MySQLDatabase]:
    """A second fresh database on the MariaDB server."""
    from tests.conftest import MYSQL_URL, _mysql_database  # noqa: PLC0415 - the fixture's own means

    with _mysql_database(MYSQL_URL) as database:
        yield database


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "backup"


class When(Progress):
    """Acts once, as soon as something of the dump is written."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.acts = [act]
        self.notes: list[str] = []

    def index(self, name: str, phase: str, done: int, total: int) -> None:  # noqa: ARG002 - the protocol's names
        if self.acts:
            self.acts.pop()()

    def note(self, text: str) -> None:
        self.notes.append(text)


def client_of_this_process() -> psutil.Process:
    [found] = [child for child in psutil.Process().children() if "dump" in child.name()]
    return found


# --- what is restored is the same


@pytest.mark.parametrize("compression", ["zstd", "gzip", "none"])
def test_a_backup_is_restored_elsewhere_as_it_was(
    mysql: MySQLDatabase, other: MySQLDatabase, out: Path, compression: Any
) -> None:
    fill(mysql)
    made = backup(scope_of(mysql), out, compression=compression)
    assert {table.name: table.rows for table in made.tables} == counts(mysql)
    assert made.views == ("seen",)
    assert json.loads((out / NAME).read_text()) == json.loads(json.dumps(made.to_json()))
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert sorted(path.name for path in out.iterdir()) == sorted([NAME, made.files[0].name])
    restore(dump_text(out, made), other)
    found = state(other)
    assert found == state(mysql)
    assert found["routines"] == [("count_all", "PROCEDURE"), ("one", "FUNCTION")]
    assert found["views"] + found["triggers"] + found["events"] == [("seen",), ("before_plain",), ("nightly",)]
    checked = check_backup(out)
    assert (checked.status, checked.problems) == ("ok", ())
    assert checked.tables == made.tables


def test_mysql_by_mydumper_where_no_client_of_its_own_is_there(
    mysql56: MySQLDatabase, mysql: MySQLDatabase, out: Path
) -> None:
    fill(mysql56, PLAIN_TABLES)
    mysql56.execute("DROP TABLE `-- odd``name, \"'(;`")
    with pytest.raises(SourceError, match="generation_expression.*use mysqldump of MySQL's own, or --client mydumper"):
        backup(scope_of(mysql56), out)
    made = backup(scope_of(mysql56), out, client="mydumper")
    assert made.server.flavor == "MySQL"
    assert made.server.version.startswith("5.6.")
    assert {table.name: table.rows for table in made.tables} == counts(mysql56)
    assert check_backup(out).status == "ok"
    restore_folder(out, made, mysql)
    assert state(mysql) == state(mysql56)
    mysql56.execute("CREATE TABLE isam (id int) ENGINE=MyISAM")
    mysql56.execute("INSERT INTO isam VALUES (1), (2)")
    locked = backup(scope_of(mysql56), out.with_name("locked"), client="mydumper", lock=True)
    assert {table.name: table.rows for table in locked.tables} == counts(mysql56)


def test_tables_are_chosen_by_patterns(mysql: MySQLDatabase, out: Path) -> None:
    fill(mysql)
    made = backup(scope_of(mysql, "pl*", "child", "-*", "seen", exclude=("c*",)), out)
    assert [table.name for table in made.tables] == ["-- odd`name, \"'(;", "plain"]
    assert made.views == ("seen",)
    with pytest.raises(UsageError, match="--tables 'none' matches no table or view"):
        backup(scope_of(mysql, "none"), out.with_name("second"))
    with pytest.raises(UsageError, match="there is nothing to back up"):
        backup(scope_of(mysql, "plain", exclude=("*",)), out.with_name("second"))
    assert not out.with_name("second").exists()


@pytest.fixture(scope="module")
def logging_server() -> Iterator[MariaDB]:
    """A MariaDB with a binary log."""
    from tests.conftest import MARIADB_SETTINGS  # noqa: PLC0415 - as above
    from vecferry.demo.servers import MariaDB as Server  # noqa: PLC0415 - as above

    with Server(settings={**MARIADB_SETTINGS, "log-bin": "binlog", "server-id": "1"}) as server:
        yield server


NAMES = ["-`h'\"o s.t%e", "--all-databases", "ünï"]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_look_like_something_else(logging_server: MariaDB, out: Path, name: str) -> None:
    user = f"--{name}"[:20]
    with logging_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted(name)} CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER %s@'127.0.0.1' IDENTIFIED BY %s", [user, SECRET])
        cursor.execute("GRANT ALL ON *.* TO %s@'127.0.0.1'", [user])
        cursor.execute(f"USE {quoted(name)}")
        for table in ("--help", "a_b%", "a_bx", name):
            cursor.execute(f"CREATE TABLE {quoted(table)} (id int PRIMARY KEY)")
            cursor.execute(f"INSERT INTO {quoted(table)} VALUES (1), (2)")
    login = f"{quote(user, safe='')}:{quote(SECRET, safe='')}"
    url = f"mysql://{login}@127.0.0.1:{logging_server.port}/{quote(name, safe='')}"
    whole = backup(scope_of(url), out)
    assert {table.name: table.rows for table in whole.tables} == dict.fromkeys(("--help", "a_b%", "a_bx", name), 2)
    part = backup(scope_of(url, "--help", "a_b%", exclude=("a_bx",)), out.with_name("part"))
    assert [table.name for table in part.tables] == ["--help", "a_b%"]
    with logging_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {quoted(name)}")


# --- one moment


def test_the_binary_logs_position_is_that_of_the_rows(logging_server: MariaDB, out: Path) -> None:
    url = logging_server.create_database("moment")
    with logging_server.connect("moment") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v varchar(200))")
        cursor.execute("SELECT @@gtid_binlog_pos")
        [(before,)] = cursor.fetchall()
    ended = threading.Event()

    def write() -> None:
        with logging_server.connect("moment") as connection, connection.cursor() as cursor:
            while not ended.is_set():
                cursor.execute("INSERT INTO t (v) VALUES (REPEAT('x', 200))")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with logging_server.connect("moment") as connection, connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT COUNT(*) FROM t")
                if cursor.fetchall()[0][0] > 100:
                    break
        # Each insert is one transaction, and so one number more.
        for number in range(3):
            made = backup(scope_of(url), out.with_name(str(number)))
            assert made.position is not None
            assert made.position.gtid is not None
            assert int(made.position.gtid.split("-")[2]) - int(before.split("-")[2]) == made.rows > 100
            assert made.position.file.startswith("binlog.")
    finally:
        ended.set()
        writer.join()
    locked = backup(scope_of(url), out, lock=True)
    assert locked.position is not None
    assert locked.position.gtid is not None
    assert int(locked.position.gtid.split("-")[2]) - int(before.split("-")[2]) == locked.rows


def test_without_a_binary_log_the_position_is_unknown_and_told(mysql: MySQLDatabase, out: Path) -> None:
    mysql.execute("CREATE TABLE t (id int)")
    made = backup(scope_of(mysql), out)
    assert made.position is None
    assert any("position is not in the manifest" in note for note in made.notes)


def test_tables_without_transactions_take_a_lock(mysql: MySQLDatabase, out: Path) -> None:
    fill_big(mysql)
    mysql.execute("CREATE TABLE aria (id int) ENGINE=Aria")
    mysql.execute("CREATE TABLE isam (id int) ENGINE=MyISAM")
    mysql.execute("INSERT INTO isam VALUES (1), (2)")
    with pytest.raises(ForbiddenError, match=r"2 tables cannot be dumped .*: aria \(Aria\), isam \(MyISAM\): .*--lock"):
        backup(scope_of(mysql), out)
    assert not out.exists()
    refused: list[Any] = []

    def write() -> None:
        with mysql.connect().cursor() as cursor:
            cursor.execute("SET lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
            for table in ("isam", "big"):
                try:
                    cursor.execute(f"INSERT INTO {table} (id) VALUES (100)")
                except pymysql.err.OperationalError as error:
                    refused.append(error.args[0])

    made = backup(scope_of(mysql), out, lock=True, progress=When(write))
    assert refused == [1205, 1205]
    assert {table.name: table.rows for table in made.tables} == {"aria": 0, "big": BIG_ROWS, "isam": 2}
    assert made.consistency == "lock"
    write()
    assert counts(mysql) == {"aria": 0, "big": BIG_ROWS + 1, "isam": 3}
    assert [table.name for table in backup(scope_of(mysql, exclude=("aria", "isam")), out.with_name("2")).tables] == [
        "big"
    ]


# --- what goes wrong leaves nothing


def test_a_client_that_is_killed(mysql: MySQLDatabase, out: Path) -> None:
    fill_big(mysql)
    with pytest.raises(SourceError, match="mariadb-dump ended by SIGKILL") as caught:
        backup(scope_of(mysql), out, progress=When(lambda: client_of_this_process().kill()))
    assert caught.value.exit_code == ExitCode.SOURCE
    assert not out.exists()


def test_a_server_that_is_killed(private_mariadb: Callable[..., MariaDB], out: Path) -> None:
    server = private_mariadb()
    with server.connect("athena") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY, v longtext)")
        for number in range(64):
            cursor.execute("INSERT INTO t VALUES (%s, REPEAT('x', 1000000))", [number])
    out.mkdir()
    with pytest.raises(SourceError, match="(?i)mariadb-dump ended with code .*Lost connection"):
        backup(scope_of(server.url), out, progress=When(server.kill))
    assert list(out.iterdir()) == []


def write_program(path: Path, line: str) -> None:
    """A client that does something else than mariadb-dump."""
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then exec mariadb-dump --version; fi\n{line}\n')
    path.chmod(0o755)


def test_a_server_that_goes_once_the_dump_is_whole(private_mariadb: Callable[..., MariaDB], out: Path) -> None:
    server = private_mariadb(settings={"log-bin": "binlog", "server-id": "1"})
    with server.connect("athena") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY)")
    made = backup(scope_of(server.url), out, progress=When(server.kill))
    assert made.position is not None
    assert made.position.gtid is None
    assert check_backup(out).status == "ok"


@pytest.mark.parametrize("cut", ["head -c 20000000", "true"])
def test_a_client_that_ends_early_and_says_nothing(mysql: MySQLDatabase, out: Path, cut: str) -> None:
    fill_big(mysql)
    program = out.with_name("mariadb-dump")
    write_program(program, f'mariadb-dump "$@" 2>/dev/null | {cut}')
    with pytest.raises(SourceError, match="closing line"):
        backup(scope_of(mysql), out, client_path=program)
    assert not out.exists()


def test_a_client_that_fails_is_heard_and_its_secrets_are_not(mysql: MySQLDatabase, out: Path) -> None:
    url = parse_source(mysql.url)
    mysql.execute("CREATE TABLE t (id int)")
    program = out.with_name("mariadb-dump")
    write_program(program, f"echo 'something about {url.password} went wrong' >&2; exit 3")
    with pytest.raises(SourceError, match=r"ended with code 3: something about \*\*\* went wrong") as caught:
        backup(scope_of(mysql), out, client_path=out.parent)
    assert url.password is not None
    assert url.password not in str(caught.value)


def test_a_table_that_the_client_does_not_dump(mysql: MySQLDatabase, out: Path) -> None:
    mysql.execute("CREATE TABLE kept (id int)")
    mysql.execute("CREATE TABLE gone (id int)")
    program = out.with_name("mariadb-dump")
    write_program(program, f'login="$1"; shift; exec mariadb-dump "$login" --ignore-table={mysql.database}.gone "$@"')
    with pytest.raises(SourceError, match="the dump lacks 1 table, gone: .*run again"):
        backup(scope_of(mysql), out, client_path=program)
    assert not out.exists()


def test_a_dump_that_its_reader_does_not_understand_is_kept_and_told(mysql: MySQLDatabase, out: Path) -> None:
    program = out.with_name("mariadb-dump")
    write_program(program, "echo 'INSERT INTO a VALUES 1;'; echo '-- Dump completed'")
    made = backup(scope_of(mysql), out, client_path=program, compression="none")
    assert any("rows could not be counted: " in note for note in made.notes)
    assert made.tables == ()
    [problem] = check_backup(out).problems
    assert problem.startswith("dump.sql cannot be read: ")


def test_a_disk_that_fills_up(mysql: MySQLDatabase, open_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill_big(mysql)
    with Disk(open_path / "disk", 8) as disk:
        folder = disk.path / "backup"
        arguments = ["backup", "-s", mysql.url, "--out", str(folder)]
        assert cli([*arguments, "--compress", "none"]) == ExitCode.USAGE
        [*_, sentence] = capsys.readouterr().err.splitlines()
        assert f"could not be written to {folder}: No space left on device: nothing of it was kept" in sentence
        assert list(disk.path.iterdir()) == []
        assert cli(arguments) == ExitCode.DONE
        assert cli(["backup", "--check", str(folder)]) == ExitCode.DONE


def test_a_folder_that_is_in_use(mysql: MySQLDatabase, out: Path) -> None:
    fill_big(mysql, rows=8)
    out.mkdir()
    (out / "dump.sql.zst.partial").write_text("left by one that was killed")
    (out / "mine").write_text("x")
    with pytest.raises(UsageError, match="is not empty, it holds mine"):
        backup(scope_of(mysql), out)
    (out / "mine").unlink()
    refused: list[str] = []

    def again() -> None:
        with pytest.raises(UsageError) as caught:
            backup(scope_of(mysql), out)
        refused.append(str(caught.value))

    backup(scope_of(mysql), out, progress=When(again))
    assert refused == [f"--out: another backup is being written to {out}: name another folder"]
    assert sorted(path.name for path in out.iterdir()) == ["dump.sql.zst", NAME]
    with pytest.raises(UsageError, match="holds a backup already"):
        backup(scope_of(mysql), out)
    assert check_backup(out).status == "ok"


def test_no_client_is_told_with_its_package(
    mysql: MySQLDatabase, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(out.parent))
    assert cli(["backup", "-s", mysql.url, "-o", str(out)]) == ExitCode.USAGE
    assert "install the package mariadb-client" in capsys.readouterr().err
    assert cli(["backup", "-s", mysql.url, "-o", str(out), "--client-path", sys.executable]) == ExitCode.USAGE
    assert "is no mariadb-dump, mysqldump or mydumper" in capsys.readouterr().err
    assert not out.exists()


# --- rights and secrets


@pytest.fixture
def user(mysql: MySQLDatabase) -> Iterator[str]:
    """The name of a user who may do nothing yet; the password is SECRET."""
    name = f"u{uuid.uuid4().hex[:12]}"
    mysql.execute(f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY %s", [SECRET])
    yield name
    mysql.execute(f"DROP USER {name}@'127.0.0.1'")


def as_user(mysql: MySQLDatabase, user: str) -> str:
    return replace(parse_source(mysql.url), user=user, password=SECRET).with_password()


def test_the_rights_that_the_documents_name_are_enough(mysql: MySQLDatabase, user: str, out: Path) -> None:
    fill(mysql)
    documented = Path(__file__).parents[2].joinpath("docs", "security.md").read_text()
    wanted = documented.split("`vecferry backup`")[1].split("```sql\n")[1].split("```")[0]
    for grant in wanted.strip().split(";\n"):
        statement = (
            grant.strip(";\n")
            .replace("`athena`", quoted(mysql.database))
            .replace("'vecferry'@'%'", f"{user}@'127.0.0.1'")
        )
        mysql.execute(statement)
    made = backup(scope_of(as_user(mysql, user)), out)
    assert [note for note in made.notes if "binary log" not in note] == []
    text = dump_text(out, made)
    for thing in (b"PROCEDURE `count_all`", b"TRIGGER before_plain", b"EVENT `nightly`", b"VIEW `seen`"):
        assert thing in text
    assert check_backup(out).status == "ok"


def test_rights_that_are_missing_are_told(mysql: MySQLDatabase, user: str, out: Path) -> None:
    fill(mysql)
    database, account = quoted(mysql.database), f"{user}@'127.0.0.1'"
    mysql.execute(f"GRANT SELECT ON {database}.* TO {account}")
    with pytest.raises(SourceError, match="SHOW VIEW command denied.*docs/security.md"):
        backup(scope_of(as_user(mysql, user)), out)
    mysql.execute(f"GRANT SHOW VIEW ON {database}.* TO {account}")
    made = backup(scope_of(as_user(mysql, user)), out)
    missing = [right for right in ("TRIGGER", "EVENT", "SELECT ON mysql.proc") if any(right in n for n in made.notes)]
    assert missing == ["TRIGGER", "EVENT", "SELECT ON mysql.proc"]
    assert {table.name: table.rows for table in made.tables} == counts(mysql)
    mysql.execute("CREATE TABLE isam (id int) ENGINE=MyISAM")
    with pytest.raises(SourceError, match="GRANT RELOAD") as caught:
        backup(scope_of(as_user(mysql, user)), out.with_name("2"), lock=True)
    assert "--exclude" in str(caught.value)


def test_a_client_is_told_the_password_where_nobody_else_looks(
    mysql: MySQLDatabase, user: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it starts: once it runs, a client overwrites such an argument, and nobody would see what was shown before."""
    mysql.execute(f"GRANT ALL ON {quoted(mysql.database)}.* TO {user}@'127.0.0.1'")
    monkeypatch.setenv("VECFERRY_SOURCE_PASSWORD", SECRET)
    monkeypatch.setenv("MYSQL_PWD", SECRET)
    program, seen = out.with_name("mariadb-dump"), out.with_name("seen")
    write_program(program, f'cat /proc/$$/cmdline /proc/$$/environ > {seen}; exec mariadb-dump "$@"')
    backup(scope_of(as_user(mysql, user)), out, client_path=program)
    shown = seen.read_bytes().decode(errors="replace")
    assert "--defaults-file=/dev/fd/" in shown
    assert "PATH=" in shown
    assert not any(piece in shown for piece in ("g8qx", quote(SECRET, safe="")))


def wait(process: subprocess.Popen[str], there: Callable[[], bool]) -> None:
    while not there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_process_shows_the_password_and_a_signal_leaves_nothing(
    mysql: MySQLDatabase, user: str, out: Path, number: signal.Signals
) -> None:
    mysql.execute("CREATE TABLE t (id int)")
    mysql.execute(f"GRANT ALL ON {quoted(mysql.database)}.* TO {user}@'127.0.0.1'")
    url = replace(parse_source(mysql.url), user=user, password=None).with_password()
    environment = {**os.environ, "VECFERRY_SOURCE": url, "VECFERRY_SOURCE_PASSWORD": SECRET, "TMPDIR": str(out.parent)}
    with mysql.connect(autocommit=False).cursor() as cursor:
        cursor.execute("LOCK TABLES t WRITE")
        process = subprocess.Popen(
            [sys.executable, "-m", "vecferry", "backup", "--out", str(out), "--json"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        waiting = f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{user}' AND state LIKE 'Waiting%'"
        wait(process, lambda: mysql.rows(waiting) == [(1,)])
        children = psutil.Process(process.pid).children(recursive=True)
        assert [child.name() for child in children] == ["mariadb-dump"]
        pieces = ("g8qx", quote(SECRET, safe=""))
        for one in psutil.process_iter():
            for kind in ("cmdline", "environ"):
                if one.pid == process.pid and kind == "environ":
                    continue  # it was told so
                try:
                    shown = Path(f"/proc/{one.pid}/{kind}").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                assert not any(piece in shown for piece in pieces), (one, kind)
        on_disk = [path for path in out.parent.rglob("*") if path.is_file()]
        assert all(b"g8qx" not in path.read_bytes() for path in on_disk)
        process.send_signal(number)
        said, words = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "interrupted: nothing of the backup was kept" in words
    assert json.loads(said)["exit_code"] == ExitCode.INTERRUPTED
    assert not out.exists()
    assert not any(child.is_running() for child in children)


# --- --check


def test_check_finds_what_is_wrong(mysql: MySQLDatabase, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(mysql)
    backup(scope_of(mysql), out, compression="none")
    dump, manifest = out / "dump.sql", out / NAME
    good, good_manifest = dump.read_bytes(), manifest.read_text()

    def problems() -> list[str]:
        assert cli(["backup", "--check", str(out), "--json", "--quiet"]) == ExitCode.DIFFERENCES
        found = json.loads(capsys.readouterr().out)
        assert found["status"] == "damaged"
        listed: list[str] = found["problems"]
        dump.write_bytes(good)
        manifest.write_text(good_manifest)
        return listed

    dump.write_bytes(good.replace(b"1.500000", b"1.600000", 1))
    assert problems() == ["dump.sql is not the file that was written: its SHA-256 is another"]
    dump.write_bytes(good[:-20])
    found = problems()
    assert any("has no closing line" in problem for problem in found)
    assert any("bytes, and manifest.json says" in problem for problem in found)
    dump.unlink()
    assert problems()[0] == "dump.sql is missing"
    manifest.write_text(good_manifest.replace('"rows": 11', '"rows": 12', 1))
    [problem] = problems()
    assert "has 11 rows, and manifest.json says 12" in problem
    manifest.write_text(good_manifest.replace('"dump.sql"', '"../backup/dump.sql"'))
    assert "outside of the backup" in problems()[0]
    manifest.write_text(good_manifest.replace('"format": 1', '"format": 2'))
    assert "use a newer one" in problems()[0]
    manifest.write_text("{}")
    assert "is no manifest" in problems()[0]
    manifest.unlink()
    assert problems() == ["manifest.json is missing: this is no backup, or one that was not finished"]
    assert cli(["backup", "--check", str(out)]) == ExitCode.DONE
    assert cli(["backup", "--check", str(out / "none")]) == ExitCode.USAGE


def test_a_compressed_file_that_is_cut_or_changed(mysql: MySQLDatabase, out: Path) -> None:
    fill_big(mysql, rows=12)
    for compression in ("zstd", "gzip"):
        folder = out.with_name(compression)
        made = backup(scope_of(mysql), folder, compression=compression)
        [file] = made.files
        path = folder / file.name
        good = path.read_bytes()
        for bad in (good[: len(good) // 2], good[: len(good) // 3] + b"\0" * 8 + good[len(good) // 3 + 8 :], b""):
            path.write_bytes(bad)
            assert check_backup(folder).status == "damaged"
        path.write_bytes(good)
        assert check_backup(folder).status == "ok"


# --- before a migration


def test_a_migration_backs_up_first_and_stops_where_that_fails(
    mysql: MySQLDatabase, postgres: PostgresDatabase, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO t VALUES (1), (2)")
    mysql.execute("CREATE TABLE isam (id int PRIMARY KEY) ENGINE=MyISAM")
    arguments = ["migrate", "-s", mysql.url, "-t", postgres.url, "--backup", str(out)]
    assert cli(arguments) == ExitCode.FORBIDDEN
    assert "isam (MyISAM)" in capsys.readouterr().err
    assert postgres.rows("SELECT to_regclass('t')") == [(None,)]
    assert cli([*arguments, "--consistency", "lock"]) == ExitCode.DONE
    assert check_backup(out).tables[1].rows == 2
    capsys.readouterr()
    assert cli([*arguments, "--consistency", "lock"]) == ExitCode.DONE
    assert "which is kept: none is made" in capsys.readouterr().err
    assert cli([*arguments, "--consistency", "lock", "--exclude", "isam"]) == ExitCode.USAGE
    assert "which is not today's of this source and these tables" in capsys.readouterr().err
    manifest = json.loads((out / NAME).read_text())
    (out / NAME).write_text(json.dumps({**manifest, "finished": "2020-01-01T00:00:00.000Z"}))
    assert cli([*arguments, "--consistency", "lock"]) == ExitCode.USAGE
    shutil.rmtree(out)
    out.mkdir()
    (out / "mine").touch()
    assert cli([*arguments, "--consistency", "lock"]) == ExitCode.USAGE


# --- mydumper


def test_mydumper_when_asked(mysql: MySQLDatabase, out: Path) -> None:
    fill(mysql)
    with pytest.raises(UsageError, match="mydumper does not quote the name"):
        backup(scope_of(mysql), out, client="mydumper")
    mysql.execute("DROP TABLE `-- odd``name, \"'(;`")
    made = backup(scope_of(mysql, exclude=("child",)), out, client="mydumper")
    assert made.client.maker == "mydumper"
    expected = Counter(counts(mysql))
    del expected["child"]
    assert {table.name: table.rows for table in made.tables} == expected
    assert {file.compression for file in made.files} == {"gzip", "none"}
    assert check_backup(out).status == "ok"
    locked = backup(scope_of(mysql), out.with_name("locked"), client="mydumper", lock=True, compression="none")
    assert locked.rows == made.rows + expected["plain"]  # those of child
    (out / made.files[0].name).unlink()
    assert check_backup(out).problems == (f"{made.files[0].name} is missing",)
    with pytest.raises(UsageError, match="mydumper writes and compresses its own files"):
        backup(scope_of(mysql), out.with_name("2"), client="mydumper", compression="zstd")
