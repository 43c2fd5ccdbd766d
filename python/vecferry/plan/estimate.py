"""How long a run will take and what it needs, from the plan and a short trial on the user's own servers; pure.

Sources: PostgreSQL's manual, "Database Page Layout" and "TOAST"; pgvector's src/hnsw.h and src/hnswbuild.c.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import quote
from vecferry.model import MAX_HNSW_VECTOR, Estimate, IndexFit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vecferry.model import EmbeddingSpec, Plan, TablePlan

_MIB = 1024**2
MIN_INDEX_MEMORY = 64 * _MIB
MAX_INDEX_MEMORY = 2_147_483_647 * 1024
"""`maintenance_work_mem` is an int of kB (src/backend/utils/misc/guc_parameters.dat)."""

KEY_ROWS_PER_SECOND = 1_000_000
"""Rows that PostgreSQL sorts into a B-tree, or checks against another table, in a second: an order of magnitude."""


# --- what was measured ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableSample:
    """What carrying a few rows of a table showed."""

    table: str
    """Its name in the source."""
    rows: int
    """How many rows the timed round carried."""
    seconds: float | None
    """How long that took, all workers at a time; None where nothing could be written."""
    columns: tuple[tuple[str, float], ...]
    """The mean bytes of a value as it is written, by name in the target."""


@dataclass(frozen=True, slots=True)
class IndexSample:
    """What building an HNSW index on a few vectors, by one process, took."""

    rows: int
    dimensions: int
    seconds: float


ELSEWHERE = IndexSample(1_250, 1_536, 0.5)
"""What it took on another machine (AMD EPYC, PostgreSQL 18, pgvector 0.8, m = 16, ef_construction = 64)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A short trial on both servers, of which nothing stays."""

    workers: int
    tables: tuple[TableSample, ...] = ()
    chunk_seconds: float = 0.0
    """What a chunk takes however small it is."""
    index: IndexSample | None = None
    index_processes: int = 1
    """How many processes the target gives the build of an index."""
    seconds: float = 0.0
    """How long the trial took."""
    remarks: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    """Values that the trial met and that cannot be carried, a sentence each."""
    """What could not be measured, and why, a sentence each."""


# --- what follows --------------------------------------------------------------------------------


def estimate(plan: Plan, calibration: Calibration | None, memory_limit: int) -> Estimate:
    """Says what a run of `plan` will take.

    Args:
        plan: the run's plan.
        calibration: what a trial has measured; without one there are no seconds, and the disk is a rougher figure.
        memory_limit: the most that the build of an index may take, in bytes.
    """
    found = calibration or Calibration(workers=1, remarks=("nothing was measured",))
    tables = {table.target: table for table in plan.tables}
    indexed = [spec for spec in plan.embeddings if spec.index is not None and spec.statement is not None]
    fits = tuple(_fit(spec, tables[spec.table], memory_limit) for spec in indexed)
    remarks = list(found.remarks)
    if indexed and found.index is None:
        remarks.append("the time of the index builds is that of another machine")
    if any(not fit.fits for fit in fits):
        remarks.append("an index that does not fit its memory takes several times as long as this estimate says")
    if any(table.casts for table in plan.tables):
        remarks.append("the rewriting of tables by --vector-load cast is not in the time, nor the space it needs")
    load = _load_seconds(plan, found)
    index = sum(_index_seconds(spec, tables[spec.table].rows_estimate, found) for spec in indexed)
    keys = sum(len(table.after) * table.rows_estimate for table in plan.tables) / KEY_ROWS_PER_SECOND
    return Estimate(
        load_seconds=load,
        index_seconds=index,
        keys_seconds=keys,
        total_seconds=None if load is None else load + index + keys,
        disk_bytes=disk_bytes(plan, found),
        indexes=fits,
        remarks=tuple(remarks),
    )


# --- time ----------------------------------------------------------------------------------------


def _load_seconds(plan: Plan, calibration: Calibration) -> float | None:
    row_bytes = {table.name: table.row_bytes for table in plan.tables}
    rates = {
        sample.table: sample.rows * row_bytes[sample.table] / sample.seconds
        for sample in calibration.tables
        if sample.seconds and sample.rows and row_bytes.get(sample.table)
    }
    if not any(table.bytes_estimate for table in plan.tables):
        return 0.0
    if not rates:
        return None
    # A table that was not tried is a smaller one; the slowest of the tried is the careful guess.
    slowest = min(rates.values())
    return sum(
        max(
            table.bytes_estimate / rates.get(table.name, slowest),
            len(table.chunks) * calibration.chunk_seconds / calibration.workers,
        )
        for table in plan.tables
    )


def _index_seconds(spec: EmbeddingSpec, rows: int, calibration: Calibration) -> float:
    sample = calibration.index or ELSEWHERE
    # The trial was built with the options of the plan.
    slower = 1.0 if calibration.index else _option(spec, "ef_construction", 64) / 64
    work = _graph_work(rows, spec.dimensions) / _graph_work(sample.rows, sample.dimensions)
    return work * sample.seconds * slower / calibration.index_processes


def _graph_work(rows: int, dimensions: int) -> float:
    """Returns what building a graph costs, in no unit.

    The search for a row's neighbours grows with the logarithm of the rows, and so does, about, what it waits for memory
    once the graph is larger than the processor's caches: from 1,250 to 20,000 vectors of 1,536 dimensions the build
    took 31 times as long, and this says 31.
    """
    return rows * math.log(max(rows, 2)) ** 2 * dimensions


# --- memory --------------------------------------------------------------------------------------


def graph_bytes(rows: int, dimensions: int, m: int = 16, *, half: bool = False) -> int:
    """Returns the memory in bytes that an HNSW graph needs to be built without spilling.

    A vector is 4 bytes a dimension (2 of a `halfvec`) and 8 of header. Its element (HnswElementData) and its upper
    layers take about 200 bytes, and each of the 2 * m neighbours of the lowest layer 16 (HnswCandidate). Against what
    "hnsw graph no longer fits into maintenance_work_mem after ... tuples" tells of pgvector 0.8, at 24 to 2,000
    dimensions and m of 16 and 32, it is right within 2 %.
    """
    return rows * (_vector_bytes(dimensions, half=half) + 32 * m + 200)


def index_memory(needed: int, limit: int) -> int:
    """Returns what `maintenance_work_mem` a build gets, in bytes: what the graph needs, within `limit`."""
    return min(max(MIN_INDEX_MEMORY, needed + 16 * _MIB), limit, MAX_INDEX_MEMORY)


def spec_graph_bytes(spec: EmbeddingSpec, rows: int) -> int:
    """Returns `graph_bytes` of the index that `spec` wants."""
    return graph_bytes(rows, spec.dimensions, _option(spec, "m", 16), half=is_half(spec))


def _fit(spec: EmbeddingSpec, table: TablePlan, limit: int) -> IndexFit:
    needed = spec_graph_bytes(spec, table.rows_estimate)
    memory = index_memory(needed, limit)
    return IndexFit(spec.index or "", needed, memory, needed <= memory)


def _vector_bytes(dimensions: int, *, half: bool = False) -> int:
    return (2 if half else 4) * dimensions + 8


def is_half(spec: EmbeddingSpec) -> bool:
    """Says whether the column's index is on `halfvec`."""
    return "halfvec" in (spec.statement or "") or spec.dimensions > MAX_HNSW_VECTOR


