"""The type table: how each MySQL type is read, what PostgreSQL column it becomes, and what else may hold it.

`select` is the expression that the reader carries without loss (`{}` is the quoted column), `read` the
Arrow type of its values, `create` the PostgreSQL type of a column that vecferry creates, and `accepts` the
types that an existing target column may have, each with the wire column it needs. COPY BINARY converts
nothing, so a wire column is exactly what the target type's receive function expects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecferry.model import Column


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One row of the type table; `{p}`, `{s}`, `{n}`, `{f}` are precision, scale, length, fraction digits."""

    mysql: str
    select: str
    read: str
    create: str
    accepts: tuple[tuple[str, str], ...]
    """Pairs of PostgreSQL type (without its modifier) and wire column."""
    loss: str = ""


_TEXT = (("text", "text"), ("character varying", "text"), ("character", "text"), ("citext", "text"))
_INTEGERS = (("smallint", "int16"), ("integer", "int32"), ("bigint", "int64"), ("numeric", "numeric"))
_BYTES = (("bytea", "bytea"),)
_STAMPS = (("timestamp without time zone", "timestamp"), ("timestamp with time zone", "timestamptz"))
_JSON = (("jsonb", "jsonb"), ("json", "text"), *_TEXT)

_MICROSECONDS = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'2000-01-01 00:00:00', TIMESTAMP('2000-01-01 00:00:00', {}))"

TYPES: tuple[TypeRow, ...] = (
    TypeRow("tinyint(1)", "{}", "int8", "boolean", (("boolean", "bool"), *_INTEGERS)),
    TypeRow("tinyint", "{}", "int8", "smallint", (("boolean", "bool"), *_INTEGERS)),
    TypeRow("tinyint unsigned", "{}", "uint8", "smallint", (("boolean", "bool"), *_INTEGERS)),
    TypeRow("smallint", "{}", "int16", "smallint", _INTEGERS),
    TypeRow("smallint unsigned", "{}", "uint16", "integer", _INTEGERS),
    TypeRow("mediumint", "{}", "int32", "integer", _INTEGERS),
    TypeRow("mediumint unsigned", "{}", "uint32", "integer", _INTEGERS),
    TypeRow("int", "{}", "int32", "integer", _INTEGERS),
    TypeRow("int unsigned", "{}", "uint32", "bigint", _INTEGERS),
    TypeRow("bigint", "{}", "int64", "bigint", _INTEGERS),
    TypeRow("bigint unsigned", "{}", "uint64", "numeric(20)", _INTEGERS),
    TypeRow("decimal", "CAST({} AS CHAR)", "decimal({p},{s})", "numeric({p},{s})", (("numeric", "numeric"),)),
    TypeRow("float", "{}", "float", "real", (("real", "float32"), ("double precision", "float64"))),
    TypeRow("double", "{}", "double", "double precision", (("double precision", "float64"),)),
    TypeRow("bit(1)", "{}", "binary", "boolean", (("boolean", "bit_bool"), ("bit", "bit"), ("bit varying", "bit"))),
    TypeRow("bit", "{}", "binary", "bit({p})", (("bit", "bit"), ("bit varying", "bit"))),
    TypeRow("date", "{}", "date32", "date", (("date", "date"), *_STAMPS)),
    TypeRow("datetime", "{}", "timestamp[us]", "timestamp({f})", _STAMPS),
    TypeRow("timestamp", "{}", "timestamp[us]", "timestamp({f}) with time zone", _STAMPS),
    TypeRow("time", _MICROSECONDS, "int64", "interval", (("interval", "interval"), ("time without time zone", "time"))),
    TypeRow("year", "{}", "int16", "smallint", _INTEGERS),
    TypeRow("char", "{}", "string", "character varying({n})", (*_TEXT, ("uuid", "uuid"))),
    TypeRow("varchar", "{}", "string", "character varying({n})", (*_TEXT, ("uuid", "uuid"))),
    *(TypeRow(name, "{}", "string", "text", _JSON) for name in ("tinytext", "text", "mediumtext", "longtext")),
    TypeRow("binary", "{}", "binary", "bytea", (*_BYTES, ("uuid", "uuid_bytes"))),
    TypeRow("varbinary", "{}", "binary", "bytea", (*_BYTES, ("uuid", "uuid_bytes"))),
    *(TypeRow(name, "{}", "binary", "bytea", _BYTES) for name in ("tinyblob", "blob", "mediumblob", "longblob")),
    TypeRow("enum", "{}", "string", "enum", (("enum", "text"), *_TEXT)),
    TypeRow("set", "{}", "string", "text[]", (("text[]", "text[]"), ("character varying[]", "text[]"), *_TEXT)),
    TypeRow("json", "CAST({} AS CHAR)", "string", "jsonb", _JSON),
    TypeRow("uuid", "CAST({} AS CHAR)", "string", "uuid", (("uuid", "uuid"), *_TEXT)),
    TypeRow("inet6", "CAST({} AS CHAR)", "string", "text", _TEXT),
    TypeRow("inet4", "CAST({} AS CHAR)", "string", "text", _TEXT),
)

_BY_NAME = {row.mysql: row for row in TYPES}


def row_for(column: Column) -> TypeRow | None:
    """Returns the row of the type table for `column`, or None for a type that has none."""
    if column.data_type == "json":
        # MariaDB's json is a longtext to `column_type`.
        return _BY_NAME["json"]
    full = re.sub(r"\s*zerofill|\s*\(\d+(,\d+)?\)", "", column.column_type).strip()
    exact = column.column_type if column.column_type in {"tinyint(1)", "bit(1)"} else full
    return _BY_NAME.get(exact) or _BY_NAME.get(column.data_type)


def fill_in(template: str, column: Column) -> str:
    """Returns `template` with the column's precision, scale, length and fraction digits in place."""
    return template.format(p=column.precision, s=column.scale or 0, n=column.length, f=column.fraction_digits or 0)


def base_type(postgres_type: str) -> str:
    """Returns `format_type`'s words without the modifier: `numeric(10,2)` → `numeric`."""
    return re.sub(r"\(\d+(,\d+)?\)", "", postgres_type)


def modifier(postgres_type: str) -> int | None:
    """Returns the one number of a type's modifier, `vector(1536)` → 1536; None where there is none."""
    match = re.search(r"\((\d+)\)", postgres_type)
    return int(match[1]) if match else None


def enum_labels(column_type: str) -> tuple[str, ...]:
    """Returns the labels of `enum('a','b''c')` or `set(...)`, in order, unquoted."""
    inner = column_type[column_type.index("(") + 1 : column_type.rindex(")")]
    return tuple(label.replace("''", "'") for label in re.findall(r"'((?:[^']|'')*)'", inner))
