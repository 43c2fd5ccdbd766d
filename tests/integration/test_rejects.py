"""The reject store: what cannot be carried is kept, byte for byte, and lands once it is corrected."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.integration.support import config_for, read_vector, run, target_rows
from vecferry import Progress, list_rejects, make_plan, migrate, retry_rejects
from vecferry.errors import InvalidValueError
from vecferry.mapping.checks import SENTENCES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase

ROWS = 10_000
DIMENSIONS = 24


@dataclass(frozen=True)
class Fault:
    """A way in which a value is broken, and how it is mended."""

    column: str
    broken: str
    """What is assigned, in MySQL's words."""
    original: bytes | None
    reason: str
    value: Any
    """The correction, as PostgreSQL reads it."""
    lands: Any
    """What is then in the target."""
    nullable: bool = True


VECTOR = [n / 8 for n in range(DIMENSIONS)]


def embedding(text: str, reason: str, value: Any = VECTOR) -> Fault:
    return Fault("v", f"'{text}'", text.encode(), reason, value, np.array(VECTOR, np.float32).tobytes())


LONG = "x" * 30
FAULTS = [
    embedding("oops", "not-json"),
    embedding("", "not-json", json.dumps(VECTOR)),
    embedding('{"0":1,"2":2}', "missing-key", {str(n): value for n, value in enumerate(VECTOR)}),
    embedding('{"0":1,"0":2}', "duplicate-key"),
    embedding('{"a":1}', "key-out-of-range"),
    embedding("[1,2,3]", "wrong-dimension"),
    embedding('{"0":"a"}', "not-a-number"),
    embedding('{"0":1e99}', "non-finite"),
    embedding(json.dumps(VECTOR) + "x", "trailing-bytes"),
    embedding('{"0":1.5', "truncated"),
    Fault("d", "'0000-00-00'", b"0000-00-00", "zero-date", "2024-01-31", "2024-01-31"),
    Fault("d", "'2023-02-00'", b"2023-02-00", "zero-date", "2023-02-01", "2023-02-01"),
    Fault("at", "'0000-00-00 00:00:00'", b"0000-00-00 00:00:00.000000", "zero-date", None, None),
    Fault("t", "'a\\0b'", b"a\0b", "nul-byte", "a b", "a b"),
    Fault("short", f"'{LONG}'", LONG.encode(), "too-long", "short", "short"),
    Fault("n", "70000", b"70000", "out-of-range", 7, "7"),
    Fault("p", "1.239", b"1.239", "too-precise", "1.24", "1.24"),
    Fault("kind", "'c'", b"c", "unknown-label", "a", "a"),
    Fault("u", "'no uuid'", b"no uuid", "not-uuid",
          "5e9a6c1e-0b1c-4f5e-9d77-6d6f1c2b3a49", "5e9a6c1e-0b1c-4f5e-9d77-6d6f1c2b3a49"),
    Fault("must", "NULL", None, "null", "there", "there", nullable=False),
    Fault("j", r"""'{"a":"\\u0000"}'""", rb'{"a":"\u0000"}', "json-escape", '{"a": "b"}', '{"a": "b"}'),
    Fault("jt", "'not json'", b"not json", "json-text", '"not json"', '"not json"'),
    Fault("positive", "-1", None, "23514", {"positive": 1}, "1", nullable=False),
    Fault("once", "'row 17'", None, "23505", {"once": "another"}, "another", nullable=False),
    Fault("zoned", "'9999-12-31'", b"9999-12-31", "23514", {"zoned": "2024-01-01"}, "2024-01-01", nullable=False),
]  # fmt: skip


def test_each_known_reason_is_tried() -> None:
    from vecferry.convert.embeddings import Reason  # noqa: PLC0415

    known = {reason.value.replace("_", "-") for reason in Reason} | set(SENTENCES)
    # Packed values and shapes need servers that the suite does not have side by side: they have tests of their own.
    assert known - {fault.reason for fault in FAULTS} == {"partial-component", "other-shape"}


