"""`vecferry migrate`: do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer reads the annotations

from vecferry.cli import options, output
from vecferry.cli.backup import BackupFirst, back_up_first
from vecferry.cli.consent import asker
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import screen_for
from vecferry.cli.reports import run_with_report
from vecferry.errors import ExitCode, InterruptedRunError
from vecferry.report.console import render_report

if TYPE_CHECKING:
    from vecferry.report.report import Report


def migrate(
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
    workers: options.Workers = None,
    chunk_bytes: options.ChunkBytes = None,
    vector_load: options.VectorLoad = None,
    index_memory: options.IndexMemory = None,
    retries: options.Retries = None,
    consistency: options.Consistency = None,
    require_tls: options.RequireTls = None,
    level: options.Level = None,
    oracle_rows: options.OracleRows = None,
    max_differences: options.MaxDifferences = None,
    truncate: options.Truncate = None,
    restart: options.Restart = None,
    backup: BackupFirst = None,
    yes: options.Yes = None,
    no_examples: options.NoExamples = None,
    json_output: options.Json = False,
    report: options.ReportDirectory = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Carry the source into the target, verify it and report; after a crash, run it again and it goes on.

    An option wins over its variable, and that over the file.

    Examples:
      vecferry migrate -s mysql://me@db1/shop -t postgresql://me@db2/shop
      vecferry migrate --config vecferry.toml --truncate --yes --report monday
      vecferry migrate --config vecferry.toml --json > result.json
      vecferry migrate -s dump.sql.zst -t postgresql://me@db2/shop
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    invocation.interrupted = str(InterruptedRunError())
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
        workers=workers,
        chunk_bytes=chunk_bytes,
        vector_load=vector_load,
        index_memory=index_memory,
        retries=retries,
        consistency=consistency,
        require_tls=require_tls,
        level=level,
        oracle_rows=oracle_rows,
        max_differences=max_differences,
        truncate=truncate,
        restart=restart,
        yes=yes,
        examples=options.negated(no_examples),
    )
    if report is not None:
        output.open_report_directory(report)
    with screen_for(quiet=quiet) as screen:
        if backup is not None:
            back_up_first(invocation, config, backup, screen)
        result = run_with_report(invocation, config, screen, asker(screen, agreed=config.yes), report)
    if json_output:
        output.print_json(result.to_json())
    else:
        output.print_result(render_report(result, output.most_tables()))
    return exit_code(result)


def exit_code(report: Report) -> ExitCode:
    """Returns what a finished run tells its caller."""
    return ExitCode.DONE if report.status in {"ok", "nothing to do"} else ExitCode.DIFFERENCES
