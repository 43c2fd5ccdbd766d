"""A dump becomes a SQL script that psql loads; its rows are read once and no server is asked.

Rows are written as they pass, into a file without a name, because what stands before them in the script depends on the
last of them: a 2 in a column of booleans, a table of the same name, an enum's empty value. When the dump is read the
plan is the one that `migrate` would make, and the script is put together.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vecferry.dump.changes import changes_of, refuse
from vecferry.dump.ddl import read_ddl
from vecferry.dump.stream import Stream
from vecferry.dump.values import announced
from vecferry.errors import ForbiddenError, SourceError, UsageError
from vecferry.mapping.checks import Abilities
from vecferry.mapping.selection import matches
from vecferry.model import Extension, TargetState
from vecferry.plan.build import draft
from vecferry.plan.findings import Findings
from vecferry.progress import recorder
from vecferry.report.script import ScriptResult, ScriptTable, ScriptVector
from vecferry.script.order import filling_order
from vecferry.script.output import STANDARD, Output, compression_of, regular_file
from vecferry.script.rejected import RejectFile
from vecferry.script.spool import Spool
from vecferry.script.table import Passing, Surroundings, forbidden_words
from vecferry.script.writer import write_rows, write_whole
from vecferry.version import VERSION

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.dump.changes import Change
    from vecferry.dump.stream import DumpPiece
    from vecferry.model import Catalog, Plan, TablePlan
    from vecferry.progress import Progress, Recorder

PIECE_BYTES = 1024 * 1024
_MADE = frozenset({"create table", "alter table", "create index", "drop", "create database"})
"""What a table's entry in the catalog is read from."""
_ABILITIES = Abilities(json=True, lookaround=True, flat_shapes=True)
_SERVER = "PostgreSQL"


@dataclass(frozen=True, slots=True)
class Job:
    """What is rewritten, and how.

    Attributes:
        dump: a file, a directory of mydumper's, or `-` for standard input.
        output: a file, compressed where its name ends in `.gz` or `.zst`, or `-` for standard output.
        data_only: whether tables are there already: they are emptied and filled.
        structure: a dump with the CREATE TABLEs, where `dump` has none.
        rejects: where values go that cannot be carried; None puts them beside the output.
        postgis: whether the target has PostGIS.
    """

    dump: str
    output: str
    data_only: bool = False
    structure: str | None = None
    rejects: Path | None = None
    postgis: bool = False

    @property
    def reject_path(self) -> Path:
        """Where values go that cannot be carried."""
        if self.rejects is not None:
            return self.rejects
        return Path("vecferry.rejects.jsonl" if regular_file(self.output) is None else f"{self.output}.rejects.jsonl")


def transform(config: Config, job: Job, progress: Progress | None = None) -> ScriptResult:
    """Writes the script of a dump.

    Args:
        config: what the user asked for of tables, types, values and indexes.
        job: which dump, and where the script goes.
        progress: is told how it goes.

    Raises:
        UsageError: a pattern of `--tables` matches no table, or the dump holds several databases.
        SourceError: the dump cannot be read, or is not whole.
        ForbiddenError: it cannot be carried as it was asked for; the problems are listed.
        InvalidValueError: a value cannot be carried, and leaving it out was not allowed.
        TargetError: the script cannot be written.
    """
    watch = recorder(progress)
    began = time.perf_counter()
    config = config.model_copy(update={"vector_load": "wire"})
    _check_places(job)
    made = regular_file(job.output)
    directory = made.parent if made is not None else None
    rejects = RejectFile(job.reject_path)
    try:
        with Output(job.output) as output, closing(Spool(directory, compression_of(job.output))) as spool:
            reading = _Reading(config, job, spool, rejects, watch)
            with watch.step("load"):
                reading.read()
            plan = reading.plan()
            with watch.step("write"):
                reading.write(plan, output)
        rejects.keep()
    finally:
        rejects.drop()
    return reading.result(plan, output.bytes, time.perf_counter() - began)


