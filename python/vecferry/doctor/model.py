"""What a check is and what it says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vecferry.doctor.facts import Facts


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Found:
    """What a judgement says of one object.

    Attributes:
        object: its name with the schema, or `server`, `database`, `extension vector`.
        evidence: what was seen, with figures.
        sql: the statements that mend it, in order, for one session in autocommit mode; none where no statement can.
        first: what must be done or decided beforehand, outside SQL.
        look: a query that lists the rows concerned.
        sampled: which part of the data the evidence is about; empty where it is about all.
    """

    object: str
    evidence: str
    sql: tuple[str, ...] = ()
    first: str = ""
    look: str = ""
    sampled: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that doctor looks for.

    Attributes:
        name: what a finding is known by; stable.
        severity: of each of its findings.
        finds: what it looks for, as a phrase.
        why: why that matters, one sentence.
        mends: what its statements do, as a phrase.
        judge: the judgement.
    """

    name: str
    severity: Severity
    finds: str
    why: str
    mends: str
    judge: Callable[[Facts], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; the attributes are those of `Found` and `Check`."""

    check: str
    severity: Severity
    object: str
    evidence: str
    why: str
    sql: tuple[str, ...]
    first: str
    look: str
    sampled: str


@dataclass(frozen=True, slots=True)
class IndexLine:
    """A vector index and the one operator that it serves; `size` is in bytes."""

    index: str
    table: str
    method: str
    key: str
    operator: str
    size: int
    scans: int
    valid: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What doctor has to say of a database.

    Attributes:
        database: `host:port/database`.
        server: PostgreSQL's version.
        pgvector: the extension's version in this database; None where it is not there.
        tables: how many were looked at.
        findings: the worst first.
        indexes: every vector index.
        notes: what could not be seen, and why.
    """

    database: str
    server: str
    pgvector: str | None
    tables: int
    findings: tuple[Finding, ...]
    indexes: tuple[IndexLine, ...]
    notes: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.severity is Severity.ADVICE for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Returns it for `--json`; stable from the first release."""
        counts = {str(kind): sum(finding.severity is kind for finding in self.findings) for kind in Severity}
        return {"status": "healthy" if self.healthy else "findings", "counts": counts, **asdict(self)}
