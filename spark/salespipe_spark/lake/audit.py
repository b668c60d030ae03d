"""The audit: the figures of a frame, counted on the engine, and what they are held to.

Only figures come back from the engine; rows do where some break a rule, and then five of them.
"""

import hashlib
import importlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame

from salespipe_spark import months
from salespipe_spark.contract import SNAPSHOT, Column, Contract
from salespipe_spark.lake.receipt import Figures

Row = dict[str, Any]

SAMPLE = 5
CHECKS = {
    "schema": "The columns and types of the files are the contract's.",
    "rows_written": "The rows read are the rows that the files' footers declare.",
    "parts_owned": "No row lies outside the months of the run.",
    "keys_unique": "No key repeats within a part.",
    "not_null": "No column that promises a value lacks one.",
    "balance": "Each month's figures equal those of its inputs, to the cent.",
}
"""What every table's audit checks; `balance` where the contract has balances."""
MASK = 2**64 - 1


@dataclass(frozen=True)
class Check:
    """A rule held against the data: what was found beside what is expected, and where it fails."""

    name: str
    passed: bool
    expected: str
    actual: str
    parts: list[str] = field(default_factory=list)
    sample: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """What was counted of staged rows, beside the data: all that an audit needs to know of them.

    Attributes:
        figures: of each part that has rows.
        foreign: some rows of parts that are not the run's, by their keys.
        doubled: some keys that repeat within a part.
        lacking: some rows without a value that the contract promises, by their keys.
    """

    figures: dict[str, Figures]
    foreign: list[Row] = field(default_factory=list)
    doubled: list[Row] = field(default_factory=list)
    lacking: list[Row] = field(default_factory=list)

    @staticmethod
    def of(batches: "list[Measured]") -> "Measured":
        """What was counted of rows of which no two batches hold one part."""
        return Measured(
            figures={part: figures for batch in batches for part, figures in batch.figures.items()},
            foreign=[row for batch in batches for row in batch.foreign][:SAMPLE],
            doubled=[row for batch in batches for row in batch.doubled][:SAMPLE],
            lacking=[row for batch in batches for row in batch.lacking][:SAMPLE],
        )

    @staticmethod
    def from_values(values: dict[str, Any]) -> "Measured":
        """What `asdict` made of it and JSON carried; rows are text then."""
        figures = {part: Figures.from_values(each) for part, each in values["figures"].items()}
        return replace(Measured(**values), figures=figures)


PART = "salespipe_part"
"""The column by which staged rows are cut into parts. It names folders, and is not in the files."""


def cut(frame: DataFrame, contract: Contract) -> DataFrame:
    """The frame with the column by which it is cut into parts."""
    return frame.withColumn(PART, _part_of(_functions_of(frame), contract))


def part_name(contract: Contract, number: int | None) -> str:
    """The part of that number; `None` is what rows without a date would be."""
    if not contract.month:
        return SNAPSHOT
    return "None" if number is None else months.from_index(number)


def figures(frame: DataFrame, contract: Contract, *, keys_apart: bool = False) -> dict[str, Figures]:
    """The figures of each part that has rows, of a frame of any engine in this process.

    Args:
        frame: the rows.
        contract: of their table.
        keys_apart: whether keys are counted by a query of their own: `Engine.keys_apart`.
    """
    sql = _functions_of(frame)
    counted = {
        "rows": sql.count(sql.lit(1)),
        "digest": sql.sum(_hash(sql, contract.columns).cast("decimal(20,0)")),
        "first": sql.min(contract.month) if contract.month else sql.lit(None).cast("date"),
        "last": sql.max(contract.month) if contract.month else sql.lit(None).cast("date"),
    }
    sums = {f"sum_{name}": sql.expr(text) for name, text in contract.aggregates().items()}
    nulls = {f"null_{c.name}": sql.count_if(sql.col(c.name).isNull()) for c in contract.columns if not c.nullable}
    columns = [value.alias(name) for name, value in (counted | sums | nulls).items()]
    keys = sql.count_distinct(_hash(sql, map(contract.column, contract.key))).alias("keys")
    found: dict[int | None, Row] = defaultdict(dict)
    for query in [columns, [keys]] if keys_apart else [[*columns, keys]]:
        for row in frame.groupBy(_part_of(sql, contract).alias("part")).agg(*query).collect():
            found[row["part"]] |= row.asDict()
    by_part = {part_name(contract, part): _figures(row, contract) for part, row in found.items()}
    return dict(sorted(by_part.items()))


def no_rows(contract: Contract) -> Figures:
    """The figures of a part without rows."""
    sums = dict.fromkeys(contract.aggregates(), Decimal(0))
    return Figures(0, sums, 0, {}, "", "", _digest(contract, 0, 0))


