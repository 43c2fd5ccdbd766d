"""The rows of the sample application: each a tuple made from the seed and the row's number alone."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from vecferry.demo.sample_text import LANGUAGES, TOPICS, Draw, sentences, words
from vecferry.demo.sample_vectors import chunk_of, content_of, topic_of_content

if TYPE_CHECKING:
    from collections.abc import Sequence


class Binary(bytes):
    """The value of a BINARY column."""


# Bytes that are not Binary are text in UTF-8 without a quote or a backslash: a vector is not copied to escape it.
Value = str | bytes | Binary | int | float | date | None
Row = tuple[Value, ...]

_NAMES = list(TOPICS)
_BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001 - DATETIME has no time zone
_TAGS = ("ai", "cloud", "data", "security", "mobile", "health", "culture", "money")
_MEDIA = (
    ("image", "image/png"),
    ("image", "image/jpeg"),
    ("video", "video/mp4"),
    ("audio", None),
    ("document", "application/pdf"),
)
_CONTENT_PER_MEDIA = 5

# The columns of the rows, in their order; a table comes after those it references.
COLUMNS = {
    "meta_media": ("`id`, `type`, `url`, `alt`, `mimeType`, `sizeBytes`, `checksum`, `isPublic`, `rank`, `createdAt`"),
    "content": (
        "`id`, `title`, `slug`, `body`, `status`, `tags`, `language`, `price`, `mediaId`, `publishedOn`, "
        "`startsAt`, `createdAt`, `updatedAt`"
    ),
    "content_embedding": "`id`, `contentId`, `chunkIndex`, `chunkText`, `embedding`, `createdAt`",
    "qa_jobs": (
        "`id`, `question`, `answer`, `status`, `sources`, `score`, `similarity`, `attempts`, "
        "`durationMs`, `contentId`, `createdAt`, `updatedAt`"
    ),
}


@dataclass(frozen=True)
class Counts:
    """How many rows each table gets."""

    meta_media: int
    content: int
    content_embedding: int
    qa_jobs: int

    @classmethod
    def of(cls, rows: int) -> Counts:
        """Return the counts for a number of embeddings: a quarter of it in content, a twentieth in media."""
        content = max(12, -(-rows // 4), content_of(rows) if rows else 0)
        return cls(
            meta_media=max(4, -(-content // _CONTENT_PER_MEDIA)),
            content=content,
            content_embedding=rows,
            # A job asks about the content of its own number: never more jobs than contents.
            qa_jobs=max(10, -(-rows // 10)),
        )


def media_row(number: int, seed: int) -> Row:
    """Return a row of meta_media."""
    draw = Draw("meta_media", seed, number)
    kind, mime_type = draw.pick(_MEDIA)
    return (
        number,
        kind,
        f"https://cdn.example.org/{kind}/{number}?v={draw.below(9)}&name=%C3%A9t%C3%A9",
        # NULL and '' are two things.
        None if draw.one_in(3) else "" if draw.one_in(3) else f"« {draw.pick(_NAMES)} » n° {number}",
        mime_type,
        # Beyond a signed 64-bit integer now and then: the column is unsigned.
        None if draw.one_in(4) else 2**64 - 1 - number if draw.one_in(20) else draw.below(2**33),
        None if draw.one_in(5) else Binary(hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=16).digest()),
        draw.below(2),
        draw.below(256) - 128,
        _moment(draw),
    )


def content_row(number: int, seed: int) -> Row:
    """Return a row of content."""
    draw = Draw("content", seed, number)
    topic = _NAMES[topic_of_content(number)]
    first, second = words(topic, draw)
    created = _moment(draw)
    title = draw.pick(
        (
            f"{topic.capitalize()}: {first} & {second}",
            f'"{first}" — the {topic} question',
            f"{topic.capitalize()} 101: l'art du {first} ✨",
            f"Why {topic} needs a {first}\\{second}",
        )
    )
    published = not draw.one_in(3)
    return (
        number,
        title,
        f"{topic}-{number}",
        "" if draw.one_in(12) else "\n\n".join(sentences(topic, 3, draw) for _ in range(1 + draw.below(3))),
        "published" if published else draw.pick(("draft", "archived")),
        ",".join(tag for tag in _TAGS if draw.one_in(3)),
        draw.pick(LANGUAGES),
        None if draw.one_in(3) else _price(draw),
        None if draw.one_in(7) else (number - 1) // _CONTENT_PER_MEDIA + 1,
        created.date() if published else None,
        created.replace(microsecond=0) + timedelta(days=30) if draw.one_in(4) else None,
        created,
        created + timedelta(seconds=draw.below(10_000_000)),
    )


def embedding_row(number: int, seed: int, vector: bytes) -> Row:
    """Return a row of content_embedding.

    Args:
        number: The row's id.
        seed: The seed of the sample.
        vector: The vector as JavaScript prints it.
    """
    draw = Draw("content_embedding", seed, number)
    content = content_of(number)
    topic = _NAMES[topic_of_content(content)]
    return (number, content, chunk_of(number), sentences(topic, 3, draw), vector, _moment(draw))


def job_row(number: int, seed: int) -> Row:
    """Return a row of qa_jobs."""
    draw = Draw("qa_jobs", seed, number)
    topic = _NAMES[topic_of_content(number)]
    first, second = words(topic, draw)
    status = draw.pick(("pending", "running", "done", "done", "done", "failed"))
    done = status == "done"
    # A version 4 UUID: random, and no order in which the rows arrive.
    key = uuid.UUID(int=draw.below(2**128), version=4)
    created = _moment(draw)
    return (
        str(key),
        f"What is the {first} in {topic}, and isn't {second} the same? 🤔",
        sentences(topic, 2, draw) if done else "" if status == "failed" else None,
        status,
        _sources(draw, number, first) if done else None,
        draw.below(10**9) / 10**9 if done else None,
        # Digits that a float holds exactly: MariaDB prints a FLOAT with six of them.
        draw.below(1000) / 1000 if done else None,
        draw.below(4) if draw.below(50) else 65535,
        None if status == "pending" else 4_294_967_295 if draw.one_in(50) else draw.below(90_000),
        None if draw.one_in(3) else number,
        created,
        created + timedelta(seconds=draw.below(1000)),
    )


def _sources(draw: Draw, number: int, word: str) -> str:
    sources: Sequence[object] = [
        {
            "contentId": number,
            "title": f'« {word} »\n"quoted" \\ 🚀',
            "score": draw.below(1000) / 1000,
            "page": None,
        }
        for _ in range(draw.below(3))
    ]
    return json.dumps(sources, ensure_ascii=draw.one_in(2))


def _price(draw: Draw) -> str:
    sign = "-" if draw.one_in(10) else ""
    return f"{sign}{draw.below(10**8)}.{draw.below(100):02}"


def _moment(draw: Draw) -> datetime:
    return _BEGIN + timedelta(microseconds=draw.below(540 * 86_400 * 10**6))
