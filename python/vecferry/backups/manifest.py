"""What a backup says of itself: `manifest.json`, written last."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from vecferry.backups.frames import Compression  # noqa: TC001 - pydantic reads the annotations
from vecferry.errors import VecferryError, one_line

NAME = "manifest.json"
FORMAT = 1


class ManifestError(VecferryError):
    """The manifest is not there, or is none."""


@dataclass(frozen=True, slots=True)
class Server:
    """The source: `host:port/database`, and what it says of itself."""

    place: str
    flavor: Literal["MariaDB", "MySQL"]
    version: str


@dataclass(frozen=True, slots=True)
class UsedClient:
    """Who dumped, and with which arguments besides the login."""

    name: str
    maker: str
    version: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BinlogPosition:
    """Where the binary log stood at the moment that the dump shows."""

    file: str
    offset: int
    gtid: str | None = None
    """The GTIDs up to there; None where the server has none, or did not tell."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """How many rows of a table are in the dump."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file of the backup; `name` is its path in the backup's folder."""

    name: str
    bytes: int
    uncompressed_bytes: int
    sha256: str
    compression: Compression


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete backup; `include` and `exclude` are the patterns of `--tables` and `--exclude`.

    Times are in UTC, as in RFC 3339.
    """

    format: int
    tool: str
    server: Server
    database: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    client: UsedClient
    consistency: Literal["transaction", "lock"]
    started: str
    finished: str
    position: BinlogPosition | None
    tables: tuple[TableRows, ...]
    views: tuple[str, ...]
    files: tuple[BackupFile, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)

    def to_json(self) -> dict[str, Any]:
        """Returns the manifest as JSON has it."""
        return asdict(self)


def read_manifest(data: bytes) -> Manifest:
    """Returns what `manifest.json` holds.

    Raises:
        ManifestError: it is not the manifest of a backup, or that of a newer vecferry.
    """
    try:
        found = json.loads(data)
        number = found["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{NAME} is no manifest: {one_line(error)}") from None
    if number != FORMAT:
        raise ManifestError(f"{NAME} has the format {number}, and this vecferry knows {FORMAT}: use a newer one")
    try:
        return _MANIFEST.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"{NAME} is no manifest: {where}: {first['msg']}") from None


_MANIFEST = TypeAdapter(Manifest)
