"""The statements that read from MySQL, to the exact string."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from vecferry.mapping.select import literal, quote, range_condition, select
from vecferry.model import ColumnPlan


def column(name: str, expression: str | None = None) -> ColumnPlan:
    return ColumnPlan(
        name=name,
        select=expression or quote(name),
        read_type="int64",
        target_type="bigint",
        wire="int64",
        nullable=False,
    )


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("id", "`id`"),
        ("", "``"),
        ("a`b", "`a``b`"),
        ("``", "``````"),
        ("x'; DROP TABLE t; --", "`x'; DROP TABLE t; --`"),
        ("back\\slash", "`back\\slash`"),
        ('"quoted"', '`"quoted"`'),
        ("two\nlines", "`two\nlines`"),
        ("größe 🐬", "`größe 🐬`"),
        ("percent %s", "`percent %s`"),
    ],
)
def test_quote(name: str, quoted: str) -> None:
    assert quote(name) == quoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-9223372036854775808, "-9223372036854775808"),
        (18446744073709551615, "18446744073709551615"),
        (Decimal("-0.00"), "-0.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890123456789.000000001"), "12345678901234567890123456789.000000001"),
        ("", "''"),
        ("3f2a-11", "'3f2a-11'"),
        ("trailing ", "'trailing '"),
        ("it's", "_utf8mb4 x'69742773'"),
        ("back\\", "_utf8mb4 x'6261636b5c'"),
        ('"', "_utf8mb4 x'22'"),
        ("a\nb", "_utf8mb4 x'610a62'"),
        ("a\0b", "_utf8mb4 x'610062'"),
        ("%s", "_utf8mb4 x'2573'"),
        ("é", "_utf8mb4 x'c3a9'"),
        ("🐬", "_utf8mb4 x'f09f90ac'"),
        ("'; DROP TABLE t; --", "_utf8mb4 x'273b2044524f50205441424c4520743b202d2d'"),
        (b"", "x''"),
        (b"\x00'\xff", "x'0027ff'"),
        (date(2024, 2, 29), "'2024-02-29'"),
        (datetime(2024, 2, 29, 1, 2, 3), "'2024-02-29 01:02:03'"),
        (datetime(2024, 2, 29, 1, 2, 3, 45, tzinfo=UTC), "'2024-02-29 01:02:03.000045'"),
        ("0000-00-00 00:00:00", "'0000-00-00 00:00:00'"),
    ],
)
def test_literal(value: Any, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", [None, True, 1.5, object()])
def test_what_is_no_key_has_no_literal(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be a bound of a key range"):
        literal(value)


def test_range_of_one_column() -> None:
    assert range_condition(["id"], ["1"], ["9"]) == "`id` > 1 AND `id` <= 9"
    assert range_condition(["id"], ["1"], None) == "`id` > 1"
    assert range_condition(["id"], None, ["9"]) == "`id` <= 9"
    assert range_condition(["id"]) == ""


def test_range_of_two_columns() -> None:
    assert range_condition(["a", "b"], ["1", "2"]) == "`a` >= 1 AND (`a` > 1 OR (`a` = 1 AND `b` > 2))"
    assert range_condition(["a", "b"], None, ["3", "4"]) == "`a` <= 3 AND (`a` < 3 OR (`a` = 3 AND `b` <= 4))"


def test_range_of_three_columns() -> None:
    assert range_condition(["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]) == (
        "`a` >= 1 AND (`a` > 1 OR (`a` = 1 AND (`b` > 2 OR (`b` = 2 AND `c` > 3))))"
        " AND `a` <= 4 AND (`a` < 4 OR (`a` = 4 AND (`b` < 5 OR (`b` = 5 AND `c` <= 6))))"
    )


def test_select() -> None:
    columns = [column("id"), column("price", "CAST(`price` AS CHAR)")]
    assert select("items", columns) == "SELECT `id`, CAST(`price` AS CHAR) AS `price` FROM `items`"
    assert select("items", columns, ["id"], ["1"], ["9"], order=True) == (
        "SELECT `id`, CAST(`price` AS CHAR) AS `price` FROM `items` WHERE `id` > 1 AND `id` <= 9 ORDER BY `id`"
    )
    assert select("items", columns[:1], (), order=True) == "SELECT `id` FROM `items`"


def test_select_with_hostile_names() -> None:
    assert select("t`; DROP", [column("a`\n'b")], ["a`\n'b"], ["1"], order=True) == (
        "SELECT `a``\n'b` FROM `t``; DROP` WHERE `a``\n'b` > 1 ORDER BY `a``\n'b`"
    )
