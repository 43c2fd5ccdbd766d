"""A column's definition in CREATE or ALTER TABLE, as `information_schema.columns` of its server describes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.dump import types
from vecferry.dump.charsets import charset_name, charset_of, default_collation
from vecferry.dump.keys import actions, enforced
from vecferry.model import Check, Column, ForeignKey

if TYPE_CHECKING:
    from vecferry.dump.tokens import Cursor
    from vecferry.mapping.flavor import Flavor

_NOW = ("CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP")
_WORDS_WITH_A_VALUE = ("COLUMN_FORMAT", "STORAGE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "FORMAT")
# MariaDB prints it as a comment of its version, in information_schema, too.
_COMPRESSED = " /*M!100301 COMPRESSED*/"


@dataclass(slots=True)
class Definition:
    """A column as written, and what its definition says of the table besides."""

    name: str
    type: types.Type
    nullable: bool | None = None
    """None where it does not say."""
    default: str | None = None
    default_is_expression: bool = False
    has_default: bool = False
    """Whether it says DEFAULT, be it NULL."""
    auto_increment: bool = False
    renewed: str = ""
    """What stands behind ON UPDATE."""
    expression: str = ""
    stored: bool = False
    invisible: bool = False
    unversioned: bool = False
    compressed: bool = False
    comment: str = ""
    srid: int | None = None
    primary: bool = False
    unique: bool = False
    checks: list[tuple[Check, bool]] = field(default_factory=list)
    """Each with whether it is enforced; the name is empty where there is none."""
    references: ForeignKey | None = None


def read_column(cursor: Cursor, server: Flavor) -> Definition:
    """Reads a column's definition, from its name to the comma or parenthesis behind.

    Raises:
        NotUnderstoodError: it is not understood.
    """
    found = Definition(cursor.name(), types.read_type(cursor))
    while not (cursor.here.kind == "end" or cursor.at_any(",", ")", "FIRST", "AFTER")):
        if not (
            _type_word(cursor, found)
            or _value_word(cursor, found, server)
            or _key_word(cursor, found)
            or _other_word(cursor, found)
        ):
            raise cursor.stuck()
    return found


def _type_word(cursor: Cursor, found: Definition) -> bool:
    kind = found.type
    if cursor.take("UNSIGNED"):
        found.type = replace(kind, unsigned=True)
    elif cursor.take("ZEROFILL"):
        found.type = replace(kind, unsigned=True, zerofill=True)
    elif cursor.take("CHARACTER", "SET") or cursor.take("CHARSET") or cursor.take("CHAR", "SET"):
        found.type = replace(kind, charset=cursor.name().lower())
    elif cursor.take("COLLATE"):
        found.type = replace(kind, collation=cursor.name().lower())
    elif cursor.take("ASCII"):
        found.type = replace(kind, charset="latin1")
    elif cursor.take("UNICODE"):
        found.type = replace(kind, charset="ucs2")
    elif cursor.take("BINARY"):
        found.type = replace(kind, binary=True)
    elif cursor.take("COMPRESSED"):
        found.compressed = True
        if cursor.take("="):
            cursor.next()
    else:
        return cursor.take("SIGNED")
    return True


def _value_word(cursor: Cursor, found: Definition, server: Flavor) -> bool:
    if cursor.take("NOT", "NULL"):
        found.nullable = False
    elif cursor.take("NULL"):
        found.nullable = True
    elif cursor.take("DEFAULT"):
        found.has_default = True
        found.default, found.default_is_expression = _default(cursor, server)
    elif cursor.take("ON", "UPDATE"):
        found.renewed = _default(cursor, server)[0] or ""
    elif cursor.take("AUTO_INCREMENT"):
        found.auto_increment = True
    elif cursor.take("GENERATED", "ALWAYS", "AS", "ROW"):
        found.expression, found.stored = f"ROW {cursor.next().value}", True
    elif cursor.take("GENERATED", "ALWAYS", "AS") or cursor.take("AS"):
        found.expression = cursor.inside()
        found.stored = cursor.take_any("VIRTUAL", "STORED", "PERSISTENT") in {"STORED", "PERSISTENT"}
    else:
        return False
    return True


def _default(cursor: Cursor, server: Flavor) -> tuple[str | None, bool]:
    """Reads what stands behind DEFAULT: the literal's plain value or the expression's text, and whether it is one."""
    if cursor.take("NULL"):
        return None, False
    if cursor.here.text.startswith("_") and cursor.tokens[cursor.place + 1].kind in {"string", "bits"}:
        # The name of the literal's character set.
        cursor.next()
    start = cursor.here
    if start.kind == "string":
        return cursor.string(), False
    if start.kind in {"bits", "number"}:
        return cursor.next().text, False
    if sign := cursor.take_any("-", "+"):
        return sign.strip("+") + cursor.next().text, False
    if word := cursor.take_any("TRUE", "FALSE"):
        return str(int(word == "TRUE")), False
    return _expression(cursor, server), True


def _expression(cursor: Cursor, server: Flavor) -> str:
    start = cursor.here
    if cursor.at("("):
        inside = cursor.inside()
        return f"({inside})" if server.mariadb else inside
    if cursor.take_any(*_NOW):
        return now(server, cursor.inside() if cursor.at("(") else "")
    cursor.qualified()
    while cursor.at("("):
        cursor.inside()
    return cursor.text[start.start : cursor.tokens[cursor.place - 1].end]


def now(server: Flavor, digits: str) -> str:
    """Returns the current time with that many digits of a second, as the server prints it."""
    if server.quoted_defaults:
        return f"current_timestamp({digits})"
    return f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP"


def _key_word(cursor: Cursor, found: Definition) -> bool:
    if cursor.take("PRIMARY", "KEY") or cursor.take("KEY"):
        found.primary = True
    elif cursor.take("UNIQUE"):
        cursor.take("KEY")
        found.unique = True
    elif cursor.at("CONSTRAINT") or cursor.at("CHECK"):
        name = cursor.name() if cursor.take("CONSTRAINT") and not cursor.at("CHECK") else ""
        cursor.need("CHECK")
        found.checks.append((Check(name, cursor.inside()), enforced(cursor)))
    elif cursor.take("REFERENCES"):
        table, columns = cursor.qualified(), cursor.names() if cursor.at("(") else ()
        update, delete = actions(cursor, "")
        found.references = ForeignKey("", (found.name,), table, columns, update, delete)
    else:
        return False
    return True


def _other_word(cursor: Cursor, found: Definition) -> bool:
    if cursor.take("COMMENT"):
        found.comment = cursor.string()
    elif cursor.take("INVISIBLE"):
        found.invisible = True
    elif cursor.take("SRID") or cursor.take("REF_SYSTEM_ID", "="):
        found.srid = cursor.number()
    elif cursor.take("WITHOUT", "SYSTEM", "VERSIONING"):
        found.unversioned = True
    elif cursor.take_any(*_WORDS_WITH_A_VALUE):
        cursor.take("=")
        cursor.next()
    elif cursor.take("VISIBLE") or cursor.take("WITH", "SYSTEM", "VERSIONING") or cursor.take("NOT", "SECONDARY"):
        pass
    else:
        return skip_option(cursor)
    return True


def skip_option(cursor: Cursor) -> bool:
    """Passes over `name = value`, by which storage engines take options of their own."""
    if cursor.here.kind not in {"name", "word"} or cursor.tokens[cursor.place + 1].text != "=":
        return False
    cursor.next()
    cursor.need("=")
    if cursor.at("("):
        cursor.inside()
    else:
        cursor.next()
    return True


# --- in information_schema's words ---------------------------------------------------------------


def described(found: Definition, charset: str, collation: str, server: Flavor) -> Column:
    """Returns the column as its server describes it.

    Args:
        found: the definition.
        charset: the table's character set.
        collation: the table's collation.
        server: the server that the dump was made of.
    """
    kind, own_charset, own_collation = _with_charset(found.type, charset, collation, server)
    json = kind.name == "json" and server.mariadb
    if json:
        kind, own_charset, own_collation = types.Type("longtext"), "utf8mb4", "utf8mb4_bin"
    sizes = types.numbers(kind, own_charset, server)
    default, is_expression, nullable = found.default, found.default_is_expression, found.nullable
    if kind.name == "timestamp" and nullable is None and not found.has_default and _implicit(server):
        nullable = False
    return Column(
        name=found.name,
        data_type="json" if json else kind.name,
        column_type=types.column_type(kind, server) + _COMPRESSED * found.compressed,
        nullable=nullable is not False and not found.primary and not (found.expression.startswith("ROW ")),
        default=default,
        default_is_expression=is_expression,
        extra=_extra(found, server),
        character_set=own_charset,
        collation=own_collation,
        precision=sizes.precision,
        scale=sizes.scale,
        length=sizes.length,
        fraction_digits=sizes.fraction_digits,
        comment=found.comment,
        expression=found.expression,
        srid=found.srid,
    )


def _implicit(server: Flavor) -> bool:
    """Whether a bare `timestamp` is NOT NULL: `explicit_defaults_for_timestamp` is off unless set."""
    return server.version < ((10, 10, 1) if server.mariadb else (8, 0, 2))


def first_timestamp(columns: tuple[Column, ...], definitions: list[Definition], server: Flavor) -> tuple[Column, ...]:
    """Gives bare `timestamp` columns the defaults of servers without `explicit_defaults_for_timestamp`.

    No server prints a bare one (it says NULL, or the default), so it was written by hand.
    """
    if not _implicit(server):
        return columns
    changed: list[Column] = []
    first = True
    for column, written in zip(columns, definitions, strict=True):
        if column.data_type != "timestamp":
            changed.append(column)
            continue
        said = written.nullable is not None or written.has_default or written.renewed or written.expression
        if said:
            changed.append(column)
        elif first:
            time = now(server, str(column.fraction_digits or ""))
            changed.append(replace(column, default=time, default_is_expression=True, extra=f"on update {time}"))
        else:
            changed.append(replace(column, default="0000-00-00 00:00:00"))
        first = False
    return tuple(changed)


def _with_charset(
    kind: types.Type, charset: str, collation: str, server: Flavor
) -> tuple[types.Type, str | None, str | None]:
    if kind.name not in types.TEXTS:
        return kind, None, None
    if kind.charset is not None:
        own = charset_name(kind.charset, server)
        charset, collation = own, default_collation(own, server)
    if kind.collation is not None:
        charset, collation = charset_of(kind.collation, server), kind.collation
    elif kind.binary:
        collation = f"{charset}_bin"
    if charset == "binary":
        return types.as_bytes(kind), None, None
    return kind, charset, collation


def _extra(found: Definition, server: Flavor) -> str:
    words = []
    if found.auto_increment:
        words.append("auto_increment")
    if found.default_is_expression and not server.mariadb and server.version >= (8, 0, 13):
        words.append("DEFAULT_GENERATED")
    if found.renewed:
        words.append(f"on update {found.renewed}")
    if found.expression:
        words.append("STORED GENERATED" if found.stored else "VIRTUAL GENERATED")
    if found.invisible:
        words.append("INVISIBLE")
    if found.unversioned:
        words.append("WITHOUT SYSTEM VERSIONING")
    return (", " if server.mariadb else " ").join(words)
