"""Verification must find every kind of tampering, name it, and name nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.support import config_for, run, run_verify
from vecferry import load_config, verify
from vecferry.cli import run as run_cli
from vecferry.journal import FileJournal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry.report.verification import Difference

COLUMNS = (
    "name varchar(50), note text, score double, price decimal(12,4), at datetime(6), seen timestamp(6) NULL,"
    " took time(6), data varbinary(20), doc longtext, tags set('a','b','c',''), embedding longtext, flag tinyint(1),"
    " mood enum('good','bad'), big bigint unsigned, day date, bits bit(10)"
)
ROWS = """
(1, 'one', '', 0.0, 1.0001, '2024-01-01 00:00:00', '2024-01-01 00:00:00', '01:02:03.5', x'00ff',
 '{"a": 1, "b": [1.50, null]}', 'a,b', '[0.1,0.2,0.3]', 1, 'good', 18446744073709551615, '2024-02-29', b'101'),
(2, 'two ', 'x', -1.5, -2, '2024-01-02 00:00:00.000001', NULL, '-00:00:00.000001', x'01',
 '[]', '', '{"1":-2e-3,"0":0.0,"2":1}', 0, 'bad', 0, NULL, b'0'),
(3, 'thrée', NULL, 1e300, 0, NULL, '2038-01-19 03:14:07.999999', '838:59:59', x'',
 'true', 'a', NULL, NULL, NULL, 7, '1000-01-01', NULL),
(4, 'four', '\\n', NULL, NULL, '9999-12-31 23:59:59.999999', NULL, NULL, NULL,
 NULL, NULL, '[3,2,1]', 1, 'good', NULL, '9999-12-31', b'1111111111')
