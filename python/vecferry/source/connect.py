"""Connections to the source by PyMySQL, and the user's sentence for everything that goes wrong there."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.connections import Connection

from vecferry.errors import SourceError, mask, one_line
from vecferry.source import running
from vecferry.tls import source_mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from vecferry.config import DatabaseURL

CONNECT_SECONDS = 5
READ_SECONDS = 12 * 3600
"""How long the server may be silent: the longest a query without a result may take, e.g. the scan of a huge table. One
that is gone is noticed by the connection itself, see `_keep_alive`."""
WRITE_SECONDS = 60
LOCK_SECONDS = 60
"""How long a lock on a table is waited for."""
_LAST_SECONDS = 1
"""How long an interrupted run waits for the source."""

SESSION = (
    # The collation is the one that connectorx's driver asks for: it takes other texts for blobs.
    "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES',"
    # A server that waits for us to take the rows must not give up after its usual minute.
    " net_write_timeout = 3600,"
    # One that waits for the target, e.g. while that counts a table, is not one that was forgotten.
    " wait_timeout = 28800,"
    # Behind an ALTER TABLE that itself waits for a reader, it would wait for a day, or a year, and say nothing.
    f" lock_wait_timeout = {LOCK_SECONDS}"
    # Variables that only MySQL 5.7.8+ and MariaDB 10.1.1+ have; MariaDB skips comments for 5.7.
    " /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */"
)
"""What every session that reads sets: text, time and dates then mean the same on every server."""

_NO_DISK = "free disk space on the server, in its tmpdir above all, then run again to go on"
_NO_MEMORY = "give the server more memory, then run again to go on"
READ_ONLY = "SET SESSION TRANSACTION READ ONLY"
"""What sessions that read rows set besides; its variable has another name in MySQL 8 than before, it has not."""

_ADVICE = {
    1021: _NO_DISK,
    1028: _NO_DISK,
    1037: _NO_MEMORY,
    1038: _NO_MEMORY,
    1040: "the server has no connection left: use fewer --workers or raise max_connections",
    1041: _NO_MEMORY,
    1044: "check the database's name and grant the user SELECT on it",
    1045: "check the user and the password",
    1049: "check the database's name",
    1053: "the server is shutting down: run again to go on",
    1054: "the table was altered meanwhile: make a new plan",
    1114: _NO_DISK,
    1129: "run FLUSH HOSTS on the server",
    1130: "allow this user to log in from this machine",
    1142: "grant the user SELECT on the table, then run again to go on",
    1143: "grant the user SELECT on the column, then run again to go on",
    1146: "the table was dropped or renamed meanwhile: make a new plan",
    1203: "the user has no connection left: use fewer --workers or raise max_user_connections",
    1205: "another session holds a lock: run again to go on",
    1213: "another session was in the way: run again to go on",
    1226: "the user has used up a limit of the server: use fewer --workers or raise it",
    1251: "create the user with a login method that the server and the client share",
    1317: "somebody stopped the query: run again to go on",
    1698: "the user logs in by another method than a password: create one that logs in by password",
    1927: "somebody ended the connection: run again to go on",
    1969: "the server limits how long a query may run: raise max_statement_time for this user",
    2003: "check that the server runs, the host and port, and that no firewall is in between",
    2005: "check the host's name",
    2006: "the connection was lost: check the server's log and the network, then run again to go on",
    2013: "the connection was lost: check the server's log and the network, then run again to go on",
    2026: "the encrypted connection failed: check ssl-mode and ssl-ca in the source URL",
    2059: "create the user with a login method that the server and the client share",
    2061: "the login needs an encrypted connection: add ?ssl-mode=REQUIRED to the source URL",
    3024: "the server limits how long a query may run: raise max_execution_time for this user",
    3118: "the account is locked: unlock it or use another",
    3159: "the server takes encrypted connections only: add ?ssl-mode=REQUIRED to the source URL",
    4031: "the connection was idle for too long: run again to go on",
}
_PASSING = frozenset({
    1040, 1203, 1637,  # no connection, or no transaction, is left
    1205, 1213,  # lock wait timeout, deadlock
    1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2013, 2055, 4031,  # the connection, the server
    1317, 1969, 3024,  # the query was ended: by somebody, or for its time
})  # fmt: skip
"""What may work a little later, by the server's error number
(https://dev.mysql.com/doc/mysql-errors/8.4/en/, https://mariadb.com/kb/en/mariadb-error-code-reference/)."""
_DENIED = 1045
_USED_UP = 1226
_LOST = 2013
_UNKNOWN_HOST = 2005
_REFUSED = 2003
_INSECURE = 3159
_TLS = 2026
_NO_TLS = "the server has no TLS: set up a certificate there, or leave --require-tls and ssl-mode out"

_SERVER_WORDS = re.compile(r"ERROR (?P<code>\d{4,5}) \(\w+\): (?P<words>.*?)(?: \}|$)", re.DOTALL)
_POOL = re.compile(r"^timed out waiting for connection: ")
_WRAPPED = re.compile(r"^\w+ \{ (?P<words>.*) \}$", re.DOTALL)
_NO_SUCH_HOST = ("Name or service", "name resolution", "No address", "getaddrinfo")
_PASSING_HOST = "Temporary failure in name resolution"
_TLS_CUT = ("EOF occurred", "reset by peer", "Broken pipe")
_CUT = (
    "IO error",
    "IoError",
    "bytes remaining on stream",
    "disconnected",
    "refused",
    "Broken pipe",
    "reset",
    "waiting for connection",
)
_LONGEST = 400


def connect(url: DatabaseURL) -> Connection[Any]:
    """Opens a connection that reads: autocommit, UTF-8, UTC, dates as they are.

    Raises:
        SourceError: the server cannot be reached or refuses the login.
    """
    return open_connection(url)


def open_connection(
    url: DatabaseURL,
    *,
    read_seconds: int = READ_SECONDS,
    **options: Any,  # noqa: ANN401 - PyMySQL's own
) -> Connection[Any]:
    """Does the same as `connect`, with more of PyMySQL's own options.

    Raises:
        SourceError: the server cannot be reached or refuses the login.
    """
    settings = {
        "host": url.host,
        "port": url.port,
        "user": url.user,
        "password": (url.password or "").encode(),  # PyMySQL would send a str as latin1
        "database": url.database,
        "charset": "utf8mb4",
        "autocommit": True,
        "init_command": SESSION,
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": CONNECT_SECONDS,
        "write_timeout": WRITE_SECONDS,
        **options,
    }
    try:
        try:
            connection = _Session(**settings, **_tls(url))
        except pymysql.err.OperationalError as error:
            if source_mode(url) != "PREFERRED" or not _handshake_failed(error):
                raise
            connection = _Session(**settings, ssl_disabled=True)
    except (pymysql.err.Error, OSError, RuntimeError, UnicodeError) as error:
        raise translate(error, url, f"log in to the source as {url.user!r}") from error
    _keep_alive(connection)
    running.opened(connection)
    # PyMySQL's connect_timeout ends with TCP; something that listens but never greets is met by this one.
    connection._read_timeout = read_seconds  # type: ignore[attr-defined]  # noqa: SLF001 - no setter
    return connection


@contextmanager
def ends_with_us(url: DatabaseURL) -> Iterator[None]:
    """Ends, where the block is interrupted, what the source still does for this process."""
    try:
        yield
    except KeyboardInterrupt:
        with (
            suppress(SourceError, pymysql.err.Error, OSError),
            closing(open_connection(url, connect_timeout=_LAST_SECONDS, read_seconds=_LAST_SECONDS)) as connection,
        ):
            running.end_all(connection)
        raise


def _keep_alive(connection: Connection[Any]) -> None:
    """Makes the system ask a silent server after 30 seconds whether it is there, and give up after another minute."""
    found = connection._sock  # type: ignore[attr-defined]  # noqa: SLF001 - PyMySQL has no other way to it
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, name):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def encrypted(connection: Connection[Any]) -> bool:
    """Returns whether `connection` runs over TLS."""
    return isinstance(getattr(connection, "_sock", None), ssl.SSLSocket)


