"""docs/doctor.md, written from the registry: `python -m vecferry.doctor.document`."""

from __future__ import annotations

import sys

from vecferry.doctor.checks.indexes import MISSED_FROM_ROWS, UNUSED_AFTER_SECONDS
from vecferry.doctor.read.rows import FULL_PAGES, MOST_ROWS, TEXTS_GLANCED, TEXTS_READ
from vecferry.doctor.read.session import PROBE_SECONDS
from vecferry.doctor.registry import CHECKS

_HEAD = f"""# doctor

Written by `make docs` from `python/vecferry/doctor/registry.py`; do not edit.

```
vecferry doctor -t postgresql://app@db2/athena
```

looks at any PostgreSQL from 14 on with pgvector from 0.5 on, whoever filled it. It needs no source. The session is
read-only, each query ends after {PROBE_SECONDS} s, and what the user may not see, or takes longer, is a note.
Every user schema is looked at unless `--schema` names one; `--tables` and `--exclude` choose tables.

A finding has a severity, the object, the evidence, the reason it matters and the SQL that mends it: statements for one
session in autocommit mode, in their order. Read what is said under `first` before you run them. Exit 0: no error and no
warning; 1: there is one; 4: the server is unreachable.

| check | severity | finds | why it matters | its statements |
|---|---|---|---|---|
"""

_TAIL = f"""
## What is read

Tables up to {FULL_PAGES * 8 // 1024} MB, TOAST included, are read in full for dimensions, NULLs and zero vectors; of a
larger one a sample (TABLESAMPLE) of about that size and {MOST_ROWS:,} rows at most, and the finding says so. Of a
text column {TEXTS_GLANCED:,} values are glanced at and {TEXTS_READ} read in full. Tables below
{MISSED_FROM_ROWS:,} rows need no vector index. Whether an index is used is judged when the server's statistics cover
{UNUSED_AFTER_SECONDS // 86400} days.

Which operator a search uses is known of views and functions, and of statements that ran where `pg_stat_statements` is
installed in the database. The list of vector indexes at the end says which operator each serves.
"""


def document() -> str:
    """Returns the page."""
    rows = "".join(
        f"| `{check.name}` | {check.severity} | {_cell(check.finds)} | {_cell(check.why)} | {_cell(check.mends)} |\n"
        for check in CHECKS
    )
    return _HEAD + rows + _TAIL


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(document())
