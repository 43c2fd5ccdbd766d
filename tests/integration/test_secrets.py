"""No password is ever seen: every output of runs that fail is searched for it, in every spelling and piece."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import psutil
import pytest
from psycopg import sql

from vecferry.cli import run as cli
from vecferry.config import parse_source, parse_target
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase

SECRETS = tuple(
    f"{a}qx1wz'{b}v2jq\"zt3xk%41yq4vj@w{a}5zx:j{b}6qk/xz7wq vk8zj  qz9xv\\ép0kwü#{a}v1qz?zq2kx=&[xk3vj]{{😀}}vz4qw"
    for a, b in ("kg", "hy")
)
"""The source's and the target's: all that is special in URLs, shells, JSON and SQL, and beyond ASCII."""
PIECES = {piece for secret in SECRETS for piece in re.findall(r"[a-z0-9]{5,}", secret)}
TELLING = {piece for secret in SECRETS for piece in re.findall(r"[^ -~]", secret)}
SPELLINGS = {
    spelling
    for secret in SECRETS
    for spelling in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret, safe="").lower())
}
PASSWORD_FILES = {"vecferry.toml", ".pgpass", "passwords"}
ROWS = 120


def search(what: str, text: str) -> None:
    """Fails where `text` holds a password or a piece of one."""
    found = sorted(part for part in SPELLINGS | PIECES | TELLING if part in text)
    assert not found, f"{what} holds {found}: {text}"


@dataclass
class Ends:
    """Two databases, each with a user whose password is one of SECRETS."""

    mysql: MySQLDatabase
    postgres: PostgresDatabase
    folder: Path
    capture: pytest.CaptureFixture[str]
    user: str = field(default_factory=lambda: f"u{uuid.uuid4().hex[:12]}")

    def urls(self, source: Mapping[str, Any], target: Mapping[str, Any], *, passwords: bool) -> tuple[str, str]:
        """The URLs, with some parts replaced: user, host, port, tail."""
        made = []
        for url, changes, secret in (
            (parse_source(self.mysql.url), source, SECRETS[0]),
            (parse_target(self.postgres.url), target, SECRETS[1]),
        ):
            parts = {"user": self.user, "host": url.host, "port": url.port, "tail": "", **changes}
            login = parts["user"] + (f":{quote(secret, safe='')}" if passwords else "")
            made.append(f"{url.scheme}://{login}@{parts['host']}:{parts['port']}/{url.database}{parts['tail']}")
        return made[0], made[1]

    def call(
        self,
        given: str,
        command: str,
        options: Sequence[str] = (),
        source: Mapping[str, Any] | None = None,
        target: Mapping[str, Any] | None = None,
    ) -> tuple[list[str], dict[str, str]]:
        """The arguments and variables of a call; `given` says where the passwords stand: url, variable, file, none."""
        urls = self.urls(source or {}, target or {}, passwords=given in {"url", "file"})
        arguments = [command, *options, "--debug", "--json", "--workers", "1"]
        if command == "migrate":
            arguments += ["--chunk-bytes", "4096", "--retries", "0", "--report", str(self.folder / "report")]
        variables = {"HOME": str(self.folder)}
        if given == "variable":
            variables |= dict(zip(("VECFERRY_SOURCE_PASSWORD", "VECFERRY_TARGET_PASSWORD"), SECRETS, strict=True))
        if given == "file":
            file = self.folder / "vecferry.toml"
            file.touch(mode=0o600)
            file.write_text("".join(f'{end} = "{url}"\n' for end, url in zip(("source", "target"), urls, strict=True)))
            return [*arguments, "--config", str(file)], variables
        return [*arguments, "--source", urls[0], "--target", urls[1]], variables

    def start(self, given: str, *options: str) -> subprocess.Popen[str]:
        """Starts `vecferry migrate` as a user does."""
        arguments, variables = self.call(given, "migrate", options)
        return subprocess.Popen(
            [sys.executable, "-m", "vecferry", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=self.folder, env={**os.environ, **variables},
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str], code: int) -> str:
        """Waits for the end, searches all that the call leaves, and returns its sentence."""
        out, err = process.communicate(timeout=120)
        return self.left(process.returncode, code, out, err)

    def run(self, given: str, code: int, *options: str, command: str = "migrate", **ends: Mapping[str, Any]) -> str:
        """Does what `start` and `end` do in this process, which is quicker; what libraries print is caught, too."""
        arguments, variables = self.call(given, command, options, **ends)
        with pytest.MonkeyPatch.context() as environment:
            for name, value in variables.items():
                environment.setenv(name, value)
            found = cli(arguments)
        shown = self.capture.readouterr()
        return self.left(found, code, shown.out, shown.err)

    def left(self, found: int, code: int, out: str, err: str) -> str:
        search("stdout", out)
        search("stderr", err)
        for file in self.folder.rglob("*"):
            if file.is_file() and file.name not in PASSWORD_FILES:
                search(str(file), file.read_text())
                assert file.stat().st_mode & 0o077 == 0
        for row in self.everything_written():
            search("the target", row)
        assert found == code, err
        if code == ExitCode.DONE:
            return ""
        error = json.loads(out)
        assert error["exit_code"] == code
        assert err.endswith(f"error: {error['error']}\n")
        return str(error["error"])

    def everything_written(self) -> Iterator[str]:
        """Every row of every table in the target, the ledger's among them, as text."""
        query = (
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('vecferry', 'public')"
        )
        for (table,) in self.postgres.rows(query):
            for (row,) in self.postgres.rows(f"SELECT t::text FROM {table} t"):
                yield row