def _check_places(job: Job) -> None:
    """Refuses a script or rejects that would take the place of what is read, or of one another."""
    read = [Path(name) for name in (job.dump, job.structure) if name not in {None, STANDARD}]
    script, rejects = regular_file(job.output), regular_file(str(job.reject_path))
    for written, what in ((script, "the script"), (rejects, "the rejects")):
        if written is not None and written.exists() and any(path.exists() and path.samefile(written) for path in read):
            raise UsageError(f"{written} is the dump itself: give {what} another name")
    if script is not None and script == rejects:
        raise UsageError(f"{script} is the script itself: give the rejects another name")


@dataclass(slots=True)
class _Reading:
    """A dump on its way."""

    config: Config
    job: Job
    spool: Spool
    rejects: RejectFile
    watch: Recorder
    statements: list[DumpPiece] = field(default_factory=list)
    makers: dict[str | None, list[DumpPiece]] = field(default_factory=dict)
    """Those of them that a table's entry in the catalog is read from, by table; None is the database."""
    tables: dict[str, Passing | None] = field(default_factory=dict)
    """By name; None for one that is not asked for."""
    changes: list[Change] = field(default_factory=list)
    written: dict[str, TablePlan] = field(default_factory=dict)
    size: int = 0
    unfinished: tuple[str, ...] = ()
    catalog: Catalog | None = None

    def read(self) -> None:
        """Reads the dump, rows and all."""
        if self.job.structure is not None:
            for piece in Stream(self.job.structure, PIECE_BYTES):
                if piece.kind != "insert":
                    self._keep(piece)
        stream = Stream(self.job.dump, PIECE_BYTES)
        last: Passing | None = None
        for piece in stream:
            if piece.kind != "insert":
                self._keep(piece)
                continue
            passing = self._passing(piece)
            if last is not None and passing is not last:
                last.flush()
            last = passing
            if passing is not None:
                passing.take(piece)
                self.watch.advance(passing.source.name, piece.rows, piece.end - piece.start)
        self.size, self.unfinished = stream.size, tuple(stream.unfinished)
        if self.unfinished and not self.config.allow_incomplete:
            raise SourceError(
                f"the dump {stream.place} ends without the line by which its writer says that it is whole"
                f" ({', '.join(self.unfinished)})",
                advice="dump the database again, or say --allow-incomplete",
            )

    def _keep(self, piece: DumpPiece) -> None:
        """Keeps a statement for the catalog, and what it changes of rows."""
        self.statements.append(piece)
        if piece.kind in _MADE:
            self.makers.setdefault(piece.table, []).append(piece)
        passing = self.tables.get(piece.table or "")
        if piece.kind == "create table" and passing is not None:
            raise SourceError(
                f"the dump {self.job.dump} makes table {piece.table} a second time in line {piece.line}, after rows of"
                " it: these are two dumps",
                advice="take them apart",
            )
        # What was written of a table cannot be taken back, so emptying it is for nothing only before its rows.
        self.changes += [
            change for change in changes_of(piece) if not change.all_rows or self.tables.get(change.table or "")
        ]

    def plan(self) -> Plan:
        """Returns the plan of all tables, known what every row of them is.

        Raises:
            ForbiddenError: something forbids it.
        """
        config = self.config
        catalog = read_ddl(self.statements, self.config.dump_database, config.tables, config.exclude)
        self.catalog = catalog
        names = (table.name for table in catalog.tables)
        refuse(self.job.dump, self.changes, self.config.dump_database, names)
        around = self._around(catalog)
        for table in catalog.tables:
            passing = self.tables.get(table.name) or Passing(table, around, self.spool, self.rejects)
            self.tables[table.name] = passing
            self.written[table.name] = passing.flush()
        found = {name: passing for name, passing in self.tables.items() if passing is not None}
        looks = {table.name: found[table.name].look() for table in catalog.tables}
        answers = {name: answer for table in catalog.tables for name, answer in found[table.name].answers().items()}
        plan, _ = draft(catalog, around.target, config, Findings(looks, answers), set(), _ABILITIES)
        problems = [*plan.problems, *self._strangers(plan)]
        if problems:
            raise ForbiddenError(forbidden_words(problems))
        # The rows are what they are: it is their columns that COPY names.
        tables = tuple(replace(table, columns=self.written[table.name].columns) for table in plan.tables)
        losses = [loss for table in catalog.tables for loss in announced(table)]
        return replace(plan, tables=tables, losses=(*plan.losses, *losses))

    def write(self, plan: Plan, output: Output) -> None:
        """Writes the script."""
        about = f"Written by vecferry {VERSION} from {self.job.dump}"
        if self.unfinished:
            about += ", WHICH IS NOT WHOLE"
        catalog = self.catalog
        if catalog is None:
            return
        if self.job.data_only:
            order, circle = filling_order(catalog)
            about += ", for a database whose tables are there: they are emptied first"
            write_rows(plan, self.spool, order, circle, output, about=about, zone=self.config.datetime_zone)
            return
        counts = {name: passing.written for name, passing in self.tables.items() if passing is not None}
        write_whole(
            plan, self.spool, counts, output,
            about=f"{about}, for an empty database",
            memory_limit=self.config.index_memory,
            keep_orphans=any(entry.kind == "orphan" and entry.policy == "keep" for entry in self.config.policies),
        )  # fmt: skip

    def result(self, plan: Plan, size: int, seconds: float) -> ScriptResult:
        """Returns what came of it."""
        tables = []
        for table in plan.tables:
            passing = self.tables[table.name]
            if passing is not None:
                left_out = passing.read - passing.written
                tables.append(ScriptTable(table.name, passing.read, passing.written, left_out))
        vectors = [
            ScriptVector(s.table, s.column, s.dimensions, None if self.job.data_only else s.index)
            for s in plan.embeddings
        ]
        return ScriptResult(
            status="rejected" if self.rejects.values else "ok",
            output=self.job.output,
            bytes_read=self.size,
            bytes_written=size,
            seconds=round(seconds, 3),
            complete=not self.unfinished,
            tables=tuple(tables),
            vectors=tuple(vectors),
            losses=plan.losses,
            notes=(*plan.notes, *self.watch.notes),
            rejects=str(self.rejects.path) if self.rejects.values else None,
        )

    def _passing(self, piece: DumpPiece) -> Passing | None:
        """Returns the table that rows belong to; None where nobody asked for it."""
        name = piece.table or ""
        if self.config.dump_database is not None and piece.database not in {None, self.config.dump_database}:
            return None
        if name in self.tables:
            return self.tables[name]
        config = self.config
        if matches(name, config.exclude) or (config.tables and not matches(name, config.tables)):
            self.tables[name] = None
            return None
        made = [*self.makers.get(None, ()), *self.makers.get(name, ())]
        include = (name,) if name in config.tables else ()
        if not any(entry.kind == "create table" and entry.table == name for entry in made):
            raise SourceError(
                f"the dump {self.job.dump} has rows of table {name} in line {piece.line}, but no CREATE TABLE before",
                advice="dump the structure, too, or name a dump of it: --structure FILE (mysqldump --no-data)",
            )
        catalog = read_ddl(made, self.config.dump_database or piece.database, include)
        # TypeORM's own tables are nobody's.
        source = next((table for table in catalog.tables if table.name == name), None)
        around = self._around(catalog)
        self.tables[name] = Passing(source, around, self.spool, self.rejects) if source else None
        self.watch.table(name, 0, 0)
        return self.tables[name]

    def _around(self, catalog: Catalog) -> Surroundings:
        extensions = [Extension("vector", "", installed=True), Extension("citext", "", installed=True)]
        if self.job.postgis:
            extensions.append(Extension("postgis", "", installed=True))
        target = TargetState(_SERVER, "", tuple(extensions))
        return Surroundings(self.config, target, _ABILITIES, catalog.server, catalog.database)

    def _strangers(self, plan: Plan) -> list[str]:
        """Returns the columns that rows were written with and that PostgreSQL computes after all."""
        return [
            f"{table.name}.{column.name}: its last rows changed what PostgreSQL can compute of it: exclude the table"
            for table in plan.tables
            for column in self.written[table.name].columns
            if column.name not in {kept.name for kept in table.columns}
        ]
