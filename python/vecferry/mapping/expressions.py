"""MySQL's expressions and views in PostgreSQL's words, or the reason why not; pure.

Whatever is not known to mean the same is refused: `translate/` has a rule for each node of the syntax tree that
is translated and none for the rest. What the rules cannot know is announced by the plan instead:

- Text is compared and sorted in MySQL by the column's collation, most often without regard to case and to spaces at
  the end; PostgreSQL compares it exactly. In a CHECK and in a view comparisons, LIKE, GROUP BY, DISTINCT and ORDER BY
  are carried as they stand. A generated column or an index must have the very same value, so there a comparison of
  text is refused.
- LENGTH counts bytes of UTF-8 and LOWER and UPPER follow the target's locale, so generated columns refuse them.
- What is taken out of JSON is printed as jsonb prints it: `1e2` as `100`, an inner document with its keys sorted.
- What does not fit, a sum past 64 bits or a CAST AS DECIMAL with too few digits, is an error in PostgreSQL where MySQL
  may warn and take the nearest value.
- GROUP_CONCAT is cut off by MySQL after `group_concat_max_len` bytes; string_agg is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Use = Literal["default", "generated", "check", "index"]


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of an expression or a view."""

    text: str
    """PostgreSQL's words; empty when refused."""
    refusal: str = ""
    """Why not, as the end of a sentence: `it uses the function CRC32`."""
    columns: dict[str, str] = field(default_factory=dict)
    """The columns of a view and their PostgreSQL types, as far as they are known."""


# What a rule meets in a node that sqlglot fills otherwise than it does for all that the rules were made for.
_ODD = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


def translate_expression(
    text: str,
    columns: Mapping[str, str],
    *,
    use: Use,
    result: str = "",
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Translation:
    """Translates an expression of a table's definition.

    Args:
        text: the expression as information_schema prints it; MySQL's escaped form is understood.
        columns: the table's columns by their MySQL names, with their PostgreSQL types.
        use: what it is for. A CHECK's text is a condition, the others' a value; a generated column's and an index's
            are immutable to PostgreSQL.
        result: the PostgreSQL type of the column that it fills. With it, a value that PostgreSQL would not convert
            as MySQL does is refused, and a condition stays boolean where the column is; without it, it is 0 or 1.
        labels: the labels of enum types, by the type's name in `columns`; PostgreSQL refuses to compare with others.
    """
    # sqlglot takes a fifth of a second to import, and most databases have neither expressions nor views.
    from vecferry.mapping.translate import expression  # noqa: PLC0415 - see above
    from vecferry.mapping.translate.terms import RefusedError  # noqa: PLC0415 - see above

    try:
        return Translation(expression.translate(text, columns, use, result, labels))
    except RefusedError as refused:
        return Translation("", str(refused))
    except _ODD:
        return Translation("", "it is not understood")


def translate_view(
    definition: str,
    database: str,
    schema: str,
    tables: Mapping[str, str],
    columns: Mapping[str, Mapping[str, str]] | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Translation:
    """Translates a view's query.

    Args:
        definition: `view_definition` of information_schema.views.
        database: the MySQL database that it names its tables with.
        schema: the PostgreSQL schema to name them with.
        tables: the tables and views that are carried, by their MySQL names, with their names in the target.
        columns: the columns of each of `tables`, as `translate_expression` takes them. A column of unknown type can
            be selected, compared and counted, and PostgreSQL refuses the view if that was wrong; rules that depend
            on the type refuse it here.
        labels: as for `translate_expression`.
    """
    from vecferry.mapping.translate import view  # noqa: PLC0415 - sqlglot is slow to import
    from vecferry.mapping.translate.terms import RefusedError  # noqa: PLC0415 - as above

    try:
        text, types = view.translate(definition, database, schema, tables, columns or {}, labels)
    except RefusedError as refused:
        return Translation("", str(refused))
    except _ODD:
        return Translation("", "it is not understood")
    return Translation(text, columns=types)
