"""Searches: the operators that queries use, and how many rows an index gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vecferry.doctor.checks.statements import create_hnsw
from vecferry.doctor.facts import OPERATORS, operator_of, shown
from vecferry.doctor.model import Found
from vecferry.mapping.identifiers import quote
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecferry.doctor.facts import Column, Facts, Query, Table

DEFAULT_EF_SEARCH = 40
"""pgvector's own (https://github.com/pgvector/pgvector#query-options)."""
MOST_EF_SEARCH = 1000
CUT = 0.95
"""A search that gives this share of hnsw.ef_search a call is likely to be cut by it."""
_SHORT = 100
_DISTANCES = {sign: distance for distance, sign in OPERATORS.items()}
_SIGN = r"(?:operator\s*\(\s*(?:\"(?:[^\"]|\"\")+\"|\w+)\s*\.\s*)?(<->|<=>|<#>|<\+>)"
_LIMIT = re.compile(r"\blimit\s+(\d+)", re.IGNORECASE)
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def wrong_operator(facts: Facts) -> Iterator[Found]:
    """Finds searches by a distance that no index of their column serves."""
    for table, column in facts.vector_columns:
        served = {operator_of(index) for index in facts.indexes_on(column) if index.valid}
        if not served or column.dimensions is None:
            continue
        used: dict[str, Query] = {}
        for query in facts.queries:
            for sign in operators_on(query.text, table.name, column.name):
                used.setdefault(sign, query)
        for sign, query in sorted(used.items()):
            if sign not in served:
                calls = f", {count_words(query.calls, 'call')}" if query.calls else ""
                yield Found(
                    shown(table.schema, table.name, column.name),
                    f"{query.source}{calls} orders by {sign}, the indexes serve {' and '.join(sorted(served))}:"
                    f" {_shortened(query.text)}",
                    (create_hnsw(table, column, facts.server.schema, _DISTANCES[sign]),),
                    first="or let the query use the operator that is indexed",
                )


def low_ef_search(facts: Facts) -> Iterator[Found]:
    """Finds an hnsw.ef_search that gives searches fewer rows than they ask for."""
    server = facts.server
    ef_search = int(server.settings.get("hnsw.ef_search") or DEFAULT_EF_SEARCH)
    if server.settings.get("hnsw.iterative_scan", "off") != "off" or ef_search >= MOST_EF_SEARCH:
        return
    columns = [
        (table, column, served)
        for table, column in facts.vector_columns
        if (served := frozenset(operator_of(i) for i in facts.indexes_on(column) if i.method == "hnsw"))
    ]
    seen = [(query, rows) for query in facts.queries if (rows := _asked(query, columns, ef_search))]
    if seen:
        query, rows = max(seen, key=lambda entry: entry[1])
        evidence = (
            f"hnsw.ef_search is {ef_search}; {query.source}: {_rows_words(query, rows)}: {_shortened(query.text)}"
        )
    elif columns and ef_search < DEFAULT_EF_SEARCH:
        rows, evidence = 0, f"hnsw.ef_search is {ef_search}, pgvector's own default is {DEFAULT_EF_SEARCH}"
    else:
        return
    better = min(MOST_EF_SEARCH, max(100, 2 * ef_search, rows))
    source = server.sources.get("hnsw.ef_search", "default")
    whose = {
        "user": f"ROLE {quote(server.user)}",
        "database user": f"ROLE {quote(server.user)} IN DATABASE {quote(server.database)}",
    }.get(source, f"DATABASE {quote(server.database)}")
    yield Found(
        "database",
        evidence,
        (f"ALTER {whose} SET hnsw.ef_search = {better}",),
        first="it holds for new sessions; a session may set it for itself, too",
    )


def operators_on(text: str, table: str, column: str) -> frozenset[str]:
    """Returns pgvector's operators that a text orders `table` by on `column`; pure, by looking at the words.

    Args:
        text: SQL; a view's or a function's, or a statement that ran, its constants replaced by `$1`.
        table: the table's name without its schema.
        column: the column's name.
    """
    if not _ORDERED.search(text) or not re.search(_word(table), text):
        return frozenset()
    word = _word(column)
    after = rf"{word}\s*\)*(?:\s*::\s*[\w.\"]+(?:\s*\(\d+\))?\s*\)*)*\s*{_SIGN}"
    before = rf"{_SIGN}\s*\)?\s*\(*(?:[\w\"]+\s*\.\s*)*{word}"
    return frozenset(sign for pattern in (after, before) for sign in re.findall(pattern, text, re.IGNORECASE))


def _word(name: str) -> str:
    """Returns the pattern of a name, quoted or, where it may be so, bare in any case."""
    quoted = re.escape(quote(name))
    bare = rf"|(?<![\w\"$])(?i:{re.escape(name)})(?![\w\"$])" if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else ""
    return f"(?:{quoted}{bare})"


def _asked(query: Query, columns: list[tuple[Table, Column, frozenset[str]]], ef_search: int) -> int:
    """Returns how many rows a query asks for, as far as is known, where `ef_search` may cut it; otherwise 0."""
    if not any(operators_on(query.text, table.name, column.name) & served for table, column, served in columns):
        return 0
    if query.calls:
        rows = query.rows / query.calls
        return round(rows) if CUT * ef_search <= rows <= ef_search and "limit" in query.text.lower() else 0
    limits = [int(number) for number in _LIMIT.findall(query.text)]
    return max((limit for limit in limits if limit > ef_search), default=0)


def _rows_words(query: Query, rows: int) -> str:
    if query.calls:
        return f"about {count_words(rows, 'row')} a call in {count_words(query.calls, 'call')}"
    return f"LIMIT {rows}"


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHORT else words[: _SHORT - 1] + "…"
