"""The client dies at every crash point of the code, and the same command goes on: the end is a clean run's."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vecferry
from tests.torture.conftest import OPTIONS, PART, TARGET
from tests.torture.support import Ferry, Forker, check_ledger, forget, state
from vecferry import load_config, migrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import PostgresDatabase

POINTS = {
    name
    for file in Path(vecferry.__file__ or "").parent.rglob("*.py")
    for name in re.findall(r'\bcrash_point\("([^"]+)"\)', file.read_text())
}
OF_A_RESTART = {"old run not yet taken back", "old run taken back"}
CAST = ("--vector-load", "cast")
CREATED = ""
EXISTING = TARGET + PART
MIXED = TARGET


def recorded(source: str, target: str, *options: str) -> list[str]:
    """Migrates undisturbed and returns the points that were passed, in order."""
    passed: list[str] = []

    def note(name: str) -> bool:
        passed.append(name)
        return False

    given: dict[str, Any] = {
        name[2:].replace("-", "_"): value for name, value in zip(options[::2], options[1::2], strict=True)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vecferry.crash.chosen", note)
        assert migrate(load_config(source=source, target=target, **given)).status == "ok"
    return passed


def crash(ferry: Ferry, point: str, *options: str) -> None:
    code, _, err = ferry.run(*options, VECFERRY_TEST_CRASH_AT=point)
    assert code == -signal.SIGKILL, f"{point} was not reached ({ferry.log}): {code} {err}"


def same_as(clean: PostgresDatabase, target: PostgresDatabase) -> None:
    assert state(target.url) == state(clean.url)
    check_ledger(target.url)


def test_one_run_that_crashes_at_every_point(
    forker: Forker, library: str, postgres: PostgresDatabase, clean: PostgresDatabase
) -> None:
    for database in (postgres, clean):
        database.execute(MIXED)
    passed = recorded(library, clean.url, *OPTIONS, *CAST)
    assert set(passed) | OF_A_RESTART == POINTS
    ferry = Ferry(forker, library, postgres.url, *OPTIONS, *CAST)
    crash(ferry, "loaded")
    for point in sorted(OF_A_RESTART):
        crash(ferry, point, "--restart", "--yes")
    for point in dict.fromkeys(passed):
        ferry.log = f"after {point}"
        # What the old run had planned is gone on with: it is planned anew only by a restart.
        crash(ferry, point, *(("--restart", "--yes") if point == "plan not yet recorded" else ()))
    ferry.finish()
    ferry.nothing_left()
    same_as(clean, postgres)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("before", "vector_load"),
    [(CREATED, "wire"), (EXISTING, "wire"), (MIXED, "cast")],
    ids=["created", "existing", "mixed, cast"],
)
def test_each_point_each_time_it_is_reached(
    forker: Forker,
    library: str,
    postgres: PostgresDatabase,
    clean: PostgresDatabase,
    before: str,
    vector_load: str,
    told: Callable[[str], None],
) -> None:
    options = (*OPTIONS, "--vector-load", vector_load)
    clean.execute(before or "SELECT")
    passed = recorded(library, clean.url, *options)
    ferry = Ferry(forker, library, postgres.url, *options)
    crashes = 0
    for point in dict.fromkeys(passed):
        times = range(1, passed.count(point) + 1)
        # Chunks are alike: the first, one in the middle and the last will do.
        for time in times if len(times) < 12 else (1, len(times) // 2, len(times)):
            forget(postgres)
            postgres.execute(before or "SELECT")
            ferry.log = f"{point}*{time}"
            crash(ferry, ferry.log)
            ferry.finish()
            same_as(clean, postgres)
            crashes += 1
    told(f"{crashes} crashes at {len(set(passed))} points")
