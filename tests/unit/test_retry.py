"""Which faults pass, and how often, how long and how loudly they are tried again."""

from __future__ import annotations

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pymysql
import pytest

from vecferry.config import parse_source, parse_target
from vecferry.engine.local import LocalEngine
from vecferry.engine.retry import Bounds, Retry
from vecferry.errors import InvalidValueError, SourceError, TargetError
from vecferry.source.connect import cut_off
from vecferry.source.connect import translate as translate_source
from vecferry.target.connect import refusal
from vecferry.target.connect import translate as translate_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = parse_source("mysql://app:secret@db:3306/shop")
TARGET = parse_target("postgresql://app:secret@pg:5432/shop")
AT = 'connection to server at "pg", port 5432 failed: '


@pytest.mark.parametrize(
    ("sqlstate", "words", "passing", "advice"),
    [
        ("08006", "connection failure", True, ""),
        ("08P01", "query_wait_timeout", True, ""),
        ("57P01", "terminating connection due to administrator command", True, "run the same command again"),
        ("57P02", "terminating connection because of crash of another server process", True, ""),
        ("57P03", "the database system is starting up", True, ""),
        ("53300", "sorry, too many clients already", True, "raise max_connections or lower --workers"),
        ("40001", "could not serialize access", True, ""),
        ("40P01", "deadlock detected", True, ""),
        ("55P03", "canceling statement due to lock timeout", True, "another session holds a lock"),
        ("57014", "canceling statement due to statement timeout", True, "time limit"),
        ("25006", "cannot execute COPY FROM in a read-only transaction", True, "connect to the primary"),
        ("53100", 'could not extend file "base/1/2": No space left on device', False, "free disk space on the target"),
        ("53100", "could not resize shared memory segment: No space left on device", False, "/dev/shm"),
        ("53200", "out of shared memory", False, "raise max_locks_per_transaction"),
        ("53200", "out of memory", False, "give the target more memory"),
        (
            "42501",
            "permission denied for table t",
            False,
            'GRANT SELECT, INSERT ON TABLE "t" TO "app", then run the same command again',
        ),
        ("28P01", "password authentication failed", False, "check the password"),
        ("3D000", 'database "shop" does not exist', False, "create the database first"),
        ("57P04", "database was dropped", False, ""),
        ("42P01", 'relation "t" does not exist', False, ""),
        # A code says more than words that a value or a name may hold.
        (
            "42501",
            'permission denied for table "connection refused"',
            False,
            'GRANT SELECT, INSERT ON TABLE "connection refused" TO',
        ),
        (None, f"{AT}Connection refused", True, "check the host, the port and that the server runs"),
        (None, f"{AT}timeout expired", True, ""),
        (None, f"{AT}FATAL: the database system is shutting down", True, ""),
        (None, f"{AT}FATAL: the database system is not yet accepting connections", True, ""),
        (None, f"{AT}FATAL: sorry, too many clients already", True, "raise max_connections or lower --workers"),
        (None, f'{AT}FATAL: too many connections for role "app"', True, "raise max_connections or lower --workers"),
        (None, f"{AT}FATAL: remaining connection slots are reserved for roles with ...", True, "raise max_connections"),
        (None, "server closed the connection unexpectedly", True, "run the same command again to go on"),
        (None, "could not receive data from server: Connection reset by peer", True, ""),
        (None, "SSL connection has been closed unexpectedly", True, ""),
        (None, "no connection to the server", True, ""),
        (None, "the connection is lost", True, ""),
        (None, 'could not translate host name "pg": Temporary failure in name resolution', True, "check the host name"),
        (None, 'could not translate host name "pg": Name or service not known', False, "check the host name"),
        (None, f'{AT}FATAL: password authentication failed for user "app"', False, "check the user and the password"),
        (None, f'{AT}FATAL: database "shop" does not exist', False, "create the database first"),
        (None, f'{AT}FATAL: no pg_hba.conf entry for host "10.0.0.1"', False, ""),
        (None, 'relation "public.t" does not exist', False, ""),
    ],
)
def test_what_passes_on_the_target(sqlstate: str | None, words: str, passing: bool, advice: str) -> None:
    error = refusal(TARGET, "load rows into table t", words, sqlstate)
    assert error.passing is passing
    assert advice in error.advice
    assert str(error).startswith(f"the target pg:5432/shop refused to load rows into table t: {words}")
    assert str(error).endswith(error.advice)


