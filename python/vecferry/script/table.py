"""One table in passing: its first rows decide what is an embedding, then each row becomes a line of COPY."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.convert.batches import convert_batch
from vecferry.convert.copytext import copy_text
from vecferry.convert.embeddings import census
from vecferry.convert.rejects import fault_words, key_of
from vecferry.dump.answers import Tallies, columns_asked, tally_values, together
from vecferry.dump.rows import columns_read, read_batch
from vecferry.dump.stream import alike, stored_rows
from vecferry.dump.values import UnreadableError
from vecferry.errors import ForbiddenError, InvalidValueError, SourceError
from vecferry.mapping.checks import FACTS
from vecferry.mapping.keys import chunk_key
from vecferry.model import Catalog
from vecferry.origin import Answer
from vecferry.plan.build import draft
from vecferry.plan.embeddings import EMBEDDING_TYPES
from vecferry.plan.findings import Findings, Look
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.config import Config
    from vecferry.convert.batches import Fault
    from vecferry.convert.embeddings import Census
    from vecferry.dump.stream import DumpPiece
    from vecferry.mapping.checks import Abilities, Check
    from vecferry.model import ColumnPlan, EmbeddingSpec, Table, TablePlan, TargetState
    from vecferry.script.rejected import RejectFile
    from vecferry.script.spool import Spool

HEAD_BYTES = 16 * 1024 * 1024
"""How much of a table is held back until it is known which columns are embeddings."""
HEAD_ROWS = 2_000
"""How many rows are looked at for it, or a few more."""
LONGEST_TEXT = 1024 * 1024
"""A longer value is no embedding: 16,000 numbers are less than 600 KB of JSON."""
SHORTEST_COLUMN = 64
"""Columns declared shorter than this hold no embedding."""
_BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all tables of a call have in common."""

    config: Config
    target: TargetState
    abilities: Abilities
    server: str
    database: str


