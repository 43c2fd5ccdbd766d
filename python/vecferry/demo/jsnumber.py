"""Writes float32 vectors as JavaScript's `JSON.stringify(new Float32Array(v))` does, byte for byte."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# ECMAScript's Number::toString writes a magnitude in [1e-6, 1e21) without an exponent.
_FIXED_FROM = 1e-6
_FIXED_BELOW = 1e21

# orjson finds the same shortest digits. In this range it also writes them the same way; elsewhere it changes to
# an exponent at other bounds (below 1e-5), writes 1 as 1.0 and keeps the sign of zero. Nearly all the numbers of an
# embedding lie in this range.
_ALIKE_FROM = np.float32(2e-5)
_ALIKE_BELOW = np.float32(1)


def number_text(value: float) -> bytes:
    """Return a finite number as JavaScript writes it."""
    if value == 0:
        return b"0"
    if _FIXED_FROM <= abs(value) < _FIXED_BELOW:
        text = format(Decimal(repr(value)), "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text).encode()
    mantissa, exponent = repr(value).split("e")  # Python writes 1e-07 where JavaScript writes 1e-7
    sign = exponent[0] if exponent[0] in "+-" else "+"
    return f"{mantissa}e{sign}{exponent.lstrip('+-0')}".encode()


def vector_texts(vectors: NDArray[np.float32]) -> Iterator[bytes]:
    """Yield each row of a matrix as an object with the keys "0", "1" and so on.

    Args:
        vectors: Finite float32 values, one vector a row.
    """
    wide = vectors.astype(np.float64)
    width = wide.shape[1]
    if width == 0:
        yield from (b"{}" for _ in wide)
        return
    # Keys at the even places, values at the odd ones: a row fills in the values and joins.
    parts = [b""] * (2 * width + 1)
    parts[0:-1:2] = [b'%s"%d":' % (b"," if i else b"{", i) for i in range(width)]
    parts[-1] = b"}"
    sizes = np.abs(vectors)
    others: dict[int, list[int]] = {}
    for index, place in np.argwhere((sizes < _ALIKE_FROM) | (sizes >= _ALIKE_BELOW)).tolist():
        others.setdefault(index, []).append(place)
    for index, row in enumerate(wide):
        texts = orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        for place in others.get(index, ()):
            texts[place] = number_text(float(row[place]))
        parts[1::2] = texts
        yield b"".join(parts)
