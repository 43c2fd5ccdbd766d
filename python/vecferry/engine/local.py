"""Runs chunk tasks in a pool of threads, each with a worker of its own (a writer's connection).

The drivers and the Rust extension release the GIL, so threads keep all cores busy. The first failure stops
the pool: tasks in flight end, no further one starts.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

Task = TypeVar("Task")
Result = TypeVar("Result")
Worker = TypeVar("Worker")


class LocalEngine(Generic[Worker]):
    """A pool of `workers` threads.

    Args:
        workers: how many threads, and so how many workers are ever opened.
        open_worker: opens what a thread keeps for its life; called in that thread.
    """

    def __init__(self, workers: int, open_worker: Callable[[], AbstractContextManager[Worker]]) -> None:
        self._workers = workers
        self._open_worker = open_worker

    def run(
        self,
        tasks: Sequence[Task],
        work: Callable[[Worker, Task], Result],
        done: Callable[[Task, Result], None],
    ) -> None:
        """Runs every task once, in order of their start.

        Args:
            tasks: what to do.
            work: does one task with the thread's worker.
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
            with self._open_worker() as worker:
                while not stop.is_set():
                    try:
                        task = queue.popleft()
                    except IndexError:
                        return
                    result = work(worker, task)
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
