"""Which source a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.config import DumpPath
from vecferry.dump.source import DumpSource
from vecferry.source.live import LiveSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.config import Config
    from vecferry.model import Chunk
    from vecferry.origin import Source


def source_of(config: Config) -> Source:
    """Returns the source; nothing is opened yet.

    Raises:
        UsageError: the configuration names none.
    """
    at = config.source_at
    if isinstance(at, DumpPath):
        return DumpSource(at.path, config.dump_database, allow_incomplete=config.allow_incomplete)
    return LiveSource(at)


def in_reading_order(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Returns chunks of a dump as they follow each other in its files, and others as they are."""

    def place(chunk: Chunk) -> tuple[str, int]:
        return (chunk.part.file, chunk.part.pieces[0][0]) if chunk.part is not None else ("", 0)

    return sorted(chunks, key=place)