@pytest.fixture
def ends(
    mysql: MySQLDatabase,
    postgres: PostgresDatabase,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Ends]:
    for name in [name for name in os.environ if re.match("VECFERRY_(?!TEST_)|PG|MYSQL_", name)]:
        monkeypatch.delenv(name)
    made = Ends(mysql, postgres, tmp_path, capfd)
    account, admin = f"'{made.user}'@'127.0.0.1'", postgres.connect()
    mysql.execute("SET NAMES utf8mb4")
    mysql.execute(f"CREATE USER {account} IDENTIFIED BY %s", [SECRETS[0]])
    role = sql.Identifier(made.user)
    admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(SECRETS[1])))
    try:
        mysql.execute(f"GRANT SELECT ON `{mysql.database}`.* TO {account}")
        mysql.execute("CREATE TABLE first (id int PRIMARY KEY, v longtext NOT NULL)")
        mysql.execute("CREATE TABLE second (id int PRIMARY KEY, day date)")
        for number in range(ROWS):
            text = json.dumps([number + place / 16 for place in range(32)])
            mysql.execute("INSERT INTO first VALUES (%s, %s)", [number, text])
        mysql.execute("INSERT INTO second VALUES (1, '2024-02-29')")
        postgres.execute("CREATE EXTENSION vector")
        admin.execute(
            sql.SQL("GRANT CREATE ON DATABASE {0} TO {1}; GRANT CREATE ON SCHEMA public TO {1}").format(
                sql.Identifier(postgres.database), role
            )
        )
        yield made
    finally:
        admin.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(role))
        mysql.execute(f"DROP USER {account}")


