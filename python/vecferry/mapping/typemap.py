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
    """One row of the type table.

    `{p}`, `{s}`, `{n}`, `{f}`, `{d}` are precision, scale, length, fraction digits and a vector's dimensions.
    """

    mysql: str
    select: str
    read: str
    create: str
    accepts: tuple[tuple[str, str], ...]
    """Pairs of PostgreSQL type (without its modifier) and wire column."""
    loss: str = ""
    """What PostgreSQL cannot hold, if there is any in the source; each with a policy, see `mapping/checks.py`."""
    remark: str = ""


_TEXT = (("text", "text"), ("character varying", "text"), ("character", "text"), ("citext", "text"))
_LABELS = (*_TEXT, ("enum", "text"))
_INTEGERS = (("smallint", "int16"), ("integer", "int32"), ("bigint", "int64"), ("numeric", "numeric"))
_SMALL = (*_INTEGERS, ("boolean", "bool"), ("double precision", "float64"))
_BYTES = (("bytea", "bytea"),)
_STAMPS = (("timestamp without time zone", "timestamp"), ("timestamp with time zone", "timestamptz"))
_JSON = (("jsonb", "jsonb"), ("json", "text"), *_TEXT)
_SPATIAL = (("geometry", "bytea"), ("geography", "bytea"), ("bytea", "bytea"))

_MICROSECONDS = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'2000-01-01 00:00:00', TIMESTAMP('2000-01-01 00:00:00', {}))"

_EWKB = "CONCAT(SUBSTRING({0}, 5, 4), x'20', SUBSTRING({0}, 1, 4), SUBSTRING({0}, 10))"
"""The server's SRID and little-endian WKB, put together as PostGIS's EWKB: the byte order and the type's low bytes, the
flag that an SRID follows, the SRID, the rest (liblwgeom's lwin_wkb.c; MySQL's manual, "Internal Geometry Storage
Format"). Taken from the stored bytes because ST_AsBinary swaps the axes of geographic systems in MySQL 8."""

SPATIAL = (
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
)  # fmt: skip
TEXTS = ("tinytext", "text", "mediumtext", "longtext")

_NO_DATE = "zero and partial dates"
_NO_NUL = "NUL bytes"

TYPES: tuple[TypeRow, ...] = (
    TypeRow("tinyint(1)", "{}", "int8", "boolean", (("boolean", "bool"), *_INTEGERS),
            remark="smallint where a value is neither 0 nor 1"),
    TypeRow("tinyint", "{}", "int8", "smallint", _SMALL),
    TypeRow("tinyint unsigned", "{}", "uint8", "smallint", _SMALL),
    TypeRow("smallint", "{}", "int16", "smallint", _SMALL),
    TypeRow("smallint unsigned", "{}", "uint16", "integer", _SMALL),
    TypeRow("mediumint", "{}", "int32", "integer", _SMALL),
    TypeRow("mediumint unsigned", "{}", "uint32", "integer", _SMALL),
    TypeRow("int", "{}", "int32", "integer", _SMALL, remark="`zerofill` is the client's display: not carried"),
    TypeRow("int unsigned", "{}", "uint32", "bigint", _SMALL),
    TypeRow("bigint", "{}", "int64", "bigint", _INTEGERS),
    TypeRow("bigint unsigned", "{}", "uint64", "numeric(20)", _INTEGERS,
            remark="bigint where it is auto_increment, or a foreign key to such a column"),
    TypeRow("decimal", "CAST({} AS CHAR)", "decimal({p},{s})", "numeric({p},{s})", (("numeric", "numeric"),)),
    TypeRow("float", "{}", "float", "real", (("real", "float32"), ("double precision", "float64"))),
    TypeRow("double", "{}", "double", "double precision", (("double precision", "float64"),)),
    TypeRow("bit(1)", "{}", "binary", "boolean", (("boolean", "bit_bool"), ("bit", "bit"), ("bit varying", "bit"))),
    TypeRow("bit", "{}", "binary", "bit({p})", (("bit", "bit"), ("bit varying", "bit"))),
    TypeRow("date", "{}", "date32", "date", (("date", "date"), *_STAMPS), loss=_NO_DATE),
    TypeRow("datetime", "{}", "timestamp[us]", "timestamp({f})", _STAMPS, loss=_NO_DATE,
            remark="into timestamptz by `--datetime-zone`"),
    TypeRow("timestamp", "{}", "timestamp[us]", "timestamp({f}) with time zone", _STAMPS, loss=_NO_DATE,
            remark="read in UTC"),
    TypeRow("time", _MICROSECONDS, "int64", "interval", (("interval", "interval"), ("time without time zone", "time")),
            remark="`time` by `--time-type time` where every value lies within a day"),
    TypeRow("year", "{}", "int16", "smallint", _INTEGERS),
    TypeRow("char", "{}", "string", "character varying({n})", (*_LABELS, ("uuid", "uuid"), *_JSON[:2]), loss=_NO_NUL,
            remark="citext by `--ci citext` where the collation ignores case"),
    TypeRow("varchar", "{}", "string", "character varying({n})", (*_LABELS, ("uuid", "uuid"), *_JSON[:2]), loss=_NO_NUL,
            remark="citext by `--ci citext` where the collation ignores case"),
    *(TypeRow(name, "{}", "string", "text", (*_JSON, ("enum", "text")), loss=_NO_NUL,
              remark="vector(n) where it holds embeddings") for name in TEXTS),
    TypeRow("binary", "{}", "binary", "bytea", (*_BYTES, ("uuid", "uuid_bytes"))),
    TypeRow("varbinary", "{}", "binary", "bytea", (*_BYTES, ("uuid", "uuid_bytes"))),
    *(TypeRow(name, "{}", "binary", "bytea", _BYTES) for name in ("tinyblob", "blob", "mediumblob", "longblob")),
    TypeRow("enum", "{}", "string", "enum", (("enum", "text"), *_TEXT),
            remark="a type `<table>_<column>_enum`; text where a label is longer than 63 bytes"),
    TypeRow("set", "{}", "string", "text[]", (("text[]", "text[]"), ("character varying[]", "text[]"), *_TEXT)),
    TypeRow("json", "CAST({} AS CHAR)", "string", "jsonb", _JSON,
            loss=r"`\u0000`; of keys that are there twice, the last stays",
            remark="json by `--json-type json`, which keeps the text; vector(n) where it holds embeddings"),
    TypeRow("uuid", "CAST({} AS CHAR)", "string", "uuid", (("uuid", "uuid"), *_TEXT), remark="MariaDB"),
    TypeRow("inet6", "INET6_ATON(CAST({} AS CHAR))", "binary", "inet", (("inet", "inet"),), remark="MariaDB"),
    TypeRow("inet4", "INET6_ATON(CAST({} AS CHAR))", "binary", "inet", (("inet", "inet"),), remark="MariaDB"),
    TypeRow("vector", "CAST({} AS BINARY)", "binary", "vector({d})", (("vector", "packed"),),
            remark="MariaDB 11.7, MySQL 9: float32 values as they are"),
    *(TypeRow(name, _EWKB, "binary", "geometry",
              (*_SPATIAL, ("point", "point")) if name == "point" else _SPATIAL,
              remark="bytea with EWKB where PostGIS is not installed; without an SRID a shape takes the column's")
      for name in SPATIAL),
)  # fmt: skip

