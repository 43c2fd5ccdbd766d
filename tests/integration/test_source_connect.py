"""Connections to a real server, and what the user reads when there is none."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from vecferry.config import DatabaseURL, parse_source
from vecferry.errors import SourceError
from vecferry.source.connect import connect, translate

SECRET = "s3cr3t-of-nobody"


def refused(url: DatabaseURL) -> str:
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        connect(url)
    assert time.monotonic() - start < 6
    text = str(caught.value)
    assert SECRET not in text
    assert "\n" not in text
    return text


def test_session(mysql: Any) -> None:
    with connect(parse_source(mysql.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@session.time_zone, @@session.sql_mode, @@session.autocommit, DATABASE()")
        assert cursor.fetchone() == ("+00:00", "ALLOW_INVALID_DATES", 1, mysql.database)
        cursor.execute("SELECT @@character_set_client, @@character_set_results, @@net_write_timeout")
        assert cursor.fetchone() == ("utf8mb4", "utf8mb4", 3600)


def test_session_on_a_server_with_limits(mysql: Any) -> None:
    mysql.execute("CREATE TABLE t (d date)")
    mysql.execute("SET SESSION sql_mode = ''")
    mysql.execute("INSERT INTO t VALUES ('0000-00-00'), ('2024-01-01')")
    with connect(parse_source(mysql.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM t WHERE d <= '0000-00-00'")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("password", ["a@b:c/d#e%f?g&h", "naïve 🐬 'quoted\"", "back\\slash+plus"])
def test_password_with_any_character(mysql: Any, password: str) -> None:
    user = f"u{time.monotonic_ns() % 10**9}"
    with mysql.connect().cursor() as cursor:
        for host in ("%", "localhost"):  # MySQL 5.6 has an anonymous user at localhost, which comes before %
            cursor.execute("CREATE USER %s@%s IDENTIFIED BY %s", (user, host, password))
            cursor.execute(f"GRANT ALL ON `{mysql.database}`.* TO %s@%s", (user, host))
    try:
        url = replace(parse_source(mysql.url), user=user, password=password)
        with connect(parse_source(url.with_password())) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
    finally:
        mysql.execute(f"DROP USER {user}@'%', {user}@localhost")


def test_wrong_password(mysql: Any) -> None:
    url = replace(parse_source(mysql.url), user="nobody", password=SECRET)
    text = refused(url)
    assert text.startswith(f"cannot log in to the source as 'nobody' at {url.place}: Access denied for user 'nobody'")
    assert text.endswith("; check the user and the password")


def test_unknown_database(mysql: Any) -> None:
    url = replace(parse_source(mysql.url), database="no such database")
    text = refused(url)
    assert "Unknown database 'no such database'" in text
    assert text.endswith("; check the database's name")


def test_closed_port(mysql: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = refused(replace(parse_source(mysql.url), host="127.0.0.1", port=port, password=SECRET))
    assert f"at 127.0.0.1:{port}/" in text
    assert "refused" in text
    assert text.endswith("; check that the server runs, the host and port, and that no firewall is in between")


def test_unknown_host(mysql: Any) -> None:
    text = refused(replace(parse_source(mysql.url), host="no-such-host.invalid", password=SECRET))
    assert "no-such-host.invalid" in text
    assert text.endswith("; check the host's name")


def test_a_port_that_is_no_mysql_server(mysql: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        port = silent.getsockname()[1]
        text = refused(replace(parse_source(mysql.url), host="127.0.0.1", port=port, password=SECRET))
    assert f"at 127.0.0.1:{port}/" in text
    assert "timed out" in text


def test_encryption_that_the_server_does_not_have(mysql: Any) -> None:
    if mysql.rows("SHOW VARIABLES LIKE 'have_ssl'") == [("have_ssl", "YES")]:
        pytest.skip("this server has TLS")
    url = parse_source(mysql.url)
    for mode in ("REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"):
        text = refused(replace(url, options=(("ssl-mode", mode),)))
        assert "; the server has no TLS: set up a certificate there" in text
    for mode in ("DISABLED", "PREFERRED", "preferred"):
        connect(replace(url, options=(("ssl-mode", mode),))).close()


def test_ssl_ca_that_does_not_exist(mysql: Any) -> None:
    options = (("ssl-mode", "VERIFY_CA"), ("ssl-ca", "/no/such/file.pem"))
    assert "the file of ssl-ca does not exist" in refused(replace(parse_source(mysql.url), options=options))


@pytest.mark.parametrize(
    ("error", "words", "advice"),
    [
        (pymysql.err.OperationalError(1040, "Too many connections"), "Too many connections", "fewer --workers"),
        (
            pymysql.err.OperationalError(2013, "Lost connection (timed out)"),
            "Lost connection",
            "did not answer in time",
        ),
        (pymysql.err.OperationalError(2061, "sha2 requires secure connection"), "sha2", "ssl-mode=REQUIRED"),
        (pymysql.err.InterfaceError(0, ""), "the connection is closed", "run again to go on"),
        (
            RuntimeError("MySqlError { ERROR 1146 (42S02): Table 'a.b' doesn't exist }"),
            "Table 'a.b' doesn't exist",
            "new plan",
        ),
        (
            RuntimeError("timed out waiting for connection: MySqlError { ERROR 1045 (28000): Access denied }"),
            "Access denied",
            "check the user and the password",
        ),
        (RuntimeError("CodecError { IO error: `bytes remaining on stream' }"), "bytes remaining", "run again to go on"),
    ],
)
def test_translate(error: Exception, words: str, advice: str) -> None:
    url = DatabaseURL("mysql", "db.example", 3306, "shop", "app", SECRET)
    text = str(translate(error, url, "read table t"))
    assert text.startswith("cannot read table t at db.example:3306/shop: ")
    assert words in text
    assert advice in text


def test_translate_masks_the_password() -> None:
    url = DatabaseURL("mysql", "db.example", 3306, "shop", "app", SECRET)
    for words in (f"bad url mysql://app:{SECRET}@db.example", f"the password {SECRET} is too old"):
        assert SECRET not in str(translate(RuntimeError(words), url, "read"))
