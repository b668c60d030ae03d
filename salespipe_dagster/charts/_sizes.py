"""How large things are: their mean, median and standard deviation, and how many of them are in which bin.

Everything is counted on the engine, in whole cents: a double holds these exactly, so that an amount on a bin's
edge is on its right side, and half a cent of a median is half a cent.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

CENTS = 100
OUTLYING = 1.5
"""From how many times the 99th percentile on the largest amounts share one open bin."""


@dataclass(frozen=True)
class Bins:
    """Equally wide bins, in cents: the one of this number begins at number x width. What lies beside is one bin."""

    width: int = 1
    first: int = 0
    last: int = 0

    def start(self, number: int) -> Decimal:
        """The amount at which a bin begins."""
        return Decimal(number * self.width) / CENTS

    def middle(self, number: int) -> float:
        """The amount in the middle of a bin."""
        return float(self.start(number)) + self.width / CENTS / 2

    def of(self, amount: Decimal) -> int:
        """The bin of an amount."""
        return max(self.first - 1, min(self.last + 1, math.floor(amount * CENTS / self.width)))

    def closed(self, number: int) -> bool:
        """Whether the bin has two ends."""
        return self.first <= number <= self.last


@dataclass(frozen=True)
class Reach:
    """Where the amounts lie, in cents: all of them, and those that are not far from all others."""

    number: int
    least: float
    most: float
    low: float
    high: float


@dataclass(frozen=True)
class Sizes:
    """What is known of all amounts; how many there are in each bin, those between the first and the last included."""

    number: int = 0
    mean: Decimal = Decimal("0.00")
    median: Decimal = Decimal("0.00")
    deviation: Decimal | None = None
    bins: Bins = field(default_factory=Bins)
    counts: dict[int, int] = field(default_factory=dict[int, int])


def sizes(amounts: DataFrame, binned: Callable[[Reach], Bins]) -> Sizes:
    """The sizes of the column `amount`, in the bins that are chosen for its reach."""
    cents = amounts.select((F.col("amount") * F.lit(CENTS)).cast("double").alias("cents"), "amount")
    row = cents.agg(
        F.count(F.lit(1)).alias("number"),
        F.sum("amount").alias("total"),
        F.min("cents").alias("least"),
        F.max("cents").alias("most"),
        F.expr("percentile(cents, array(0.01, 0.5, 0.99))").alias("percentiles"),
        F.stddev("cents").alias("deviation"),
    ).collect()[0]
    if not row.number:
        return Sizes()
    bins = binned(_reach(row))
    deviation = None if row.number == 1 else Decimal(str(round(row.deviation))) / CENTS
    return Sizes(
        number=row.number,
        mean=row.total / row.number,
        median=Decimal(row.percentiles[1]) / CENTS,
        deviation=deviation,
        bins=bins,
        counts=_counts(cents, bins),
    )


def as_many_as_read_well(reach: Reach, fewest: int = 8, most: int = 24) -> Bins:
    """About as many bins as the root of the number of amounts, of a round width."""
    width = round_up((reach.high - reach.low) / min(most, max(fewest, math.isqrt(reach.number))))
    return Bins(width, math.floor(reach.low / width), math.floor(reach.high / width))


def round_up(number: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    return next(width for width in _widths((10, 20, 50)) if width >= number)


def exactly(number: int, reach: Reach) -> Bins:
    """So many bins of a round width, the open ones among them, from zero on, or from below where amounts are."""
    found = (_fitted(number, width, reach) for width in _widths((10, 12, 16, 20, 24, 30, 40, 50, 60, 80)))
    return next(bins for bins in found if bins.last >= math.floor(reach.high / bins.width))


def _fitted(number: int, width: int, reach: Reach) -> Bins:
    first = math.floor(reach.low / width)
    last = first + number - 1 - (math.floor(reach.least / width) < first)
    return Bins(width, first, last - (math.floor(reach.most / width) > last))


def _widths(steps: tuple[int, ...]) -> Iterator[int]:
    """Round numbers from one on: tenths of the steps times one, ten, a hundred and so on, as far as they are whole."""
    for power in itertools.count():
        yield from (step * 10**power // 10 for step in steps if step * 10**power % 10 == 0)


def _reach(row: Row) -> Reach:
    low, _, high = row.percentiles
    low = min(0.0, row.least if row.least >= OUTLYING * low else low)
    high = max(0.0, row.most if row.most <= OUTLYING * high else high)
    return Reach(row.number, row.least, row.most, low, high)


def _counts(cents: DataFrame, bins: Bins) -> dict[int, int]:
    number = F.floor(F.col("cents") / F.lit(float(bins.width))).cast("bigint")
    number = F.greatest(F.lit(bins.first - 1), F.least(F.lit(bins.last + 1), number))
    rows = cents.groupBy(number.alias("bin")).agg(F.count(F.lit(1)).alias("number")).collect()
    found: dict[int, int] = {row.bin: row.number for row in rows}
    return {n: found.get(n, 0) for n in range(min(bins.first, *found), max(bins.last, *found) + 1)}
