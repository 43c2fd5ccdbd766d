"""Configuration: what the user asked for, from options, `VECFERRY_*` variables and a TOML file, in that order.

URLs are types of their own whose text never shows a password.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from pydantic import ByteSize, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vecferry import tls
from vecferry.errors import UsageError
from vecferry.model import OnInvalid  # noqa: TC001 - pydantic reads the annotation
from vecferry.sections import EmbeddingEndpoint, Search, Smoke, holds_secret, secrets_of

if TYPE_CHECKING:
    from pathlib import Path

SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_SOURCE_OPTIONS = ("ssl-mode", "ssl-ca")
_SECRET_OPTIONS = frozenset({"sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"})
"""Other secrets than the password (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS)."""


@dataclass(frozen=True)
class DatabaseURL:
    """A server, a database and how to log in; `str()` and `repr()` leave the password out."""

    scheme: str
    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.user}@{self.place}"

    @property
    def place(self) -> str:
        """`host:port/database`, what a run is known by."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.database}"

    def with_password(self) -> str:
        """Returns the URL in full, for a driver's eyes only."""
        login = quote(self.user, safe="")
        if self.password is not None:
            login += ":" + quote(self.password, safe="")
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        tail = "?" + urlencode(self.options, quote_via=quote) if self.options else ""
        return f"{self.scheme}://{login}@{host}:{self.port}/{quote(self.database, safe='')}{tail}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen of it: the password, and libpq's other secrets in the options."""
        found = (self.password, *(value for name, value in self.options if name in _SECRET_OPTIONS))
        return tuple(secret for secret in found if secret)

    def option(self, name: str) -> str | None:
        """Returns the URL's parameter called `name`, if it is there."""
        return dict(self.options).get(name)


def parse_source(text: str) -> DatabaseURL:
    """Parses `mysql://user:password@host:port/database?ssl-mode=...` (`mariadb://` is the same).

    Raises:
        UsageError: the text is not such a URL; the message does not repeat a password.
    """
    url = _parse(text, "source", ("mysql", "mariadb"), 3306, "MYSQL_PWD", "VECFERRY_SOURCE_PASSWORD")
    for name, value in url.options:
        if name not in _SOURCE_OPTIONS:
            allowed = ", ".join(_SOURCE_OPTIONS)
            raise UsageError(f"the source URL has an unknown parameter {name!r}: allowed are {allowed}")
        if name == "ssl-mode" and value.upper() not in SSL_MODES:
            raise UsageError(f"the source URL's ssl-mode {value!r} is not one of {', '.join(SSL_MODES)}")
    return replace(url, scheme="mysql")


def parse_target(text: str) -> DatabaseURL:
    """Parses `postgresql://user:password@host:port/database?sslmode=...` (`postgres://` is the same).

    Raises:
        UsageError: the text is not such a URL; the message does not repeat a password.
    """
    url = _parse(text, "target", ("postgresql", "postgres"), 5432, "PGPASSWORD", "VECFERRY_TARGET_PASSWORD")
    stated = url.option("password")
    return replace(
        url,
        scheme="postgresql",
        password=url.password if stated is None else stated,
        options=tuple(option for option in url.options if option[0] != "password"),
    )


def _parse(
    text: str, end: str, schemes: tuple[str, ...], port: int, common_variable: str, own_variable: str
) -> DatabaseURL:
    example = f"{schemes[0]}://user:password@host:{port}/database"
    try:
        parts = urlsplit(text)
        found_port = parts.port or port
        options = tuple(parse_qsl(parts.query, strict_parsing=True)) if parts.query else ()
    except ValueError:
        hint = "a port up to 65535, special characters in the password percent-encoded"
        raise UsageError(f"the {end} URL cannot be read: expected {example}, {hint}") from None
    if "@" in parts.path + parts.query:
        # A piece of an unencoded password would be taken for a host, and be told to whoever reads the message.
        raise UsageError(f"the {end} URL holds an '@' behind its host: percent-encode the special characters in it")
    if parts.scheme not in schemes:
        raise UsageError(f"the {end} is not a URL of {' or '.join(s + '://' for s in schemes)}: expected {example}")
    database = unquote(parts.path.lstrip("/"))
    missing = [
        name
        for name, value in (("host", parts.hostname), ("user", parts.username), ("database", database))
        if not value
    ]
    if missing:
        raise UsageError(f"the {end} URL has no {' and no '.join(missing)}: expected {example}")
    if parts.fragment:
        raise UsageError(f"the {end} URL holds a '#': write %23 where it belongs to the password")
    password = unquote(parts.password) if parts.password is not None else None
    if password is None:
        password = os.environ.get(own_variable) or os.environ.get(common_variable)
    return DatabaseURL(
        scheme=parts.scheme,
        host=unquote(parts.hostname or ""),
        port=found_port,
        database=database,
        user=unquote(parts.username or ""),
        password=password,
        options=options,
    )


