"""Sections of the configuration file: searches to measure, and what is tried after a migration.

A header may name variables, `"Bearer ${APP_TOKEN}"`; what stands in them is a secret.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vecferry.errors import UsageError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_NAME = re.compile("auth|cookie|credential|key|pass|secret|session|sign|token", re.IGNORECASE)
"""Names of headers whose values are secrets, also where they are written out."""


def _http_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("not a URL: write for example http://127.0.0.1:3000") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not a URL of http:// or https://: write for example http://127.0.0.1:3000")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL must hold no password: put it into a header, from a variable")
    return text


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(f"{name!r} is no name of a header")
        if any(sign in value for sign in "\r\n\0"):
            raise ValueError(f"the value of {name} has more than one line")
    return headers


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Headers = Annotated[dict[str, str], AfterValidator(_header_names)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SqlCheck(_Section):
    """A statement on the target, and the rows that it must return."""

    name: str = Field(min_length=1)
    sql: str = Field(min_length=1)
    value: Any = None
    """The one value of the one row."""
    rows: list[list[Any]] | None = None
    """All rows, in order."""
    row_count: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_expectation(self) -> SqlCheck:
        if len({"value", "rows", "row_count"} & self.model_fields_set) != 1:
            raise ValueError("say what the statement returns by one of value, rows and row_count")
        return self


class HttpCheck(_Section):
    """A request, and the answer that it must get."""

    name: str = Field(min_length=1)
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    path: str = Field(pattern=r"^/[^\s]*$")
    """With the query, below the section's `base_url`."""
    headers: Headers = Field(default_factory=dict)
    body: Any = None
    """A text goes as it is, anything else as JSON."""
    status: int = Field(default=200, ge=100, le=599)
    fields: dict[str, Any] = Field(default_factory=dict)
    """Values of the JSON answer, by path: `answer.sources.0.id`."""
    present: list[str] = Field(default_factory=list)
    """Paths that must be there, and be neither null nor empty."""


class Smoke(_Section):
    """`[smoke]`: what must work after a migration."""

    base_url: HttpUrl | None = None
    """Where the application answers; needed where there are requests."""
    timeout_seconds: Seconds = 30.0
    """Of each statement and each request."""
    headers: Headers = Field(default_factory=dict)
    """Of every request."""
    sql: tuple[SqlCheck, ...] = ()
    http: tuple[HttpCheck, ...] = ()

    @model_validator(mode="after")
    def _somewhere(self) -> Smoke:
        if self.http and self.base_url is None:
            raise ValueError("requests need a base_url, for example http://127.0.0.1:3000")
        return self


class EmbeddingEndpoint(_Section):
    """`[embedding_endpoint]`: a service that turns a text into a vector, as OpenAI's `/v1/embeddings` does."""

    url: HttpUrl
    model: str = Field(min_length=1)
    headers: Headers = Field(default_factory=dict)
    timeout_seconds: Seconds = 30.0


class Search(_Section):
    """`[search]`: how much is measured of each vector index."""

    ef_search: list[Annotated[int, Field(ge=1, le=1000)]] = Field(default=[10, 40, 100, 200, 400], min_length=1)
    queries: int = Field(default=20, ge=1, le=1000)
    """Of each kind: stored vectors, and the same with noise."""
    seconds: Seconds = 60.0
    """The most that one index may take."""
    noise: float = Field(default=0.1, gt=0, le=10)
    """The length of the noise, against the vector's own."""
    seed: int = Field(default=1, ge=0, le=2**31 - 1)


def filled(headers: dict[str, str], where: str) -> dict[str, str]:
    """Returns headers with their variables' values in place of the names.

    Args:
        headers: as configured.
        where: the section, for the message.

    Raises:
        UsageError: a variable is not set, or is no header's value; the message does not show it.
    """

    def value_of(found: re.Match[str]) -> str:
        value = os.environ.get(found[1])
        if not value:
            raise UsageError(f"{where} names ${{{found[1]}}}, and that variable is not set")
        if any(sign in value for sign in "\r\n\0"):
            raise UsageError(f"{where} names ${{{found[1]}}}, and that variable has more than one line")
        return value

    return {name: _VARIABLE.sub(value_of, text) for name, text in headers.items()}


def secrets_of(headers: dict[str, str]) -> tuple[str, ...]:
    """Returns what must not be seen of configured headers: what variables hold, and the values of telling names."""
    found: list[str] = []
    for name, text in headers.items():
        found += [os.environ.get(variable, "") for variable in _VARIABLE.findall(text)]
        if _SECRET_NAME.search(name):
            value = _VARIABLE.sub(lambda match: os.environ.get(match[1], ""), text)
            # Of `Bearer abc` it is abc that is the secret, and that an application may repeat.
            found += [value, value.split(" ", 1)[-1]]
    return tuple(secret for secret in found if secret)


def holds_secret(headers: dict[str, str]) -> bool:
    """Returns whether a configured header has its secret written out, not named by a variable."""
    return any(_SECRET_NAME.search(name) and not _VARIABLE.search(text) for name, text in headers.items())
