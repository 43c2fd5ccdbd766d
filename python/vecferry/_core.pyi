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

from collections.abc import Sequence
from os import PathLike
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

def copy_text(columns: Sequence[ArrowArray], forms: Sequence[str]) -> ArrowArray:
    r"""Writes columns as the lines of COPY's text format: tabs between values, `\\N` for a null, a newline a row.

    Values are written as the input functions of their types read them; the columns are those that COPY BINARY takes.

    | form | column |
    |---|---|
    | `bool` | bool |
    | `integer` | int16, int32, int64, uint64 |
    | `float` | float32, float64; the fewest digits that read back as the same |
    | `numeric` | decimal128, decimal256 |
    | `text` | string or binary, any of their kinds |
    | `jsonb` | the same; the first byte, which is jsonb's version, is left out |
    | `bytea`, `hex` | the same; hexadecimal digits with and without `\\x` |
    | `bit`, `inet`, `point`, `vector` | the same; what `bit_recv`, `network_recv`, `point_recv`, `vector_recv` read |
    | `text[]` | list<string> |
    | `uuid` | fixed_size_binary(16), or binary as `bytea` |
    | `date` | date32 |
    | `time` | time64[us] |
    | `timestamp`, `timestamptz` | timestamp[us], the latter in UTC |
    | `interval` | duration[us] |

    Args:
        columns: all of the same length.
        forms: how each is written.

    Returns:
        `uint8`, the bytes of all lines.

    Raises:
        TypeError: a column is not of a type that its form takes.
        ValueError: there is no such form, or a value's bytes are not what its receive function reads.
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

def plain_rows(data: bytes, fields: int, wanted: Sequence[int], backslash: bool) -> ArrowArray:
    """Reads the rows of a dump's INSERT statement a second way, for verification: no code is shared with `parse_rows`.

    Args:
        data: rows, `(1,'a'),(2,NULL)`.
        fields: how many values a row has.
        wanted: the places of those that are wanted, from 0.
        backslash: whether a backslash escapes, which it does not under `NO_BACKSLASH_ESCAPES`.

    Returns:
        `struct<binary, uint8, binary, uint8, ...>`, one entry a row: of each wanted value the bytes, and what they are:
        0 NULL, 1 a text in the statement's character set, 2 a number or word as it is written, 3 bytes.

    Raises:
        ValueError: a byte does not belong, or a row has another number of values; the place is told.
    """

class DumpError(ValueError):
    """A dump is wrong or cut: the text names the file, the line, the byte, and what was expected there."""

    offset: int
    """The byte in the decompressed file, from 0."""
    line: int
    """Its line, from 1."""

@final
class DumpSettings:
    """The session settings with which a part of a dump is read; equal by value, hashable.

    `DumpSettings(**settings.as_dict())` is the same again.
    """

    def __new__(
        cls,
        *,
        no_backslash_escapes: bool = False,
        ansi_quotes: bool = False,
        charset: str = "utf8mb4",
        time_zone: str | None = None,
        server: str | None = None,
    ) -> DumpSettings: ...
    @property
    def no_backslash_escapes(self) -> bool:
        """Whether a backslash in a string is one (`NO_BACKSLASH_ESCAPES` of `sql_mode`)."""

    @property
    def ansi_quotes(self) -> bool:
        """Whether double quotes enclose names (`ANSI_QUOTES` of `sql_mode`)."""

    @property
    def charset(self) -> str:
        """`character_set_client` in lower case: MySQL's name. Where the dump does not set it, `utf8mb4`.

        mydumper's dumps say `binary`: their strings are of each column's own character set.
        """

    @property
    def time_zone(self) -> str | None:
        """`time_zone` where the dump sets it, as it stands there."""

    @property
    def server(self) -> str | None:
        """The version of the dumped server as the dump's header gives it."""

    def as_dict(self) -> dict[str, bool | str | None]:
        """The settings as plain values."""

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

@final
class DumpPiece:
    """One statement of a dump, or, of a long INSERT, some of its rows."""

    @property
    def kind(self) -> str:
        """What it does.

        `insert` (REPLACE too), `create table`, `create view`, `create trigger`, `create procedure`, `create function`,
        `create event`, `create sequence`, `create index`, `create database`, `alter table`, `use`, `set`, `drop`,
        `lock` (UNLOCK too), otherwise `other`; an INSERT without rows of values is `other`.
        """

    @property
    def database(self) -> str | None:
        """The database of the name where it is qualified, otherwise that of the last USE."""

    @property
    def table(self) -> str | None:
        """The name of the table, view, trigger, routine, event or sequence."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Columns of an INSERT, where it lists them."""

    @property
    def start(self) -> int:
        """Where it begins in the decompressed file; of an INSERT: its first row's bracket."""

    @property
    def end(self) -> int:
        """Where it ends: before the delimiter; of an INSERT: after its last row's bracket."""

    @property
    def line(self) -> int:
        """The line of `start`, from 1."""

    @property
    def rows(self) -> int:
        """Rows of an INSERT, otherwise 0."""

    @property
    def text(self) -> str | None:
        """The statement without its delimiter, unless it is an INSERT.

        Of conditional comments it holds what the dumped server would execute.
        """

    @property
    def data(self) -> bytes | None:
        """The bytes from `start` to `end` of an INSERT, where they were asked for."""

    @property
    def settings(self) -> DumpSettings:
        """The settings in force there."""

