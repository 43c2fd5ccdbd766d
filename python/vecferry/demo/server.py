"""One private server's life: directory, port, process, log. Knows nothing of MariaDB or PostgreSQL."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vecferry.demo import process, watchdog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USER = "vecferry"
DATABASE = "athena"

START_SECONDS = 60.0
PORT_TRIES = 5


class ServerError(RuntimeError):
    """A private server could not be installed, started or stopped."""


class Server(ABC):
    """A database server on a free TCP port of 127.0.0.1 with its own directory.

    Use it as a context manager, or call `start` and `stop`. The process never outlives the Python that
    started it: `stop` runs at exit, and a watchdog shell does the same when Python is killed.

    Args:
        settings: Extra server settings, by the name the server gives them.
        directory: Where data, log and passwords live. None makes a temporary directory that `stop` removes; a
            directory given here is kept, and may hold a data directory of an earlier run.
        database: The database created at the first start and named by `url`.
    """

    scheme: str
    admin_user: str
    admin_database: str
    stop_signal: signal.Signals

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        directory: Path | None = None,
        database: str = DATABASE,
    ) -> None:
        self.settings = dict(settings or {})
        self.database = database
        self._given_directory = directory
        self._directory: Path | None = None
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.password = ""
        self.admin_password = ""

    # What a kind of server says about itself.

    @abstractmethod
    def _install(self) -> None:
        """Create the data directory."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return the command line of the server."""

    @abstractmethod
    def _login(self) -> None:
        """Log in as the administrator; raise OSError or the driver's error when the server is not ready."""

    @abstractmethod
    def _prepare(self) -> None:
        """Create the ordinary user and what it needs, in a fresh data directory."""

    @abstractmethod
    def create_database(self, name: str) -> str:
        """Create a database that the ordinary user owns and return its URL."""

    def _process_options(self) -> dict[str, Any]:
        """Return what `subprocess` needs to run this server's programs as the right system user."""
        return {}

    # What is known of a running server.

    @property
    def directory(self) -> Path:
        """The directory that holds everything of this server."""
        if self._directory is None:
            raise ServerError(f"{type(self).__name__} was not started")
        return self._directory

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """The server's log file; it is kept over restarts."""
        return self.directory / "log"

    @property
    def port(self) -> int:
        """The TCP port; it stays the same over restarts."""
        if self._port is None:
            raise ServerError(f"{type(self).__name__} was not started")
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise ServerError(f"{type(self).__name__} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        """The URL of the default database for the ordinary user."""
        return self.url_of(self.database)

    @property
    def admin_url(self) -> str:
        """The URL for the administrator."""
        return f"{self.scheme}://{self.admin_user}:{self.admin_password}@127.0.0.1:{self.port}/{self.admin_database}"

    def url_of(self, database: str) -> str:
        """Return the ordinary user's URL of one database."""
        return f"{self.scheme}://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    # Its life.

    def start(self) -> Self:
        """Start the server, for the first time or again, and wait until it lets the administrator in.

        Raises:
            ServerError: The server ended before it was ready, or took too long; with its log's last lines.
        """
        if self.running:
            return self
        try:
            if self._directory is None:
                self._make_directory()
            fresh = not self.data.exists()
            if fresh:
                self._install()
            self._start_process()
            if fresh:
                self._prepare()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server cleanly, kill it when it does not stop, and remove a temporary directory."""
        self._end_process(self.stop_signal)
        if self._given_directory is None and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
            self._port = None

    def end(self) -> None:
        """Stop the server cleanly and keep its data; `start` brings it back."""
        self._end_process(self.stop_signal)

    def kill(self) -> None:
        """Kill every process of the server with SIGKILL, as a crash would; `start` brings it back."""
        self._end_process(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server cleanly, if it runs, and start it on the same port and data."""
        self.end()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # How.

    def _make_directory(self) -> None:
        if self._given_directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix=f"vecferry-{type(self).__name__.lower()}-"))
        else:
            self._directory = self._given_directory.resolve()
            self._directory.mkdir(parents=True, exist_ok=True)
        # The administrator's and the user's password; kept for a directory that outlives this process.
        passwords = self._directory / "passwords"
        if not passwords.exists():
            passwords.touch(mode=0o600)
            passwords.write_text(f"{secrets.token_hex(16)}\n{secrets.token_hex(16)}\n")
        self.admin_password, self.password = passwords.read_text().split()

    def _start_process(self) -> None:
        """Start the server; where its first port was taken in the meantime, try another one."""
        tries = PORT_TRIES if self._port is None else 1
        for attempt in range(1, tries + 1):
            if self._port is None or attempt > 1:
                self._port = process.free_port()
            size = self.log.stat().st_size if self.log.exists() else 0
            self._spawn()
            try:
                self._wait_until_ready()
            except ServerError:
                self._end_process(signal.SIGKILL)
                with self.log.open("rb") as log:
                    log.seek(size)
                    taken = b"ddress already in use" in log.read()
                if not taken or attempt == tries:
                    raise
            else:
                return

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C is for the tool under test, not for its servers
                **self._process_options(),
            )
        temporary = self.directory if self._given_directory is None else None
        self._watchdog = watchdog.start(self.pid, self.data, self.stop_signal, temporary)
        atexit.register(self.stop)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not self.running:
                raise ServerError(f"{type(self).__name__} ended at start; its log says:\n{process.tail(self.log)}")
            try:
                self._login()
            except Exception as error:
                if time.monotonic() > deadline:
                    text = f"{type(self).__name__} was not ready after {START_SECONDS:.0f} s ({error})"
                    raise ServerError(f"{text}; its log says:\n{process.tail(self.log)}") from error
                time.sleep(process.POLL_SECONDS)
            else:
                return

    def _end_process(self, number: signal.Signals) -> None:
        """Signal the server and wait until it and its children are gone."""
        if self._process is not None:
            process.end(self._process, number)
            self._process = None
        if self._watchdog is not None:
            watchdog.stop(self._watchdog)
            self._watchdog = None
        atexit.unregister(self.stop)

    def _run(self, command: Sequence[str]) -> None:
        """Run one of the server's own programs to its end.

        Raises:
            ServerError: It failed, with the last lines of what it wrote.
        """
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=self.directory,
            env={**os.environ, "LC_ALL": "C"},
            **self._process_options(),
        )
        if done.returncode != 0:
            lines = done.stdout.decode(errors="replace").splitlines()[-process.LOG_LINES :]
            raise ServerError(f"{Path(command[0]).name} failed:\n" + "\n".join(lines))
