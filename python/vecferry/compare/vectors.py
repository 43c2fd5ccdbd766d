"""Embeddings in their canonical form, what PostgreSQL sends of a vector; the compiled core's second reader."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from vecferry import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HEADER = 4
"""Bytes before the components: int16 dimensions, int16 zero (`vector_send` in pgvector's src/vector.c, and
`halfvec_send` in its src/halfvec.c)."""


def from_text(column: pa.Array) -> pa.Array:
    """Reads embeddings kept as JSON; a text that is none stays as it is, and so equals nothing."""
    read = pa.array(_core.plain_vectors(column)).cast(pa.large_binary())
    return _or_raw(read, column)


def from_packed(column: pa.Array) -> pa.Array:
    """Reads MySQL's VECTOR: float32 with the lowest byte first."""
    values = [None if value is None else _sent(np.frombuffer(value, "<f4"), ">f4") for value in column.to_pylist()]
    return pa.array(values, pa.large_binary())


def to_half(column: pa.Array) -> pa.Array:
    """Rounds vectors to float16, as pgvector's cast to halfvec does; what is none stays."""
    values = [value if value is None or not _is_vector(value) else _sent(components(value), ">f2")
              for value in column.to_pylist()]  # fmt: skip
    return pa.array(values, pa.large_binary())


def components(value: bytes, form: str = ">f4") -> NDArray[np.floating[Any]]:
    """Returns the numbers of a vector in canonical form."""
    return np.frombuffer(value, form, offset=HEADER)


def _sent(numbers: NDArray[np.floating[Any]], form: str) -> bytes:
    with np.errstate(over="ignore"):
        return len(numbers).to_bytes(2, "big") + b"\0\0" + numbers.astype(form).tobytes()


def _is_vector(value: bytes) -> bool:
    return len(value) > HEADER and len(value) == HEADER + 4 * int.from_bytes(value[:2], "big")


def json_form(column: pa.Array) -> pa.Array:
    """Returns JSON texts in one form for all that jsonb takes for equal; a text that is no JSON stays as it is."""
    return _or_raw(pa.array(_core.plain_json(column)).cast(pa.large_binary()), column)


def is_json(text: bytes) -> bool:
    """Says whether a text is one JSON value."""
    return bool(pa.array(_core.plain_json(pa.array([text], pa.large_binary())))[0].is_valid)


def _or_raw(read: pa.Array, column: pa.Array) -> pa.Array:
    if read.null_count == column.null_count:
        return read
    return pc.coalesce(read, column.cast(pa.large_binary()))


# --- how far a halfvec is from its source ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HalfError:
    """What rounding to float16 cost."""

    greatest: float
    """The largest difference of a component."""
    cosine: float
    """The largest cosine distance of a vector from its source."""


def half_error(source: pa.Array, target: pa.Array) -> HalfError:
    """Measures halfvec values against the float32 values that they came from.

    Args:
        source: vectors of float32 in canonical form.
        target: the halfvec values of the same rows.
    """
    greatest = cosine = 0.0
    for one, other in zip(source.to_pylist(), target.to_pylist(), strict=True):
        if one is None or other is None or not _is_vector(one) or one[:HEADER] != other[:HEADER]:
            continue
        exact = components(one).astype(np.float64)
        half = components(other, ">f2").astype(np.float64)
        greatest = max(greatest, float(np.abs(exact - half).max(initial=0.0)))
        norms = float(np.linalg.norm(exact) * np.linalg.norm(half))
        if norms:
            cosine = max(cosine, 1.0 - float(exact @ half) / norms)
    return HalfError(greatest, max(0.0, cosine))


# --- the oracle ------------------------------------------------------------------------------------


def oracle(text: str, *, half: bool = False) -> bytes | None:
    """Returns what orjson reads and numpy rounds of an embedding's text; None where it is none."""
    try:
        loaded = orjson.loads(text)
        if isinstance(loaded, dict):
            # Looked up one by one, the keys take as long as the reading.
            in_order = list(loaded) == _keys(len(loaded))
            loaded = loaded.values() if in_order else [loaded[key] for key in _keys(len(loaded))]
        single: NDArray[np.float32] = np.fromiter(loaded, np.float64, len(loaded)).astype(np.float32)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return _sent(single, ">f2" if half else ">f4")


@lru_cache(maxsize=16)
def _keys(count: int) -> list[str]:
    return [str(place) for place in range(count)]


def oracle_agrees(text: str, stored: bytes | None, *, half: bool = False) -> bool:
    """Says whether a stored vector is what the oracle makes of its text.

    numpy rounds twice, to float64 and then to float32, and so may end beside the nearest float32 where the text lies
    in the middle of two; such a component is judged by its decimals.
    """
    expected = oracle(text, half=half)
    if expected is None or stored is None or expected == stored:
        return expected is not None and expected == stored
    if half or len(expected) != len(stored):
        return False
    one, other = (np.frombuffer(value, ">u4", offset=HEADER) for value in (expected, stored))
    places = np.flatnonzero(one != other).tolist()
    try:
        numbers = _decimals(text)
        return all(_nearer(numbers[place], expected, stored, place) for place in places)
    except (InvalidOperation, KeyError, IndexError, ValueError):
        return False


def _decimals(text: str) -> Sequence[Decimal]:
    import json  # noqa: PLC0415 - once in hundreds of millions of numbers

    loaded: Any = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return [loaded[str(place)] for place in range(len(loaded))] if isinstance(loaded, dict) else loaded


def _nearer(number: Decimal, expected: bytes, stored: bytes, place: int) -> bool:
    one, other = (float(components(value)[place]) for value in (expected, stored))
    if one == other:
        return False  # the two zeros
    return abs(number - Decimal(other)) < abs(number - Decimal(one))
