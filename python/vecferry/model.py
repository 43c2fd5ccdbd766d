"""The words that rooms exchange: frozen values, no behaviour beyond what follows from their fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

# --- catalog: what a source server holds ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column as `information_schema.columns` of MySQL describes it."""

    name: str
    data_type: str
    """The bare type, lower case: `bigint`, `longtext`; `json` on MariaDB too, where it is an alias."""
    column_type: str
    """The type in full: `bigint(20) unsigned`, `enum('a','b')`."""
    nullable: bool
    default: str | None = None
    default_is_expression: bool = False
    """Whether `default` is an expression to compute, not the value itself."""
    extra: str = ""
    character_set: str | None = None
    collation: str | None = None
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    fraction_digits: int | None = None
    comment: str = ""
    expression: str = ""
    """What a generated column is computed from, in MySQL's words; empty where the server does not tell."""
    srid: int | None = None
    """The spatial reference system that a spatial column is declared with."""

    @property
    def unsigned(self) -> bool:
        """Whether the integer or decimal is `unsigned`."""
        return "unsigned" in self.column_type

    @property
    def auto_increment(self) -> bool:
        """Whether the server numbers the column."""
        return "auto_increment" in self.extra.lower()

    @property
    def renewed(self) -> bool:
        """Whether an UPDATE of the row sets the column to the current time."""
        return "on update" in self.extra.lower()

    @property
    def generated(self) -> bool:
        """Whether the server computes the column from others."""
        extra = self.extra.upper()
        return "GENERATED" in extra and "DEFAULT_GENERATED" not in extra


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """One column of an index; `name` is empty for an expression."""

    name: str
    prefix: int | None = None
    descending: bool = False
    expression: str = ""
    """What is indexed instead of a column, in MySQL's words."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index other than the primary key."""

    name: str
    columns: tuple[IndexColumn, ...]
    unique: bool
    kind: str = "BTREE"


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint; the clause is in MySQL's words."""

    name: str
    clause: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key with its actions."""

    name: str
    columns: tuple[str, ...]
    referenced_table: str
    referenced_columns: tuple[str, ...]
    on_update: str
    on_delete: str


@dataclass(frozen=True, slots=True)
class Table:
    """A base table; row and byte counts are the server's estimates."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    next_number: int = 1
    """What `auto_increment` gives next."""
    checks: tuple[Check, ...] = ()
    """Without the `json_valid` by which MariaDB marks a JSON column."""
    rows_estimate: int = 0
    bytes_estimate: int = 0
    comment: str = ""

    def column(self, name: str) -> Column:
        """Returns the column called `name`.

        Raises:
            KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class View:
    """A view; the definition is the SELECT that the server prints, names in it qualified with the database."""

    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a source database holds."""

    server: str
    """The server's own words for its version: `10.11.19-MariaDB`, `8.4.2`."""
    database: str
    tables: tuple[Table, ...]
    views: tuple[View, ...] = ()
    leftovers: tuple[Loss, ...] = ()
    """What belongs to the tables, or lies beside them, and is never carried: triggers, routines, events."""
    notes: tuple[str, ...] = ()
    """What the user may not see of it."""
    dump: str = ""
    """Of a dump what tells its content from any other's; empty for a server."""


# --- what a target schema holds ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of an existing table, as `pg_attribute` describes it."""

    name: str
    type: str
    """`format_type`'s words: `integer`, `character varying(36)`, `vector(1536)`; of a domain, its base type's."""
    type_kind: str
    """`pg_type.typtype`: `b` base, `e` enum, `c` composite; of a domain, its base type's."""
    nullable: bool
    has_default: bool
    identity: bool = False
    generated: bool = False
    """Whether PostgreSQL computes it: it takes no values."""
    labels: tuple[str, ...] = ()
    """An enum's labels, in order."""
    views: tuple[str, ...] = ()
    """Views that read it, so that its type cannot be changed."""


@dataclass(frozen=True, slots=True)
class TargetObject:
    """An index or foreign key of an existing table with the statement that makes it again."""

    kind: Literal["index", "foreign key"]
    table: str
    name: str
    definition: str
    then: tuple[str, ...] = ()
    """Statements that give it back what its definition does not say: a comment, CLUSTER, statistics."""


@dataclass(frozen=True, slots=True)
class TargetTable:
    """A table that exists in the target schema."""

    name: str
    columns: tuple[TargetColumn, ...]
    empty: bool
    objects: tuple[TargetObject, ...] = ()
    """Secondary indexes and foreign keys; the primary key and unique constraints are not among them."""
    triggers: tuple[str, ...] = ()
    """Enabled triggers of the user's own that a load would fire."""
    row_security: bool = False
    """Whether policies stand between the user and the rows."""


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension that the target's server has at hand."""

    name: str
    version: str
    """The version that is installed in the database, or that CREATE EXTENSION would install."""
    installed: bool


