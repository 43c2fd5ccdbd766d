"""The sample application's data: its bytes, its shape, and what a test may compute about it without reading it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest

from vecferry.demo.jsnumber import number_text, vector_texts
from vecferry.demo.sample import (
    TOPICS,
    Counts,
    content_of,
    create_schema,
    fill,
    topic_of,
    topic_query_vector,
    vector_of,
)

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase

TABLES = ("meta_media", "content", "content_embedding", "qa_jobs")
ROWS = 200
SMALL = 24  # dimensions of the vectors where a test does not look at them

# float32 bits in hexadecimal, and the number in `JSON.stringify(new Float32Array([...]))` as Node.js 20 printed it:
# powers of ten and their neighbours, denormals, both zeros, integers, and a spread over all exponents.
JS_FLOAT32: dict[str, str] = json.loads(Path(__file__).with_name("js_float32.json").read_text())


def checksums(database: MySQLDatabase) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    return {table: database.rows(f"SELECT * FROM {table} ORDER BY id") for table in TABLES}


def test_numbers_are_written_as_javascript_writes_them() -> None:
    bits = np.array([int(text, 16) for text in JS_FLOAT32], dtype=np.uint32)
    values = bits.view(np.float32)
    written = [number_text(float(value)).decode() for value in values]
    assert written == list(JS_FLOAT32.values())


@pytest.mark.parametrize("width", [1, 7, 512])
def test_vectors_are_written_as_javascript_writes_them(width: int) -> None:
    bits = np.array([int(text, 16) for text in JS_FLOAT32], dtype=np.uint32)
    numbers = list(JS_FLOAT32.values())
    # Whole rows: the table is repeated from its start to fill the last one.
    places = np.arange(-(-len(bits) // width) * width).reshape(-1, width) % len(bits)
    texts = [text.decode() for text in vector_texts(bits.view(np.float32)[places])]
    expected = [",".join(f'"{i}":{numbers[place]}' for i, place in enumerate(row)) for row in places.tolist()]
    assert texts == [f"{{{text}}}" for text in expected]


def test_a_vector_of_no_dimensions_is_an_empty_object() -> None:
    assert list(vector_texts(np.empty((2, 0), dtype=np.float32))) == [b"{}", b"{}"]


def test_every_table_gets_its_proportion(mysql: MySQLDatabase) -> None:
    calls: list[tuple[int, int]] = []
    counts = fill(mysql.url, rows=ROWS, dimensions=SMALL, progress=lambda done, total: calls.append((done, total)))
    assert counts == Counts(meta_media=10, content=50, content_embedding=200, qa_jobs=20)
    for table in TABLES:
        assert mysql.rows(f"SELECT count(*) FROM {table}") == [(getattr(counts, table),)], table
    assert calls[-1] == (ROWS, ROWS)


def test_no_embeddings_still_leaves_rows_in_the_other_tables(mysql: MySQLDatabase) -> None:
    counts = fill(mysql.url, rows=0)
    assert mysql.rows("SELECT count(*) FROM content_embedding") == [(0,)]
    assert (counts.meta_media, counts.content, counts.qa_jobs) == (4, 12, 10)
    assert mysql.rows("SELECT count(*) FROM qa_jobs") == [(10,)]


def test_a_row_depends_on_its_seed_and_number_alone(mysql: MySQLDatabase) -> None:
    """Two fills with one seed are the same bytes, and a longer one begins with the rows of a shorter one."""
    seen = {}
    for name, rows, seed in (("first", 40, 7), ("again", 40, 7), ("longer", 90, 7), ("other", 40, 8)):
        for table in reversed(TABLES):
            mysql.execute(f"DROP TABLE IF EXISTS {table}")
        with mysql.connect() as connection:
            fill(connection, rows=rows, seed=seed, dimensions=SMALL)
        seen[name] = checksums(mysql)
    assert seen["first"] == seen["again"]
    for table in TABLES:
        assert set(seen["first"][table]) <= set(seen["longer"][table]), table
        assert set(seen["first"][table]).isdisjoint(seen["other"][table]), table


def test_foreign_keys_hold_and_are_named_as_typeorm_names_them(mysql: MySQLDatabase) -> None:
    fill(mysql.url, rows=ROWS, dimensions=SMALL)
    for child, column, parent in (
        ("content", "mediaId", "meta_media"),
        ("content_embedding", "contentId", "content"),
        ("qa_jobs", "contentId", "content"),
    ):
        linked = mysql.rows(f"SELECT count(*) FROM {child} c JOIN {parent} p ON p.id = c.{column}")
        given = mysql.rows(f"SELECT count({column}) FROM {child}")
        assert linked == given, child
        assert linked[0][0] > 0, child
    query = "SELECT CONSTRAINT_NAME, DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS"
    found = dict(mysql.rows(f"{query} WHERE CONSTRAINT_SCHEMA = %s", (mysql.database,)))
    assert found == {
        "FK_e1740997f3d94cee76a5174b469": "SET NULL",
        "FK_63d470d74b8b1aa5027f00cdd43": "CASCADE",
        "FK_396d0742b418a681d1d94768fc4": "SET NULL",
    }


def test_an_embedding_parses_to_the_vector_of_its_row(mysql: MySQLDatabase) -> None:
    fill(mysql.url, rows=130, seed=3)
    rows = mysql.rows("SELECT id, contentId, chunkIndex, embedding FROM content_embedding ORDER BY id")
    assert [row[0] for row in rows] == list(range(1, 131))
    for number, content, _, text in rows:
        values = orjson.loads(text)
        assert list(values) == [str(index) for index in range(1536)]
        parsed = np.array(list(values.values()), dtype=np.float64)
        assert np.array_equal(parsed, parsed.astype(np.float32)), "a number is no float32"
        assert np.array_equal(parsed.astype(np.float32).view("u4"), vector_of(number, seed=3).view("u4"))
        assert content == content_of(number)
    assert len({(row[1], row[2]) for row in rows}) == len(rows)


def test_vectors_have_length_one() -> None:
    for number in (1, 64, 65, 1_000_003):
        assert np.linalg.norm(vector_of(number).astype(np.float64)) == pytest.approx(1, abs=1e-6)


def test_nearest_rows_share_the_topic() -> None:
    matrix = np.stack([vector_of(number) for number in range(1, 1201)])
    topics = np.array([topic_of(number) for number in range(1, 1201)])
    for place, topic in enumerate(TOPICS):
        nearest = np.argsort(matrix @ topic_query_vector(topic))[::-1][:10]
        assert set(topics[nearest]) == {place}, topic
    similarity = matrix @ matrix.T
    np.fill_diagonal(similarity, -1)
    assert np.array_equal(topics[similarity.argmax(axis=1)], topics)


def test_texts_name_their_topic(mysql: MySQLDatabase) -> None:
    fill(mysql.url, rows=100, dimensions=SMALL)
    names = list(TOPICS)
    for number, chunk, slug in mysql.rows(
        "SELECT e.id, e.chunkText, c.slug FROM content_embedding e JOIN content c ON c.id = e.contentId"
    ):
        topic = names[topic_of(number)]
        assert chunk.startswith(f"{topic.capitalize()}:")
        assert slug.startswith(f"{topic}-")


def test_the_values_that_break_careless_converters_are_there(mysql: MySQLDatabase) -> None:
    fill(mysql.url, rows=800, dimensions=SMALL)

    def count(table: str, condition: str) -> int:
        (found,) = mysql.rows(f"SELECT count(*) FROM {table} WHERE {condition}")[0]
        return int(found)

    texts = "content_embedding", "chunkText"
    for character in ("é", "🚀", "日本", "'", '"', "\\", "\n", "\t", "\r\n", "\u00a0", "\u200d", "%"):
        (found,) = mysql.rows(f"SELECT count(*) FROM {texts[0]} WHERE locate(%s, {texts[1]}) > 0", (character,))[0]
        assert found > 0, character
    for table, condition in (
        ("content", "body = ''"),
        ("content", "price < 0"),
        ("content", "price IS NULL"),
        ("content", "mediaId IS NULL"),
        ("content", "tags = ''"),
        ("content", "find_in_set('ai', tags) AND find_in_set('money', tags)"),
        ("content", "publishedOn IS NULL"),
        ("content", "startsAt IS NOT NULL"),
        ("content", "microsecond(createdAt) > 0"),
        ("meta_media", "alt = ''"),
        ("meta_media", "alt IS NULL"),
        ("meta_media", "sizeBytes > 9223372036854775807"),
        ("meta_media", "length(checksum) = 16"),
        ("meta_media", "isPublic = 0"),
        ("meta_media", "`rank` < 0"),
        ("qa_jobs", "answer IS NULL"),
        ("qa_jobs", "answer = ''"),
        ("qa_jobs", "json_length(sources) > 0"),
        ("qa_jobs", "attempts = 65535"),
        ("qa_jobs", "contentId IS NULL"),
    ):
        assert count(table, condition) > 0, f"{table}: {condition}"
    assert count("content_embedding", "embedding IS NULL") == 0
    assert {row[0] for row in mysql.rows("SELECT DISTINCT status FROM content")} == {
        "draft",
        "published",
        "archived",
    }
    assert all(isinstance(json.loads(row[0]), list) for row in mysql.rows("SELECT sources FROM qa_jobs WHERE sources"))


def test_the_schema_can_be_had_without_rows(mysql: MySQLDatabase) -> None:
    with mysql.connect() as connection:
        create_schema(connection)
    query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"
    assert {row[0] for row in mysql.rows(query, (mysql.database,))} == set(TABLES)
    mysql.execute("INSERT INTO content (title, slug, body) VALUES ('t', 's', 'b')")
    (row,) = mysql.rows("SELECT status, tags, language, createdAt IS NOT NULL, updatedAt IS NOT NULL FROM content")
    assert row == ("draft", "", "en", 1, 1)


def test_the_command_line_fills_a_database(mysql: MySQLDatabase) -> None:
    command = [sys.executable, "-m", "vecferry.demo.sample", "--rows", "20", "--dimensions", "3"]
    done = subprocess.run([*command, "--url", mysql.url], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == "Wrote 4 meta_media, 12 content, 20 content_embedding, 10 qa_jobs.\n"
    assert mysql.rows("SELECT count(*) FROM content_embedding") == [(20,)]
    again = subprocess.run([*command, "--url", mysql.url], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr.startswith("The sample could not be written: ")
    assert "Traceback" not in again.stderr
