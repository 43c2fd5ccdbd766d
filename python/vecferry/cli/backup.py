"""`vecferry backup`: a consistent, checksummed dump of the source, and whether one is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import screen_for
from vecferry.config import SourceScope, load_source
from vecferry.errors import ExitCode, InterruptedRunError, UsageError

if TYPE_CHECKING:
    from vecferry.cli.progress import Screen
    from vecferry.config import Config

INTERRUPTED = "interrupted: nothing of the backup was kept, run the same command again"

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        rich_help_panel=options.OUTPUT,
        show_default=False,
        help="The folder of the backup; it is made, or empty. Nothing of a backup that fails stays in it.",
    ),
]
Check = Annotated[
    Path | None,
    typer.Option(
        "--check",
        metavar="DIR",
        rich_help_panel=options.VERIFICATION,
        show_default=False,
        help="Make none, read this one back: hashes, the closing line, the rows of every table. Needs no source.",
    ),
]
ClientName = Annotated[
    Literal["mariadb-dump", "mysqldump", "mydumper"] | None,
    typer.Option(
        "--client",
        rich_help_panel=options.LOAD,
        show_default=False,
        help="The program that dumps; unset: mariadb-dump for MariaDB and mysqldump for MySQL, or the other one where "
        "only that is there.",
    ),
]
ClientPath = Annotated[
    Path | None,
    typer.Option(
        "--client-path",
        metavar="PATH",
        rich_help_panel=options.LOAD,
        show_default=False,
        help="That program, or the folder that it is in; unset: the folders of PATH.",
    ),
]
Lock = Annotated[
    bool,
    typer.Option(
        "--lock",
        metavar="",
        rich_help_panel=options.SAFETY,
        help="Keep writers out of all the tables until the dump is done: for tables that have no transactions "
        "(MyISAM, Aria, MEMORY), which are refused otherwise.",
    ),
]
Compress = Annotated[
    Literal["zstd", "gzip", "none"] | None,
    typer.Option(
        "--compress",
        rich_help_panel=options.OUTPUT,
        show_default=False,
        help="How the dump is compressed while it is written; unset: zstd, with mydumper gzip.",
    ),
]

BackupFirst = Annotated[
    Path | None,
    typer.Option(
        "--backup",
        metavar="DIR",
        rich_help_panel=options.SAFETY,
        show_default=False,
        help="Back the source up into this folder first, as `vecferry backup --out` does, and stop where that fails.",
    ),
]


def backup(
    context: typer.Context,
    *,
    source: options.Source = None,
    out: Out = None,
    check: Check = None,
    config_file: options.ConfigFile = None,
    tables: options.Tables = None,
    exclude: options.Exclude = None,
    lock: Lock = False,
    client: ClientName = None,
    client_path: ClientPath = None,
    compress: Compress = None,
    require_tls: options.RequireTls = None,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Dump the source as of one moment, with a manifest of hashes and row counts; --check reads a backup back.

    Its routines, triggers, events and views are in the dump. --check exits with 1 where something is wrong.

    Examples:
      vecferry backup -s mysql://me@db1/shop --out monday
      vecferry backup --config vecferry.toml --out monday --lock --compress gzip
      vecferry backup --check monday
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    if check is not None and out is None:
        return _check(invocation, check, json_output=json_output, quiet=quiet)
    if check is not None or out is None:
        raise UsageError("say either --out DIR, for a backup to make, or --check DIR, for one to read back")
    scope = load_source(
        config_file,
        source=source,
        tables=options.split(tables),
        exclude=options.split(exclude),
        require_tls=require_tls,
    )
    for secret in scope.url.secrets:
        invocation.keep_secret(secret)
    from vecferry.backups import backup as backups  # noqa: PLC0415 - a wrong option need not wait for the drivers
    from vecferry.backups.console import render_backup  # noqa: PLC0415 - as above

    with screen_for(quiet=quiet) as screen:
        try:
            made = backups.backup(
                scope,
                out,
                client=client,
                client_path=client_path,
                lock=lock,
                compression=compress,
                progress=screen,
            )
        except KeyboardInterrupt:
            raise InterruptedRunError(INTERRUPTED) from None
    if json_output:
        output.print_json({"status": "ok", "directory": str(out), **made.to_json()})
    else:
        output.print_result(render_backup(made, str(out)))
    return ExitCode.DONE


def back_up_first(invocation: Invocation, config: Config, directory: Path, screen: Screen) -> None:
    """Backs a migration's source up before anything else; the backup of an earlier call is kept, see `earlier_backup`.

    Raises:
        VecferryError: there is no backup, for whatever reason.
    """
    from vecferry.backups.backup import backup as make_backup  # noqa: PLC0415 - a wrong option need not wait
    from vecferry.backups.check import earlier_backup  # noqa: PLC0415 - as above

    scope = SourceScope(config.source_url, config.tables, config.exclude)
    if (made := earlier_backup(directory, scope)) is not None:
        screen.note(f"--backup: {directory} holds a backup of {made.finished} already, which is kept: none is made")
        return
    goes_on, invocation.interrupted = invocation.interrupted, None
    try:
        make_backup(scope, directory, lock=config.consistency == "lock", progress=screen)
    except KeyboardInterrupt:
        raise InterruptedRunError(INTERRUPTED) from None
    finally:
        invocation.interrupted = goes_on


def _check(invocation: Invocation, directory: Path, *, json_output: bool, quiet: bool) -> int:
    invocation.interrupted = "interrupted: nothing was changed, run the same command again"
    from vecferry.backups.check import check_backup  # noqa: PLC0415 - as above
    from vecferry.backups.console import render_check  # noqa: PLC0415 - as above

    with screen_for(quiet=quiet) as screen:
        found = check_backup(directory, screen)
    if json_output:
        output.print_json(found.to_json())
    else:
        output.print_result(render_check(found))
    return ExitCode.DONE if found.status == "ok" else ExitCode.DIFFERENCES
