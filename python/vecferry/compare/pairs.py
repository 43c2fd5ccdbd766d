"""How each pair of column types is read back on both sides, and which canonical form both are brought to; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import literal
from vecferry.mapping.identifiers import quote as target_quote
from vecferry.mapping.select import quote as source_quote
from vecferry.mapping.typemap import SPATIAL, TEXTS, base_type

if TYPE_CHECKING:
    from vecferry.model import Column, TargetColumn


@dataclass(frozen=True, slots=True)
class Pair:
    """A column of the source and the one of the target that took it."""

    name: str
    """Its name in the source."""
    target: str
    """Its name in the target."""
    source_type: str
    """MySQL's bare type."""
    target_type: str
    """PostgreSQL's type in full."""
    source_select: str
    """What is selected in the source."""
    read_type: str
    """How it is read there, a name that `source.read.arrow_type` knows."""
    target_select: str
    """What is selected in the target."""
    form: str
    """The canonical form, a key of `forms.FORMS`."""
    fraction: int = 0
    """Digits after the point that the source always prints."""
    zone: str = "UTC"
    """The time zone that both sides' moments are told in."""
    labels: tuple[str, ...] = ()
    """The labels of the target's enum type."""
    nullable: bool = False
    """Whether the target's column takes NULL."""


_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_FLOATS = frozenset({"real", "double precision"})
_TEXT = frozenset({"text", "character varying", "citext"})
_CHARACTERS = frozenset({"char", "varchar", *TEXTS})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_MOMENTS = frozenset({"timestamp without time zone", "timestamp with time zone"})

# All types of MySQL that are printed as text of their own accord.
_PRINTED = _CHARACTERS | {"enum", "set", "json", "uuid", "inet4", "inet6"}

_MICROSECONDS = (
    "CAST(IF(LEFT(CAST({0} AS CHAR), 1) = '-', -1, 1)"
    " * (FLOOR(ABS(TIME_TO_SEC({0}))) * 1000000 + MICROSECOND({0})) AS SIGNED)"
)
_ELEMENTS = "IF(LENGTH({0}) = 0, '', CONCAT('[1:', LENGTH({0}) - LENGTH(REPLACE({0}, ',', '')) + 1, ']', CONCAT({0})))"
"""A set with its bounds before it, as PostgreSQL prints those of an array: no element is not one empty element."""
_SRID = "CONV(HEX(REVERSE(SUBSTRING({0}, 1, 4))), 16, 10)"
"""Of the form in which MySQL stores a shape: the SRID in four bytes, the lowest first, then WKB."""
_EWKB = (
    "CASE WHEN get_byte({0}, 4) & 32 = 0 THEN '0;' || upper(encode({0}, 'hex')) ELSE"
    " (get_byte({0}, 5) + get_byte({0}, 6) * 256 + get_byte({0}, 7) * 65536"
    " + get_byte({0}, 8)::bigint * 16777216)::text || ';'"
    " || upper(encode(set_byte(substr({0}, 1, 5), 4, get_byte({0}, 4) & 223) || substr({0}, 10), 'hex')) END"
)
"""The same of PostGIS's EWKB in a bytea: a flag in the type's highest byte says that the SRID follows."""


def pair_of(column: Column, there: TargetColumn, zone: str) -> Pair | None:
    """Returns how a column is compared; None where no rule is known for the two types.

    Args:
        column: the source's column.
        there: the target's.
        zone: the time zone that values without one mean, where the target has time zones.
    """
    base = "enum" if there.type_kind == "e" else base_type(there.type)
    own, other = source_quote(column.name), target_quote(there.name)
    found = _rule(column, base, own, other, there.type, zone)
    if found is None:
        return None
    source_select, read_type, target_select, form = found
    moment = column.data_type in {"datetime", "timestamp"}
    return Pair(
        name=column.name,
        target=there.name,
        source_type=column.data_type,
        target_type=there.type,
        source_select=source_select,
        read_type=read_type,
        target_select=target_select,
        form=form,
        fraction=(column.fraction_digits or 0) if moment else (column.scale or 0),
        zone=zone if column.data_type != "timestamp" and base == "timestamp with time zone" else "UTC",
        labels=there.labels,
        nullable=there.nullable,
    )


_Rule = tuple[str, str, str, str]


