"""The catalog of a dump: what `source/catalog.py` would have read from the server that the dump was made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vecferry.dump.charsets import default_charset, default_collation
from vecferry.dump.leftovers import KINDS, Leftovers
from vecferry.dump.names import server_order
from vecferry.dump.servers import server_of
from vecferry.dump.tables import Written, alter_table, create_index, create_table, finished, read_charset
from vecferry.dump.tokens import Cursor, NotUnderstoodError
from vecferry.dump.views import read_view
from vecferry.errors import SourceError, UsageError
from vecferry.mapping.leftovers import not_carried, typeorm_record
from vecferry.mapping.selection import matches, matching
from vecferry.model import Catalog, Loss, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vecferry.dump.statement import StatementLike
    from vecferry.mapping.flavor import Flavor
    from vecferry.model import Table

_SYSTEM = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
_HEAD = 12
"""Words within which a CREATE says what it makes: `CREATE OR REPLACE DEFINER = a @ b PACKAGE`."""
_EXCLUDABLE = frozenset({"create table", "create view", "alter table"})
_UNREAD = frozenset({"use", "set", "lock"})
_MAKING = _EXCLUDABLE | KINDS
_RENAMED = "this view is not carried: its columns are named apart from its SELECT, which is not read"
_NO_SRID = (
    "a dump of MariaDB does not say which spatial reference system a column is declared with: shapes without one of"
    " their own stay without, in {}"
)
_SPATIAL = frozenset(
    {"point", "geometry", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
     "geometrycollection"}
)  # fmt: skip


@dataclass(slots=True)
class _Found:
    """What the statements so far have made; a table or view that is not asked for stays unread, None."""

    tables: dict[str, Written | None] = field(default_factory=dict)
    views: dict[str, StatementLike | None] = field(default_factory=dict)
    leftovers: Leftovers = field(default_factory=Leftovers)
    charset: tuple[str, str] | None = None
    """The database's own, with its collation."""


def read_ddl(
    statements: Iterable[StatementLike],
    database: str | None = None,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
) -> Catalog:
    """Reads what the database of a dump holds, without estimates of rows and bytes.

    TypeORM's own tables are leftovers unless `include` names them exactly. The statements of a table that is not asked
    for are not read. A table that the dump makes anew after a DROP is as the last CREATE TABLE says.

    Args:
        statements: the dump's statements in their order; rows among them are passed over.
        database: which database of the dump; None where it holds one. The name of a dump that names none.
        include: shell patterns of table names; none means every table.
        exclude: shell patterns of names of tables and views to leave out.

    Raises:
        UsageError: the dump holds several databases and none is named, or not the named one; a pattern of `include`
            matches no table.
        SourceError: a statement is not understood.
    """
    known = [statement for statement in statements if statement.text is not None]
    server = server_of(known)
    chosen = _chosen(known, database)
    found = _Found()
    for statement in known:
        if statement.database == chosen or (statement.database is None and chosen is None):
            _read(statement, found, server, include, exclude)
    return _catalog(found, server, chosen or database or "", include, exclude)


def databases(statements: Iterable[StatementLike]) -> tuple[str | None, ...]:
    """Returns the databases that the statements make something in, in their order; None for one that is not named.

    Those of the server itself are not among them.
    """
    makers = (statement.database for statement in statements if statement.kind in _MAKING)
    return tuple(dict.fromkeys(name for name in makers if name not in _SYSTEM))


def _chosen(statements: Sequence[StatementLike], database: str | None) -> str | None:
    held = databases(statements)
    if not held:
        named = [statement.database for statement in statements if statement.database]
        return database or (named[0] if named else None)
    if database is not None and held != (None,):
        if database not in held:
            raise UsageError(f"the dump has no database {database}: it holds {_listed(held)}; name one of them")
        return database
    if len(held) > 1:
        raise UsageError(f"the dump holds several databases, {_listed(held)}: name the one to carry by --dump-database")
    return held[0]


def _listed(names: tuple[str | None, ...]) -> str:
    return ", ".join(name or "one without a name" for name in names)


# --- one statement -------------------------------------------------------------------------------


def _read(
    statement: StatementLike, found: _Found, server: Flavor, include: tuple[str, ...], exclude: tuple[str, ...]
) -> None:
    name = statement.table or ""
    if statement.kind in _UNREAD or _left_out(statement.kind, name, found, include, exclude):
        return
    try:
        _apply(statement, Cursor(statement.text or "", statement.settings), found, server)
    except NotUnderstoodError as error:
        about = f" for {name}" if name else ""
        without = f"leave it out by --exclude {name!r}, or " if statement.kind in _EXCLUDABLE else ""
        raise SourceError(
            f"the dump's {statement.kind.upper()}{about} in line {statement.line} is not understood at {error}",
            advice=f"{without}mend the statement",
        ) from error