@dataclass(frozen=True)
class DumpPath:
    """A dump file, a directory of them, or standard input (`-`)."""

    path: str

    def __str__(self) -> str:
        return self.place

    @property
    def place(self) -> str:
        """The absolute path, what a run is known by."""
        return "standard input" if self.path == "-" else os.path.abspath(self.path)  # noqa: PTH100 - as it was named, links and all

    @property
    def secrets(self) -> tuple[str, ...]:
        """A path has none."""
        return ()


_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class EmbeddingOption:
    """`--embedding table.column[:dimensions]`: a column that is an embedding because the user says so."""

    table: str
    column: str
    dimensions: int | None = None

    @classmethod
    def parse(cls, text: str) -> EmbeddingOption:
        """Reads `table.column` or `table.column:1536`.

        Raises:
            UsageError: the text has another form.
        """
        match = re.fullmatch(r"(?P<table>[^.]+)\.(?P<column>[^:]+)(?::(?P<dimensions>[1-9]\d{0,4}))?", text)
        if match is None:
            raise UsageError(f"--embedding {text!r} is not of the form table.column or table.column:dimensions")
        dimensions = match["dimensions"]
        return cls(match["table"], match["column"], int(dimensions) if dimensions else None)


@dataclass(frozen=True)
class Policy:
    """`--on [table.column:]kind=policy`: what becomes of values that PostgreSQL cannot hold."""

    kind: str
    policy: str
    table: str | None = None
    column: str | None = None

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Reads `zero-date=null` or `posts.title:too-long=truncate`.

        Raises:
            UsageError: the text has another form, or names a kind or policy that does not exist.
        """
        match = re.fullmatch(r"(?:(?P<table>[^.]+)\.(?P<column>.+):)?(?P<kind>[a-z-]+)=(?P<policy>[a-z]+)", text)
        if match is None:
            raise UsageError(f"--on {text!r} is not of the form kind=policy or table.column:kind=policy")
        kind, policy = match["kind"], match["policy"]
        if kind not in POLICIES:
            raise UsageError(f"--on {text!r}: the kind is not one of {', '.join(POLICIES)}")
        if policy not in ("refuse", *POLICIES[kind]):
            raise UsageError(f"--on {text!r}: the policy of {kind} is one of {', '.join(('refuse', *POLICIES[kind]))}")
        return cls(kind, policy, match["table"], match["column"])


POLICIES: dict[str, tuple[str, ...]] = {
    "zero-date": ("null", "replace"),
    "nul-byte": ("null", "replace"),
    "json-escape": ("null", "replace"),
    "json-text": ("null", "replace"),
    "out-of-range": ("null",),
    "too-precise": ("truncate",),
    "too-long": ("null", "truncate"),
    "unknown-label": ("null",),
    "not-uuid": ("null",),
    "orphan": ("keep",),
}
"""Kinds of values without a counterpart, and what may be done with each instead of `refuse`, the default."""


Patterns = Annotated[tuple[str, ...], NoDecode]


class Config(BaseSettings):
    """Every option of a run; the names are those of the command line."""

    model_config = SettingsConfigDict(env_prefix="VECFERRY_", extra="forbid", frozen=True, hide_input_in_errors=True)

    source: str
    target: str
    tables: Patterns = ()
    exclude: Patterns = ()
    target_schema: str = Field(default="public", min_length=1)
    workers: int = Field(default_factory=lambda: max(2, os.cpu_count() or 2), ge=1, le=256)
    chunk_bytes: ByteSize = Field(default=ByteSize(32 * 1024 * 1024), ge=4096, le=512 * 1024 * 1024)
    vector_load: Literal["wire", "cast"] = "wire"
    embedding: Patterns = ()
    detect_embeddings: bool = True
    on: Patterns = ()
    ci: Literal["keep", "citext"] = "keep"
    json_type: Literal["jsonb", "json"] = "jsonb"
    time_type: Literal["interval", "time"] = "interval"
    datetime_zone: str = "UTC"
    fulltext: str | None = Field(default=None, pattern=r"^[a-z_][a-z0-9_]*$")
    distance: Literal["cosine", "l2", "ip"] = "cosine"
    hnsw: bool = True
    m: int = Field(default=16, ge=2, le=100)
    ef_construction: int = Field(default=64, ge=4, le=1000)
    index_memory: ByteSize | None = Field(default=None, ge=1024 * 1024)
    retries: int = Field(default=7, ge=0, le=100)
    consistency: Literal["watch", "lock"] = "watch"
    dump_database: str | None = Field(default=None, min_length=1)
    allow_incomplete: bool = False
    on_invalid: OnInvalid = "stop"
    max_rejects: int | None = Field(default=None, ge=0)
    require_tls: bool = False
    estimate: bool = True
    level: Literal["counts", "sample", "full"] = "full"
    oracle_rows: int = Field(default=2_000, ge=0)
    max_differences: int = Field(default=20, ge=1)
    verify_seed: int = 1
    truncate: bool = False
    restart: bool = False
    yes: bool = False
    smoke: Smoke | None = None
    search: Search = Field(default_factory=Search)
    embedding_endpoint: EmbeddingEndpoint | None = None
    examples: bool = True

    @field_validator("tables", "exclude", "embedding", "on", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the source held
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("target_schema")
    @classmethod
    def _not_the_ledgers(cls, value: str) -> str:
        if value == "vecferry":
            raise ValueError("the schema vecferry holds the record of runs: choose another one")
        return value

    @field_validator("datetime_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("no time zone of that name: write for example Europe/Paris") from None
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment; then the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @property
    def source_url(self) -> DatabaseURL:
        """The source that is a server, parsed; every connection to it is made from this."""
        url = parse_source(self.source)
        return tls.require_source(url) if self.require_tls else url

    @property
    def source_at(self) -> DatabaseURL | DumpPath:
        """The source, parsed: whatever is no URL is a path."""
        return self.source_url if _SCHEME.match(self.source) else DumpPath(self.source)

    @property
    def target_url(self) -> DatabaseURL:
        """The target, parsed; every connection to it is made from this."""
        url = parse_target(self.target)
        return tls.require_target(url) if self.require_tls else url

    @property
    def header_secrets(self) -> tuple[str, ...]:
        """What must not be seen of the headers that `[smoke]` and `[embedding_endpoint]` send."""
        return tuple(secret for headers in self._headers for secret in secrets_of(headers))

    @property
    def holds_header_secret(self) -> bool:
        """Whether a header's secret is written out, not named by a variable."""
        return any(holds_secret(headers) for headers in self._headers)

    @property
    def _headers(self) -> list[dict[str, str]]:
        found = [self.embedding_endpoint.headers] if self.embedding_endpoint else []
        return [*found, self.smoke.headers, *(check.headers for check in self.smoke.http)] if self.smoke else found

    @property
    def embedding_options(self) -> tuple[EmbeddingOption, ...]:
        """`--embedding`, parsed."""
        return tuple(EmbeddingOption.parse(text) for text in self.embedding)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """`--on`, parsed."""
        return tuple(Policy.parse(text) for text in self.on)

    def policy(self, kind: str, table: str, column: str | None = None) -> str | None:
        """Returns what becomes of values of `kind` in a column; what names the column goes before what does not.

        None where the user has said nothing of them.
        """
        chosen = [entry for entry in self.policies if entry.kind == kind]
        own = [entry.policy for entry in chosen if (entry.table, entry.column) == (table, column)]
        general = [entry.policy for entry in chosen if entry.table is None]
        found = own or general
        return found[-1] if found else None