def _rule(  # noqa: C901 - a type after the other, each in a line or two
    column: Column, base: str, own: str, other: str, full: str, zone: str
) -> _Rule | None:
    kind, text = column.data_type, f"CAST({own} AS CHAR)"
    printed = text if column.column_type == "json" or kind in {"uuid", "inet4", "inet6"} else own
    if kind in _INTEGERS:
        return _integer(column, base, own, other)
    if kind == "decimal" and base == "numeric":
        return text, "string", f"trim_scale({other})::text", "number"
    if kind in {"float", "double"} and base in _FLOATS:
        return f"{own} * 1e0", "double", f"{other}::float8", "double"
    if kind == "bit" and (base == "boolean" or base.startswith("bit")):
        bits = f"{other}::int::text" if base == "boolean" else f"{other}::text"
        return f"TRIM(LEADING '0' FROM BIN({own} + 0))", "string", f"ltrim({bits}, '0')", "text"
    if kind in {"date", "datetime", "timestamp"}:
        return _moment(kind, base, text, other, zone)
    if kind == "time" and base in {"interval", "time without time zone"}:
        return _MICROSECONDS.format(own), "int64", f"(extract(epoch FROM {other}) * 1000000)::bigint", "integer"
    if kind in SPATIAL:
        return _shape(kind, base, own, other, full)
    if kind in _BYTES and base == "bytea":
        return own, "binary", f"{other}::bytea", "bytes"
    if base == "uuid":
        digits = f"HEX({own})" if kind in _BYTES else f"REPLACE({printed}, '-', '')"
        known = kind in _BYTES | _CHARACTERS | {"uuid"}
        return (f"LOWER({digits})", "string", f"replace({other}::text, '-', '')", "text") if known else None
    if kind == "vector" and base == "vector":
        return f"CAST({own} AS BINARY)", "binary", other, "packed"
    if kind in _CHARACTERS | {"json"} and base in {"vector", "halfvec"}:
        return printed, "string", other, base
    return _text(kind, base, own, other, printed)


def _text(kind: str, base: str, own: str, other: str, printed: str) -> _Rule | None:
    if kind == "set" and base.endswith("[]"):
        elements = f"coalesce(array_dims({other}), '') || array_to_string({other}, ',', E'\\x01')"
        return _ELEMENTS.format(own), "string", elements, "text"
    if kind in {"inet4", "inet6"} and base == "inet":
        return printed, "string", f"{other}::text", "address"
    if kind not in _PRINTED:
        return None
    if base in _TEXT or base in {"enum", "json"}:
        return printed, "string", f"{other}::text", "text"
    if base == "character":
        # Its cast to text drops the padding.
        return printed, "string", f"{other}::text", "padded"
    if base == "jsonb":
        return printed, "string", f"{other}::text", "json"
    return None


def _integer(column: Column, base: str, own: str, other: str) -> _Rule | None:
    if base == "numeric" or (base in _WHOLE and column.data_type == "bigint" and column.unsigned):
        value = f"trim_scale({other})::text" if base == "numeric" else f"{other}::text"
        return f"CAST({own} AS CHAR)", "string", value, "whole"
    if base in _WHOLE:
        return f"{own} + 0" if column.data_type == "year" else own, "int64", f"{other}::bigint", "integer"
    if base == "boolean":
        return own, "int64", f"{other}::int", "integer"
    if base in _FLOATS:
        return f"{own} * 1e0", "double", f"{other}::float8", "double"
    return None


def _moment(kind: str, base: str, text: str, other: str, zone: str) -> _Rule | None:
    if kind == "date" and base == "date":
        return text, "string", f"{other}::text", "moment"
    if base not in _MOMENTS:
        return None
    if kind == "date":
        text = f"CONCAT({text}, ' 00:00:00')"
    if base == "timestamp with time zone":
        meant = "UTC" if kind == "timestamp" else zone
        other = f"({other} AT TIME ZONE {literal(meant).strip()})"
    return text, "string", f"{other}::text", "moment"


def _shape(kind: str, base: str, own: str, other: str, full: str) -> _Rule | None:
    if kind == "point" and base == "point":
        coordinates = f"HEX(CONCAT(REVERSE(SUBSTRING({own}, 10, 8)), REVERSE(SUBSTRING({own}, 18, 8))))"
        return coordinates, "string", f"upper(encode(point_send({other}), 'hex'))", "text"
    srid = _SRID.format(own)
    if base in {"geometry", "geography"}:
        # A shape without an SRID takes the column's.
        declared = full.rsplit(",", 1)[1].rstrip(")") if "," in full else "4326" if base == "geography" else "0"
        srid = f"IF({srid} = '0', '{declared}', {srid})"
        target = (
            f"ST_SRID({other}::geometry)::text || ';' || upper(encode(ST_AsBinary({other}::geometry, 'NDR'), 'hex'))"
        )
    elif base == "bytea":
        target = _EWKB.format(other)
    else:
        return None
    return f"CONCAT({srid}, ';', HEX(SUBSTRING({own}, 5)))", "string", target, "text"
