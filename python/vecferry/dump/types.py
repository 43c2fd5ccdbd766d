"""A column's type: as a dump writes it, in `information_schema`'s words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecferry.dump.charsets import charset_name, shortest

if TYPE_CHECKING:
    from vecferry.dump.tokens import Cursor
    from vecferry.mapping.flavor import Flavor

_NATIONAL = "NATIONAL"
_TWO_WORDS = {
    ("DOUBLE", "PRECISION"): "double",
    ("CHARACTER", "VARYING"): "varchar",
    ("CHAR", "VARYING"): "varchar",
    ("LONG", "VARCHAR"): "mediumtext",
    ("LONG", "VARBINARY"): "mediumblob",
}
# https://dev.mysql.com/doc/refman/8.4/en/other-vendor-data-types.html and the synonyms in numeric-type-syntax.html
_SYNONYMS = {
    "integer": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "middleint": "mediumint",
    "int4": "int", "int8": "bigint", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "real": "double",
    "float4": "float", "float8": "double", "character": "char", "varcharacter": "varchar", "nchar": "char",
    "nvarchar": "varchar", "long": "mediumtext",
}  # fmt: skip
_NATIONALS = frozenset({"nchar", "nvarchar"})
_WIDTHS = {"tinyint": (4, 3), "smallint": (6, 5), "mediumint": (9, 8), "int": (11, 10), "bigint": (20, 20)}
_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 7, "int": 10, "bigint": 19, "float": 12, "double": 22}
_BYTES = {"tiny": 255, "": 65_535, "medium": 16_777_215, "long": 4_294_967_295}
_SIZES = {prefix + stem: size for prefix, size in _BYTES.items() for stem in ("text", "blob")}
_ONE = frozenset({"char", "binary", "bit"})
_TIMES = frozenset({"time", "datetime", "timestamp"})
_AS_BYTES = {"char": "binary", "varchar": "varbinary"}
_FLOAT_DIGITS = 24

TEXTS = frozenset({"char", "varchar", "enum", "set", *(name for name in _SIZES if name.endswith("text"))})
"""Types with a character set."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type as written; `charset` and `collation` are None where it does not say."""

    name: str
    """The bare type, lower case, of synonyms the one that the server knows it by."""
    arguments: tuple[str, ...] = ()
    """What is in its parentheses, as it stands."""
    labels: tuple[str, ...] = ()
    """Of an enum or set."""
    unsigned: bool = False
    zerofill: bool = False
    charset: str | None = None
    collation: str | None = None
    binary: bool = False
    """Whether it asks for the `_bin` collation of its character set."""


def read_type(cursor: Cursor) -> Type:
    """Reads a type's name and what is in its parentheses; the words behind belong to the column.

    Raises:
        NotUnderstoodError: there is none.
    """
    national = cursor.take(_NATIONAL)
    if cursor.here.kind != "word":
        raise cursor.stuck()
    name = next((short for words, short in _TWO_WORDS.items() if cursor.take(*words)), "") or cursor.next().text.lower()
    if national and cursor.take("VARYING"):
        name = "varchar"
    charset = "utf8mb3" if national or name in _NATIONALS else None
    name = _SYNONYMS.get(name, name)
    if name in {"bool", "boolean"}:
        return Type("tinyint", ("1",))
    if not cursor.at("("):
        return Type(name, charset=charset)
    arguments, labels = _arguments(cursor)
    if name == "float" and len(arguments) == 1:
        return Type("float" if int(arguments[0]) <= _FLOAT_DIGITS else "double")
    return Type(name, arguments, labels, charset=charset)


def _arguments(cursor: Cursor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    cursor.need("(")
    texts: list[str] = []
    labels: list[str] = []
    while True:
        token = cursor.next()
        texts.append(token.text)
        if token.kind == "string":
            labels.append(token.value)
        elif token.kind not in {"number", "word"}:
            raise cursor.stuck()
        if not cursor.take(","):
            break
    cursor.need(")")
    return tuple(texts), tuple(labels)


def as_bytes(kind: Type) -> Type:
    """Returns the type that a text of the character set `binary` is."""
    name = _AS_BYTES.get(kind.name, kind.name.replace("text", "blob"))
    return Type(name, kind.arguments) if kind.name not in {"enum", "set"} else kind


def column_type(kind: Type, server: Flavor) -> str:
    """Returns the type in full, as this server prints it."""
    arguments = _printed_arguments(kind, server)
    text = kind.name + (f"({','.join(arguments)})" if arguments else "")
    return text + " unsigned" * kind.unsigned + " zerofill" * kind.zerofill


def _printed_arguments(kind: Type, server: Flavor) -> tuple[str, ...]:
    # https://dev.mysql.com/doc/relnotes/mysql/8.0/en/news-8-0-19.html: widths went away, but of Booleans and zerofill.
    widths = server.mariadb or server.version < (8, 0, 19)
    if kind.name in _WIDTHS:
        if not kind.arguments and (widths or kind.zerofill):
            return (str(_WIDTHS[kind.name][kind.unsigned]),)
        boolean = kind.name == "tinyint" and kind.arguments == ("1",) and not kind.unsigned
        return kind.arguments if widths or kind.zerofill or boolean else ()
    if kind.name == "year":
        return (kind.arguments or ("4",)) if widths else ()
    if kind.name == "decimal":
        return (*(kind.arguments or ("10",)), "0")[:2]
    if kind.name in _SIZES or (kind.name in _TIMES and kind.arguments == ("0",)):
        return ()
    return kind.arguments or (("1",) if kind.name in _ONE else ())


@dataclass(frozen=True, slots=True)
class Numbers:
    """What `information_schema.columns` says of a type in numbers."""

    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    fraction_digits: int | None = None


def numbers(kind: Type, charset: str | None, server: Flavor) -> Numbers:
    """Returns the type's numbers.

    Args:
        kind: the type.
        charset: the column's character set; a text's length is in bytes of its shortest characters.
        server: the server, as flavours count the digits of some types in their own way.
    """
    given = [int(argument) for argument in kind.arguments if argument.isdigit()]
    if kind.name in _WIDTHS:
        more = kind.unsigned and (kind.name == "bigint" or (kind.name == "mediumint" and server.mariadb))
        return Numbers(precision=_DIGITS[kind.name] + more, scale=0)
    if kind.name in {"float", "double"}:
        precision, scale = given or (_DIGITS[kind.name], None)
        return Numbers(precision=precision, scale=scale)
    if kind.name == "decimal":
        precision, scale = [*(given or [10]), 0][:2]
        return Numbers(precision=precision, scale=scale)
    if kind.name == "bit":
        return Numbers(precision=given[0] if given else 1)
    if kind.name in _TIMES:
        return Numbers(fraction_digits=given[0] if given else 0)
    return Numbers(length=_length(kind, given, charset, server))


def _length(kind: Type, given: list[int], charset: str | None, server: Flavor) -> int | None:
    if kind.name in {"char", "varchar", "binary", "varbinary"}:
        return given[0] if given else 1
    if kind.name in _SIZES:
        return _SIZES[kind.name] // shortest(charset or "")
    if kind.name == "enum":
        return max(len(label) for label in kind.labels)
    if kind.name == "set":
        return len(",".join(kind.labels))
    # A vector of MariaDB is a varbinary underneath.
    return given[0] * 4 if kind.name == "vector" and server.mariadb and given else None


def charset_written(kind: Type, server: Flavor) -> str | None:
    """Returns the character set that the type says, by the name that the server gives it."""
    return charset_name(kind.charset, server) if kind.charset else None
