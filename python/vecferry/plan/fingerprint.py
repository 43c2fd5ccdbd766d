"""What a run depends on, as short texts that a later call is compared with; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.model import Catalog

_OPTIONS_OF_THE_RESULT = (
    "tables", "exclude", "vector_load", "embedding", "detect_embeddings", "distance", "hnsw", "m", "ef_construction",
    "on", "ci", "json_type", "time_type", "datetime_zone", "fulltext",
)  # fmt: skip


CONTENT = "the dump's content"
"""The name of what tells a dump from another under the same path."""


def fingerprint(catalog: Catalog, config: Config) -> dict[str, str]:
    """Returns what a run depends on, by name: the source, each table's structure, each option of the result."""
    prints = {"source": config.source_at.place}
    if catalog.dump:
        prints[CONTENT] = catalog.dump
    for table in catalog.tables:
        structure = repr((table.columns, table.primary_key, table.indexes, table.foreign_keys, table.checks))
        prints[f"table {table.name}"] = hashlib.sha256(structure.encode()).hexdigest()[:16]
    for option in _OPTIONS_OF_THE_RESULT:
        prints[f"option {option}"] = str(getattr(config, option))
    return prints
