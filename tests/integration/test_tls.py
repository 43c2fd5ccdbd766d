"""TLS to both ends, with real certificates: who is let in, who is refused, and that every connection is encrypted."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import psycopg
import pytest

from tests.conftest import MARIADB_SETTINGS, POSTGRES_SETTINGS
from tests.servers.certificates import Authority, Certificate
from tests.servers.postgis import PostGIS
from vecferry import backup, load_config, make_plan
from vecferry.backups.client import find_client
from vecferry.backups.command import Scope, dump_arguments, option_file
from vecferry.backups.process import running
from vecferry.cli import run as cli
from vecferry.config import SourceScope, parse_source, parse_target
from vecferry.demo.pginstall import server_user
from vecferry.demo.servers import MariaDB, Postgres, start_all, stop_all
from vecferry.errors import ExitCode, SourceError, UsageError
from vecferry.source.read import read_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vecferry.config import DatabaseURL


PASSWORD = "s3cr3t"
ROWS = 500
VERIFY_SOURCE = " ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE in its URL does"
VERIFY_TARGET = " ?sslmode=verify-full&sslrootcert=FILE in its URL does"
HBA = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
"""PostgreSQL lets nobody in without TLS."""


@dataclass(frozen=True)
class Ends:
    """A source and a target with TLS; both show the certificate in `shown`."""

    directory: Path
    mariadb: MariaDB
    postgres: PostGIS
    right: Authority
    wrong: Authority
    ours: Certificate
    """For localhost and 127.0.0.1."""
    strangers: Certificate
    """For another host, by the same authority."""

    def source(self, host: str = "127.0.0.1", user: str = "encrypted", **options: str) -> str:
        tail = urlencode({name.replace("_", "-"): value for name, value in options.items()})
        return f"mysql://{user}:{PASSWORD}@{host}:{self.mariadb.port}/athena?{tail}".rstrip("?")

    def target(self, host: str = "127.0.0.1", **options: str) -> str:
        url = replace(parse_target(self.postgres.url), host=host, options=tuple(options.items()))
        return url.with_password()

    @contextmanager
    def strangers_certificate(self) -> Iterator[None]:
        self.show(self.strangers)
        try:
            yield
        finally:
            self.show(self.ours)

    def show(self, certificate: Certificate) -> None:
        """Lets both servers show `certificate` to whoever connects from now on."""
        for folder in ("mariadb", "postgres"):
            shutil.copyfile(certificate.certificate, self.directory / folder / "server.crt")
            shutil.copyfile(certificate.key, self.directory / folder / "server.key")
        with self.mariadb.connect() as source, source.cursor() as cursor:
            cursor.execute("FLUSH SSL")
        with self.postgres.connect() as connection:
            before = connection.execute("SELECT pg_conf_load_time(), pg_reload_conf()").fetchone()
        assert before is not None
        while True:
            with self.postgres.connect() as connection:
                if connection.execute("SELECT pg_conf_load_time() > %s", before[:1]).fetchone() == (True,):
                    return


@pytest.fixture(scope="module")
def ends() -> Iterator[Ends]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        right, wrong = Authority(directory, "right"), Authority(directory, "wrong")
        ours, strangers = right.sign("localhost", "127.0.0.1"), right.sign("db.example")
        (directory / "hba").write_text(HBA)
        for folder in ("mariadb", "postgres"):
            (directory / folder).mkdir()
            shutil.copyfile(ours.certificate, directory / folder / "server.crt")
            shutil.copyfile(ours.key, directory / folder / "server.key")
            (directory / folder / "server.key").chmod(0o600)
        if (user := server_user()) is not None:
            user.give(directory / "postgres" / "server.key")
        mariadb = MariaDB(
            settings={
                **MARIADB_SETTINGS,
                "ssl-cert": str(directory / "mariadb" / "server.crt"),
                "ssl-key": str(directory / "mariadb" / "server.key"),
                "general-log": "1",
                "general-log-file": str(directory / "mariadb" / "log"),
            }
        )
        postgres = PostGIS(
            settings={
                **POSTGRES_SETTINGS,
                "ssl": "on",
                "ssl_cert_file": str(directory / "postgres" / "server.crt"),
                "ssl_key_file": str(directory / "postgres" / "server.key"),
                "hba_file": str(directory / "hba"),
                "log_connections": "on",
            }
        )
        try:
            start_all([mariadb, postgres])
            fill(mariadb)
            yield Ends(directory, mariadb, postgres, right, wrong, ours, strangers)
        finally:
            stop_all([mariadb, postgres])


def fill(mariadb: MariaDB) -> None:
    """Makes a table for each driver, a user who is let in over TLS only, and one who may choose."""
    statements = [
        f"CREATE USER encrypted@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL",
        f"CREATE USER either@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        *(f"GRANT SELECT ON athena.* TO {user}@'127.0.0.1'" for user in ("encrypted", "either")),
        "CREATE TABLE keyed (id int PRIMARY KEY, text varchar(100))",
        "CREATE TABLE keyless (number int, text varchar(100))",
        f"INSERT INTO keyed SELECT seq, REPEAT('x', seq % 100) FROM seq_1_to_{ROWS}",
        "INSERT INTO keyless SELECT * FROM keyed",
    ]
    with mariadb.connect("athena") as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def migrate(ends: Ends, source: str, target: str, *options: str) -> int:
    """Migrates from the beginning, in chunks of some 100 rows."""
    with psycopg.connect(ends.postgres.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS vecferry CASCADE; DROP TABLE IF EXISTS keyed, keyless")
    return cli(["migrate", "-s", source, "-t", target, "-q", "--chunk-bytes", "4096", *options])


def connections(log: Path, line: str, start: int) -> list[str]:
    """The lines on logins that a server has logged since `start`, a size in bytes."""
    return re.findall(line, log.read_bytes()[start:].decode(errors="replace"), re.MULTILINE)


@pytest.mark.parametrize(
    ("host", "user", "source", "target", "options"),
    [
        ("127.0.0.1", "encrypted", ("VERIFY_IDENTITY", True), ("verify-full", True), ()),
        ("localhost", "encrypted", ("VERIFY_IDENTITY", True), ("verify-full", True), ("--require-tls",)),
        ("127.0.0.1", "encrypted", ("VERIFY_CA", True), ("verify-ca", True), ()),
        ("127.0.0.1", "either", ("REQUIRED", False), ("require", False), ()),
        ("127.0.0.1", "either", (None, False), (None, False), ("--require-tls",)),
        ("127.0.0.1", "either", (None, False), (None, False), ()),
    ],
)
def test_every_connection_is_encrypted(
    ends: Ends,
    capsys: pytest.CaptureFixture[str],
    host: str,
    user: str,
    source: tuple[str | None, bool],
    target: tuple[str | None, bool],
    options: tuple[str, ...],
) -> None:
    ca = str(ends.right.file)
    source_options = {"ssl_mode": source[0], "ssl_ca": ca if source[1] else None}
    target_options = {"sslmode": target[0], "sslrootcert": ca if target[1] else None}
    general = ends.directory / "mariadb" / "log"
    starts = general.stat().st_size, ends.postgres.log.stat().st_size
    code = migrate(
        ends,
        ends.source(host, user, **{name: value for name, value in source_options.items() if value}),
        ends.target(host, **{name: value for name, value in target_options.items() if value}),
        *options,
    )
    assert code == ExitCode.DONE, capsys.readouterr().err
    with psycopg.connect(ends.postgres.url) as connection:
        for table in ("keyed", "keyless"):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (ROWS,)
    logins = connections(general, rf"Connect\s+{user}@.* using (\S+)$", starts[0])
    # PyMySQL's several, and one of connectorx's a chunk.
    assert len(logins) > 10
    assert set(logins) == {"SSL/TLS"}
    logins = connections(ends.postgres.log, r"connection authorized: .* application_name=vecferry(.*)$", starts[1])
    # psycopg's, the one in which ADBC learns the types, and a worker's at least.
    assert len(logins) >= 3
    assert all("SSL enabled (protocol=TLSv1.3" in login for login in logins)


def test_the_servers_do_refuse_plain_connections(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate(ends, ends.source(ssl_mode="DISABLED"), ends.target()) == ExitCode.SOURCE
    assert "check the user and the password, and whether the user may log in without TLS" in sentence(capsys)
    assert migrate(ends, ends.source(), ends.target(sslmode="disable")) == ExitCode.TARGET
    assert "no pg_hba.conf entry" in sentence(capsys)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence that a failed call says, and nothing else."""
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", shown.err)
    assert PASSWORD not in shown.err
    return shown.err


