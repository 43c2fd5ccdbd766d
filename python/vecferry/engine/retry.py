"""Tries again what failed by a passing fault of a server or of the network."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_any, stop_when_event_set
from tenacity.stop import stop_base
from tenacity.wait import wait_exponential_jitter

from vecferry.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_RESUME = "run the same command again to go on"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often and how long; the defaults outlast a server's restart."""

    attempts: int = 8
    seconds: float = 120.0
    """Most seconds of all pauses together; what the attempts themselves take is not counted."""
    first_pause: float = 1.0
    """Seconds; every further pause is twice as long, and up to a second more."""
    longest_pause: float = 30.0
    quiet: float = 60.0
    """Seconds without a fault of an end, after which its next fault is told again."""


class Retry:
    """Tries tasks again, for several threads at once.

    Args:
        bounds: when to give up.
        tell: is told of a fault and the pause after it, one sentence; once for all threads as long as the same
            end goes on failing.
    """

    def __init__(self, bounds: Bounds, tell: Callable[[str], None]) -> None:
        self._bounds = bounds
        self._tell = tell
        self._lock = threading.Lock()
        self._faults: dict[type[DatabaseError], float] = {}

    def __call__(self, work: Callable[[], Result], stop: threading.Event | None = None) -> Result:
        """Returns what `work` returns, as soon as it does.

        Args:
            work: what to do; it must be safe to do again.
            stop: ends a pause at once, and with it the trying.

        Raises:
            DatabaseError: the fault did not pass, or the bounds are reached; whatever else `work` raises.
        """
        stop = stop or threading.Event()
        bounds = self._bounds
        fault: DatabaseError

        def before_pause(state: RetryCallState) -> None:
            nonlocal fault
            fault = _fault(state)
            self._note(fault, state)

        def pause(seconds: float) -> None:
            if stop.wait(seconds):
                raise fault

        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, DatabaseError) and error.passing),
            wait=wait_exponential_jitter(
                multiplier=bounds.first_pause, max=bounds.longest_pause, jitter=min(1.0, bounds.first_pause)
            ),
            stop=stop_any(
                stop_after_attempt(bounds.attempts), stop_when_event_set(stop), _StopAfterPauses(bounds.seconds)
            ),
            before_sleep=before_pause,
            sleep=pause,
            retry_error_callback=_give_up,
        )
        return retrying(work)

    def _note(self, fault: DatabaseError, state: RetryCallState) -> None:
        now = time.monotonic()
        with self._lock:
            before = self._faults.get(type(fault))
            self._faults[type(fault)] = now
        if before is None or now - before > self._bounds.quiet:
            again = f"trying again in {state.upcoming_sleep:.0f} s"
            self._tell(f"{fault.sentence}: {again} (attempt {state.attempt_number + 1} of {self._bounds.attempts})")


class _StopAfterPauses(stop_base):
    """Stops before all pauses together are longer than `seconds`.

    tenacity's own limit counts the attempts, too: it would not let a chunk be tried again that loaded for minutes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, retry_state: RetryCallState) -> bool:
        return retry_state.idle_for + retry_state.upcoming_sleep > self._seconds


def _fault(state: RetryCallState) -> DatabaseError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, DatabaseError):
        raise TypeError(f"tenacity retried {error!r}")
    return error


def _give_up(state: RetryCallState) -> None:
    fault = _fault(state)
    if state.attempt_number == 1:
        raise fault
    advice = fault.advice
    if "again" not in advice:
        advice = f"{advice}, then {_RESUME}" if advice else _RESUME
    raise type(fault)(f"{fault.sentence} (tried {state.attempt_number} times)", advice=advice) from fault
