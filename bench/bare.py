"""The load without what makes it safe: no ledger row in a chunk's transaction, no retries, no steps recorded.

It shows what these cost. The product has no switch for it: the classes here take the places of the product's own in
the measured process. The ledger is written at the end, outside the measured time, so that the run is verified as any.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from vecferry import pipeline
from vecferry.engine.local import LocalEngine
from vecferry.source.live import LiveSource
from vecferry.steps.copy import copy_chunk
from vecferry.target.ingest import Loader, Writer
from vecferry.target.ledger import chunk_statement

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from vecferry.model import Chunk, ChunkResult
    from vecferry.target.ledger import Run

unmeasured = {"seconds": 0.0}
"""What the load spent on the ledger in the end."""


class _Writer(Writer):
    def execute(self, query: str, doing: str = "run a statement") -> None:
        if not query.startswith("INSERT INTO vecferry.chunk"):
            super().execute(query, doing)


class _Loader(Loader):
    def writer(self) -> Writer:
        made = super().writer()
        made.__class__ = _Writer
        return made


class _Migration(pipeline._Migration):  # noqa: SLF001 - the product offers no way to leave the ledger out
    def _once(self, run: Run, step: str, work: Callable[[], None]) -> None:  # noqa: ARG002 - the base class names them
        work()

    def _load(self, run: Run) -> None:
        plan, config, source = run.plan, self._config, LiveSource(self._config.source_url)
        for table in plan.tables:
            self._watch.table(table.name, table.rows_estimate, table.bytes_estimate)
        results: list[ChunkResult] = []

        def work(writer: Writer, chunk: Chunk) -> ChunkResult:
            return copy_chunk(plan, chunk, run.id, source, writer, config.chunk_bytes)

        def done(chunk: Chunk, result: ChunkResult) -> None:
            results.append(result)
            self._watch.advance(chunk.table, result.rows_written, result.bytes_read)

        largest_first = sorted(plan.tables, key=lambda table: -table.bytes_estimate)
        with closing(_Loader(config.target_url, plan.target_schema)) as loader:
            engine = LocalEngine(config.workers, lambda: closing(loader.writer()))
            engine.run([chunk for table in largest_first for chunk in table.chunks], work, done)
        began = time.perf_counter()
        _record(self._target, run.id, results)
        unmeasured["seconds"] += time.perf_counter() - began


def _record(connection: psycopg.Connection[tuple[object, ...]], run_id: str, results: list[ChunkResult]) -> None:
    for result in results:
        connection.execute(chunk_statement(run_id, result).encode())


def install() -> None:
    """Makes this process's migrations bare ones."""
    pipeline._Migration = _Migration  # type: ignore[misc]  # noqa: SLF001 - see above