def fill(mysql: MySQLDatabase, postgres: PostgresDatabase) -> dict[int, Fault]:
    """Makes a table of 10,000 rows of which 1 % are broken, and a narrower one in the target."""
    mysql.execute(
        "CREATE TABLE e (id int PRIMARY KEY, v longtext, d date, at datetime(6), t text, short varchar(200), n int,"
        " p decimal(10,3), kind varchar(10), u char(36), must varchar(20), j json, jt longtext, positive int,"
        " once varchar(30), zoned date)"
    )
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((ROWS, DIMENSIONS)).astype(np.float32)
    rows = [
        (
            n, json.dumps({str(k): float(x) for k, x in enumerate(vectors[n])}), "2024-02-29",
            "2024-02-29 12:00:00.000001", "text", "short", n % 1000, "1.230", "ab"[n % 2],
            f"00000000-0000-0000-0000-{n:012d}", "must", '{"a": 1}', "[1]", 1, f"row {n}", "2024-01-01",
        )
        for n in range(ROWS)
    ]  # fmt: skip
    connection = mysql.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
        marks = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO e VALUES ({marks})", rows)
        broken: dict[int, Fault] = {}
        places = sorted(rng.choice(np.arange(100, ROWS), ROWS // 100, replace=False).tolist())
        for number, place in enumerate(places):
            fault = FAULTS[number % len(FAULTS)]
            if fault.reason == "23505" and fault in broken.values():
                fault = FAULTS[0]
            cursor.execute(f"UPDATE e SET {fault.column} = {fault.broken} WHERE id = {place}")
            broken[place] = fault
    postgres.execute("CREATE EXTENSION vector")
    postgres.execute(
        f"CREATE TYPE kinds AS ENUM ('a', 'b'); CREATE TABLE e (id int PRIMARY KEY, v vector({DIMENSIONS}), d date,"
        " at timestamp(6), t text, short varchar(20), n smallint, p numeric(10,2), kind kinds, u uuid,"
        " must varchar(20) NOT NULL, j jsonb, jt jsonb, positive int CHECK (positive > 0), once varchar(30) UNIQUE,"
        " zoned date CONSTRAINT near CHECK (zoned < '3000-01-01'))"
    )
    return broken


def stored(postgres: PostgresDatabase) -> dict[int, tuple[Any, ...]]:
    found = postgres.rows(
        "SELECT (key->>'id')::int, table_name, column_name, reason, original, action FROM vecferry.reject ORDER BY id"
    )
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def expected(broken: dict[int, Fault], *, null: bool = False) -> dict[int, tuple[Any, ...]]:
    return {
        place: (
            "e", None if fault.reason in {"23514", "23505"} else fault.column, fault.reason,
            None if fault.reason in {"23514", "23505"} else fault.original,
            "null" if null and fault.nullable else "reject",
        )
        for place, fault in broken.items()
    }  # fmt: skip


def correct(postgres: PostgresDatabase, source: MySQLDatabase, broken: dict[int, Fault]) -> None:
    """Lands everything by corrected values, and looks at each."""
    config = config_for(source, postgres)
    values = {entry["id"]: broken[entry["key"]["id"]].value for entry in list_rejects(config)}
    result = retry_rejects(config, values)
    assert result.to_json() == {"landed": len(broken), "not_corrected": 0, "refused": []}
    assert postgres.rows("SELECT count(*) FROM vecferry.reject") == [(0,)]
    for place, fault in broken.items():
        [(found,)] = postgres.rows(f"SELECT {fault.column}::text FROM e WHERE id = {place}")
        assert (read_vector(found).tobytes() if fault.column == "v" else found) == fault.lands
    read = "SELECT sum(rows_read), sum(rows_written), sum(rows_rejected) FROM vecferry.chunk"
    assert postgres.rows(read) == [(ROWS, ROWS, 0)]
    assert postgres.rows("SELECT count(*) FROM e") == [(ROWS,)]


def test_rows_that_cannot_be_carried_are_kept_and_land_when_corrected(
    mysql: MySQLDatabase, postgres: PostgresDatabase
) -> None:
    broken = fill(mysql, postgres)
    report = run(mysql, postgres, on_invalid="reject", chunk_bytes="256KB", embedding=f"e.v:{DIMENSIONS}")
    assert report.status == "rejected"
    assert stored(postgres) == expected(broken)
    [table] = report.tables
    assert (table.rows_source, table.rows_target, table.rows_rejected) == (ROWS, ROWS - len(broken), len(broken))
    assert table.verified == "equal"
    assert sum(entry.count for entry in report.rejects) == len(broken)
    ledger = "SELECT sum(rows_read), sum(rows_written), sum(rows_rejected) FROM vecferry.chunk"
    assert postgres.rows(ledger) == [(ROWS, ROWS - len(broken), len(broken))]
    there = {row[0] for row in postgres.rows("SELECT id FROM e")}
    assert there == set(range(ROWS)) - set(broken)
    assert run(mysql, postgres, on_invalid="reject", embedding=f"e.v:{DIMENSIONS}").status == "rejected"
    correct(postgres, mysql, broken)
    assert run(mysql, postgres, on_invalid="reject", embedding=f"e.v:{DIMENSIONS}").status == "nothing to do"


def test_values_that_cannot_be_carried_become_null_and_land_when_corrected(
    mysql: MySQLDatabase, postgres: PostgresDatabase
) -> None:
    broken = fill(mysql, postgres)
    report = run(mysql, postgres, on_invalid="null", chunk_bytes="256KB", embedding=f"e.v:{DIMENSIONS}")
    assert report.status == "rejected"
    assert stored(postgres) == expected(broken, null=True)
    out = sum(not fault.nullable for fault in broken.values())
    assert report.tables[0].rows_rejected == out
    for place, fault in broken.items():
        found = postgres.rows(f"SELECT {fault.column} FROM e WHERE id = {place}")
        assert found == ([(None,)] if fault.nullable else [])
    correct(postgres, mysql, broken)


def test_rows_that_were_corrected_in_the_source_land(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    broken = fill(mysql, postgres)
    options: dict[str, Any] = {"on_invalid": "reject", "embedding": f"e.v:{DIMENSIONS}"}
    run(mysql, postgres, **options)
    healthy = next(place for place in range(ROWS) if place not in broken)
    mended = [place for place, fault in broken.items() if fault.reason != "23505"]
    mysql.execute(
        "UPDATE e JOIN (SELECT * FROM e WHERE id = %s) AS good SET e.v = good.v, e.d = good.d, e.at = good.at,"
        " e.t = good.t, e.short = good.short, e.n = good.n, e.p = good.p, e.kind = good.kind, e.u = good.u,"
        " e.must = good.must, e.j = good.j, e.jt = good.jt, e.positive = 1, e.zoned = good.zoned"
        f" WHERE e.id IN ({', '.join(map(str, mended))})",
        [healthy],
    )
    gone = mended.pop()
    mysql.execute(f"DELETE FROM e WHERE id = {gone}")
    result = retry_rejects(config_for(mysql, postgres))
    assert result.landed == len(mended)
    assert len(result.refused) == 2
    assert any(f"id = {gone} is no longer in the source" in sentence for sentence in result.refused)
    assert any("duplicate key" in sentence for sentence in result.refused)
    rows = {row["id"]: row for row in target_rows(postgres, "e", "id")}
    for place in mended:
        assert {**rows[place], "id": 0, "once": ""} == {**rows[healthy], "id": 0, "once": ""}
    assert postgres.rows("SELECT count(*) FROM vecferry.reject") == [(2,)]


def test_a_run_that_stops_goes_on_with_reject(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext)")
    for n in range(300):
        mysql.execute("INSERT INTO e VALUES (%s, %s)", [n, json.dumps(VECTOR) if n != 250 else "oops"])
    options: dict[str, Any] = {"embedding": f"e.v:{DIMENSIONS}", "chunk_bytes": "4096", "workers": 1}
    with pytest.raises(InvalidValueError, match="e.v at id = 250: not an embedding .*--on-invalid reject"):
        run(mysql, postgres, **options)
    loaded = postgres.rows("SELECT ctid, id FROM e")
    assert 0 < len(loaded) < 300
    report = run(mysql, postgres, on_invalid="reject", **options)
    assert report.status == "rejected"
    assert set(loaded) <= set(postgres.rows("SELECT ctid, id FROM e"))
    assert stored(postgres) == {250: ("e", "v", "not-json", b"oops", "reject")}


@pytest.mark.parametrize("on_invalid", ["reject", "null"])
def test_the_run_ends_when_more_are_rejected_than_allowed(
    mysql: MySQLDatabase, postgres: PostgresDatabase, on_invalid: str
) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext)")
    for n in range(600):
        mysql.execute("INSERT INTO e VALUES (%s, %s)", [n, json.dumps(VECTOR) if n % 100 != 50 else "oops"])
    options: dict[str, Any] = {
        "embedding": f"e.v:{DIMENSIONS}",
        "chunk_bytes": "4096",
        "workers": 2,
        "on_invalid": on_invalid,
    }
    with pytest.raises(InvalidValueError, match="more than 5 values cannot be carried") as caught:
        run(mysql, postgres, max_rejects=5, **options)
    assert caught.value.exit_code == 5
    assert postgres.rows("SELECT count(*) <= 5 FROM vecferry.reject") == [(True,)]
    report = run(mysql, postgres, max_rejects=6, **options)
    assert report.status == "rejected"
    assert sorted(stored(postgres)) == [50, 150, 250, 350, 450, 550]


def test_a_table_without_a_key(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE e (n int, v longtext)")
    for n in range(50):
        mysql.execute("INSERT INTO e VALUES (%s, %s)", [n, json.dumps(VECTOR) if n != 40 else "oops"])
    report = run(mysql, postgres, on_invalid="reject", embedding=f"e.v:{DIMENSIONS}")
    assert report.status == "rejected"
    assert postgres.rows("SELECT key, original FROM vecferry.reject") == [(None, b"oops")]
    config = config_for(mysql, postgres)
    assert "no key to find it by in the source" in retry_rejects(config).refused[0]
    [entry] = list_rejects(config)
    assert retry_rejects(config, {entry["id"]: VECTOR}).whole
    assert postgres.rows("SELECT count(*), count(v) FROM e") == [(50, 50)]


def test_a_row_with_two_faults_lands_when_both_are_corrected(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext, t text)")
    for n in range(20):
        mysql.execute("INSERT INTO e VALUES (%s, %s, 'fine')", [n, json.dumps(VECTOR)])
    mysql.execute("UPDATE e SET v = 'oops', t = 'a\\0b' WHERE id = 7")
    options: dict[str, Any] = {"on_invalid": "reject", "embedding": f"e.v:{DIMENSIONS}"}
    assert run(mysql, postgres, **options).tables[0].rows_rejected == 1
    config = config_for(mysql, postgres)
    first, second = list_rejects(config)
    assert [(entry["column"], entry["original"]) for entry in (first, second)] == [("v", "oops"), ("t", "a\0b")]
    assert retry_rejects(config, {first["id"]: VECTOR}).to_json() == {"landed": 0, "not_corrected": 1, "refused": []}
    wrong = retry_rejects(config, {first["id"]: [1], second["id"]: "b"})
    assert "wrong" not in wrong.refused[0]
    assert "it has 1 dimensions, the column takes 24" in wrong.refused[0]
    assert retry_rejects(config, {first["id"]: VECTOR, second["id"]: "b"}).whole
    assert postgres.rows("SELECT t FROM e WHERE id = 7") == [("b",)]


@pytest.mark.parametrize("vector_load", ["wire", "cast"])
def test_retry_after_both_ways_into_a_vector_column(
    mysql: MySQLDatabase, postgres: PostgresDatabase, vector_load: str
) -> None:
    mysql.execute("CREATE TABLE e (id int PRIMARY KEY, v longtext)")
    for n in range(20):
        mysql.execute("INSERT INTO e VALUES (%s, %s)", [n, json.dumps(VECTOR) if n not in {7, 8} else "oops"])
    options: dict[str, Any] = {"embedding": f"e.v:{DIMENSIONS}", "vector_load": vector_load}
    run(mysql, postgres, on_invalid="reject", **options)
    config = config_for(mysql, postgres)
    first = next(iter(list_rejects(config)))
    assert retry_rejects(config, {first["id"]: VECTOR}).landed == 1
    mysql.execute("UPDATE e SET v = %s WHERE id = 8", [json.dumps(VECTOR)])
    assert retry_rejects(config).whole
    assert run(mysql, postgres, on_invalid="reject", **options).status == "nothing to do"


def test_a_foreign_key_holds_again_when_its_parents_have_landed(
    mysql: MySQLDatabase, postgres: PostgresDatabase
) -> None:
    mysql.execute("CREATE TABLE p (id int PRIMARY KEY, t text)")
    mysql.execute("CREATE TABLE c (id int PRIMARY KEY, p int, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id))")
    mysql.execute("INSERT INTO p VALUES (1, 'fine'), (2, 'a\\0b')")
    mysql.execute("INSERT INTO c VALUES (1, 1), (2, 2)")
    report = run(mysql, postgres, on_invalid="reject")
    assert report.status == "differences"
    assert any("c_p" in note and "id = 2" in note for note in report.notes)
    mysql.execute("UPDATE p SET t = 'ab' WHERE id = 2")
    assert retry_rejects(config_for(mysql, postgres)).whole
    assert postgres.rows("SELECT convalidated FROM pg_constraint WHERE conname = 'c_p'") == [(True,)]
    assert run(mysql, postgres, on_invalid="reject").status == "ok"


def test_a_value_that_breaks_after_the_plan(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    """No guard was planned for it: PostgreSQL's refusal is what finds it."""
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    for n in range(100):
        mysql.execute("INSERT INTO t VALUES (%s, 'fine')", [n])

    class SpoilAfterThePlan(Progress):
        def begin(self, step: str) -> None:
            if step == "load":
                mysql.execute("UPDATE t SET a = 'a\\0b' WHERE id IN (0, 41, 99)")

    report = migrate(config_for(mysql, postgres, on_invalid="reject"), SpoilAfterThePlan(), lambda _: True)
    assert stored(postgres) == dict.fromkeys((0, 41, 99), ("t", "a", "22021", b"a\x00b", "reject"))
    assert report.tables[0].rows_target == 97


def test_a_trigger_that_swallows_rows_is_no_success(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY)")
    mysql.execute("INSERT INTO t VALUES (1), (2), (3)")
    postgres.execute(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE FUNCTION two() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION two()"
    )
    report = run(mysql, postgres)
    assert (report.status, report.tables[0].verified) == ("differences", "different")


def test_the_plan_says_what_will_be_rejected(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
    mysql.execute("INSERT INTO t VALUES (1, 'a\\0b'), (2, 'fine')")
    [problem] = make_plan(config_for(mysql, postgres, estimate=False)).problems
    assert "or --on-invalid reject" in problem
    plan = make_plan(config_for(mysql, postgres, estimate=False, on_invalid="reject"))
    assert not plan.problems
    assert [(loss.column, loss.count, loss.examples) for loss in plan.losses] == [("a", 1, ("id = 1",))]
    assert "left out and kept" in plan.losses[0].reason
    refused = make_plan(config_for(mysql, postgres, estimate=False, on_invalid="reject", on="nul-byte=refuse"))
    assert len(refused.problems) == 1


def test_the_command(mysql: MySQLDatabase, postgres: PostgresDatabase, tmp_path: Path) -> None:
    mysql.execute("CREATE TABLE `a b` (id int PRIMARY KEY, b blob, t text)")
    mysql.execute("INSERT INTO `a b` VALUES (1, 'x', 'a\\0b'), (2, NULL, 'fine')")

    def vecferry(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vecferry", *arguments, "-t", postgres.url]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert vecferry("rejects", "list").returncode == 5
    done = vecferry("migrate", "-s", mysql.url, "--on-invalid", "reject", "--json")
    assert done.returncode == 1
    [entry] = json.loads(done.stdout)["rejects"]
    assert (entry["table"], entry["column"], entry["count"], entry["examples"]) == ("a b", "t", 1, ['{"id":1}'])
    shown = vecferry("rejects", "list")
    assert shown.returncode == 0
    assert "a b.t" in shown.stdout
    assert json.loads(vecferry("rejects", "list", "--json").stdout)["rejects"][0]["original"] == "a\0b"
    file = tmp_path / "rejects.jsonl"
    assert "1 reject" in vecferry("rejects", "export", str(file)).stdout
    assert file.stat().st_mode & 0o777 == 0o600
    exported = json.loads(file.read_text())
    assert exported["key"] == {"id": 1}
    untouched = vecferry("rejects", "retry", "--values", str(file))
    assert (untouched.returncode, untouched.stdout.strip()) == (1, "0 rows landed, 1 row without a corrected value")
    file.write_text("no json\n")
    wrong = vecferry("rejects", "retry", "--values", str(file))
    assert wrong.returncode == 2
    assert "line 1" in wrong.stderr
    file.write_text(json.dumps({**exported, "value": "a b"}) + "\n")
    landed = vecferry("rejects", "retry", "--values", str(file), "--json")
    assert (landed.returncode, json.loads(landed.stdout)["landed"]) == (0, 1)
    assert postgres.rows('SELECT t FROM "a b" ORDER BY id') == [("a b",), ("fine",)]
    assert "empty" in vecferry("rejects", "list").stdout


def test_mysql_5_6(mysql56: MySQLDatabase, postgres: PostgresDatabase) -> None:
    """It has no JSON_VALID: PostgreSQL tells which texts are no JSON."""
    mysql56.execute("CREATE TABLE t (id int PRIMARY KEY, d date, a text CHARACTER SET latin1, j text, b bit(3), n int)")
    with mysql56.connect().cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute(
            "INSERT INTO t VALUES (1, '2024-01-31', 'fine', '[]', 5, 1), (2, '0000-00-00', 'fine', '[]', 5, 1),"
            " (3, '2024-01-31', '\u00e9\\0b', '[]', 5, 1), (4, '2024-01-31', 'fine', '{', 5, 1),"
            " (5, '0000-00-00', 'fine', '{', 5, 1), (6, '2024-01-31', 'fine', '[]', 5, 40000)"
        )
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY, d date, a text, j jsonb, b bit(3), n smallint)")
    report = run(mysql56, postgres, on_invalid="reject")
    assert report.status == "rejected"
    found = postgres.rows("SELECT (key->>'id')::int, column_name, reason, original FROM vecferry.reject ORDER BY 1, id")
    assert found == [
        (2, "d", "zero-date", b"0000-00-00"),
        (3, "a", "nul-byte", "\u00e9\0b".encode()),
        (4, "j", "22P02", b"{"),
        (5, "d", "zero-date", b"0000-00-00"),
        (6, "n", "out-of-range", b"40000"),
    ]
    assert postgres.rows("SELECT id, b::text FROM t") == [(1, "101")]
    config = config_for(mysql56, postgres)
    [number] = [entry["id"] for entry in list_rejects(config) if entry["column"] == "n"]
    assert retry_rejects(config, {number: "one"}).to_json()["landed"] == 0
    assert len(list(list_rejects(config))) == 5
    values = {"d": "2024-02-01", "a": "b", "j": "{}", "n": 4}
    result = retry_rejects(config, {entry["id"]: values[entry["column"]] for entry in list_rejects(config)})
    # The fifth row's second fault came to light now, and is in the store with the first.
    assert (result.landed, len(result.refused)) == (4, 1)
    left = {entry["id"]: entry for entry in list_rejects(config)}
    assert [(entry["key"], entry["column"], entry["original"]) for entry in left.values()] == [
        ({"id": 5}, "d", "0000-00-00"), ({"id": 5}, "j", "{"),
    ]  # fmt: skip
    assert retry_rejects(config, {number: values[entry["column"]] for number, entry in left.items()}).whole
    assert postgres.rows("SELECT d::text, j::text FROM t WHERE id = 5") == [("2024-02-01", "{}")]


def test_shapes(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, g geometry)")
    mysql.execute(
        "INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326)),"
        " (2, ST_GeomFromText('LINESTRING(1 2, 3 4)', 4326))"
    )
    postgis.execute("CREATE EXTENSION postgis; CREATE TABLE t (id int PRIMARY KEY, g geometry(Point,4326))")
    run(mysql, postgis, on_invalid="reject")
    [(shape,)] = mysql.rows("SELECT CAST(g AS BINARY) FROM t WHERE id = 2")
    assert postgis.rows("SELECT column_name, reason, original FROM vecferry.reject") == [("g", "other-shape", shape)]
    assert postgis.rows("SELECT id, ST_AsText(g) FROM t") == [(1, "POINT(1 2)")]
    config = config_for(mysql, postgis)
    [entry] = list_rejects(config)
    assert retry_rejects(config, {entry["id"]: "SRID=4326;POINT(3 4)"}).whole
    assert postgis.rows("SELECT id, ST_AsText(g) FROM t") == [(1, "POINT(1 2)"), (2, "POINT(3 4)")]


def test_a_key_that_is_at_fault_itself(mysql: MySQLDatabase, postgres: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (d date PRIMARY KEY, a text)")
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute("INSERT INTO t VALUES ('0000-00-00', 'a'), ('2023-02-00', 'b'), ('2024-01-31', 'c')")
    assert run(mysql, postgres, on_invalid="null").tables[0].rows_rejected == 2
    config = config_for(mysql, postgres)
    assert len(retry_rejects(config).refused) == 2
    originals = {entry["original"]: entry["id"] for entry in list_rejects(config)}
    assert set(originals) == {"0000-00-00", "2023-02-00"}
    assert retry_rejects(config, {originals["2023-02-00"]: "2023-02-01", originals["0000-00-00"]: "2000-01-01"}).whole
    assert postgres.rows("SELECT d::text, a FROM t ORDER BY a") == [
        ("2000-01-01", "a"), ("2023-02-01", "b"), ("2024-01-31", "c"),
    ]  # fmt: skip
