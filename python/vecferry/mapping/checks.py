r"""What must be known of a column's values before they are carried, as conditions in MySQL's words; pure.

A condition is counted before the load and, where the user chose a policy, is what the policy acts on while rows
are read: what the plan counts is what is changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vecferry.mapping.ranges import INTEGERS, precision_and_scale, range_of
from vecferry.mapping.select import literal, quote
from vecferry.mapping.typemap import SPATIAL, TEXTS, base_type, enum_labels, modifier, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vecferry.model import Column, TargetColumn

FACTS = ("not-boolean", "empty-label", "untold-label", "key-too-long")
"""Kinds that decide a type instead of forbidding anything."""

SENTENCES: dict[str, str] = {
    "zero-date": "a date that PostgreSQL does not know, such as 0000-00-00",
    "nul-byte": "a text with a NUL byte, which PostgreSQL's text cannot hold",
    "json-escape": r"a JSON text with \u0000 or half a surrogate pair, which jsonb cannot hold",
    "json-text": "a text that is not JSON",
    "out-of-range": "a value beyond what {type} holds",
    "too-precise": "a value with more digits than {type} keeps",
    "too-long": "a value longer than {type} takes",
    "unknown-label": "a value that is no label of {type}",
    "not-uuid": "a value that is no UUID",
    "other-shape": "a shape, an SRID or coordinates that {type} does not hold",
    "null": "NULL, and the target's column is NOT NULL",
}
"""What a row in question holds, by kind; `{type}` is the target column's."""

_EPOCH = {"date": "DATE'1970-01-01'"}
_EIGHT_BIT = frozenset({"utf8mb4", "utf8mb3", "utf8", "latin1", "ascii"})
_CHARACTERS = frozenset({"char", "varchar", *TEXTS})
_DAY = "'24:00:00'"
_DIGITS = 6
_SECONDS = len("2000-01-01 00:00:00")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the source's server can be asked."""

    json: bool
    """It has JSON_VALID and JSON_QUOTE."""
    lookaround: bool
    """It has REGEXP_REPLACE, with patterns that look ahead and behind."""
    flat_shapes: bool
    """It takes any coordinates for any SRID; MySQL 8 knows geographic systems and their bounds."""


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on one column's values."""

    column: str
    kind: str
    """A key of `config.POLICIES`, `null`, or one of `FACTS`."""
    condition: str
    """True of the rows in question, in MySQL's words."""
    repairs: dict[str, str] = field(default_factory=dict)
    """By policy, what is read instead; `{}` is what would be read otherwise."""
    parsed: bool = False
    """Whether the condition only says which texts to fetch, and those that are no JSON are told here."""
    target_type: str = ""
    """PostgreSQL's type in full, where the condition depends on it; with `labels`, all that the condition says for a
    source that cannot be asked in MySQL's words."""
    labels: tuple[str, ...] = ()
    """The labels of the target's enum type."""
    columns: tuple[str, ...] = ()
    """The columns, where it is on several and `column` is an index."""


def checks_of(column: Column, there: TargetColumn, abilities: Abilities) -> tuple[Check, ...]:
    """Returns what must be known of the values of `column` before they land in `there`.

    Args:
        column: the source's column.
        there: the target's column, or what will be created.
        abilities: what the source's server can be asked.
    """
    found = _checks(column, there, abilities)
    return tuple(replace(check, target_type=there.type, labels=there.labels) for check in found)


def _checks(column: Column, there: TargetColumn, abilities: Abilities) -> Iterator[Check]:
    name, base = quote(column.name), "enum" if there.type_kind == "e" else base_type(there.type)
    if column.nullable and not there.nullable:
        yield Check(column.name, "null", f"{name} IS NULL")
    if column.data_type in {"date", "datetime", "timestamp"}:
        yield _zero_date(column)
    if column.data_type in INTEGERS:
        yield from _integer(column, there.type)
    if column.data_type == "decimal":
        yield from _decimal(column, there.type)
    if column.data_type in {"datetime", "timestamp", "time"}:
        yield from _fraction(column, there.type)
    if column.data_type == "time" and base == "time without time zone":
        yield _nulled(Check(column.name, "out-of-range", f"({name} < 0 OR {name} >= {_DAY})"))
    if column.data_type in _CHARACTERS or column.data_type in {"enum", "json", "set"}:
        yield from _text(column, there, base, abilities)
    if column.data_type in SPATIAL and base in {"geometry", "geography"}:
        yield from _spatial(column, there.type, abilities)
    if column.data_type in {"binary", "varbinary"} and base == "uuid":
        yield _nulled(Check(column.name, "not-uuid", f"LENGTH({name}) <> 16"))


SHAPES = ("point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection")
"""In the order of their numbers (OGC 06-103r4, 8.2.3)."""
TYPED = re.compile(r"\((?P<shape>\w+)(?:,(?P<srid>\d+))?\)")


