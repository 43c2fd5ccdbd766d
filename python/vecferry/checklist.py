"""Which tables are compared, and how each: pairs of columns, chunks, announced losses; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.compare.diff import Rejects, Rule
from vecferry.compare.expected import Allowance
from vecferry.compare.pairs import Pair, pair_of
from vecferry.compare.ranges import is_range
from vecferry.mapping.identifiers import qualified
from vecferry.model import Chunk
from vecferry.plan.build import column_names, target_names
from vecferry.plan.findings import Look
from vecferry.report.verification import Difference
from vecferry.sources import source_of
from vecferry.steps.look import look
from vecferry.steps.verify_cells import Check
from vecferry.target.connect import translated
from vecferry.target.inspect import read_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vecferry.config import Config
    from vecferry.model import Catalog, Plan, Table, TargetTable
    from vecferry.target.connect import Connection

_TID_RANGES = 14_00_00
"""The version of PostgreSQL from which on a range of row ids is read without the rest of the table."""


@dataclass(frozen=True, slots=True)
class Match:
    """A table of the source and the one in the target that has its rows."""

    table: Table
    there: TargetTable
    columns: Mapping[str, str]
    """Names of columns in the target, by name in the source."""


def match_tables(
    target: Connection, catalog: Catalog, config: Config, plan: Plan | None
) -> tuple[dict[str, Match], tuple[Difference, ...]]:
    """Finds the target's table for each of the source.

    Returns:
        What belongs together, by name in the source, and the tables that the target lacks.

    Raises:
        TargetError: the target refused a query.
    """
    names = {table.name: table.target for table in plan.tables} if plan else target_names(catalog)
    with translated(config.target_url, "be inspected"):
        state = read_target(target, config.target_url.database, config.target_schema, tuple(names.values()))
    matches, missing = {}, []
    for table in catalog.tables:
        if table.name not in names:
            continue
        there = state.table(names[table.name])
        if there is None:
            missing.append(Difference("structure", table.name, source="the target has no such table"))
            continue
        columns = column_names(table)
        present = {column.name for column in there.columns}
        known = {name: other for name, other in columns.items() if other in present}
        matches[table.name] = Match(table, there, known)
    return matches, tuple(missing)


@dataclass(frozen=True, slots=True)
class Checklist:
    """Decides how tables are compared.

    Args:
        matches: the tables, by name in the source.
        target: an open connection to the target.
        config: what the user asked for.
        plan: the run's plan, whose chunks and announced losses are used; None where there is none.
        rejects: by table of the source, what is known not to have arrived.
    """

    matches: Mapping[str, Match]
    target: Connection
    config: Config
    plan: Plan | None
    rejects: Mapping[str, Rejects]
    differences: list[Difference] = field(default_factory=list)
    """Columns that cannot be compared."""

    def checks(self) -> list[Check]:
        """Returns how each table is compared.

        Raises:
            SourceError: the source refused a query.
            TargetError: the target refused one.
        """
        return [self._check(name, match) for name, match in self.matches.items()]

    def _check(self, name: str, match: Match) -> Check:
        config = self.config
        chunks, key, row_bytes, count = self._chunks(match)
        # A dump may leave out what its server computes, and the target has computed by itself.
        told = [set(chunk.part.columns) for chunk in chunks if chunk.part is not None]
        pairs = tuple(pair for pair in self._pairs(name, match) if all(pair.name in columns for columns in told))
        known = {pair.name for pair in pairs}
        if not set(key) <= known:
            key = ()
        allowances = self._allowances(name)
        rule = Rule(pairs, key, allowances, self.rejects.get(name, Rejects()), config.max_differences)
        key_pairs = [pair for pair in pairs if pair.name in key]
        key_pairs.sort(key=lambda pair: key.index(pair.name))
        small = len(chunks) <= 1 and row_bytes * count <= 2 * config.chunk_bytes
        ranged = small or (
            bool(key) and not any(allowances.get(column) for column in key) and is_range(key_pairs, chunks)
        )
        check = Check(
            table=name, schema=config.target_schema, target=match.there.name, rule=rule,
            chunks=chunks or (Chunk(name, 0),), ranged=ranged, batch_bytes=int(config.chunk_bytes),
            row_bytes=max(1, row_bytes), oracle_share=min(1.0, config.oracle_rows / max(1, count)),
            seed=config.verify_seed,
        )  # fmt: skip
        return check if ranged else replace(check, slices=self._slices(match))

    def _pairs(self, name: str, match: Match) -> list[Pair]:
        there = {column.name: column for column in match.there.columns}
        zones = self._zones(name)
        pairs = []
        for column in match.table.columns:
            if column.name not in match.columns:
                continue
            other = there[match.columns[column.name]]
            pair = pair_of(column, other, zones.get(other.name, self.config.datetime_zone))
            if pair is None:
                what = f"a {column.column_type} cannot be compared with {other.type}"
                self.differences.append(Difference("structure", name, column=column.name, source=what))
            else:
                pairs.append(pair)
        return pairs

    def _zones(self, name: str) -> dict[str, str]:
        if self.plan is None:
            return {}
        columns = self.plan.table(name).columns
        return {column.name: column.wire.partition("@")[2] or "UTC" for column in columns}

    def _chunks(self, match: Match) -> tuple[tuple[Chunk, ...], tuple[str, ...], int, int]:
        """Returns chunks, their key, a row's mean size and about how many rows there are."""
        if self.plan is not None:
            table = self.plan.table(match.table.name)
            found = Look(table.key, table.chunks, table.row_bytes, table.rows_estimate)
            if all(chunk.part is None for chunk in table.chunks):
                return found.chunks, found.key, found.row_bytes, found.rows
        with closing(source_of(self.config).open()) as source:
            if self.plan is None:
                found = look(source, match.table, self.config.chunk_bytes)
            chunks = source.bounded(match.table, found.key, found.chunks)
        return chunks, found.key, found.row_bytes, found.rows

    def _allowances(self, name: str) -> dict[str, tuple[Allowance, ...]]:
        """Returns the announced losses, by column: those of the plan, or what the user's policies allow."""
        found: dict[str, list[Allowance]] = defaultdict(list)
        if self.plan is not None:
            for loss in self.plan.losses:
                if loss.table == name and loss.column is not None and loss.kind:
                    found[loss.column].append(Allowance(loss.kind, loss.policy, loss.count))
        else:
            for policy in self.config.policies:
                for column in self.matches[name].columns:
                    chosen = self.config.policy(policy.kind, name, column)
                    if chosen not in {None, "refuse", "keep"} and Allowance(policy.kind, chosen) not in found[column]:
                        found[column].append(Allowance(policy.kind, chosen))
        return {column: tuple(allowances) for column, allowances in found.items()}

    def _slices(self, match: Match) -> tuple[str, ...]:
        """Returns conditions that cut the target's table by its blocks."""
        place = qualified(self.config.target_schema, match.there.name)
        query = (
            "SELECT pg_relation_size(%(place)s::regclass) / current_setting('block_size')::bigint,"
            " pg_table_size(%(place)s::regclass), current_setting('server_version_num')::int,"
            " (SELECT relkind = 'r' FROM pg_class WHERE oid = %(place)s::regclass)"
        )
        with translated(self.config.target_url, "be inspected"):
            row = self.target.execute(query, {"place": place}).fetchone()
        blocks, size, version, plain = row or (0, 0, 0, False)
        count = min(int(blocks), int(size) // self.config.chunk_bytes + 1) if plain and version >= _TID_RANGES else 1
        if count <= 1:
            return ("",)
        bounds = [int(blocks) * number // count for number in range(1, count)]
        starts = [f"ctid >= '({bound},0)'::tid" for bound in bounds]
        ends = [f"ctid < '({bound},0)'::tid" for bound in bounds]
        return (ends[0], *(f"{start} AND {end}" for start, end in zip(starts, ends[1:], strict=False)), starts[-1])
