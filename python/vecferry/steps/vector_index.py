"""Builds the HNSW index of an embedding column: memory by the fit rule, workers that really start, progress.

Sources: pgvector's README ("HNSW", "Index Build Time") and its src/hnswbuild.c.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from vecferry.crash import crash_point
from vecferry.mapping.identifiers import qualified, quote
from vecferry.plan.estimate import index_memory, spec_graph_bytes
from vecferry.target.settings import memory_for_indexes, parallel_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vecferry.model import EmbeddingSpec
    from vecferry.progress import Progress
    from vecferry.target.connect import Connection

_MIB = 1024**2
_PROGRESS = """
SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END,
  CASE WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END
FROM pg_stat_progress_create_index WHERE pid = %s
"""
"""pgvector counts tuples without a total, but blocks with one."""
_OWN_PARALLEL = """
SELECT option_value FROM pg_class, pg_options_to_table(reloptions)
WHERE pg_class.oid = to_regclass(%s) AND option_name = 'parallel_workers'
"""
_POLL_SECONDS = 0.5


def build_vector_index(
    connection: Connection,
    open_watcher: Callable[[], Connection],
    schema: str,
    spec: EmbeddingSpec,
    rows: int,
    memory_limit: int | None,
    workers: int,
    progress: Progress,
) -> float | None:
    """Builds the index of `spec`, all or nothing; an invalid one is dropped first, a valid one stays.

    Args:
        connection: runs the build, in a transaction.
        open_watcher: opens a second connection, which reads the build's progress.
        schema: the target schema.
        spec: the embedding column.
        rows: how many rows the table has.
        memory_limit: the most `maintenance_work_mem` may be, in bytes; None takes the server's `shared_buffers`,
            which say how much memory its owner gave it, and at least 1 GiB.
        workers: parallel workers to ask for; the server's own limits still hold.
        progress: is told how far the build is, and what the server remarks.

    Returns:
        The seconds that the build took; None where there was nothing to build.

    Raises:
        psycopg.Error: the server refused the build.
    """
    if spec.index is None or spec.statement is None:
        return None
    state = connection.execute(
        "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(%s)", [qualified(schema, spec.index)]
    ).fetchone()
    if state is not None and state[0]:
        return None
    if state is not None:
        connection.execute(f"DROP INDEX {qualified(schema, spec.index)}".encode())
    needed = spec_graph_bytes(spec, rows)
    memory = index_memory(needed, memory_for_indexes(connection, memory_limit))
    if needed > memory:
        progress.note(
            f"the graph of {spec.index} needs about {needed // _MIB} MiB and may use {memory // _MIB} MiB:"
            " the build slows down past that; raise --index-memory if the server has more"
        )
    parallel = parallel_workers(connection, workers)
    reports = _Notices(spec.index, progress)
    began = time.perf_counter()
    connection.add_notice_handler(reports)
    try:
        with connection.transaction(), _parallel(connection, schema, spec.table, parallel):
            connection.execute(f"SET LOCAL maintenance_work_mem = '{memory // 1024}kB'".encode())
            try:
                with connection.transaction():
                    _build(connection, open_watcher, spec, parallel, progress)
            except psycopg.OperationalError as error:
                if "shared memory segment" not in str(error):
                    raise
                progress.note(
                    f"no shared memory for a parallel build of {spec.index} ({error.diag.message_primary}):"
                    " building it serially; give the server more of /dev/shm (Docker: --shm-size)"
                )
                _build(connection, open_watcher, spec, 0, progress)
        crash_point("vector index built")
    finally:
        connection.remove_notice_handler(reports)
    return time.perf_counter() - began


@contextmanager
def _parallel(connection: Connection, schema: str, table: str, parallel: int) -> Iterator[None]:
    """Makes the server start parallel workers for `table` in the open transaction.

    pgvector asks the planner, which sees only the small heap of a table whose vectors are out of line, and starts
    none; the table's own setting overrules it. Its owner's is put back in the same transaction.
    """
    place = qualified(schema, table)
    [before] = connection.execute(_OWN_PARALLEL, [place]).fetchone() or (None,)
    connection.execute(f"ALTER TABLE {place} SET (parallel_workers = {parallel})".encode())
    yield
    back = f"SET (parallel_workers = {int(before)})" if before is not None else "RESET (parallel_workers)"
    connection.execute(f"ALTER TABLE {place} {back}".encode())


def _build(
    connection: Connection,
    open_watcher: Callable[[], Connection],
    spec: EmbeddingSpec,
    parallel: int,
    progress: Progress,
) -> None:
    connection.execute(f"SET LOCAL max_parallel_maintenance_workers = {parallel}".encode())
    over = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(open_watcher, connection.info.backend_pid, spec.index, over, progress), daemon=True
    )
    watch.start()
    try:
        crash_point("vector index not begun")
        connection.execute((spec.statement or "").encode())
        crash_point("vector index not committed")
    finally:
        over.set()
        watch.join(_POLL_SECONDS)  # it may be waiting for an answer that does not come


def _watch(
    open_watcher: Callable[[], Connection], pid: int, index: str | None, over: threading.Event, progress: Progress
) -> None:
    if over.wait(_POLL_SECONDS):
        return
    try:
        with open_watcher() as connection:
            while not over.wait(_POLL_SECONDS):
                row = connection.execute(_PROGRESS, [pid]).fetchone()
                if row is not None:
                    progress.index(index or "", str(row[0]), int(row[1]), int(row[2]))
    except Exception as error:  # noqa: BLE001 - the build goes on unwatched
        progress.note(f"the progress of {index} cannot be read: {type(error).__name__}")


class _Notices:
    """Hands on what the server remarks about the build: a graph that no longer fits, above all."""

    def __init__(self, index: str, progress: Progress) -> None:
        self._index = index
        self._progress = progress

    def __call__(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized in {"NOTICE", "WARNING"}:
            self._progress.note(f"{quote(self._index)}: {notice.message_primary}")
