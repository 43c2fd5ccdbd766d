"""docs/type-mapping.md, written from the type table: `python -m vecferry.mapping.document`."""

from __future__ import annotations

import sys

from vecferry.config import POLICIES
from vecferry.mapping.checks import SENTENCES
from vecferry.mapping.typemap import TYPES, TypeRow

_HEAD = """# Types

Written by `make docs` from `python/vecferry/mapping/typemap.py`; do not edit.

`p`, `s`, `n`, `f` and `d` are precision, scale, length, fraction digits and dimensions. "Read as" is the expression of
the SELECT list (`c` is the column) and the Arrow type of what it yields. A table that exists keeps its own types, which
may be those of the fifth column; anything else is refused before the first row.

| MySQL, MariaDB | read as | Arrow | created as | an existing column may be | remarks |
|---|---|---|---|---|---|
"""

_VALUES = """
## Values without a counterpart

`vecferry plan` counts them in the source, with the keys of three rows each, and `migrate` refuses to begin, unless you
say what becomes of them: `--on zero-date=null`, for one column `--on posts.made:zero-date=null`, or `on = [...]` in the
configuration file. What is changed is counted in the report.

| kind | what it is | instead of `refuse` |
|---|---|---|
"""

_POLICIES = {
    ("zero-date", "replace"): "1970-01-01 00:00:00",
    ("nul-byte", "replace"): "U+FFFD for each NUL",
    ("json-escape", "replace"): r"`\ufffd` for each `\u0000`",
    ("json-text", "replace"): "the text as a JSON string (MySQL 5.7.8, MariaDB 10.2.3)",
    ("too-precise", "truncate"): "the digits that fit",
    ("too-long", "truncate"): "the characters that fit",
    ("orphan", "keep"): "the row stays, the foreign key stays NOT VALID",
}


def document() -> str:
    """Returns the page."""
    rows = "".join(_row(row) for row in TYPES)
    kinds = "".join(_kind(kind, policies) for kind, policies in POLICIES.items())
    return _HEAD + rows + _VALUES + kinds


def _row(row: TypeRow) -> str:
    created = {"enum": "an enum type"}.get(row.create, f"`{_filled(row.create)}`")
    accepted = ", ".join(f"`{name}`" for name, _ in row.accepts)
    read = f"`{_filled(row.select.replace('{}', 'c').replace('{0}', 'c'))}`"
    remarks = "; ".join(part for part in (row.remark, f"without a counterpart: {row.loss}" if row.loss else "") if part)
    return f"| `{row.mysql}` | {read} | `{_filled(row.read)}` | {created} | {accepted} | {remarks} |\n"


def _filled(template: str) -> str:
    for letter in "psnfd":
        template = template.replace(f"{{{letter}}}", letter)
    return template.replace("|", "\\|")


def _kind(kind: str, policies: tuple[str, ...]) -> str:
    sentence = SENTENCES.get(kind, "a row whose parent is not there, by a foreign key").format(type="the target's type")
    choices = "; ".join(f"`{policy}`: {_POLICIES.get((kind, policy), 'NULL')}" for policy in policies)
    return f"| `{kind}` | {sentence} | {choices} |\n"


if __name__ == "__main__":
    sys.stdout.write(document())
