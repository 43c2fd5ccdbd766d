"""What of a backup needs no server: clients by what they say of themselves, their options, frames, manifests."""

from __future__ import annotations

import gzip
import json
import random
import struct
import subprocess
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pytest

from vecferry.backups.client import Client, doubts, environment, find_client
from vecferry.backups.command import Scope, dump_arguments, option_file
from vecferry.backups.frames import FrameFile
from vecferry.backups.manifest import ManifestError, read_manifest
from vecferry.backups.scan import StreamScan
from vecferry.config import load_source, parse_source
from vecferry.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MYSQL80 = Client("mysqldump", "/x", "MySQL", (8, 0, 36))
MYSQL57 = Client("mysqldump", "/x", "MySQL", (5, 7, 44))
MARIADB = Client("mariadb-dump", "/x", "MariaDB", (10, 11, 19))
URL = "mysql://app:secret@db1:3307/shop"


def program(folder: Path, name: str, banner: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{banner}'\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "banner", "maker", "version"),
    [
        # As the programs print it.
        (
            "mysqldump",
            "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
            "MySQL",
            (8, 0, 36),
        ),
        ("mysqldump", "mysqldump  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))", "MySQL", (8, 0, 36)),
        ("mysqldump", "mysqldump  Ver 10.13 Distrib 5.6.24, for linux-glibc2.5 (x86_64)", "MySQL", (5, 6, 24)),
        (
            "mysqldump",
            "mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)",
            "MariaDB",
            (10, 11, 19),
        ),
        (
            "mariadb-dump",
            "mariadb-dump from 11.4.2-MariaDB, client 10.19 for debian-linux-gnu (x86_64)",
            "MariaDB",
            (11, 4, 2),
        ),
        ("mydumper", "mydumper 0.10.0, built against MySQL 10.11.14", "mydumper", (0, 10, 0)),
        ("mydumper", "mydumper v0.16.3-1, built against MySQL 8.0.37 with SSL support", "mydumper", (0, 16, 3)),
    ],
)
def test_a_client_is_known_by_what_it_says(
    tmp_path: Path, name: str, banner: str, maker: str, version: tuple[int, int, int]
) -> None:
    program(tmp_path, name, banner)
    found = find_client(mariadb=True, wanted=None, place=tmp_path / name)
    assert (found.maker, found.version) == (maker, version)


def test_the_makers_own_client_goes_before_the_others(tmp_path: Path) -> None:
    program(tmp_path, "mysqldump", "mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)")
    program(tmp_path, "mariadb-dump", "mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)")
    assert find_client(mariadb=True, place=tmp_path).name == "mariadb-dump"
    assert find_client(mariadb=False, place=tmp_path).name == "mysqldump"
    program(tmp_path, "mysqldump", "mysqldump  Ver 9.1.0 for Linux on x86_64 (MySQL Community Server - GPL)")
    assert find_client(mariadb=False, place=tmp_path).maker == "MySQL"
    (tmp_path / "mariadb-dump").unlink()
    assert find_client(mariadb=True, place=tmp_path).maker == "MySQL"
    with pytest.raises(UsageError, match="there is no mydumper in .*: install the package mydumper"):
        find_client(mariadb=True, wanted="mydumper", place=tmp_path)


@pytest.mark.parametrize(
    ("client", "mariadb", "version", "words"),
    [
        (MARIADB, True, (10, 11, 2), None),
        (MARIADB, True, (11, 4, 2), "older than the server, MariaDB 11.4.2"),
        (MARIADB, False, (5, 7, 44), None),
        (MARIADB, False, (8, 0, 36), "is not made for MySQL 8.0.36"),
        (MYSQL80, True, (10, 11, 2), "is not made for MariaDB 10.11.2"),
        (MYSQL80, False, (8, 4, 0), "older than the server, MySQL 8.4.0"),
        (MYSQL80, False, (5, 6, 24), None),
        (Client("mydumper", "/x", "mydumper", (0, 10, 0)), True, (10, 11, 2), None),
        (Client("mydumper", "/x", "mydumper", (0, 16, 3)), True, (10, 11, 2), "was not tried"),
    ],
)
def test_pairs_that_are_known_to_go_wrong(
    client: Client, mariadb: bool, version: tuple[int, int, int], words: str | None
) -> None:
    found = doubts(client, mariadb=mariadb, version=version)
    assert len(found) == (words is not None)
    assert all(words is not None and words in sentence for sentence in found)


