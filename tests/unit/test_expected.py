"""What the configuration expects, against what JSON and PostgreSQL hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from vecferry.expected import SHOWN, at, mismatches, same, shown


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (3, 3),
        (3, Decimal(3)),
        (12.3, Decimal("12.3")),
        (3, 3.0),
        (True, True),
        ("a", "a"),
        ("2026-01-31", date(2026, 1, 31)),
        (date(2026, 1, 31), date(2026, 1, 31)),
        ("2026-01-31 08:00:00", datetime(2026, 1, 31, 8)),
        ("12345678-1234-5678-1234-567812345678", UUID("12345678123456781234567812345678")),
        ([1, ["a"]], (1, ["a"])),
        ({"a": [1]}, {"a": [1.0]}),
        ("12.30", Decimal("12.30")),
    ],
)
def test_equal(expected: Any, found: Any) -> None:
    assert same(expected, found)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (1, True),
        (True, 1),
        (0, False),
        (3, 4),
        (2**60, 2**60 + 1),
        ("3", 3),
        (3, "3"),
        ("", None),
        ("None", None),
        (0, None),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ("True", True),
    ],
)
def test_not_equal(expected: Any, found: Any) -> None:
    assert not same(expected, found)


def test_paths() -> None:
    document = {"items": [{"id": 7, "a.b": 1}], "x": None, "0": "zero"}
    assert at(document, "items.0.id") == 7
    assert at(document, "items.0.a.b") == 1
    assert at(document, "x") is None
    assert at(document, "0") == "zero"


@pytest.mark.parametrize("path", ["items.1.id", "items.-1", "items.id", "nothing", "items.0.id.more", "x.y"])
def test_paths_that_lead_nowhere(path: str) -> None:
    assert mismatches({"items": [{"id": 7}], "x": None}, {path: 7}, []) == [f"no {path}"]


def test_present_is_neither_null_nor_empty() -> None:
    document: dict[str, Any] = {"a": "", "b": None, "c": [], "d": 0, "e": False}
    assert mismatches(document, {}, ["a", "b", "c", "d", "e", "f"]) == ['a = ""', "b = null", "c = []", "no f"]


def test_a_long_value_is_cut() -> None:
    assert len(shown("x" * 1000)) == SHOWN
