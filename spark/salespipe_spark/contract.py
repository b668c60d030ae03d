"""What a table is: its columns, types, keys, figures, and how its months are told apart.

Only declarations belong here. The tables themselves stand one to a file in `staging/`, `core/` and
`marts/`; `tables.py` finds them. What a target calls a type is in that target's own map: `SPARK`
below, `ARROW` in `lake/schema.py`, `SQL` in the source database's module.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

SNAPSHOT = "snapshot"
"""The name of the one part of a table that is not cut into months."""


class Type(StrEnum):
    """A column's logical type; money is DECIMAL everywhere."""

    STRING = "string"
    TEXT = "text"
    INT = "int"
    BIGINT = "bigint"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    PRICE = "price"
    MONEY = "money"
    AVERAGE = "average"


SPARK = {
    Type.STRING: "string",
    Type.TEXT: "string",
    Type.INT: "int",
    Type.BIGINT: "bigint",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.INSTANT: "timestamp",
    Type.PRICE: "decimal(10,2)",
    Type.MONEY: "decimal(18,2)",
    Type.AVERAGE: "decimal(18,6)",
}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: in snake_case.
        type: the logical type.
        description: what it holds, in a sentence.
        nullable: whether a value may be missing.
        personal: whether it is personal data.
        source: its name in the source where that is not the camelCase of `name`.
        of: what its values are made from, as "input.column", or "column" of the same table; where nothing is
            said, the columns of that name in the table's inputs.
    """

    name: str
    type: Type
    description: str
    nullable: bool = False
    personal: bool = False
    source: str = ""
    of: tuple[str, ...] = ()

    @property
    def source_name(self) -> str:
        """The column's name in the source database: order_number is orderNumber there."""
        return self.source or re.sub(r"_([a-z])", lambda m: m[1].upper(), self.name)


@dataclass(frozen=True)
class Source:
    """Where a staging table comes from.

    `dated_by` names the staging table whose date gives a row its month, joined by that table's key,
    where the source table has no date of its own. `amount` are the columns whose product, summed, is
    the table's amount of money: the figure that is held against the server's own sum.
    """

    table: str
    dated_by: str = ""
    amount: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feed:
    """Where a staging table comes from that is made from files that land.

    A column is found in a file by its header: the column's `source`, or else its name. A nullable one may
    be missing from a file.

    Attributes:
        folder: the folder of its files below FILES_URL.
        format: how they are written.
        product: three columns (a, b, c) of which c must be a x b to the cent.
    """

    folder: str
    format: Literal["csv", "ndjson"]
    product: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Contract:
    """What a table promises its readers, and what its audit holds it to.

    Attributes:
        grain: what one row is, and a surprise if there is one.
        columns: all columns, in order.
        key: the columns that identify a row.
        month: the DATE column whose month a row belongs to; empty for a snapshot.
        figures: aggregates (Spark SQL) taken of every month, beside rows and the sum of each MONEY column.
        balances: pairs (own figure, "input.figure") that must be equal in every month.
        source: for a staging table, which table of the source its rows come from.
        feed: for a staging table, which files its rows come from.
    """

    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    month: str = ""
    figures: dict[str, str] = field(default_factory=dict)
    balances: tuple[tuple[str, str], ...] = ()
    source: Source | None = None
    feed: Feed | None = None

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of this name.

        Raises:
            ValueError: there is none.
        """
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            raise ValueError(f"There is no column {name} among {', '.join(self.names)}.")
        return found

    @property
    def ddl(self) -> str:
        """The columns as a Spark schema string."""
        return ", ".join(f"{column.name} {SPARK[column.type]}" for column in self.columns)

    def aggregates(self) -> dict[str, str]:
        """Every figure of the audit by name, as a Spark SQL aggregate."""
        sums = {c.name: f"sum({c.name})" for c in self.columns if c.type is Type.MONEY}
        if self.source and self.source.amount:
            sums["amount"] = f"sum({' * '.join(self.source.amount)})"
        return sums | self.figures
