"""What the source database holds, from `information_schema`: one query per kind of thing, none per table.

Columns are read by position and every one is aliased, because MySQL 8 prints their names in upper case.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymysql

from vecferry.mapping.defaults import json_marker, plain_default, printed_expression, quoted_default
from vecferry.mapping.leftovers import not_carried, typeorm_record, unenforced, versions
from vecferry.mapping.selection import matches, matching
from vecferry.model import Catalog, Check, Column, ForeignKey, Index, IndexColumn, Loss, Table
from vecferry.source.connect import refused
from vecferry.source.flavor import flavor, plain_text
from vecferry.source.grants import unseen
from vecferry.source.leftovers import read_leftovers
from vecferry.source.views import read_views

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.mapping.flavor import Flavor

    Row = tuple[Any, ...]
    Rows = dict[str, list[Row]]

_VERSIONED, _SEQUENCE = "SYSTEM VERSIONED", "SEQUENCE"
_ROW_END = "ROW END"

_TABLES = """
SELECT table_name AS name, table_type AS kind, COALESCE(table_rows, 0) AS estimate, COALESCE(data_length, 0) AS bytes,
       table_comment AS comment, COALESCE(auto_increment, 1) AS next_
FROM information_schema.tables
WHERE table_schema = %s AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
ORDER BY table_name
"""
_COLUMNS = """
SELECT table_name AS name, column_name AS column_name_, data_type AS data_type_, column_type AS column_type_,
       is_nullable AS nullable, column_default AS default_, extra AS extra_,
       character_set_name AS character_set_, collation_name AS collation_, numeric_precision AS precision_,
       numeric_scale AS scale_, character_maximum_length AS length_, datetime_precision AS fraction_,
       column_comment AS comment, {expression} AS expression_, {srid} AS srid_
FROM information_schema.columns
WHERE table_schema = %s
ORDER BY table_name, ordinal_position
"""
# An index that the server may not use cannot be forced; whoever looks for one to read by finds a usable one first.
_INDEXES = """
SELECT table_name AS name, index_name AS index_name_, non_unique AS non_unique_, column_name AS column_name_,
       sub_part AS prefix, collation AS collation_, index_type AS kind, {expression} AS expression_
FROM information_schema.statistics
WHERE table_schema = %s
ORDER BY {order}, index_name, seq_in_index
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
_MYSQL_CHECKS = """
SELECT t.table_name AS name, c.constraint_name AS constraint_name_, c.check_clause AS clause, t.enforced AS enforced_
FROM information_schema.table_constraints t
JOIN information_schema.check_constraints c
  ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name
WHERE t.constraint_schema = %s AND t.constraint_type = 'CHECK'
ORDER BY t.table_name, c.constraint_name
"""
# Names of MariaDB's are unique within a table alone: a column's CHECK has the column's name.
_MARIADB_CHECKS = """
SELECT table_name AS name, constraint_name AS constraint_name_, check_clause AS clause, 'YES' AS enforced_
FROM information_schema.check_constraints
WHERE constraint_schema = %s
ORDER BY table_name, constraint_name
"""
# 0 is none, and 32767 every number that the column is too small for.
_MARIADB_SRIDS = """
SELECT g_table_name AS name, g_geometry_column AS column_name_, srid AS srid_
FROM information_schema.geometry_columns
WHERE g_table_schema = %s AND srid NOT IN (0, 32767)
"""


@dataclass(frozen=True, slots=True)
class _Found:
    """The answers, by table."""

    database: str
    tables: Rows
    columns: Rows
    indexes: Rows
    keys: Rows
    actions: Rows
    checks: Rows
    srids: Rows


