"""The catalog of MySQL 8.4, which no test can start here: its answers are files in `mysql84/`, see the README there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
import sqlglot
from sqlglot import exp

from vecferry.mapping.defaults import printed_expression
from vecferry.model import Check, ForeignKey, Index, IndexColumn, Loss, View
from vecferry.source.catalog import read_catalog

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from vecferry.model import Catalog, Column, Table

ANSWERS = Path(__file__).parent / "mysql84"


class Replay:
    """Answers a query from the file of the view that it names: no condition is evaluated, no order made."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._rows: list[tuple[Any, ...]] = []

    def cursor(self) -> Replay:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, query: str, args: tuple[str, ...] = ()) -> None:
        self.asked.append(query)
        if query == "SELECT VERSION()":
            self._rows = [("8.4.6",)]
        elif query == "SELECT DATABASE()":
            self._rows = [("shop",)]
        elif query == "SHOW GRANTS":
            self._rows = [("GRANT SELECT, TRIGGER ON `sh%`.* TO `app`@`%`",)]
        elif query.startswith(("SELECT", "\nSELECT")):
            self._rows = answer(query.replace("%s", "'{}'").format(*args))
        else:
            assert query.startswith("SET SESSION")
            self._rows = []

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


def answer(query: str) -> list[tuple[Any, ...]]:
    """Returns the selected columns in order; of two views, the rows that agree in what the views have in common."""
    select = sqlglot.parse_one(query, dialect="mysql")
    views = [table for table in select.find_all(exp.Table) if table.db == "information_schema"]
    first, *others = (recorded(view.name) for view in views)
    for other in others:
        first = [
            {**left, **right}
            for left in first
            for right in other
            if all(left[k] == right[k] for k in left.keys() & right.keys())
        ]
    return [tuple(value(column, row) for column in select.expressions) for row in first]


def value(selected: exp.Expression, row: dict[str, Any]) -> Any:
    column = selected.find(exp.Column)
    return row[column.name.upper()] if column else None


def recorded(view: str) -> list[dict[str, Any]]:
    file = json.loads((ANSWERS / f"{view}.json").read_text(encoding="utf-8"))
    rows = [dict(zip(file["columns"], row, strict=True)) for row in file["rows"]]
    for row in rows:
        row.update({name: row[name].encode() for name in file["bytes"] if row[name] is not None})
    return rows


def catalog(include: tuple[str, ...] = ()) -> Catalog:
    return read_catalog(cast("Connection[Any]", Replay()), include)


@pytest.fixture(scope="module")
def shop() -> Catalog:
    return catalog()


@pytest.fixture(scope="module")
def customer(shop: Catalog) -> Table:
    return shop.tables[0]


def test_tables(shop: Catalog, customer: Table) -> None:
    assert (shop.server, shop.database) == ("8.4.6", "shop")
    assert [table.name for table in shop.tables] == ["customer", "purchase"]
    assert shop.notes == ("the source's user has no EVENT on the whole database shop: events are not listed",)
    assert (customer.rows_estimate, customer.bytes_estimate, customer.comment) == (1200, 245760, "who buys")
    assert customer.primary_key == ("id",)


def test_queries_ask_for_what_8_4_has() -> None:
    replay = Replay()
    read_catalog(cast("Connection[Any]", replay))
    queries = "\n".join(replay.asked)
    assert "SET SESSION information_schema_stats_expiry = 0" in replay.asked
    assert all(name in queries for name in ("generation_expression", "srs_id", "AS expression_", "enforced"))
    assert "is_visible = 'YES' DESC" in queries
    assert len(replay.asked) == 14


def test_types(customer: Table) -> None:
    number, email = customer.column("id"), customer.column("email")
    assert (number.data_type, number.column_type, number.precision) == ("bigint", "bigint unsigned", 20)
    assert number.unsigned
    assert number.auto_increment
    assert not number.nullable
    assert (email.character_set, email.collation, email.length) == ("utf8mb4", "utf8mb4_0900_ai_ci", 190)
    assert email.comment == "login; it's unique"
    assert customer.column("last").collation == "utf8mb4_bin"
    assert customer.column("größe").column_type == "enum('S','it''s','ü')"
    assert (customer.column("profile").data_type, customer.column("profile").character_set) == ("json", None)
    assert customer.column("area").data_type == "geomcollection"
    assert (customer.column("credit").precision, customer.column("credit").scale) == (12, 2)
    assert customer.column("created_at").fraction_digits == 6
    assert [column.name for column in customer.columns if column.srid] == ["place"]
    assert customer.column("place").srid == 4326


def default(column: Column) -> tuple[str | None, bool]:
    return column.default, column.default_is_expression


