"""Imports vecferry once and forks a process for each command: a campaign of hundreds need not wait for the drivers.

Reads requests and writes answers, a line of JSON each, on stdin and stdout.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

import vecferry.pipeline  # noqa: F401 - what the command would import
from vecferry.cli import main


def _become(request: dict[str, Any]) -> NoReturn:
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["vecferry", *request["arguments"]]
    for number, path in enumerate(("/dev/null", request["out"], request["err"])):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    try:
        main()
    except SystemExit as error:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(error.code or 0))


def _answer(request: dict[str, Any]) -> int | None:
    if "arguments" in request:
        return os.fork() or _become(request)
    pid, status = os.waitpid(request["pid"], 0 if request["wait"] else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def _serve() -> None:
    for line in sys.stdin:
        answer = _answer(json.loads(line))
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
