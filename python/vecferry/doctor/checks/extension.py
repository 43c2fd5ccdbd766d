"""The extension: there or not, old, or with known faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.doctor.checks.statements import reindex
from vecferry.doctor.facts import parse_version
from vecferry.doctor.model import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.doctor.facts import Facts, Version

OVERFLOW_UNTIL: Version = (0, 8, 2)
CORRUPTION_UNTIL: Version = (0, 8, 3)
"""pgvector's changelog: https://github.com/pgvector/pgvector/blob/master/CHANGELOG.md."""
_EXTENSION = "extension vector"
_UPDATE = "ALTER EXTENSION vector UPDATE"


def no_extension(facts: Facts) -> Iterator[Found]:
    """Finds a database without pgvector."""
    server = facts.server
    if server.pgvector is None:
        at_hand = f"the server has {server.available} at hand" if server.available else "the server has none at hand"
        yield Found(
            _EXTENSION,
            f"not created in this database; {at_hand}",
            ("CREATE EXTENSION vector",),
            first="" if server.available else "install pgvector on the server",
        )


def overflow(facts: Facts) -> Iterator[Found]:
    """Finds versions whose parallel index builds overflow a buffer."""
    if facts.server.pgvector and parse_version(facts.server.pgvector) < OVERFLOW_UNTIL:
        yield Found(_EXTENSION, _versions(facts), _update(facts), first=_first(facts, OVERFLOW_UNTIL))


def corruption(facts: Facts) -> Iterator[Found]:
    """Finds versions whose VACUUM may corrupt an HNSW index."""
    version = parse_version(facts.server.pgvector)
    if facts.server.pgvector and OVERFLOW_UNTIL <= version < CORRUPTION_UNTIL:
        yield Found(_EXTENSION, _versions(facts), _update(facts), first=_first(facts, CORRUPTION_UNTIL))


def outdated(facts: Facts) -> Iterator[Found]:
    """Finds an extension that is older than what the server has at hand."""
    version, available = parse_version(facts.server.pgvector), parse_version(facts.server.available)
    if facts.server.pgvector and CORRUPTION_UNTIL <= version < available:
        yield Found(_EXTENSION, _versions(facts), (_UPDATE,))


def _versions(facts: Facts) -> str:
    return (
        f"version {facts.server.pgvector} in this database, the server has {facts.server.available or 'none'} at hand"
    )


def _update(facts: Facts) -> tuple[str, ...]:
    built = [index for index in facts.indexes if index.method == "hnsw" and index.valid and not index.partitioned]
    return (_UPDATE, *(reindex(index) for index in built))


def _first(facts: Facts, until: Version) -> str:
    if parse_version(facts.server.available) >= until:
        return ""
    return f"install pgvector {'.'.join(map(str, until))} or newer on the server"
