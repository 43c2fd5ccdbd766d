"""The session of the ledger is lost as a step begins: a sentence, and the same command goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from vecferry import Progress, load_config, migrate
from vecferry.errors import TargetError

if TYPE_CHECKING:
    from tests.conftest import PostgresDatabase


class EndsSessions(Progress):
    def __init__(self, postgres: PostgresDatabase, step: str) -> None:
        self.postgres, self.step = postgres, step

    def begin(self, step: str) -> None:
        if step == self.step:
            self.postgres.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'vecferry' AND datname = current_database()"
            )


@pytest.mark.parametrize("consistency", ["watch", "lock"])
@pytest.mark.parametrize("step", ["load", "keys", "vector_index", "sequences", "verify"])
def test_a_session_that_is_lost_as_a_step_begins(
    library: str, postgres: PostgresDatabase, step: str, consistency: Literal["watch", "lock"]
) -> None:
    config = load_config(source=library, target=postgres.url, consistency=consistency)
    with pytest.raises(TargetError, match="run the same command again"):
        migrate(config, EndsSessions(postgres, step))
    assert migrate(config).status == "ok"


def test_a_view_whose_statement_was_stopped_is_not_taken_for_one_that_is_refused(
    library: str, postgres: PostgresDatabase
) -> None:
    config = load_config(source=library, target=postgres.url)
    postgres.execute(f"ALTER DATABASE {postgres.database} SET lock_timeout = '50ms'")

    class Locks(Progress):
        def begin(self, step: str) -> None:
            if step == "keys":
                # What CREATE VIEW writes its rule to.
                self.other = postgres.connect(autocommit=False)
                self.other.execute("LOCK TABLE pg_rewrite IN ACCESS EXCLUSIVE MODE")

    locks = Locks()
    with pytest.raises(TargetError, match="lock timeout"):
        migrate(config, locks)
    locks.other.rollback()
    assert migrate(config).status == "ok"
