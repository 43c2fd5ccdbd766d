"""Standard input, kept in a file that only its owner can read for as long as the process lasts."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from vecferry.dump.files import check_file
from vecferry.errors import SourceError

_lock = threading.Lock()
_kept: list[Path] = []


def spooled() -> str:
    """Returns the path of a file with all that standard input had, compressed or not, as it came.

    Raises:
        SourceError: there was nothing, or no room for it.
    """
    with _lock:
        if not _kept:
            _kept.append(_spool())
        return str(_kept[0])


def _spool() -> Path:
    if sys.stdin.isatty():
        raise SourceError("--source - reads a dump from standard input, and nothing is piped into it")
    try:
        # Its mode is 0600: the dump has all that the database has.
        with tempfile.NamedTemporaryFile(prefix="vecferry-", suffix=".sql", delete=False) as file:
            path = Path(file.name)
            atexit.register(path.unlink, missing_ok=True)
            shutil.copyfileobj(sys.stdin.buffer, file, 1024 * 1024)
    except OSError as error:
        raise SourceError(
            f"standard input cannot be kept in {tempfile.gettempdir()}: {error.strerror}: TMPDIR names another place"
        ) from error
    check_file(path, "standard input")
    return path
