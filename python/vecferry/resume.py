"""Which run in the target's ledger a call goes on with, and what it takes over from one that it throws away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.model import TargetObject
from vecferry.plan.fingerprint import fingerprint
from vecferry.target.inspect import read_target

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.model import Catalog
    from vecferry.target import ledger
    from vecferry.target.connect import Connection


def goes_on(run: ledger.Run, target: Connection, config: Config, catalog: Catalog) -> bool:
    """Says whether `run` is the one that is asked for; of a finished one, whether its tables are there, too."""
    if config.truncate or config.restart or _differences(run.fingerprint, fingerprint(catalog, config)):
        return False
    if not run.finished:
        return True
    names = tuple(table.target for table in run.plan.tables)
    state = read_target(target, config.target_url.database, run.plan.target_schema, names)
    return len(state.tables) == len(names)


def refusal(run: ledger.Run, config: Config, catalog: Catalog) -> str | None:
    """Says why an unfinished run cannot be gone on with."""
    differences = _differences(run.fingerprint, fingerprint(catalog, config))
    if not differences:
        return None
    return (
        f"an unfinished run {run.id} is in the target, and this one differs: {'; '.join(differences)}:"
        " go on with the same source and options, or throw it away with --restart"
    )


def dropped_by(run: ledger.Run | None) -> tuple[TargetObject, ...]:
    """Returns the objects of existing tables that `run` has dropped, or would have."""
    if run is None:
        return ()
    existing = [table for table in run.plan.tables if table.create is None]
    objects = [item for table in existing for item in table.after]
    made = [TargetObject("index", spec.table, spec.index, spec.statement) for spec in run.plan.embeddings
            if spec.index and spec.statement and any(spec.table == table.target for table in existing)]  # fmt: skip
    kept = [TargetObject(item.kind, item.table, item.name, item.statement, item.then) for item in objects
            if item.kind in {"index", "foreign key"}]  # fmt: skip
    return (*made, *kept)


def _differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        if name.startswith("table "):
            how = "is new" if name not in old else "is gone" if name not in new else "has changed"
            found.append(f"{name} {how}")
        else:
            found.append(f"{name} was {old.get(name)}, is {new.get(name)}")
    return found
