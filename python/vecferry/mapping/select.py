"""Text of MySQL statements that read: identifiers, literals, key ranges and the SELECT of one chunk.

Pure functions of their arguments; nothing here knows a driver or a connection.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.model import ColumnPlan

Value = int | str | bytes | Decimal | date | datetime
"""What a chunk's key can hold."""

_PLAIN = re.compile(r"[A-Za-z0-9 _.:+-]*", re.ASCII)


def quote(identifier: str) -> str:
    """Returns `identifier` as MySQL quotes it, in whatever `sql_mode`."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(value: Value) -> str:
    r"""Returns `value` as a MySQL literal that means the same in every `sql_mode`.

    A string with anything but plain characters is written in hexadecimal: `\` escapes or not according to
    `NO_BACKSLASH_ESCAPES`. Its character set is named, so that the server converts it to the column's, as
    it does with a quoted one; a comparison then runs in the column's collation and on its index.

    Raises:
        TypeError: a value of that type is no key.
    """
    if isinstance(value, str):
        return f"'{value}'" if _PLAIN.fullmatch(value) else f"_utf8mb4 x'{value.encode().hex()}'"
    if isinstance(value, bytes | bytearray):
        return f"x'{bytes(value).hex()}'"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return f"'{value.replace(tzinfo=None).isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    raise TypeError(f"a {type(value).__name__} cannot be a bound of a key range")


def range_condition(key: Sequence[str], lower: Sequence[str] | None = None, upper: Sequence[str] | None = None) -> str:
    """Returns the condition `lower < key <= upper`; empty when both ends are open.

    A composite key is compared column by column, because MariaDB and MySQL before 5.7 read the whole index
    for `(a, b) > (x, y)`. The first column's own bound looks redundant: it is what gives them a range.

    Args:
        key: the names of the columns, in the order of the index.
        lower: a literal for each column, exclusive.
        upper: a literal for each column, inclusive.
    """
    names = [quote(name) for name in key]
    parts = []
    if lower is not None:
        parts.append(_compared(names, lower, ">", ">"))
    if upper is not None:
        parts.append(_compared(names, upper, "<", "<="))
    return " AND ".join(parts)


def _compared(names: Sequence[str], values: Sequence[str], strict: str, last: str) -> str:
    if len(names) == 1:
        return f"{names[0]} {last} {values[0]}"
    condition = f"{names[-1]} {last} {values[-1]}"
    for name, value in zip(reversed(names[:-1]), reversed(values[:-1]), strict=True):
        condition = f"({name} {strict} {value} OR ({name} = {value} AND {condition}))"
    return f"{names[0]} {strict}= {values[0]} AND {condition}"


COUNT_FROM_ZERO = ", @vecferry_bytes = 0"
"""To follow a SET statement: what `within` counts from, in a session of its own."""
_MOST_NUMBER = 18_446_744_073_709_551_615


def within(columns: Sequence[ColumnPlan], most_bytes: int, most_row_bytes: int) -> str:
    """Returns a condition that every row meets, until one is too large, or all together are.

    The query then ends with error 1690: one more than the largest number is out of range. The server holds the values
    anyway, so that counting them takes no scan of its own, and it stops at the very row.

    Args:
        columns: those whose values have no size of their type; none needs no condition.
        most_bytes: of all values of `columns`, as the source holds them.
        most_row_bytes: of those of a row; what is more than the server's `max_allowed_packet` is too much as well.
    """
    if not columns:
        return ""
    together = f"(@vecferry_bytes := @vecferry_bytes + {_sizes(columns)}) > {most_bytes:d}"
    long = [column for column in columns if not column.target_type.startswith("character varying")]
    alone = f" OR {_sizes(long)} > LEAST({most_row_bytes:d}, @@max_allowed_packet)" if long else ""
    return f"{_MOST_NUMBER} + ({together}{alone})"


def computable(columns: Sequence[ColumnPlan]) -> str:
    """Returns a condition that every row meets, until the server would read NULL out of a value.

    An expression whose result is larger than `max_allowed_packet` is NULL, with a warning at most
    (https://mariadb.com/kb/en/server-system-variables/#max_allowed_packet); a column by itself is not. The query ends
    with error 1690, see `within`.

    Args:
        columns: those whose values have no size of their type; none that is an expression needs no condition.
    """
    found = [column for column in columns if column.select != quote(column.source or column.name)]
    if not found:
        return ""
    too_large = " OR ".join(f"{_sizes([column])} >= @@max_allowed_packet" for column in found)
    return f"{_MOST_NUMBER} + ({too_large})"


def _sizes(columns: Sequence[ColumnPlan]) -> str:
    return " + ".join(f"COALESCE(LENGTH({quote(column.source or column.name)}), 0)" for column in columns)


def select(
    table: str,
    columns: Sequence[ColumnPlan],
    key: Sequence[str] = (),
    lower: Sequence[str] | None = None,
    upper: Sequence[str] | None = None,
    *,
    also: str = "",
    order: bool = False,
) -> str:
    """Returns the SELECT of one chunk, with every column under its own name.

    Args:
        table: the table; the connection names the database.
        columns: what is read, in order.
        key: the columns that `lower` and `upper` bound, and that `order` sorts by.
        lower: see `range_condition`.
        upper: see `range_condition`.
        also: a further condition.
        order: whether rows come in the key's order.
    """
    listed = ", ".join(_aliased(column) for column in columns)
    statement = f"SELECT {listed} FROM {quote(table)}"
    conditions = [condition for condition in (range_condition(key, lower, upper), also) if condition]
    if conditions:
        statement += f" WHERE {' AND '.join(conditions)}"
    if order and key:
        statement += " ORDER BY " + ", ".join(quote(name) for name in key)
    return statement


def _aliased(column: ColumnPlan) -> str:
    name = quote(column.name)
    return column.select if column.select == name else f"{column.select} AS {name}"