@pytest.fixture(scope="module")
def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("given", ["url", "file"])
def test_such_passwords_work_and_leave_no_trace(ends: Ends, given: str) -> None:
    (ends.folder / "report").mkdir()
    report = ends.folder / "report" / "report.json"
    report.touch(mode=0o644)
    ends.end(ends.start(given), ExitCode.DONE)
    assert ends.postgres.rows("SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM second)") == [(ROWS, 1)]
    assert json.loads(report.read_text())["status"] == "ok"
    assert report.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("given", "end", "changes", "code", "words"),
    [
        ("url", "source", {"user": "nobody"}, ExitCode.SOURCE, "check the user and the password"),
        ("variable", "target", {"user": "nobody"}, ExitCode.TARGET, "check the user and the password"),
        ("file", "source", {"host": "no-such-host.invalid"}, ExitCode.SOURCE, "check the host's name"),
        ("url", "target", {"host": "no-such-host.invalid"}, ExitCode.TARGET, "check the host name"),
        ("variable", "source", {"port": None}, ExitCode.SOURCE, "refused"),
        ("file", "target", {"port": None}, ExitCode.TARGET, "refused"),
        ("url", "source", {"tail": "?nope=1"}, ExitCode.USAGE, "unknown parameter 'nope'"),
        ("file", "target", {"tail": "?nope=1"}, ExitCode.TARGET, "nope"),
        ("url", "target", {"tail": "?sslmode=maybe"}, ExitCode.TARGET, "maybe"),
        ("url", "source", {"tail": "#x"}, ExitCode.USAGE, "holds a '#'"),
        ("file", "target", {"port": "port"}, ExitCode.USAGE, "the target URL cannot be read"),
    ],
)
def test_ends_that_refuse(
    ends: Ends, closed_port: int, given: str, end: str, changes: dict[str, Any], code: int, words: str
) -> None:
    changes = {name: closed_port if value is None else value for name, value in changes.items()}
    command = "plan" if given == "file" else "migrate"
    assert words in ends.run(given, code, command=command, **{end: changes})


@pytest.mark.parametrize("given", ["url", "variable"])
def test_a_run_that_is_looked_at_and_loses_its_servers(ends: Ends, given: str) -> None:
    process = ends.start(given)
    with ends.postgres.connect(autocommit=False) as lock:
        wait(process, lambda: ends.postgres.rows("SELECT to_regclass('vecferry.chunk') IS NOT NULL") == [(True,)])
        lock.execute("LOCK TABLE vecferry.chunk IN ACCESS EXCLUSIVE MODE")
        waiting = "SELECT DISTINCT 1 FROM pg_locks WHERE NOT granted AND relation = 'vecferry.chunk'::regclass"
        wait(process, lambda: ends.postgres.rows(waiting) == [(1,)])
        search_process(psutil.Process(process.pid))
        if given == "variable":
            killed = lock.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'vecferry' AND datname = current_database()"
            ).fetchone()
            assert killed is not None
            assert killed[0] > 0
            code, words = ExitCode.TARGET, "terminating connection"
        else:
            account = f"'{ends.user}'@'127.0.0.1'"
            ends.mysql.execute(f"REVOKE SELECT ON `{ends.mysql.database}`.* FROM {account}")
            ends.mysql.execute(f"KILL USER '{ends.user}'")
            code, words = ExitCode.SOURCE, "denied"
    assert words in ends.end(process, code)


def wait(process: subprocess.Popen[str], there: Callable[[], bool]) -> None:
    """Waits until something is there, as long as the run lasts."""
    while not there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def search_process(process: psutil.Process) -> None:
    """Searches what the list of processes shows of a run, and looks for children that could have inherited more."""
    search("the command line", "\n".join(process.cmdline()))
    search("the process's name", process.name())
    for thread in process.threads():
        with open(f"/proc/{process.pid}/task/{thread.id}/comm") as file:  # noqa: PTH123 - it may be gone by now
            search("a thread's name", file.read())
    assert process.children(recursive=True) == []


