"""Points at which a test may end the process as kill -9 would; nothing happens at them unless a variable names one.

VECFERRY_TEST_CRASH_AT is a point's name, or `name*3` for the third time that it is reached.
"""

from __future__ import annotations

import itertools
import os
import signal

_times = itertools.count(1)


def crash_point(name: str) -> None:
    """Ends the process here if it was asked for; tests find the points by the literal `name`."""
    if chosen(name):
        os.kill(os.getpid(), signal.SIGKILL)


def chosen(name: str) -> bool:
    """Whether the process is to end at `name`, this time."""
    wanted, _, time = os.environ.get("VECFERRY_TEST_CRASH_AT", "").partition("*")
    return wanted == name and next(_times) == int(time or 1)