class _Session(Connection):
    """A connection of which nothing is to be verified unless a context says so."""

    def _create_ssl_ctx(self, sslp: ssl.SSLContext | dict[str, Any]) -> ssl.SSLContext:
        # PyMySQL's own would read all of the system's certificates first, for as long as a small table takes to load.
        return sslp if isinstance(sslp, ssl.SSLContext) else _unverified()


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _tls(url: DatabaseURL) -> dict[str, Any]:
    mode = source_mode(url)
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    if mode == "PREFERRED":
        return {}
    if mode == "REQUIRED":
        return {"ssl": _unverified()}
    context = ssl.create_default_context(cafile=url.option("ssl-ca"))
    # MySQL's own generated certificates do not pass the strict check that Python 3.13 made the default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = mode == "VERIFY_IDENTITY"
    return {"ssl": context}


def _handshake_failed(error: pymysql.err.OperationalError) -> bool:
    cause = getattr(error, "original_exception", None) or error.__cause__
    return isinstance(cause, ssl.SSLError)


def translate(error: BaseException, url: DatabaseURL, doing: str) -> SourceError:
    """Returns the user's sentence for an error of PyMySQL or connectorx.

    Args:
        error: what the driver raised.
        url: the source; its password is kept out of the sentence.
        doing: what failed, to follow "cannot": `log in to the source as 'app'`.
    """
    code, _ = _code_and_words(error)
    # MariaDB says no more to a user who is let in over TLS only.
    bare = code == _DENIED and source_mode(url) == "DISABLED"
    more = ", and whether the user may log in without TLS" if bare else ""
    return _sentence(error, f"cannot {doing} at {url.place}", url.secrets, more)