def test_a_value_that_is_no_embedding_and_then_a_panic_of_the_reader(ends: Ends) -> None:
    ends.mysql.execute("UPDATE first SET v = 'no embedding' WHERE id = %s", [ROWS - 1])
    said = ends.run("variable", ExitCode.FORBIDDEN, "--embedding", "first.v:32")
    assert f"id = {ROWS - 1}" in said
    # The run goes on by its plan, which knows nothing of this date.
    ends.mysql.execute("UPDATE first SET v = (SELECT v FROM (SELECT v FROM first WHERE id = 0) AS x) WHERE id > 0")
    ends.mysql.execute("SET sql_mode = ''")
    ends.mysql.execute("UPDATE second SET day = '0000-00-00'")
    said = ends.end(ends.start("url", "--embedding", "first.v:32"), ExitCode.SOURCE)
    assert "holds a value that the reader cannot represent" in said


def test_rows_that_adbc_may_not_write(ends: Ends) -> None:
    ends.postgres.execute("CREATE TABLE second (id int PRIMARY KEY, day date CHECK (day < '2000-01-01'))")
    ends.postgres.execute(f"ALTER TABLE second OWNER TO {ends.user}")
    assert "violates check constraint" in ends.run("file", ExitCode.FORBIDDEN)


def test_a_target_that_may_not_be_written(ends: Ends) -> None:
    ends.postgres.execute(f"REVOKE CREATE ON SCHEMA public FROM {ends.user}")
    assert "CREATE" in ends.run("url", ExitCode.TARGET)


@pytest.mark.parametrize("character", "@:/?#[]% '\"\\&=;é😀")
@pytest.mark.parametrize("end", ["source", "target"])
def test_a_url_with_a_password_that_is_not_encoded(
    ends_of_nowhere: tuple[str, str], end: str, character: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces = ("kqx5wz", "gjv6qk", "zwq7vx")
    half = f"{pieces[0]}@{pieces[1]}{character}{pieces[2]}"
    for password in (character.join(pieces), half, f"{character}{pieces[0]}{character}", f"1{character}{pieces[1]}"):
        source, target = ends_of_nowhere
        if end == "source":
            source = source.replace("//app@", f"//app:{password}@")
        else:
            target = target.replace("//app@", f"//app:{password}@")
        calls = [["plan", "-s", source, "-t", target, "--json", "--debug"]]
        if password == half:
            calls.append(["plan", source, target])
        for arguments in calls:
            assert cli(arguments) in {ExitCode.USAGE, ExitCode.SOURCE}
            shown = capsys.readouterr()
            for piece in pieces:
                assert piece not in shown.out + shown.err


@pytest.fixture(scope="module")
def ends_of_nowhere(closed_port: int) -> tuple[str, str]:
    return f"mysql://app@127.0.0.1:{closed_port}/shop", f"postgresql://app@127.0.0.1:{closed_port}/shop"


@pytest.mark.parametrize(("place", "mode"), [("home", 0o600), ("variable", 0o600), ("home", 0o644)])
def test_the_targets_password_may_be_in_libpqs_file(
    ends: Ends, place: str, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ends.folder / (".pgpass" if place == "home" else "passwords")
    if place == "variable":
        monkeypatch.setenv("PGPASSFILE", str(file))
    monkeypatch.setenv("VECFERRY_SOURCE_PASSWORD", SECRETS[0])
    escaped = SECRETS[1].replace("\\", "\\\\").replace(":", "\\:")
    file.touch()
    file.chmod(mode)
    file.write_text(f"127.0.0.1:*:*:{ends.user}:{escaped}\n")
    if mode == 0o600:
        ends.run("none", ExitCode.DONE)
        # By psycopg and by ADBC.
        assert ends.postgres.rows("SELECT count(*) FROM first") == [(ROWS,)]
    else:
        assert "no password supplied: check the user and the password" in ends.run("none", ExitCode.TARGET)


def test_a_file_with_a_password_that_others_may_read_is_refused(ends: Ends) -> None:
    file = ends.folder / "vecferry.toml"
    file.touch()
    file.chmod(0o644)
    said = ends.run("file", ExitCode.USAGE)
    assert said == f"the configuration file {file} holds a password and is open to others: chmod 600 {file}"