def _option(spec: EmbeddingSpec, name: str, default: int) -> int:
    """Returns an option of the index; pg_get_indexdef puts it in quotes."""
    match = re.search(rf"\b{name} ?= ?'?(\d+)", (spec.statement or "").rpartition(" WITH (")[2])
    return int(match[1]) if match else default


# --- disk ----------------------------------------------------------------------------------------

_PAGE = 8192
_PAGE_ROOM = _PAGE - 24
"""Without PageHeaderData."""
_TUPLE_HEADER = 24
_ITEM_POINTER = 4
_TOAST_THRESHOLD = 2032
"""TOAST_TUPLE_THRESHOLD (src/include/access/heaptoast.h)."""
_TOAST_POINTER = 18
_TOAST_CHUNK = 1996
"""TOAST_MAX_CHUNK_SIZE of pages of 8 kB."""
_TOAST_HEADER = _TUPLE_HEADER + 12
"""And the chunk's id, its number and the header of its data."""
_BTREE_FILL = 0.9
_SIMULATED_ROWS = 50

_FIXED = {
    "int16": 2, "int32": 4, "int64": 8, "float32": 4, "float64": 8, "numeric": 10, "bool": 1, "bit_bool": 1, "bit": 12,
    "uuid": 16, "uuid_bytes": 16, "inet": 10, "point": 16, "date": 4, "time": 8, "timestamp": 8, "timestamptz": 8,
    "interval": 16,
}  # fmt: skip
"""Bytes of a value in a row, by kind of wire column; others vary."""
_TEXT_PER_DIMENSION = 28
"""Bytes of an embedding's JSON text a dimension, where nothing was measured."""


