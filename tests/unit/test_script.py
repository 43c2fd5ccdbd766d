"""The text of a script, the order of its tables and the file that it goes into."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from vecferry.config import load_dump
from vecferry.errors import TargetError, UsageError
from vecferry.mapping import script
from vecferry.model import Catalog, DdlObject, ForeignKey, Plan, SequencePlan, Table
from vecferry.script.order import filling_order
from vecferry.script.output import Output
from vecferry.script.rejected import RejectFile
from vecferry.script.spool import Spool
from vecferry.transformer import Job, transform

if TYPE_CHECKING:
    from pathlib import Path


def catalog(**references: tuple[str, ...]) -> Catalog:
    tables = tuple(
        Table(name, (), foreign_keys=tuple(ForeignKey(f"{name}_{to}", ("x",), to, ("id",), "", "") for to in others))
        for name, others in references.items()
    )
    return Catalog("10.11", "shop", tables)


@pytest.mark.parametrize(
    ("references", "order", "circle"),
    [
        ({"a": ("c",), "b": (), "c": ("b",)}, ("b", "c", "a"), ()),
        ({"a": ("a",), "b": ("elsewhere",)}, ("a", "b"), ()),
        ({"a": ("b",), "b": ("a",), "c": (), "d": ("a", "c")}, ("c", "a", "b", "d"), ("a", "b", "d")),
    ],
)
def test_tables_follow_those_that_they_reference(
    references: dict[str, tuple[str, ...]], order: tuple[str, ...], circle: tuple[str, ...]
) -> None:
    assert filling_order(catalog(**references)) == (order, circle)


def test_whatever_a_file_is_called_the_comment_stays_one() -> None:
    first, *rest = script.opening("Written from a\n\\! rm b\r\v\x1b\u2028é").splitlines()
    assert first == "-- Written from a?\\! rm b????\\xe9"
    assert [line for line in rest if line.startswith("\\")] == ["\\set ON_ERROR_STOP on"]


def test_a_body_never_ends_its_own_block() -> None:
    text = script.block("RAISE WARNING '$vecferry$ $vecferry1$';")
    assert text.startswith("DO $vecferry2$ BEGIN\n")
    assert text.endswith("\nEND $vecferry2$;\n")


def test_names_are_quoted_in_statements_and_in_texts() -> None:
    text = script.sequences("public", (SequencePlan('it"s', "i'd", 5),))
    assert 'SELECT greatest(max("i\'d"), 4) INTO top FROM "public"."it""s";' in text
    assert "pg_get_serial_sequence('\"public\".\"it\"\"s\"', 'i''d')" in text


def test_only_what_may_fail_is_attempted() -> None:
    view = DdlObject("view", "", "v", 'CREATE VIEW "public"."v" AS SELECT \'$vecferry$\'')
    plan = Plan("x", "public", (), (), (), views=(view,))
    assert script.views(plan).startswith("DO $vecferry1$ BEGIN\nEXECUTE 'CREATE VIEW")
    assert "EXCEPTION WHEN OTHERS THEN RAISE WARNING '%', 'the view v was not made: ' || SQLERRM;" in script.views(plan)


def test_tables_are_emptied_at_once() -> None:
    assert script.truncate("public", ["b", "a"]) == 'TRUNCATE\n  "public"."b",\n  "public"."a";\n'
    assert script.truncate("public", []) == ""


def half_of(path: Path) -> None:
    with Output(str(path)) as output:
        output.text("half")
        [found] = [found for found in path.parent.iterdir() if re.fullmatch(r"\.out\.sql\..*\.part", found.name)]
        assert found.read_text() == "half"
        raise RuntimeError


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.sql"
    path.write_text("before")
    with pytest.raises(RuntimeError):
        half_of(path)
    assert [found.read_text() for found in tmp_path.iterdir()] == ["before"]
    with Output(str(path)) as output:
        output.text("whole")
    assert [found.read_text() for found in tmp_path.iterdir()] == ["whole"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_device_or_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.sql"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Output(str(pipe)) as output:
            output.text("whole")
        assert os.read(reader, 10) == b"whole"
    finally:
        os.close(reader)
    RejectFile(pipe).keep()
    assert [found.is_fifo() for found in tmp_path.iterdir()] == [True]


def test_a_link_stays_and_leads_to_the_script(tmp_path: Path) -> None:
    link = tmp_path / "link.sql"
    link.symlink_to("script.sql")
    with Output(str(link)) as output:
        output.text("whole")
    assert link.is_symlink()
    assert (tmp_path / "script.sql").read_text() == "whole"


@pytest.mark.parametrize("places", [("out.sql", "dump.sql"), ("dump.sql", "no.jsonl"), ("out.sql", "out.sql")])
def test_nothing_that_is_read_is_written_over(tmp_path: Path, places: tuple[str, str]) -> None:
    (tmp_path / "dump.sql").write_text("")
    output, rejects = (tmp_path / place for place in places)
    with pytest.raises(UsageError, match="itself: give"):
        transform(load_dump(source="x"), Job(str(tmp_path / "dump.sql"), str(output), rejects=rejects))
    assert [found.name for found in tmp_path.iterdir()] == ["dump.sql"]


def test_rows_come_back_by_table_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path, None)
    for table, rows in (("a", b"1"), ("b", b"2"), ("b", b"3"), ("a", b"4")):
        spool.write(table, rows)
    assert list(tmp_path.iterdir()) == []
    with Output(str(tmp_path / "out")) as output:
        for table in ("b", "a", "none"):
            spool.copy(table, output)
    spool.close()
    assert (tmp_path / "out").read_bytes() == b"2314"


def test_a_full_disk_is_told() -> None:
    with pytest.raises(TargetError, match="/dev/full"), Output("/dev/full.d/out"):
        pass
