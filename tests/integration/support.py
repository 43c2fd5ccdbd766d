"""What the integration tests share: runs on two fresh databases, and readers that share no code with vecferry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from vecferry import Progress, load_config, migrate, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry import Config, Report, Verification


class Act(Progress):
    """Acts once, when a step begins or the first rows are loaded, and keeps the notes.

    Args:
        step: the step's name; `rows` for the first rows.
        act: what to do; afterwards `step` is empty.
    """

    def __init__(self, step: str, act: Callable[[], object]) -> None:
        self.step = step
        self.act = act
        self.notes: list[str] = []

    def begin(self, step: str) -> None:
        self._now(step)

    def advance(self, table: str, rows: int, size: int) -> None:  # noqa: ARG002 - the protocol's names
        self._now("rows")

    def note(self, text: str) -> None:
        self.notes.append(text)

    def _now(self, step: str) -> None:
        if step == self.step:
            self.step = ""
            self.act()


def config_for(mysql: MySQLDatabase, postgres: PostgresDatabase, **options: Any) -> Config:
    return load_config(**{"source": mysql.url, "target": postgres.url, **options})


def run(mysql: MySQLDatabase, postgres: PostgresDatabase, progress: Progress | None = None, **options: Any) -> Report:
    """Migrates with consent to everything."""
    return migrate(config_for(mysql, postgres, **options), progress, lambda _: True)


def run_verify(mysql: MySQLDatabase, postgres: PostgresDatabase, **options: Any) -> Verification:
    return verify(config_for(mysql, postgres, **options))


def source_rows(mysql: MySQLDatabase, table: str, order: str) -> list[dict[str, Any]]:
    mysql.execute("SET time_zone = '+00:00'")
    return _dicts(mysql, f"SELECT * FROM `{table}` ORDER BY {order}")


def _dicts(mysql: MySQLDatabase, query: str) -> list[dict[str, Any]]:
    with mysql.connect().cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(query)
        names = [entry[0] for entry in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def target_rows(postgres: PostgresDatabase, table: str, order: str) -> list[dict[str, Any]]:
    connection = postgres.connect()
    connection.execute("SET TIME ZONE 'UTC'")
    cursor = connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}'.encode())
    names = [entry.name for entry in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def read_json_embedding(text: str) -> NDArray[np.float32]:
    """numpy's reading of an embedding's text, values placed by key."""
    loaded = orjson.loads(text)
    values = [loaded[str(i)] for i in range(len(loaded))] if isinstance(loaded, dict) else loaded
    return np.array(values, dtype=np.float64).astype(np.float32)


def read_vector(text: str) -> NDArray[np.float32]:
    """A vector from pgvector's text form."""
    return np.array(json.loads(text), dtype=np.float64).astype(np.float32)
