"""`report.html`: the object of `report.json` as one page that needs nothing else; pure.

No script, no request: the style sheet is the only thing that the page's own policy lets in, by its hash. Text that
comes from the servers passes through `_clean` and Jinja's escaping, names through `_name` besides.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from vecferry.report.console import seconds_words, size_words
from vecferry.report.figures import embeddings, searches, speed, timeline
from vecferry.report.next_steps import next_steps
from vecferry.report.redact import shorten
from vecferry.words import count_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FOLDER = Path(__file__).parent
_LONGEST_NAME = 100
_SHOWN_TABLES = 25
_LISTED = 3
# What no font shows or what ends a line; a text keeps its line breaks and tabs.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")


def render_page(report: Mapping[str, Any]) -> str:
    """Returns the page.

    Args:
        report: the object of `report.json`, as `redact.redacted` leaves it.
    """
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    details = report.get("details") or {}
    tables = sorted(report["tables"], key=lambda table: (_rank(table), -table["bytes_read"], table["name"]))
    noted = [
        f"{entry['table']}.{entry['column']}: {fault}" for entry in report["vectors"] for fault in entry["problems"]
    ]
    return _template().render(
        style=Markup(style),  # noqa: S704 - a file of this package
        digest=digest,
        report=report,
        details=details,
        verdict=_verdict(report),
        figures=_figures(report, details),
        tables=tables[:_SHOWN_TABLES],
        more_tables=tables[_SHOWN_TABLES:],
        timeline=timeline(details.get("steps", ())),
        plots=speed(details.get("throughput")),
        embeddings=embeddings(report, details),
        searches=searches(report.get("search", ())),
        search_problems=report.get("search_problems", ()),
        verification=report.get("verification"),
        notes=[*noted, *report["notes"], *details.get("notes", ())],
        steps=next_steps(report),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": _name,
        "number": lambda value: f"{value:,}",
        "size": size_words,
        "seconds": seconds_words,
        "share": _share,
        "setting": _setting,
        "option": _option,
    }
    return environment.get_template("template.html.j2")


# --- words ---------------------------------------------------------------------------------------


def _clean(value: Any) -> Any:  # noqa: ANN401 - whatever a template shows
    if not isinstance(value, str):
        return value
    return type(value)(_CONTROLS.sub("\ufffd", value))


def _name(text: object) -> Markup:
    """Returns a name or a value of the user's, kept from turning the direction of what stands around it."""
    return Markup("<bdi>{}</bdi>").format(shorten(str(text), _LONGEST_NAME))


def _share(value: float) -> str:
    return f"{100 * value:.4g}".rstrip(".") + "%"


def _setting(value: object) -> str:
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    # A list of words may be wrapped at its commas.
    return f"{value:,}" if isinstance(value, int) else re.sub(r",(?=\S)", ", ", str(value))


def _option(value: object, name: str) -> str:
    if isinstance(value, int) and name in {"chunk_bytes", "index_memory"}:
        return f"{value / 2**20:,.4g} MiB"
    return _setting(value)


def _listed(names: Sequence[str]) -> Markup:
    listed = Markup(", ").join(map(_name, names[:_LISTED]))
    rest = len(names) - _LISTED
    return listed + escape(f" and {rest} more") if rest > 0 else listed


def _rank(table: Mapping[str, Any]) -> int:
    return 0 if table["verified"] == "different" else 1 if table["rows_rejected"] else 2


def _verdict(report: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the kind (`ok`, `warn`, `bad`), the word and the sentence."""
    tables, status = report["tables"], report["status"]
    rows = sum(table["rows_target"] for table in tables)
    carried = f"{count_words(len(tables), 'table')} and {count_words(rows, 'row')}"
    if status == "stopped":
        step = next(
            (step["name"] for step in (report.get("details") or {}).get("steps", ()) if not step["finished"]), ""
        )
        during = f" during the step {step.replace('_', ' ')}" if step else ""
        kept = "what is committed stays" if report["run_id"] else "nothing has been loaded"
        return {"kind": "bad", "word": "Stopped", "sentence": f"The run stopped{during}; {kept}."}
    if status == "differences":
        different = [table["name"] for table in tables if table["verified"] == "different"]
        different += [f"{vector['table']}.{vector['column']}" for vector in report["vectors"] if vector["problems"]]
        where = _listed(different) if different else "the schema"
        return {
            "kind": "bad",
            "word": "Differences",
            "sentence": Markup("Source and target differ in {}.").format(where),
        }
    if status == "rejected":
        out = sum(table["rows_rejected"] for table in tables)
        nulled = sum(entry["count"] for entry in report["rejects"] if entry["action"] == "null")
        what = [f"{count_words(out, 'row')} left out"] if out else []
        what += [f"{count_words(nulled, 'value')} made NULL"] if nulled else []
        sentence = f"{carried} arrived, with {' and '.join(what) or 'values set aside'}."
        return {"kind": "warn", "word": "Incomplete", "sentence": sentence}
    unchecked = sum(table["verified"] == "not checked" for table in tables)
    if unchecked:
        sentence = f"{carried} arrived; {count_words(unchecked, 'table')} could not be checked."
        return {"kind": "warn", "word": "Not all checked", "sentence": sentence}
    whole = f"All {count_words(rows, 'row')} of {count_words(len(tables), 'table')}"
    when = "were carried by an earlier run" if status == "nothing to do" else "arrived"
    return {"kind": "ok", "word": "Verified", "sentence": f"{whole} {when}, and both sides agree."}


def _figures(report: Mapping[str, Any], details: Mapping[str, Any]) -> list[tuple[str, str]]:
    tables, progress = report["tables"], details.get("progress", ())
    entries = tables or progress
    rows = sum(entry["rows_target"] for entry in tables) or sum(entry["rows_written"] for entry in progress)
    size = sum(entry["bytes_read"] for entry in entries)
    found = [
        ("tables", f"{len(entries):,}"),
        ("rows in the target", f"{rows:,}"),
        ("read from the source", size_words(size)),
        ("time", seconds_words(report["seconds"].get("total", 0.0))),
    ]
    speed = details.get("throughput")
    if speed:
        worked = speed["seconds"] * len(speed["bytes_per_second"])
        found.append(("load, mean", f"{size_words(size / worked)}/s"))
    found.append(("rejected", f"{sum(entry['rows_rejected'] for entry in entries):,}"))
    return found
