"""vecferry: a MySQL or MariaDB database becomes PostgreSQL + pgvector, JSON embeddings become vectors.

The public API:

    from vecferry import diagnose, load_config, load_scope, make_plan, migrate, verify

    config = load_config(source="mysql://...", target="postgresql://...")
    report = migrate(config)
    diagnosis = diagnose(load_scope(target="postgresql://..."))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vecferry.backups.backup import backup
    from vecferry.backups.check import check_backup
    from vecferry.config import Config, load_scope, load_source
    from vecferry.config import load as load_config
    from vecferry.doctor.diagnose import diagnose
    from vecferry.errors import VecferryError
    from vecferry.pipeline import make_plan, migrate
    from vecferry.progress import Progress
    from vecferry.proof import verify
    from vecferry.rejects import drop_rejects, list_rejects, retry_rejects
    from vecferry.report.report import Report
    from vecferry.report.verification import Verification
    from vecferry.search import search_quality
    from vecferry.smoke import run_smoke

__all__ = [
    "Config",
    "Progress",
    "Report",
    "VecferryError",
    "Verification",
    "backup",
    "check_backup",
    "diagnose",
    "drop_rejects",
    "list_rejects",
    "load_config",
    "load_scope",
    "load_source",
    "make_plan",
    "migrate",
    "retry_rejects",
    "run_smoke",
    "search_quality",
    "verify",
]

_HOMES = {
    "Config": ("config", "Config"),
    "Progress": ("progress", "Progress"),
    "Report": ("report.report", "Report"),
    "VecferryError": ("errors", "VecferryError"),
    "Verification": ("report.verification", "Verification"),
    "backup": ("backups.backup", "backup"),
    "check_backup": ("backups.check", "check_backup"),
    "drop_rejects": ("rejects", "drop_rejects"),
    "diagnose": ("doctor.diagnose", "diagnose"),
    "load_config": ("config", "load"),
    "load_source": ("config", "load_source"),
    "load_scope": ("config", "load_scope"),
    "make_plan": ("pipeline", "make_plan"),
    "list_rejects": ("rejects", "list_rejects"),
    "migrate": ("pipeline", "migrate"),
    "retry_rejects": ("rejects", "retry_rejects"),
    "verify": ("proof", "verify"),
    "run_smoke": ("smoke", "run_smoke"),
    "search_quality": ("search", "search_quality"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the names above, each of its own type
    """Imports a public name when it is asked for: `vecferry --help` needs no database driver."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)