def read_catalog(connection: Connection[Any], include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Catalog:
    """Reads what the connection's database holds.

    TypeORM's own tables are leftovers unless `include` names them exactly.

    Args:
        connection: an open connection to the database.
        include: shell patterns of table names; none means every table.
        exclude: shell patterns of names of tables and views to leave out.

    Raises:
        UsageError: a pattern of `include` matches no table.
        SourceError: the server refused a query.
    """
    try:
        return _read(connection, include, exclude)
    except pymysql.err.Error as error:
        raise refused(error, connection, "read the catalog") from error


def _read(connection: Connection[Any], include: tuple[str, ...], exclude: tuple[str, ...]) -> Catalog:
    kind = flavor(connection)
    found = _ask(connection, kind)
    sequences = [name for name, [row] in found.tables.items() if plain_text(row[0]) == _SEQUENCE]
    wanted = matching([name for name in found.tables if name not in sequences], include, exclude)
    records = {
        name: record
        for name in wanted
        if name not in include and (record := typeorm_record(name, [plain_text(row[0]) for row in found.columns[name]]))
    }
    wanted = [name for name in wanted if name not in records]
    views, hidden_views = read_views(connection)
    return Catalog(
        server=kind.text,
        database=found.database,
        tables=tuple(_table(name, found, kind) for name in wanted),
        views=tuple(view for view in views if not matches(view.name, exclude)),
        leftovers=(
            *(not_carried(name, "sequence") for name in sequences),
            *(loss for loss in hidden_views if not matches(loss.table, exclude)),
            *read_leftovers(connection, frozenset(wanted)),
            *records.values(),
            *(loss for name in wanted for loss in _table_leftovers(name, found, kind)),
        ),
        notes=unseen(connection, found.database),
    )


def _ask(connection: Connection[Any], kind: Flavor) -> _Found:
    with connection.cursor() as cursor:
        if kind.stale_statistics:
            cursor.execute("SET SESSION information_schema_stats_expiry = 0")
        cursor.execute("SELECT DATABASE()")
        row = cursor.fetchone()
        database = plain_text(row[0]) if row else ""

        def ask(query: str, *, here: bool = True) -> Rows:
            by_table: Rows = defaultdict(list)
            if here:
                cursor.execute(query, (database,))
                for name, *values in cursor.fetchall():
                    by_table[plain_text(name)].append(tuple(values))
            return by_table

        return _Found(
            database=database,
            tables=ask(_TABLES),
            columns=ask(_columns_query(kind)),
            indexes=ask(_indexes_query(kind)),
            keys=ask(_KEY_COLUMNS),
            actions=ask(_ACTIONS),
            checks=ask(_MARIADB_CHECKS if kind.mariadb else _MYSQL_CHECKS, here=kind.checks),
            srids=ask(_MARIADB_SRIDS, here=kind.geometry_columns),
        )


def _columns_query(kind: Flavor) -> str:
    return _COLUMNS.format(
        expression="generation_expression" if kind.generation_expressions else "NULL",
        srid="srs_id" if kind.srs_ids else "NULL",
    )


def _indexes_query(kind: Flavor) -> str:
    return _INDEXES.format(
        expression="expression" if kind.index_expressions else "NULL",
        order=f"table_name, {kind.visible_indexes} DESC" if kind.visible_indexes else "table_name",
    )


def _table(name: str, found: _Found, kind: Flavor) -> Table:
    [(_, estimate, size, comment, next_number)] = found.tables[name]
    clauses = {_clause(clause) for _, clause, _ in found.checks[name]} if kind.mariadb else set()
    columns = _columns(found.columns[name], clauses, found.srids[name], kind)
    primary_key, indexes = _indexes(found.indexes[name], columns, kind)
    return Table(
        name=name,
        columns=columns,
        primary_key=primary_key,
        indexes=indexes,
        foreign_keys=_foreign_keys(found.keys[name], found.actions[name]),
        checks=_checks(found.checks[name], columns, kind),
        rows_estimate=int(estimate),
        bytes_estimate=int(size),
        comment=plain_text(comment),
        next_number=int(next_number),
    )


def _columns(rows: list[Row], clauses: set[str], srids: list[Row], kind: Flavor) -> tuple[Column, ...]:
    declared = {plain_text(column): srid for column, srid in srids}
    return tuple(_column(row, clauses, declared, kind) for row in rows)


def _column(row: Row, clauses: set[str], srids: dict[str, Any], kind: Flavor) -> Column:
    (
        name, data_type, column_type, nullable, default, extra, charset, collation, precision, scale, length, fraction,
        comment, expression, srid,
    ) = row  # fmt: skip
    name, data_type, extra = plain_text(name), plain_text(data_type).lower(), _extra(plain_text(extra))
    text = None if default is None else plain_text(default)
    if kind.quoted_defaults:
        value, is_expression = quoted_default(text)
    else:
        value, is_expression = plain_default(text, data_type, extra)
    if data_type == "longtext" and json_marker(name) in clauses:
        data_type = "json"
    return Column(
        name=name,
        data_type=data_type,
        column_type=plain_text(column_type),
        nullable=plain_text(nullable) == "YES",
        default=value,
        default_is_expression=is_expression,
        extra=extra,
        character_set=plain_text(charset) or None,
        collation=plain_text(collation) or None,
        precision=_number(precision),
        scale=_number(scale),
        length=_number(length),
        fraction_digits=_number(fraction),
        comment=plain_text(comment),
        expression=_expression(expression, kind),
        srid=_number(srids.get(name, srid)),
    )


def _extra(text: str) -> str:
    # MariaDB before 10.2 has its own words for generated columns.
    return {"VIRTUAL": "VIRTUAL GENERATED", "PERSISTENT": "STORED GENERATED"}.get(text, text)


def _expression(value: str | bytes | None, kind: Flavor) -> str:
    return plain_text(value) if kind.mariadb else printed_expression(plain_text(value))


def _clause(value: str | bytes) -> str:
    return plain_text(value).strip().lower()


def _checks(rows: list[Row], columns: tuple[Column, ...], kind: Flavor) -> tuple[Check, ...]:
    markers = {json_marker(column.name) for column in columns if kind.mariadb and column.data_type == "json"}
    return tuple(
        Check(plain_text(name), _expression(clause, kind))
        for name, clause, enforced in rows
        if plain_text(enforced) == "YES" and _clause(clause) not in markers
    )


def _indexes(rows: list[Row], columns: tuple[Column, ...], kind: Flavor) -> tuple[tuple[str, ...], tuple[Index, ...]]:
    """Returns the primary key's columns and the other indexes."""
    # MariaDB adds the end of a row's life to every unique key of a table with system versioning.
    row_ends = {column.name for column in columns if kind.mariadb and column.expression == _ROW_END}
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if plain_text(row[2]) not in row_ends or int(row[1]):
            grouped[plain_text(row[0])].append(row)
    indexes = tuple(
        Index(
            name=name,
            columns=tuple(_index_column(row, kind) for row in parts),
            unique=not int(parts[0][1]),
            kind=plain_text(parts[0][5]),
        )
        for name, parts in grouped.items()
    )
    primary = [index for index in indexes if index.name == "PRIMARY"]
    key = tuple(part.name for index in primary for part in index.columns)
    return key, tuple(index for index in indexes if index.name != "PRIMARY")


def _index_column(row: Row, kind: Flavor) -> IndexColumn:
    _, _, column, prefix, collation, index_type, expression = row
    return IndexColumn(
        name=plain_text(column),
        # The 32 bytes that a SPATIAL index is said to be on are its bounding boxes.
        prefix=None if plain_text(index_type) == "SPATIAL" else _number(prefix),
        descending=plain_text(collation) == "D",
        expression=_expression(expression, kind),
    )


def _foreign_keys(rows: list[Row], actions: list[Row]) -> tuple[ForeignKey, ...]:
    rules = {plain_text(name): (plain_text(update), plain_text(delete)) for name, update, delete in actions}
    grouped: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name, *names in rows:
        grouped[plain_text(name)].append(tuple(plain_text(value) for value in names))
    return tuple(
        ForeignKey(
            name=name,
            columns=tuple(column for column, _, _ in parts),
            referenced_table=parts[0][1],
            referenced_columns=tuple(referenced for _, _, referenced in parts),
            on_update=rules[name][0],
            on_delete=rules[name][1],
        )
        for name, parts in grouped.items()
        if name in rules
    )


def _table_leftovers(table: str, found: _Found, kind: Flavor) -> list[Loss]:
    losses = [
        unenforced(table, plain_text(name), _expression(clause, kind))
        for name, clause, enforced in found.checks[table]
        if plain_text(enforced) != "YES"
    ]
    if plain_text(found.tables[table][0][0]) == _VERSIONED:
        losses.append(versions(table))
    return losses


def _number(value: int | str | None) -> int | None:
    return None if value is None else int(value)
