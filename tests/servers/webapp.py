"""A small real HTTP server for tests: answers by path, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What a path answers with."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    """In chunks of three bytes, as a server that does not know the length beforehand."""
    drip: bool = False
    """Say that much is to come, and send a byte at a time until the client goes away."""
    hold: threading.Event | None = None
    """Say nothing before this is set."""

    @classmethod
    def of(cls, document: Any, status: int = 200) -> Reply:
        """Returns a JSON answer."""
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


class WebApp:
    """The server: `routes` says what each `METHOD /path` answers, `asked` what came."""

    def __init__(self, routes: dict[str, Reply | Callable[[Asked], Reply]]) -> None:
        self.routes = routes
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                app.asked.append(asked)
                reply = app.routes.get(f"{self.command} {self.path}", Reply(404, b"no such path"))
                app.send(self, reply if isinstance(reply, Reply) else reply(asked))

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        """Answers a request."""
        if reply.hold is not None:
            reply.hold.wait()
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if reply.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        elif "Content-Length" not in reply.headers:
            handler.send_header("Content-Length", "1000000" if reply.drip else str(len(reply.body)))
        handler.end_headers()
        try:
            while reply.drip and not self.stopping.wait(0.02):
                handler.wfile.write(b"x")
            if reply.chunked:
                pieces = [reply.body[start : start + 3] for start in range(0, len(reply.body), 3)]
                handler.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b"")))
            elif handler.command != "HEAD":
                handler.wfile.write(reply.body)
        except OSError:
            return


@contextmanager
def web_app(routes: dict[str, Reply | Callable[[Asked], Reply]]) -> Iterator[WebApp]:
    """Runs a server on a free port of this machine."""
    app = WebApp(routes)
    thread = threading.Thread(target=app.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        app.stopping.set()
        app.server.shutdown()
        app.server.server_close()
        thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """A URL of this machine where nobody listens, and nobody else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
