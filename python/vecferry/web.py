"""One HTTP request and its answer, within a time; no redirect is followed and nothing is tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from vecferry.errors import one_line

MAX_BODY = 16 * 1024 * 1024
"""The longest answer that is read, in bytes."""


class WebError(Exception):
    """There was no answer; the message completes "the request failed: ..."."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes
    location: str | None
    """Where it redirects to."""
    milliseconds: float


def exchange(method: str, url: str, headers: dict[str, str], body: bytes | None, seconds: float) -> Answer:
    """Sends a request and reads the whole answer.

    Args:
        method: e.g. `GET`.
        url: in full.
        headers: by name.
        body: what is sent, None for nothing.
        seconds: the most that connecting, waiting and reading may take together.

    Raises:
        WebError: there was no answer, not in time, or too long a one.
    """
    started = time.perf_counter()
    with urllib3.PoolManager(num_pools=1) as pool:
        try:
            response = pool.request(
                method,
                url,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(total=seconds),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            with response:
                content = _read(response, started + seconds)
        # urllib3 counts it among the timeouts of connecting.
        except NewConnectionError as error:
            raise WebError(_words(error.__cause__ or error)) from None
        except (ConnectTimeoutError, ReadTimeoutError, TimeoutError):
            raise WebError(f"no answer within {seconds:g} s") from None
        except SSLError as error:
            raise WebError(f"TLS: {_words(error)}") from None
        except (HTTPError, OSError, ValueError) as error:
            raise WebError(_words(error)) from None
    return Answer(response.status, content, response.headers.get("location"), 1000 * (time.perf_counter() - started))


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Reads what comes as it comes: a server that drips would else never be too late."""
    content = bytearray()
    while piece := response.read1(64 * 1024):
        content += piece
        if len(content) > MAX_BODY:
            raise WebError(f"the answer is longer than {MAX_BODY // 1024 // 1024} MiB")
        if time.perf_counter() > deadline:
            raise TimeoutError
    return bytes(content)


def _words(error: BaseException) -> str:
    reason = getattr(error, "strerror", None)
    return str(reason).lower() if reason else one_line(error)
