"""The page of types says what the type table says."""

from pathlib import Path

from vecferry.mapping.document import document
from vecferry.mapping.typemap import TYPES

PAGE = Path(__file__).parents[2] / "docs" / "type-mapping.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text() == document(), "run `make docs`"


def test_every_row_is_on_the_page() -> None:
    assert all(f"| `{row.mysql}` |" in document() for row in TYPES)
