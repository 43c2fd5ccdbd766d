"""Which source a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.source.live import LiveSource

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.origin import Source


def source_of(config: Config) -> Source:
    """Returns the source; nothing is opened yet.

    Raises:
        UsageError: the configuration names none.
    """
    return LiveSource(config.source_url)