@dataclass(frozen=True, slots=True)
class TargetState:
    """What the target holds before anything is done."""

    server: str
    database: str
    extensions: tuple[Extension, ...] = ()
    """Those of `vector`, `citext` and `postgis` that are at hand."""
    tables: tuple[TargetTable, ...] = ()

    def table(self, name: str) -> TargetTable | None:
        """Returns the table called `name`, in that case, if there is one."""
        return next((table for table in self.tables if table.name == name), None)

    def extension(self, name: str) -> Extension | None:
        """Returns the extension called `name`, if it is at hand."""
        return next((extension for extension in self.extensions if extension.name == name), None)


# --- plan: the frozen decisions of one run -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column is read, converted and written."""

    name: str
    """Its name in the target, under which it is read, too."""
    select: str
    """The expression of the SELECT list that the driver carries without loss."""
    read_type: str
    """The kind of value that `select` yields, a key of `convert.values.READ_TYPES`."""
    target_type: str
    """PostgreSQL's type in full, without a collation."""
    wire: str
    """The kind of wire column, a key of `convert.values.ENCODERS`."""
    nullable: bool
    identity: bool = False
    default: str | None = None
    """The DEFAULT clause's expression in PostgreSQL's words, for a table that is created."""
    source: str = ""
    """Its name in the source where that is another one."""
    repairs: tuple[tuple[str, str], ...] = ()
    """What `select` does to values that do not fit, as kinds of `mapping.checks` with a policy each, in its order: for
    a source that cannot be asked in MySQL's words."""
    labels: tuple[str, ...] = ()
    """The labels of an enum type that is there already, in order."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Values of a column that the target cannot hold, to be set aside while rows are read."""

    column: str
    """The column's name in the target."""
    reason: str
    """The kind of value, a key of `mapping.checks.SENTENCES`."""
    message: str
    """What such a value is, for a person."""
    condition: str
    """True of the rows in question, in MySQL's words."""
    original: str
    """The expression of the value's own bytes, in MySQL's words."""


@dataclass(frozen=True, slots=True)
class EmbeddingSpec:
    """An embedding column: which, how long, and how it is indexed; names are the target's."""

    table: str
    column: str
    dimensions: int
    distance: Literal["cosine", "l2", "ip"]
    index: str | None
    """The name of the HNSW index; None where none is wanted."""
    statement: str | None
    """The statement that builds the index."""


MAX_VECTOR = 16_000
"""Most dimensions of pgvector's `vector` (`VECTOR_MAX_DIM` in its src/vector.h)."""
MAX_HNSW_VECTOR = 2_000
"""Most dimensions of `vector` under HNSW (`HNSW_MAX_DIM` in its src/hnsw.h)."""
MAX_HNSW_HALFVEC = 4_000
"""Most dimensions of `halfvec` under HNSW (`HNSW_MAX_DIM * 2` in its src/hnswutils.c)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A key range of one table, the unit of work: `lower < key <= upper`, None for an open end.

    Bounds are SQL literals in MySQL's words, one per key column, so that a chunk is text alone.
    """

    table: str
    number: int
    lower: tuple[str, ...] | None = None
    upper: tuple[str, ...] | None = None
    rows: int = 0
    """An estimate."""
    part: Part | None = None
    """Where its rows are in a dump, which is not cut by keys."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table in one file of a dump, written alike."""

    file: str
    """The file's name in the dump's directory."""
    columns: tuple[str, ...]
    """What the values of each row are of, in order."""
    settings: tuple[tuple[str, bool | str | None], ...]
    """How the rows are to be read, the fields of `_core.DumpSettings`."""
    pieces: tuple[tuple[int, int, int, int], ...]
    """Of each run of rows its start and end in bytes of the uncompressed file, its line and its number of rows."""


@dataclass(frozen=True, slots=True)
class DdlObject:
    """What a statement makes besides a table; names are the target's."""

    kind: Literal["type", "function", "primary key", "unique", "index", "check", "foreign key", "view"]
    table: str
    """The table that it belongs to; empty for a view."""
    name: str
    statement: str
    then: tuple[str, ...] = ()
    """Statements that follow it in the same transaction."""


