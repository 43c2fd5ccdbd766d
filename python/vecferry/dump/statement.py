"""What the catalog of a dump is read from: its statements, and the settings that they were written under."""

from __future__ import annotations

from typing import Protocol


class SettingsLike(Protocol):
    """What stands before a statement and says how it is read."""

    @property
    def no_backslash_escapes(self) -> bool:
        """Whether a backslash in a string is a backslash."""

    @property
    def ansi_quotes(self) -> bool:
        """Whether `"x"` is a name, not a string."""

    @property
    def server(self) -> str | None:
        """The version of the server that the dump was made of, in its own words."""


class StatementLike(Protocol):
    """A statement of a dump, as the compiled reader tells it."""

    @property
    def kind(self) -> str:
        """`create table`, `create view`, `alter table`, `create trigger`, `drop`, `use`, `other` and so on."""

    @property
    def database(self) -> str | None:
        """Of the name where it is qualified, else of the last USE; None where nothing names one."""

    @property
    def table(self) -> str | None:
        """The name of what the statement is about, where it is about a table or a view."""

    @property
    def text(self) -> str | None:
        """The statement without its delimiter; None of rows."""

    @property
    def line(self) -> int:
        """The line of the file that it begins in, from 1."""

    @property
    def settings(self) -> SettingsLike:
        """The settings in force."""