"""

# What is done to the target, and what must be found: kind, row, column.
Tampering = tuple[str, tuple[str, int, str | None]]
CELLS: dict[str, Tampering] = {
    "one bit of one vector component": (
        "UPDATE {t} SET embedding = '[0.1,0.2,0.30000004]' WHERE id = 1", ("cell", 1, "embedding")),
    "minus zero in a vector": ("UPDATE {t} SET embedding = '[-0,-0.002,1]' WHERE id = 2", ("cell", 2, "embedding")),
    "NULL for a vector": ("UPDATE {t} SET embedding = NULL WHERE id = 4", ("cell", 4, "embedding")),
    "a trimmed space": ("UPDATE {t} SET name = rtrim(name) WHERE id = 2", ("cell", 2, "name")),
    "one microsecond": ("UPDATE {t} SET at = at + interval '1 microsecond' WHERE id = 1", ("cell", 1, "at")),
    "minus zero": ("UPDATE {t} SET score = '-0' WHERE id = 1", ("cell", 1, "score")),
    "the last bit of a double": ("UPDATE {t} SET score = 1.0000000000000002e300 WHERE id = 3", ("cell", 3, "score")),
    "NULL for the empty text": ("UPDATE {t} SET note = NULL WHERE id = 1", ("cell", 1, "note")),
    "the empty text for NULL": ("UPDATE {t} SET note = '' WHERE id = 3", ("cell", 3, "note")),
    "a replacement character": ("UPDATE {t} SET name = 'thr\ufffde' WHERE id = 3", ("cell", 3, "name")),
    "another composition": ("UPDATE {t} SET name = 'thre\u0301e' WHERE id = 3", ("cell", 3, "name")),
    "a value in JSON": ("""UPDATE {t} SET doc = '{{"a": 2, "b": [1.5, null]}}' WHERE id = 1""", ("cell", 1, "doc")),
    "an order in JSON": ("""UPDATE {t} SET doc = '{{"a": 1, "b": [null, 1.5]}}' WHERE id = 1""", ("cell", 1, "doc")),
    "one element": ("UPDATE {t} SET tags = '{{a,c}}' WHERE id = 1", ("cell", 1, "tags")),
    "an empty element": ("UPDATE {t} SET tags = '{{\"\"}}' WHERE id = 2", ("cell", 2, "tags")),
    "one bit of bytes": ("UPDATE {t} SET data = set_bit(data, 0, 1) WHERE id = 1", ("cell", 1, "data")),
    "a microsecond of an interval": ("UPDATE {t} SET took = took + '1 microsecond' WHERE id = 3", ("cell", 3, "took")),
    "the sign of an interval": ("UPDATE {t} SET took = -took WHERE id = 2", ("cell", 2, "took")),
    "a decimal's last digit": ("UPDATE {t} SET price = price + 0.0001 WHERE id = 1", ("cell", 1, "price")),
    "an hour": ("UPDATE {t} SET seen = seen + interval '1 hour' WHERE id = 1", ("cell", 1, "seen")),
    "a boolean": ("UPDATE {t} SET flag = NOT flag WHERE id = 2", ("cell", 2, "flag")),
    "a label": ("UPDATE {t} SET mood = 'bad' WHERE id = 1", ("cell", 1, "mood")),
    "one of 2^64": ("UPDATE {t} SET big = big - 1 WHERE id = 1", ("cell", 1, "big")),
    "a day": ("UPDATE {t} SET day = day + 1 WHERE id = 1", ("cell", 1, "day")),
    "a bit": ("UPDATE {t} SET bits = B'0000000111' WHERE id = 1", ("cell", 1, "bits")),
    "a row deleted": ("DELETE FROM {t} WHERE id = 3", ("missing", 3, None)),
    "a row too many": ("INSERT INTO {t} (id, name) VALUES (99, 'new')", ("extra", 99, None)),
}  # fmt: skip


def fill(mysql: MySQLDatabase) -> None:
    for table, key in (("things", "PRIMARY KEY"), ("loose", "")):
        mysql.execute(f"CREATE TABLE {table} (id int {key}, {COLUMNS})")
        mysql.execute("SET time_zone = '+00:00'")
        mysql.execute(f"INSERT INTO {table} VALUES {ROWS}")


def carry(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    fill(mysql)
    # jsonb is what TypeORM's own schema has for such a text.
    report = run(mysql, postgres, embedding=["things.embedding:3", "loose.embedding:3"], hnsw=False)
    for table in ("things", "loose"):
        postgres.execute(f"ALTER TABLE {table} ALTER doc TYPE jsonb USING doc::jsonb")
        postgres.execute(f"CREATE TABLE was_{table} AS TABLE {table}")
    assert report.status == "ok"


def restore(postgres: PostgresDatabase, table: str) -> None:
    postgres.execute(f"TRUNCATE {table}; INSERT INTO {table} SELECT * FROM was_{table}")


def told(difference: Difference) -> tuple[str, str, str | None]:
    return difference.kind, difference.table, difference.column


@pytest.mark.parametrize("ledger", [True, False], ids=["with a ledger", "without one"])
def test_each_tampering_is_named_and_nothing_else(
    mysql: MySQLDatabase, postgres: PostgresDatabase, ledger: bool
) -> None:
    carry(mysql, postgres)
    if not ledger:
        postgres.execute("DROP SCHEMA vecferry CASCADE")
    tables = ["things", "loose"]
    assert run_verify(mysql, postgres, tables=tables).differences == ()
    for name, (statement, (kind, row, column)) in CELLS.items():
        for table in tables:
            assert postgres.execute(statement.format(t=table)) == 1, name
        found = run_verify(mysql, postgres, tables=tables)
        assert found.status == "differences"
        assert sorted(map(told, found.differences)) == sorted((kind, table, column) for table in tables), (name, found)
        for difference in found.differences:
            assert f"id = {row}" in (difference.key or "").split(", "), (name, difference)
            assert kind != "cell" or (difference.source != difference.target), (name, difference)
        for result in found.tables:
            cells = sum(result.cells_different.values())
            numbers = (result.rows_missing, result.rows_extra, result.rows_different, cells)
            expected = {"missing": (1, 0, 0, 0), "extra": (0, 1, 0, 0), "cell": (0, 0, 1, 1)}[kind]
            assert numbers == expected, (name, result)
        for table in tables:
            restore(postgres, table)
    assert run_verify(mysql, postgres, tables=tables).differences == ()


def test_values_that_changed_places(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    carry(mysql, postgres)
    for table in ("things", "loose"):
        postgres.execute(f"UPDATE {table} SET name = CASE id WHEN 1 THEN 'four' ELSE 'one' END WHERE id IN (1, 4)")
    found = run_verify(mysql, postgres)
    assert [told(difference) for difference in found.differences] == [
        ("cell", "loose", "name"), ("cell", "loose", "name"), ("cell", "things", "name"), ("cell", "things", "name"),
    ]  # fmt: skip
    shown = {(d.key, d.source, d.target) for d in found.differences if d.table == "things"}
    assert shown == {("id = 1", "'one'", "'four'"), ("id = 4", "'four'", "'one'")}


def test_a_row_that_is_there_twice(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    carry(mysql, postgres)
    postgres.execute("ALTER TABLE things DROP CONSTRAINT things_pkey")
    for table in ("things", "loose"):
        postgres.execute(f"INSERT INTO {table} SELECT * FROM was_{table} WHERE id = 2")
    found = run_verify(mysql, postgres)
    rows = [difference for difference in found.differences if difference.kind != "structure"]
    assert [told(difference) for difference in rows] == [("extra", "loose", None), ("extra", "things", None)]
    assert rows[1].key == "id = 2"
    assert "primary key" in str([d.source for d in found.differences if d.kind == "structure"])


# --- tables that are compared by the sums of their rows ---------------------------------------------


def many(mysql: MySQLDatabase, rows: int = 3000) -> None:
    values = ", ".join(
        f"('{number:05d}-{'ab'[number % 2]}', {number % 7}, '{'x' * 60}{number}')" for number in range(rows)
    )
    mysql.execute("CREATE TABLE keyed (code varchar(20) PRIMARY KEY, n int, body text)")
    mysql.execute(f"INSERT INTO keyed VALUES {values}")
    mysql.execute("CREATE TABLE keyless (code varchar(20), n int, body text)")
    mysql.execute(f"INSERT INTO keyless VALUES {values}")
    mysql.execute("INSERT INTO keyless SELECT * FROM keyless WHERE n = 3")
    mysql.execute("ANALYZE TABLE keyed, keyless")


def test_large_tables_without_a_common_order(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many(mysql)
    small: dict[str, Any] = {"chunk_bytes": 16_384, "workers": 3}
    report = run(mysql, postgres, **small)
    assert report.status == "ok"
    assert report.verification is not None
    assert [table.rows_compared for table in report.verification.tables] == [3000, 3429]
    for table in ("keyed", "keyless"):
        postgres.execute(f"UPDATE {table} SET n = 8 WHERE code = '00123-b'")
        postgres.execute(f"UPDATE {table} SET body = body || ' ' WHERE code = '02998-a'")
        postgres.execute(f"DELETE FROM {table} WHERE code = '00007-b'")
        postgres.execute(f"INSERT INTO {table} VALUES ('new', 1, 'y')")
    postgres.execute("INSERT INTO keyless SELECT * FROM keyless WHERE code = '02000-a'")
    found = run_verify(mysql, postgres, **small)
    assert sorted(map(told, found.differences)) == sorted([
        ("cell", "keyed", "n"), ("cell", "keyed", "body"), ("missing", "keyed", None), ("extra", "keyed", None),
        ("cell", "keyless", "n"), ("cell", "keyless", "body"), ("missing", "keyless", None),
        ("extra", "keyless", None), ("extra", "keyless", None),
    ])  # fmt: skip
    keys = {d.key for d in found.differences if d.table == "keyed"}
    assert keys == {"code = 00123-b", "code = 02998-a", "code = 00007-b", "code = new"}
    assert all(table.complete for table in found.tables)


def test_more_differences_than_are_shown(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many(mysql)
    run(mysql, postgres)
    postgres.execute("UPDATE keyed SET n = n + 1, body = 'z'")
    postgres.execute("DELETE FROM keyless WHERE n = 5")
    for options in ({}, {"chunk_bytes": 16_384}):
        found = run_verify(mysql, postgres, max_differences=3, **options)
        keyed, keyless = found.tables
        assert keyed.cells_different == {"body": 3000, "n": 3000}
        assert (keyed.rows_different, keyed.rows_missing, keyed.rows_extra) == (3000, 0, 0)
        assert keyless.rows_missing == 428
        assert [told(d) for d in found.differences].count(("cell", "keyed", "n")) == 3
        assert len(found.differences) == 9


def test_ranges_of_whole_numbers(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE numbers (a int, b smallint, body text, PRIMARY KEY (a, b))")
    values = ", ".join(f"({number // 3 - 200}, {number % 3 - 1}, '{number}{'y' * 50}')" for number in range(2000))
    mysql.execute(f"INSERT INTO numbers VALUES {values}")
    mysql.execute("ANALYZE TABLE numbers")
    assert run(mysql, postgres, chunk_bytes=16_384).status == "ok"
    postgres.execute("INSERT INTO numbers VALUES (-9999, 0, 'before'), (9999, 0, 'after'), (5, 100, 'between')")
    postgres.execute("DELETE FROM numbers WHERE a = 100 AND b = 0")
    found = run_verify(mysql, postgres, chunk_bytes=16_384)
    assert {(d.kind, d.key) for d in found.differences} == {
        ("extra", "a = -9999, b = 0"), ("extra", "a = 9999, b = 0"), ("extra", "a = 5, b = 100"),
        ("missing", "a = 100, b = 0"),
    }  # fmt: skip


# --- levels, the oracle, halfvec ---------------------------------------------------------------------


def test_counts_see_no_values(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many(mysql, 100)
    run(mysql, postgres)
    postgres.execute("UPDATE keyed SET n = -1")
    assert run_verify(mysql, postgres, level="counts").status == "ok"
    postgres.execute("DELETE FROM keyed WHERE code = '00001-b'")
    found = run_verify(mysql, postgres, level="counts")
    assert [(d.kind, d.table, d.source, d.target) for d in found.differences] == [
        ("count", "keyed", "100 rows", "99 rows")
    ]


def test_a_sample_sees_what_is_everywhere(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    many(mysql)
    mysql.execute("CREATE TABLE numbered (id int PRIMARY KEY, body text)")
    mysql.execute("INSERT INTO numbered SELECT n * 100000 + CAST(LEFT(code, 5) AS SIGNED), body FROM keyed")
    small: dict[str, Any] = {"chunk_bytes": 16_384}
    run(mysql, postgres, **small)
    equal = run_verify(mysql, postgres, level="sample", **small)
    assert equal.status == "ok"
    assert all(table.rows_compared < table.rows_source for table in equal.tables)
    assert any("keyless" in note for note in equal.notes)
    postgres.execute("UPDATE keyed SET n = n + 1")
    postgres.execute("UPDATE numbered SET body = body || '.'")
    found = run_verify(mysql, postgres, level="sample", **small)
    assert {told(d) for d in found.differences} == {("cell", "keyed", "n"), ("cell", "numbered", "body")}


def test_the_oracle_reads_as_many_as_it_is_asked_for(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE vectors (id int PRIMARY KEY, embedding longtext)")
    values = ", ".join(f"({number}, '{json.dumps([number + at / 7 for at in range(20)])}')" for number in range(300))
    mysql.execute(f"INSERT INTO vectors VALUES {values}")
    run(mysql, postgres, hnsw=False)
    assert [item.rows for item in run_verify(mysql, postgres).oracle] == [300]
    [some] = run_verify(mysql, postgres, oracle_rows=30).oracle
    assert 20 <= some.rows <= 40
    assert run_verify(mysql, postgres, oracle_rows=0).oracle == ()


def test_searches_are_tried_where_a_run_says_how(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE vectors (id int PRIMARY KEY, embedding longtext)")
    mysql.execute("INSERT INTO vectors VALUES (1, '[0.1,0.2,0.3]'), (2, '[3,2,1]')")
    run(mysql, postgres, embedding=["vectors.embedding:3"])
    [vector] = run_verify(mysql, postgres).vectors
    assert (vector.recall_at_10, vector.problems) == (1.0, ())
    postgres.execute(f'DROP INDEX "{vector.index}"')
    found = run_verify(mysql, postgres)
    assert (found.status, found.differences) == ("differences", ())
    assert found.vectors[0].problems == (f"the index {vector.index} is missing",)


def test_halfvec_is_rounded_and_measured(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE vectors (id int PRIMARY KEY, embedding longtext)")
    mysql.execute(
        """INSERT INTO vectors VALUES (1, '[0.1,0.2,0.3]'), (2, '{"1":1000.3,"0":-0.0,"2":1e-9}'), (3, NULL)"""
    )
    run(mysql, postgres, embedding=["vectors.embedding:3"], hnsw=False)
    postgres.execute("ALTER TABLE vectors ALTER embedding TYPE halfvec(3) USING embedding::halfvec(3)")
    found = run_verify(mysql, postgres)
    assert found.differences == ()
    [half] = found.halfvecs
    assert half.greatest_error == pytest.approx(0.2, abs=0.01)  # 1000.3 becomes 1000.5
    assert 0 < half.cosine_error < 1e-6
    postgres.execute("UPDATE vectors SET embedding = '[0.1001,0.2,0.3]' WHERE id = 1")
    assert [told(d) for d in run_verify(mysql, postgres).differences] == [("cell", "vectors", "embedding")]


# --- structure ---------------------------------------------------------------------------------------


def test_structure(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute(
        "CREATE TABLE parents (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20) NOT NULL, KEY by_name (name))"
    )
    mysql.execute(
        "CREATE TABLE children (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES parents (id))"
    )
    mysql.execute("CREATE TABLE others (id int PRIMARY KEY, a int, b int)")
    mysql.execute("INSERT INTO parents VALUES (5, 'a')")
    mysql.execute("INSERT INTO children VALUES (1, 5)")
    run(mysql, postgres)
    [(key,)] = postgres.rows(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'children'::regclass AND contype = 'f'"
    )
    postgres.execute(f"""
        ALTER TABLE children DROP CONSTRAINT "{key}";
        ALTER TABLE children ADD CONSTRAINT "{key}" FOREIGN KEY (parent) REFERENCES parents (id) NOT VALID;
        ALTER TABLE parents ALTER name DROP NOT NULL;
        ALTER TABLE others DROP COLUMN b;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_name'::regclass;
        SELECT setval(pg_get_serial_sequence('parents', 'id'), 4)""")
    found = run_verify(mysql, postgres)
    said = {(d.table, d.column, d.source, d.target) for d in found.differences}
    assert said == {
        ("children", None, f"the foreign key {key} is not validated", None),
        ("parents", None, "the index by_name is invalid", None),
        ("parents", "name", "NOT NULL", "NULL"),
        ("parents", "id", "the sequence public.parents_id_seq gives 5 next, and 5 is taken", None),
        ("others", "b", "the target has no such column", None),
    }
    postgres.execute("DROP TABLE others")
    assert ("others", "the target has no such table") in {
        (d.table, d.source) for d in run_verify(mysql, postgres).differences
    }


# --- the command -------------------------------------------------------------------------------------


def call(capsys: pytest.CaptureFixture[str], mysql: MySQLDatabase, postgres: PostgresDatabase, *more: str) -> Any:
    code = run_cli(["verify", "--source", mysql.url, "--target", postgres.url, *more])
    return code, capsys.readouterr().out


def test_the_command(
    mysql: MySQLDatabase, postgres: PostgresDatabase, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    carry(mysql, postgres)
    code, out = call(capsys, mysql, postgres, "--json", "--report", str(tmp_path))
    assert code == 0
    assert json.loads(out)["status"] == "ok"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    postgres.execute("UPDATE things SET name = 'ONE' WHERE id = 1")
    code, out = call(capsys, mysql, postgres, "--json", "--report", str(tmp_path))
    assert code == 1
    [difference] = json.loads(out)["differences"]
    assert difference == {
        "kind": "cell", "table": "things", "key": "id = 1", "column": "name", "source": "'one'", "target": "'ONE'",
    }  # fmt: skip
    assert json.loads((tmp_path / "report.json").read_text())["differences"] == [difference]
    code, out = call(capsys, mysql, postgres)
    assert code == 1
    assert "'ONE'" in out
    assert "1 with cells that differ" in out.splitlines()[-1]


def test_a_user_who_may_only_read_is_enough(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    carry(mysql, postgres)
    reader = f"reader_{postgres.database}"
    postgres.execute(f"CREATE ROLE {reader} LOGIN PASSWORD 'reader'")
    try:
        postgres.execute(f"GRANT USAGE ON SCHEMA public, vecferry TO {reader}")
        postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public, vecferry TO {reader}")
        place = postgres.url.split("@")[1]
        found = verify(load_config(source=mysql.url, target=f"postgresql://{reader}:reader@{place}"))
        assert found.differences == ()
    finally:
        postgres.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


def test_an_interrupted_call_goes_on(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE numbers (id int PRIMARY KEY, body text)")
    values = ", ".join(f"({number}, '{number:060d}')" for number in range(2000))
    mysql.execute(f"INSERT INTO numbers VALUES {values}")
    mysql.execute("ANALYZE TABLE numbers")
    config = config_for(mysql, postgres, chunk_bytes=16_384, workers=1)
    run(mysql, postgres, chunk_bytes=16_384)
    postgres.execute("UPDATE numbers SET body = '' WHERE id = 0")

    class Cut(FileJournal):
        """Is interrupted after three chunks, and hears no more of those that end meanwhile."""

        count = 0

        def record(self, *found: Any) -> None:
            self.count += 1
            if self.count <= 3:
                super().record(*found)
            if self.count == 3:
                raise KeyboardInterrupt

    with pytest.raises(Exception, match="interrupted: nothing was changed"):
        verify(config, None, Cut(tmp_path, config))
    # What was compared already is not read again, so that a new difference in it stays unseen.
    postgres.execute("UPDATE numbers SET body = '' WHERE id IN (1, 1999)")
    again = verify(config, None, FileJournal(tmp_path, config))
    assert {d.key for d in again.differences} == {"id = 0", "id = 1999"}
    assert again.tables[0].rows_compared == 2000
    assert any("by an earlier call" in note for note in again.notes)