@pytest.mark.parametrize("command", ["plan", "migrate"])
@pytest.mark.parametrize("mode", ["VERIFY_CA", "VERIFY_IDENTITY"])
def test_a_source_of_another_authority_is_refused(
    ends: Ends, capsys: pytest.CaptureFixture[str], command: str, mode: str
) -> None:
    source = ends.source(ssl_mode=mode, ssl_ca=str(ends.wrong.file))
    assert cli([command, "-s", source, "-t", ends.target(), "-q"]) == ExitCode.SOURCE
    said = sentence(capsys)
    assert "certificate verify failed" in said
    assert said.endswith("the encrypted connection failed: check ssl-mode and ssl-ca in the source URL\n")


@pytest.mark.parametrize("command", ["plan", "migrate"])
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_target_of_another_authority_is_refused(
    ends: Ends, capsys: pytest.CaptureFixture[str], command: str, mode: str
) -> None:
    target = ends.target(sslmode=mode, sslrootcert=str(ends.wrong.file))
    assert cli([command, "-s", ends.source(), "-t", target, "-q"]) == ExitCode.TARGET
    said = sentence(capsys)
    assert "certificate verify failed" in said
    assert said.endswith(": the encrypted connection failed: check sslmode and sslrootcert in the target URL\n")


def test_an_authority_that_is_no_file_is_told(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    source = ends.source(ssl_mode="VERIFY_CA", ssl_ca="/no/such.pem")
    assert migrate(ends, source, ends.target()) == ExitCode.SOURCE
    assert "the file of ssl-ca does not exist" in sentence(capsys)
    target = ends.target(sslmode="verify-ca", sslrootcert="/no/such.pem")
    assert migrate(ends, ends.source(), target) == ExitCode.TARGET
    assert 'root certificate file "/no/such.pem" does not exist' in sentence(capsys)


def test_another_hosts_certificate_is_refused_where_the_name_matters(
    ends: Ends, capsys: pytest.CaptureFixture[str]
) -> None:
    ca = str(ends.right.file)
    with ends.strangers_certificate():
        for host in ("127.0.0.1", "localhost"):
            source = ends.source(host, ssl_mode="VERIFY_IDENTITY", ssl_ca=ca)
            assert migrate(ends, source, ends.target()) == ExitCode.SOURCE
            assert "certificate verify failed" in sentence(capsys)
            target = ends.target(host, sslmode="verify-full", sslrootcert=ca)
            assert migrate(ends, ends.source(), target) == ExitCode.TARGET
            said = sentence(capsys)
            assert "db.example" in said
            assert "sslmode and sslrootcert" in said
        source, target = ends.source(ssl_mode="VERIFY_CA", ssl_ca=ca), ends.target(sslmode="verify-ca", sslrootcert=ca)
        assert migrate(ends, source, target, "--require-tls") == ExitCode.DONE


@pytest.mark.parametrize(("option", "flags"), [("?ssl-mode=REQUIRED", []), ("", ["--require-tls"])])
@pytest.mark.parametrize("command", ["plan", "migrate"])
def test_a_source_without_tls_is_refused(
    ends: Ends,
    private_mariadb: Callable[..., MariaDB],
    capsys: pytest.CaptureFixture[str],
    command: str,
    option: str,
    flags: list[str],
) -> None:
    server = private_mariadb()
    assert cli([command, "-s", server.url + option, "-t", ends.target(), "-q", *flags]) == ExitCode.SOURCE
    said = sentence(capsys)
    assert "SSL" in said
    assert said.endswith("the server has no TLS: set up a certificate there, or leave --require-tls and ssl-mode out\n")


@pytest.mark.parametrize(("option", "flags"), [("?sslmode=require", []), ("", ["--require-tls"])])
@pytest.mark.parametrize("command", ["plan", "migrate"])
def test_a_target_without_tls_is_refused(
    ends: Ends,
    private_postgres: Callable[..., Postgres],
    capsys: pytest.CaptureFixture[str],
    command: str,
    option: str,
    flags: list[str],
) -> None:
    server = private_postgres()
    assert cli([command, "-s", ends.source(), "-t", server.url + option, "-q", *flags]) == ExitCode.TARGET
    said = sentence(capsys)
    assert "server does not support SSL, but SSL was required" in said
    assert said.endswith(
        ": the server has no TLS: set up a certificate there, or leave --require-tls and sslmode out\n"
    )


def test_a_url_that_forbids_tls_is_a_usage_error(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate(ends, ends.source(ssl_mode="DISABLED"), ends.target(), "--require-tls") == ExitCode.USAGE
    assert "ssl-mode=DISABLED" in sentence(capsys)
    assert migrate(ends, ends.source(), ends.target(sslmode="disable"), "--require-tls") == ExitCode.USAGE
    assert "sslmode=disable" in sentence(capsys)


def test_tls_that_goes_away_is_not_done_without(private_mariadb: Callable[..., MariaDB], ends: Ends) -> None:
    files = {"ssl-cert": str(ends.ours.certificate), "ssl-key": str(ends.ours.key)}
    server = private_mariadb(settings=files)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE athena.keyed AS SELECT 1 AS id")
        cursor.execute("ALTER TABLE athena.keyed ADD PRIMARY KEY (id)")
    config = load_config(source=server.url, target=ends.target(), require_tls=True, estimate=False)
    table = make_plan(config).table("keyed")
    batches = read_chunk(config.source_url, table, table.chunks[0], batch_bytes=1 << 20)
    assert sum(batch.num_rows for batch in batches) == 1
    server.settings["skip-ssl"] = "1"
    server.restart()
    with pytest.raises(SourceError, match="the server has no TLS"):
        list(read_chunk(config.source_url, table, table.chunks[0], batch_bytes=1 << 20))
    assert parse_source(server.url).option("ssl-mode") is None


def test_what_others_on_the_way_could_read_is_told(ends: Ends) -> None:
    # 127.1 is this machine, too, but not by a name that everybody knows.
    def notes(source: dict[str, str], target: dict[str, str], host: str = "127.1") -> list[str]:
        config = load_config(
            source=ends.source(host, "either", **source), target=ends.target(host, **target), estimate=False
        )
        return [note for note in make_plan(config).notes if "TLS" in note]

    source, target = f"127.1:{ends.mariadb.port}/athena", f"127.1:{ends.postgres.port}/athena"
    ca = str(ends.right.file)
    assert notes({}, {}) == [
        f"the source {source} is reached over TLS, but nobody has verified that it is the right server:{VERIFY_SOURCE}",
        f"the target {target} is reached over TLS, but nobody has verified that it is the right server:{VERIFY_TARGET}",
    ]
    (said,) = notes({"ssl_mode": "DISABLED"}, {"sslmode": "verify-ca", "sslrootcert": ca})
    assert said.startswith(f"the source {source} is reached without TLS: its rows cross the network in the clear: ")
    assert notes({"ssl_mode": "VERIFY_CA", "ssl_ca": ca}, {"sslmode": "verify-ca", "sslrootcert": ca}) == []
    assert notes({"ssl_mode": "DISABLED"}, {}, "127.0.0.1") == []


@pytest.mark.parametrize(
    ("client", "host", "mode"),
    [
        ("mariadb-dump", "localhost", "VERIFY_IDENTITY"),
        ("mariadb-dump", "127.0.0.1", "VERIFY_CA"),
        ("mariadb-dump", "127.0.0.1", "REQUIRED"),
        ("mariadb-dump", "127.0.0.1", None),
        ("mydumper", "127.0.0.1", "REQUIRED"),
    ],
)
def test_a_backups_client_is_encrypted_and_verifies_as_the_url_says(
    ends: Ends, tmp_path: Path, client: Literal["mariadb-dump", "mydumper"], host: str, mode: str | None
) -> None:
    with ends.mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("GRANT TRIGGER, EVENT ON athena.* TO encrypted@'127.0.0.1'")
        cursor.execute("GRANT RELOAD ON *.* TO encrypted@'127.0.0.1'")
    general = ends.directory / "mariadb" / "log"
    start = general.stat().st_size
    verifies = mode is not None and mode.startswith("VERIFY")

    def url(authority: Authority) -> DatabaseURL:
        options = {"ssl_mode": mode, "ssl_ca": str(authority.file) if verifies else None}
        return parse_source(ends.source(host, **{name: value for name, value in options.items() if value}))

    made = backup(SourceScope(url(ends.right)), tmp_path / "made", client=client)
    assert made.rows == 2 * ROWS
    logins = connections(general, r"Connect\s+encrypted@.* using (\S+)$", start)
    assert len(logins) >= (2 if client == "mariadb-dump" else 5)
    assert set(logins) == {"SSL/TLS"}
    # Our own connection refuses such servers before; here the client is asked alone.
    program = find_client(mariadb=True, wanted=client)
    for authority, certificate in ((ends.wrong, ends.ours), (ends.right, ends.strangers)) if verifies else ():
        ends.show(certificate)
        login = option_file(url(authority), program, encrypted=True)
        with (
            running(program, url(authority), login, dump_arguments(program, Scope("athena")), read=False) as process,
            pytest.raises(SourceError, match="TLS/SSL error"),
        ):
            process.finish()
    ends.show(ends.ours)


def test_mydumper_is_not_trusted_to_verify(ends: Ends, tmp_path: Path) -> None:
    url = parse_source(ends.source(ssl_mode="VERIFY_CA", ssl_ca=str(ends.right.file)))
    with pytest.raises(UsageError, match="mydumper does not verify the server, as ssl-mode=VERIFY_CA asks"):
        backup(SourceScope(url), tmp_path / "made", client="mydumper")
