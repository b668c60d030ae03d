"""The docs say what is there: commands, targets, settings, tables, charts and links are held against the code."""

import re
from pathlib import Path

import click
import pytest

from salespipe_dagster.charts import charts
from salespipe_dagster.cli import main
from salespipe_dagster.setting_types import PREFIX
from salespipe_dagster.settings import Settings
from salespipe_spark.tables import LAYERS, Table, feeds, tables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/**/*.md"))
EACH = pytest.mark.parametrize("file", DOCS, ids=lambda file: str(file.relative_to(ROOT)))


def code(file: Path) -> list[str]:
    """What is written as code: indented or fenced lines that begin like a command, and `spans`."""
    text = file.read_text(encoding="utf-8")
    fenced = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return fenced + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@EACH
def test_make_targets_exist(file: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word for line in code(file) if (m := re.match(r"(?:\w+=\S+ )*make ([a-z ]+)", line)) for word in m[1].split()
    }
    assert named <= targets


@EACH
def test_commands_and_their_options_exist(file: Path) -> None:
    for line in code(file):
        found = re.match(r"(?:\.venv/bin/)?salespipe ([a-z].*)", line)
        if not found:
            continue
        command: click.Command = main
        words = found[1].split()
        while words and isinstance(command, click.Group) and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not main, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_readme_lists_every_setting() -> None:
    listed = {name for row in re.findall(r"^\|(.*?)\|", README, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    listed |= {name for name in re.findall(rf"`({PREFIX}\w+)`", README) if "PASSWORD" in name}
    assert {name for name in listed if name.startswith(PREFIX)} == {
        f"{PREFIX}{name.upper()}" for name in Settings.model_fields
    }


@pytest.mark.parametrize("layer", LAYERS)
def test_readme_lists_every_table(layer: str) -> None:
    (row,) = re.findall(rf"^\| {layer} \| (.*) \|$", README, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == {table.name for table in tables().values() if table.layer == layer}


@pytest.mark.parametrize("table", feeds(), ids=lambda table: table.name)
def test_readme_lists_every_column_of_a_file(table: Table) -> None:
    """A star says of those that a file may lack that it may."""
    feed, contract = table.contract.feed, table.contract
    assert feed is not None
    (row,) = re.findall(rf"^\| `{feed.folder}/` \| {feed.format.upper()} \| (.*) \|$", README, re.MULTILINE)
    assert re.findall(r"`(\w+)`(?!\\\*)", row) == list(
        dict.fromkeys(c.source or c.name for c in contract.columns if not c.nullable)
    )
    assert re.findall(r"`(\w+)`\\\*", row) == [c.source or c.name for c in contract.columns if c.nullable]


def test_readme_lists_every_chart() -> None:
    assert set(charts()) <= set(re.findall(r"`(\w+)`", README))


@EACH
def test_links_lead_somewhere(file: Path) -> None:
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        assert link.startswith("https://") or (file.parent / link).exists(), link
