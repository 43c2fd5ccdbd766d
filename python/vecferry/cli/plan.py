"""`vecferry plan`: what would happen."""

from __future__ import annotations

from dataclasses import asdict

import typer  # noqa: TC002 - typer reads the annotations

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import screen_for
from vecferry.errors import ExitCode
from vecferry.report.console import render_plan


def plan(
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
    no_estimate: options.NoEstimate = None,
    require_tls: options.RequireTls = None,
    truncate: options.Truncate = None,
    json_output: options.Json = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Inspect both databases and show what migrate would do, losses counted; changes nothing.

    An option wins over its variable, and that over the file.

    Examples:
      vecferry plan -s mysql://me@db1/shop -t postgresql://me@db2/shop
      vecferry plan --tables 'doc_*' --embedding doc_chunks.vector:1536 --verbose
      vecferry plan --no-index --json > plan.json
      vecferry plan -s dump.sql.gz -t postgresql://me@db2/shop
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    invocation.interrupted = "interrupted"
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
        estimate=options.negated(no_estimate),
        require_tls=require_tls,
        truncate=truncate,
    )
    from vecferry.pipeline import make_plan  # noqa: PLC0415 - a wrong option need not wait for the drivers

    with screen_for(quiet=quiet) as screen:
        found = make_plan(config, screen)
    if json_output:
        output.print_json(asdict(found))
    else:
        output.print_result(render_plan(found, verbose=verbose))
    return ExitCode.FORBIDDEN if found.problems else ExitCode.DONE
