"""`backup`: the source's own client dumps it, and what it writes is compressed, counted and described as it comes."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vecferry.backups import mydumper, textdump
from vecferry.backups.client import Client, Name, doubts, find_client
from vecferry.backups.command import Scope, option_file
from vecferry.backups.folder import new_folder
from vecferry.backups.manifest import FORMAT, NAME, BinlogPosition, Manifest, Server, TableRows, UsedClient
from vecferry.backups.meter import Meter
from vecferry.errors import ForbiddenError, SourceError, UsageError
from vecferry.progress import Progress
from vecferry.source.connect import connect
from vecferry.source.consistency import held
from vecferry.source.dumping import Dumpable, gtid_at, log_position, look
from vecferry.version import VERSION
from vecferry.words import count_words

if TYPE_CHECKING:
    from pathlib import Path

    from vecferry.backups.frames import Compression
    from vecferry.config import DatabaseURL, SourceScope

_NAMED = 5
_UNTOLD = (
    "the binary log's position is not in the manifest: the server keeps no such log, or the source's user may not ask"
    " for it, see docs/security.md"
)


def backup(
    scope: SourceScope,
    out: Path,
    *,
    client: Name | None = None,
    client_path: Path | None = None,
    lock: bool = False,
    compression: Compression | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Dumps the source into a folder, as it is at one moment.

    The folder holds `manifest.json` and the dump, `dump.sql.zst`, or mydumper's files in `dump`; both are readable by
    their owner alone. Where anything fails, nothing of it stays. Memory is about 50 MB besides the program's own.

    Args:
        scope: the source, and which tables and views of it.
        out: the folder; made if need be, and empty if it is there.
        client: which program dumps; None for the one that suits the server.
        client_path: the program, or the folder that it is in; None for the folders of PATH.
        lock: keep writers out of the tables meanwhile; without it, tables that have no transactions are refused.
        compression: of the dump; None for zstd, and gzip where mydumper writes.
        progress: is told how far it is.

    Returns:
        What `manifest.json` holds.

    Raises:
        UsageError: there is no such client, the folder is in use, or could not be written to.
        SourceError: the source is unreachable, refused, or the client failed.
        ForbiddenError: a table has no transactions and `lock` is not given.
    """
    watch = progress or Progress()
    started = _now()
    with new_folder(out) as folder:
        watch.begin("backup")
        with closing(connect(scope.url)) as connection:
            found = look(connection, scope.tables, scope.exclude)
        program = find_client(mariadb=found.mariadb, wanted=client, place=client_path)
        notes = [
            *doubts(program, mariadb=found.mariadb, version=found.version),
            *found.notes,
            *(
                f"earlier versions of the rows of {table.name} are not in the dump"
                for table in found.tables
                if table.versioned
            ),
        ]
        if not lock:
            _refuse_without_transactions(found)
        if scope.tables and not found.chosen:
            raise UsageError("--exclude leaves nothing of what --tables names: there is nothing to back up")
        for note in notes:
            watch.note(note)
        with _locked(scope.url, found, lock=lock):
            position = _position_now(scope.url) if lock else None
            asked = not lock and _client_can_tell(program, found)
            chosen = _scope(scope, found, position=asked)
            login = option_file(scope.url, program, encrypted=found.encrypted)
            with Meter(watch) as meter:
                if program.maker == "mydumper":
                    names = tuple(thing.name for thing in found.chosen)
                    dump = mydumper.run(
                        program,
                        scope.url,
                        login,
                        chosen,
                        names,
                        found.left_out,
                        folder,
                        compression,
                        meter,
                        encrypted=found.encrypted,
                        locked=lock,
                    )
                else:
                    dump = textdump.run(program, scope.url, login, chosen, folder, compression or "zstd", meter)
            position = position or _with_gtid(scope.url, found, dump.position)
        late = [*dump.words, *([] if position else [_UNTOLD])]
        for note in late:
            watch.note(note)
        manifest = Manifest(
            format=FORMAT,
            tool=f"vecferry {VERSION}",
            server=Server(scope.url.place, "MariaDB" if found.mariadb else "MySQL", found.version_text),
            database=scope.url.database,
            include=scope.tables,
            exclude=scope.exclude,
            client=UsedClient(program.name, program.maker, ".".join(map(str, program.version)), dump.arguments),
            consistency="lock" if lock else "transaction",
            started=started,
            finished=_now(),
            position=position,
            tables=_counted(found, dump.rows),
            views=tuple(thing.name for thing in found.chosen if thing.is_view),
            files=dump.files,
            notes=(*notes, *late),
        )
        folder.write(NAME, json.dumps(manifest.to_json(), indent=2, ensure_ascii=False) + "\n")
        folder.commit()
    watch.end("backup", meter.seconds)
    return manifest


def _refuse_without_transactions(found: Dumpable) -> None:
    unsafe = [f"{thing.name} ({thing.engine or 'no engine'})" for thing in found.tables if not thing.transactional]
    if not unsafe:
        return
    more = f" and {len(unsafe) - _NAMED} more" if len(unsafe) > _NAMED else ""
    raise ForbiddenError(
        f"{count_words(len(unsafe), 'table')} cannot be dumped as of one moment, having no transactions:"
        f" {', '.join(unsafe[:_NAMED])}{more}: keep writers waiting meanwhile with --lock, leave such tables out with"
        " --exclude, or make them InnoDB's"
    )


def _locked(url: DatabaseURL, found: Dumpable, *, lock: bool) -> AbstractContextManager[None]:
    if not lock:
        return nullcontext()
    return held(
        url, [table.name for table in found.tables], instead="leave such tables out with --exclude", again="run again"
    )


def _client_can_tell(program: Client, found: Dumpable) -> bool:
    """Whether the client finds out where the binary log stood at the moment of its snapshot."""
    if program.maker == "mydumper":
        return False
    # Where the snapshot does not tell it, the client locks the whole server for a moment.
    return (found.snapshot_tells and program.maker == "MariaDB") or (found.log_readable and found.may_flush)


def _position_now(url: DatabaseURL) -> BinlogPosition | None:
    with closing(connect(url)) as connection:
        found = log_position(connection)
    return BinlogPosition(found.file, found.offset, found.gtid or None) if found else None


def _with_gtid(url: DatabaseURL, found: Dumpable, position: BinlogPosition | None) -> BinlogPosition | None:
    """Adds what MariaDB knows of a place in its log at any time; a server that has gone by now ends no backup."""
    if position is None or position.gtid or not found.mariadb:
        return position
    gtid = ""
    with suppress(SourceError), closing(connect(url)) as connection:
        gtid = gtid_at(connection, position.file, position.offset)
    return BinlogPosition(position.file, position.offset, gtid or None)


def _scope(scope: SourceScope, found: Dumpable, *, position: bool) -> Scope:
    partial = bool(scope.tables or scope.exclude)
    names = tuple(thing.name for thing in found.chosen) if partial else None
    return Scope(scope.url.database, names, events=found.events, position=position)


def _counted(found: Dumpable, rows: dict[str, int] | None) -> tuple[TableRows, ...]:
    if rows is None:
        return ()
    if missing := [table.name for table in found.tables if table.name not in rows]:
        raise SourceError(
            f"the dump lacks {count_words(len(missing), 'table')}, {', '.join(missing[:_NAMED])}:"
            " dropped, renamed or taken from the user meanwhile",
            advice="run again",
        )
    others = {thing.name for thing in found.chosen if not thing.is_table}
    return tuple(TableRows(name, count) for name, count in sorted(rows.items()) if name not in others)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
