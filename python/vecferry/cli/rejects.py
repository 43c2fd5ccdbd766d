"""`vecferry rejects`: what could not be carried, and how it gets there all the same."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from vecferry.cli import options, output
from vecferry.cli.consent import asker
from vecferry.cli.invocation import Invocation
from vecferry.cli.progress import Screen, screen_for
from vecferry.errors import ExitCode, UsageError
from vecferry.words import count_words
from vecferry.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vecferry.config import Config
    from vecferry.rejects import Retried

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at the values that a run with --on-invalid could not carry, land them after all, or give them up.",
)

_SHOWN = 50
_LONGEST = 60
_REFUSED = 20

ExportFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; - is stdout.", show_default=False)]
Values = Annotated[
    Path | None,
    typer.Option(
        "--values",
        metavar="FILE",
        show_default=False,
        help="Corrected values: lines as `rejects export` writes them, with a value added to each; - is stdin. "
        "Unset: the rows are read from the source again.",
    ),
]
Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="NAME",
        show_default=False,
        help="Only rows of this table, by its name in the source; may be repeated.",
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Option(
        "--ids",
        metavar="N,...",
        show_default=False,
        help="Only the rows of these rejects, by the ids that `rejects list` shows; may be repeated.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=0, help="How many to show; --json prints all.")]


@app.command("list")
def list_(
    context: typer.Context,
    *,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    schema: options.Schema = None,
    limit: Limit = _SHOWN,
    json_output: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Show what is in the reject store of the runs into the schema.

    Examples:
      vecferry rejects list -t postgresql://me@db2/shop
      vecferry rejects list --json | jq '.rejects[].key'
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    entries = _entries(options.load_target(invocation, config_file, target=target, target_schema=schema))
    if json_output:
        output.print_json({"rejects": list(entries)})
        return ExitCode.DONE
    shown = list(islice(entries, limit))
    rest = Counter(_where(entry) for entry in entries)
    if not shown and not rest:
        output.print_result(Text("the reject store is empty", style="green"))
        return ExitCode.DONE
    more = [Text(f"and {number:,} more of {where}") for where, number in rest.items()]
    output.print_result(Group(*([_grid(shown)] if shown else []), *more))
    return ExitCode.DONE


@app.command("export")
def export(
    context: typer.Context,
    file: ExportFile,
    *,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    schema: options.Schema = None,
    debug: options.Debug = False,
) -> int:
    """Write the reject store into a file, one JSON object a line, readable by its owner alone.

    Add a "value" to a line, as PostgreSQL reads it (an embedding may be JSON, null is NULL; where "column" is null, an
    object of columns and values; further columns of the row may be added as an object "values"), and give the file to
    `rejects retry --values`.

    Examples:
      vecferry rejects export rejects.jsonl
      vecferry rejects export - | jq -c '.value = null' > corrected.jsonl
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    entries = _entries(options.load_target(invocation, config_file, target=target, target_schema=schema))
    if str(file) == "-":
        for entry in entries:
            sys.stdout.write(json.dumps(entry) + "\n")
        return ExitCode.DONE
    number = 0
    try:
        with output.private_file(file) as stream:
            for number, entry in enumerate(entries, 1):  # noqa: B007 - the last one is how many there are
                stream.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    output.print_result(Text(f"{file}: {count_words(number, 'reject')}"))
    return ExitCode.DONE


