"""What lies staged: where its files lie, and what an audit came to."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from salespipe_spark import months
from salespipe_spark.lake.audit import PART, Check, part_name
from salespipe_spark.lake.objects import Entry
from salespipe_spark.lake.receipt import Figures
from salespipe_spark.tables import Table


@dataclass(frozen=True)
class Opening:
    """What a run saw before it began to make a table: objects in place, and the inputs' receipts."""

    table: Table
    parts: list[str]
    etags: dict[str, str]
    inputs: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Staged:
    """A table's staged parts after their audit.

    Attributes:
        opening: what the run saw before it began.
        folder: where they are staged.
        files: the staged objects that the audit is of: these are published, or none.
        figures: of each part.
        checks: what the audit found.
        fingerprints: of the source, by part; empty but for staging.
        engine: who made them.
    """

    opening: Opening
    folder: Path
    files: list[Entry]
    figures: dict[str, Figures]
    checks: list[Check]
    fingerprints: dict[str, str]
    engine: str

    @property
    def passed(self) -> bool:
        """Whether every check passed, and with it whether the table may be published."""
        return all(check.passed for check in self.checks)


def staged_file(folder: Path, table: Table, part: str) -> Path:
    """Where a file of a part is staged by those who write without an engine."""
    number = months.index(part) if table.monthly else 0
    return folder / table.layer / table.name / f"{PART}={number}" / "0.parquet"


def by_part(files: Iterable[Entry], table: Table) -> dict[str, list[Entry]]:
    """Staged files by the part that they belong to."""
    found: dict[str, list[Entry]] = {}
    for file in files:
        found.setdefault(_part_in(file.key, table), []).append(file)
    return found


def _part_in(key: str, table: Table) -> str:
    """The part that a staged file belongs to, by the folder that it lies in."""
    number = key.split("/")[-2].partition("=")[2]
    return part_name(table.contract, int(number) if number.isdecimal() else None)
