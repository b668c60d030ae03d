"""The table that the bench prints: what was measured, its floor, and the goal."""

import os
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as Grid

RATIO = 1.5
"""The most that extraction and transforms may take, in units of their floors."""
GROWTH = 200.0
"""The most megabytes that a process may grow by while it extracts."""
FIXED_COST = 20.0
"""The most seconds that a run of 30 months over next to nothing may take."""
RANGE = 4.0
"""How many times the run of a range the runs of its single months take, at the least."""
GENERATED = 200_000
"""The least order lines a second that the synthetic company makes on one core, orders and payments included."""
WRITTEN = 2.0
"""The most that it takes to make and write a month, in units of the database's own bulk load."""
LANDED = 2.0
"""The most that landing a file takes, in units of DuckDB's bare reading of it: half of its rows a second."""
FLAT = 1.5
"""The most that a process grows by while it lands 2 GB, in units of what it grows by for 100 MB."""
STAGED = 1.2
"""The most that the embedded engine's own part of the transforms takes, in units of DuckDB's."""
ON_SPARK = 1.25
"""The most that transforms, audit and publish take on Spark, in units of the same tables written by hand for Spark."""
AUDITED = 0.15
"""The most that audit and publish take, in units of what they follow on."""
AGAIN = 1.0
"""The most seconds until a step's work begins in a session that is there."""
TICK = 20.0
"""The most seconds that a tick of the sensor over 100,000 files takes."""
DOUBLED = 2.2
"""The most that twice the lines take, in units of the time of the lines."""
BUSY = 0.5
"""A load average from which on times tell of others' work."""


@dataclass(frozen=True)
class Line:
    """One line: a stage's time beside its floor; memory in megabytes."""

    stage: str
    seconds: float | None
    rows: int | None = None
    floor: float | None = None
    growth: float | None = None
    peak: float | None = None
    most_ratio: float | None = None
    most_growth: float | None = None
    most_seconds: float | None = None
    least_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """Seconds in units of the floor."""
        return self.seconds / self.floor if self.seconds is not None and self.floor else None

    @property
    def goals(self) -> str:
        """The goals of the line, and whether they are met."""
        held = (
            (self.ratio, self.most_ratio, "x", 2),
            (self.growth, self.most_growth, " MB", 0),
            (self.seconds, self.most_seconds, " s", 0),
        )
        goals = [
            f"<= {most:.{digits}f}{unit} {'met' if value <= most else 'MISSED'}"
            for value, most, unit, digits in held
            if value is not None and most is not None
        ]
        if self.ratio is not None and self.least_ratio is not None:
            goals.append(f">= {self.least_ratio:.1f}x {'met' if self.ratio >= self.least_ratio else 'MISSED'}")
        return ", ".join(goals)


def load() -> float:
    """The machine's load average of the last minute."""
    return os.getloadavg()[0]


def show(sections: dict[str, list[Line]], load_before: float) -> None:
    """Print the table."""
    busy = f"; others are at work (load {load_before:.1f}): these times are not worth keeping"
    caption = f"{os.cpu_count()} cores{busy if load_before > BUSY else ''}"
    grid = Grid("stage", "rows", "seconds", "floor", "ratio", "growth MB", "peak MB", "goal", box=None, caption=caption)
    for column in grid.columns[1:-1]:
        column.justify = "right"
    for title, lines in sections.items():
        grid.add_row(f"[bold]{title}[/]")
        for line in lines:
            numbers = (_text(line.seconds, 2), _text(line.floor, 2), _text(line.ratio, 2, "x"))
            memory = (_text(line.growth, 0), _text(line.peak, 0))
            grid.add_row(f"  {line.stage}", _text(line.rows, 0), *numbers, *memory, line.goals)
    Console(highlight=False, width=140).print(grid)


def _text(value: float | None, digits: int, unit: str = "") -> str:
    return "" if value is None else f"{value:,.{digits}f}{unit}"
