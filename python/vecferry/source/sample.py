"""A small, spread-out look at a table's rows: how large they are and what their texts hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pymysql

from vecferry.errors import SourceError, one_line
from vecferry.mapping.keys import integer_key
from vecferry.mapping.select import literal, quote
from vecferry.source.connect import refused
from vecferry.source.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pymysql.connections import Connection

    from vecferry.model import Column, Table

STRATA = 16
LONGEST_TEXT = 1024 * 1024
"""A longer value is no embedding: 16,000 numbers are less than 600 KB of JSON."""
MOST_BYTES = 32 * 1024 * 1024
SHORT = 64
"""Columns declared shorter than this hold no embedding."""
NUMBER_BYTES = 8

_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json"})
_LONG = _TEXTS | {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "enum", "set"}
_SPATIAL = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    }
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a few rows of a table say about the rest."""

    rows: int
    row_bytes: int
    """The mean size of a row's values."""
    row_bytes_max_stratum: int
    """The mean size in the part of the table where rows are largest."""
    texts: dict[str, pa.Array] = field(default_factory=dict)
    """The values of each text column that may hold more than a few words; null where the value is longer than
    `LONGEST_TEXT`, too."""


@dataclass(slots=True)
class _Stratum:
    rows: int = 0
    bytes: int = 0


def sample(connection: Connection[Any], table: Table, key: Sequence[str], rows: int = 200) -> Sample:
    """Looks at about `rows` rows from all over the table, and at no more than some 32 MB of text.

    With one integer for a key the rows come from 16 places between the smallest and the largest; with
    another key from both ends; without one they are the first that the server gives.

    Args:
        connection: an open connection to the source.
        table: the table as the catalog describes it.
        key: what `chunk_key` said.
        rows: how many rows to look at.

    Raises:
        SourceError: the server refused a query, or holds a text that is not UTF-8.
    """
    texts = [column for column in table.columns if _worth_reading(column)]
    sizes = " + ".join(_size(column) for column in table.columns)
    values = [
        f"CASE WHEN LENGTH({quote(column.name)}) <= {LONGEST_TEXT} THEN {quote(column.name)} END" for column in texts
    ]
    keys = [quote(name) for name in key]
    listed = ", ".join([*keys, sizes, *values])
    strata: list[_Stratum] = []
    found: list[list[str | None]] = [[] for _ in texts]
    left = MOST_BYTES
    try:
        for rows_of_stratum in _strata(connection, table, key, listed, rows):
            stratum = _Stratum()
            for row in rows_of_stratum:
                stratum.rows += 1
                stratum.bytes += int(row[len(keys)])
                for column, value in zip(found, row[len(keys) + 1 :], strict=True):
                    column.append(value)
                    left -= len(value or "")
            if stratum.rows:
                strata.append(stratum)
            if left <= 0:
                break
    except pymysql.err.Error as error:
        raise refused(error, connection, f"look at the rows of table {table.name}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"cannot look at the rows of table {table.name}: {one_line(error)}") from error
    count = sum(stratum.rows for stratum in strata)
    return Sample(
        rows=count,
        row_bytes=sum(stratum.bytes for stratum in strata) // max(1, count),
        row_bytes_max_stratum=max((stratum.bytes // stratum.rows for stratum in strata), default=0),
        texts={
            column.name: pa.array(values, type=pa.large_string()) for column, values in zip(texts, found, strict=True)
        },
    )


def _worth_reading(column: Column) -> bool:
    return column.data_type in _TEXTS and (column.length is None or column.length >= SHORT)


def _size(column: Column) -> str:
    if column.data_type in _LONG or column.data_type in _SPATIAL:
        return f"COALESCE(LENGTH({quote(column.name)}), 0)"
    return str(NUMBER_BYTES)


def _strata(
    connection: Connection[Any], table: Table, key: Sequence[str], listed: str, rows: int
) -> Iterator[tuple[tuple[Any, ...], ...]]:
    part = -(-rows // STRATA)
    with connection.cursor() as cursor:

        def ask(lower: Sequence[str] | None = None, offset: int = 0, *, backwards: bool = False) -> Any:  # noqa: ANN401 - PyMySQL's rows
            query = walk(table, key, lower, listed=listed, limit=part, offset=offset, backwards=backwards)
            cursor.execute(query)
            return cursor.fetchall()

        if integer_key(table, key):
            yield from _spread(ask)
            return
        seen: set[tuple[Any, ...]] = set()
        for backwards in (False, True)[: 2 if key else 1]:
            for number in range(STRATA // 2 if key else STRATA):
                found = ask(offset=number * part, backwards=backwards)
                fresh = [row for row in found if not key or row[: len(key)] not in seen]
                seen.update(row[: len(key)] for row in fresh)
                yield tuple(fresh)
                if len(fresh) < part:
                    return


def _spread(ask: Any) -> Iterator[tuple[tuple[Any, ...], ...]]:  # noqa: ANN401 - a closure of _strata
    first = ask()
    yield first
    last = ask(backwards=True)
    if not first or not last:
        return
    seen, end = int(first[-1][0]), int(last[-1][0])
    start, largest = int(first[0][0]), int(last[0][0])
    for number in range(1, STRATA - 1):
        position = max(seen, start + (largest - start) * number // (STRATA - 1))
        if position >= end - 1:
            break
        found = tuple(row for row in ask((literal(position),)) if int(row[0]) < end)
        if not found:
            break
        yield found
        seen = int(found[-1][0])
    if end > seen:
        yield last
