"""What `--help` promises; checked against the commands and options that exist."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
import typer

from vecferry.cli import app, run
from vecferry.cli.invocation import MEANINGS
from vecferry.cli.rejects import app as rejects
from vecferry.config import Config
from vecferry.errors import ExitCode

COMMANDS = sorted(command.name or "" for command in app.registered_commands)
EVERY = [*COMMANDS, *(f"rejects {command.name}" for command in rejects.registered_commands)]
NEGATED = {
    "hnsw": "--no-index",
    "examples": "--no-examples",
    "estimate": "--no-estimate",
    "detect_embeddings": "--no-detect",
    "target_schema": "--schema",
}
"""Fields whose option is not called like them."""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)


def command_of(name: str) -> Any:
    command: Any = typer.main.get_command(app)
    for part in name.split():
        command = command.commands[part]
    return command


def help_of(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run([*arguments, "--help"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_only_commands_that_exist_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    listed = re.findall(r"^│ (\w+) ", help_of(capsys=capsys), re.MULTILINE)
    assert (
        sorted(listed)
        == sorted([*COMMANDS, "rejects"])
        == ["backup", "demo", "doctor", "migrate", "plan", "rejects", "smoke", "transform", "verify"]
    )


def test_no_arguments_are_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage: vecferry" in capsys.readouterr().out


@pytest.mark.parametrize("command", EVERY)
def test_every_command_has_a_sentence_and_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of(*command.split(), capsys=capsys)
    assert f"Usage: vecferry {command}" in shown
    examples = re.findall(rf"^\s+vecferry {command}\b.*$", shown.split("Examples:")[1].split("╭")[0], re.MULTILINE)
    assert 2 <= len(examples) <= 4


@pytest.mark.parametrize("command", EVERY)
def test_every_example_is_read_without_a_complaint(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in help_of(*command.split(), capsys=capsys).splitlines()]
    for example in (line for line in lines if line.startswith(f"vecferry {command}")):
        called = re.split(r" [>|] ", example)[0].split()
        words = [word.strip("'") for word in called[1 + len(command.split()) :]]
        command_of(command).make_context(command, words)


@pytest.mark.parametrize("command", EVERY)
def test_every_option_is_documented(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of(*command.split(), capsys=capsys)
    for option in command_of(command).params:
        assert option.help, option.name
        for name in option.opts:
            assert re.search(rf"{name}\b", shown), name


def test_every_field_of_the_configuration_has_an_option_and_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    shown = "".join(help_of(command, capsys=capsys) for command in ("migrate", "plan", "verify"))
    for field in Config.model_fields.keys() - {"smoke", "search", "embedding_endpoint"}:  # sections of the file
        assert NEGATED.get(field, "--" + field.replace("_", "-")) in shown
        assert re.search(rf"VECFERRY_{field.upper()}\b", shown), field


def test_the_defaults_shown_are_those_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of("migrate", capsys=capsys)
    fields = Config.model_fields
    for name in ("distance", "m", "ef_construction", "vector_load", "target_schema"):
        assert f"(default {fields[name].default}; env VECFERRY_{name.upper()})" in shown
    assert "(default 32MiB; env VECFERRY_CHUNK_BYTES)" in shown
    assert "(env VECFERRY_INDEX_MEMORY)" in shown
    assert "default None" not in shown


def test_a_url_in_a_variable_is_not_shown_as_a_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VECFERRY_SOURCE", "mysql://reader:topsecret@db.example/shop")
    shown = help_of("migrate", capsys=capsys)
    assert "topsecret" not in shown
    assert "db.example" not in shown


def test_every_exit_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(MEANINGS) == set(ExitCode)
    shown = help_of(capsys=capsys).split("Exit codes")[1]
    table = dict(re.findall(r"^ +(\d+)  (.+?) *$", shown, re.MULTILINE))
    assert table == {str(code.value): meaning for code, meaning in MEANINGS.items()}


def test_plan_takes_no_option_that_only_migrate_knows() -> None:
    def options(command: str) -> set[str]:
        callback = next(entry.callback for entry in app.registered_commands if entry.name == command)
        assert callback is not None
        return set(inspect.signature(callback).parameters)

    assert options("plan") - options("migrate") == {"verbose", "no_estimate"}
    assert options("migrate") - options("plan") == {
        "restart", "yes", "report", "backup", "consistency", "retries", "max_rejects", "level", "oracle_rows",
        "max_differences", "no_examples",
    }  # fmt: skip
