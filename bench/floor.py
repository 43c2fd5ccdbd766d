"""The floor: PostgreSQL's own psql copies the same rows, ready-made, into the same tables without keys."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import psycopg
from bench.processes import children_cpu, tree_cpu
from psycopg import sql

from vecferry import load_config, make_plan
from vecferry.demo.pginstall import package_directory

if TYPE_CHECKING:
    from pathlib import Path

    from bench.ends import Ends, Source
    from bench.load import Figures


class FloorError(RuntimeError):
    """psql failed; its own words are in the message."""


class Floor:
    """The statements that make the empty tables, and a file in COPY's binary format for each."""

    def __init__(self, ends: Ends, source: Source, directory: Path, migrated: str, empty: str) -> None:
        """Takes both from databases that are there now.

        Args:
            ends: the servers.
            source: what was migrated.
            directory: where the files go.
            migrated: the URL of a database that a load has filled.
            empty: the URL of a database to plan for: the plan's own statements make the floor's tables.
        """
        self._ends = ends
        self._source = source
        plan = make_plan(load_config(source=source.url, target=empty, hnsw=False, estimate=False))
        self._statements = [kind.statement for table in plan.tables for kind in table.requires]
        self._statements += [table.create for table in plan.tables if table.create is not None]
        self._copies = []
        with psycopg.connect(migrated) as connection:
            for table in plan.tables:
                name = sql.Identifier(plan.target_schema, table.name)
                columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
                text = sql.SQL("{} ({})").format(name, columns).as_string(connection)
                path = directory / f"{table.name}.pgcopy"
                _export(connection, text, path)
                self._copies.append(f"\\copy {text} FROM '{path}' WITH (FORMAT binary)")

    def run(self) -> Figures:
        """Copies all files into a fresh database by one psql, one after the other, and checks what arrived.

        Returns:
            `seconds` from psql's start to its end, and `cpu_seconds` of client and postgres.

        Raises:
            FloorError: psql failed.
            WrongResultError: it left something else than the sample.
        """
        with self._ends.target() as url:
            with psycopg.connect(url) as connection:
                for statement in self._statements:
                    connection.execute(statement.encode())
            figures = self._copy(url)
            self._ends.check(self._source, "psql")
        return figures

    def _copy(self, url: str) -> Figures:
        info = psycopg.conninfo.conninfo_to_dict(url)
        environment = {
            **os.environ,
            "PGHOST": str(info["host"]),
            "PGPORT": str(info["port"]),
            "PGUSER": str(info["user"]),
            "PGPASSWORD": str(info["password"]),
            "PGDATABASE": str(info["dbname"]),
        }
        command = [str(package_directory() / "pginstall" / "bin" / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        for copy in self._copies:
            command += ["-c", copy]
        server = psutil.Process(self._ends.postgres.pid)
        client, postgres = children_cpu(), tree_cpu(server)
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode != 0:
            raise FloorError(f"psql failed:\n{done.stderr.strip()}")
        cpu = {"client": round(children_cpu() - client, 3), "postgres": round(tree_cpu(server) - postgres, 3)}
        return {"seconds": round(seconds, 3), "cpu_seconds": cpu}


def _export(connection: psycopg.Connection[tuple[object, ...]], table: str, path: Path) -> None:
    with (
        connection.cursor().copy(f"COPY {table} TO STDOUT WITH (FORMAT binary)".encode()) as copy,
        path.open("wb") as f,
    ):
        for data in copy:
            f.write(data)
