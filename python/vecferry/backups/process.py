"""A client while it runs: its login through memory, its words as they come, its end whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from vecferry.backups.client import environment
from vecferry.errors import SourceError, UsageError, mask, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vecferry.backups.client import Client
    from vecferry.config import DatabaseURL

_GRACE_SECONDS = 2.0
_MOST_LINES = 20
_MOST_WORDS = 600
_ADVICE = (
    ("(1142)", "grant the rights of a backup, see docs/security.md"),
    ("(1044)", "grant the rights of a backup, see docs/security.md"),
    ("(1227)", "grant the rights of a backup, see docs/security.md"),
    ("ufficent privileges", "grant the rights of a backup, see docs/security.md"),
    ("ufficient privileges", "grant the rights of a backup, see docs/security.md"),
    ("No space left on device", "free disk space, then run again"),
    ("(1356)", "a view cannot be read: drop it, or leave it out with --exclude"),
    (
        "'generation_expression'",
        "this client cannot dump MySQL before 5.7: use mysqldump of MySQL's own, or --client mydumper",
    ),
    ("(1412)", "a table was altered meanwhile: run again"),
    ("(2013)", "the connection was lost: check the server's log and the network, then run again"),
    ("2013:", "the connection was lost: check the server's log and the network, then run again"),
    ("Validation of SSL server certificate", "name the host as its certificate does: MariaDB's clients verify it"),
    ("2026:", "the encrypted connection failed: check ssl-mode and ssl-ca in the source URL"),
    ("1045:", "check the user and the password"),
)
"""What to do about what a client says, by a part of its words."""


class Running:
    """A client that was started; made by `running`."""

    def __init__(self, client: Client, url: DatabaseURL, process: subprocess.Popen[bytes]) -> None:
        self._client = client
        self._url = url
        self._process = process
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._listener = threading.Thread(target=self._listen, name="vecferry-client", daemon=True)
        self._listener.start()

    @property
    def output(self) -> IO[bytes]:
        """What it writes."""
        if self._process.stdout is None:
            raise ValueError("this client's output is not read")
        return self._process.stdout

    def ended(self, seconds: float) -> bool:
        """Waits at most so long for it to end, and returns whether it has."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def finish(self) -> tuple[str, ...]:
        """Waits for its end and returns what it had to say, a line each.

        Raises:
            SourceError: it failed; its own words are in the message.
        """
        code = self._process.wait()
        self._listener.join()
        if code:
            raise self.failed(f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}")
        return self._said()

    def failed(self, how: str) -> SourceError:
        """Returns the sentence about a client that failed."""
        words = "; ".join(self._said())
        if len(words) > _MOST_WORDS:
            words = "..." + words[-_MOST_WORDS:]
        advice = next((advice for sign, advice in _ADVICE if sign in words), "nothing was kept: run again")
        what = f"cannot back up {self._url.place}: {self._client.name} {how}"
        return SourceError(f"{what}: {words}" if words else what, advice=advice)

    def stop(self) -> None:
        """Ends it, if it still runs, and lets go of what it held."""
        if self._process.poll() is None:
            self._process.terminate()
            if not self.ended(_GRACE_SECONDS):
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._listener.join()

    def _said(self) -> tuple[str, ...]:
        return tuple(mask(" ".join(line.split()), *self._url.secrets) for line in self._lines if line.strip())

    def _listen(self) -> None:
        if self._process.stderr is not None:
            with self._process.stderr as stream:
                for line in stream:
                    self._lines.append(line.decode(errors="replace"))


@contextmanager
def running(
    client: Client,
    url: DatabaseURL,
    login: str,
    arguments: Sequence[str],
    *,
    read: bool = True,
    inherit: Sequence[int] = (),
) -> Iterator[Running]:
    """Starts a client; it ends with the block.

    It reads its login from memory that only it inherits: neither its arguments nor its environment, nor any file,
    hold the password.

    Args:
        client: what to start.
        url: the source, for what is said of a failure.
        login: the text of its option file.
        arguments: behind the option file.
        read: whether its output is read.
        inherit: further open files that it may use.

    Raises:
        UsageError: it cannot be started.
    """
    with memory_file(login) as secret:
        try:
            process = subprocess.Popen(  # noqa: S603 - the client that was found, and no shell
                [client.path, f"--defaults-file={path_of(secret)}", *arguments],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if read else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(secret, *inherit),
                # Ctrl-C is ours: we end it, and know that it did not fail.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise UsageError(f"--client: {client.path} cannot be started: {one_line(error)}") from None
        client_at_work = Running(client, url, process)
        try:
            yield client_at_work
        finally:
            client_at_work.stop()


@contextmanager
def memory_file(text: str) -> Iterator[int]:
    """Gives the descriptor of a file that has no name and ends with the block."""
    descriptor = os.memfd_create("vecferry", os.MFD_CLOEXEC)
    try:
        # A client ignores an option file that others may write to.
        os.fchmod(descriptor, 0o600)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(text.encode())
        yield descriptor
    finally:
        os.close(descriptor)


def path_of(descriptor: int) -> str:
    """Returns the path by which a process that inherited `descriptor` opens it anew."""
    return f"/dev/fd/{descriptor}"
