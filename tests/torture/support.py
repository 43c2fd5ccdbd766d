"""What the torture tests share: runs of the command, and readers that compare two targets without vecferry's code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import psycopg

from vecferry.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import PostgresDatabase

RESUMABLE = {ExitCode.SOURCE, ExitCode.TARGET, ExitCode.INTERRUPTED}
LONGEST_SECONDS = 240


class Forker:
    """Starts commands as forks of one process that has imported them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.forker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **request: Any) -> Any:
        """Returns the answer to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(f"{json.dumps(request)}\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Ends the process; the commands have ended before."""
        self._process.communicate()


class Command:
    """A running command."""

    def __init__(self, forker: Forker, arguments: list[str], environment: dict[str, str]) -> None:
        self._forker = forker
        self._code: int | None = None
        self._files = [tempfile.NamedTemporaryFile("r") for _ in range(2)]  # noqa: SIM115 - closed by `ended`
        out, err = (file.name for file in self._files)
        self.pid: int = forker.ask(arguments=arguments, environment=environment, out=out, err=err)

    def poll(self) -> int | None:
        """Returns the exit code, once there is one."""
        if self._code is None:
            self._code = self._forker.ask(pid=self.pid, wait=False)
        return self._code

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Sends a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def ended(self, seconds: float = LONGEST_SECONDS) -> tuple[int, str, str]:
        """Waits for the end and returns exit code, stdout and stderr."""
        until = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > until:
                shown = [file.read() for file in self._files]
                self.kill()
                raise AssertionError(f"it still runs after {seconds} s: {shown}")
            time.sleep(0.005)
        out, err = (file.read() for file in self._files)
        for file in self._files:
            file.close()
        assert self._code is not None
        for word in ("Traceback", "panicked", "Exception ignored"):
            assert word not in err, err
        assert self._code != ExitCode.BUG, err
        return self._code, out, err


class Ferry:
    """Runs `vecferry migrate` from one URL to another, each time in a process of its own."""

    def __init__(self, forker: Forker, source: str, target: str, *options: str) -> None:
        self._forker = forker
        self.options = options
        self.environment = {**os.environ, "VECFERRY_SOURCE": source, "VECFERRY_TARGET": target}
        self.log = ""
        """What is said where a run does not end as it must: the seed, what was done to it before."""

    def start(self, *options: str, **variables: str) -> Command:
        """Starts a run."""
        arguments = ["migrate", "--json", *self.options, *options]
        return Command(self._forker, arguments, {**self.environment, **variables})

    def run(self, *options: str, **variables: str) -> tuple[int, str, str]:
        """Runs until the end and returns exit code, stdout and stderr."""
        return self.start(*options, **variables).ended()

    def finish(self) -> None:
        """Runs undisturbed."""
        code, out, err = self.run()
        assert code == ExitCode.DONE, (self.log, err)
        assert json.loads(out)["status"] in {"ok", "nothing to do"}, (self.log, out)

    def nothing_left(self) -> None:
        """Runs after the end, and says so."""
        code, out, err = self.run()
        assert code == ExitCode.DONE, (self.log, err)
        assert json.loads(out)["status"] == "nothing to do", (self.log, out)


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    """Polls until `true` is."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"waited {seconds} s in vain"
        time.sleep(0.01)


_ROWS = "SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM public.{} AS t"
_STATE = {
    "columns": """
      SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid)
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d
        ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0
        AND NOT a.attisdropped ORDER BY 1, a.attnum""",
    "tables": """
      SELECT relname, relkind, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1""",
    "indexes": """
      SELECT pg_get_indexdef(indexrelid), indisvalid, indisprimary FROM pg_index JOIN pg_class ON oid = indexrelid
      WHERE relnamespace = 'public'::regnamespace ORDER BY 1""",
    "constraints": """
      SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2""",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
    "triggers": """
      SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2""",
}


def state(url: str) -> dict[str, Any]:
    """Returns all that a target holds besides the ledger: every row of every table by its digest, and every object."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        found: dict[str, Any] = {name: connection.execute(query.encode()).fetchall() for name, query in _STATE.items()}
        tables = [name for name, kind, _ in found["tables"] if kind == "r"]
        found["rows"] = {name: connection.execute(_ROWS.format(f'"{name}"').encode()).fetchone() for name in tables}
    return found


def check_ledger(url: str) -> None:
    """The ledger has one run, which is finished, and says of each table what the table says itself; nobody is left."""
    with psycopg.connect(url) as connection:
        runs = connection.execute("SELECT finished IS NOT NULL FROM vecferry.run").fetchall()
        assert runs == [(True,)]
        chunks = connection.execute(
            "SELECT table_name, sum(rows_read), sum(rows_written + rows_rejected), sum(rows_written), count(*),"
            " count(DISTINCT number), max(number) - min(number) + 1 FROM vecferry.chunk GROUP BY 1"
        ).fetchall()
        planned: dict[str, int] = dict(
            connection.execute(
                "SELECT t->>'name', jsonb_array_length(t->'chunks') FROM vecferry.run,"
                " jsonb_array_elements(plan->'tables') t"
            ).fetchall()
        )
        assert {table: count for table, *_, count, _, _ in chunks} == planned
        for table, read, accounted, written, count, distinct, span in chunks:
            [held] = connection.execute(f'SELECT count(*) FROM public."{table}"'.encode()).fetchone() or (None,)
            assert (read, written, count, count) == (accounted, held, distinct, span), table


def forget(postgres: PostgresDatabase) -> None:
    """Makes the target as new."""
    # A connection of its own: the server may have crashed since the last one was opened.
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(
            "DROP SCHEMA IF EXISTS vecferry CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
            " GRANT ALL ON SCHEMA public TO public"
        )


def sessions(url: str) -> int:
    """Returns how many sessions of vecferry the target has."""
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vecferry'"
        [count] = connection.execute(query).fetchone() or (0,)
    return int(count)


class Meanwhile:
    """Does something again and again in a thread, as long as it is entered; what it raises is raised at the end."""

    def __init__(self, act: Callable[[threading.Event], None]) -> None:
        self._act = act
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._over.set()
        self._thread.join(120)
        if self._error is not None and kind is None:
            raise self._error

    def _loop(self) -> None:
        try:
            while not self._over.is_set():
                self._act(self._over)
        except BaseException as error:  # noqa: BLE001 - raised in the test's own thread
            self._error = error
