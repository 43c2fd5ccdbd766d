"""`vecferry smoke`: the tests of `[smoke]`, by themselves."""

from __future__ import annotations

from dataclasses import asdict

import typer  # noqa: TC002 - typer reads the annotations

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.errors import ExitCode, UsageError


def smoke(
    context: typer.Context,
    *,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    json_output: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Run the smoke tests that the configuration file describes, as migrate does at its end.

    They are statements and requests, see docs/search-quality.md. Statements run in a read-only session of the target.
    Exits with 0 where all passed, with 1 where one failed, be it because a server is unreachable, and with 2 where the
    file has none.

    Examples:
      vecferry smoke --config vecferry.toml
      vecferry smoke --config vecferry.toml -t postgresql://me@db2/shop --json
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    invocation.interrupted = "interrupted: nothing is left to put in order, run the same command again"
    config = options.load_target(invocation, config_file, target=target)
    if config.smoke is None or not (config.smoke.sql or config.smoke.http):
        raise UsageError("there are no smoke tests: describe them as [smoke] in the configuration file (--config)")
    from vecferry.report.console import render_smoke  # noqa: PLC0415 - a wrong option need not wait for it
    from vecferry.smoke import run_smoke  # noqa: PLC0415 - nor for the drivers

    results = run_smoke(config)
    passed = all(result.passed for result in results)
    if json_output:
        output.print_json({"passed": passed, "smoke": [asdict(result) for result in results]})
    else:
        output.print_result(render_smoke(results))
    return ExitCode.DONE if passed else ExitCode.DIFFERENCES
