"""What the commands print on: the console, the one for errors, and tables."""

from rich.console import Console
from rich.table import Table as Grid

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def grid(*columns: str) -> Grid:
    """A table on the terminal; what is too wide goes on below, as what is cut off cannot be copied."""
    made = Grid(*columns, box=None)
    for column in made.columns:
        column.overflow = "fold"
    return made