def test_a_client_is_told_what_its_maker_calls_it() -> None:
    scope = Scope("-x", ("--help",), events=False, position=True)
    mysql, older, mariadb = (dump_arguments(client, scope) for client in (MYSQL80, MYSQL57, MARIADB))
    assert {"--source-data=2", "--column-statistics=0", "--set-gtid-purged=OFF", "--skip-events"} <= set(mysql)
    assert "--master-data=2" in older
    assert "--column-statistics=0" not in older
    assert not any(name.startswith(("--column", "--set-gtid", "--source")) for name in mariadb)
    for arguments in (mysql, older, mariadb):
        assert arguments[-3:] == ["--", "-x", "--help"]
        assert arguments[0] == "--skip-opt"


@pytest.mark.parametrize(
    ("client", "tail", "encrypted", "lines"),
    [
        (MYSQL80, "", True, ["ssl-mode=PREFERRED"]),
        (MYSQL80, "", False, ["ssl-mode=PREFERRED", "get-server-public-key"]),
        (MYSQL57, "?ssl-mode=disabled", False, ["ssl-mode=DISABLED"]),
        (MYSQL80, "?ssl-mode=VERIFY_CA&ssl-ca=/a%20b", True, ["ssl-mode=VERIFY_CA", 'ssl-ca="/a b"']),
        (MARIADB, "", True, ["ssl", "skip-ssl-verify-server-cert"]),
        (MARIADB, "", False, ["skip-ssl"]),
        (MARIADB, "?ssl-mode=DISABLED", False, ["skip-ssl"]),
        (MARIADB, "?ssl-mode=VERIFY_CA&ssl-ca=/a", True, ["ssl", "ssl-verify-server-cert", 'ssl-ca="/a"']),
    ],
)
def test_tls_in_each_clients_words(client: Client, tail: str, encrypted: bool, lines: list[str]) -> None:
    text = option_file(parse_source(URL + tail), client, encrypted=encrypted).splitlines()
    assert text[:6] == ["[client]", 'host="db1"', 'port="3307"', "protocol=tcp", 'user="app"', 'password="secret"']
    assert text[6:] == lines


def test_the_machines_authorities_count_where_the_url_names_none() -> None:
    text = option_file(parse_source(URL + "?ssl-mode=VERIFY_IDENTITY"), MARIADB, encrypted=True)
    assert "ssl-ca" in text.split("ssl-verify-server-cert\n")[1]


def test_a_client_that_knows_no_modes_is_refused() -> None:
    with pytest.raises(UsageError, match=r"5\.6\.24 of MySQL is too old"):
        option_file(parse_source(URL), Client("mysqldump", "/x", "MySQL", (5, 6, 24)), encrypted=True)


def test_no_secret_of_this_process_goes_to_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VECFERRY_SOURCE_PASSWORD", "VECFERRY_SOURCE", "MYSQL_PWD", "PGPASSWORD", "MY_OWN"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in environment().values()
    assert "PATH" in environment()


# --- frames


