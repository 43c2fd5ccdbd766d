"""The two private servers of the demo, by one import, and a way to start them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from vecferry.demo.mariadb import MariaDB
from vecferry.demo.postgres import Postgres
from vecferry.demo.server import Server, ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MariaDB", "Postgres", "Server", "ServerError", "start_all", "stop_all"]


def start_all(servers: Sequence[Server]) -> None:
    """Start servers side by side; when one fails, stop the others.

    Raises:
        ServerError: One of the servers did not start.
    """
    with ThreadPoolExecutor(len(servers)) as pool:
        futures = [pool.submit(server.start) for server in servers]
    try:
        for future in futures:
            future.result()
    except BaseException:
        stop_all(servers)
        raise


def stop_all(servers: Sequence[Server]) -> None:
    """Stop servers side by side."""
    with ThreadPoolExecutor(len(servers)) as pool:
        for future in [pool.submit(server.stop) for server in servers]:
            future.result()
