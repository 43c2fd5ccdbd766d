"""The order of a diagnosis: read, judge, sort."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from vecferry.doctor.facts import Facts, operator_of, shown
from vecferry.doctor.model import Check, Diagnosis, Finding, Found, IndexLine, Severity
from vecferry.doctor.read.catalog import read_columns, read_constraints, read_indexes, read_tables
from vecferry.doctor.read.leftovers import read_leftovers
from vecferry.doctor.read.rows import read_sequences, sample_texts, sample_vectors
from vecferry.doctor.read.server import read_server
from vecferry.doctor.read.session import Session, open_session
from vecferry.doctor.read.usage import read_queries
from vecferry.doctor.registry import CHECKS
from vecferry.target.connect import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.config import TargetScope

_ORDER = list(Severity)


def diagnose(scope: TargetScope) -> Diagnosis:
    """Looks at a PostgreSQL database with pgvector, whoever filled it; changes nothing.

    Args:
        scope: which database, and which of its tables.

    Raises:
        TargetError: the server is unreachable or refuses to log in.
    """
    with translated(scope.url, "be looked at"), closing(open_session(scope.url)) as connection:
        session = Session(connection)
        facts = read_facts(session, scope)
    return Diagnosis(
        database=scope.url.place,
        server=facts.server.version,
        pgvector=facts.server.pgvector,
        tables=len(facts.tables),
        findings=judge(facts),
        indexes=tuple(_lines(facts)),
        notes=tuple(session.notes),
    )


def judge(facts: Facts, checks: Iterable[Check] = CHECKS) -> tuple[Finding, ...]:
    """Returns what the checks find, the worst first; pure."""
    findings = [_finding(check, found) for check in checks for found in check.judge(facts)]
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def read_facts(session: Session, scope: TargetScope) -> Facts:
    """Reads all that the checks judge.

    Raises:
        psycopg.Error: the server gave no answer.
    """
    server = read_server(session)
    tables, readable = read_tables(session, scope)
    bare = Facts(server, tables, read_columns(session, tables), read_indexes(session, tables))
    vectors = {
        (table.oid, column.number): sample
        for table, column in bare.vector_columns
        if table.oid in readable and (sample := sample_vectors(session, table, column, server.schema))
    }
    texts = {
        (table.oid, column.number): text
        for table, column in bare.text_columns
        if table.oid in readable and (text := sample_texts(session, table, column))
    }
    if any(sample.sampled for sample in vectors.values()):
        session.notes.append("large tables were sampled: a trouble of few rows in them may not have been seen")
    queries, counted = read_queries(session)
    return Facts(
        server, tables, bare.columns, bare.indexes, vectors, texts,
        sequences=read_sequences(session, (tables[oid] for oid in tables if oid in readable)),
        constraints=read_constraints(session, tables),
        queries=queries,
        leftovers=read_leftovers(session),
        counted=counted,
    )  # fmt: skip


def _finding(check: Check, found: Found) -> Finding:
    return Finding(
        check.name, check.severity, found.object, found.evidence, check.why, found.sql, found.first, found.look,
        found.sampled,
    )  # fmt: skip


def _lines(facts: Facts) -> Iterable[IndexLine]:
    for index in facts.indexes:
        if index.is_vector:
            table = facts.tables[index.table]
            names = {column.number: column.name for column in facts.columns if column.table == index.table}
            yield IndexLine(
                index=shown(index.schema, index.name),
                table=shown(table.schema, table.name),
                method=index.method,
                key=index.expression or shown(names.get(index.columns[0], "?")),
                operator=operator_of(index),
                size=index.size,
                scans=index.scans,
                valid=index.valid,
            )
