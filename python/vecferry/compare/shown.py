"""Values as a person is shown them: shortened, around the place where two of them part; pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from vecferry.compare.digests import is_digest, shown_digest
from vecferry.compare.vectors import HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.compare.pairs import Pair

LONGEST = 60
_BEFORE = 12


def shown_pair(pair: Pair, source: Any, target: Any) -> tuple[str, str]:  # noqa: ANN401 - a value of any type
    """Returns a cell's two values in canonical form, as texts of at most about `LONGEST` characters."""
    if is_digest(source) or is_digest(target):
        return _cut(shown(pair, source), source), _cut(shown(pair, target), target)
    if pair.form in {"vector", "halfvec", "packed"} and isinstance(source, bytes) and isinstance(target, bytes):
        return _components(source, target, ">f" if pair.form != "halfvec" else ">e")
    one, other = shown(pair, source), shown(pair, target)
    if max(len(one), len(other)) <= LONGEST:
        return one, other
    start = max(0, _parting(one, other) - _BEFORE)
    return _window(one, start), _window(other, start)


def shown(pair: Pair, value: Any) -> str:  # noqa: ANN401 - a value of any type
    """Returns a value in canonical form as text, in full."""
    if value is None:
        return "NULL"
    if is_digest(value):
        return shown_digest(value)
    if pair.form == "double":
        return repr(struct.unpack("<d", struct.pack("<q", value))[0])
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace") if pair.form == "json" else f"0x{value.hex()}"
    return repr(value) if isinstance(value, str) else str(value)


def shown_row(pairs: Sequence[Pair], values: Sequence[Any]) -> str:
    """Returns a row's values as `name = value, ...`, each shortened."""
    listed = zip(pairs, values, strict=True)
    return ", ".join(f"{pair.name} = {_cut(shown(pair, value).strip(), value)}" for pair, value in listed)


def shown_key(pairs: Sequence[Pair], values: Sequence[Any]) -> str:
    """Returns a key as the plan's examples say it: `id = 7`, texts bare."""
    listed = zip(pairs, values, strict=True)
    return ", ".join(
        f"{pair.name} = {value if isinstance(value, str) else shown(pair, value)}" for pair, value in listed
    )


def _components(source: bytes, target: bytes, form: str) -> tuple[str, str]:
    width = struct.calcsize(form)
    source, target = source[HEADER:], target[HEADER:]
    if len(source) != len(target):
        return f"{len(source) // width} dimensions", f"{len(target) // width} dimensions"
    places = [at for at in range(len(source) // width) if source[at * width :][:width] != target[at * width :][:width]]
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    values = [struct.unpack(form, value[places[0] * width :][:width])[0] for value in (source, target)]
    return f"component {places[0]}{more}: {values[0]!r}", f"component {places[0]}{more}: {values[1]!r}"


def _parting(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _cut(text: str, value: Any) -> str:  # noqa: ANN401 - a value of any type
    return text if is_digest(value) else _window(text, 0)


def _window(text: str, start: int) -> str:
    cut = text[start : start + LONGEST]
    return ("..." if start else "") + cut + ("..." if start + LONGEST < len(text) else "")
