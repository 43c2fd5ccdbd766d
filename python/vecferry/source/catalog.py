"""What the source database holds, from `information_schema`: one query per kind of thing, none per table.

Columns are read by position and every one is aliased, because MySQL 8 prints their names in upper case.
"""

from __future__ import annotations

from collections import defaultdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pymysql

from vecferry.errors import SourceError, UsageError, one_line
from vecferry.mapping.select import quote
from vecferry.model import Catalog, Column, ForeignKey, Index, IndexColumn, Table
from vecferry.source.defaults import plain_default, quoted_default
from vecferry.source.flavor import Flavor, flavor
from vecferry.source.leftovers import read_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pymysql.connections import Connection

    Rows = dict[str, list[tuple[Any, ...]]]

# MariaDB calls a table with system versioning by another name than BASE TABLE.
_TABLES = """
SELECT table_name AS name, COALESCE(table_rows, 0) AS estimate, COALESCE(data_length, 0) AS bytes,
       table_comment AS comment
FROM information_schema.tables
WHERE table_schema = %s AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
ORDER BY table_name
"""
_COLUMNS = """
SELECT table_name AS name, column_name AS column_name_, data_type AS data_type_, column_type AS column_type_,
       is_nullable AS nullable, column_default AS default_, extra AS extra_,
       character_set_name AS character_set_, numeric_precision AS precision_, numeric_scale AS scale_,
       character_maximum_length AS length_, datetime_precision AS fraction_, column_comment AS comment
FROM information_schema.columns
WHERE table_schema = %s
ORDER BY table_name, ordinal_position
"""
_INDEXES = """
SELECT table_name AS name, index_name AS index_name_, non_unique AS non_unique_, column_name AS column_name_,
       sub_part AS prefix, collation AS collation_, index_type AS kind
FROM information_schema.statistics
WHERE table_schema = %s
ORDER BY table_name, index_name, seq_in_index
"""
_KEY_COLUMNS = """
SELECT table_name AS name, constraint_name AS constraint_name_, column_name AS column_name_,
       referenced_table_name AS referenced_table, referenced_column_name AS referenced_column
FROM information_schema.key_column_usage
WHERE table_schema = %s AND referenced_table_name IS NOT NULL
ORDER BY table_name, constraint_name, ordinal_position
"""
_ACTIONS = """
SELECT table_name AS name, constraint_name AS constraint_name_, update_rule AS update_rule_,
       delete_rule AS delete_rule_
FROM information_schema.referential_constraints
WHERE constraint_schema = %s
"""
_CHECKS = """
SELECT table_name AS name, check_clause AS clause
FROM information_schema.check_constraints
WHERE constraint_schema = %s
"""


