"""Large values are compared by their digests: a byte that differs is found, and losses are worked out, all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.support import run, run_verify

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.report.verification import Difference, Verification

LENGTH = 1_500_000

TAMPERING = {
    "words": "overlay(words PLACING 'e' FROM 1000000)",
    "latin1": "latin1 || ' '",
    "raw": "set_byte(raw, 1000000, 1)",
    "doc": "jsonb_set(doc, '{b, 0}', '1.51')",
    "cleaned": "replace(cleaned, U&'\\FFFD', '')",
}


def fill(mysql: MySQLDatabase, key: str, length: int, small: int) -> None:
    """Fills a table `t` with two large rows after `small` ones; JSON comes with its keys in another order."""
    mysql.execute(
        f"CREATE TABLE t (id int {key}, words longtext CHARACTER SET utf8mb4, latin1 longtext CHARACTER SET latin1,"
        " raw longblob, doc longtext, cleaned longtext)"
    )
    if small:
        mysql.execute(f"INSERT INTO t (id, words) SELECT seq, 'few' FROM seq_1_to_{small}")
    for number in (small + 1, small + 2):
        mysql.execute(
            f"INSERT INTO t SELECT {number}, REPEAT('é', {length}), REPEAT('é', {length}), REPEAT('\\0z', {length}),"
            f""" CONCAT('{{"text": "', REPEAT('x', {length}), '", "b": [1.50]}}'),"""
            f" CONCAT(REPEAT('x', {length}), '\\0')"
        )


def carry(mysql: MySQLDatabase, postgres: PostgresDatabase, key: str, *, length: int = LENGTH, small: int = 0) -> None:
    fill(mysql, key, length, small)
    assert run(mysql, postgres, on=["nul-byte=replace"]).status == "ok"
    postgres.execute("ALTER TABLE t ALTER doc TYPE jsonb USING doc::jsonb")


def told(differences: tuple[Difference, ...]) -> list[tuple[str, str | None]]:
    return [(difference.kind, difference.column) for difference in differences]


def losses(found: Verification) -> list[tuple[str, str, int, int | None]]:
    return [(loss.column, loss.kind, loss.found, loss.planned) for loss in found.losses]


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["key", "no key"])
def test_a_byte_of_a_large_value(mysql: MySQLDatabase, postgres: PostgresDatabase, key: str) -> None:
    carry(mysql, postgres, key)
    postgres.execute("CREATE TABLE was AS TABLE t")
    untouched = run_verify(mysql, postgres)
    assert untouched.differences == ()
    assert losses(untouched) == [("cleaned", "nul-byte", 2, 2)]

    for column, value in TAMPERING.items():
        postgres.execute(f"UPDATE t SET {column} = {value} WHERE id = 2")
        found = run_verify(mysql, postgres)
        assert told(found.differences) == [("cell", column)], (column, found.differences)
        [difference] = found.differences
        assert difference.key is not None
        assert "id = 2" in difference.key
        assert len(difference.key) < 1000
        assert "bytes, sha256 " in str(difference.source)
        assert "bytes, sha256 " in str(difference.target)
        assert difference.source != difference.target
        postgres.execute("TRUNCATE t; INSERT INTO t TABLE was")
    assert run_verify(mysql, postgres).differences == ()


def test_sums_of_rows_with_large_values(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    carry(mysql, postgres, "", small=1000)
    small: dict[str, Any] = {"chunk_bytes": 16_384}
    untouched = run_verify(mysql, postgres, **small)
    assert untouched.differences == ()
    assert losses(untouched) == [("cleaned", "nul-byte", 2, 2)]

    postgres.execute(f"UPDATE t SET doc = {TAMPERING['doc']} WHERE id = 1002")
    found = run_verify(mysql, postgres, **small)
    assert told(found.differences) == [("cell", "doc")]


def test_rows_far_larger_than_the_mean(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    """Ten values of less than a megabyte are more than a chunk, so all but small ones are told by digests."""
    carry(mysql, postgres, "PRIMARY KEY", length=450_000, small=3000)
    mysql.execute("INSERT INTO t SELECT id + 10, words, latin1, raw, doc, cleaned FROM t WHERE id > 3000")
    mysql.execute("INSERT INTO t SELECT id + 20, words, latin1, raw, doc, cleaned FROM t WHERE id > 3000")
    postgres.execute("INSERT INTO t SELECT id + 10, words, latin1, raw, doc, cleaned FROM t WHERE id > 3000")
    postgres.execute("INSERT INTO t SELECT id + 20, words, latin1, raw, doc, cleaned FROM t WHERE id > 3000")
    small: dict[str, Any] = {"chunk_bytes": 1024 * 1024}
    untouched = run_verify(mysql, postgres, **small)
    assert [difference for difference in untouched.differences if difference.kind != "count"] == []

    postgres.execute(f"UPDATE t SET words = {TAMPERING['words'].replace('1000000', '100000')} WHERE id = 3012")
    postgres.execute("UPDATE t SET words = 'fer' WHERE id = 7")
    found = run_verify(mysql, postgres, **small)
    cells = {difference.key: difference.source for difference in found.differences if difference.kind == "cell"}
    assert set(cells) == {"id = 7", "id = 3012"}
    assert cells["id = 7"] == "'few'"
    assert str(cells["id = 3012"]).startswith("900000 bytes, sha256 ")
