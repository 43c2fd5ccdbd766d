"""The source's views, with their SELECT as `information_schema` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecferry.model import Loss, View
from vecferry.source.flavor import plain_text
from vecferry.source.query import rows

if TYPE_CHECKING:
    from pymysql.connections import Connection

_VIEWS = """
SELECT table_name AS name, view_definition AS definition FROM information_schema.views
WHERE table_schema = DATABASE() ORDER BY 1
"""


def read_views(connection: Connection[Any]) -> tuple[tuple[View, ...], tuple[Loss, ...]]:
    """Returns the views, and a loss for each whose definition the server keeps from the user.

    Raises:
        SourceError: the server refused the query.
    """
    views = [View(plain_text(name), plain_text(definition)) for name, definition in rows(connection, _VIEWS)]
    reason = "this view is not carried: the user may not see its definition; grant the user SHOW VIEW on it"
    return (
        tuple(view for view in views if view.definition),
        tuple(Loss(view.name, None, reason) for view in views if not view.definition),
    )