def test_what_libpq_asks_is_left_out() -> None:
    words = f"{AT}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"
    error = translate_target(psycopg.OperationalError(words), TARGET, "connect")
    assert error.sentence == f"the target pg:5432/shop refused to connect: {AT}Connection refused"


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        *((pymysql.err.OperationalError(code, "words"), True) for code in
          (1040, 1053, 1152, 1159, 1203, 1205, 1213, 1317, 1927, 1969, 2003, 2006, 2013, 3024, 4031)),
        *((pymysql.err.OperationalError(code, "words"), False) for code in
          (1044, 1045, 1049, 1054, 1129, 1130, 1142, 1143, 1146, 1290, 1698, 2005, 2026, 2059, 2061, 3118, 3159)),
        (pymysql.err.OperationalError(1226, "User 'app' has exceeded the 'max_user_connections' resource"), True),
        (pymysql.err.OperationalError(1226, "User 'app' has exceeded the 'max_questions' resource"), False),
        (pymysql.err.OperationalError(2003, "Can't connect: [Errno -2] Name or service not known"), False),
        (pymysql.err.OperationalError(2003, "Can't connect: [Errno -3] Temporary failure in name resolution"), True),
        (pymysql.err.InterfaceError(0, ""), True),
        (ConnectionResetError(104, "Connection reset by peer"), True),
        (TimeoutError("timed out"), True),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), True),
        (ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate"), False),
        (FileNotFoundError(2, "No such file or directory"), False),
        (RuntimeError("CodecError { IO error: `bytes remaining on stream' }"), True),
        (RuntimeError("IoError { server disconnected }"), True),
        (RuntimeError("timed out waiting for connection"), True),
        (RuntimeError("timed out waiting for connection: MySqlError { ERROR 1040 (08004): Too many }"), True),
        (RuntimeError("MySqlError { ERROR 1317 (70100): Query execution was interrupted }"), True),
        (RuntimeError("MySqlError { ERROR 1146 (42S02): Table 'shop.t' doesn't exist }"), False),
        (RuntimeError("timed out waiting for connection: MySqlError { ERROR 1045 (28000): Access denied }"), False),
        (RuntimeError("something else"), False),
    ],
    ids=str,
)  # fmt: skip
def test_what_passes_on_the_source(error: BaseException, passing: bool) -> None:
    assert translate_source(error, SOURCE, "read table t").passing is passing


def test_a_panic_of_the_reader_may_be_a_lost_connection() -> None:
    assert cut_off(RuntimeError("called `Result::unwrap()` on an `Err` value: IoError { server disconnected }"))
    assert not cut_off(RuntimeError("Couldn't convert the value `0000-00-00` to a desired type"))


class Clock(threading.Event):
    """A stop that is never set and never waited for; it writes the pauses down."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0)
        return self.is_set()


def failing(times: int, error: Callable[[], Exception]) -> Callable[[], int]:
    """Work that fails so many times, and then says how often it was called."""
    calls = 0

    def work() -> int:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise error()
        return calls

    return work


def lost() -> TargetError:
    return TargetError("the target refused to load", advice="run the same command again to go on", passing=True)


def gone() -> SourceError:
    return SourceError("cannot read table t", advice="check that the server runs", passing=True)


def test_pauses_grow_and_the_user_is_told_once() -> None:
    told: list[str] = []
    clock = Clock()
    assert Retry(Bounds(), told.append)(failing(7, lost), clock) == 8
    assert len(clock.pauses) == 7
    for pause, least in zip(clock.pauses, (1, 2, 4, 8, 16, 30, 30), strict=True):
        assert least <= pause <= min(least + 1, 30)
    assert told == [f"the target refused to load: trying again in {clock.pauses[0]:.0f} s (attempt 2 of 8)"]


def test_after_so_many_attempts_it_ends_and_says_how_to_go_on() -> None:
    with pytest.raises(SourceError) as caught:
        Retry(Bounds(attempts=3), list[str]().append)(failing(3, gone), Clock())
    assert str(caught.value) == (
        "cannot read table t (tried 3 times); check that the server runs, then run the same command again to go on"
    )
    with pytest.raises(TargetError, match=r"load \(tried 3 times\): run the same command again to go on$"):
        Retry(Bounds(attempts=3), list[str]().append)(failing(3, lost), Clock())


def test_the_pauses_together_are_bounded() -> None:
    clock = Clock()
    with pytest.raises(TargetError, match="tried 4 times"):
        Retry(Bounds(attempts=100, seconds=10), list[str]().append)(failing(100, lost), clock)
    assert len(clock.pauses) == 3
    assert sum(clock.pauses) <= 10


@pytest.mark.parametrize(
    "error", [lambda: TargetError("no right"), lambda: InvalidValueError("too long"), lambda: ZeroDivisionError("bug")]
)
def test_what_does_not_pass_is_raised_at_once(error: Callable[[], Exception]) -> None:
    clock = Clock()
    expected = error()
    with pytest.raises(type(expected), match=f"^{expected}$"):
        Retry(Bounds(), list[str]().append)(failing(1, error), clock)
    assert clock.pauses == []


def test_many_threads_tell_each_end_once() -> None:
    told: list[str] = []
    retry = Retry(Bounds(), told.append)
    with ThreadPoolExecutor(8) as pool:
        for error in (lost, gone):
            assert list(pool.map(lambda _, error=error: retry(failing(3, error), Clock()), range(64))) == [4] * 64
    assert [note.split(":")[0] for note in told] == ["the target refused to load", "cannot read table t"]


def test_a_fault_after_a_quiet_time_is_told_again() -> None:
    told: list[str] = []
    retry = Retry(Bounds(quiet=-1), told.append)
    retry(failing(2, lost), Clock())
    assert [note[-len("(attempt 2 of 8)") :] for note in told] == ["(attempt 2 of 8)", "(attempt 3 of 8)"]


def test_a_stop_ends_the_pause_and_the_trying() -> None:
    stop = threading.Event()
    told = threading.Event()
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1
        raise lost()

    retry = Retry(Bounds(first_pause=3600, longest_pause=3600, seconds=1e6), lambda _: told.set())
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(retry, work, stop)
        assert told.wait(10)
        stop.set()
        with pytest.raises(TargetError, match="refused to load"):
            future.result(timeout=10)
    assert calls == 1


class Workers:
    """Opens numbered workers and remembers which are closed."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed: list[int] = []

    @contextmanager
    def open(self) -> Iterator[int]:
        self.opened += 1
        number = self.opened
        try:
            yield number
        finally:
            self.closed.append(number)


