"""What came of a dump that was rewritten as a script: its model and its JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from vecferry.model import Loss


@dataclass(frozen=True, slots=True)
class ScriptTable:
    """One table of a script."""

    name: str
    """Its name in the source."""
    rows_read: int
    rows_written: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class ScriptVector:
    """One embedding column of a script; names are the target's."""

    table: str
    column: str
    dimensions: int
    index: str | None


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """A script that was written."""

    status: Literal["ok", "rejected"]
    output: str
    """Its path, or `-`."""
    bytes_read: int
    """Of the dump, uncompressed."""
    bytes_written: int
    seconds: float
    complete: bool
    """Whether the dump ended with the line by which its writer says that it is whole."""
    tables: tuple[ScriptTable, ...]
    vectors: tuple[ScriptVector, ...]
    losses: tuple[Loss, ...]
    notes: tuple[str, ...]
    rejects: str | None
    """The file of what could not be carried, where there is one."""

    def to_json(self) -> dict[str, Any]:
        """Returns the result as plain values."""
        return asdict(self)
