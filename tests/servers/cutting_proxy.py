"""A TCP proxy before a server that cuts every connection at a moment of the test's choice."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class CuttingProxy:
    """Carries bytes both ways; resets all connections once, when the client has spoken so many times.

    Use it as a context manager.

    Args:
        url: the server's; `self.url` is the same by way of the proxy.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = parts.hostname, parts.port
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._left: int | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        login = f"{parts.username}:{parts.password}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=login))

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._reset()

    def cut_after(self, times: int | None) -> None:
        """Cuts when the client has spoken `times` times from now on; None does not."""
        with self._lock:
            self._left = times

    @property
    def has_cut(self) -> bool:
        """Whether the last cut asked for was made."""
        with self._lock:
            return self._left is None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                with self._lock:
                    self._open += [client, server]
                for reader, writer, speaks in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=(reader, writer, speaks), daemon=True).start()

    def _carry(self, reader: socket.socket, writer: socket.socket, speaks: bool) -> None:
        with suppress(OSError):
            while data := reader.recv(1 << 16):
                if speaks and self._is_time():
                    self._reset()
                    return
                writer.sendall(data)
        for end in (reader, writer):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_time(self) -> bool:
        with self._lock:
            if self._left is None:
                return False
            self._left -= 1
            if self._left > 0:
                return False
            self._left = None
            return True

    def _reset(self) -> None:
        with self._lock:
            ends, self._open = self._open, []
        for end in ends:
            with suppress(OSError):
                # Closing without lingering sends RST instead of FIN.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()
