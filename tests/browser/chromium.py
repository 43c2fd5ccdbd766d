"""Debian's Chromium, headless: installed when it is missing, started in one place."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from vecferry.demo.install import ensure, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

PACKAGES = ("chromium",)


def ensure_chromium(*, install: bool) -> None:
    """Make sure that Chromium is on this machine.

    Args:
        install: Install the package when it is missing, where that needs no password.

    Raises:
        ServerError: It is missing; the message ends with the command to type.
    """
    ensure("Chromium", PACKAGES, lambda: _program() is not None, install=install)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser and stop it again."""
    ensure_chromium(install=False)
    # Chromium's sandbox refuses root; the pages here are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def _program() -> str | None:
    return shutil.which("chromium")


def main() -> int:
    """Install Chromium when it is missing; return 2 after one sentence when that cannot be done."""
    return run(ensure_chromium)


if __name__ == "__main__":
    sys.exit(main())
