"""A TCP proxy before a server that cuts every connection at a moment of the test's choice."""

from __future__ import annotations

from tests.servers.proxy import Proxy


class CuttingProxy(Proxy):
    """Resets all connections once, when the client has spoken so many times."""

    def __init__(self, url: str) -> None:
        self._left: int | None = None
        super().__init__(url)

    def cut_after(self, times: int | None) -> None:
        """Cuts when the client has spoken `times` times from now on; None does not."""
        with self._lock:
            self._left = times

    @property
    def has_cut(self) -> bool:
        """Whether the last cut asked for was made."""
        with self._lock:
            return self._left is None

    def _lets(self) -> bool:
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            if self._left > 0:
                return True
            self._left = None
        self.cut(reset=True)
        return False
