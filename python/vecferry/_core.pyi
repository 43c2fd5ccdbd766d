# The stub is the documentation of the compiled module.
# ruff: noqa: PYI021
"""The compiled core: embeddings kept as text or packed, to float32 and to pgvector's wire form.

Columns go in and out through the Arrow PyCapsule interface: pass any object with `__arrow_c_array__`, read an
answer with `pyarrow.array()`. The input is not copied. All functions release the GIL while they work.

What is wrong with a row's data is never an exception but that row's outcome: a code, its index in `REASONS`.

| reason | when | offset of | found |
|---|---|---|---|
| `ok` | the row is an embedding | 0 | 0 |
| `null` | SQL NULL | 0 | 0 |
| `not_json` | malformed, empty, or neither an object nor an array | the byte that does not fit | 0 |
| `missing_key` | the keys have a gap | the closing bracket | the smallest missing key |
| `duplicate_key` | a key is there twice | the opening quote of the second | the key |
| `key_out_of_range` | a key is not written as a whole number is (`"a"`, `"01"`, `"-1"`) | its opening quote | 0 |
| | a key is 65,536 or more | its opening quote | the key |
| | the keys have a gap and reach beyond the dimension expected | the closing bracket | the highest key |
| `wrong_dimension` | the components are all there, but not as many as expected | the closing bracket | how many |
| `not_a_number` | a value is a string, null, a boolean, an object or an array | the value | 0 |
| `non_finite` | a value is `NaN`, `Infinity`, `-Infinity`, or rounds beyond the largest float32 | the value | 0 |
| `trailing_bytes` | something other than white space follows the closing bracket | its first byte | 0 |
| `truncated` | the text ends inside the document | its end | 0 |
| `partial_component` | a packed value's length is not a multiple of 4 | its last whole component's end | the length |

Offsets are bytes from the start of the value. The first problem in the order of the bytes is the one
reported. A key, a number and a literal are judged once they are complete, gaps and the dimension at the
closing bracket.

Two forms are read, both strict JSON: an object `{"0":0.1,"1":-2e-3}` with the keys 0 to n-1 in any order, and
an array `[0.1,-2e-3]`. Components are placed by their key. Each is the float32 nearest to its decimal text,
ties to even, rounded once: the sign of zero and subnormal numbers are kept.

A packed value is its components as little-endian float32, one after the other, without a header; it keeps their bits.
What can be wrong with one is, in this order, `partial_component`, `wrong_dimension` (offset is its end) and
`non_finite`.
"""

from typing import Protocol, final

class ArrowArray(Protocol):
    """An array that Arrow libraries can take over without a copy."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

REASONS: tuple[str, ...]
"""Outcomes by their code. 0 is `ok`, 1 is `null`, the others are what can be wrong."""

KINDS: tuple[str, ...]
"""What a row looks like, by its code: `null`, `object`, `array`, `other`."""

MAX_DIMENSIONS: int
"""16,000, the most a `vector` column takes: `VECTOR_MAX_DIM` in pgvector's `src/vector.h`."""

DEBUG: bool
"""Whether this is an unoptimised build, which is of no use for measuring."""

@final
class ParsedEmbeddings:
    """A column of embeddings and what became of each row."""

    @property
    def dimensions(self) -> int:
        """The dimension asked for; otherwise that of the first embedding, or 0 if there is none."""

    @property
    def rows(self) -> int:
        """The number of rows, nulls included."""

    @property
    def valid(self) -> int:
        """The number of rows whose outcome is `ok`."""

    @property
    def nulls(self) -> int:
        """The number of rows that are SQL NULL."""

    @property
    def first_invalid(self) -> int | None:
        """The first row (from 0) that is neither `ok` nor `null`."""

    def values(self) -> ArrowArray:
        """The embeddings, one entry a row, null where the outcome is not `ok`.

        Returns:
            `fixed_size_list<float32 not null>[dimensions]` from `parse_embeddings`, with zeros under the
            nulls, and from `packed_to_float32`; `binary` in pgvector's wire form from `embeddings_to_wire`
            and `packed_to_wire`.
        """

    def outcomes(self) -> ArrowArray:
        """What became of each row.

        Returns:
            `struct<reason: uint8, offset: uint64, found: uint32>`, one entry a row; see the module for their
            meaning.
        """

