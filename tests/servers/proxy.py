"""A TCP proxy before a server, which cuts, resets and stalls its connections when it is told to."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    import random


class Proxy:
    """Hands bytes on in both directions; `url` is the server's with the proxy's own address.

    Args:
        url: the server's.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = parts.hostname or "127.0.0.1", parts.port or 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        login = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self._listener.getsockname()[1]}"))
        self._lock = threading.Lock()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._flows = threading.Event()
        self._flows.set()
        self.accepted = 0
        self.refusing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes everything."""
        self.flow()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        with self._lock:
            return len(self._pairs)

    def stall(self) -> None:
        """Keeps all bytes back: both sides see a peer that is there and says nothing."""
        self._flows.clear()

    def flow(self) -> None:
        """Lets the bytes go on."""
        self._flows.set()

    def cut(self, dice: random.Random | None = None, *, reset: bool = False) -> int:
        """Ends connections: all, or one of them by the dice; returns how many.

        Args:
            dice: chooses the one.
            reset: with RST, which throws away what was not read yet, instead of FIN.
        """
        with self._lock:
            pairs = list(self._pairs.items())
        if dice is not None and pairs:
            pairs = [dice.choice(pairs)]
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    if reset:
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        # Nothing is sent while another thread of this process sits in recv.
                        end.shutdown(socket.SHUT_RD)
                    else:
                        end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def _lets(self) -> bool:
        """Says whether what a client has said goes on."""
        return True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                if self.refusing:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(self._server)
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._pairs[client] = server
                both = threading.Barrier(2)
                for reader, writer in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(reader, writer, client, both), daemon=True).start()

    def _carry(self, reader: socket.socket, writer: socket.socket, client: socket.socket,
               both: threading.Barrier) -> None:  # fmt: skip
        with suppress(OSError):
            while data := reader.recv(1 << 16):
                if reader is client and not self._lets():
                    break
                self._flows.wait()
                writer.sendall(data)
        for end in (reader, writer):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD)
        with suppress(threading.BrokenBarrierError):
            # The last of the two closes, and with it sends what the linger option says.
            if both.wait(60) == 0:
                with self._lock:
                    self._pairs.pop(client, None)
                reader.close()
                writer.close()
