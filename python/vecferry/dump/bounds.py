"""Which range of the key each part of a dump holds, where the dump is in the key's order, as InnoDB's are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from vecferry.dump.parts import values_of
from vecferry.dump.values import integers
from vecferry.mapping.keys import integer_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.dump.files import DumpFiles
    from vecferry.model import Chunk, Table


def bounded(
    files: DumpFiles, table: Table, key: Sequence[str], chunks: tuple[Chunk, ...], *, workers: int | None
) -> tuple[Chunk, ...]:
    """Returns chunks with the ranges of the key that they hold.

    Args:
        files: the dump's files.
        table: the table as the catalog describes it.
        key: its key.
        chunks: its chunks, in their order.
        workers: how many parts are read at a time.

    Returns:
        The chunks as they are where the key is not one integer, or their ranges overlap.

    Raises:
        SourceError: rows cannot be read.
    """
    if len(chunks) <= 1 or not integer_key(table, key):
        return chunks
    [name] = key

    def ends(chunk: Chunk) -> tuple[int, int] | None:
        found = []
        for values in values_of(files, chunk.part, table, key) if chunk.part is not None else ():
            least, greatest = pc.min_max(integers(values[name], table.column(name))).values()
            found += [end.as_py() for end in (least, greatest) if end.is_valid]
        return (min(found), max(found)) if found else None

    with ThreadPoolExecutor(workers, thread_name_prefix="vecferry-keys") as pool:
        ranges = [found for found in pool.map(ends, chunks) if found is not None]
    if len(ranges) < len(chunks) or any(one[1] >= other[0] for one, other in pairwise(ranges)):
        return chunks
    last = len(chunks) - 1
    return tuple(
        replace(
            chunk,
            lower=(str(ranges[place - 1][1]),) if place else None,
            upper=(str(ranges[place][1]),) if place < last else None,
        )
        for place, chunk in enumerate(chunks)
    )
