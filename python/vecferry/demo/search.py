"""One similarity search in the migrated sample, as an application would write it."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

QUESTION = 'SELECT "chunkText" FROM content_embedding WHERE id = %(chunk)s'
NEAREST = """\
SELECT split_part(e."chunkText", ':', 1) AS topic, c.title, 1 - (e.embedding <=> q.embedding) AS similarity
FROM (SELECT embedding FROM content_embedding WHERE id = {chunk}) AS q,
     LATERAL (SELECT * FROM content_embedding WHERE id <> {chunk}
              ORDER BY embedding <=> q.embedding LIMIT {limit}) AS e
JOIN content AS c ON c.id = e."contentId"
ORDER BY similarity DESC;"""


@dataclass(frozen=True)
class Hit:
    """A chunk that the search found."""

    topic: str
    title: str
    similarity: float
    """The cosine, 1 for the same direction."""


@dataclass(frozen=True)
class Search:
    """A search that was run: psql runs the same statement."""

    sql: str
    question: str
    """The text of the stored chunk whose neighbours were asked for."""
    hits: tuple[Hit, ...]


def nearest_chunks(url: str, chunk: int = 1, limit: int = 5) -> Search:
    """Finds the stored chunks nearest to a stored chunk, by the cosine of their embeddings.

    Args:
        url: The PostgreSQL database that holds the migrated sample.
        chunk: The id of the chunk whose embedding is the question.
        limit: How many to find.
    """
    statement = NEAREST.format(chunk=int(chunk), limit=int(limit))
    with psycopg.connect(url) as connection:
        question = connection.execute(QUESTION, {"chunk": chunk}).fetchone()
        rows = connection.execute(statement.encode()).fetchall()
    return Search(statement, question[0] if question else "", tuple(Hit(*row) for row in rows))
