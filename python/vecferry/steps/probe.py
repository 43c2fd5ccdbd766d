"""Asks the target whether it would take the expressions and views of a plan; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.target.probe import refusal, view_refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vecferry.plan.findings import Probe
    from vecferry.target.connect import Connection


def ask_target(connection: Connection, probes: Iterable[Probe]) -> dict[Probe, str]:
    """Returns PostgreSQL's words for each probe that it refuses.

    Raises:
        psycopg.Error: the server gave no answer.
    """
    answers = {probe: _ask(connection, probe) for probe in dict.fromkeys(probes)}
    return {probe: words for probe, words in answers.items() if words}


def _ask(connection: Connection, probe: Probe) -> str | None:
    relations = {name: dict(columns) for name, columns in probe.relations}
    if probe.kind == "view":
        return view_refusal(connection, relations, probe.text)
    columns = next(iter(relations.values()), {})
    return refusal(connection, columns, probe.text, probe.kind)
