"""PostgreSQL's names and literals as text; the only place that quotes for the target."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NAME_BYTES = 63
"""`NAMEDATALEN - 1` (src/include/pg_config_manual.h); the server cuts longer names without an error."""


def quote(name: str) -> str:
    """Returns an identifier in double quotes, in its own case."""
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """Returns `"schema"."name"`."""
    return f"{quote(schema)}.{quote(name)}"


def quote_all(names: Sequence[str]) -> str:
    """Returns quoted names with commas between them."""
    return ", ".join(quote(name) for name in names)


def literal(text: str) -> str:
    """Returns a string literal that is right whatever `standard_conforming_strings` says."""
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if "\\" not in text else " E" + quoted.replace("\\", "\\\\")


def shorten(name: str) -> str:
    """Returns `name`, or its head with a hash of the whole where it is longer than PostgreSQL keeps."""
    raw = name.encode()
    if len(raw) <= MAX_NAME_BYTES:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:8]
    return raw[: MAX_NAME_BYTES - 9].decode(errors="ignore") + "_" + digest


def unique_name(name: str, taken: set[str]) -> str:
    """Chooses `name`, cut to what PostgreSQL keeps, or where it is taken the same with a number, and takes it."""
    chosen, number = shorten(name), 1
    while chosen in taken:
        number += 1
        chosen = shorten(f"{name}_{number}")
    taken.add(chosen)
    return chosen


def index_name(table: str, name: str, taken: set[str]) -> str:
    """Chooses the name of an index or constraint, unique in the schema, and adds it to `taken`.

    MySQL's index names are unique in a table, PostgreSQL's in a schema: the first to come keeps its name,
    a later one gets its table's name in front, and after that a hash.
    """
    candidates = (
        name,
        f"{table}_{name}",
        f"{table}_{name}_{hashlib.sha256(f'{table}.{name}'.encode()).hexdigest()[:8]}",
    )
    chosen = next(short for short in map(shorten, candidates) if short not in taken)
    taken.add(chosen)
    return chosen
