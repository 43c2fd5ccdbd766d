"""vecferry: a MySQL or MariaDB database becomes PostgreSQL + pgvector, JSON embeddings become vectors.

The public API:

    from vecferry import load_config, make_plan, migrate

    config = load_config(source="mysql://...", target="postgresql://...")
    report = migrate(config)
"""

from __future__ import annotations

from vecferry.config import Config
from vecferry.config import load as load_config
from vecferry.errors import VecferryError
from vecferry.pipeline import make_plan, migrate
from vecferry.progress import Progress
from vecferry.report.report import Report

__all__ = ["Config", "Progress", "Report", "VecferryError", "load_config", "make_plan", "migrate"]