def disk_bytes(plan: Plan, calibration: Calibration | None = None) -> int:
    """Returns about how much disk the target's tables and indexes will take.

    In it: heap pages; TOAST with its index; B-trees of keys and secondary indexes; HNSW pages. Not in it: WAL, sort
    files, a table's second copy under `--vector-load cast`, and what PostgreSQL saves by compressing long texts.

    Args:
        plan: the run's plan.
        calibration: with the sizes of sampled values; without them they are guessed from the mean size of a row.
    """
    samples = {sample.table: dict(sample.columns) for sample in calibration.tables} if calibration else {}
    specs: dict[str, list[EmbeddingSpec]] = {}
    for spec in plan.embeddings:
        specs.setdefault(spec.table, []).append(spec)
    total = 0.0
    for table in plan.tables:
        sizes = _sizes(table, specs.get(table.target, []), samples.get(table.name, {}))
        each = row_bytes(list(sizes.values()))
        for item in table.after:
            if item.kind in {"primary key", "unique", "index"}:
                tail = item.statement.rpartition(quote(table.target))[2]
                each += _btree_bytes([size for name, size in sizes.items() if quote(name) in tail])
        for spec in specs.get(table.target, []):
            if spec.statement is not None:
                each += hnsw_bytes(spec.dimensions, _option(spec, "m", 16), half=is_half(spec))
        total += table.rows_estimate * each
    return int(total)


def _sizes(table: TablePlan, specs: Sequence[EmbeddingSpec], sample: Mapping[str, float]) -> dict[str, float]:
    """Returns the bytes of a mean value in the target, by column."""
    vectors = {spec.column: float(_vector_bytes(spec.dimensions)) for spec in specs}
    sizes = {column.name: vectors.get(column.name) or _FIXED.get(column.wire) for column in table.columns}
    unknown = [name for name, size in sizes.items() if size is None]
    texts = sum(_TEXT_PER_DIMENSION * spec.dimensions for spec in specs)
    rest = max(0.0, table.row_bytes - texts - 8 * (len(sizes) - len(unknown)))
    guess = max(8.0, rest / len(unknown)) if unknown else 0.0
    return {name: guess if size is None else size for name, size in sizes.items()} | dict(sample)


def row_bytes(sizes: Sequence[float]) -> float:
    """Returns the bytes that a row takes in heap and TOAST; the largest values leave the row until it is small."""
    inside = sorted(sizes)
    outside = []
    while inside and _TUPLE_HEADER + sum(inside) > _TOAST_THRESHOLD and inside[-1] > _TOAST_POINTER:
        outside.append(inside.pop())
        inside.insert(0, _TOAST_POINTER)
        inside.sort()
    size = _aligned(_TUPLE_HEADER + sum(inside)) + _ITEM_POINTER
    return _PAGE / max(1, _PAGE_ROOM // size) + _toast_bytes(outside)


def _toast_bytes(sizes: Sequence[float]) -> float:
    """Returns what values out of line take, per row.

    A page takes four full chunks and nothing else, or a rest with three: a vector of 1,536 dimensions, three chunks and
    a bit, has a page to itself. So pages are filled here as PostgreSQL does it: the last one, or else one with room.
    """
    pages = chunks = 0
    free: list[int] = []
    """Room on the pages that have any; the page in use is the last."""
    for _ in range(_SIMULATED_ROWS):
        for size in sizes:
            # Of a very long value all pages but a few are full.
            full = max(0, int(size) // (4 * _TOAST_CHUNK) - 4)
            pages += full
            chunks += 4 * full
            left = int(size) - full * 4 * _TOAST_CHUNK
            while left > 0:
                chunk = _aligned(_TOAST_HEADER + min(left, _TOAST_CHUNK)) + _ITEM_POINTER
                place = next((number for number in reversed(range(len(free))) if free[number] >= chunk), None)
                pages += place is None
                free.append((_PAGE_ROOM if place is None else free.pop(place)) - chunk)
                chunks += 1
                left -= _TOAST_CHUNK
    return (pages * _PAGE + chunks * _btree_bytes([8])) / _SIMULATED_ROWS


def _btree_bytes(sizes: Sequence[float]) -> float:
    """Returns what an entry takes (IndexTupleData is 8 bytes)."""
    return (_aligned(8 + max(8, sum(sizes))) + _ITEM_POINTER) / _BTREE_FILL


def hnsw_bytes(dimensions: int, m: int, *, half: bool = False) -> float:
    """Returns what a vector takes in an HNSW index: its element and its neighbours, on one page where both fit.

    Args:
        dimensions: the vector's.
        m: the index's.
        half: whether the index is on `halfvec`.
    """
    room = _PAGE_ROOM - 8  # HnswPageOpaqueData
    element = _aligned(72 + _vector_bytes(dimensions, half=half)) + _ITEM_POINTER
    # The lowest layer has 2 * m neighbours, and one row in m has m more.
    neighbours = _aligned(4 + 6 * 2 * m) + 6 + _ITEM_POINTER
    together = int(room // (element + neighbours))
    return _PAGE / together if together else 2.0 * _PAGE


def _aligned(size: float) -> int:
    return -(-math.ceil(size) // 8) * 8
