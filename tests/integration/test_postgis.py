"""An older PostgreSQL: shapes in PostGIS, told by its functions and MariaDB's, and all that needs no pgvector."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.integration.support import run, source_rows, target_rows
from tests.servers import install
from tests.servers.postgis import PostGIS
from vecferry import Progress
from vecferry.demo import sample
from vecferry.demo.server import ServerError
from vecferry.errors import ForbiddenError, VecferryError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MySQLDatabase, PostgresDatabase

SHAPES = {
    "point": "POINT(13.5 -52.25)",
    "linestring": "LINESTRING(0 0,1.5 2,-3 4)",
    "polygon": "POLYGON((0 0,0 9,9 9,9 0,0 0),(1 1,1 2,2 2,2 1,1 1),(5 5,5 6,6 6,6 5,5 5))",
    "multipoint": "MULTIPOINT(1 2,3 4)",
    "multilinestring": "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 5))",
    "multipolygon": "MULTIPOLYGON(((0 0,0 9,9 9,9 0,0 0),(1 1,1 2,2 2,2 1,1 1)),((20 20,20 21,21 21,20 20)))",
    "geometrycollection": "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1),MULTIPOINT(1 2,3 4))",
    "geometry": "POINT(7 8)",
}
SRIDS = (4326, 3857, 0)
NESTED = "GeometryCollection(Point(1, 2), GeometryCollection(LineString(Point(3, 4), Point(5, 6)), Point(7, 8)))"
"""By functions: MariaDB's parser of texts does not take a collection in a collection."""

TYPE_OF = """
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s
"""


def spatial_table(mysql: MySQLDatabase, key: str) -> int:
    """Makes a table with a column of each spatial type and returns how many rows it has."""
    mysql.execute(f"CREATE TABLE t (id int NOT NULL {key}, {', '.join(f'c_{kind} {kind}' for kind in SHAPES)})")
    for number, srid in enumerate(SRIDS):
        shapes = ", ".join(f"ST_GeomFromText('{text}', {srid})" for text in SHAPES.values())
        mysql.execute(f"INSERT INTO t VALUES ({number}, {shapes})")
    more = [(shape, srid) for shape in (*SHAPES.values(), "GEOMETRYCOLLECTION EMPTY") for srid in SRIDS]
    for number, (shape, srid) in enumerate(more, 10):
        mysql.execute(f"INSERT INTO t (id, c_geometry) VALUES ({number}, ST_GeomFromText('{shape}', {srid}))")
    mysql.execute(f"INSERT INTO t (id, c_geometrycollection, c_geometry) VALUES (90, {NESTED}, {NESTED})")
    mysql.execute("INSERT INTO t (id) VALUES (91)")
    return len(SRIDS) + len(more) + 2


def told(database: MySQLDatabase | PostgresDatabase, column: str, value: str = "{}") -> list[tuple[int, Any, Any]]:
    """What a server's own functions say of a column: text and SRID by id; `value` makes a geometry of the column."""
    geometry = value.format(column)
    found = database.rows(f"SELECT id, ST_AsText({geometry}), ST_SRID({geometry}) FROM t ORDER BY id")
    return [(number, None if text is None else normal(text), srid) for number, text, srid in found]


def normal(text: str) -> str:
    """Well-known text without needless spaces, its multipoints without the brackets that each point may have."""
    bare = re.sub(r"\s*([(),])\s*", r"\1", text)
    each = r"MULTIPOINT\(((?:\([^()]*\),?)+)\)"
    return re.sub(each, lambda match: f"MULTIPOINT({re.sub('[()]', '', match[1])})", bare)