def blocks(sizes: list[int]) -> list[bytes]:
    dice = random.Random(1)
    return [dice.randbytes(size // 2) + bytes(size - size // 2) for size in sizes]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("sizes", [[], [1], [100_000] * 7, [70_000, 3, 500_000, 1]])
def test_frames_come_back_in_their_order(
    tmp_path: Path, compression: Literal["none", "gzip", "zstd"], sizes: list[int]
) -> None:
    text = blocks(sizes)
    path = tmp_path / "x"
    with FrameFile(path, compression, 3) as file:
        for block in text:
            file.write(block)
        file.finish()
    written = path.read_bytes()
    assert (file.bytes, file.text_bytes) == (len(written), sum(sizes))
    assert file.sha256 == subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout[:64]
    if compression == "gzip":
        assert gzip.decompress(written) == b"".join(text)
    elif compression == "none":
        assert written == b"".join(text)
    elif sizes:
        with path.open("rb") as raw:
            assert pa.CompressedInputStream(raw, "zstd").read() == b"".join(text)


def test_a_reader_can_begin_at_any_frame(tmp_path: Path) -> None:
    text = blocks([100_000, 7, 300_000, 50_000])
    path = tmp_path / "x"
    with FrameFile(path, "zstd", 2) as file:
        for block in text:
            file.write(block)
        file.finish()
    written = path.read_bytes()
    # By the format's document: a footer of 9 bytes, before it 8 bytes a frame, before these the skippable frame's head.
    count, descriptor, magic = struct.unpack("<IBI", written[-9:])
    assert (count, descriptor, magic) == (len(text), 0, 0x8F92EAB1)
    head = len(written) - 9 - 8 * count - 8
    assert struct.unpack("<II", written[head : head + 8]) == (0x184D2A5E, 8 * count + 9)
    place = 0
    for number, block in enumerate(text):
        size, text_size = struct.unpack("<II", written[head + 8 + 8 * number : head + 16 + 8 * number])
        frame = written[place : place + size]
        assert pa.Codec("zstd").decompress(frame, decompressed_size=text_size, asbytes=True) == block
        place += size
    assert place == head


# --- the dump's reader beside the stream


def test_rows_are_counted_while_they_stream() -> None:
    dump = b"CREATE TABLE `a` (x int);\nCREATE TABLE b (x int);\nINSERT INTO `a` VALUES (1),(2);\n-- Dump completed\n"
    with StreamScan() as counter:
        for start in range(0, len(dump), 7):
            counter.feed(dump[start : start + 7])
        found = counter.finish()
    assert (found.rows, found.complete, found.size) == ({"a": 2, "b": 0}, True, len(dump))


def test_text_that_is_no_dump_holds_nobody_up() -> None:
    with StreamScan() as counter:
        counter.feed(b"INSERT INTO a VALUES 1;\n")
        for _ in range(50):
            counter.feed(b"x" * 100_000)
        with pytest.raises(ValueError, match="line 1"):
            counter.finish()


# --- manifest and configuration


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "has the format 2, and this vecferry knows 1"),
        ({"files": [{"name": "x"}]}, "files.0.bytes: Field required"),
        ({"tables": None}, "tables: "),
    ],
)
def test_a_manifest_that_is_none(change: dict[str, Any], words: str) -> None:
    good = {
        "format": 1, "tool": "vecferry 0", "database": "d", "include": [], "exclude": [],
        "consistency": "lock", "position": None,
        "server": {"place": "h:1/d", "flavor": "MySQL", "version": "8"}, "started": "", "finished": "",
        "client": {"name": "mysqldump", "maker": "MySQL", "version": "8", "arguments": []},
        "tables": [], "views": [], "files": [], "notes": [],
    }  # fmt: skip
    assert read_manifest(json.dumps(good).encode()).server.place == "h:1/d"
    with pytest.raises(ManifestError, match=words):
        read_manifest(json.dumps({**good, **change}).encode())
    for text in (b"", b"[]", b"\xff", b"{}"):
        with pytest.raises(ManifestError, match="is no manifest"):
            read_manifest(text)


def test_a_source_alone_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VECFERRY_TARGET", raising=False)
    scope = load_source(source=URL + "?ssl-mode=PREFERRED", tables=("a*",), require_tls=True)
    assert (scope.url.place, scope.url.option("ssl-mode"), scope.tables) == ("db1:3307/shop", "REQUIRED", ("a*",))
    with pytest.raises(UsageError, match="no source given"):
        load_source()
