"""Values that could not be carried, in a file beside the script: one JSON object a line, its owner's alone."""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from vecferry.errors import TargetError
from vecferry.script.output import regular_file

if TYPE_CHECKING:
    import pyarrow as pa

    from vecferry.convert.batches import Fault


class RejectFile:
    """The file, made when the first value comes, under a temporary name until the script is whole.

    Args:
        path: where it will lie. A device or a pipe is written to, never replaced or taken away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made = regular_file(str(path))
        self.values = 0
        self._temporary: Path | None = None
        self._file: BinaryIO | None = None

    def add(self, table: str, key: dict[str, Any] | None, fault: Fault, action: str, row: pa.RecordBatch) -> None:
        """Keeps a value and its row.

        Args:
            table: the table's name in the source.
            key: the row's key, by column; None of a table without one.
            fault: what is wrong.
            action: `reject` where the row is left out, `null` where the value became NULL.
            row: the row as it was read, a batch of one.

        Raises:
            TargetError: the file cannot be written.
        """
        entry = {
            "table": table,
            "key": key,
            "column": fault.column,
            "reason": fault.reason,
            "message": fault.message,
            "action": action,
            "original": _plain(fault.original),
            "row": {name: _plain(values[0].as_py()) for name, values in zip(row.schema.names, row.columns, strict=True)
                    if not name.startswith("vecferry_")},
        }  # fmt: skip
        with self._told():
            if self._file is None:
                self._file = self._opened()
            self._file.write(orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE))
        self.values += 1

    def keep(self) -> None:
        """Gives the file its name; where no value was set aside, one of an earlier call goes away.

        Raises:
            TargetError: that is refused.
        """
        with self._told():
            if self._file is not None:
                self._file.close()
            if self._made is None:
                return
            if self._temporary is None:
                self._made.unlink(missing_ok=True)
                return
            self._temporary.replace(self._made)
            self._temporary = None

    def _opened(self) -> BinaryIO:
        if self._made is None:
            return self.path.open("wb")
        handle, name = tempfile.mkstemp(prefix=f".{self._made.name}.", suffix=".part", dir=self._made.parent)
        self._temporary = Path(name)
        return os.fdopen(handle, "wb")

    def drop(self) -> None:
        """Takes away what has no name yet."""
        if self._file is not None:
            self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _told(self) -> Any:  # noqa: ANN401 - contextlib's own
        try:
            yield
        except OSError as error:
            raise TargetError(f"cannot write rejects to {self.path}: {error.strerror or error}") from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever Arrow holds
    """Returns bytes as text where they are text, else in base64, as `{"base64": ...}`."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
