"""CREATE TABLE, ALTER TABLE and CREATE INDEX: what a table is after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vecferry.dump.charsets import charset_name, charset_of, default_collation
from vecferry.dump.columns import Definition, described, first_timestamp, read_column, skip_option
from vecferry.dump.keys import Constraint, Key, Period, read_constraint, read_index, with_period
from vecferry.dump.names import server_order
from vecferry.mapping.defaults import json_marker
from vecferry.mapping.leftovers import unenforced, versions
from vecferry.mapping.select import quote
from vecferry.model import Check, Column, ForeignKey, Index, IndexColumn, Loss, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vecferry.dump.tokens import Cursor
    from vecferry.mapping.flavor import Flavor

_MEMORY = frozenset({"MEMORY", "HEAP"})
_ROW_END = "ROW END"
_OPTIONS_WITHOUT_A_SIGN = (
    "ROW_FORMAT", "KEY_BLOCK_SIZE", "TABLESPACE", "STORAGE", "AVG_ROW_LENGTH", "MAX_ROWS", "MIN_ROWS", "CHECKSUM",
    "PACK_KEYS", "DELAY_KEY_WRITE", "INSERT_METHOD", "STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """A table as the statements so far have made it."""

    name: str
    charset: str
    collation: str
    columns: tuple[Column, ...] = ()
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[tuple[Check, bool], ...] = ()
    """Each with whether it is enforced."""
    periods: tuple[Period, ...] = ()
    comment: str = ""
    engine: str = ""
    next_number: int = 1
    versioned: bool = False


def create_table(cursor: Cursor, empty: Written, server: Flavor, others: Mapping[str, Written | None]) -> Written:
    """Reads a CREATE TABLE.

    Args:
        cursor: at the statement's beginning.
        empty: a table without anything, of the database's character set.
        server: the server that the dump was made of.
        others: the tables so far, for LIKE.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    cursor.need("CREATE")
    cursor.take("OR", "REPLACE")
    cursor.take("TEMPORARY")
    cursor.need("TABLE")
    cursor.take("IF", "NOT", "EXISTS")
    table = replace(empty, name=cursor.qualified())
    if cursor.take("LIKE") or cursor.take("(", "LIKE"):
        return _like(cursor, table, others)
    cursor.need("(")
    parts: list[Definition | Constraint] = []
    while True:
        constraint = read_constraint(cursor, _default_action(server))
        parts.append(read_column(cursor, server) if constraint is None else constraint)
        if not cursor.take(","):
            break
    cursor.need(")")
    table = _options(cursor, table, server)
    while cursor.take(","):
        table = _options(cursor, table, server)
    if cursor.here.kind != "end":
        raise cursor.stuck()
    for part in parts:
        table = _with_column(table, part, server) if isinstance(part, Definition) else _with(table, part)
    definitions = [part for part in parts if isinstance(part, Definition)]
    return replace(table, columns=first_timestamp(table.columns, definitions, server))


def alter_table(cursor: Cursor, tables: Mapping[str, Written | None], server: Flavor) -> Written:
    """Reads an ALTER TABLE; returns the table as it is then.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    cursor.need("ALTER")
    cursor.take_any("ONLINE", "OFFLINE")
    cursor.take("IGNORE")
    cursor.need("TABLE")
    cursor.take("IF", "EXISTS")
    table = tables.get(cursor.qualified())
    if table is None:
        raise cursor.stuck()
    while cursor.here.kind != "end":
        table = _action(cursor, table, server)
        if not cursor.take(","):
            break
    if cursor.here.kind != "end":
        raise cursor.stuck()
    return table


def create_index(cursor: Cursor, tables: Mapping[str, Written | None]) -> Written | None:
    """Reads a CREATE INDEX; returns its table with it, None where there is no such table.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    cursor.need("CREATE")
    cursor.take("OR", "REPLACE")
    key, name = read_index(cursor)
    table = tables.get(name)
    return _with(table, key) if table is not None else None


def _default_action(server: Flavor) -> str:
    return "NO ACTION" if not server.mariadb and server.version >= (8, 0, 0) else "RESTRICT"


def _like(cursor: Cursor, table: Written, others: Mapping[str, Written | None]) -> Written:
    place = cursor.place
    model = others.get(cursor.qualified())
    if model is None:
        cursor.place = place
        raise cursor.stuck()
    return replace(model, name=table.name, foreign_keys=(), next_number=1)