@app.command("retry")
def retry(
    context: typer.Context,
    *,
    values: Values = None,
    tables: Tables = None,
    ids: Ids = None,
    source: options.Source = None,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    schema: options.Schema = None,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Land rejected rows and values: corrected in the source since, or by a file of values.

    Each row is a transaction of its own, with what is taken out of the store. Exit code 1 where something of what was
    tried is left.

    Examples:
      vecferry rejects retry -s mysql://me@db1/shop -t postgresql://me@db2/shop
      vecferry rejects retry -s mysql://me@db1/shop -t postgresql://me@db2/shop --table users --ids 7,9
      vecferry rejects retry --values corrected.jsonl -t postgresql://me@db2/shop
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    invocation.interrupted = (
        "interrupted: rows that have landed stay, the others are still in the reject store, run the same command again"
    )
    numbers = _numbers(ids)
    load = options.load if values is None else options.load_target
    config = load(invocation, config_file, source=source, target=target, target_schema=schema)
    corrected = None if values is None else _read(values)
    from vecferry.rejects import UnknownRejectError, retry_rejects  # noqa: PLC0415 - as above

    try:
        with screen_for(quiet=quiet) as screen:
            given = (corrected.values, corrected.more) if corrected else ()
            result = retry_rejects(config, *given, tables=tables or (), ids=numbers, progress=screen)
    except UnknownRejectError as error:
        line = corrected.lines.get(error.number) if corrected else None
        where = f"{values}, line {line}: " if line else ""
        raise UsageError(f"{where}{error}") from None
    if json_output:
        output.print_json(result.to_json())
    else:
        output.print_result(_outcome(result))
    return ExitCode.DONE if result.whole else ExitCode.DIFFERENCES


@app.command("drop")
def drop(
    context: typer.Context,
    *,
    tables: Tables = None,
    ids: Ids = None,
    target: options.Target = None,
    config_file: options.ConfigFile = None,
    schema: options.Schema = None,
    yes: options.Yes = None,
    json_output: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Give up rejected rows and values: they are deleted from the reject store, after a question.

    They are in the source alone then. `verify` tells of rows that were given up as missing.

    Examples:
      vecferry rejects drop --ids 7,9 -t postgresql://me@db2/shop
      vecferry rejects drop --table old_logs --yes -t postgresql://me@db2/shop
    """
    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    numbers = _numbers(ids)
    config = options.load_target(invocation, config_file, target=target, target_schema=schema, yes=yes)
    from vecferry.rejects import drop_rejects  # noqa: PLC0415 - as above

    result = drop_rejects(config, tables=tables or (), ids=numbers, consent=asker(Screen(), agreed=config.yes))
    if json_output:
        output.print_json({"dropped": result.to_json()})
    else:
        counts = [(result.rows, "row"), (result.values, "value")]
        words = " and ".join(count_words(number, thing) for number, thing in counts if number)
        output.print_result(Text(f"{words} given up" if words else "nothing was in the reject store"))
    return ExitCode.DONE


def _numbers(ids: Sequence[str] | None) -> tuple[int, ...]:
    words = options.split(list(ids or ())) or ()
    for word in words:
        if not re.fullmatch(r"[0-9]{1,18}", word):
            raise UsageError(f"--ids: {word!r} is no number of a reject, such as 7")
    return tuple(map(int, words))


def _entries(config: Config) -> Iterator[dict[str, Any]]:
    from vecferry.rejects import list_rejects  # noqa: PLC0415 - a wrong option need not wait for the drivers

    return list_rejects(config)


@dataclass(frozen=True, slots=True)
class _Corrections:
    """What a file of corrected values says, by the number of an entry."""

    values: dict[int, Any] = field(default_factory=dict)
    more: dict[int, dict[str, Any]] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)


def _read(file: Path) -> _Corrections:
    """Reads the corrected values of a file; lines without any are left out."""
    try:
        text = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file} cannot be read: {reason}") from None
    found = _Corrections()
    # JSON's strings may hold other ends of lines, U+2028 for one, as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line, parse_float=Written, parse_int=Written, parse_constant=_refuse)
            _take(found, entry, number)
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise UsageError(
                f'{file}, line {number}: expected an object such as {{"id": 7, "value": "2024-01-31"}}: {why}'
            ) from None
    return found


def _take(found: _Corrections, entry: object, line: int) -> None:
    if not isinstance(entry, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - what is wrong is the file's text
    if "value" not in entry and "values" not in entry:
        return
    number = entry.get("id")
    if not isinstance(number, Written) or not re.fullmatch(r"[0-9]{1,18}", number):
        raise ValueError('"id" must be the number of a reject')
    known = int(number)
    if known in found.lines:
        raise ValueError(f"reject {known} has a value in line {found.lines[known]} already")
    found.lines[known] = line
    if "value" in entry:
        found.values[known] = entry["value"]
    if "values" in entry:
        if not isinstance(entry["values"], dict):
            raise ValueError('"values" must be an object of columns and values')
        found.more[known] = entry["values"]


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _grid(entries: Sequence[dict[str, Any]]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    several = len({entry["run"] for entry in entries}) > 1
    for header in (*["run"] * several, "id", "where", "key", "reason", "what was done", "why", "original"):
        grid.add_column(header, overflow="fold")
    for entry in entries:
        row = entry["row"]
        values = _text(entry["original"]) if entry["column"] else ", ".join(f"{n} = {_text(v)}" for n, v in row.items())
        where = ", ".join(f"{name} = {value}" for name, value in (entry["key"] or {}).items())
        if entry["key"] is None:
            where = f"row {entry['row_number']}: " + ", ".join(f"{name} = {_text(v)}" for name, v in row.items())
        grid.add_row(
            *[entry["run"]] * several,
            str(entry["id"]),
            _where(entry),
            _short(where),
            entry["reason"],
            "row left out" if entry["action"] == "reject" else "made NULL",
            entry["message"],
            _short(values),
        )
    return grid


def _text(original: str | dict[str, str] | None) -> str:
    return "NULL" if original is None else f"0x{original['hex']}" if isinstance(original, dict) else original


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _where(entry: dict[str, Any]) -> str:
    return f"{entry['table']}.{entry['column']}" if entry["column"] else str(entry["table"])


def _outcome(result: Retried) -> Group:
    lines = [Text(sentence, style="red") for sentence in result.refused[:_REFUSED]]
    if len(result.refused) > _REFUSED:
        lines.append(Text(f"and {len(result.refused) - _REFUSED:,} more", style="red"))
    left = [f"{count_words(len(result.refused), 'row')} still refused"] if result.refused else []
    left += [f"{count_words(result.not_corrected, 'row')} without a corrected value"] if result.not_corrected else []
    words = f"{count_words(result.landed, 'row')} landed" + (f", {' and '.join(left)}" if left else "")
    return Group(*lines, Text(words, style="bold green" if result.whole else "bold red"))