def read_catalog(connection: Connection[Any], include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Catalog:
    """Reads what the connection's database holds; views are no tables.

    Args:
        connection: an open connection to the database.
        include: shell patterns of table names; none means every table.
        exclude: shell patterns of table names to leave out.

    Raises:
        UsageError: a pattern of `include` matches no table.
        SourceError: the server refused a query.
    """
    try:
        return _read(connection, include, exclude)
    except pymysql.err.Error as error:
        raise SourceError(f"cannot read the source's catalog: {one_line(error)}") from error


def _read(connection: Connection[Any], include: tuple[str, ...], exclude: tuple[str, ...]) -> Catalog:
    kind = flavor(connection)
    with connection.cursor() as cursor:
        if kind.stale_statistics:
            cursor.execute("SET SESSION information_schema_stats_expiry = 0")
        cursor.execute("SELECT DATABASE()")
        found = cursor.fetchone()
        database = str(found[0]) if found else ""

        def ask(query: str) -> Rows:
            cursor.execute(query, (database,))
            by_table: Rows = defaultdict(list)
            for row in cursor.fetchall():
                by_table[str(row[0])].append(row[1:])
            return by_table

        tables = ask(_TABLES)
        wanted = _matching(tables, include, exclude)
        columns, indexes, keys, actions = ask(_COLUMNS), ask(_INDEXES), ask(_KEY_COLUMNS), ask(_ACTIONS)
        checks = ask(_CHECKS) if kind.json_checks else {}
    return Catalog(
        server=kind.text,
        database=database,
        leftovers=read_leftovers(connection, frozenset(wanted)),
        tables=tuple(
            Table(
                name=name,
                columns=_columns(columns[name], checks.get(name, []), kind),
                primary_key=tuple(row[2] for row in indexes[name] if row[0] == "PRIMARY"),
                indexes=_indexes(row for row in indexes[name] if row[0] != "PRIMARY"),
                foreign_keys=_foreign_keys(keys[name], actions[name]),
                rows_estimate=int(tables[name][0][0]),
                bytes_estimate=int(tables[name][0][1]),
                comment=tables[name][0][2] or "",
            )
            for name in wanted
        ),
    )


def _matching(names: Iterable[str], include: tuple[str, ...], exclude: tuple[str, ...]) -> list[str]:
    names = list(names)
    for pattern in include:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(f"--tables {pattern!r} matches no table of the source")
    return [
        name
        for name in names
        if (not include or any(fnmatchcase(name, pattern) for pattern in include))
        and not any(fnmatchcase(name, pattern) for pattern in exclude)
    ]


def _columns(rows: list[tuple[Any, ...]], checks: list[tuple[Any, ...]], kind: Flavor) -> tuple[Column, ...]:
    clauses = {_text(clause).strip().lower() for (clause,) in checks}
    return tuple(_column(row, clauses, kind) for row in rows)


def _column(row: tuple[Any, ...], clauses: set[str], kind: Flavor) -> Column:
    name, data_type, column_type, nullable, default, extra, charset, precision, scale, length, fraction, comment = row
    data_type, column_type, extra = _text(data_type).lower(), _text(column_type), _extra(_text(extra))
    text = None if default is None else _text(default)
    if kind.quoted_defaults:
        value, is_expression = quoted_default(text)
    else:
        value, is_expression = plain_default(text, data_type, extra)
    if data_type == "longtext" and f"json_valid({quote(name)})".lower() in clauses:
        data_type = "json"
    return Column(
        name=name,
        data_type=data_type,
        column_type=column_type,
        nullable=nullable == "YES",
        default=value,
        default_is_expression=is_expression,
        extra=extra,
        character_set=charset,
        precision=_number(precision),
        scale=_number(scale),
        length=_number(length),
        fraction_digits=_number(fraction),
        comment=comment or "",
    )


def _extra(text: str) -> str:
    # MariaDB before 10.2 has its own words for generated columns.
    return {"VIRTUAL": "VIRTUAL GENERATED", "PERSISTENT": "STORED GENERATED"}.get(text, text)


def _indexes(rows: Iterable[tuple[Any, ...]]) -> tuple[Index, ...]:
    grouped: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return tuple(
        Index(
            name=name,
            columns=tuple(
                IndexColumn(column or "", _number(prefix), descending=collation == "D")
                for _, _, column, prefix, collation, _ in parts
            ),
            unique=not int(parts[0][1]),
            kind=parts[0][5],
        )
        for name, parts in grouped.items()
    )


def _foreign_keys(rows: list[tuple[Any, ...]], actions: list[tuple[Any, ...]]) -> tuple[ForeignKey, ...]:
    rules = {name: (on_update, on_delete) for name, on_update, on_delete in actions}
    grouped: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return tuple(
        ForeignKey(
            name=name,
            columns=tuple(row[1] for row in parts),
            referenced_table=parts[0][2],
            referenced_columns=tuple(row[3] for row in parts),
            on_update=rules[name][0],
            on_delete=rules[name][1],
        )
        for name, parts in grouped.items()
        if name in rules
    )


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _number(value: int | str | None) -> int | None:
    return None if value is None else int(value)
