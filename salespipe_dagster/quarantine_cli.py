"""`salespipe quarantine`: what was put aside of the files that landed, and what only a person can decide."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from salespipe_dagster.settings import Settings
from salespipe_dagster.terminal import console, errors, grid
from salespipe_spark import months
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError

if TYPE_CHECKING:  # what lands files takes long to import, and `--help` does without
    from salespipe_dagster.landing.land import Dock, Landing

FILE = click.argument("file")


@click.group()
def quarantine() -> None:
    """What was put aside of the files that landed: look at it, land it again, or decide about it."""


@quarantine.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of file, status, reason and figures.")
def list_files(*, as_json: bool) -> None:
    """List the files of which something is put aside; held ones, of which nothing has landed, come first."""
    from salespipe_dagster.landing.quarantine import listing

    items = listing(_dock().lake)
    if as_json:
        click.echo(json.dumps([asdict(item) for item in items], indent=2))
        return
    shown = grid("file", "status", "records", "put aside", "why")
    for item in items:
        why = item.reason or ", ".join(f"{number} {reason}" for reason, number in item.reasons.items())
        shown.add_row(_text(item.file), item.status, f"{item.records:,}", f"{item.quarantined:,}", _text(why))
    console.print(shown if items else "Nothing is put aside.")
    held = [item.file for item in items if item.status == "held"]
    if held:
        console.print(f"\nHeld: nothing of them has landed. `salespipe quarantine release {_text(held[0])}` lands")
        console.print("what can be landed of a file, `drop` decides that nothing of it is to land.")


@quarantine.command()
@FILE
@click.option("--most", default=20, show_default=True, type=click.IntRange(min=1), help="How many records.")
def show(file: str, most: int) -> None:
    """Show the records that were put aside of a file: line, column, reason and text."""
    from salespipe_dagster.landing.quarantine import records

    shown = grid("line", "column", "reason", "text")
    for record in records(_dock().lake, file, most):
        shown.add_row(str(record.line), record.column, record.reason, _text(record.text))
    console.print(shown if shown.row_count else "Nothing is put aside of it.")


@quarantine.command()
@click.argument("files", nargs=-1)
def replay(files: tuple[str, ...]) -> None:
    """Parse files again as they are now: those named, or all that are there of which something is put aside.

    For when a contract, a setting or a file was mended. What comes out worse than before changes nothing.
    """
    from salespipe_dagster.landing.quarantine import replay as replayed

    _told(replayed(_dock(), list(files)))


@quarantine.command()
@FILE
def release(file: str) -> None:
    """Land what can be landed of a held file, however much of it is rejected."""
    from salespipe_dagster.landing.quarantine import replay as replayed

    _told(replayed(_dock(), [file], release=True))


@quarantine.command()
@FILE
def drop(file: str) -> None:
    """Decide that nothing of a held file, nor of what landed of it before, is to count."""
    from salespipe_dagster.landing.quarantine import drop as dropped

    _taken_back(dropped, file)


@quarantine.command()
@FILE
def forget(file: str) -> None:
    """Take back what has landed of a file that was deleted."""
    from salespipe_dagster.landing.quarantine import forget as forgotten

    _taken_back(forgotten, file)


def _dock() -> "Dock":
    from salespipe_dagster.landing.land import dock_of
    from salespipe_dagster.resources.files import files_store
    from salespipe_dagster.resources.lake import lake_store

    settings = Settings.configured_or_demo()
    return dock_of(settings, files_store(settings), lake_store(settings), f"by hand {uuid.uuid4()}")


def _taken_back(decide: Callable[["Dock", str], list[str]], file: str) -> None:
    left = decide(_dock(), file)
    console.print(f"{_text(file)} counts no more.", soft_wrap=True)
    _next(left)


def _told(landing: "Landing") -> None:
    shown = grid("file", "status", "landed", "put aside", "duplicates", "why")
    for result in landing.results:
        figures = (f"{number:,}" for number in (result.landed, result.quarantined, result.duplicates))
        shown.add_row(_text(result.version.key), result.status.value, *figures, _text(result.reason))
    console.print(shown if landing.results else "Nothing was parsed again.")
    _next(landing.touched)
    if landing.broken or landing.changed:
        for key, why in landing.broken.items():
            errors.print(f"[bold red]error:[/] {_text(key)}: {_text(why)}")
        changed = f"{', '.join(landing.changed)} changed while it was read. " if landing.changed else ""
        raise SalespipeError(f"{changed}Not every file was landed again.", "salespipe quarantine list")


def _next(parts: list[str]) -> None:
    """The runs that make what was decided count."""
    settings = Settings.configured_or_demo()
    within = [part for part in parts if part in settings.months]
    blocks = months.blocks(within) or ([[settings.last_month]] if SNAPSHOT in parts else [])
    for block in blocks:
        span = block[0] if len(block) == 1 else f"{block[0]}...{block[-1]}"
        console.print(f"Next: [bold]{settings.typed}salespipe run --months {span}[/]", soft_wrap=True)


def _text(text: str) -> str:
    """Text of a file as it can be shown: it may hold what no terminal takes."""
    shown = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return escape(shown.encode(errors="backslashreplace").decode())