QUICK = Bounds(attempts=4, first_pause=0.001, longest_pause=0.002)


def test_the_engine_closes_the_worker_before_it_tries_again_with_a_new_one() -> None:
    workers = Workers()
    seen: list[tuple[int, str, list[int]]] = []

    def work(worker: int, task: str) -> str:
        seen.append((worker, task, list(workers.closed)))
        if task == "b" and worker < 3:
            raise lost()
        return task

    results: list[tuple[str, str]] = []
    engine = LocalEngine(1, workers.open, Retry(QUICK, list[str]().append))
    engine.run("abc", work, lambda task, result: results.append((task, result)))
    assert seen == [(1, "a", []), (1, "b", []), (2, "b", [1]), (3, "b", [1, 2]), (3, "c", [1, 2])]
    assert results == [("a", "a"), ("b", "b"), ("c", "c")]
    assert workers.closed == [1, 2, 3]


def test_the_engine_tries_to_open_a_worker_again() -> None:
    opening = failing(2, lost)

    @contextmanager
    def open_worker() -> Iterator[int]:
        yield opening()

    results: list[int] = []
    engine = LocalEngine(1, open_worker, Retry(QUICK, list[str]().append))
    engine.run("a", lambda worker, _: worker, lambda _, result: results.append(result))
    assert results == [3]


def test_the_engine_without_retries_ends_with_the_first_fault() -> None:
    workers = Workers()
    with pytest.raises(TargetError, match="refused to load: run the same command again to go on$"):
        LocalEngine(1, workers.open).run("a", lambda *_: failing(1, lost)(), lambda *_: None)
    assert workers.closed == [1]


def test_a_failure_of_one_thread_ends_the_pauses_of_the_others() -> None:
    paused = threading.Event()
    retry = Retry(Bounds(first_pause=3600, longest_pause=3600, seconds=1e6), lambda _: paused.set())

    def work(_: int, task: str) -> None:
        if task == "fails":
            assert paused.wait(10)
            raise InvalidValueError("too long")
        raise lost()

    with pytest.raises(InvalidValueError, match="too long"):
        LocalEngine(2, Workers().open, retry).run(["waits", "fails"], work, lambda *_: None)


def test_an_interruption_ends_the_pauses() -> None:
    paused = threading.Event()
    retry = Retry(Bounds(first_pause=3600, longest_pause=3600, seconds=1e6), lambda _: paused.set())

    def work(_: int, task: str) -> None:
        if task == "waits":
            raise lost()
        assert paused.wait(10)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalEngine(2, Workers().open, retry).run(["waits", "done"], work, interrupt)
