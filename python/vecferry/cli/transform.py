"""`vecferry transform`: a dump file becomes a SQL file that psql loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import screen_for
from vecferry.errors import ExitCode, UsageError
from vecferry.report.script_console import render_script

if TYPE_CHECKING:
    from vecferry.report.script import ScriptResult

_STANDARD = "-"
_SCRIPT = "The script"

Dump = Annotated[
    str,
    typer.Argument(
        metavar="DUMP",
        show_default=False,
        help="A dump of mysqldump, mariadb-dump or phpMyAdmin, plain or .gz, .zst, .xz; a directory of mydumper's; "
        "- is standard input.",
    ),
]
Script = Annotated[
    str,
    typer.Argument(
        metavar="OUT",
        show_default=False,
        help="The SQL file, compressed where its name ends in .gz or .zst; - is standard output.",
    ),
]
DataOnly = Annotated[
    bool,
    typer.Option(
        "--data-only",
        metavar="",
        rich_help_panel=_SCRIPT,
        help="Only rows, for tables that the application has made: they are emptied, then filled in the order of their "
        "foreign keys.",
    ),
]
Structure = Annotated[
    str | None,
    typer.Option(
        "--structure",
        metavar="FILE",
        rich_help_panel=_SCRIPT,
        show_default=False,
        help="A dump with the CREATE TABLEs, for rows that were dumped with --no-create-info.",
    ),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        metavar="FILE",
        rich_help_panel=_SCRIPT,
        show_default=False,
        help="Where values go that cannot be carried, with their rows, as JSON lines; unset: OUT.rejects.jsonl.",
    ),
]
PostGIS = Annotated[
    bool,
    typer.Option(
        "--postgis",
        metavar="",
        rich_help_panel=_SCRIPT,
        help="The target has PostGIS installed: shapes become geometry, not bytea.",
    ),
]


def transform(
    context: typer.Context,
    *,
    dump: Dump,
    script: Script,
    config_file: options.ConfigFile = None,
    tables: options.Tables = None,
    exclude: options.Exclude = None,
    dump_database: options.DumpDatabase = None,
    schema: options.Schema = None,
    data_only: DataOnly = False,
    structure: Structure = None,
    rejects: Rejects = None,
    postgis: PostGIS = False,
    on: options.On = None,
    on_invalid: options.OnInvalid = None,
    max_rejects: options.MaxRejects = None,
    ci: options.Ci = None,
    json_type: options.JsonType = None,
    time_type: options.TimeType = None,
    datetime_zone: options.DatetimeZone = None,
    fulltext: options.FullText = None,
    embedding: options.Embedding = None,
    no_detect: options.NoDetect = None,
    distance: options.Distance = None,
    no_index: options.NoIndex = None,
    m: options.M = None,
    ef_construction: options.EfConstruction = None,
    index_memory: options.IndexMemory = None,
    allow_incomplete: options.AllowIncomplete = None,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Turn a dump file into a SQL file that psql loads into an empty database; no server is asked.

    Load it with psql -X -v ON_ERROR_STOP=1 -f OUT: all of it, or nothing.

    Examples:
      vecferry transform dump.sql.gz shop.sql
      vecferry transform dump.sql shop.sql.zst --tables 'doc_*' --on zero-date=null
      vecferry transform dump.sql rows.sql --data-only
      vecferry transform dump.sql.zst - --quiet | psql -X -v ON_ERROR_STOP=1 shop
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    invocation.interrupted = "interrupted: the script is not whole, nothing of it can be loaded; run the command again"
    if json_output and script == _STANDARD:
        raise UsageError("--json and a script on standard output are one too many: write the script to a file")
    config = options.load_dump(
        invocation,
        config_file,
        source=dump,
        tables=tables,
        exclude=exclude,
        dump_database=dump_database,
        target_schema=schema,
        on=on,
        on_invalid=on_invalid,
        max_rejects=max_rejects,
        ci=ci,
        json_type=json_type,
        time_type=time_type,
        datetime_zone=datetime_zone,
        fulltext=fulltext,
        embedding=embedding,
        detect_embeddings=options.negated(no_detect),
        distance=distance,
        hnsw=options.negated(no_index),
        m=m,
        ef_construction=ef_construction,
        index_memory=index_memory,
        allow_incomplete=allow_incomplete,
    )
    from vecferry.transformer import Job  # noqa: PLC0415 - a wrong option need not wait for Arrow
    from vecferry.transformer import transform as rewrite  # noqa: PLC0415 - as above

    job = Job(dump, script, data_only=data_only, structure=structure, rejects=rejects, postgis=postgis)
    with screen_for(quiet=quiet) as screen:
        result = rewrite(config, job, screen)
    if json_output:
        output.print_json(result.to_json())
    elif script == _STANDARD:
        if not quiet:
            output.progress_console().print(render_script(result))
    else:
        output.print_result(render_script(result))
    return exit_code(result)


def exit_code(result: ScriptResult) -> ExitCode:
    """Returns what a script that was written tells its caller."""
    return ExitCode.DONE if result.status == "ok" else ExitCode.DIFFERENCES