def load(file: Path | None = None, **options: object) -> Config:
    """Builds the configuration of a run.

    Args:
        file: a TOML file with the names of `Config`; None for none.
        options: what the command line gave; None where it gave nothing.

    Raises:
        UsageError: something is missing, unknown or out of range; each fault is named, no value is shown.
    """

    class FromFile(Config):
        model_config = SettingsConfigDict(toml_file=file)

    config = _validated(FromFile, file, options)
    at = config.source_at
    if isinstance(at, DumpPath):
        if at.path != "-" and not os.path.lexists(at.path):
            raise UsageError(
                f"the source {at.path} is no URL and no file: write mysql://user@host/database, or the path of a dump"
            )
        if config.consistency == "lock":
            raise UsageError("--consistency lock is for a server: a dump holds still by itself, leave it out")
    return config


def load_target(file: Path | None = None, **options: object) -> Config:
    """Builds the configuration of what needs no source; `source` is empty, whatever is named.

    Args:
        file: as for `load`.
        options: as for `load`.

    Raises:
        UsageError: as for `load`.
    """

    class FromFile(Config):
        model_config = SettingsConfigDict(toml_file=file)
        source: str = ""

    return _validated(FromFile, file, options).model_copy(update={"source": ""})


NO_TARGET = "postgresql://nobody@nowhere/nothing"
"""Stands for a target that nobody connects to."""


def load_dump(file: Path | None = None, **options: object) -> Config:
    """Builds the configuration of what needs a dump and no target; `target` is `NO_TARGET`, whatever is named.

    Args:
        file: as for `load`.
        options: as for `load`; `source` is the dump.

    Raises:
        UsageError: as for `load`.
    """

    class FromFile(Config):
        model_config = SettingsConfigDict(toml_file=file)
        target: str = NO_TARGET

    return _validated(FromFile, file, options).model_copy(update={"target": NO_TARGET})


