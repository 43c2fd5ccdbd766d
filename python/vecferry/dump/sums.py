"""Whether the files of a backup are those that `vecferry backup` has written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from vecferry.errors import SourceError

if TYPE_CHECKING:
    from vecferry.dump.files import DumpFiles

MANIFEST = "manifest.json"
_ADVICE = "`vecferry backup --check` says more; take another backup"


def check_sums(files: DumpFiles) -> None:
    """Compares the files of a backup with its manifest; a dump without one is taken as it is.

    Raises:
        SourceError: a file is missing or has changed, or the manifest cannot be read.
    """
    if files.backup is None:
        return
    folder = Path(files.backup)
    for name, expected in _sums(folder).items():
        path = folder / name
        if not path.is_file():
            raise SourceError(f"the backup in {folder} is damaged: {name} is missing", advice=_ADVICE)
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != expected:
            raise SourceError(
                f"the backup in {folder} is damaged: {name} is not what was written, its SHA-256 is another than"
                f" {MANIFEST} says",
                advice=_ADVICE,
            )


def _sums(folder: Path) -> dict[str, str]:
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return {str(file["name"]): str(file["sha256"]) for file in files}
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"the backup in {folder} is damaged: its {MANIFEST} cannot be understood", advice=_ADVICE
        ) from error
