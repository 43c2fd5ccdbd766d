"""Reports to look at: one in which everything is there, and what hostile names make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vecferry.model import Loss
from vecferry.report.details import (
    Details,
    EmbeddingCensus,
    Failure,
    IndexBuild,
    SearchPoint,
    ServerFacts,
    StepTime,
    TableProgress,
    Throughput,
)
from vecferry.report.rates import histogram
from vecferry.report.report import RejectResult, Report, SequenceResult, SmokeResult, TableResult, VectorResult

INDEX = "passages_embedding_hnsw"
_EDGES, _COUNTS = histogram([0.9 + number / 1000 for number in range(200)])

DETAILS = Details(
    version="0.1.0",
    started="2026-11-22T21:03:04+00:00",
    finished="2026-11-22T23:12:59+00:00",
    source="db1.example:3306/athena",
    target="db2.example:5432/athena",
    target_schema="public",
    options={"workers": 8, "on": ["zero-date=null"], "chunk_bytes": 33_554_432, "hnsw": True, "fulltext": None},
    chosen=("on", "workers"),
    steps=(
        StepTime("plan", 0.0, 12.0, finished=True),
        StepTime("load", 12.0, 4200.0, finished=True),
        StepTime("vector_index", 4212.0, 2600.0, finished=True),
    ),
    throughput=Throughput(70.0, tuple(9000.0 + 100 * n for n in range(60)), tuple(2e8 + 1e6 * n for n in range(60))),
    census=(
        EmbeddingCensus(
            "passages", "embedding", {"JSON object": 190, "JSON array": 10}, 200, False, 3, 1, {"1536": 197}, 0.9,
            1.0, 1.1, _EDGES, _COUNTS,
        ),
    ),
    indexes=(IndexBuild(INDEX, "passages", "embedding", "CREATE INDEX ...", 2600.0, 8 * 10**9, valid=True),),
    servers=(
        ServerFacts("source", "db1.example:3306/athena", "MySQL 8.0.36", {"sql_mode": "STRICT_TRANS_TABLES,ANSI"}),
        ServerFacts("target", "db2.example:5432/athena", "PostgreSQL 18.6", {"pgvector": "0.8.6"}),
    ),
    notes=("the source's settings: not known: the connection was lost",),
)  # fmt: skip

REPORT = Report(
    run_id="1f2e3d",
    status="rejected",
    seconds={"total": 7795.0},
    tables=(
        TableResult("passages", 1_234_570, 1_234_567, 3, 52_000_000_000, 8000.0, "equal"),
        TableResult("orders", 12, 11, 0, 345, 0.01, "different"),
        *(TableResult(f"archive_{number}", 100, 100, 0, 1000, 0.01, "equal") for number in range(30)),
        TableResult("audit", 12, 12, 0, 345, 0.01, "not checked"),
    ),
    vectors=(VectorResult("passages", "embedding", 1536, "vector(1536)", 1_234_567, INDEX, 0.987, ("2 are lost",)),),
    sequences=(SequenceResult("passages_id_seq", 1_234_570), SequenceResult("orders_id_seq", None)),
    losses=(Loss("orders", "day", "zero dates become NULL", 42, ("id = 7", "id = 9")), Loss("orders", None, "trigger")),
    notes=("one chunk was tried again: the connection was lost",),
    rejects=(RejectResult("passages", "embedding", "not-json", "reject", 3, "byte 12: no number", ('{"id": 7}',)),),
    search=tuple(
        SearchPoint(INDEX, kind, ef, 1 - 1.6 / ef, 1 - 9 / ef, ef / 100, ef / 50)
        for kind in ("stored", "perturbed")
        for ef in (20, 40, 100, 400)
    ),
    smoke=(
        SmokeResult("history", "http", True, "200", "200", 12.5),
        SmokeResult("count", "sql", False, "[[3]]", "[[2]]", 1.5),
    ),
    details=DETAILS,
)

STOPPED = replace(
    REPORT,
    status="stopped",
    tables=(),
    vectors=(),
    failure=Failure("the target db2.example:5432/athena refused to load rows: it shut down", 4, "Run it again."),
    details=replace(
        DETAILS,
        steps=(DETAILS.steps[0], StepTime("load", 12.0, 60.0, finished=False)),
        progress=(TableProgress("passages", 1_234_570, 400_000, 3, 52_000_000_000, 17_000_000_000, 1550, 506),),
    ),
)

VERIFICATION = {
    "level": "full",
    "oracle": [],
    "tables": [
        {"name": "orders", "verified": "different", "rows_compared": 11, "rows_missing": 1, "rows_extra": 0,
         "rows_different": 1},
    ],
    "differences": [
        {"kind": "cell", "table": "orders", "column": "note", "key": "id = 3", "source": "'a '", "target": "'a'"},
        {"kind": "missing", "table": "orders", "column": None, "key": "id = 9", "source": None, "target": None},
    ],
}  # fmt: skip

HOSTILE = (
    "<script>document.title='in'</script>",
    "</style></svg></title><script>document.title='in'</script>",
    '"><img src=https://x.invalid/i onerror="document.title=\'in\'">',
    "' onmouseover='document.title=1' style='position:fixed",
    "<style>*{display:none}</style><link rel=stylesheet href=//x.invalid/c><base href=//x.invalid/>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}<!-- ]]> -->",
    "&lt;script&gt;&amp;#x27;</pre></code></bdi></table>",
    "\u202e\u2066evil\u200f\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\U0001f600\u200d\U0001f3f4\U000e0067 \ud800 \x00\x1b[31m\ufeff\r\n",
    "x" * 10_000,
    "long words " * 1_000,
)
_OWN = {"status", "verified", "kind", "action", "end", "started", "finished", "level", "chosen", "version", "exit_code"}
"""Fields whose values are vecferry's own words."""


def with_texts(value: Any, text: str, name: str = "") -> Any:
    """Puts `text` in the place of every text, and in every name of a setting, that could come from a server."""
    if isinstance(value, dict):
        if name == "settings":
            return dict([(text, text)] * len(value))
        return {key: entry if key in _OWN else with_texts(entry, text, key) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [entry if name == "steps" else with_texts(entry, text, name) for entry in value]
    return text if isinstance(value, str) and value else value