_BY_NAME = {row.mysql: row for row in TYPES}


def row_for(column: Column) -> TypeRow | None:
    """Returns the row of the type table for `column`, or None for a type that has none."""
    if column.data_type == "json":
        # MariaDB's json is a longtext to `column_type`.
        return _BY_NAME["json"]
    exact = column.column_type if column.column_type in {"tinyint(1)", "bit(1)"} else type_name(column)
    return _BY_NAME.get(exact) or _BY_NAME.get(column.data_type)


def type_name(column: Column) -> str:
    """Returns the column's type without its numbers: `int(10) unsigned zerofill` → `int unsigned`."""
    return re.sub(r"\s*zerofill|\s*\(\d+(,\d+)?\)", "", column.column_type).strip()


def fill_in(template: str, column: Column) -> str:
    """Returns `template` with the column's numbers in place, see `TypeRow`."""
    return template.format(
        p=column.precision, s=column.scale or 0, n=column.length, f=column.fraction_digits or 0,
        d=modifier(column.column_type),
    )  # fmt: skip


def base_type(postgres_type: str) -> str:
    """Returns `format_type`'s words without the modifier: `numeric(10,2)` → `numeric`."""
    return re.sub(r"\(\w+(,\d+)?\)", "", postgres_type)


def modifier(postgres_type: str) -> int | None:
    """Returns the one number of a type's modifier, `vector(1536)` → 1536; None where there is none."""
    match = re.search(r"\((\d+)\)", postgres_type)
    return int(match[1]) if match else None


_ESCAPED = {"0": "\0", "n": "\n", "r": "\r"}


def enum_labels(column_type: str) -> tuple[str, ...]:
    r"""Returns the labels of `enum('a','b\'c')` or `set(...)`, in order, as they are.

    Source of the escapes: `append_unescaped` of the servers' sql/sql_show.cc and sql/unireg.cc.
    """
    inner = column_type[column_type.index("(") + 1 : column_type.rindex(")")]
    return tuple(_unescaped(label) for label in re.findall(r"'((?:[^'\\]|''|\\.)*)'", inner, re.DOTALL))


def _unescaped(label: str) -> str:
    return re.sub(
        r"''|\\(.)", lambda match: _ESCAPED.get(match[1], match[1]) if match[1] else "'", label, flags=re.DOTALL
    )
