"""Sends a request of `[smoke]` to the application and compares its answer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from vecferry.errors import mask
from vecferry.expected import mismatches, shortened, shown
from vecferry.report.report import SmokeResult
from vecferry.web import Answer, WebError, exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecferry.sections import HttpCheck


def check_http(
    check: HttpCheck, base_url: str, headers: dict[str, str], seconds: float, secrets: Sequence[str]
) -> SmokeResult:
    """Sends a request; a redirect is an answer like any other.

    Args:
        check: the request, and the answer that it must get.
        base_url: what the path is appended to.
        headers: with their variables' values.
        seconds: the most that it may take.
        secrets: what must not be seen of what comes back.
    """
    body, kind = _body(check.body)
    given = {name.lower() for name in headers}
    sent = {**headers, **({"Content-Type": kind} if kind and "content-type" not in given else {})}
    started = time.perf_counter()
    try:
        answer = exchange(check.method, base_url.rstrip("/") + check.path, sent, body, seconds)
    except WebError as error:
        passed, found = False, f"the request failed: {error}"
    else:
        passed, found = _judged(check, answer)
    taken = round(1000 * (time.perf_counter() - started), 1)
    return SmokeResult(check.name, "http", passed, _expectation(check), mask(found, *secrets), taken)


def _body(body: Any) -> tuple[bytes | None, str | None]:  # noqa: ANN401 - a value of TOML
    if body is None:
        return None, None
    if isinstance(body, str):
        return body.encode(), None
    return json.dumps(body, ensure_ascii=False, default=str).encode(), "application/json"


def _judged(check: HttpCheck, answer: Answer) -> tuple[bool, str]:
    status = f"status {answer.status}"
    if answer.status != check.status:
        what = f" (to {answer.location})" if answer.location else f": {_text(answer.body)}" if answer.body else ""
        return False, status + what
    if not check.fields and not check.present:
        return True, status
    try:
        document = json.loads(answer.body)
    except ValueError:
        return False, f"{status}, but no JSON: {_text(answer.body)}"
    wrong = mismatches(document, check.fields, check.present)
    return not wrong, f"{status}, {', '.join(wrong)}" if wrong else status


def _expectation(check: HttpCheck) -> str:
    wanted = [f"status {check.status}"]
    wanted += [f"{path} = {shown(value)}" for path, value in check.fields.items()]
    wanted += [f"{path} not empty" for path in check.present]
    return ", ".join(wanted)


def _text(body: bytes) -> str:
    return shortened(body[:4096].decode("utf-8", "replace")) or "an empty answer"
