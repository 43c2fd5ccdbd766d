"""Ctrl-C, being told to terminate and a terminal that is closed: all the same, and none leaves a process behind."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

GRACE_SECONDS = 4.0
"""How long a call may take to end by itself."""
_ONE_SECONDS = 0.5
"""Signals that come so close are one: a shell, a terminal and a `timeout` send the same twice."""
_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen(leave: Callable[[], None]) -> None:
    """Turns the first signal into KeyboardInterrupt, of the main thread.

    A driver may hold that thread in C, where Python never gets to raise anything; a thread of its own reads what the
    C handler writes. Signals that are ignored, as `nohup` does with SIGHUP, stay so.

    Args:
        leave: is called, in that thread, at a second signal or if the first has not ended the process in time.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _NUMBERS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    threading.Thread(target=_watch, args=(reader, leave), name="vecferry-signals", daemon=True).start()


def ignore() -> None:
    """Lets nothing disturb the end of the process."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in _NUMBERS:
        if signal.getsignal(number) == _interrupt:
            signal.signal(number, _again)
    raise KeyboardInterrupt


def _again(_number: int, _frame: FrameType | None) -> None:
    """Leaves a further signal to the thread: raised in the middle of a clean end, it would only break that off."""


def _watch(reader: int, leave: Callable[[], None]) -> None:
    _next(reader)
    time.sleep(_ONE_SECONDS)
    os.set_blocking(reader, False)
    while select.select([reader], [], [], 0)[0]:
        _next(reader)
    os.set_blocking(reader, True)
    select.select([reader], [], [], GRACE_SECONDS - _ONE_SECONDS)
    leave()


def _next(reader: int) -> None:
    while os.read(reader, 1)[0] not in _NUMBERS:
        pass