@dataclass(frozen=True, slots=True)
class SequencePlan:
    """An auto-numbered column whose sequence is set past the maximum; names are the target's."""

    table: str
    column: str
    next_number: int = 1
    """What the source gives next; the numbers of deleted rows are not given again."""


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What happens to one table."""

    name: str
    """Its name in the source, in the ledger and in the report."""
    target: str
    """Its name in the target: the same, unless PostgreSQL would cut it."""
    columns: tuple[ColumnPlan, ...]
    key: tuple[str, ...]
    """The columns that chunks are ranges of; empty for a table without a usable key."""
    chunks: tuple[Chunk, ...]
    rows_estimate: int
    bytes_estimate: int
    create: str | None
    """The CREATE TABLE statement; None where the table exists."""
    requires: tuple[DdlObject, ...] = ()
    """Enum types and trigger functions that a created table needs."""
    finish: tuple[str, ...] = ()
    """Statements that belong to CREATE TABLE: comments, triggers."""
    before: tuple[str, ...] = ()
    """Statements that make an existing table ready: objects dropped, columns altered to `vector`."""
    casts: tuple[str, ...] = ()
    """Statements after the load that turn `real[]` into `vector`, under `--vector-load cast`."""
    after: tuple[DdlObject, ...] = ()
    row_bytes: int = 0
    """The mean size of a row's values, sampled, in bytes."""
    guards: tuple[Guard, ...] = ()
    """What is set aside while rows are read, under `--on-invalid reject` and `null`."""
    described: Table | None = None
    """The source's own description, where values are read from the text of a dump."""

    @property
    def reads(self) -> tuple[ColumnPlan, ...]:
        """What is read of a row: its columns, then of each guard whether the row is in question, and the bytes."""
        extra = []
        for number, guard in enumerate(self.guards):
            flag, original = f"CASE WHEN {guard.condition} THEN 1 ELSE 0 END", guard.original
            kept = f"CASE WHEN {guard.condition} THEN {original} END"
            extra.append(ColumnPlan(f"vecferry_guard_{number}", flag, "int64", "bigint", "int64", nullable=False))
            extra.append(ColumnPlan(f"vecferry_original_{number}", kept, "binary", "bytea", "bytea", nullable=True))
        return (*self.columns, *extra)


@dataclass(frozen=True, slots=True)
class Loss:
    """A change of value, or a thing left out, that the plan announces."""

    table: str
    column: str | None
    reason: str
    count: int | None = None
    """How many values or rows."""
    examples: tuple[str, ...] = ()
    """The keys of a few, e.g. `id = 7`."""
    kind: str = ""
    """A key of `config.POLICIES` where a policy does it."""
    policy: str = ""
    """That policy."""


@dataclass(frozen=True, slots=True)
class IndexFit:
    """Whether the graph of an HNSW index fits the memory that its build gets."""

    index: str
    graph_bytes: int
    memory_bytes: int
    """What `maintenance_work_mem` will be."""
    fits: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take; seconds are None where they could not be measured."""

    load_seconds: float | None
    index_seconds: float | None
    keys_seconds: float
    """Keys, other indexes and foreign keys: an order of magnitude."""
    total_seconds: float | None
    """The three together; verification and the plan are not in it."""
    disk_bytes: int
    indexes: tuple[IndexFit, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The frozen decisions of one run; it travels as JSON and holds no secret."""

    source: str
    """`host:port/database`."""
    target_schema: str
    tables: tuple[TablePlan, ...]
    embeddings: tuple[EmbeddingSpec, ...]
    sequences: tuple[SequencePlan, ...]
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()
    """What was looked at and deliberately not decided, e.g. a census of a mixed column."""
    vector_load: Literal["wire", "cast"] = "wire"
    truncate: tuple[str, ...] = ()
    """Tables with rows that are emptied first."""
    extensions: tuple[str, ...] = ()
    """Extensions that the run needs; those that are not installed are created first."""
    rights: tuple[str, ...] = ()
    """What the target's user must be allowed to do, and what the source's."""
    views: tuple[DdlObject, ...] = ()
    """Views, in the order to make them."""
    problems: tuple[str, ...] = ()
    """What forbids the run, a sentence each."""
    fingerprint: dict[str, str] = field(default_factory=dict)
    """Names of what the run depends on, with the hash of each."""
    estimate: Estimate | None = None
    """What it is likely to take; only of a plan that was asked for by itself."""

    def table(self, name: str) -> TablePlan:
        """Returns the plan of the table called `name`.

        Raises:
            KeyError: there is none.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


# --- what happened -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What came of one chunk; it is the ledger's row too."""

    table: str
    number: int
    rows_read: int
    rows_written: int
    rows_rejected: int
    bytes_read: int
    seconds: float


OnInvalid = Literal["stop", "reject", "null"]
"""What becomes of a value that cannot be carried: the run ends, its row is left out, or it becomes NULL."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A value that could not be carried, as the ledger keeps it."""

    table: str
    """The table's name in the source."""
    chunk: int
    row: int
    """The row's place among those that were read of the chunk, from 0."""
    key: dict[str, Any] | None
    """The row's key, by column; None for a table without one."""
    column: str | None
    """The column's name in the target; None where what was refused is the row as a whole."""
    reason: str
    """A kind of `mapping.checks`, a reason of `convert.embeddings`, or PostgreSQL's SQLSTATE."""
    message: str
    original: bytes | None
    """The value's own bytes, a text's in UTF-8; None for NULL, and for a row as a whole."""
    action: Literal["reject", "null"]
    kept: bytes
    """The whole row as it was read, an Arrow IPC stream of one row with the columns of `TablePlan.reads`."""
