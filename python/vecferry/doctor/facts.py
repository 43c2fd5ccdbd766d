"""What was read of a database, all that the judgements know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import qualified, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Version = tuple[int, ...]


def parse_version(text: str | None) -> Version:
    """Reads `0.8.2` as (0, 8, 2); what follows a part that is no number does not count."""
    parts = []
    for part in (text or "").split("."):
        if not part.isdecimal():
            break
        parts.append(int(part))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class Server:
    """The server and this session on it.

    Attributes:
        version: PostgreSQL's.
        database: its name.
        user: who asks.
        settings: the settings that judgements ask for, by name: sizes in bytes, everything else as the server says it.
        sources: where each of them comes from (`pg_settings.source`).
        statistics_seconds: how long the server has counted the use of indexes.
        pgvector: the extension's version in this database; None where it is not there.
        schema: the extension's schema.
        available: pgvector's version on the server's disk; None where it has none.
        running: a migration of vecferry is at work on it now.
    """

    version: str
    database: str
    user: str
    settings: Mapping[str, str]
    sources: Mapping[str, str]
    statistics_seconds: float
    pgvector: str | None
    schema: str
    available: str | None
    running: bool = False

    def size(self, name: str) -> int:
        """Returns a setting that is a number of bytes, 0 where the server does not know it."""
        return int(self.settings.get(name) or 0)


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `pages` are of 8 kB. `partition` says that it is one of another table's."""

    oid: int
    schema: str
    name: str
    partitioned: bool
    partition: bool
    pages: int
    toast_pages: int
    rows: int
    """The server's estimate; -1 where it has none."""
    options: tuple[str, ...]
    toast_options: tuple[str, ...]
    analyzed: bool
    empty: bool
    key: tuple[str, ...] = ()
    """The columns of the primary key."""

    @property
    def place(self) -> str:
        """The quoted name, for statements."""
        return qualified(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that holds vectors or may hold them as text.

    Attributes:
        kind: the type's name without schema and modifier: `vector`, `halfvec`, `sparsevec`, `text`, `jsonb`...
        dimensions: as declared; None where they are not.
        storage: `pg_attribute.attstorage`.
    """

    table: int
    number: int
    name: str
    kind: str
    dimensions: int | None
    nullable: bool
    storage: str


@dataclass(frozen=True, slots=True)
class Index:
    """An HNSW or IVFFlat index, or an invalid one of any kind.

    Attributes:
        columns: numbers of the key columns, 0 for an expression.
        uses: numbers of all columns that it rests on.
        operator_class: the first key column's, without its schema.
        expression: of the key, without outer brackets' meaning; empty where the key is a column.
        predicate: of a partial index; empty otherwise.
        options: as in `WITH (...)`.
        rows: how many rows it had when it was built or last analyzed, -1 where that is not known.
        child: it belongs to an index of a partitioned table.
        building: it is being built now.
    """

    oid: int
    schema: str
    name: str
    table: int
    method: str
    valid: bool
    columns: tuple[int, ...]
    uses: tuple[int, ...]
    operator_class: str
    expression: str
    predicate: str
    definition: str
    options: tuple[str, ...]
    size: int
    rows: int
    scans: int
    partitioned: bool = False
    child: bool = False
    building: bool = False

    @property
    def place(self) -> str:
        """The quoted name, for statements."""
        return qualified(self.schema, self.name)

    @property
    def is_vector(self) -> bool:
        """Whether it serves nearest-neighbour searches."""
        return self.method in VECTOR_METHODS


VECTOR_METHODS = ("hnsw", "ivfflat", "diskann", "vchordrq", "vchordg")
"""pgvector's two, and those that other extensions have for its types."""

OPERATORS = {"cosine": "<=>", "l2": "<->", "ip": "<#>", "l1": "<+>", "hamming": "<~>", "jaccard": "<%>"}
"""The operator of each distance (https://github.com/pgvector/pgvector#querying)."""


@dataclass(frozen=True, slots=True)
class VectorSample:
    """What the rows of a vector column are: how many were looked at, NULLs, rows by dimensions, zero vectors."""

    rows: int
    nulls: int
    dimensions: tuple[tuple[int, int], ...]
    zeros: int
    sampled: str


@dataclass(frozen=True, slots=True)
class TextSample:
    """What the values of a text column are: how many were looked at, and which of them are lists of numbers."""

    values: int
    objects: int
    arrays: int
    dimensions: tuple[tuple[int, int], ...]
    sampled: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """The sequence of a column, what it gives next, and the column's greatest value."""

    schema: str
    name: str
    table: int
    column: str
    next: int
    highest: int | None
    last: int
    """The last number that the sequence has."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint that was added NOT VALID and not validated since; `kind` is `pg_constraint.contype`."""

    table: int
    name: str
    kind: str
    definition: str


@dataclass(frozen=True, slots=True)
class Query:
    """A text that searches, and where it was found; with figures where it is a statement that ran."""

    text: str
    source: str
    calls: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What vecferry's own schema holds."""

    runs: tuple[tuple[str, str, str, str], ...] = ()
    """Unfinished: id, source, schema, begun."""
    rejects: tuple[tuple[str, int, int], ...] = ()
    """Table, rows that are left out, rows that are there with a value made NULL."""


@dataclass(frozen=True)
class Facts:
    """All that was read."""

    server: Server
    tables: Mapping[int, Table] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    vectors: Mapping[tuple[int, int], VectorSample] = field(default_factory=dict)
    texts: Mapping[tuple[int, int], TextSample] = field(default_factory=dict)
    sequences: tuple[Sequence, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    queries: tuple[Query, ...] = ()
    leftovers: Leftovers = Leftovers()
    counted: bool = False
    """Statements that ran are among `queries`."""

    @cached_property
    def vector_columns(self) -> tuple[tuple[Table, Column], ...]:
        """Every column of one of pgvector's types, partitions' left out: they are their table's."""
        return tuple(self._columns(VECTOR_KINDS))

    @cached_property
    def text_columns(self) -> tuple[tuple[Table, Column], ...]:
        """Every text or JSON column, partitions' left out."""
        return tuple(self._columns(TEXT_KINDS))

    @cached_property
    def vector_tables(self) -> tuple[Table, ...]:
        """Every table with a vector column, partitions too."""
        with_vectors = {column.table for column in self.columns if column.kind in VECTOR_KINDS}
        return tuple(table for oid, table in self.tables.items() if oid in with_vectors)

    def indexes_on(self, column: Column) -> tuple[Index, ...]:
        """Returns the vector indexes that rest on a column."""
        return tuple(
            index
            for index in self.indexes
            if index.is_vector and index.table == column.table and column.number in index.uses
        )

    def _columns(self, kinds: frozenset[str]) -> Iterator[tuple[Table, Column]]:
        for column in self.columns:
            table = self.tables[column.table]
            if column.kind in kinds and not table.partition:
                yield table, column


VECTOR_KINDS = frozenset({"vector", "halfvec", "sparsevec"})
TEXT_KINDS = frozenset({"text", "varchar", "bpchar", "json", "jsonb"})


def shown(*names: str) -> str:
    """Returns names with dots between them, quoted where PostgreSQL would need it."""
    return ".".join(name if _is_plain(name) else quote(name) for name in names)


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and name == name.lower()


def operator_of(index: Index) -> str:
    """Returns the operator that an index serves, by the name of its operator class; empty where it is not known."""
    return next((sign for word, sign in OPERATORS.items() if f"_{word}_" in f"_{index.operator_class}_"), "")
