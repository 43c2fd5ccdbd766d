"""Turns a text into a vector through a service that the configuration names.

The request and the answer are those of OpenAI's embeddings (https://platform.openai.com/docs/api-reference/embeddings),
which many servers speak: `{"input": text, "model": name}` and `{"data": [{"embedding": [...]}]}`.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING

from vecferry.errors import UsageError, mask
from vecferry.expected import shortened
from vecferry.sections import filled, secrets_of
from vecferry.web import WebError, exchange

if TYPE_CHECKING:
    from vecferry.sections import EmbeddingEndpoint

_OK = 200


def embed(endpoint: EmbeddingEndpoint, text: str) -> list[float]:
    """Returns the vector of a text.

    Raises:
        UsageError: the service did not answer with one; the message holds no header's value.
    """
    headers = {"Content-Type": "application/json", **filled(endpoint.headers, "embedding_endpoint.headers")}
    body = json.dumps({"input": text, "model": endpoint.model}).encode()
    place = f"the embedding service {endpoint.url}"
    try:
        answer = exchange("POST", endpoint.url, headers, body, endpoint.timeout_seconds)
    except WebError as error:
        raise UsageError(f"{place} failed: {error}") from None
    said = mask(shortened(answer.body[:4096].decode("utf-8", "replace")), *secrets_of(endpoint.headers))
    if answer.status != _OK:
        raise UsageError(f"{place} answered with status {answer.status}: {said}")
    try:
        values = json.loads(answer.body)["data"][0]["embedding"]
        vector = [float(value) for value in values]
    except (ValueError, KeyError, IndexError, TypeError):
        raise UsageError(f"{place} answered with something else than data[0].embedding: {said}") from None
    if not vector or not all(map(isfinite, vector)):
        raise UsageError(f"{place} answered with a vector that is empty or not finite")
    return vector