def refused(error: BaseException, connection: Connection[Any], doing: str) -> SourceError:
    """Returns the user's sentence for an error on an open connection; `doing` as for `translate`."""
    database = connection.db.decode() if isinstance(connection.db, bytes) else connection.db
    place = f"{connection.host}:{connection.port}/{database}"
    return _sentence(error, f"cannot {doing} at {place}", (connection.password.decode(),))


def _sentence(error: BaseException, what: str, secrets: Collection[str | None], more: str = "") -> SourceError:
    code, words = _code_and_words(error)
    words = mask(words, *secrets).rstrip(" .:")
    if len(words) > _LONGEST:
        words = words[:_LONGEST] + "..."
    return SourceError(f"{what}: {words}", advice=_advice(code, words) + more, passing=_passing(code, words))


def _passing(code: int | None, words: str) -> bool:
    if code == _UNKNOWN_HOST:
        return _PASSING_HOST in words
    if code == _TLS:
        # A server that goes away in the middle of a handshake.
        return any(sign in words for sign in _TLS_CUT)
    if code == _USED_UP:
        # The other limits are for an hour.
        return "max_user_connections" in words
    return code in _PASSING


def cut_off(error: BaseException) -> bool:
    """Returns whether the words of connectorx say that the server went away, or what it said at its end."""
    text = one_line(error)
    return bool(_SERVER_WORDS.search(text)) or any(sign in text for sign in _CUT)


def _code_and_words(error: BaseException) -> tuple[int | None, str]:
    cause = getattr(error, "original_exception", None)
    if isinstance(error, ssl.SSLError) or isinstance(cause, ssl.SSLError):
        return _TLS, one_line(cause or error)
    if isinstance(error, FileNotFoundError):
        return _TLS, "the file of ssl-ca does not exist"
    if isinstance(error, OSError):
        return _LOST, one_line(error)
    if isinstance(error, pymysql.err.Error) and error.args and isinstance(error.args[0], int):
        code = error.args[0]
        words = " ".join(" ".join(str(part) for part in error.args[1:]).split())
        if code == _REFUSED and any(sign in words for sign in _NO_SUCH_HOST):
            code = _UNKNOWN_HOST
        return code or _LOST, words or "the connection is closed"
    text = _POOL.sub("", one_line(error))
    if match := _SERVER_WORDS.search(text):
        return int(match["code"]), match["words"]
    if match := _WRAPPED.match(text):
        text = match["words"]
    return (_LOST if any(sign in text for sign in _CUT) else None), text


def _advice(code: int | None, words: str) -> str:
    if code == _LOST and "timed out" in words:
        return "the server did not answer in time: check its load and the network, then run again to go on"
    if "No space left on device" in words:
        return _NO_DISK
    if code == _DENIED and "require" in words.lower():
        return _ADVICE[_INSECURE]
    if code == _TLS and "support" in words:
        return _NO_TLS
    return _ADVICE.get(code, "") if code is not None else ""
