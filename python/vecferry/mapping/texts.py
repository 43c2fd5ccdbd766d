"""What a text is; pure."""

from __future__ import annotations

import orjson


def is_json(text: str) -> bool:
    """Says whether a text is one JSON value, as PostgreSQL takes it: no lone surrogates, nothing after it."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