def _left_out(kind: str, name: str, found: _Found, include: tuple[str, ...], exclude: tuple[str, ...]) -> bool:
    if kind == "create table" and (matches(name, exclude) or (include and not matches(name, include))):
        found.tables[name] = None
        return True
    if kind == "create view" and matches(name, exclude):
        found.tables.pop(name, None)
        found.views[name] = None
        return True
    return kind == "alter table" and found.tables.get(name) is None


def _apply(statement: StatementLike, cursor: Cursor, found: _Found, server: Flavor) -> None:
    kind = statement.kind
    if kind == "create table":
        _create_table(cursor, statement.line, found, server)
    elif kind == "alter table":
        table = alter_table(cursor, found.tables, server)
        found.tables[table.name] = table
    elif kind == "create view":
        view = read_view(statement.text or "", statement.settings, "")
        found.tables.pop(view.name, None)
        found.views[view.name] = statement
    elif kind == "drop":
        _drop(cursor, found)
    elif kind == "create database":
        found.charset = _database_charset(cursor, server) or found.charset
    elif kind == "create index":
        indexed = create_index(cursor, found.tables)
        found.tables |= {indexed.name: indexed} if indexed is not None else {}
    elif kind in KINDS:
        found.leftovers.read(cursor)
    else:
        _other(cursor, found)


def _create_table(cursor: Cursor, line: int, found: _Found, server: Flavor) -> None:
    name, unless = _head(cursor)
    if unless and (name in found.tables or name in found.views):
        return
    if name in found.tables:
        raise SourceError(
            f"the dump makes the table {name} a second time, in line {line}, without a DROP TABLE before",
            advice="take one of them out, or dump the database again",
        )
    charset = found.charset or (default_charset(server), default_collation(default_charset(server), server))
    found.tables[name] = create_table(cursor, Written(name, *charset), server, found.tables)
    # mysqldump, mydumper and phpMyAdmin make a table in a view's place until all tables are there.
    found.views.pop(name, None)


def _head(cursor: Cursor) -> tuple[str, bool]:
    place = cursor.place
    while not cursor.take("TABLE"):
        cursor.next()
    unless = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    cursor.place = place
    return name, unless


def _drop(cursor: Cursor, found: _Found) -> None:
    cursor.need("DROP")
    cursor.take("TEMPORARY")
    if not (kind := cursor.take_any("TABLE", "TABLES", "VIEW")):
        return
    cursor.take("IF", "EXISTS")
    while cursor.here.kind != "end":
        name = cursor.qualified()
        if kind == "VIEW":
            found.views.pop(name, None)
        else:
            found.tables.pop(name, None)
        if not cursor.take(","):
            return


def _database_charset(cursor: Cursor, server: Flavor) -> tuple[str, str] | None:
    found = None
    while cursor.here.kind != "end":
        charset = read_charset(cursor, server)
        found = charset or found
        if charset is None:
            cursor.next()
    return found


def _other(cursor: Cursor, found: _Found) -> None:
    if cursor.at("RENAME", "TABLE"):
        raise cursor.stuck()
    if cursor.at("CREATE") and any(token.value == "PACKAGE" for token in cursor.tokens[:_HEAD] if token.kind == "word"):
        found.leftovers.read(cursor)


# --- all of them ---------------------------------------------------------------------------------


def _catalog(
    found: _Found, server: Flavor, database: str, include: tuple[str, ...], exclude: tuple[str, ...]
) -> Catalog:
    names = sorted(found.tables, key=server_order)
    wanted = [table for name in matching(names, include, exclude) if (table := found.tables[name]) is not None]
    records = {
        table.name: record
        for table in wanted
        if table.name not in include
        and (record := typeorm_record(table.name, [column.name for column in table.columns]))
    }
    done = [finished(table, server) for table in wanted if table.name not in records]
    views, renamed = _views(found, database)
    return Catalog(
        server=server.text,
        database=database,
        tables=tuple(table for table, _ in done),
        views=views,
        leftovers=(
            *(not_carried(name, "sequence") for name in sorted(found.leftovers.sequences, key=server_order)),
            *renamed,
            *found.leftovers.losses(frozenset(table.name for table, _ in done)),
            *records.values(),
            *(loss for _, losses in done for loss in losses),
        ),
        notes=_notes([table for table, _ in done], server),
    )


def _notes(tables: Sequence[Table], server: Flavor) -> tuple[str, ...]:
    if not server.mariadb:
        return ()
    columns = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if column.data_type in _SPATIAL and column.srid is None
    ]
    return (_NO_SRID.format(", ".join(columns)),) if columns else ()


def _views(found: _Found, database: str) -> tuple[tuple[View, ...], tuple[Loss, ...]]:
    views, renamed = [], []
    for name in sorted(found.views, key=server_order):
        statement = found.views[name]
        if statement is None:
            continue
        view = read_view(statement.text or "", statement.settings, database, frozenset(found.views))
        if view.renamed:
            renamed.append(Loss(name, None, _RENAMED))
        else:
            views.append(View(name, view.definition))
    return tuple(views), tuple(renamed)