@final
class DumpScan:
    """Goes once through a dump, statement by statement, in memory that its size does not change.

    What mysqldump, mariadb-dump, mydumper and phpMyAdmin write is read, plain, gzip, zstd or xz. Conditional comments
    (`/*!50001 ... */`) count as far as a server of the version in the dump's header would execute them.

    The properties besides `compression` tell the state after the piece that came last. Another thread may read them.
    """

    def __new__(
        cls,
        path: str | PathLike[str] | int,
        *,
        start: int = 0,
        end: int | None = None,
        line: int = 1,
        settings: DumpSettings | None = None,
        database: str | None = None,
        piece_bytes: int = 1_048_576,
        with_data: bool = False,
    ) -> DumpScan:
        """Begins a scan.

        Args:
            path: The file, or a file descriptor, which is opened anew as `/dev/fd/N`.
            start: Where to begin in the decompressed bytes: at the start of a statement.
            end: Statements that begin here or later are left out.
            line: The line of `start`.
            settings: Settings in force at `start`.
            database: The database in use at `start`.
            piece_bytes: A piece of an INSERT ends with the row that reaches so many bytes.
            with_data: Whether the pieces of INSERTs hold their bytes.

        Raises:
            OSError: The file cannot be opened.
        """

    def __iter__(self) -> DumpScan: ...
    def __next__(self) -> DumpPiece:
        """The next piece.

        Raises:
            DumpError: The file is no dump, or it ends within a statement, or its compressed data are damaged.
            OSError: The file cannot be read.
        """

    @property
    def compression(self) -> str:
        """`none`, `gzip`, `zstd` or `xz`."""

    @property
    def complete(self) -> bool:
        """Whether the last thing seen is what the writer writes last.

        That is `-- Dump completed` (of mysqlpump `-- Dump end time`), or without comments
        `SET SQL_NOTES=@OLD_SQL_NOTES`, of phpMyAdmin `SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION`. mydumper's
        files have no such line.
        """

    @property
    def writer(self) -> str | None:
        """`mysqldump`, `mariadb-dump`, `mysqlpump` or `phpmyadmin` where the header says so."""

    @property
    def size(self) -> int:
        """The place in the decompressed file.

        At the end that is its size, or with `end` the start of the first statement that was left out: a scan from
        there on, with its settings and database, goes on as this one would have.
        """

    @property
    def line(self) -> int:
        """The line of that place."""

    @property
    def digest(self) -> str:
        """XXH3 (128 bits, in hexadecimal) of the decompressed bytes between `start` and that place."""

    @property
    def database(self) -> str | None:
        """The database in use there."""

    @property
    def settings(self) -> DumpSettings:
        """The settings in force there."""

def split_points(path: str | PathLike[str], parts: int) -> list[int]:
    """Guesses at starts of statements that cut a plain file into about as many parts, for scans side by side.

    Whether a guess is right tells the scan of the part before, which got it as `end`: its `size` at the end is the
    guess, and its `settings` and `database` are those that the next part's scan began with. Otherwise the next part
    must be scanned again, from that `size` on, with these settings.

    Returns:
        Places in ascending order, without 0 and the file's size; fewer than asked for where none is found, none in a
        compressed file.

    Raises:
        OSError: The file cannot be read.
    """

@final
class DumpFile:
    """A dump's decompressed bytes at any place, for several threads."""

    def __new__(cls, path: str | PathLike[str]) -> DumpFile:
        """Opens a file.

        Raises:
            OSError: The file cannot be opened.
        """

    @property
    def compression(self) -> str:
        """`none`, `gzip`, `zstd` or `xz`."""

    def read(self, start: int, end: int) -> bytes:
        """Reads the bytes from `start` up to `end`.

        A compressed file is decompressed once for all threads, and the last 32 MiB are kept; going back further
        begins anew.

        Raises:
            OSError: The file cannot be read, or ends before.
            ValueError: `end` lies before `start`.
        """

@final
class DumpRows:
    """Rows of an INSERT, in batches."""

    def __iter__(self) -> DumpRows: ...
    def __next__(self) -> ArrowArray:
        """The next batch.

        Returns:
            A struct with one child for each wanted pair, in their order, named `0`, `1` and so on.

        Raises:
            DumpError: The bytes are no rows of so many fields, or a value cannot be what is wanted.
        """

def parse_rows(
    data: bytes,
    *,
    offset: int,
    line: int,
    fields: int,
    wanted: Sequence[tuple[int, str]],
    settings: DumpSettings,
    most_bytes: int = 8_388_608,
) -> DumpRows:
    """Reads the rows of an INSERT, `(1,'a'),(2,NULL)`.

    Args:
        data: The bytes from `start` to `end` of one or more pieces that follow each other in one INSERT.
        offset: Where they lie in the decompressed file.
        line: Their line.
        fields: How many values a row has.
        wanted: Field (from 0) and kind of each column of the answer; a field may be wanted more than once.
            `text`: string; numbers as they are written; converted from the character set of the settings or of the
            value's introducer. `text:latin1`: the same, and bytes of which the dump does not say what they are
            (`0x...`, `_binary`, any string where the settings say `binary`) are of this character set.
            `bytes`: binary, the bytes as they are, those of hexadecimal and bit literals decoded.
            `bit`: binary, eight bytes, big-endian, of an unsigned number however it is written.
            NULL is null in each.
        settings: Those of the piece.
        most_bytes: A batch ends with the row that reaches so many bytes.

    Raises:
        ValueError: A wanted field or kind does not exist.
    """
