"""Receipts: what a published part holds, and where it came from. One JSON file a part."""

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from salespipe_spark.errors import SalespipeError


@dataclass(frozen=True)
class Figures:
    """What the audit counted in one part of a table.

    Attributes:
        rows: number of rows.
        sums: the table's figures by name: amounts and units.
        key_duplicates: rows that share their key with another.
        nulls: NULLs by column, for the columns that may hold none; only those that have any.
        first_date: the earliest date of the month's column, ISO; empty for a snapshot or no rows.
        last_date: the latest.
        digest: a digest of the rows that does not depend on their order.
    """

    rows: int
    sums: dict[str, Decimal]
    key_duplicates: int
    nulls: dict[str, int]
    first_date: str
    last_date: str
    digest: str

    def figure(self, name: str) -> Decimal:
        """A figure by name; `rows` is one.

        Raises:
            SalespipeError: the receipt is older than the figure.
        """
        if name != "rows" and name not in self.sums:
            raise SalespipeError(f"A receipt from before the figure {name} was declared.", "salespipe run")
        return Decimal(self.rows) if name == "rows" else self.sums[name]

    @staticmethod
    def from_values(values: dict[str, Any]) -> "Figures":
        """What `asdict` made of it and JSON carried."""
        sums = {name: Decimal(value) for name, value in values["sums"].items()}
        return replace(Figures(**values), sums=sums)


@dataclass(frozen=True)
class Provenance:
    """What a part was made from.

    Attributes:
        inputs: digests of the inputs' parts, by table and part.
        fingerprint: of the source's rows, read before they were scanned; empty but for staging.
    """

    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    fingerprint: str = ""


@dataclass(frozen=True)
class Receipt:
    """The receipt of one published part."""

    table: str
    part: str
    figures: Figures
    provenance: Provenance
    engine: str
    code_version: str
    run: str
    published_at: str
    key: str
    size: int
    etag: str

    def to_json(self) -> str:
        """The receipt as it lies in the lake."""
        return json.dumps(vars(self), indent=1, sort_keys=True, default=_plain) + "\n"

    @staticmethod
    def from_json(text: bytes) -> "Receipt":
        """The receipt as it was written."""
        values: dict[str, Any] = json.loads(text)
        figures, provenance = Figures.from_values(values.pop("figures")), Provenance(**values.pop("provenance"))
        return Receipt(figures=figures, provenance=provenance, **values)


def _plain(value: Any) -> Any:
    """What is no JSON: an amount as text, a part of a receipt by its fields."""
    return str(value) if isinstance(value, Decimal) else vars(value)
