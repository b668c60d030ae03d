"""What the commands print on: the console, the one for errors, tables and progress; and what they say first."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from salespipe_dagster.settings import Settings

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def grid(*columns: str) -> Grid:
    """A table on the terminal; what is too wide goes on below, as what is cut off cannot be copied."""
    made = Grid(*columns, box=None)
    for column in made.columns:
        column.overflow = "fold"
    return made


def progress_of_parts(*, transient: bool = False) -> Progress:
    """Progress by parts and time, beside what a command prints; if transient, gone at its end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors, transient=transient)


def show_places(settings: Settings) -> None:
    """Say where source, lake and Dagster's records lie, so that nobody takes one home for another."""
    shown = {
        "source": settings.source.render_as_string(hide_password=True),
        "lake": settings.lake_place,
        "DAGSTER_HOME": settings.dagster_home,
    }
    for name, value in shown.items():
        console.print(f"{name} {escape(str(value))}", soft_wrap=True)
