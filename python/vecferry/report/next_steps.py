"""What remains to be done after a run, as a list to tick off; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do; `code` is a command or a piece of a program."""

    title: str
    text: str = ""
    code: str = ""


def next_steps(report: Mapping[str, Any]) -> tuple[NextStep, ...]:
    """Returns the steps from where the run ended to an application on PostgreSQL.

    Args:
        report: the object of `report.json`.
    """
    details = report.get("details") or {}
    source, target = details.get("source", "the source"), details.get("target", "the target")
    url = f"postgresql://USER@{target}"
    if report["status"] == "stopped":
        return (
            NextStep("Settle the cause, then go on", report["failure"]["advice"]),
            NextStep(
                "Or take the run back",
                "With --restart, vecferry lists what the run made, drops or empties it after asking, and begins anew.",
                _command("migrate", f"-s mysql://USER@{source}", f"-t {url}", "--restart"),
            ),
            NextStep("The application stays where it is", f"Nothing has been changed in {source}."),
        )
    return (*_before(report, source, url), *_cut_over(report, details, source, target, url), *_after(source, url))


def _before(report: Mapping[str, Any], source: str, url: str) -> list[NextStep]:
    steps = []
    if report["status"] == "differences":
        steps.append(
            NextStep(
                "Look into the differences first",
                "Do not switch the application before each is explained. The same command verifies again.",
            )
        )
    if report["rejects"]:
        steps.append(
            NextStep(
                "Land what was set aside, or agree that it stays behind",
                "Correct the values in the source and retry them; the store keeps their original bytes.",
                f"vecferry rejects list -t {url}\n"
                + _command("rejects retry", f"-s mysql://USER@{source}", f"-t {url}"),
            )
        )
    if report["losses"]:
        steps.append(
            NextStep("Agree to what was changed or left out", "The list is above; triggers and routines are in it.")
        )
    return steps


def _cut_over(
    report: Mapping[str, Any], details: Mapping[str, Any], source: str, target: str, url: str
) -> list[NextStep]:
    began = details.get("started", "").replace("T", " ").replace("+00:00", " UTC")
    steps = [
        NextStep(
            "Stop all that writes to the source",
            f"Rows written to {source} after {began or 'this run began'} are not in the target. If there are any, keep"
            " the writers stopped and load again.",
            _command("migrate", f"-s mysql://USER@{source}", f"-t {url}", "--truncate"),
        )
    ]
    steps.extend(_entity(vector) for vector in report["vectors"])
    steps.append(
        NextStep(
            "Check the other entities against the schema",
            "It must say that the schema is up to date, or name what the entity declares differently; docs/typeorm.md"
            " has the changes. Never run schema:sync before.",
            "npx typeorm schema:log -d dist/data-source.js",
        )
    )
    steps.append(
        NextStep(
            "Switch the application's URL",
            f"Point the application at {target} and start one instance; read, write and search with it, then start the"
            " others. Statistics are fresh: ANALYZE was run on every table.",
            f"DATABASE_URL={url}",
        )
    )
    return steps


def _entity(vector: Mapping[str, Any]) -> NextStep:
    name = f"{vector['table']}.{vector['column']}"
    # JSON's quoting is TypeScript's, too.
    column = vector["column"] if str(vector["column"]).isidentifier() else _quoted(vector["column"])
    guard = f"@Index({_quoted(vector['index'])}, {{ synchronize: false }})\n" if vector["index"] else ""
    code = (
        f'{guard}@Column({{ type: "vector", length: {vector["dimensions"]}, nullable: true, transformer: {{\n'
        "  to: (v: Float32Array | null) => v && Array.from(v),\n"
        "  from: (v: number[] | null) => v,\n"
        "} })\n"
        f"{column}!: Float32Array | null;"
    )
    text = "TypeORM would otherwise drop the column, or its HNSW index, as unknown to it." if guard else ""
    return NextStep(f"Change the entity of {name}", text, code)


def _command(name: str, *options: str) -> str:
    return " \\\n  ".join((f"vecferry {name}", *options))


def _quoted(text: object) -> str:
    return json.dumps(str(text), ensure_ascii=False)


def _after(source: str, url: str) -> list[NextStep]:
    return [
        NextStep(
            "Watch the first day",
            "Errors of types and constraints in the application's log, slow queries in pg_stat_statements, and what"
            " the health check says of indexes, memory and sequences.",
            f"vecferry doctor -t {url}",
        ),
        NextStep(
            "Keep the way back open",
            f"vecferry has changed nothing in {source}. Until PostgreSQL takes writes, switching the URL back is the"
            " whole rollback; afterwards, new rows would have to be carried back by hand. Keep the source, read-only,"
            " and a backup of it, until nobody would go back.",
        ),
        NextStep(
            "Tidy up",
            "When the reject store is empty and no run is to be continued, the record of the migration can go.",
            "DROP SCHEMA vecferry CASCADE;",
        ),
    ]
