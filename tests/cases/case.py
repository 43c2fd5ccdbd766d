"""One test case: what its directory holds, read and checked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

ROOT = Path(__file__).parent

Server = Literal["mariadb", "mysql56"]
Value = bool | int | float | str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(_Strict):
    """A query on the target after the migration, and its rows in its order."""

    sql: str
    rows: list[list[Value]]


class ExpectedLoss(_Strict):
    """A loss that the report must announce."""

    where: str
    """`table` or `table.column`."""
    reason: str
    """A regular expression that is found in the reason."""
    count: int | None = None
    examples: list[str] = []
    """Keys that are among the loss's examples."""


class Note(_Strict):
    """A sentence of the report, be it a note or a loss."""

    text: str
    """A regular expression that is found in the sentence."""


class Expected(_Strict):
    """What case.toml says; without the file, all of it is as written here."""

    servers: list[Server] = ["mariadb", "mysql56"]
    options: dict[str, Any] = {}
    """Options of `vecferry.load_config`."""
    refused: list[str] = []
    """Regular expressions that are found in the error's sentence; empty where the migration succeeds."""
    exit_code: int = 5
    untouched: bool = True
    """Whether a refused migration must leave the target as it was."""
    status: str = "ok"
    compare: bool = True
    """Whether every value of the source must be in the target."""
    skip_tables: list[str] = []
    """Tables that the generic comparison leaves out."""
    skip_columns: list[str] = []
    """Columns, as `table.column`, that the generic comparison leaves out."""
    no_loss: list[str] = []
    """Columns or tables of which the report must announce no loss."""
    query: list[Query] = []
    loss: list[ExpectedLoss] = []
    note: list[Note] = []


class Case(_Strict):
    """A directory of this folder."""

    name: str
    mysql: str
    """Statements for the source."""
    postgres: str
    """Statements for the target, run before the migration; mostly empty."""
    expected: Expected


def all_cases() -> list[Case]:
    """Return every case, by name."""
    return [_read(path.parent) for path in sorted(ROOT.glob("*/mysql.sql"))]


def _read(directory: Path) -> Case:
    unknown = {path.name for path in directory.iterdir()} - {"mysql.sql", "postgres.sql", "case.toml"}
    if unknown:
        raise ValueError(f"{directory.name} holds files that nothing reads: {', '.join(sorted(unknown))}")
    said = directory / "case.toml"
    before = directory / "postgres.sql"
    return Case(
        name=directory.name,
        mysql=(directory / "mysql.sql").read_text(encoding="utf-8"),
        postgres=before.read_text(encoding="utf-8") if before.exists() else "",
        expected=Expected(**tomllib.loads(said.read_text(encoding="utf-8")) if said.exists() else {}),
    )
