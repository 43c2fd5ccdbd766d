r"""A value too large to be held is told by its length and its SHA-256, whoever works them out; pure.

Both servers and this process say it alike, `\x01` and then `64000000 bytes, sha256 ...`. Of a value that the plan's
losses change, what it becomes comes along, because it cannot be worked out from a digest.
"""

from __future__ import annotations

import hashlib
import re

import orjson

Value = int | str | bytes | None

_MARK = "\x01"
_DIGEST = re.compile(rb"\x01(\d+ bytes, sha256 [0-9a-f]{64})(?:\x01(.*))?", re.DOTALL)


def digest(value: bytes | memoryview) -> bytes:
    """Returns the words for a value."""
    return f"{_MARK}{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()}".encode()


def with_losses(words: bytes, becomes: Value, kinds: tuple[str, ...]) -> bytes:
    """Returns the words for a value that arrives as another one.

    Args:
        words: of the value as it is.
        becomes: what it becomes by the losses that were announced.
        kinds: which these are.
    """
    told = becomes.decode("latin-1") if isinstance(becomes, bytes) else becomes
    return words + _MARK.encode() + orjson.dumps([told, isinstance(becomes, bytes), kinds])


def is_digest(value: object) -> bool:
    """Says whether a value in canonical form is such words."""
    return isinstance(value, str | bytes) and _DIGEST.fullmatch(_bytes(value)) is not None


def losses_of(value: str | bytes) -> tuple[Value, tuple[str, ...]] | None:
    """Returns what such words say the value becomes, and by which losses; None of any other value."""
    match = _DIGEST.fullmatch(_bytes(value))
    if match is None:
        return None
    if match[2] is None:
        return value, ()
    told, binary, kinds = orjson.loads(match[2])
    return (told.encode("latin-1") if binary else told), tuple(kinds)


def shown_digest(value: str | bytes) -> str:
    """Returns such words as a person is shown them."""
    match = _DIGEST.fullmatch(_bytes(value))
    return match[1].decode() if match else ""


def digest_words(value: str) -> str:
    """Returns PostgreSQL's expression for the words of a bytea."""
    return f"chr(1) || octet_length({value}) || ' bytes, sha256 ' || encode(sha256({value}), 'hex')"


def _bytes(value: str | bytes) -> bytes:
    return value.encode(errors="surrogatepass") if isinstance(value, str) else value
