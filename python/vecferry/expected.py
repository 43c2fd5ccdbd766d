"""Whether what was found is what was expected, and both in words; pure."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

SHOWN = 200
"""The most characters of a value that are shown."""
_MISSING = object()


def same(expected: Any, found: Any) -> bool:  # noqa: ANN401 - a value of TOML, and one of JSON or PostgreSQL
    """Returns whether a value of the configuration is what a database or a JSON answer holds.

    Numbers are equal by value, whatever their type, truth is no number, and a text is equal to any other kind of value
    (a date, a UUID, an interval) that is written so.
    """
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float | Decimal) and isinstance(found, int | float | Decimal):
        if isinstance(expected, int) and isinstance(found, int):
            return expected == found
        return math.isclose(expected, found, rel_tol=1e-9)
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return len(expected) == len(found) and all(same(*pair) for pair in zip(expected, found, strict=True))
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(same(value, found[name]) for name, value in expected.items())
    if isinstance(expected, str) and not isinstance(found, str | list | tuple | dict | int | float | None):
        return expected == str(found)
    return bool(expected == found)


def at(document: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """Returns what stands at `answer.sources.0.id`, or `MISSING` where the path leads nowhere.

    A name is taken literally first, so that `{"a.b": 1}` has a path `a.b`.
    """
    if isinstance(document, dict) and path in document:
        return document[path]
    head, dot, rest = path.partition(".")
    below = _MISSING
    if isinstance(document, dict):
        below = document.get(head, _MISSING)
    elif isinstance(document, list) and head.isascii() and head.isdecimal() and int(head) < len(document):
        below = document[int(head)]
    return at(below, rest) if dot and below is not _MISSING else below


def mismatches(document: Any, fields: dict[str, Any], present: list[str]) -> list[str]:  # noqa: ANN401 - JSON
    """Returns what a JSON document has instead of what it should, as `path = value`, in the order of the fields."""
    wrong = []
    for path, expected in fields.items():
        found = at(document, path)
        if found is _MISSING:
            wrong.append(f"no {path}")
        elif not same(expected, found):
            wrong.append(f"{path} = {shown(found)}")
    for path in present:
        found = at(document, path)
        if found is _MISSING:
            wrong.append(f"no {path}")
        elif found is None or found in ("", [], {}):
            wrong.append(f"{path} = {shown(found)}")
    return wrong


def shown(value: Any) -> str:  # noqa: ANN401 - whatever was found
    """Returns a value as JSON, cut to a length for reading."""
    return shortened(json.dumps(value, ensure_ascii=False, default=str))


def shortened(text: str) -> str:
    """Returns a text as one line, cut to a length for reading."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."