def measure(rows: DataFrame, contract: Contract, owned: list[str], *, keys_apart: bool = False) -> Measured:
    """Count staged rows beside the data; samples are taken only of rules that are broken.

    Args:
        rows: as they are read from what was staged.
        contract: of their table.
        owned: the parts that the run owns.
        keys_apart: as `figures` takes it.
    """
    found = figures(rows, contract, keys_apart=keys_apart)
    foreign: list[Row] = []
    doubled: list[Row] = []
    lacking: list[Row] = []
    if set(found) - set(owned):
        own = [months.index(month) for month in owned]
        outside = cut(rows, contract).where(f"{PART} IS NULL OR {PART} NOT IN ({', '.join(map(str, own))})")
        foreign = _sample(outside.select(*dict.fromkeys([*contract.key, contract.month or contract.key[0]])))
    if any(f.key_duplicates for f in found.values()):
        copies = cut(rows, contract).groupBy(PART, *contract.key).count().where("count > 1")
        repeated = _sample(copies.withColumnsRenamed({PART: "part", "count": "rows"}))
        doubled = [row | {"part": part_name(contract, row["part"])} for row in repeated]
    if columns := sorted({name for f in found.values() for name in f.nulls}):
        condition = " OR ".join(f"{name} IS NULL" for name in columns)
        # Keys, not whole rows: an error holds no personal data.
        lacking = _sample(rows.where(condition).select(*dict.fromkeys([*contract.key, *columns])))
    return Measured(found, foreign, doubled, lacking)


def parts_owned(measured: Measured, owned: list[str], misplaced: list[str]) -> Check:
    """No row lies outside the months of the run, or in the object of another month (`misplaced`)."""
    foreign = sorted(set(measured.figures) - set(owned))
    lines = [f"{part}: {measured.figures[part].rows} rows" for part in foreign]
    if not foreign and misplaced:
        lines = [f"rows of another month among those of {', '.join(misplaced)}"]
    return Check(
        "parts_owned",
        not lines,
        "no rows outside the run's months",
        ", ".join(lines) or "none outside",
        foreign or misplaced,
        measured.foreign,
    )


def keys_unique(measured: Measured, contract: Contract) -> Check:
    """No two rows of a part share their key."""
    parts = [part for part, f in measured.figures.items() if f.key_duplicates]
    # The figure counts hashes of keys; two keys of one hash are no duplicate, and leave no sample.
    count = sum(measured.figures[part].key_duplicates for part in parts) if measured.doubled else 0
    expected = f"unique ({', '.join(contract.key)})"
    return Check("keys_unique", not measured.doubled, expected, f"{count} repeated", parts, measured.doubled)


def not_null(measured: Measured) -> Check:
    """No column that promises a value lacks one."""
    found = measured.figures
    parts = [part for part, f in found.items() if f.nulls]
    columns = sorted({name for f in found.values() for name in f.nulls})
    counts = [f"{name}: {sum(f.nulls.get(name, 0) for f in found.values())}" for name in columns]
    return Check("not_null", not columns, "no NULLs", ", ".join(counts) or "no NULLs", parts, measured.lacking)


def balance(found: dict[str, Figures], contract: Contract, given: Callable[[str, str, str], Decimal]) -> Check:
    """Every balance of the contract holds in every part; `given` is an input's figure by table, part and name."""
    lines: list[str] = []
    parts: list[str] = []
    for part, own in found.items():
        for name, other in contract.balances:
            table, _, figure = other.partition(".")
            expected = given(table, part, figure)
            if own.figure(name) != expected:
                lines.append(f"{part}: {name} {own.figure(name)} is not {other} {expected}")
                parts.append(part)
    expected = ", ".join(f"{name} = {other}" for name, other in contract.balances)
    actual = "; ".join(lines[:SAMPLE]) or f"equal in {len(found)} part(s)"
    return Check("balance", not lines, expected, actual, sorted(set(parts)))


def _figures(row: Row, contract: Contract) -> Figures:
    nulls = {c.name: row[f"null_{c.name}"] for c in contract.columns if not c.nullable and row[f"null_{c.name}"]}
    return Figures(
        rows=row["rows"],
        sums={name: Decimal(row[f"sum_{name}"] or 0) for name in contract.aggregates()},
        key_duplicates=row["rows"] - row["keys"],
        nulls=nulls,
        first_date=str(row["first"] or ""),
        last_date=str(row["last"] or ""),
        digest=_digest(contract, row["rows"], int(row["digest"])),
    )


def _functions_of(frame: DataFrame) -> Any:
    """PySpark's functions for this frame. Its own module has those of one kind of session, in all of a process."""
    kind = "pyspark.sql.connect" if ".connect." in type(frame).__module__ else "pyspark.sql"
    return importlib.import_module(f"{kind}.functions")


def _part_of(sql: Any, contract: Contract) -> Expression:
    """The number of the part that a row belongs to: its month's, NULL without a date; 0 in a snapshot."""
    return sql.year(contract.month) * 12 + sql.month(contract.month) - 1 if contract.month else sql.lit(0)


def _digest(contract: Contract, rows: int, total: int) -> str:
    """The columns are part of it, so that also an empty month is replaced when its contract changes."""
    columns = hashlib.sha256(contract.ddl.encode()).hexdigest()[:8]
    return f"{columns}-{rows:x}-{total & MASK:016x}"


def _hash(sql: Any, columns: Iterable[Column]) -> Expression:
    """A row's hash. A NULL passes through xxhash64 unseen, so where one may be, it is hashed that it is."""
    values = [v for c in columns for v in (sql.col(c.name), sql.col(c.name).isNull())[: 2 if c.nullable else 1]]
    return sql.xxhash64(*values)


def _sample(frame: DataFrame) -> list[Row]:
    return [row.asDict() for row in frame.limit(SAMPLE).collect()]
