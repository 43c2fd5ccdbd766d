r"""JSON in texts: what jsonb cannot hold, what is no JSON, and what is read instead; pure.

Whole columns are only searched; a text is taken by itself once it is in question.
"""

from __future__ import annotations

import json
import re

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from vecferry.dump.values import holds
from vecferry.mapping.checks import LONE

_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_PAIRED = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F]([0-9a-fA-F]{2})?"
_HELD = r"\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})"
_LONE = re.compile(LONE)
_PAIR, _MARK, _OTHER = "\\\\", "\x01", "\x02"
"""A backslash that is escaped, and characters that no JSON text has as they are."""


def escaped_mask(values: pa.Array) -> pa.Array:
    r"""Returns which texts have `\u0000`, or half of a surrogate pair, as an escape; nulls stay."""
    if not holds(values, _ESCAPE):
        return pc.and_(pc.is_valid(values), False)
    bare = pc.replace_substring(values, _PAIR, _MARK)
    return pc.match_substring_regex(pc.replace_substring_regex(bare, _PAIRED, _OTHER), _HELD)


def without_escapes(text: str) -> str:
    r"""Returns a text with `\ufffd` in the place of each of these escapes."""
    held = text.replace(_PAIR, _MARK).replace("\\u0000", _OTHER)
    return _LONE.sub(_OTHER, held).replace(_OTHER, "\\ufffd").replace(_MARK, _PAIR)


def json_mask(values: pa.Array) -> pa.Array:
    """Returns which texts are JSON (RFC 8259), whatever PostgreSQL's types hold of it; nulls stay.

    MariaDB also refuses what is nested more than 32 deep, and MySQL more than 100; PostgreSQL takes it.
    """
    return pa.array([None if text is None else _is_json(text) for text in values.to_pylist()], pa.bool_())


def quoted(text: str) -> str:
    """Returns a text as a JSON string, as JSON_QUOTE writes it."""
    return json.dumps(text, ensure_ascii=False)


def _has_half(text: str) -> bool:
    return _LONE.search(text.replace(_PAIR, _MARK)) is not None


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    else:
        return True
    # orjson also refuses numbers that no double holds, and what is nested more than 1,024 deep.
    if _has_half(text):
        return False
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(name)