@dataclass(slots=True)
class Passing:
    """A table whose rows pass by, once.

    Attributes:
        source: the table.
        around: what it shares with others.
        spool: where its lines wait.
        rejects: where values go that cannot be carried.
        read: rows so far.
        written: rows of them that are in the spool.
        refused: whether it holds what nobody allowed, so that there will be no script, only a list of problems.
    """

    source: Table
    around: Surroundings
    spool: Spool
    rejects: RejectFile
    read: int = 0
    written: int = 0
    refused: bool = False
    _held: list[DumpPiece] = field(default_factory=list)
    _held_bytes: int = 0
    _census: dict[str, Census] = field(default_factory=dict)
    _present: frozenset[str] = frozenset()
    """The columns that the rows have, in lower case; dumps leave generated ones out."""
    _plan: TablePlan | None = None
    _specs: dict[str, EmbeddingSpec] = field(default_factory=dict)
    _checks: tuple[Check, ...] = ()
    _allowed: frozenset[tuple[str, str]] = frozenset()
    _tallies: Tallies = field(default_factory=dict)

    def take(self, piece: DumpPiece) -> None:
        """Takes the rows of a piece.

        Raises:
            ForbiddenError: the table cannot be carried as it was asked for.
            InvalidValueError: a value cannot be carried, and leaving it out was not allowed.
            SourceError: the rows cannot be read.
            TargetError: there is no room for them.
        """
        if self._held and not alike(self._held[0], piece):
            self.flush()
        self._held.append(piece)
        self._held_bytes += piece.end - piece.start
        enough = _BATCH_BYTES if self._plan is not None or not self._candidates() else HEAD_BYTES
        if self._held_bytes >= enough:
            self.flush()

    def flush(self) -> TablePlan:
        """Carries what is held back, as it is when other tables follow.

        Returns:
            The plan by which the rows are written: its columns are those of the lines.

        Raises:
            ForbiddenError: as for `take`, which tells of the other errors, too.
        """
        plan = self._plan or self._decide()
        held, self._held, self._held_bytes = self._held, [], 0
        while held:
            together = [held.pop(0)]
            while held and sum(piece.end - piece.start for piece in together) < _BATCH_BYTES:
                together.append(held.pop(0))
            self._carry(plan, together)
        return plan

    def look(self) -> Look:
        """Returns what is known of the table for the plan of all."""
        present = self._present
        return Look(
            key=tuple(name for name in chunk_key(self.source) if name.lower() in present),
            chunks=(),
            row_bytes=1,
            rows=self.read,
            census=self._census,
            absent=frozenset(c.name for c in self.source.columns if c.name.lower() not in present),
        )

    def answers(self) -> dict[tuple[str, str, str], Answer]:
        """Returns what the plan of all wants to know of the values."""
        return {(self.source.name, *name): Answer(tally.count, tally.examples) for name, tally in self._tallies.items()}

    # --- what the first rows decide

    def _candidates(self) -> list[str]:
        return [
            column.name
            for column in self.source.columns
            if column.data_type in EMBEDDING_TYPES and (column.length is None or column.length >= SHORTEST_COLUMN)
        ]

    def _decide(self) -> TablePlan:
        listed = self._held[0].columns if self._held else None
        self._present = frozenset(name.lower() for name in listed or (column.name for column in self.source.columns))
        self._census = {name: census(texts) for name, texts in self._sample().items()}
        self._plan = self._decided()
        return self._plan

    def _sample(self) -> dict[str, pa.Array]:
        """Returns texts of the rows held back, those that are no embedding for their size alone as null."""
        names = [name for name in self._candidates() if name.lower() in self._present]
        parts: dict[str, list[pa.Array]] = {name: [] for name in names}
        rows = 0
        for piece in self._held if names else ():
            for values in stored_rows([piece], self.source, names, _BATCH_BYTES):
                for name, array in values.items():
                    parts[name].append(_short(array))
            rows += piece.rows
            if rows >= HEAD_ROWS:
                break
        return {name: pa.chunked_array(arrays, pa.large_string()).combine_chunks() for name, arrays in parts.items()}

    def _decided(self) -> TablePlan:
        """Decides how rows are written: by the plan that the table would have alone."""
        around, config = self.around, self._own_config()
        catalog = Catalog(around.server, around.database, (replace(self.source, foreign_keys=()),))
        findings = Findings({self.source.name: self.look()})
        _, questions = draft(catalog, around.target, config, findings, set(), around.abilities)
        self._checks = tuple(questions.checks.get(self.source.name, ()))
        allowed = [check for check in self._checks if self._is_allowed(check)]
        self._allowed = frozenset((check.column, check.kind) for check in allowed)
        # A policy is at work from the first row on, whether or not there will be a value that it is for.
        assumed = {(self.source.name, check.column, check.kind): Answer(0) for check in allowed}
        plan, _ = draft(catalog, around.target, config, replace(findings, answers=assumed), set(), around.abilities)
        if plan.problems:
            raise ForbiddenError(forbidden_words(plan.problems))
        [table] = plan.tables
        self._specs = {spec.column: spec for spec in plan.embeddings}
        return replace(table, columns=tuple(map(_lenient, table.columns)))

    def _own_config(self) -> Config:
        """Returns the configuration without what names other tables, which the plan of this one would not know."""
        config, name = self.around.config, self.source.name
        on = [text for text, entry in zip(config.on, config.policies, strict=True) if entry.table in {None, name}]
        embedding = [
            text for text, entry in zip(config.embedding, config.embedding_options, strict=True) if entry.table == name
        ]
        return config.model_copy(update={"on": tuple(on), "embedding": tuple(embedding)})

    def _is_allowed(self, check: Check) -> bool:
        config, column = self.around.config, check.column
        if check.kind in FACTS:
            return False
        policy = config.policy(check.kind, self.source.name, column)
        if policy is None:
            return config.on_invalid != "stop"
        return policy in check.repairs and (policy != "null" or self.source.column(column).nullable)

    # --- rows

    def _carry(self, plan: TablePlan, pieces: Sequence[DumpPiece]) -> None:
        names = dict.fromkeys((*columns_read(plan), *columns_asked(self._checks, plan.key)))
        present = {name.lower() for name in pieces[0].columns or names}
        checks = [check for check in self._checks if {n.lower() for n in check.columns or (check.column,)} <= present]
        asked = [name for name in names if name.lower() in present]
        for values in stored_rows(pieces, self.source, asked, _BATCH_BYTES):
            rows = len(next(iter(values.values())))
            try:
                found = tally_values(values, self.source, checks, [name for name in plan.key if name in values])
                self._tallies = together((self._tallies, found))
                self.refused |= any(kind not in FACTS for _, kind in found.keys() - self._allowed)
                if not self.refused:
                    self._write(plan, read_batch(values, self.source, plan))
            except UnreadableError as error:
                raise SourceError(f"table {self.source.name}: {error}", advice="mend the dump") from error
            self.read += rows

    def _write(self, plan: TablePlan, batch: pa.RecordBatch) -> None:
        converted = convert_batch(batch, plan, self._specs)
        lines = converted.batch
        if converted.faults:
            out = self._left_out(plan, batch, converted.faults)
            for fault in converted.faults:
                action = "reject" if fault.row in out else "null"
                self.rejects.add(plan.name, key_of(batch, plan, fault.row), fault, action, batch.slice(fault.row, 1))
            self._check_number()
            lines = lines.take(pa.array([row for row in range(batch.num_rows) if row not in out], pa.int64()))
        if lines.num_columns:
            self.spool.write(plan.name, copy_text(lines, plan.columns))
        self.written += lines.num_rows

    def _left_out(self, plan: TablePlan, batch: pa.RecordBatch, faults: Sequence[Fault]) -> frozenset[int]:
        """Returns the rows that are left out for their faults."""
        action = self.around.config.on_invalid
        if action == "stop":
            advice = "correct the value and dump the table again (--on-invalid reject leaves such rows out)"
            raise InvalidValueError(f"{fault_words(batch, plan, faults[0], self.read)}: {advice}")
        nullable = {column.name for column in plan.columns if column.nullable}
        return frozenset(fault.row for fault in faults if action == "reject" or fault.column not in nullable)

    def _check_number(self) -> None:
        most = self.around.config.max_rejects
        if most is not None and self.rejects.values > most:
            raise InvalidValueError(
                f"more than {count_words(most, 'value')} cannot be carried, and --max-rejects allows no more"
            )


def forbidden_words(problems: Sequence[str]) -> str:
    """Returns the sentence that lists what forbids a script."""
    listed = "\n".join(f"  - {problem}" for problem in problems)
    return f"this dump cannot become a script:\n{listed}"


def _short(texts: pa.Array) -> pa.Array:
    wide = texts.cast(pa.large_string())
    return pc.if_else(pc.less_equal(pc.binary_length(wide), LONGEST_TEXT), wide, pa.scalar(None, wide.type))


def _lenient(column: ColumnPlan) -> ColumnPlan:
    """Returns the column written so that every type reads it that the last row may make it.

    PostgreSQL reads 0 and 1 as boolean, as smallint and as bit(1).
    """
    if column.wire == "bool":
        return replace(column, wire="int16", target_type="smallint")
    if column.wire == "bit_bool":
        return replace(column, wire="bit", target_type="bit(1)")
    return column