def test_two_ways_to_write_a_multipoint_are_one() -> None:
    assert normal("MULTIPOINT((1 2),(3 4))") == "MULTIPOINT(1 2,3 4)"
    assert normal("GEOMETRYCOLLECTION(MULTIPOINT( (1 2), (3 4)) ,POINT(5 6))") == (
        "GEOMETRYCOLLECTION(MULTIPOINT(1 2,3 4),POINT(5 6))"
    )
    assert normal("GEOMETRYCOLLECTION(MULTIPOINT(1 2,3 4),POINT(5 6))") == (
        "GEOMETRYCOLLECTION(MULTIPOINT(1 2,3 4),POINT(5 6))"
    )
    assert normal("MULTIPOINT(1 2,3 4)") != normal("MULTIPOINT(1 2,3 5)")


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["keyed", "keyless"])
def test_every_spatial_type_arrives_as_geometry(mysql: MySQLDatabase, postgis: PostgresDatabase, key: str) -> None:
    rows = spatial_table(mysql, key)
    postgis.execute("CREATE EXTENSION postgis")
    report = run(mysql, postgis)
    assert (report.status, report.losses) == ("ok", ())
    for kind in SHAPES:
        column = f"c_{kind}"
        assert postgis.rows(TYPE_OF, ["t", column]) == [("geometry",)], kind
        here = told(mysql, column)
        assert len(here) == rows
        assert {srid for _, text, srid in here if text is not None} == set(SRIDS), kind
        assert told(postgis, column) == here, kind


