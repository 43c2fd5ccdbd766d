"""What a client is told: its login as an option file, everything else as arguments; pure.

The login is never an argument: a list of processes would show it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.errors import UsageError
from vecferry.tls import source_mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.backups.client import Client
    from vecferry.config import DatabaseURL

_SSL_MODE = (5, 7, 11)
_ASKS_FOR_KEY = (8, 0, 3)
_COLUMN_STATISTICS = (8, 0, 2)
_SOURCE_DATA = (8, 0, 26)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is dumped.

    Args:
        database: its name.
        tables: names of tables and views; None for everything that the database holds.
        events: whether the user may read events.
        position: whether the client is to find out where the binary log stood.
    """

    database: str
    tables: tuple[str, ...] | None = None
    events: bool = True
    position: bool = False


def option_file(url: DatabaseURL, client: Client, *, encrypted: bool) -> str:
    """Returns the text of an option file with the login.

    Source of the format: https://dev.mysql.com/doc/refman/8.4/en/option-files.html; MariaDB's is the same.

    Args:
        url: the source.
        client: who reads the file.
        encrypted: whether our own connection to the source runs over TLS, which settles what PREFERRED means.

    Raises:
        UsageError: the client cannot do what the URL's `ssl-mode` asks for.
    """
    lines = [
        "[client]",
        _line("host", url.host),
        _line("port", str(url.port)),
        # A client takes localhost for the socket of whatever server is there.
        "protocol=tcp",
        _line("user", url.user),
    ]
    if url.password is not None:
        lines.append(_line("password", url.password))
    if client.maker == "MySQL":
        lines += _mysql_tls(url, client, encrypted=encrypted)
    elif client.maker == "MariaDB":
        lines += _mariadb_tls(url, encrypted=encrypted)
    return "\n".join(lines) + "\n"


def dump_arguments(client: Client, scope: Scope) -> list[str]:
    """Returns the arguments of mariadb-dump or mysqldump behind the option file.

    Each is written out, whatever the client's own defaults are.
    """
    arguments = [
        "--skip-opt",
        "--single-transaction",
        "--quick",
        "--create-options",
        "--extended-insert",
        "--add-drop-table",
        "--add-locks",
        "--disable-keys",
        "--set-charset",
        "--default-character-set=utf8mb4",
        "--tz-utc",
        "--hex-blob",
        "--routines",
        "--triggers",
        "--events" if scope.events else "--skip-events",
        "--no-tablespaces",
        # The closing line is a comment.
        "--comments",
        "--skip-dump-date",
        "--max-allowed-packet=1G",
    ]
    if client.maker == "MySQL":
        arguments.append("--set-gtid-purged=OFF")
        if client.version >= _COLUMN_STATISTICS:
            # Servers before 8.0, and MariaDB, have no such table.
            arguments.append("--column-statistics=0")
    if scope.position:
        renamed = client.maker == "MySQL" and client.version >= _SOURCE_DATA
        arguments.append("--source-data=2" if renamed else "--master-data=2")
    return [*arguments, "--", scope.database, *(scope.tables or ())]


def mydumper_arguments(
    url: DatabaseURL,
    scope: Scope,
    folder: str,
    skipped: str | None,
    *,
    encrypted: bool,
    locked: bool,
    gzip: bool,
    threads: int,
) -> list[str]:
    """Returns the arguments of mydumper behind the option file, in which it looks for no TLS.

    Args:
        url: the source.
        scope: what is dumped; of its tables, `skipped` tells which are not.
        folder: where the files go.
        skipped: the path of a file with a line `database.table` for each table to leave out.
        encrypted: as for `option_file`.
        locked: whether writers are kept out of the tables meanwhile.
        gzip: whether files are compressed.
        threads: its connections to the server.

    Raises:
        UsageError: it cannot do what the URL's `ssl-mode` asks for.
    """
    if (mode := source_mode(url)).startswith("VERIFY"):
        raise UsageError(f"--client: mydumper does not verify the server, as ssl-mode={mode} asks: use mariadb-dump")
    return [
        f"--database={scope.database}",
        f"--outputdir={folder}",
        f"--threads={threads}",
        # Behind a lock of ours, its own would wait for ever.
        "--no-locks" if locked else "--trx-consistency-only",
        # Errors alone: it warns of tables without transactions, which are refused or locked, and of every large row.
        "--verbose=1",
        *(["--ssl"] if encrypted else []),
        "--routines",
        "--triggers",
        *(["--events"] if scope.events else []),
        *(["--compress"] if gzip else []),
        *([f"--omit-from-file={skipped}"] if skipped else []),
    ]


def _line(name: str, value: str) -> str:
    return f'{name}="{"".join(_ESCAPES.get(letter, letter) for letter in value)}"'


def _mysql_tls(url: DatabaseURL, client: Client, *, encrypted: bool) -> Sequence[str]:
    mode = source_mode(url)
    if client.version < _SSL_MODE:
        raise UsageError(
            f"--client: {client} is too old to be told what ssl-mode={mode} is:"
            " use mysqldump 5.7.11 or newer, or mariadb-dump"
        )
    lines = [f"ssl-mode={mode}"]
    if mode.startswith("VERIFY"):
        lines += _authorities(url)
    if not encrypted and client.version >= _ASKS_FOR_KEY:
        lines.append("get-server-public-key")
    return lines


def _mariadb_tls(url: DatabaseURL, *, encrypted: bool) -> Sequence[str]:
    mode = source_mode(url)
    if not encrypted:
        return ("skip-ssl",)
    if mode in {"PREFERRED", "REQUIRED"}:
        return ("ssl", "skip-ssl-verify-server-cert")
    # MariaDB's clients before 11.4 go on without TLS where the server says that it has none, unless they verify its
    # name as well; so VERIFY_CA is as strict as VERIFY_IDENTITY here.
    return ("ssl", "ssl-verify-server-cert", *_authorities(url))


def _authorities(url: DatabaseURL) -> Sequence[str]:
    if file := url.option("ssl-ca"):
        return (_line("ssl-ca", file),)
    paths = ssl.get_default_verify_paths()
    found = [_line("ssl-ca", paths.cafile)] if paths.cafile else []
    return (*found, _line("ssl-capath", paths.capath)) if paths.capath else found
