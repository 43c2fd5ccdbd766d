"""What a run tells its watcher; `cli/` draws it, a library user may pass nothing."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress:
    """A watcher that ignores everything; override what you want to see.

    Methods are called from several threads and must be quick and must not raise.
    """

    def begin(self, step: str) -> None:
        """A step starts: `plan`, `load`, `keys`, `vector_index`, `sequences`, `verify`."""

    def end(self, step: str, seconds: float) -> None:
        """A step ended well after `seconds`."""

    def table(self, name: str, rows: int, size: int) -> None:
        """A table of about `rows` rows and `size` bytes will be loaded."""

    def resumed(self, table: str, rows: int, size: int) -> None:
        """`rows` rows, `size` bytes, of `table` are there already: an earlier run carried them."""

    def advance(self, table: str, rows: int, size: int) -> None:
        """`rows` more rows, `size` bytes of source data, are committed in the target."""

    def index(self, name: str, phase: str, done: int, total: int) -> None:
        """The build of index `name`, or the plan's look at `source`, has done `done` of `total` units of `phase`.

        The units are tuples or blocks of an index, tables or foreign keys of the source.
        """

    def note(self, text: str) -> None:
        """Something a user should read, e.g. a retry and its reason; one sentence."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a step ran, in seconds since the call began."""

    name: str
    start: float
    seconds: float
    finished: bool


class Recorder(Progress):
    """Hands everything on to another watcher, times the steps and keeps the notes for the report."""

    def __init__(self, watcher: Progress) -> None:
        self._watcher = watcher
        self.began = datetime.now(UTC)
        self.run_id = ""
        """The run that the call began or goes on with; empty while there is none."""
        self.spans: list[Span] = []
        self.builds: dict[str, float] = {}
        """The seconds that the build of each index took."""
        self._started = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self.notes: list[str] = []
        self.table = watcher.table  # type: ignore[method-assign]
        self.resumed = watcher.resumed  # type: ignore[method-assign]
        self.advance = watcher.advance  # type: ignore[method-assign]
        self.index = watcher.index  # type: ignore[method-assign]

    def note(self, text: str) -> None:
        """Keeps the note and hands it on."""
        self.notes.append(text)
        self._watcher.note(text)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done inside; a step that fails has no end."""
        self._watcher.begin(name)
        started = time.perf_counter()
        finished = False
        try:
            yield
            finished = True
        finally:
            seconds = time.perf_counter() - started
            self.spans.append(Span(name, round(started - self._started, 3), round(seconds, 3), finished))
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds
        self._watcher.end(name, seconds)

    def seconds(self) -> dict[str, float]:
        """Returns the seconds of each step, 0 for those that were not needed, and the total so far."""
        steps = ("plan", "load", "keys", "vector_index", "sequences", "verify")
        taken = {name: round(self._seconds.get(name, 0.0), 3) for name in steps}
        return {**taken, "total": round(time.perf_counter() - self._started, 3)}


def recorder(progress: Progress | None) -> Recorder:
    """Returns `progress` itself where it records already, and one that records for it otherwise."""
    return progress if isinstance(progress, Recorder) else Recorder(progress or Progress())