def _action(cursor: Cursor, table: Written, server: Flavor) -> Written:
    if cursor.take("ADD"):
        constraint = read_constraint(cursor, _default_action(server))
        if constraint is not None:
            return _with(table, constraint)
        if cursor.take("SYSTEM", "VERSIONING"):
            return replace(table, versioned=True)
        cursor.take("COLUMN")
        cursor.take("IF", "NOT", "EXISTS")
        definition = read_column(cursor, server)
        return _moved(cursor, _with_column(table, definition, server), definition.name)
    if word := cursor.take_any("MODIFY", "CHANGE"):
        cursor.take("COLUMN")
        cursor.take("IF", "EXISTS")
        place = cursor.place
        old = cursor.name()
        if word == "MODIFY":
            cursor.place = place
        definition = read_column(cursor, server)
        if all(column.name != old for column in table.columns) or (definition.name != old):
            cursor.place = place
            raise cursor.stuck()
        return _moved(cursor, _with_column(table, definition, server), definition.name)
    if cursor.take("DISABLE", "KEYS") or cursor.take("ENABLE", "KEYS") or cursor.take("FORCE"):
        return table
    place = cursor.place
    table = _options(cursor, table, server)
    if cursor.place == place:
        raise cursor.stuck()
    return table


def _with_column(table: Written, written: Definition, server: Flavor) -> Written:
    column = described(written, table.charset, table.collation, server)
    at = next((number for number, known in enumerate(table.columns) if known.name == column.name), len(table.columns))
    table = replace(table, columns=(*table.columns[:at], column, *table.columns[at + 1 :]))
    if written.primary:
        table = _with(table, Key(Index("PRIMARY", (IndexColumn(column.name),), unique=True, kind=""), primary=True))
    if written.unique:
        table = _with(table, Key(Index("", (IndexColumn(column.name),), unique=True, kind="")))
    if written.references is not None and server.mariadb:
        # MySQL reads such a clause and forgets it.
        action = _default_action(server)
        table = _with(table, replace(
            written.references,
            on_update=written.references.on_update or action,
            on_delete=written.references.on_delete or action,
        ))  # fmt: skip
    for check, kept in written.checks:
        # MariaDB calls a column's check by the column's name; it is not enforced otherwise.
        named = replace(check, name=column.name) if server.mariadb else check
        table = _with(table, (named, kept))
    return table


def _moved(cursor: Cursor, table: Written, name: str) -> Written:
    others = [column for column in table.columns if column.name != name]
    if cursor.take("FIRST"):
        at = 0
    elif cursor.take("AFTER"):
        place = cursor.place
        before = cursor.name()
        at = next((number + 1 for number, column in enumerate(others) if column.name == before), -1)
        if at < 0:
            cursor.place = place
            raise cursor.stuck()
    else:
        return table
    moved = next(column for column in table.columns if column.name == name)
    return replace(table, columns=(*others[:at], moved, *others[at:]))


def _with(table: Written, constraint: Constraint) -> Written:
    if isinstance(constraint, Period):
        periods = (*table.periods, constraint) if constraint.name.upper() != "SYSTEM_TIME" else table.periods
        return replace(table, periods=periods)
    if isinstance(constraint, ForeignKey):
        name = constraint.name or f"{table.name}_ibfk_{len(table.foreign_keys) + 1}"
        return replace(table, foreign_keys=(*table.foreign_keys, replace(constraint, name=name)))
    if isinstance(constraint, Key):
        name = constraint.index.name or _free_name(table, constraint)
        return replace(table, keys=(*table.keys, replace(constraint, index=replace(constraint.index, name=name))))
    check, kept = constraint
    return replace(table, checks=(*table.checks, (check, kept)))


def _free_name(table: Written, key: Key) -> str:
    # https://dev.mysql.com/doc/refman/8.4/en/create-index.html: the first column's name, with _2, _3 where it is taken.
    taken = {known.index.name.lower() for known in table.keys}
    first = key.index.columns[0].name or "functional_index"
    number, name = 2, first
    while name.lower() in taken:
        name, number = f"{first}_{number}", number + 1
    return name


def _options(cursor: Cursor, table: Written, server: Flavor) -> Written:
    while not (cursor.here.kind == "end" or cursor.at(",")):
        if cursor.take("PARTITION", "BY"):
            cursor.place = len(cursor.tokens) - 1
        elif cursor.take("AUTO_INCREMENT"):
            cursor.take("=")
            table = replace(table, next_number=cursor.number())
        elif cursor.take("COMMENT"):
            cursor.take("=")
            table = replace(table, comment=cursor.string())
        elif cursor.take("ENGINE"):
            cursor.take("=")
            table = replace(table, engine=cursor.name().upper())
        elif cursor.take("WITH", "SYSTEM", "VERSIONING"):
            table = replace(table, versioned=True)
        elif (charset := read_charset(cursor, server)) is not None:
            table = replace(table, charset=charset[0], collation=charset[1])
        elif not _ignored_option(cursor):
            break
    return table


