"""What a verification has compared, a line a chunk, in the report's directory: nothing is written to the servers."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter

from vecferry.compare.found import Found
from vecferry.verifier import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.config import Config
    from vecferry.steps.verify_cells import Check

NAME = "verify.jsonl"
_FOUND = TypeAdapter(Found)


class FileJournal(Journal):
    """Remembers chunks across calls with the same ends and options; a chunk is known again by its rule and range.

    Args:
        directory: where the file lies.
        config: the call's.
    """

    def __init__(self, directory: Path, config: Config) -> None:
        self._path = directory / NAME
        options = config.model_dump(mode="json", exclude={"source", "target", "workers", "retries", "yes"})
        ends = (config.source_at.place, config.target_url.place)
        self._own = _hash(orjson.dumps([ends, options], option=orjson.OPT_SORT_KEYS))
        self._known = self._read()
        self._file = self._path.open("ab")
        self._path.chmod(0o600)

    def found(self, check: Check, number: int) -> Found | None:
        """Returns what was found in a chunk, None where it was not compared yet."""
        return self._known.get(self._name(check, number))

    def record(self, check: Check, number: int, found: Found) -> None:
        """Keeps what was found in a chunk."""
        self._file.write(orjson.dumps({"chunk": self._name(check, number), "found": asdict(found)}) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Forgets everything: the verification is done."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _name(self, check: Check, number: int) -> str:
        return _hash(repr((self._own, check.target, check.rule, check.chunks[number])).encode())

    def _read(self) -> dict[str, Found]:
        known = {}
        for line in self._path.read_bytes().splitlines() if self._path.exists() else ():
            try:
                entry = orjson.loads(line)
                known[entry["chunk"]] = _FOUND.validate_python(entry["found"])
            except (orjson.JSONDecodeError, KeyError, ValueError):
                continue  # the last line of a call that was killed
        return known


def _hash(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:32]
