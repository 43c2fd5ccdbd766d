"""`vecferry doctor`: is the target healthy."""

from __future__ import annotations

import typer  # noqa: TC002 - typer reads the annotations

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.config import load_scope
from vecferry.errors import ExitCode


def doctor(
    context: typer.Context,
    *,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    schema: options.InspectedSchema = None,
    tables: options.InspectedTables = None,
    exclude: options.Exclude = None,
    json_output: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Look at a PostgreSQL database with pgvector, whoever filled it; changes nothing.

    Each finding comes with its evidence, the reason it matters and the SQL that mends it. Exits with 0 where there
    is no error and no warning (advice is none), with 1 where there is one, with 4 where the server is unreachable.

    Examples:
      vecferry doctor -t postgresql://me@db2/shop
      vecferry doctor --schema archive --tables 'doc_*'
      vecferry doctor --json > diagnosis.json
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    scope = load_scope(
        config_file, target=target, target_schema=schema, tables=options.split(tables), exclude=options.split(exclude)
    )
    invocation.keep_secret(scope.url.password)
    from vecferry.doctor.console import render_diagnosis  # noqa: PLC0415 - a wrong option need not wait for the drivers
    from vecferry.doctor.diagnose import diagnose  # noqa: PLC0415

    found = diagnose(scope)
    if json_output:
        output.print_json(found.as_json())
    else:
        output.print_result(render_diagnosis(found))
    return ExitCode.DONE if found.healthy else ExitCode.DIFFERENCES
