"""What came of parsing one file."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from salespipe_dagster.landing.version import Version


class Status(StrEnum):
    """What became of a version of a file; it stands in the name of its entry in the ledger."""

    LANDED = "landed"
    HELD = "held"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Parsed:
    """What came of parsing one file: records = landed + quarantined + duplicates, whatever the status.

    Attributes:
        version: which content of which file.
        status: landed; held, where more than the allowed share was rejected; failed, where it cannot be read at all.
        reason: why it is held or failed, in a sentence; empty where it landed.
        records: the records in the file, the header not counted; 0 for a file that failed.
        landed: those with a row in the parts; of a held file, those that would have one.
        quarantined: those put aside.
        duplicates: those equal to another record of the file.
        reasons: the records put aside by the code of their reason.
        unknown_columns: the columns of the file that the contract does not know.
        parts: the Parquet file of each part, the contract's columns and `_landed.PROVENANCE`; none unless it landed.
        rows: the rows of each of these.
        quarantine: the Parquet file of the records put aside; None where there are none.
    """

    version: Version
    status: Status
    reason: str = ""
    records: int = 0
    landed: int = 0
    quarantined: int = 0
    duplicates: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)
    parts: dict[str, Path] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    quarantine: Path | None = None

    def __post_init__(self) -> None:
        """Every record is in one of the three, and every landed row in a part."""
        if self.records != self.landed + self.quarantined + self.duplicates:
            raise AssertionError(
                f"{self.version.key}: {self.records} records, but {self.landed} landed, "
                f"{self.quarantined} quarantined, {self.duplicates} duplicates."
            )
        in_parts = self.landed if self.status is Status.LANDED else 0
        if sum(self.rows.values()) != in_parts:
            raise AssertionError(f"{self.version.key}: {in_parts} rows landed, but {self.rows} in its parts.")
        if sum(self.reasons.values()) != self.quarantined:
            raise AssertionError(f"{self.version.key}: {self.quarantined} quarantined, but {self.reasons}.")
