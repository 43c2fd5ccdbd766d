"""The sample application's embeddings: every row's vector, computed from the seed and the row's id alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vecferry.demo.sample_text import TOPICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 1
DIMENSIONS = 1536
BLOCK = 64

# Which content each of 16 consecutive embeddings belongs to: contents of 1, 7, 3 and 5 chunks, in turn.
_CHUNKS = (1, 7, 3, 5)
_CONTENT_OF = np.repeat(np.arange(len(_CHUNKS)), _CHUNKS)
_CHUNK_OF = np.concatenate([np.arange(count) for count in _CHUNKS])
_PERIOD = sum(_CHUNKS)

# The noise's length against the topic's: 0.61 is the cosine of two rows of one topic, 0 of two topics.
_NOISE = 0.8

# First words of the seeds, so that a block of rows and a topic never draw the same numbers.
_ROWS, _TOPICS = 1, 2


def content_of(row_id: int) -> int:
    """Return the id of the content that embedding `row_id` is a chunk of."""
    period, place = divmod(row_id - 1, _PERIOD)
    return period * len(_CHUNKS) + int(_CONTENT_OF[place]) + 1


def chunk_of(row_id: int) -> int:
    """Return the index of embedding `row_id` among the chunks of its content."""
    return int(_CHUNK_OF[(row_id - 1) % _PERIOD])


def topic_of_content(content_id: int) -> int:
    """Return the place in `TOPICS` of a content's topic."""
    # Neighbouring ids get topics far apart; 7 has no divisor in common with the number of topics.
    return content_id * 7 % len(TOPICS)


def topic_of(row_id: int) -> int:
    """Return the place in `TOPICS` of an embedding's topic."""
    return topic_of_content(content_of(row_id))


def vector_of(row_id: int, *, seed: int = SEED, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """Return the vector of one row of content_embedding, as `fill` writes it.

    Args:
        row_id: The row's id; ids start at 1.
        seed: The seed given to `fill`.
        dimensions: The dimensions given to `fill`.
    """
    block, place = divmod(row_id - 1, BLOCK)
    vector: NDArray[np.float32] = vectors_of_block(block, seed=seed, dimensions=dimensions)[place]
    return vector


def topic_query_vector(topic: str, *, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """Return a unit vector whose nearest rows are about `topic`, one of `TOPICS`; no seed changes it."""
    vector: NDArray[np.float32] = _unit(_centroids(dimensions)[[list(TOPICS).index(topic)]])[0]
    return vector


@lru_cache(maxsize=4)
def vectors_of_block(block: int, *, seed: int, dimensions: int) -> NDArray[np.float32]:
    """Return the vectors of the ids `block * BLOCK + 1` to `(block + 1) * BLOCK`, one a row, read-only."""
    first = block * BLOCK + 1
    topics = [topic_of(row_id) for row_id in range(first, first + BLOCK)]
    vectors = _unit(_centroids(dimensions)[topics] + _NOISE * _noise((_ROWS, seed, block), BLOCK, dimensions))
    vectors.flags.writeable = False
    return vectors


@lru_cache(maxsize=4)
def _centroids(dimensions: int) -> NDArray[np.float32]:
    return _noise((_TOPICS,), len(TOPICS), dimensions)


def _noise(seed: tuple[int, ...], rows: int, dimensions: int) -> NDArray[np.float32]:
    """Return near-normal numbers of mean 0 and variance 1 / dimensions, so that a row's length is about 1.

    They are sums of four 16-bit integers from the raw bit stream, which NumPy keeps for all versions and
    machines; it promises no such thing for its normal distribution.
    """
    raw = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(rows * dimensions)
    quarters = raw.astype("<u8", copy=False).view("<u2").reshape(rows, dimensions, 4)
    sums = quarters[:, :, 0].astype(np.float32)
    for index in range(1, 4):
        sums += quarters[:, :, index]  # up to 4 * 65535: exact in float32
    sums -= np.float32(2 * 65535)
    # A uniform 16-bit integer has the variance (65536 ** 2 - 1) / 12.
    sums *= np.float32(1 / np.sqrt((65536.0**2 - 1) / 3 * dimensions))
    return sums


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to length 1."""
    wide = vectors.astype(np.float64)
    lengths = np.sqrt(np.square(wide).sum(axis=1, keepdims=True))
    unit: NDArray[np.float32] = (wide / lengths).astype(np.float32)
    return unit
