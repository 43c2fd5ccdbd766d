"""What other users of this machine see of a call in the list of processes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from vecferry.cli.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence


def hide_passwords(arguments: Sequence[str]) -> None:
    """Overwrites this process's command line where it holds a password, as MySQL's own clients do.

    Until then, for as long as Python takes to start, it can be seen.
    """
    invocation = Invocation.of(arguments)
    shown = [invocation.mask(argument) for argument in arguments]
    if shown != list(arguments):
        from setproctitle import setproctitle  # noqa: PLC0415 - most calls have no password in their arguments

        setproctitle(shlex.join(["vecferry", *shown]))
