"""Which columns are embeddings: the user's word first, then the column's type, then its values; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.mapping.typemap import base_type, modifier

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.convert.embeddings import Census
    from vecferry.model import Column, TargetColumn

MIN_DETECTED_DIMENSIONS = 16
"""Shorter lists of numbers (a position, a colour, a few ids) are not taken for embeddings unasked."""

EMBEDDING_TYPES = frozenset({"tinytext", "text", "mediumtext", "longtext", "varchar", "char", "json"})


@dataclass(frozen=True, slots=True)
class EmbeddingChoice:
    """Whether a column is an embedding, and how long; 0 dimensions: it is none."""

    dimensions: int = 0
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def choose_embedding(
    table: str, column: Column, there: TargetColumn | None, census: Census | None, config: Config
) -> EmbeddingChoice:
    """Decides whether a column is an embedding.

    Args:
        table: the table's name in the source.
        column: the source's column.
        there: the target's column where the table exists.
        census: what its sampled values are; None where it holds no text.
        config: what the user asked for.
    """
    name = f"{table}.{column.name}"
    asked = next((o for o in config.embedding_options if (o.table, o.column) == (table, column.name)), None)
    is_vector = there is not None and base_type(there.type) == "vector"
    declared = modifier(there.type) if there is not None and is_vector else None
    found: tuple[tuple[int, int], ...] = census.dimensions if census is not None else ()
    if asked is not None and column.data_type not in {*EMBEDDING_TYPES, "vector"}:
        return EmbeddingChoice(problems=(f"--embedding {name}: its type is {column.column_type}, not text or JSON",))
    own = modifier(column.column_type) if column.data_type == "vector" else None
    wanted = (asked.dimensions if asked else None) or own or declared
    if asked and asked.dimensions and declared and asked.dimensions != declared:
        problem = f"--embedding {name}:{asked.dimensions}: the target's column is {there.type if there else ''}"
        return EmbeddingChoice(problems=(problem,))
    if wanted:
        if found and wanted not in {length for length, _ in found}:
            return EmbeddingChoice(problems=(f"{name}: of its sampled values {_lengths(found)}, none of {wanted}",))
        return EmbeddingChoice(wanted)
    if asked is not None or is_vector:
        if len(found) == 1:
            return EmbeddingChoice(found[0][0])
        why = f"its sampled values have {_lengths(found)}" if found else "no sampled value is an embedding"
        return EmbeddingChoice(problems=(f"{name}: {why}: say --embedding {name}:DIMENSIONS",))
    if census is None or not config.detect_embeddings or not found:
        return EmbeddingChoice()
    return _detected(name, census)


def _detected(name: str, census: Census) -> EmbeddingChoice:
    """Decides by what the values are, where nobody said anything."""
    found = census.dimensions
    values = census.rows - census.nulls
    if sum(count for _, count in found) == values and len(found) == 1:
        if found[0][0] >= MIN_DETECTED_DIMENSIONS:
            return EmbeddingChoice(found[0][0])
        note = f"{name} holds lists of {found[0][0]} numbers: kept as they are; --embedding {name} makes them a vector"
        return EmbeddingChoice(notes=(note,))
    if max(length for length, _ in found) < MIN_DETECTED_DIMENSIONS:
        return EmbeddingChoice()
    others = values - sum(count for _, count in found)
    note = (
        f"{name} looks like an embedding but is mixed: of {values} sampled values {_lengths(found)}"
        f" and {others} are none: kept as text; --embedding {name}:DIMENSIONS converts it"
    )
    return EmbeddingChoice(notes=(note,))


def _lengths(found: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{count} of {length} dimensions" for length, count in found[:5])
