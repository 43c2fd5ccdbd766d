"""What a report directory may hold of the rows: shortened examples, or none; pure."""

from __future__ import annotations

import re
from typing import Any

LONGEST_EXAMPLE = 80
LONGEST_MESSAGE = 400
WITHHELD = "left out by --no-examples"
_AT = re.compile(r" \(at .*\)", re.DOTALL)
"""Keys in a sentence, as `words.at_words` puts them; to the last bracket, since a key may hold one."""
_VALUE = re.compile(r"\s*[(\"'`=<>].*", re.DOTALL)
"""From the first sign behind which a server's words, or ours, may quote a row, to the end."""


def redacted(report: dict[str, Any], *, examples: bool) -> dict[str, Any]:
    """Returns the object of `report.json` as it may be kept.

    Args:
        report: what `Report.to_json` returns.
        examples: whether keys and messages of single rows may be in it.
    """
    kept = {
        **report,
        "losses": [_entry(loss, examples) for loss in report.get("losses", ())],
        "rejects": [_entry(reject, examples) for reject in report.get("rejects", ())],
        "notes": [note if examples else _AT.sub("", note) for note in report.get("notes", ())],
    }
    if report.get("smoke"):
        kept["smoke"] = [
            entry if examples else {**entry, "expected": "", "found": WITHHELD} for entry in report["smoke"]
        ]
    failure, verification = report.get("failure"), report.get("verification")
    if failure and not examples:
        kept["failure"] = {**failure, "sentence": _sentence(failure["sentence"], loading=bool(report["run_id"]))}
    if verification:
        found = [_difference(entry, examples) for entry in verification.get("differences", ())]
        kept["verification"] = {**verification, "differences": found}
    return kept


def _entry(entry: dict[str, Any], examples: bool) -> dict[str, Any]:
    kept = {
        **entry,
        "examples": [shorten(str(text), LONGEST_EXAMPLE) for text in entry["examples"]] if examples else [],
    }
    if "message" in entry:
        kept["message"] = shorten(entry["message"], LONGEST_MESSAGE) if examples else WITHHELD
    return kept


def _difference(entry: dict[str, Any], examples: bool) -> dict[str, Any]:
    told = {name: entry.get(name) for name in ("key", "source", "target")}
    if entry.get("kind") in {"structure", "count"}:
        return entry
    cut = {name: None if text is None else shorten(str(text), LONGEST_EXAMPLE) for name, text in told.items()}
    return {**entry, **(cut if examples else dict.fromkeys(told))}


def _sentence(text: str, *, loading: bool) -> str:
    """Leaves out of a failure's sentence whatever may be of a row: before the load that is keys alone."""
    kept = _VALUE.sub("", text) if loading else "\n  - ".join(_AT.sub("", line) for line in text.split("\n  - "))
    return text if kept == text else f"{kept} ... (the rest is {WITHHELD})"


def shorten(text: str, longest: int) -> str:
    """Returns `text` with its middle left out where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    tail = longest // 4
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"
