"""`vecferry verify`: is everything there, and is it the same?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer reads the annotations

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import screen_for
from vecferry.cli.searching import show_search
from vecferry.errors import ExitCode
from vecferry.report.verified import render_verification

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.report.verification import Verification


def verify(
    context: typer.Context,
    *,
    source: options.Source = None,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    tables: options.Tables = None,
    exclude: options.Exclude = None,
    schema: options.Schema = None,
    dump_database: options.DumpDatabase = None,
    allow_incomplete: options.AllowIncomplete = None,
    search: options.Search = False,
    query: options.Queries = None,
    level: options.Level = None,
    oracle_rows: options.OracleRows = None,
    max_differences: options.MaxDifferences = None,
    verify_seed: options.VerifySeed = None,
    on: options.On = None,
    datetime_zone: options.DatetimeZone = None,
    workers: options.Workers = None,
    chunk_bytes: options.ChunkBytes = None,
    retries: options.Retries = None,
    json_output: options.Json = False,
    report: options.ReportDirectory = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Compare source and target cell by cell, whoever filled the target; changes nothing on either.

    Values that a run changed as its plan announced are no differences; for a target that vecferry has no record of,
    --on says what was meant. With --report, an interrupted call goes on where it stopped; with --search, the report of
    a migration in that directory shows the searches, too.

    Examples:
      vecferry verify -s mysql://me@db1/shop -t postgresql://me@db2/shop
      vecferry verify --config vecferry.toml --level sample
      vecferry verify --config vecferry.toml --tables 'doc_*' --report monday --json
      vecferry verify --search --query searches.jsonl -t postgresql://me@db2/shop
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    invocation.interrupted = "interrupted: nothing was changed, run the same command again"
    if search or query is not None:
        scope = options.load_target(
            invocation, config_file, target=target, tables=tables, exclude=exclude, target_schema=schema
        )
        with screen_for(quiet=quiet) as screen:
            return show_search(scope, query, screen, json_output=json_output, directory=report)
    config = options.load(
        invocation,
        config_file,
        source=source,
        target=target,
        tables=tables,
        exclude=exclude,
        target_schema=schema,
        dump_database=dump_database,
        allow_incomplete=allow_incomplete,
        level=level,
        oracle_rows=oracle_rows,
        max_differences=max_differences,
        verify_seed=verify_seed,
        on=on,
        datetime_zone=datetime_zone,
        workers=workers,
        chunk_bytes=chunk_bytes,
        retries=retries,
    )
    if report is not None:
        output.open_report_directory(report)
    from vecferry import proof  # noqa: PLC0415 - a wrong option need not wait for the drivers
    from vecferry.journal import FileJournal  # noqa: PLC0415 - as above

    journal = FileJournal(report, config) if report is not None else None
    with screen_for(quiet=quiet) as screen:
        result = proof.verify(config, screen, journal)
    if report is not None:
        result = _with_report(result, report)
    if journal is not None:
        journal.close()
    if json_output:
        output.print_json(result.to_json())
    else:
        output.print_result(render_verification(result))
    return ExitCode.DONE if result.status == "ok" else ExitCode.DIFFERENCES


def _with_report(result: Verification, directory: Path) -> Verification:
    path = directory / output.REPORT_NAME
    written = replace(result, report=str(path))
    try:
        output.write_report(directory, written.to_json())
    except OSError as error:
        return replace(result, notes=(*result.notes, f"{path} could not be written: {error.strerror}"))
    return written
