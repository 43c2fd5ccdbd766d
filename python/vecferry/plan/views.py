"""Views: in PostgreSQL's words, in an order in which each finds what it reads, or left out with the reason; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vecferry.mapping import ddl
from vecferry.mapping.expressions import translate_view
from vecferry.mapping.identifiers import quote, shorten
from vecferry.model import Loss
from vecferry.plan.findings import Probe

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.model import Catalog, DdlObject, View
    from vecferry.plan.findings import Findings


@dataclass(slots=True)
class Views:
    """What becomes of the source's views."""

    objects: tuple[DdlObject, ...] = ()
    losses: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)


def views_of(
    catalog: Catalog,
    config: Config,
    names: dict[str, str],
    types: dict[str, dict[str, str]],
    labels: dict[str, tuple[str, ...]],
    taken: set[str],
    findings: Findings,
) -> Views:
    """Translates every view that can be.

    Args:
        catalog: the source's tables and views.
        config: what the user asked for.
        names: names of tables in the target, by name in the source.
        types: columns and their types in the target, by table in the source.
        labels: the labels of enum types, by the type's name.
        taken: names that the target schema has.
        findings: PostgreSQL's refusals, as far as it was asked.
    """
    found = Views()
    known = dict(names)
    columns = dict(types)
    relations = {names[table]: found for table, found in types.items()}
    texts: dict[str, str] = {}
    left = list(catalog.views)
    reasons: dict[str, str] = {}
    while left:
        waiting: list[View] = []
        for view in left:
            reason = _make(view, catalog, config, known, columns, labels, texts, relations, findings, found, taken)
            if reason is not None:
                reasons[view.name] = reason
                waiting.append(view)
        if len(waiting) == len(left):
            break
        left = waiting
    for view in left:
        reason = f"the view {view.name} is not carried: {reasons[view.name]}: {view.definition}"
        found.losses.append(Loss(view.name, None, reason))
    found.objects = tuple(ddl.create_view(config.target_schema, name, text) for name, text in texts.items())
    return found


def _make(
    view: View,
    catalog: Catalog,
    config: Config,
    known: dict[str, str],
    columns: dict[str, dict[str, str]],
    labels: dict[str, tuple[str, ...]],
    texts: dict[str, str],
    relations: dict[str, dict[str, str]],
    findings: Findings,
    found: Views,
    taken: set[str],
) -> str | None:
    """Adds a view to what is known, or returns why not."""
    name = shorten(view.name)
    if name in taken:
        found.notes.append(f"the view {view.name} is in the target already and stays as it is")
        known[view.name] = name
        return None
    translated = translate_view(view.definition, catalog.database, config.target_schema, known, columns, labels)
    if translated.refusal:
        return translated.refusal
    probe = _probe(translated.text, config, texts, relations)
    found.probes.append(probe)
    if probe in findings.refusals:
        return findings.refusals[probe]
    texts[name] = translated.text
    columns[view.name] = translated.columns
    known[view.name] = name
    return None


def _probe(text: str, config: Config, views: dict[str, str], relations: dict[str, dict[str, str]]) -> Probe:
    """Asks about a view over tables that are not there yet: all that it may read is named without a schema."""
    prefix = quote(config.target_schema) + "."
    listed = tuple((name, tuple(types.items())) for name, types in relations.items() if quote(name) in text or views)
    earlier = ", ".join(f"{quote(name)} AS ({query.replace(prefix, '')})" for name, query in views.items())
    bare = text.replace(prefix, "")
    return Probe("view", listed, f"SELECT * FROM (WITH {earlier} {bare}) AS view" if earlier else bare)
