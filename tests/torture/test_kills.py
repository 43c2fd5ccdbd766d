"""The client is killed at random moments of one migration, again and again: the end is a clean run's."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.torture.support import Ferry, check_ledger, forget, state
from vecferry.demo import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from tests.torture.support import Forker


@pytest.mark.parametrize(
    ("kills", "rows", "dimensions", "chunk", "seed"),
    [
        (5, 1000, 64, "16KiB", 20261),
        pytest.param(50, 5000, 256, "64KiB", 20262, marks=[pytest.mark.torture, pytest.mark.timeout(3600)]),
        pytest.param(50, 5000, 1536, "512KiB", 20263, marks=[pytest.mark.torture, pytest.mark.timeout(3600)]),
    ],
    ids=["short", "many chunks", "long vectors"],
)
def test_a_client_that_is_killed_at_random(
    forker: Forker, mysql: MySQLDatabase, postgres: PostgresDatabase, clean: PostgresDatabase,
    told: Callable[[str], None], kills: int, rows: int, dimensions: int, chunk: str, seed: int,
) -> None:  # fmt: skip
    sample.fill(mysql.connect(), rows=rows, dimensions=dimensions)
    options = ("--chunk-bytes", chunk)
    began = time.monotonic()
    Ferry(forker, mysql.url, clean.url, *options).finish()
    length = time.monotonic() - began
    expected = state(clean.url)
    dice = random.Random(seed)
    ferry = Ferry(forker, mysql.url, postgres.url, *options)
    done, migrations = 0, 1
    while done < kills:
        # Five kills a migration, or thereabouts: some in the plan, some in the load, some after it.
        delay = dice.uniform(0, length / 2)
        ferry.log = f"seed {seed}, kill {done}, after {delay:.3f} s"
        command = ferry.start()
        time.sleep(delay)
        if command.poll() is None:
            command.kill()
            done += 1
            command.ended()
            continue
        assert command.ended()[0] == 0, ferry.log
        assert state(postgres.url) == expected, ferry.log
        check_ledger(postgres.url)
        forget(postgres)
        migrations += 1
    ferry.finish()
    ferry.nothing_left()
    assert state(postgres.url) == expected, ferry.log
    check_ledger(postgres.url)
    told(f"seed {seed}: {done} kills in {migrations} migrations")
