"""A backup, and the check of one, as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from vecferry.report.console import seconds_words, size_words
from vecferry.words import count_words

if TYPE_CHECKING:
    from vecferry.backups.check import BackupCheck
    from vecferry.backups.manifest import Manifest


def render_backup(manifest: Manifest, directory: str) -> RenderableType:
    """Returns what was backed up, for reading."""
    lines = [
        Text(f"{manifest.server.place} is backed up in {directory}", style="bold"),
        Text(f"  {_size(manifest)}"),
        Text(f"  server {manifest.server.version}, {manifest.client.name} {manifest.client.version}"),
    ]
    if (position := manifest.position) is not None:
        gtid = f", GTID {position.gtid}" if position.gtid else ""
        lines.append(Text(f"  binary log {position.file}:{position.offset}{gtid}"))
    return Group(*lines, *(Text(f"note: {note}", style="yellow") for note in manifest.notes))


def render_check(check: BackupCheck) -> RenderableType:
    """Returns what the check has shown, for reading."""
    if check.status == "damaged":
        heading = Text(f"{check.directory} is damaged: {count_words(len(check.problems), 'problem')}", style="bold red")
        return Group(heading, *(Text(f"- {problem}") for problem in check.problems))
    parts: list[RenderableType] = [Text(f"{check.directory} is whole", style="bold green")]
    if check.manifest is not None:
        made = f"of {check.manifest.server.place}, {check.manifest.finished}"
        parts.append(Text(f"  {made}: {_size(check.manifest)}, read in {seconds_words(check.seconds)}"))
    return Group(*parts)


def _size(manifest: Manifest) -> str:
    text = size_words(sum(file.uncompressed_bytes for file in manifest.files))
    written = size_words(sum(file.bytes for file in manifest.files))
    tables, rows = count_words(len(manifest.tables), "table"), count_words(manifest.rows, "row")
    return f"{tables}, {rows}, {text} of SQL in {count_words(len(manifest.files), 'file')} of {written}"
