"""Runs every directory of tests/cases on every server that it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from pymysql.constants import CLIENT

from tests.cases.case import Case, all_cases
from tests.cases.compare import differences, snapshot
from tests.integration.support import run, run_verify
from vecferry import VecferryError

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase
    from vecferry import Report

FIXTURES = {"mariadb": "mysql", "mysql56": "mysql56"}
RUNS = [
    pytest.param(case, FIXTURES[server], id=f"{case.name}[{server}]")
    for case in all_cases()
    for server in case.expected.servers
]


@pytest.mark.parametrize(("case", "fixture"), RUNS)
def test_case(case: Case, fixture: str, postgres: PostgresDatabase, request: pytest.FixtureRequest) -> None:
    source: MySQLDatabase = request.getfixturevalue(fixture)
    fill(source, case.mysql)
    if case.postgres:
        postgres.execute(case.postgres)
    if case.expected.refused:
        check_refused(case, source, postgres)
    else:
        check_carried(case, source, postgres)


def fill(source: MySQLDatabase, script: str) -> None:
    """Run a whole script; the server, not the test, knows where a statement ends."""
    with source.connect(client_flag=CLIENT.MULTI_STATEMENTS).cursor() as cursor:
        cursor.execute(script)
        while cursor.nextset():
            pass


def check_refused(case: Case, source: MySQLDatabase, postgres: PostgresDatabase) -> None:
    """Migrate what must be refused."""
    expected = case.expected
    before = snapshot(postgres)
    with pytest.raises(VecferryError) as caught:
        run(source, postgres, **expected.options)
    missing = [pattern for pattern in expected.refused if not re.search(pattern, str(caught.value), re.DOTALL)]
    assert not missing, str(caught.value)
    assert caught.value.exit_code == expected.exit_code, str(caught.value)
    if expected.untouched:
        assert snapshot(postgres) == before


def check_carried(case: Case, source: MySQLDatabase, postgres: PostgresDatabase) -> None:
    """Migrate, and compare all that the case says of the target and the report."""
    expected = case.expected
    report = run(source, postgres, **expected.options)
    assert report.status == expected.status, report
    _check_verified(source, postgres, report, expected.options)
    if expected.compare:
        zone = expected.options.get("datetime_zone", "UTC")
        schema = expected.options.get("target_schema", "public")
        skipped = {"skip_tables": expected.skip_tables, "skip_columns": expected.skip_columns}
        assert differences(source, postgres, schema=schema, zone=zone, **skipped) == []
    for query in expected.query:
        assert [list(row) for row in postgres.rows(query.sql)] == query.rows, query.sql
    _check_report(case, report)


def _check_verified(source: MySQLDatabase, postgres: PostgresDatabase, report: Report, options: dict[str, Any]) -> None:
    """Every cell is equal or a loss that was announced, by the run's plan and without one."""
    assert report.verification is not None
    assert report.verification.differences == ()
    planned = {
        (loss.table, loss.column, loss.kind): loss.count
        for loss in report.losses
        if loss.kind and loss.kind != "orphan"
    }
    met = {(loss.table, loss.column, loss.kind): loss.found for loss in report.verification.losses}
    assert planned.items() <= met.items()
    postgres.execute("DROP SCHEMA vecferry CASCADE")
    again = run_verify(source, postgres, **options)
    kinds = {difference.kind for difference in again.differences}
    # Without a plan nobody says that a foreign key was left unproven on purpose.
    assert kinds <= ({"structure"} if "orphan=keep" in str(options) else set()), again.differences


def _check_report(case: Case, report: Report) -> None:
    losses = {(f"{loss.table}.{loss.column}" if loss.column else loss.table, loss) for loss in report.losses}
    for wanted in case.expected.loss:
        fitting = [
            loss
            for where, loss in losses
            if where == wanted.where
            and re.search(wanted.reason, loss.reason)
            and wanted.count in {None, loss.count}
            and set(wanted.examples) <= set(loss.examples)
        ]
        assert fitting, (wanted, report.losses)
    announced = {where for where, _ in losses}
    assert not announced & set(case.expected.no_loss), report.losses
    sentences = [*report.notes, *(f"{where}: {loss.reason}" for where, loss in losses)]
    for note in case.expected.note:
        assert any(re.search(note.text, sentence, re.DOTALL) for sentence in sentences), (note, sentences)