def test_defaults(customer: Table) -> None:
    found = {column.name: default(column) for column in customer.columns if column.default is not None}
    assert found == {
        "first": ("", False),
        "last": ("NULL", False),
        "größe": ("it's", False),
        "uid": ("uuid()", True),
        "greeting": ("concat(_utf8mb4'é♀',_utf8mb4'!')", True),
        "profile": ("json_object()", True),
        "token": ("0x6162FF", False),
        "flags": ("b'101'", False),
        "age": ("18", False),
        "active": ("1", False),
        "credit": ("0.00", False),
        "created_at": ("CURRENT_TIMESTAMP(6)", True),
        "updated_at": ("CURRENT_TIMESTAMP", True),
        "expires": ("(curdate() + interval 1 year)", True),
    }
    assert "on update" in customer.column("updated_at").extra


def test_generated_columns(customer: Table) -> None:
    assert {column.name: column.expression for column in customer.columns if column.generated} == {
        "full_name": "concat(`first`,_utf8mb4' ',`last`)",
        "label": r"concat(_utf8mb4'it\'s ',`größe`)",
    }
    assert not any(column.expression for column in customer.columns if not column.generated)


def test_invisible_columns_are_columns(shop: Catalog, customer: Table) -> None:
    assert not customer.column("active").nullable
    purchase = shop.tables[1]
    assert purchase.primary_key == ("my_row_id",)
    assert purchase.column("my_row_id").auto_increment


def test_indexes(customer: Table) -> None:
    tags = r"cast(json_extract(`profile`,_utf8mb4'$.tags') as char(20) array)"
    assert customer.indexes == (
        Index("by_email", (IndexColumn("", expression="lower(`email`)"),), unique=False),
        Index("by_tag", (IndexColumn("", expression=tags),), unique=False),
        Index("email_key", (IndexColumn("email"),), unique=True),
        Index(
            "newest",
            (
                IndexColumn("created_at", descending=True),
                IndexColumn("", expression="(`age` + 1)"),
                IndexColumn("last", 10),
            ),
            unique=False,
        ),
        Index("places", (IndexColumn("place"),), unique=False, kind="SPATIAL"),
        Index("words", (IndexColumn("last"),), unique=False, kind="FULLTEXT"),
        Index("active_key", (IndexColumn("active"),), unique=True),
    )


def test_foreign_keys(shop: Catalog) -> None:
    assert shop.tables[1].foreign_keys == (
        ForeignKey("purchase_ibfk_1", ("customer_id",), "customer", ("id",), "NO ACTION", "SET NULL"),
    )


def test_checks(shop: Catalog, customer: Table) -> None:
    assert customer.checks == (Check("customer_chk_1", "(`age` >= 0)"),)
    assert shop.tables[1].checks == (
        Check(
            "states",
            r"((`state` in (_utf8mb4'new',_utf8mb4'it\'s')) or regexp_like(`state`,_utf8mb4'^\\w+$'))",
        ),
        Check("umlaut", "(`state` <> _utf8mb4'ü')"),
    )


def test_views(shop: Catalog) -> None:
    purchase = "`shop`.`purchase`"
    assert shop.views == (
        View(
            "spending",
            f"select {purchase}.`customer_id` AS `customer_id`,sum({purchase}.`total`) AS `total` from {purchase}"
            rf" where ({purchase}.`state` <> 'it\'s \\ é') group by {purchase}.`customer_id`",
        ),
    )


def test_leftovers(shop: Catalog) -> None:
    own = "is not carried: TypeORM keeps its own in the target"
    assert shop.leftovers == (
        Loss(
            "hidden",
            None,
            "this view is not carried: the user may not see its definition; grant the user SHOW VIEW on it",
        ),
        Loss("discount", None, "this function is not carried"),
        Loss("tidy", None, "this procedure is not carried"),
        Loss("nightly", None, "this event is not carried"),
        Loss("purchase", None, "trigger stamp is not carried"),
        Loss("migrations", None, f"TypeORM's own record of the source's migrations {own}"),
        Loss("typeorm_metadata", None, f"TypeORM's own record of the source's views and generated columns {own}"),
        Loss(
            "purchase",
            None,
            "CHECK late is not carried: the source does not enforce it: (`state` <> _utf8mb4'late')",
        ),
    )


def test_typeorms_tables_by_name() -> None:
    assert [table.name for table in catalog(("migrations", "p*")).tables] == ["migrations", "purchase"]


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("", ""),
        ("`a` + 1", "`a` + 1"),
        (r"_utf8mb4\'a\\\'b\'", r"_utf8mb4'a\'b'"),
        (r"_utf8mb4\'a\\\\\'", r"_utf8mb4'a\\'"),
        (r"concat('a\'b',`c`)", r"concat('a\'b',`c`)"),
        (r"_latin1\'é\'", "_latin1'é'"),
        (r"_utf8mb4\'♀\'", "_utf8mb4'♀'"),
        (r"_utf8mb4\'x\ny\'", "_utf8mb4'x\ny'"),
    ],
)
def test_printed_expression(printed: str, meant: str) -> None:
    assert printed_expression(printed) == meant