@dataclass(frozen=True)
class TargetScope:
    """A target to look at, without a run: which tables of which schema; None is every user schema."""

    url: DatabaseURL
    schema: str | None = None
    tables: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def load_scope(file: Path | None = None, **options: object) -> TargetScope:
    """Builds what a command that only looks at the target needs; a run's file and variables serve it as they are.

    Args:
        file: as for `load`.
        options: as for `load`.

    Raises:
        UsageError: as for `load`, but a source may be missing.
    """
    config = load_target(file, **options)
    schema = config.target_schema if "target_schema" in config.model_fields_set else None
    return TargetScope(config.target_url, schema, config.tables, config.exclude)


@dataclass(frozen=True)
class SourceScope:
    """A source to back up, without a run: which tables of it; no pattern is all that it holds."""

    url: DatabaseURL
    tables: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def load_source(file: Path | None = None, **options: object) -> SourceScope:
    """Builds what a command that only reads the source needs; a run's file and variables serve it as they are.

    Args:
        file: as for `load`.
        options: as for `load`.

    Raises:
        UsageError: as for `load`, but a target may be missing.
    """

    class FromFile(Config):
        model_config = SettingsConfigDict(toml_file=file)
        target: str = ""

    config = _validated(FromFile, file, options)
    return SourceScope(config.source_url, config.tables, config.exclude)


def _validated(settings: type[Config], file: Path | None, options: dict[str, object]) -> Config:
    if file is not None and not file.is_file():
        raise UsageError(f"the configuration file {file} does not exist")
    _check_variables()
    if file is not None:
        _check_mode(file)
    try:
        config = settings(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(_fault(entry["loc"], entry["msg"]) for entry in error.errors(include_input=False))
        raise UsageError(faults) from None
    except (ValueError, OSError) as error:
        raise UsageError(f"the configuration file {file} cannot be read: {error}") from None
    _ = (config.target and config.target_url, config.embedding_options, config.policies)
    if file is not None and config.holds_header_secret and stat.S_IMODE(file.stat().st_mode) & 0o066:
        advice = f"name a variable, ${{NAME}}, in its place, or chmod 600 {file}"
        raise UsageError(f"the configuration file {file} holds a header's secret and is open to others: {advice}")
    return config


_OTHER_VARIABLES = ("SOURCE_PASSWORD", "TARGET_PASSWORD", "DEBUG")


def _check_variables() -> None:
    """Refuses a variable that nothing reads: it is a misspelt one, and would be ignored without a word."""
    known = {f"VECFERRY_{name.upper()}" for name in (*Config.model_fields, *_OTHER_VARIABLES)}
    for name in sorted(os.environ):
        if name.startswith("VECFERRY_") and not name.startswith("VECFERRY_TEST_") and name.upper() not in known:
            near = get_close_matches(name, known, n=1)
            raise UsageError(f"the variable {name} is no option" + (f": did you mean {near[0]}?" if near else ""))


_PASSWORD_IN_URL = re.compile(r"://[^:]*:.+@|[?&](?:ssl)?password=.", re.DOTALL)


def _check_mode(file: Path) -> None:
    """Refuses a file with a password in it that others than its owner may read or change."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            found = tomllib.load(opened)
    except (ValueError, OSError):
        return  # whoever reads it next says what is wrong
    holds = any(_PASSWORD_IN_URL.search(str(found.get(name, ""))) for name in ("source", "target"))
    if holds and mode & 0o066:
        raise UsageError(f"the configuration file {file} holds a password and is open to others: chmod 600 {file}")


def _fault(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]) if location else "configuration"
    if name in _SECTIONS:
        what = "no option of its section" if message == "Extra inputs are not permitted" else _plain(message)
        return f"{_path(location)} in the configuration file: {what}"
    if message == "Extra inputs are not permitted":
        return f"{name} in the configuration file is no option: see `vecferry migrate --help`"
    option = "--schema" if name == "target_schema" else "--" + name.replace("_", "-")
    if message == "Field required" and name in {"source", "target"}:
        return f"no {name} given: use {option} URL or set VECFERRY_{name.upper()}"
    if name in {"chunk_bytes", "index_memory"} and "could not" in message:
        return f"{option}: not a size: write for example 32MiB"
    return f"{option}: {message[0].lower()}{message[1:]}"


_SECTIONS = ("smoke", "search", "embedding_endpoint")


def _path(location: tuple[int | str, ...]) -> str:
    """Returns where a fault is as `smoke.http[0].path`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _plain(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[0].lower() + text[1:]
