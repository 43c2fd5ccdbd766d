"""Runs chunk tasks in a pool of threads, each with a worker of its own (a writer's connection).

The drivers and the Rust extension release the GIL, so threads keep all cores busy. The first failure stops
the pool: tasks in flight end, no further one starts. A passing fault of a server is none yet: the thread's worker is
closed, and the task tried again with a new one. An interruption does not wait for long: what is in flight is cancelled,
and a thread that a driver does not give back is left behind.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from vecferry.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from vecferry.engine.retry import Retry

Task = TypeVar("Task")
Result = TypeVar("Result")
Worker = TypeVar("Worker")

LEAVE_SECONDS = 2.0
"""How long an interruption waits for the threads, once what they do is cancelled."""
_numbers = count(1)


class LocalEngine(Generic[Worker]):
    """A pool of `workers` threads.

    Args:
        workers: how many threads, and so how many workers are ever open at once.
        open_worker: opens what a thread keeps; called in that thread.
        retry: tries again what failed by a passing fault; None ends the run with it.
        cancel: ends what a worker is doing; called from another thread than the worker's when the run is interrupted.
    """

    def __init__(
        self,
        workers: int,
        open_worker: Callable[[], AbstractContextManager[Worker]],
        retry: Retry | None = None,
        cancel: Callable[[Worker], None] | None = None,
    ) -> None:
        self._workers = workers
        self._open_worker = open_worker
        self._retry = retry
        self._cancel = cancel

    def run(
        self,
        tasks: Sequence[Task],
        work: Callable[[Worker, Task], Result],
        done: Callable[[Task, Result], None],
    ) -> None:
        """Runs every task once, in order of their start.

        Args:
            tasks: what to do.
            work: does one task with the thread's worker; with a `retry` it must be safe to do again.
            done: told of each success, from the calling thread.

        Raises:
            BaseException: the first that a task raised, after those in flight have ended; or
                KeyboardInterrupt, within `LEAVE_SECONDS`.
        """
        queue = deque(tasks)
        stop = threading.Event()
        results: deque[tuple[Task, Result]] = deque()
        seats = [_Seat(self._open_worker) for _ in range(min(self._workers, len(tasks)))]

        def loop(seat: _Seat[Worker]) -> None:
            with seat:
                while not stop.is_set():
                    try:
                        task = queue.popleft()
                    except IndexError:
                        return
                    results.append((task, self._attempts(partial(seat.do, work, task), stop)))

        def report() -> None:
            while results:
                done(*results.popleft())

        futures = {_start(partial(loop, seat)) for seat in seats}
        try:
            _wait(futures, stop, report)
        except KeyboardInterrupt:
            stop.set()
            self._cancel_all(seats)
            wait(futures, timeout=LEAVE_SECONDS)
            report()
            raise

    def _cancel_all(self, seats: Sequence[_Seat[Worker]]) -> None:
        if self._cancel is None:
            return
        for seat in seats:
            if (worker := seat.worker) is not None:
                # It asks the server, which may not answer.
                _start(partial(self._cancel, worker))

    def _attempts(self, work: Callable[[], Result], stop: threading.Event) -> Result:
        return work() if self._retry is None else self._retry(work, stop)


def _wait(futures: set[Future[None]], stop: threading.Event, report: Callable[[], None]) -> None:
    """Waits for all threads; after a failure, too, unless it is an interruption."""
    pending = futures
    try:
        while pending:
            finished, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            report()
            for future in finished:
                future.result()
    except KeyboardInterrupt:
        raise
    except BaseException:
        stop.set()
        wait(futures)
        report()
        raise


def _start(work: Callable[[], None]) -> Future[None]:
    """Runs `work` in a thread that the process does not wait for at its end."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
            future.set_result(None)
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name=f"vecferry-{next(_numbers)}", daemon=True).start()
    return future


class _Seat(Generic[Worker]):
    """A thread's worker: opened when it is needed, closed after a fault that it may not have survived."""

    def __init__(self, open_worker: Callable[[], AbstractContextManager[Worker]]) -> None:
        self._open_worker = open_worker
        self._stack = ExitStack()
        self.worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def do(self, work: Callable[[Worker, Task], Result], task: Task) -> Result:
        if self.worker is None:
            self.worker = self._stack.enter_context(self._open_worker())
        try:
            return work(self.worker, task)
        except DatabaseError as error:
            if error.passing:
                self.worker = None
                self._stack.close()
            raise
