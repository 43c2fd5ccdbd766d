"""The options that commands share, each declared once with its help text.

An option that is not given stays None, so that `Config` falls back to `VECFERRY_*` and then to the file;
the defaults and variable names in the help texts are read from `Config`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import ByteSize

from vecferry import config as configuration
from vecferry.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.cli.invocation import Invocation

SCOPE = "What is carried"
EMBEDDINGS = "Embeddings"
VALUES = "Types and values"
LOAD = "Speed and memory"
SAFETY = "Consent and resumption"
VERIFICATION = "Verification"
OUTPUT = "Output"


def _default(field: str) -> str:
    info = Config.model_fields[field]
    if info.is_required() or info.default in ((), None) or isinstance(info.default, bool):
        return ""
    if info.default_factory is not None:
        return "one per CPU, at least 2"
    if isinstance(info.default, ByteSize):
        return info.default.human_readable().replace(".0", "")
    return str(info.default)


def _option(field: str, *names: str, help: str, panel: str, metavar: str | None = None) -> Any:  # noqa: A002, ANN401 - typer's own word and type
    default = _default(field)
    facts = f"default {default}; " if default else ""
    switched_off = "=false" if names[0].startswith("--no-") else ""
    return typer.Option(
        *names,
        help=f"{help} [dim]({facts}env VECFERRY_{field.upper()}{switched_off})[/]",
        metavar=metavar,
        rich_help_panel=panel,
        show_default=False,
    )


Source = Annotated[
    str | None,
    _option(
        "source",
        "--source",
        "-s",
        metavar="URL|DUMP",
        panel=SCOPE,
        help="The MySQL or MariaDB database: mysql://user:password@host:port/database "
        "(?ssl-mode=REQUIRED encrypts). The password may be in VECFERRY_SOURCE_PASSWORD instead. Or a dump: a file, "
        "plain, .gz, .zst or .xz, a directory by mydumper or vecferry backup, - for standard input.",
    ),
]
Target = Annotated[
    str | None,
    _option(
        "target",
        "--target",
        "-t",
        metavar="URL",
        panel=SCOPE,
        help="The PostgreSQL database: postgresql://user:password@host:port/database "
        "(?sslmode=require encrypts). The password may be in VECFERRY_TARGET_PASSWORD instead.",
    ),
]
RequireTls = Annotated[
    bool | None,
    _option(
        "require_tls",
        "--require-tls",
        metavar="",
        panel=SAFETY,
        help="Reach both databases over TLS or not at all; the URLs say whether certificates are verified.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        rich_help_panel=SCOPE,
        show_default=False,
        help="A TOML file with any of these options, under the names of their variables without VECFERRY_.",
    ),
]
DumpDatabase = Annotated[
    str | None,
    _option(
        "dump_database",
        "--dump-database",
        metavar="NAME",
        panel=SCOPE,
        help="Which database of a dump that holds several.",
    ),
]
AllowIncomplete = Annotated[
    bool | None,
    _option(
        "allow_incomplete",
        "--allow-incomplete",
        metavar="",
        panel=SAFETY,
        help="Take a dump without the line that its writer ends with: what was not written is missing in the target.",
    ),
]
Tables = Annotated[
    list[str] | None,
    _option(
        "tables",
        "--tables",
        metavar="PATTERN",
        panel=SCOPE,
        help="Carry only tables whose name matches, e.g. doc_*; repeat it or separate with commas.",
    ),
]
Exclude = Annotated[
    list[str] | None,
    _option(
        "exclude",
        "--exclude",
        metavar="PATTERN",
        panel=SCOPE,
        help="Leave out tables whose name matches; repeat it or separate with commas.",
    ),
]
Schema = Annotated[
    str | None,
    _option("target_schema", "--schema", metavar="NAME", panel=SCOPE, help="The schema in the target."),
]
InspectedSchema = Annotated[
    str | None,
    typer.Option(
        "--schema",
        metavar="NAME",
        rich_help_panel=SCOPE,
        show_default=False,
        help="Look at this schema alone; unset: at every user schema. [dim](env VECFERRY_TARGET_SCHEMA)[/]",
    ),
]
InspectedTables = Annotated[
    list[str] | None,
    _option(
        "tables",
        "--tables",
        metavar="PATTERN",
        panel=SCOPE,
        help="Look only at tables whose name matches, e.g. doc_*; repeat it or separate with commas.",
    ),
]
Embedding = Annotated[
    list[str] | None,
    _option(
        "embedding",
        "--embedding",
        metavar="COLUMN",
        panel=EMBEDDINGS,
        help="This column, table.column or table.column:1536, holds embeddings; repeat it or separate with commas.",
    ),
]
NoDetect = Annotated[
    bool | None,
    _option(
        "detect_embeddings",
        "--no-detect",
        metavar="",
        panel=EMBEDDINGS,
        help="Take no column for an embedding but those of --embedding.",
    ),
]
On = Annotated[
    list[str] | None,
    _option(
        "on",
        "--on",
        metavar="KIND=POLICY",
        panel=VALUES,
        help="What becomes of values that PostgreSQL cannot hold, e.g. zero-date=null, nul-byte=replace, "
        "too-long=truncate, orphan=keep, posts.title:too-long=truncate; every kind is refused unless you say so.",
    ),
]
Ci = Annotated[
    Literal["keep", "citext"] | None,
    _option(
        "ci",
        "--ci",
        panel=VALUES,
        help="Text that compares without regard to case: keep makes it plain text and warns, citext keeps it so.",
    ),
]
JsonType = Annotated[
    Literal["jsonb", "json"] | None,
    _option("json_type", "--json-type", panel=VALUES, help="What a JSON column becomes; json keeps the text as it is."),
]
TimeType = Annotated[
    Literal["interval", "time"] | None,
    _option(
        "time_type",
        "--time-type",
        panel=VALUES,
        help="What a TIME column becomes; time only where every value lies within a day.",
    ),
]
DatetimeZone = Annotated[
    str | None,
    _option(
        "datetime_zone",
        "--datetime-zone",
        metavar="ZONE",
        panel=VALUES,
        help="The time zone of DATETIME values that land in an existing timestamptz column, e.g. Europe/Paris.",
    ),
]
FullText = Annotated[
    str | None,
    _option(
        "fulltext",
        "--fulltext",
        metavar="LANGUAGE",
        panel=VALUES,
        help="Make full-text indexes GIN indexes over to_tsvector of this language, e.g. english or simple; "
        "unset: they are left out and listed.",
    ),
]
Distance = Annotated[
    Literal["cosine", "l2", "ip"] | None,
    _option("distance", "--distance", panel=EMBEDDINGS, help="The distance that the HNSW indexes serve."),
]
NoIndex = Annotated[
    bool | None,
    _option("hnsw", "--no-index", metavar="", panel=EMBEDDINGS, help="Build no HNSW index on the embeddings."),
]
M = Annotated[
    int | None,
    _option("m", "--m", metavar="N", panel=EMBEDDINGS, help="HNSW: links per node, 2 to 100."),
]
EfConstruction = Annotated[
    int | None,
    _option(
        "ef_construction",
        "--ef-construction",
        metavar="N",
        panel=EMBEDDINGS,
        help="HNSW: candidates looked at while building, 4 to 1000.",
    ),
]
IndexMemory = Annotated[
    str | None,
    _option(
        "index_memory",
        "--index-memory",
        metavar="SIZE",
        panel=LOAD,
        help="The most maintenance_work_mem that an index build may ask the target for; "
        "unset: its shared_buffers, at least 1 GiB.",
    ),
]
Workers = Annotated[
    int | None,
    _option("workers", "--workers", metavar="N", panel=LOAD, help="Chunks that are carried at the same time."),
]
ChunkBytes = Annotated[
    str | None,
    _option(
        "chunk_bytes",
        "--chunk-bytes",
        metavar="SIZE",
        panel=LOAD,
        help="How much source data is one unit of work; memory is about workers x this.",
    ),
]
VectorLoad = Annotated[
    Literal["wire", "cast"] | None,
    _option(
        "vector_load",
        "--vector-load",
        panel=LOAD,
        help="How embeddings arrive: wire writes pgvector's own binary form, cast writes real\\[] and alters it.",
    ),
]
NoEstimate = Annotated[
    bool | None,
    _option(
        "estimate",
        "--no-estimate",
        metavar="",
        panel=LOAD,
        help="Do no trial work: the plan then says nothing of time and disk.",
    ),
]
Retries = Annotated[
    int | None,
    _option(
        "retries",
        "--retries",
        metavar="N",
        panel=SAFETY,
        help="How often a chunk is tried again after a passing fault of a server or the network, with growing pauses.",
    ),
]
Consistency = Annotated[
    Literal["watch", "lock"] | None,
    _option(
        "consistency",
        "--consistency",
        panel=SAFETY,
        help="How the source is kept still: watch tells whether it was written to during the copy, lock keeps writers "
        "waiting until the copy is done.",
    ),
]
OnInvalid = Annotated[
    Literal["stop", "reject", "null"] | None,
    _option(
        "on_invalid",
        "--on-invalid",
        panel=VALUES,
        help="What becomes of any other value that cannot be carried: stop ends the run, reject leaves its row out, "
        "null makes it NULL; the reject store keeps what was left out, see `vecferry rejects --help`.",
    ),
]
MaxRejects = Annotated[
    int | None,
    _option(
        "max_rejects",
        "--max-rejects",
        metavar="N",
        panel=VALUES,
        help="End the run when more than N values cannot be carried.",
    ),
]
Truncate = Annotated[
    bool | None,
    _option(
        "truncate",
        "--truncate",
        metavar="",
        panel=SAFETY,
        help="Empty the target's tables first; lists them and asks.",
    ),
]
Restart = Annotated[
    bool | None,
    _option(
        "restart",
        "--restart",
        metavar="",
        panel=SAFETY,
        help="Take an unfinished run back and begin again: drops what it created, empties what it filled; asks.",
    ),
]
Yes = Annotated[
    bool | None,
    _option("yes", "--yes", "-y", metavar="", panel=SAFETY, help="Agree to what would be asked."),
]
Search = Annotated[
    bool,
    typer.Option(
        "--search",
        metavar="",
        rich_help_panel=VERIFICATION,
        help="Measure searches instead of comparing rows: recall and latency of every vector index. Needs no source.",
    ),
]
Queries = Annotated[
    Path | None,
    typer.Option(
        "--query",
        metavar="FILE",
        rich_help_panel=VERIFICATION,
        show_default=False,
        help="With --search: your own searches with the ids that they must find, see docs/search-quality.md.",
    ),
]
Level = Annotated[
    Literal["counts", "sample", "full"] | None,
    _option(
        "level",
        "--level",
        panel=VERIFICATION,
        help="How far to compare: counts of rows, sample of a few chunks of every table, full with every cell.",
    ),
]
OracleRows = Annotated[
    int | None,
    _option(
        "oracle_rows",
        "--oracle-rows",
        metavar="N",
        panel=VERIFICATION,
        help="How many embeddings of each table are read a second time, by orjson and numpy.",
    ),
]
MaxDifferences = Annotated[
    int | None,
    _option(
        "max_differences",
        "--max-differences",
        metavar="N",
        panel=VERIFICATION,
        help="How many differences of each kind and column are listed; all are counted.",
    ),
]
VerifySeed = Annotated[
    int | None,
    _option("verify_seed", "--verify-seed", metavar="N", panel=VERIFICATION, help="What the samples are drawn by."),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        rich_help_panel=OUTPUT,
        help="Print the result as one JSON object on stdout, an error too; progress stays on stderr.",
    ),
]
NoExamples = Annotated[
    bool | None,
    _option(
        "examples",
        "--no-examples",
        help="Leave keys and values of single rows out of the report's files.",
        panel=OUTPUT,
        metavar="",
    ),
]
ReportDirectory = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="DIR",
        rich_help_panel=OUTPUT,
        show_default=False,
        help="Write report.html and report.json into this directory, which is made if need be.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", metavar="", rich_help_panel=OUTPUT, help="Show no progress.")]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", metavar="", rich_help_panel=OUTPUT, help="Show every column and every statement."),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        metavar="",
        rich_help_panel=OUTPUT,
        help="Show the traceback of an error. [dim](env VECFERRY_DEBUG=1)[/]",
    ),
]


def load(invocation: Invocation, file: Path | None, **given: object) -> Config:
    """Builds the run's configuration from what the command line gave.

    Raises:
        UsageError: an option, a variable or the file is wrong.
    """
    config = configuration.load(file, **_given(given))
    invocation.keep_secrets_of(config)
    return config


def load_target(invocation: Invocation, file: Path | None, **given: object) -> Config:
    """Builds the configuration of a command that needs no source, see `load`.

    Raises:
        UsageError: an option, a variable or the file is wrong.
    """
    config = configuration.load_target(file, **_given(given))
    invocation.keep_secrets_of(config)
    return config


def load_dump(invocation: Invocation, file: Path | None, **given: object) -> Config:
    """Builds the configuration of a command that needs a dump and no target, see `load`.

    Raises:
        UsageError: an option, a variable or the file is wrong.
    """
    config = configuration.load_dump(file, **_given(given))
    invocation.keep_secrets_of(config)
    return config


def _given(options: dict[str, object]) -> dict[str, object]:
    return {
        name: _split(value) if isinstance(value, list) else value
        for name, value in options.items()
        if value is not None and value != []
    }


def negated(flag: bool | None) -> bool | None:
    """Returns what a `--no-...` option says of the field it switches off."""
    return None if flag is None else not flag


def split(values: list[str] | None) -> tuple[str, ...] | None:
    """Returns the patterns of a repeated option, commas taken apart; None where it was not given."""
    return _split(values) if values else None


def _split(values: Iterable[str]) -> tuple[str, ...]:
    """Takes comma lists apart: `--tables a,b --tables c` is three patterns."""
    return tuple(part for value in values for part in (piece.strip() for piece in value.split(",")) if part)
