"""The command line: `main` runs it and turns whatever happens into a sentence and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.markup import escape

from vecferry.cli import backup, demo, doctor, interrupt, migrate, plan, rejects, smoke, transform, verify
from vecferry.cli.invocation import MEANINGS, Invocation, reader_gone, silence, told
from vecferry.cli.title import hide_passwords
from vecferry.engine.allocator import keep_freed_buffers
from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence


def _exit_code_table() -> str:
    lines = "\n".join(f"  {code.value:>2}  {escape(meaning)}" for code, meaning in MEANINGS.items())
    return f"[bold]Exit codes[/]\n{lines}"


app = typer.Typer(
    name="vecferry",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_exit_code_table(),
)


def _show_version(value: bool) -> None:
    if value:
        from vecferry.version import VERSION  # noqa: PLC0415 - only --version needs it

        typer.echo(f"vecferry {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def vecferry(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", metavar="", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Move a MySQL or MariaDB database to PostgreSQL + pgvector: JSON embeddings become vectors.

    Every row and every type goes along, and every cell is compared with what was there.

    Examples:
      vecferry demo
      vecferry plan    -s mysql://me@db1/shop -t postgresql://me@db2/shop
      vecferry migrate -s mysql://me@db1/shop -t postgresql://me@db2/shop
      vecferry verify  -s mysql://me@db1/shop -t postgresql://me@db2/shop
    """
    if context.invoked_subcommand is None:
        context.get_help()


app.command("demo")(demo.demo)
app.command("plan")(plan.plan)
app.command("migrate")(migrate.migrate)
app.add_typer(rejects.app, name="rejects")
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
app.command("smoke")(smoke.smoke)
app.command("backup")(backup.backup)
app.command("transform")(transform.transform)


def run(arguments: Sequence[str], invocation: Invocation | None = None) -> int:
    """Runs one call and returns its exit code; no exception ever leaves it."""
    invocation = invocation or Invocation.of(arguments)
    try:
        command = typer.main.get_command(app)
        # Not through typer's own main: it takes a broken database socket for a closed stdout and exits with 1.
        with command.make_context("vecferry", list(arguments), obj=invocation) as context:
            code = command.invoke(context)
    except typer.Exit as error:
        code = error.exit_code
    except SystemExit:
        code = ExitCode.DONE  # rich ends so when the reader of a help text has gone
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception
        if isinstance(error, BrokenPipeError) and reader_gone(sys.stdout):
            silence(sys.stdout)
            return ExitCode.DONE
        return invocation.fail(*told(error), error)
    try:
        sys.stdout.flush()
    except OSError:
        silence(sys.stdout)
    return int(code or ExitCode.DONE)


def main() -> NoReturn:
    """Runs the command of this process; being told to terminate, or a closed terminal, is the same as Ctrl-C."""
    hide_passwords(sys.argv[1:])
    keep_freed_buffers()
    invocation = Invocation.of(sys.argv[1:])
    interrupt.listen(partial(_leave, invocation))
    # What a driver logs about a connection that an interrupt cut is no news for whoever interrupted.
    logging.getLogger().addHandler(logging.NullHandler())
    code = int(run(sys.argv[1:], invocation))
    interrupt.ignore()
    if code == ExitCode.INTERRUPTED:
        # A thread that a driver still holds would keep the process.
        os._exit(code)
    sys.exit(code)


def _leave(invocation: Invocation) -> None:
    """Ends the process where it stands: what its sessions have not committed, the servers roll back."""
    if invocation.interrupted is None:
        return
    invocation.fail(invocation.interrupted, ExitCode.INTERRUPTED)
    os._exit(ExitCode.INTERRUPTED)