def test_without_the_extension_it_is_the_same_as_bytes(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    spatial_table(mysql, "PRIMARY KEY")
    mysql.execute("CREATE TABLE indexed (id int PRIMARY KEY, place point NOT NULL, SPATIAL KEY places (place))")
    report = run(mysql, postgis)
    assert report.status == "ok"
    assert postgis.rows("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'") == [(0,)]
    assert [loss.reason for loss in report.losses] == [
        "index places is not carried: it is spatial, and the target has no PostGIS"
    ]
    for kind in SHAPES:
        assert postgis.rows(TYPE_OF, ["t", f"c_{kind}"]) == [("bytea",)], kind
    # PostGIS itself reads them, once it is there.
    postgis.execute("CREATE EXTENSION postgis")
    for kind in SHAPES:
        assert told(postgis, f"c_{kind}", "ST_GeomFromEWKB({})") == told(mysql, f"c_{kind}"), kind


def test_coordinates_arrive_to_the_last_bit(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    values = [0.1 + 0.2, -1e-300, 1.7976931348623157e308, 5e-324, 179.99999999999997, 13.404953999999998]
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, place point)")
    for number, value in enumerate(values):
        mysql.execute(f"INSERT INTO t VALUES ({number}, Point({value!r}, {-value!r}))")
    postgis.execute("CREATE EXTENSION postgis")
    assert run(mysql, postgis).status == "ok"
    found = postgis.rows("SELECT ST_X(place), ST_Y(place) FROM t ORDER BY id")
    assert [(x.hex(), y.hex()) for x, y in found] == [(value.hex(), (-value).hex()) for value in values]


def test_a_spatial_index_is_gist_and_is_used(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, place point NOT NULL, SPATIAL KEY places (place))")
    mysql.execute("INSERT INTO t SELECT seq, Point(seq % 40, seq DIV 40) FROM seq_1_to_800")
    postgis.execute("CREATE EXTENSION postgis")
    report = run(mysql, postgis)
    assert (report.status, report.losses) == ("ok", ())
    assert postgis.rows("SELECT indexdef FROM pg_indexes WHERE indexname = 'places'") == [
        ("CREATE INDEX places ON public.t USING gist (place)",)
    ]
    box = "place && ST_MakeEnvelope(3, 4, 6.5, 7.5)"
    postgis.execute("SET enable_seqscan = off")
    plan = "\n".join(line for (line,) in postgis.rows(f"EXPLAIN SELECT id FROM t WHERE {box}"))
    assert "Index Scan" in plan
    assert "places" in plan
    inside = "ST_X(place) BETWEEN 3 AND 6.5 AND ST_Y(place) BETWEEN 4 AND 7.5"
    found = postgis.rows(f"SELECT id FROM t WHERE {box} ORDER BY id")
    assert found == mysql.rows(f"SELECT id FROM t WHERE {inside} ORDER BY id")
    assert len(found) == 16


@pytest.mark.parametrize("key", ["KEY places (place)", "UNIQUE KEY places (place)", "KEY places (name, place)"])
def test_an_index_of_another_kind_is_made_or_announced(
    mysql: MySQLDatabase, postgis: PostgresDatabase, key: str
) -> None:
    mysql.execute(f"CREATE TABLE t (id int PRIMARY KEY, name varchar(9), place point NOT NULL, {key})")
    mysql.execute("INSERT INTO t VALUES (1, 'a', Point(1, 2))")
    postgis.execute("CREATE EXTENSION postgis")
    report = run(mysql, postgis)
    assert report.status == "ok"
    made = postgis.rows("SELECT count(*) FROM pg_indexes WHERE indexname = 'places'") == [(1,)]
    announced = any("index places is not carried" in loss.reason for loss in report.losses)
    assert made != announced


@pytest.mark.parametrize(
    "schemas",
    [
        "public, gis",
        "public",
    ],
)
def test_an_extension_in_a_schema_of_its_own(mysql: MySQLDatabase, postgis: PostgresDatabase, schemas: str) -> None:
    mysql.execute("CREATE TABLE t (id int PRIMARY KEY, place point)")
    mysql.execute("INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326)), (2, NULL)")
    postgis.connect().execute(f"ALTER DATABASE {postgis.database} SET search_path = {schemas}".encode())
    postgis.execute("CREATE SCHEMA gis; CREATE EXTENSION postgis SCHEMA gis")
    assert run(mysql, postgis).status == "ok"
    postgis.execute("SET search_path = public, gis")
    assert told(postgis, "place", "{}::geometry") == told(mysql, "place")


# --- columns that are there ----------------------------------------------------------------------


def existing(mysql: MySQLDatabase, postgis: PostgresDatabase, kind: str, target: str, *shapes: str) -> None:
    postgis.execute(f"CREATE EXTENSION postgis; CREATE TABLE t (id int PRIMARY KEY, place {target})")
    mysql.execute(f"CREATE TABLE t (id int PRIMARY KEY, place {kind})")
    for number, shape in enumerate(shapes, 1):
        mysql.execute(f"INSERT INTO t VALUES ({number}, {shape})")


@pytest.mark.parametrize(
    "target",
    [
        "geometry",
        "geography",
        "geometry(Point)",
        "geometry(Point,4326)",
        "geometry(Geometry,4326)",
        "geography(Point,4326)",
    ],
)
def test_points_land_in_an_existing_column(mysql: MySQLDatabase, postgis: PostgresDatabase, target: str) -> None:
    texts = ("POINT(13.4 52.5)", "POINT(-180 90)", "POINT(0 0)")
    existing(mysql, postgis, "point", target, *(f"ST_GeomFromText('{text}', 4326)" for text in texts), "NULL")
    [before] = postgis.rows(TYPE_OF, ["t", "place"])
    assert run(mysql, postgis).status == "ok"
    assert postgis.rows(TYPE_OF, ["t", "place"]) == [before]
    assert told(postgis, "place", "{}::geometry") == told(mysql, "place")


def test_points_land_in_a_native_point(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    existing(mysql, postgis, "point", "point", "Point(1.5, -2)", "ST_GeomFromText('POINT(3 4)', 4326)", "NULL")
    assert run(mysql, postgis).status == "ok"
    assert postgis.rows("SELECT place[0], place[1] FROM t ORDER BY id") == [(1.5, -2), (3, 4), (None, None)]
    assert [(x, y) for x, y in mysql.rows("SELECT ST_X(place), ST_Y(place) FROM t ORDER BY id")] == [
        (1.5, -2), (3, 4), (None, None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "shape"),
    [
        ("geometry(Point,4326)", "ST_GeomFromText('POINT(1 2)', 3857)"),
        ("geometry(Point,4326)", "ST_GeomFromText('LINESTRING(1 2,3 4)', 4326)"),
        ("geography(Point,4326)", "ST_GeomFromText('POINT(1 2)', 3857)"),
        ("geography", "ST_GeomFromText('POINT(1 2)', 3857)"),
        # PostGIS takes it and makes -60 of the 300.
        ("geography", "ST_GeomFromText('POINT(300 20)', 4326)"),
    ],
)
def test_a_shape_that_does_not_fit_is_named(
    mysql: MySQLDatabase, postgis: PostgresDatabase, target: str, shape: str
) -> None:
    existing(mysql, postgis, "geometry", target, "ST_GeomFromText('POINT(5 6)', 4326)", shape)
    with pytest.raises(VecferryError) as caught:
        run(mysql, postgis)
    sentences = [line for line in str(caught.value).splitlines() if "t.place" in line]
    assert ["id = 2" in line and "id = 1" not in line for line in sentences] == [True]
    assert postgis.rows("SELECT count(*) FROM t") == [(0,)]


def test_a_shape_that_a_native_point_cannot_hold_is_refused(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    existing(mysql, postgis, "geometry", "point", "ST_GeomFromText('LINESTRING(1 2,3 4)')")
    with pytest.raises(ForbiddenError, match=r"t\.place: geometry cannot be loaded into the target's point"):
        run(mysql, postgis)
    assert postgis.rows("SELECT count(*) FROM t") == [(0,)]


# --- the rest of the product on an older PostgreSQL, without pgvector ----------------------------------


class Notes(Progress):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)


def test_embeddings_are_refused_without_pgvector(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    sample.fill(mysql.connect(), rows=40, dimensions=24)
    with pytest.raises(ForbiddenError, match="the target has no pgvector: install it on the server of"):
        run(mysql, postgis)
    assert postgis.rows("SELECT to_regnamespace('vecferry'), to_regclass('content')") == [(None, None)]


def test_the_sample_without_its_embeddings(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    assert int(postgis.rows("SHOW server_version_num")[0][0]) < 180000
    sample.fill(mysql.connect(), rows=200, dimensions=24)
    first = run(mysql, postgis, exclude="content_embedding")
    assert first.status == "ok"
    assert {table.name: table.verified for table in first.tables} == dict.fromkeys(
        ("meta_media", "content", "qa_jobs"), "equal"
    )
    for table in first.tables:
        assert postgis.rows(f"SELECT count(*) FROM {table.name}") == mysql.rows(f"SELECT COUNT(*) FROM {table.name}")
    watch = Notes()
    again = run(mysql, postgis, watch, exclude="content_embedding")
    assert (again.status, again.run_id) == ("nothing to do", first.run_id)
    assert any("nothing is left to do" in note for note in watch.told)


AUTHOR = """
CREATE TABLE author (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(50) NOT NULL COMMENT 'as on the cover',
  email varchar(100) COLLATE utf8mb4_general_ci NOT NULL, born date NULL,
  balance decimal(10,2) NOT NULL DEFAULT 7.50, state enum('new','old') NOT NULL DEFAULT 'new', tags set('a','b'),
  seen timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), extra json,
  UNIQUE KEY by_email (email), CONSTRAINT solvent CHECK (balance >= 0)
) CHARACTER SET utf8mb4 COMMENT 'who writes'
"""
BOOK = """
CREATE TABLE book (
  id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, author_id int NOT NULL, title varchar(80) NOT NULL,
  price decimal(8,2) NOT NULL, pieces int NOT NULL, total decimal(12,2) AS (price * pieces) STORED,
  KEY by_title (title, price), CONSTRAINT written_by FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4
"""
SHELF = """
CREATE VIEW shelf AS SELECT a.name, COUNT(b.id) AS books, SUM(b.total) AS worth
FROM author a LEFT JOIN book b ON b.author_id = a.id GROUP BY a.id, a.name
"""


def library(mysql: MySQLDatabase) -> None:
    for statement in (AUTHOR, BOOK, SHELF):
        mysql.execute(statement)
    mysql.execute(
        "INSERT INTO author (id, name, email, born, tags, extra) VALUES (1, 'Ada é', 'Ada@x.org', '1815-12-10', 'a,b',"
        """ '{"k": [1, null]}'), (2, 'Bo\\'b', 'bob@x.org', NULL, NULL, NULL), (40, '🚀', 'c@x.org', NULL, '', NULL)"""
    )
    mysql.execute("INSERT INTO book (author_id, title, price, pieces) VALUES (1, 'One', 2.5, 4), (1, 'Two', 1.25, 3)")
    mysql.execute("INSERT INTO book (author_id, title, price, pieces) VALUES (40, 'Three', 9.99, 0)")


@pytest.fixture
def carried(mysql: MySQLDatabase, postgis: PostgresDatabase) -> PostgresDatabase:
    """The library, with citext."""
    library(mysql)
    report = run(mysql, postgis, ci="citext")
    assert report.status == "ok"
    assert not [loss for loss in report.losses if "not carried" in loss.reason]
    return postgis


def test_the_librarys_rows(mysql: MySQLDatabase, carried: PostgresDatabase) -> None:
    authors = [
        {**row, "tags": None if row["tags"] is None else [part for part in row["tags"].split(",") if part]}
        for row in source_rows(mysql, "author", "id")
    ]
    found = [{**row, "seen": row["seen"].replace(tzinfo=None)} for row in target_rows(carried, "author", "id")]
    assert [row.pop("extra") for row in found] == [{"k": [1, None]}, None, None]
    assert [row.pop("extra") is None for row in authors] == [False, True, True]
    assert found == authors
    assert target_rows(carried, "book", "id") == source_rows(mysql, "book", "id")
    # Text sorts by bytes in neither: the order is by numbers.
    assert target_rows(carried, "shelf", "books, worth") == source_rows(mysql, "shelf", "books, worth")
    assert run(mysql, carried, ci="citext").status == "nothing to do"


def test_the_librarys_columns_number_default_and_compute(carried: PostgresDatabase) -> None:
    [author] = carried.rows("INSERT INTO author (name, email) VALUES ('D', 'd@x.org') RETURNING id, balance, state")
    assert author[0] == 41
    assert (str(author[1]), author[2]) == ("7.50", "new")
    [book] = carried.rows(
        "INSERT INTO book (author_id, title, price, pieces) VALUES (41, 'F', 1.5, 3) RETURNING id, total::text"
    )
    assert book == (4, "4.50")
    assert carried.rows("SELECT attidentity::text FROM pg_attribute WHERE attrelid = 'book'::regclass AND attnum = 1")[
        0
    ] != ("",)
    [(before,)] = carried.rows("SELECT seen FROM author WHERE id = 2")
    carried.execute("UPDATE author SET name = 'Bobby' WHERE id = 2")
    [(after,)] = carried.rows("SELECT seen FROM author WHERE id = 2")
    assert after > before


def test_the_librarys_rules_hold(carried: PostgresDatabase) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="solvent"):
        carried.execute("UPDATE author SET balance = -1 WHERE id = 1")
    with pytest.raises(psycopg.errors.UniqueViolation, match="by_email"):
        carried.execute("INSERT INTO author (name, email) VALUES ('E', 'ADA@X.ORG')")
    assert carried.rows("SELECT id FROM author WHERE email = 'ada@x.org'") == [(1,)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="written_by"):
        carried.execute("UPDATE book SET author_id = 99")
    carried.execute("DELETE FROM author WHERE id = 1")
    assert carried.rows("SELECT title FROM book") == [("Three",)]
    assert carried.rows("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype IN ('c', 'f')") == [(True,)]
    comments = "SELECT obj_description('author'::regclass), col_description('author'::regclass, 2)"
    assert carried.rows(comments) == [("who writes", "as on the cover")]


# --- a foreign key of a partitioned table cannot be NOT VALID before PostgreSQL 18 ---------------

PARTITIONED = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent_id int) PARTITION BY RANGE (id);
CREATE TABLE child_low PARTITION OF child FOR VALUES FROM (0) TO (100);
CREATE TABLE child_high PARTITION OF child FOR VALUES FROM (100) TO (200);
CREATE INDEX by_parent ON child (parent_id);
ALTER TABLE child ADD CONSTRAINT "of parent" FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE;
"""
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1
"""


def family(mysql: MySQLDatabase, postgis: PostgresDatabase) -> list[tuple[Any, ...]]:
    """Makes an existing target with a partitioned table and returns its foreign keys."""
    mysql.execute("CREATE TABLE parent (id int PRIMARY KEY)")
    mysql.execute("CREATE TABLE child (id int PRIMARY KEY, parent_id int)")
    mysql.execute("INSERT INTO parent VALUES (1), (2)")
    mysql.execute("INSERT INTO child VALUES (1, 1), (2, NULL), (101, 2)")
    postgis.execute(PARTITIONED)
    return postgis.rows(FOREIGN_KEYS)


def test_a_foreign_key_of_a_partitioned_table_comes_back(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    before = family(mysql, postgis)
    assert run(mysql, postgis).status == "ok"
    after = postgis.rows(FOREIGN_KEYS)
    assert after == before
    assert [(table, valid) for table, _, valid, _ in after] == [
        ("child", True), ("child_high", True), ("child_low", True)
    ]  # fmt: skip
    assert postgis.rows("SELECT tableoid::regclass::text, id, parent_id FROM child ORDER BY id") == [
        ("child_low", 1, 1), ("child_low", 2, None), ("child_high", 101, 2)
    ]  # fmt: skip
    assert postgis.rows("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%%(parent_id)'") == [(3,)]


def test_orphans_of_a_partitioned_table_are_told(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    """The parent is not carried, so nobody can count them before the load."""
    before = family(mysql, postgis)
    postgis.execute("INSERT INTO parent VALUES (1)")
    watch = Notes()
    report = run(mysql, postgis, watch, tables="child")
    assert report.status == "differences"
    assert [(table.name, table.verified) for table in report.tables] == [("child", "equal")]
    assert postgis.rows("SELECT id, parent_id FROM child ORDER BY id") == [(1, 1), (2, None), (101, 2)]
    assert postgis.rows(FOREIGN_KEYS) == []
    [note, *_] = [note for note in watch.told if "of parent" in note]
    assert "the foreign key of parent of table child is broken by some rows" in note
    # The same command makes it once the rows are mended.
    assert run(mysql, postgis, tables="child").status == "differences"
    postgis.execute("INSERT INTO parent VALUES (2)")
    assert run(mysql, postgis, tables="child").status == "ok"
    assert postgis.rows(FOREIGN_KEYS) == before


def test_orphans_of_a_partitioned_table_are_refused(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    before = family(mysql, postgis)
    mysql.execute("INSERT INTO child VALUES (3, 77), (102, 78)")
    with pytest.raises(ForbiddenError, match="child: 2 rows refer to a row of parent that is not there"):
        run(mysql, postgis)
    assert postgis.rows(FOREIGN_KEYS) == before
    assert postgis.rows("SELECT count(*) FROM child") == [(0,)]


def test_kept_orphans_of_a_partitioned_table_end_no_run(mysql: MySQLDatabase, postgis: PostgresDatabase) -> None:
    before = family(mysql, postgis)
    mysql.execute("INSERT INTO child VALUES (3, 77), (102, 78)")
    watch = Notes()
    report = run(mysql, postgis, watch, on="orphan=keep")
    assert report.status == "differences"
    assert postgis.rows("SELECT count(*) FROM child") == [(5,)]
    assert any("the foreign key of parent of table child" in note for note in watch.told)
    for end in (mysql, postgis):
        end.execute("UPDATE child SET parent_id = 1 WHERE parent_id > 70")
    assert run(mysql, postgis, on="orphan=keep").status == "ok"
    assert postgis.rows(FOREIGN_KEYS) == before


# --- the server itself ---------------------------------------------------------------------------


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "_SHARE", tmp_path)
    server = PostGIS()
    with pytest.raises(ServerError) as caught:
        server.start()
    assert str(caught.value) == (
        "PostgreSQL with PostGIS is not installed: type"
        " `sudo apt-get install --no-install-recommends postgresql-postgis`"
    )
    with pytest.raises(ServerError, match="was not started"):
        assert not server.directory


@pytest.mark.parametrize("services", [True, False])
def test_no_service_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], *, services: bool
) -> None:
    """Where systemd would start what apt-get installs, the command is left to the user."""
    called = tmp_path / "called"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {called}\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("vecferry.demo.install._privileged", list)
    monkeypatch.setattr(install, "_LIBRARY", tmp_path)
    monkeypatch.setattr(install, "SERVICES", tmp_path if services else tmp_path / "none")
    assert install.main() == 2
    assert "postgresql-postgis`" in capfd.readouterr().err
    install_line = "-q install -y --no-install-recommends postgresql-postgis"
    assert (called.read_text().splitlines() if called.exists() else []) == (
        [] if services else ["-q update", install_line]
    )
