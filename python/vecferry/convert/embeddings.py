"""Embeddings kept as JSON text or packed become vectors; the compiled core is used for them here and nowhere else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from vecferry import _core


class Reason(StrEnum):
    """Why a value is not an embedding; the rules are those of the compiled core's documentation."""

    NOT_JSON = "not_json"
    MISSING_KEY = "missing_key"
    DUPLICATE_KEY = "duplicate_key"
    KEY_OUT_OF_RANGE = "key_out_of_range"
    WRONG_DIMENSION = "wrong_dimension"
    NOT_A_NUMBER = "not_a_number"
    NON_FINITE = "non_finite"
    TRAILING_BYTES = "trailing_bytes"
    TRUNCATED = "truncated"
    PARTIAL_COMPONENT = "partial_component"


_SENTENCES = {
    Reason.NOT_JSON: "it is not JSON, or neither a list nor an object",
    Reason.MISSING_KEY: "the key {found} is missing",
    Reason.DUPLICATE_KEY: "the key {found} is there twice",
    Reason.KEY_OUT_OF_RANGE: "the key {found} is not one of 0 to {last}",
    Reason.WRONG_DIMENSION: "it has {found} dimensions, the column takes {dimensions}",
    Reason.NOT_A_NUMBER: "a value in it is not a number",
    Reason.NON_FINITE: "a value in it is NaN, infinite or beyond float32",
    Reason.TRAILING_BYTES: "something follows its closing bracket",
    Reason.TRUNCATED: "the text ends before its closing bracket",
    Reason.PARTIAL_COMPONENT: "it is {found} bytes long, and a dimension takes 4",
}


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """A value that is not an embedding.

    Attributes:
        row: its place in the array, from 0.
        reason: a `Reason`.
        offset: bytes from the start of the value to the problem.
        found: the key, the dimension or the length in bytes that the reason is about, otherwise 0.
    """

    row: int
    reason: str
    offset: int
    found: int


@dataclass(frozen=True, slots=True)
class Census:
    """What the values of a text column look like.

    Attributes:
        rows: all rows.
        nulls: rows that are SQL NULL.
        objects: rows that start as a JSON object.
        arrays: rows that start as a JSON array.
        others: rows that are none of these.
        invalid: rows that are neither null nor an embedding.
        dimensions: (dimension, rows of it), the most frequent first. Lengths that no vector column takes (more than
            16,000) are listed too; their rows count as invalid.
    """

    rows: int
    nulls: int
    objects: int
    arrays: int
    others: int
    invalid: int
    dimensions: tuple[tuple[int, int], ...]


def to_wire(array: pa.Array, dimensions: int) -> tuple[pa.Array, tuple[InvalidValue, ...]]:
    """Converts text to pgvector's wire form, ready for a `vector` column.

    Args:
        array: text or binary, each value an embedding as a JSON object or array.
        dimensions: what every value must have, 1 to 16,000.

    Returns:
        A binary array, null where the value is null or no embedding, and the values that are no embedding, in order.

    Raises:
        TypeError: the array is not text or binary.
        ValueError: the dimensions are out of range, or the vectors exceed 2 GiB.
    """
    return _converted(_core.embeddings_to_wire(array, dimensions))


def to_float32(array: pa.Array, dimensions: int) -> tuple[pa.Array, tuple[InvalidValue, ...]]:
    """Converts text to float32 lists, ready for a `real[]` column.

    Args:
        array: as for `to_wire`.
        dimensions: as for `to_wire`.

    Returns:
        An array of `fixed_size_list<float32>[dimensions]`, null where the value is null or no embedding, and the
        values that are no embedding, in order.

    Raises:
        TypeError: the array is not text or binary.
        ValueError: the dimensions are out of range.
    """
    return _converted(_core.parse_embeddings(array, dimensions))


def packed_to_wire(array: pa.Array, dimensions: int) -> tuple[pa.Array, tuple[InvalidValue, ...]]:
    """Converts packed embeddings to pgvector's wire form, ready for a `vector` column.

    The packed form is what a VECTOR column holds, in MySQL since 9.0
    (https://dev.mysql.com/doc/refman/9.0/en/vector.html) and in MariaDB since 11.7
    (https://mariadb.com/kb/en/vector-overview/): float32 components, little-endian, with no header.

    Args:
        array: binary, each value a packed embedding.
        dimensions: what every value must have, 1 to 16,000. MySQL's VECTOR(n) holds shorter ones, too.

    Returns:
        As `to_wire`.

    Raises:
        TypeError: the array is not text or binary.
        ValueError: the dimensions are out of range, or the vectors exceed 2 GiB.
    """
    return _converted(_core.packed_to_wire(array, dimensions))


def packed_to_float32(array: pa.Array, dimensions: int) -> tuple[pa.Array, tuple[InvalidValue, ...]]:
    """Converts packed embeddings to float32 lists, ready for a `real[]` column.

    Args:
        array: as for `packed_to_wire`.
        dimensions: as for `packed_to_wire`.

    Returns:
        As `to_float32`.

    Raises:
        TypeError: the array is not text or binary.
        ValueError: the dimensions are out of range.
    """
    return _converted(_core.packed_to_float32(array, dimensions))


def explain(invalid: InvalidValue, dimensions: int) -> str:
    """Says in a plain sentence why a value is not an embedding of `dimensions` dimensions."""
    reason = Reason(invalid.reason)
    if reason is Reason.KEY_OUT_OF_RANGE and invalid.found == 0:
        return "a key in it is not a whole number"
    return _SENTENCES[reason].format(found=invalid.found, last=dimensions - 1, dimensions=dimensions)


def census(array: pa.Array) -> Census:
    """Looks at values of which nothing is known.

    Args:
        array: text or binary.

    Raises:
        TypeError: the array is not text or binary.
    """
    sniffed = pa.array(_core.sniff(array))
    kinds = Counter(_core.KINDS[kind] for kind in sniffed.field("kind").to_pylist())
    invalid = sum(reason >= _FIRST_FAULT for reason in sniffed.field("reason").to_pylist())
    dimensions = Counter(dimension for dimension in sniffed.field("dimensions").to_pylist() if dimension)
    return Census(
        rows=len(sniffed),
        nulls=kinds["null"],
        objects=kinds["object"],
        arrays=kinds["array"],
        others=kinds["other"],
        invalid=invalid,
        dimensions=tuple(dimensions.most_common()),
    )


_FIRST_FAULT = _core.REASONS.index("null") + 1


def _converted(parsed: _core.ParsedEmbeddings) -> tuple[pa.Array, tuple[InvalidValue, ...]]:
    values = pa.array(parsed.values())
    if parsed.first_invalid is None:
        return values, ()
    outcomes = pa.array(parsed.outcomes())
    invalid = pc.indices_nonzero(pc.greater_equal(outcomes.field("reason"), _FIRST_FAULT)).to_pylist()
    return values, tuple(_invalid(outcomes, row) for row in invalid)


def _invalid(outcomes: pa.StructArray, row: int) -> InvalidValue:
    outcome = outcomes[row].as_py()
    return InvalidValue(row, Reason(_core.REASONS[outcome["reason"]]), outcome["offset"], outcome["found"])