def read_charset(cursor: Cursor, server: Flavor) -> tuple[str, str] | None:
    """Reads the character set of a table or database, if it comes next; returns it and its collation.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    place = cursor.place
    cursor.take("DEFAULT")
    if cursor.take("CHARSET") or cursor.take("CHARACTER", "SET"):
        cursor.take("=")
        charset = charset_name(cursor.name().lower(), server)
        return charset, default_collation(charset, server)
    if cursor.take("COLLATE"):
        cursor.take("=")
        collation = cursor.name().lower()
        return charset_of(collation, server), collation
    cursor.place = place
    return None


def _ignored_option(cursor: Cursor) -> bool:
    if cursor.take("START", "TRANSACTION"):
        return True
    if cursor.take_any("DATA", "INDEX"):
        cursor.need("DIRECTORY")
        cursor.take("=")
        cursor.string()
        return True
    if cursor.take_any(*_OPTIONS_WITHOUT_A_SIGN):
        cursor.take("=")
        cursor.next()
        return True
    return skip_option(cursor)


# --- in information_schema's words ---------------------------------------------------------------


def finished(table: Written, server: Flavor) -> tuple[Table, tuple[Loss, ...]]:
    """Returns the table as its server describes it, and what of it is never carried; without estimates."""
    checks = _checks(table, server)
    marked = {check.clause.strip().lower() for check, _ in checks} if server.mariadb else set()
    row_ends = {column.name for column in table.columns if server.mariadb and column.expression == _ROW_END}
    primary = tuple(
        part.name for key in table.keys if key.primary for part in key.index.columns if part.name not in row_ends
    )
    columns = tuple(_finished_column(column, marked, primary) for column in table.columns)
    markers = {json_marker(column.name) for column in columns if server.mariadb and column.data_type == "json"}
    losses = [unenforced(table.name, check.name, check.clause) for check, kept in checks if not kept]
    if table.versioned:
        losses.append(versions(table.name))
    return Table(
        name=table.name,
        columns=columns,
        primary_key=primary,
        indexes=_indexes(table, row_ends, server),
        foreign_keys=tuple(sorted(table.foreign_keys, key=lambda key: server_order(key.name))),
        next_number=table.next_number,
        checks=tuple(check for check, kept in checks if kept and check.clause.strip().lower() not in markers),
        comment=table.comment,
    ), tuple(losses)


def _finished_column(column: Column, marked: set[str], primary: tuple[str, ...]) -> Column:
    if column.data_type == "longtext" and json_marker(column.name) in marked:
        column = replace(column, data_type="json")
    return replace(column, nullable=False) if column.name in primary else column


def _checks(table: Written, server: Flavor) -> list[tuple[Check, bool]]:
    found = [*table.checks, *((Check(period.name, f"{quote(period.start)} < {quote(period.end)}"), True)
                              for period in table.periods)]  # fmt: skip
    unnamed = 0
    for number, (check, kept) in enumerate(found):
        if not check.name:
            unnamed += 1
            name = f"CONSTRAINT_{unnamed}" if server.mariadb else f"{table.name}_chk_{unnamed}"
            found[number] = replace(check, name=name), kept
    return sorted(found, key=lambda pair: server_order(pair[0].name))


def _indexes(table: Written, row_ends: set[str], server: Flavor) -> tuple[Index, ...]:
    periods = {period.name: period for period in table.periods}
    keys = sorted(
        (with_period(key, periods) for key in table.keys if not key.primary),
        key=lambda key: (key.hidden, server_order(key.index.name)),
    )
    return tuple(_index(key.index, table.engine, row_ends, server) for key in keys)


def _index(index: Index, engine: str, row_ends: set[str], server: Flavor) -> Index:
    kind = index.kind
    if kind in {"", "HASH", "BTREE", "RTREE"}:
        if engine in _MEMORY:
            kind = kind or "HASH"
        else:
            # MariaDB keeps a unique key by its hash where it is asked to, or must; nobody else does, whatever is asked.
            kind = "HASH" if kind == "HASH" and index.unique and server.mariadb else "BTREE"
    columns = tuple(part for part in index.columns if not (index.unique and part.name in row_ends))
    return replace(index, kind=kind, columns=columns)
