"""A file of searches of the user's own, one JSON object a line, with the ids that they must find; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vecferry.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def _as_text(value: Any) -> Any:  # noqa: ANN401 - an id as JSON has it
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_as_text)]


class Query(BaseModel):
    """One search: `{"vector": [...], "table": "t", "column": "c", "expected": [1, 2], "k": 10}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    table: str = Field(min_length=1)
    column: str = Field(min_length=1)
    vector: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(default=None, min_length=1)
    text: str | None = Field(default=None, min_length=1)
    """Becomes a vector through `[embedding_endpoint]`."""
    expected: list[Id] = Field(min_length=1)
    """The ids of the rows that must be among the `k` nearest."""
    k: int = Field(default=10, ge=1, le=1000)
    id: str | None = None
    """The column of the ids; the table's primary key where it is not named."""
    min_hits: int | None = Field(default=None, ge=1)
    """How many of the expected ids are enough; all of them, as far as `k` allows, where it is not said."""

    @model_validator(mode="after")
    def _vector_or_text(self) -> Query:
        if (self.vector is None) == (self.text is None):
            raise ValueError("give either a vector or a text")
        return self

    @property
    def needed(self) -> int:
        """How many hits make it pass."""
        return self.min_hits or min(self.k, len(set(self.expected)))


def read_queries(file: Path) -> tuple[tuple[int, Query], ...]:
    """Returns the queries of a file, each with the number of its line; empty lines are left out.

    Raises:
        UsageError: the file cannot be read, or a line is no query.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"--query: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--query: {file} is not UTF-8") from None
    queries = tuple((number, _query(file, number, line)) for number, line in enumerate(lines, 1) if line.strip())
    if not queries:
        raise UsageError(f"--query: {file} holds no query: write one JSON object a line")
    return queries


def _query(file: Path, number: int, line: str) -> Query:
    try:
        return Query.model_validate_json(line)
    except ValidationError as error:
        faults = "; ".join(_fault(entry["loc"], entry["msg"]) for entry in error.errors(include_input=False))
        raise UsageError(f"--query: {file}, line {number}: {faults}") from None


def _fault(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    where = "".join(f"[{part}]" if isinstance(part, int) else str(part) for part in location)
    return f"{where}: {text[0].lower()}{text[1:]}" if where else text
