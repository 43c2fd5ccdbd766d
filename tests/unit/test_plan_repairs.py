"""What a plan says of repairs for a source that cannot be asked in MySQL's words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter

from tests.unit.test_plan import column, plan_of
from vecferry.mapping.checks import Abilities, checks_of, key_fact
from vecferry.model import Plan, TargetColumn, TargetTable
from vecferry.origin import Answer

if TYPE_CHECKING:
    from vecferry.model import ColumnPlan

NOTE = column("note", "varchar", "varchar(200)", length=200)
DOC = column("doc", "longtext")
NUMBER = column("number", "decimal", "decimal(10,4)", precision=10, scale=4)
STATE = column("state", "varchar", "varchar(9)", length=9)


def there(name: str, full_type: str, kind: str = "b", labels: tuple[str, ...] = ()) -> TargetColumn:
    return TargetColumn(name, full_type, kind, nullable=True, has_default=False, labels=labels)


COLUMNS = (
    there("note", "character varying(20)"),
    there("doc", "jsonb"),
    there("number", "numeric(6,2)"),
    there("state", "app.state", "e", ("new", "old")),
)
KINDS = ("nul-byte", "too-long", "json-escape", "json-text", "out-of-range", "too-precise", "unknown-label")


def planned(**options: Any) -> Plan:
    answers = {("t", entry.name, kind): Answer(1) for entry in (NOTE, DOC, NUMBER, STATE) for kind in KINDS}
    return plan_of(NOTE, DOC, NUMBER, STATE, there=TargetTable("t", COLUMNS, empty=True), answers=answers, **options)


def by_name(plan: Plan) -> dict[str, ColumnPlan]:
    return {entry.name: entry for entry in plan.table("t").columns}


def test_repairs_stand_in_the_order_in_which_they_wrap_the_value() -> None:
    on = ["nul-byte=replace", "too-long=truncate", "json-escape=replace", "json-text=replace", "out-of-range=null",
          "too-precise=truncate", "unknown-label=null"]  # fmt: skip
    found = by_name(planned(on=on))
    assert found["note"].repairs == (("nul-byte", "replace"), ("too-long", "truncate"))
    assert found["note"].select.startswith("LEFT(CONVERT(REPLACE(")
    assert found["doc"].repairs == (("json-escape", "replace"), ("json-text", "replace"))
    assert found["number"].repairs == (("out-of-range", "null"), ("too-precise", "truncate"))
    assert found["state"].repairs == (("unknown-label", "null"),)


def test_a_guard_nulls_what_has_a_repair_to_null() -> None:
    plan = planned(on_invalid="reject")
    found = by_name(plan)
    assert {guard.reason for guard in plan.table("t").guards} == set(KINDS)
    # What has too many digits is set aside by its guard alone.
    assert found["number"].repairs == (("out-of-range", "null"),)
    assert found["note"].repairs == (("nul-byte", "null"), ("too-long", "null"))


def test_only_an_enum_that_is_there_has_labels() -> None:
    found = by_name(planned(on_invalid="reject"))
    assert {name: entry.labels for name, entry in found.items()} == {
        "note": (),
        "doc": (),
        "number": (),
        "state": ("new", "old"),
    }


def test_repairs_come_back_from_the_ledger_and_older_plans_have_none() -> None:
    plan = planned(on_invalid="null")
    adapter = TypeAdapter(Plan)
    kept = orjson.dumps(dataclasses.asdict(plan))
    assert adapter.validate_json(kept) == plan
    older = orjson.loads(kept)
    for entry in older["tables"][0]["columns"]:
        del entry["repairs"], entry["labels"]
    assert by_name(adapter.validate_json(orjson.dumps(older)))["note"].repairs == ()


def test_checks_carry_what_their_conditions_say() -> None:
    abilities = Abilities(json=True, lookaround=True, flat_shapes=True)
    [label] = checks_of(STATE, COLUMNS[3], abilities)
    assert (label.kind, label.target_type, label.labels) == ("unknown-label", "app.state", ("new", "old"))
    assert {check.target_type for check in checks_of(NUMBER, COLUMNS[2], abilities)} == {"numeric(6,2)"}
    assert key_fact("i", [NOTE, DOC]).columns == ("note", "doc")