def parse_embeddings(column: ArrowArray, dimensions: int | None = None) -> ParsedEmbeddings:
    """Turns embeddings kept as text into float32.

    Args:
        column: string, large_string, string_view, binary or large_binary.
        dimensions: what every row must have, 1 to 16,000. None takes the dimension of the first row that is an
            embedding; if there is none, each row is judged by itself.

    Returns:
        The float32 values (4 bytes a component) and the outcomes.

    Raises:
        TypeError: `column` is not an Arrow column of one of these types.
        ValueError: `dimensions` is not 1 to 16,000.
    """

def embeddings_to_wire(column: ArrowArray, dimensions: int | None = None) -> ParsedEmbeddings:
    """Turns embeddings kept as text into pgvector's wire form, without the float32 column in between.

    The answer's bytes are those of `encode_vectors(parse_embeddings(column, dimensions).values())`.

    Args:
        column: as for `parse_embeddings`.
        dimensions: as for `parse_embeddings`.

    Returns:
        The vectors as `binary` (4 + 4 x dimensions bytes each) and the outcomes.

    Raises:
        TypeError: as for `parse_embeddings`.
        ValueError: as for `parse_embeddings`, or the vectors exceed the 2 GiB that a binary column can hold.
    """

def packed_to_float32(column: ArrowArray, dimensions: int) -> ParsedEmbeddings:
    """Turns packed embeddings into a float32 column.

    Args:
        column: binary or large_binary; text is taken as its bytes.
        dimensions: what every row must have, 1 to 16,000.

    Returns:
        The float32 values (4 bytes a component) and the outcomes.

    Raises:
        TypeError: as for `parse_embeddings`.
        ValueError: as for `parse_embeddings`.
    """

def packed_to_wire(column: ArrowArray, dimensions: int) -> ParsedEmbeddings:
    """Turns packed embeddings into pgvector's wire form.

    Args:
        column: as for `packed_to_float32`.
        dimensions: as for `packed_to_float32`.

    Returns:
        The vectors as `binary` (4 + 4 x dimensions bytes each) and the outcomes.

    Raises:
        TypeError: as for `parse_embeddings`.
        ValueError: as for `embeddings_to_wire`.
    """

def encode_vectors(column: ArrowArray) -> ArrowArray:
    """Encodes float32 vectors as pgvector's `vector_recv` (its `src/vector.c`) reads them.

    A vector is int16 dimensions, int16 zero, then the float32 components, all big-endian.

    Args:
        column: `fixed_size_list<float32>` of 1 to 16,000 dimensions.

    Returns:
        `binary`, one entry a row, null where the row is.

    Raises:
        TypeError: `column` is of another type.
        ValueError: a component is NaN, infinite or null (row and component are named), the dimension is not
            1 to 16,000, or the vectors exceed the 2 GiB that a binary column can hold.
    """

def sniff(column: ArrowArray) -> ArrowArray:
    """Looks at each row by itself, with no dimension expected.

    Args:
        column: as for `parse_embeddings`.

    Returns:
        `struct<kind: uint8, dimensions: uint32, reason: uint8>`, one entry a row. `kind` is an index in
        `KINDS`, told by the first byte after white space. `dimensions` is the row's if it is an embedding, or
        more than 16,000 (the reason is then `wrong_dimension`); otherwise 0. `reason` is an index in
        `REASONS`.

    Raises:
        TypeError: as for `parse_embeddings`.
    """

def plain_vectors(column: ArrowArray) -> ArrowArray:
    """Reads embeddings kept as text a second way, for verification: no code is shared with `parse_embeddings`.

    Args:
        column: as for `parse_embeddings`.

    Returns:
        `binary`, one entry a row: what `vector_send` of pgvector's `src/vector.c` would send, each component the
        float32 nearest to its decimal text; null where the row is null or no embedding.

    Raises:
        TypeError: as for `parse_embeddings`.
        ValueError: the result exceeds the 2 GiB that a binary column can hold.
    """

def plain_json(column: ArrowArray) -> ArrowArray:
    """Brings JSON texts to one form for all that PostgreSQL's jsonb takes for equal.

    Args:
        column: as for `parse_embeddings`.

    Returns:
        `binary`, one entry a row: JSON without white space, an object's keys in the order of their bytes and of equal
        ones the last, numbers as digits and exponent; null where the row is null or not one JSON value, or deeper
        than 1,000 levels.

    Raises:
        TypeError: as for `parse_embeddings`.
        ValueError: as for `plain_vectors`.
    """