def _spatial(column: Column, target_type: str, abilities: Abilities) -> Iterator[Check]:
    """Asks the stored bytes: the SRID in the first four, the shape in the sixth to the ninth."""
    name, typed = quote(column.name), TYPED.search(target_type)
    geographic = target_type.startswith("geography")
    shape = typed["shape"].lower() if typed else "geometry"
    srid = int(typed["srid"]) if typed and typed["srid"] else 4326 if geographic else None
    wrong = []
    if srid is not None:
        wrong.append(f"SUBSTRING({name}, 1, 4) NOT IN (x'00000000', x'{srid.to_bytes(4, 'little').hex()}')")
    if shape in SHAPES:
        wrong.append(f"SUBSTRING({name}, 6, 4) <> x'{(SHAPES.index(shape) + 1).to_bytes(4, 'little').hex()}'")
    elif shape != "geometry":
        wrong.append(f"{name} IS NOT NULL")
    if geographic and abilities.flat_shapes:
        # PostGIS makes -60 of a longitude of 300.
        corners = [f"ST_PointN(ST_ExteriorRing(ST_Envelope({name})), {number})" for number in (1, 3)]
        wrong += [f"ABS(ST_X({corner})) > 180 OR ABS(ST_Y({corner})) > 90" for corner in corners]
    if wrong:
        yield Check(column.name, "other-shape", f"({' OR '.join(wrong)})")


def original_bytes(column: Column) -> str:
    """Returns the expression of a value's own bytes, a text's in UTF-8."""
    name = quote(column.name)
    if column.column_type == "json":
        name = f"CAST({name} AS CHAR)"
    elif column.character_set:
        name = f"CONVERT({name} USING utf8mb4)"
    return f"CAST({name} AS BINARY)"


def boolean_fact(column: Column) -> Check:
    """Returns what decides whether a `tinyint(1)` becomes boolean."""
    return Check(column.name, "not-boolean", f"{quote(column.name)} NOT IN (0, 1)")


MOST_KEY_BYTES = 2_600
"""What an entry of a B-tree surely takes: 2,704 bytes with its headers (`BTMaxItemSize` in PostgreSQL's
src/include/access/nbtree.h)."""


def key_fact(index: str, columns: Sequence[Column]) -> Check:
    """Returns what decides whether an index can be on whole texts; it is known by the index's name."""
    sizes = " + ".join(f"COALESCE(LENGTH({_stored(column)}), 0)" for column in columns)
    names = tuple(column.name for column in columns)
    return Check(index, "key-too-long", f"{sizes} > {MOST_KEY_BYTES}", columns=names)


def _stored(column: Column) -> str:
    name = quote(column.name)
    return f"CONVERT({name} USING utf8mb4)" if column.character_set else name


def label_facts(column: Column) -> tuple[Check, ...]:
    """Returns what decides the labels of an enum type that is created.

    The empty value of an invalid insert has the number 0. Characters of four bytes are question marks in
    `information_schema`, whatever the client's character set, so labels with one are compared with the values.
    """
    name, labels = quote(column.name), enum_labels(column.column_type)
    empty = Check(column.name, "empty-label", f"{name} + 0 = 0")
    if not any("?" in label for label in labels):
        return (empty,)
    return empty, Check(column.name, "untold-label", f"({name} + 0 <> 0 AND {_no_label(name, labels)})")


def _no_label(name: str, labels: Sequence[str]) -> str:
    listed = ", ".join(f"x'{label.encode().hex()}'" for label in labels)
    return f"CAST(CONVERT({name} USING utf8mb4) AS BINARY) NOT IN ({listed})"


def _nulled(check: Check, **repairs: str) -> Check:
    null = f"CASE WHEN {check.condition.replace('{', '{{').replace('}', '}}')} THEN NULL ELSE {{}} END"
    return Check(check.column, check.kind, check.condition, {"null": null, **repairs})


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _zero_date(column: Column) -> Check:
    name = quote(column.name)
    # A server in ALLOW_INVALID_DATES, as the reading session is, takes 2023-02-30 for a date.
    condition = f"(MONTH({name}) = 0 OR DAY({name}) = 0 OR DAY({name}) > DAY(LAST_DAY({name})))"
    epoch = _EPOCH.get(column.data_type, "TIMESTAMP'1970-01-01 00:00:00'")
    replaced = f"CASE WHEN {_escaped(condition)} THEN {epoch} ELSE {{}} END"
    return _nulled(Check(column.name, "zero-date", condition), replace=replaced)


def _integer(column: Column, target_type: str) -> Iterator[Check]:
    held, holds = INTEGERS[type_name(column)], range_of(target_type)
    if holds is None:
        return
    name = quote(column.name)
    parts = [f"{name} < {holds[0]}"] if held[0] < holds[0] else []
    parts += [f"{name} > {holds[1]}"] if held[1] > holds[1] else []
    if parts:
        check = _nulled(Check(column.name, "out-of-range", f"({' OR '.join(parts)})"))
        # A CASE of an integer and NULL has a type of its own choosing.
        null = f"CAST({check.repairs['null']} AS {'UNSIGNED' if column.unsigned else 'SIGNED'})"
        yield replace(check, repairs={"null": null})


