"""Runs chunk tasks in a pool of threads, each with a worker of its own (a writer's connection).

The drivers and the Rust extension release the GIL, so threads keep all cores busy. The first failure stops
the pool: tasks in flight end, no further one starts. A passing fault of a server is none yet: the thread's worker is
closed, and the task tried again with a new one.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
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


class LocalEngine(Generic[Worker]):
    """A pool of `workers` threads.

    Args:
        workers: how many threads, and so how many workers are ever open at once.
        open_worker: opens what a thread keeps; called in that thread.
        retry: tries again what failed by a passing fault; None ends the run with it.
    """

    def __init__(
        self,
        workers: int,
        open_worker: Callable[[], AbstractContextManager[Worker]],
        retry: Retry | None = None,
    ) -> None:
        self._workers = workers
        self._open_worker = open_worker
        self._retry = retry

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
                KeyboardInterrupt, then too.
        """
        queue = deque(tasks)
        stop = threading.Event()
        results: deque[tuple[Task, Result]] = deque()
        turn = threading.Condition()

        def loop() -> None:
            with _Seat(self._open_worker) as seat:
                while not stop.is_set():
                    try:
                        task = queue.popleft()
                    except IndexError:
                        return
                    result = self._attempts(partial(seat.do, work, task), stop)
                    with turn:
                        results.append((task, result))
                        turn.notify()

        def report() -> None:
            while results:
                done(*results.popleft())

        count = min(self._workers, len(tasks))
        if count == 0:
            return
        with ThreadPoolExecutor(max_workers=count, thread_name_prefix="vecferry") as pool:
            futures: set[Future[None]] = {pool.submit(loop) for _ in range(count)}
            pending = futures
            try:
                while pending:
                    finished, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
                    report()
                    for future in finished:
                        future.result()
            except BaseException:
                stop.set()
                wait(futures)
                report()
                raise

    def _attempts(self, work: Callable[[], Result], stop: threading.Event) -> Result:
        return work() if self._retry is None else self._retry(work, stop)


class _Seat(Generic[Worker]):
    """A thread's worker: opened when it is needed, closed after a fault that it may not have survived."""

    def __init__(self, open_worker: Callable[[], AbstractContextManager[Worker]]) -> None:
        self._open_worker = open_worker
        self._stack = ExitStack()
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def do(self, work: Callable[[Worker, Task], Result], task: Task) -> Result:
        if self._worker is None:
            self._worker = self._stack.enter_context(self._open_worker())
        try:
            return work(self._worker, task)
        except DatabaseError as error:
            if error.passing:
                self._worker = None
                self._stack.close()
            raise
