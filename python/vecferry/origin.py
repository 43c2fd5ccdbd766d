"""What a run needs of a source, whatever it is: a server that answers queries, or a file that one has written.

The words are those of a question and its answer; the two protocols are all that steps and the pipeline know of either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from vecferry.compare.pairs import Pair
    from vecferry.mapping.checks import Abilities, Check
    from vecferry.model import Catalog, Chunk, Table, TablePlan


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look into one table has found."""

    key: tuple[str, ...]
    """The columns that tell rows apart and sort as they compare; empty where there are none."""
    chunks: tuple[Chunk, ...]
    row_bytes: int
    """The mean size of a row's values, in bytes."""
    rows: int
    """Rows, estimated."""
    texts: Mapping[str, pa.Array] = field(default_factory=dict)
    """A sample of the values of each column whose texts may be embeddings."""
    absent: frozenset[str] = frozenset()
    """Columns whose values the source does not tell: a dump leaves out what is generated."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How many rows a question found, and the keys of a few."""

    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key whose orphans are looked for; names are the source's."""

    table: str
    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    loose: tuple[bool, ...] = ()
    """Of each column, whether MySQL compares its texts without regard to something that PostgreSQL sees."""
    ignore_case: bool = False
    """Whether the target's columns do not regard case either."""


class Session(Protocol):
    """An open source that answers questions, to one thread at a time.

    Every method may raise SourceError: the source refused, or is gone.
    """

    def close(self) -> None:
        """Lets go of what it holds."""

    def remark(self) -> str | None:
        """Returns the sentence on what the way to the source leaves open to others; None where nothing is."""

    def catalog(self, include: tuple[str, ...], exclude: tuple[str, ...]) -> Catalog:
        """Returns what the source holds of the tables whose names match one of `include`, and none of `exclude`.

        Raises:
            UsageError: a pattern of `include` matches no table.
        """

    def survey(self, table: Table, chunk_bytes: int) -> Survey:
        """Looks into one table, and cuts it into chunks of about `chunk_bytes`."""

    def bounded(self, table: Table, key: Sequence[str], chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
        """Returns chunks with the ranges of the key that they hold, where they are such ranges; else as they are."""

    def split(self, table: TablePlan, chunk: Chunk, size: int) -> tuple[Chunk, Chunk | None]:
        """Returns a chunk of about `size` bytes that `chunk` begins with, and what is left; None where nothing is."""

    def ask_values(
        self, table: str, checks: Sequence[Check], key: tuple[str, ...]
    ) -> dict[tuple[str, str, str], Answer]:
        """Counts the rows of each check in one scan of a table.

        Args:
            table: the table's name.
            checks: conditions on its columns.
            key: the columns that name a row; empty where the table has no key.

        Returns:
            What was found, by table, column and kind; nothing for a check that found nothing.
        """

    def ask_orphans(self, reference: Reference, key: tuple[str, ...]) -> Answer | None:
        """Counts the rows of a table whose parent is missing; None where there are none.

        Args:
            reference: the foreign key.
            key: the columns that name a row of the table; empty where it has no key.
        """

    def count(self, table: str) -> int:
        """Returns the number of a table's rows."""

    def position(self, tables: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Returns where the source stands, as plain values for `Source.moved`.

        Args:
            tables: the names of the tables, each with the columns of its key.
        """

    def settings(self) -> tuple[str, dict[str, str]]:
        """Returns the source's kind and version, and what decides how its values are meant, for a report."""

    def text_forms(self, table: str, column: str) -> dict[str, int]:
        """Returns what the first values of a column begin as, with how many of each."""


class Source(Protocol):
    """Where rows come from: a value that can be pickled, and opens nothing before it is asked."""

    @property
    def place(self) -> str:
        """What a run is known by, and what messages name."""

    @property
    def forwards(self) -> bool:
        """Whether it is best read from its beginning to its end, by one question after the other."""

    def open(self) -> Session:
        """Opens it for questions.

        Raises:
            SourceError: it cannot be reached, or refuses.
        """

    def abilities(self, server: str) -> Abilities:
        """Returns what can be asked of its values.

        Args:
            server: the version, as the catalog says it.
        """

    def ends_with_us(self) -> AbstractContextManager[None]:
        """Ends, where the block is interrupted, what the source still does for this process."""

    def held(self, tables: Sequence[str]) -> AbstractContextManager[None]:
        """Keeps every other session from writing to `tables` for the length of the block.

        Raises:
            SourceError: that was refused; or, at the end, it was lost on the way.
        """

    def moved(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns a sentence for each sign that the source changed between two positions."""

    def read_chunk(self, table: TablePlan, chunk: Chunk, *, batch_bytes: int) -> Generator[pa.RecordBatch, None, None]:
        """Yields the rows of `chunk`: the columns of `table.reads` in order, each of the type of its `read_type`.

        Args:
            table: the table's plan.
            chunk: which rows.
            batch_bytes: how large the chunk was meant to be; one that is much larger comes in batches.

        Raises:
            SourceError: the rows cannot be read.
        """

    def read_row(self, table: TablePlan, chunk: int, row: pa.RecordBatch) -> pa.RecordBatch | None:
        """Reads one row again; None where no row has its key any more.

        Args:
            table: the table's plan; it must have a key.
            chunk: the number of the chunk that the row was read of.
            row: the row as it was read before, a batch of one.

        Raises:
            SourceError: it cannot be read.
        """

    def read_back(
        self, table: str, pairs: Sequence[Pair], key: Sequence[str], chunk: Chunk, *, batch_bytes: int
    ) -> Generator[pa.RecordBatch, None, None]:
        """Yields the rows of `chunk` for a comparison: a column for each pair in order, of its `read_type`.

        Args:
            table: the table's name.
            pairs: the columns.
            key: what chunks are ranges of; empty where they are none.
            chunk: which rows.
            batch_bytes: as for `read_chunk`.

        Raises:
            SourceError: the rows cannot be read.
        """