def _decimal(column: Column, target_type: str) -> Iterator[Check]:
    digits = precision_and_scale(target_type)
    if digits is None:
        return
    name, scale = quote(column.name), column.scale or 0
    if (column.precision or 0) - scale > digits[0] - digits[1]:
        yield _nulled(
            Check(column.name, "out-of-range", f"ABS(TRUNCATE({name}, 0)) >= 1{'0' * (digits[0] - digits[1])}")
        )
    if scale > digits[1]:
        yield Check(column.name, "too-precise", f"{name} <> TRUNCATE({name}, {digits[1]})",
                    {"truncate": f"TRUNCATE({{}}, {digits[1]})"})  # fmt: skip


def _fraction(column: Column, target_type: str) -> Iterator[Check]:
    kept = modifier(target_type)
    if kept is None or (column.fraction_digits or 0) <= kept:
        return
    excess = f"MICROSECOND({quote(column.name)}) % {10 ** (_DIGITS - kept)}"
    # The text is cut: an earlier repair may have left another value, and servers subtract nothing from year 0.
    cut = f"CAST(LEFT(CAST({{}} AS CHAR), {_SECONDS + (kept and kept + 1)}) AS DATETIME({kept}))"
    yield Check(column.name, "too-precise", f"{excess} <> 0", {"truncate": cut} if column.data_type != "time" else {})


def _bytes(column: Column) -> str:
    """Returns the column's text as UTF-8 bytes, or as it is where a byte means the same."""
    name = quote(column.name)
    return f"CAST({name if column.character_set in _EIGHT_BIT else f'CONVERT({name} USING utf8mb4)'} AS BINARY)"


def _text(column: Column, there: TargetColumn, base: str, abilities: Abilities) -> Iterator[Check]:
    name = quote(column.name)
    if base in {"json", "jsonb"}:
        yield from _json(column, base, abilities)
        return
    if base == "uuid":
        bare = f"REPLACE({name}, '-', '')"
        yield _nulled(Check(column.name, "not-uuid", f"{bare} NOT REGEXP '^[0-9A-Fa-f]{{32}}$'"))
        return
    if base == "enum":
        condition = _no_label(name, there.labels) if there.labels else f"{name} IS NOT NULL"
        yield _nulled(Check(column.name, "unknown-label", condition))
        return
    if column.data_type in _CHARACTERS:
        raw = _bytes(column)
        replaced = "CONVERT(REPLACE(CAST(CONVERT({} USING utf8mb4) AS BINARY), x'00', x'efbfbd') USING utf8mb4)"
        yield _nulled(Check(column.name, "nul-byte", f"LOCATE(x'00', {raw}) > 0"), replace=replaced)
    most = modifier(there.type) if base in {"character varying", "character"} else None
    if most is not None and (column.length is None or column.length > most):
        yield _nulled(Check(column.name, "too-long", f"CHAR_LENGTH({_readable(column)}) > {most}"),
                      truncate=f"LEFT({{}}, {most})")  # fmt: skip


def _readable(column: Column) -> str:
    # A JSON column of MySQL is no text until it is printed; MariaDB's is a longtext.
    name = quote(column.name)
    return f"CAST({name} AS CHAR)" if column.column_type == "json" else name


LONE = (
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""Half of a pair of escapes that stands alone (RFC 8259, section 7)."""


def _json(column: Column, base: str, abilities: Abilities) -> Iterator[Check]:
    name = quote(column.name)
    repaired = name
    if base == "jsonb":
        escape, changed = _escapes(_readable(column), abilities)
        replaced = f"CASE WHEN {_escaped(escape)} THEN {changed} ELSE {{0}} END"
        yield _nulled(Check(column.name, "json-escape", escape), replace=replaced)
        repaired = replaced.format(name)
    if column.data_type == "json":
        return
    if abilities.json:
        valid = f"JSON_VALID({repaired})"
        quoted = f"CASE WHEN {_escaped(valid)} THEN {{}} ELSE JSON_QUOTE({_escaped(name)}) END"
        yield _nulled(Check(column.name, "json-text", f"NOT {valid}"), replace=quoted)
    else:
        yield Check(column.name, "json-text", f"{name} IS NOT NULL", parsed=True)


def _escapes(text: str, abilities: Abilities) -> tuple[str, str]:
    """Returns the condition of JSON texts with escapes that jsonb cannot hold, and what is read instead."""
    # A pair of backslashes is one that was escaped; what stays before u0000 then is an escape of its own. No JSON text
    # has control characters as they are.
    pair, nul, mark, other = literal("\\\\"), literal("\\u0000"), "_utf8mb4 x'01'", "_utf8mb4 x'02'"
    marked, held = (f"REPLACE({part}, {pair}, {mark})" for part in (text, "{0}"))
    found, held = f"INSTR({marked}, {nul}) > 0", f"REPLACE({held}, {nul}, {other})"
    if abilities.lookaround:
        found = f"({found} OR {marked} REGEXP {literal(LONE)})"
        held = f"REGEXP_REPLACE({held}, {literal(LONE)}, {other})"
    condition = f"(INSTR({text}, {literal(chr(92) + 'u')}) > 0 AND {found})"
    return condition, f"REPLACE(REPLACE({held}, {other}, {literal(chr(92) + 'ufffd')}), {mark}, {pair})"
