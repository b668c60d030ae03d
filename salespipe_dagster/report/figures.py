"""What the page holds: rows of marts, with money as whole cents and names as places in a list.

Only additive measures are cut finely enough to be filtered. Distinct counts and averages stand as a
mart holds them, or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.charts import About, _look, _totals
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.marts.receivables_ageing import BUCKETS, CREDIT

ADDITIVE = ("ordered_amount", "cancelled_amount", "revenue", "margin_amount", "units")
COUNTS = (*ADDITIVE, "orders", "customers", "average_order_value")

MOST_ROWS = 25_000
"""Of products or customers by month; where there are more, the page has the largest of all months together."""
MOST_NAMES = 100
MOST_DEBTORS = 25
MOST_CENTS = 2**53 - 1
"""Whole numbers up to here are exact in a browser."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Ranking:
    """The measures of many: of each by month and product line, or of the largest over all months.

    Attributes:
        by: the filters that can act on it.
        rows: month, product line, key, and the measures; None for a month or line that is not told apart.
        names: the name of each key, where it has one.
        rest: how many are left out, and their measures.
    """

    by: tuple[str, ...]
    rows: list[Row]
    names: Mapping[str, str]
    rest: Row = (0, 0, 0, 0, 0, 0)

    @property
    def sums(self) -> list[Row]:
        """Month and measures of all rows, those left out included."""
        return [(row[0], *row[3:]) for row in self.rows] + [(None, *self.rest[1:])] * bool(self.rest[0])


def rows(frame: DataFrame, about: About, *columns: str) -> list[Row]:
    """The rows of the covered months: the month's place in the span, and these columns, amounts in cents."""
    place = {month: i for i, month in enumerate(about.span)}
    found = _covered(frame, about).select("month_start", *columns).collect()
    return sorted((place[months.month_of(row[0])], *map(_whole, row[1:])) for row in found)


def ranking(frame: DataFrame, about: About, key: str, names: Mapping[str, str], line: str = "") -> Ranking:
    """The measures of each key by month and line; where that is too much, of the largest over all months."""
    covered = _covered(frame, about)
    if covered.limit(MOST_ROWS + 1).count() <= MOST_ROWS:
        found = rows(frame, about, *([line] if line else []), key, *ADDITIVE)
        return Ranking(
            ("month", "line") if line else ("month",),
            found if line else [(row[0], None, *row[1:]) for row in found],
            names,
        )
    sums = covered.groupBy(key).agg(*(F.sum(name).alias(name) for name in ADDITIVE))
    largest = sums.orderBy(F.desc("revenue"), key).limit(MOST_NAMES).collect()
    everything = sums.agg(F.count(F.lit(1)), *(F.sum(name) for name in ADDITIVE)).collect()[0]
    shown: list[Row] = [(None, None, *map(_whole, row)) for row in largest]
    left = [_whole(whole) - sum(row[i] for row in shown) for i, whole in enumerate(everything[1:], start=3)]
    return Ranking((), shown, names, (everything[0] - len(shown), *left))


def hold_against(monthly: Sequence[Row], found: Iterable[Row], table: str) -> None:
    """Another way of adding up the months comes to the same, within what a browser adds up to the cent.

    Args:
        monthly: rows of monthly_revenue, with COUNTS.
        found: month and ADDITIVE, any number of rows a month; without months, their sum is held against the sum.
        table: where they are from.

    Raises:
        SalespipeError: it does not, or the amounts are too large.
    """
    found = [row[: 1 + len(ADDITIVE)] for row in found]
    whole = any(row[0] is None for row in found)
    taken, expected = _sums(found, whole=whole), _sums([row[: 1 + len(ADDITIVE)] for row in monthly], whole=whole)
    for month in sorted({*taken, *expected}):
        one, other = taken.get(month, ZEROS), expected.get(month, ZEROS)
        if one != other:
            name = next(name for name, a, b in zip(ADDITIVE, one, other, strict=True) if a != b)
            raise SalespipeError(
                f"The report is not made: {name} by marts/{table} is not that by marts/monthly_revenue.",
                "salespipe run",
            )
    for i, name in enumerate(ADDITIVE, start=1):
        if sum(abs(row[i]) for row in found) > MOST_CENTS:
            raise SalespipeError(
                f"The report is not made: {name} of all months is more than a browser adds up to the cent.",
                "the marts are right; a shorter period by SALESPIPE_START_MONTH makes a report again",
            )


def ageing(receivables_ageing: DataFrame, names: Mapping[str, str]) -> dict[str, Any]:
    """What is open by age, and the customers who owe most: name, what they owe, how much of it is oldest."""
    by_bucket = receivables_ageing.groupBy("bucket").agg(F.sum("amount"), F.max("as_of_date")).collect()
    amounts = {row[0]: _whole(row[1]) for row in by_bucket}
    oldest = F.when(F.col("bucket") == BUCKETS[-1], F.col("amount"))
    debtors = (
        receivables_ageing.where(F.col("bucket") != CREDIT)
        .groupBy("customer_number")
        .agg(F.sum("amount").alias("owed"), F.sum(oldest).alias("oldest"))
        .orderBy(F.desc("owed"), "customer_number")
        .limit(MOST_DEBTORS)
        .collect()
    )
    shown = _totals.labels([str(row[0]) for row in debtors], names)
    return {
        "asOf": max((row[2].isoformat() for row in by_bucket), default=""),
        "buckets": [[bucket, amounts.get(bucket, 0)] for bucket in (*BUCKETS, CREDIT)],
        "debtors": [(shown[str(row[0])], _whole(row[1]), _whole(row[2]) or 0) for row in debtors],
    }


def payload(
    monthly: Sequence[Row],
    by_country: Sequence[Row],
    cube: Sequence[Row],
    products: Ranking,
    customers: Ranking,
    ageing: Mapping[str, Any],
    about: About,
) -> dict[str, Any]:
    """All that the page holds; countries, product lines and names stand once, and rows have their places."""
    countries = sorted({row[1] for row in cube} | {row[1] for row in by_country})
    lines = sorted({row[2] for row in cube} | {row[1] for row in products.rows if row[1] is not None})
    country, line = ({name: i for i, name in enumerate(each)} for each in (countries, lines))
    colours = _look.colours(lines)
    return {
        "currency": about.currency,
        "months": about.span,
        "published": [about.span.index(month) for month in about.months],
        "coverage": about.coverage,
        "run": about.run,
        "countries": _named(countries),
        "lines": _named(lines),
        "colours": [colours[name] for name in lines],
        "cube": [(row[0], country[row[1]], line[row[2]], *row[3:]) for row in cube],
        "counts": [(row[0], *row[1 + len(ADDITIVE) :]) for row in monthly],
        "countryOrders": [(row[0], country[row[1]], row[2]) for row in by_country],
        "products": _listed(products, line),
        "customers": _listed(customers, line),
        "ageing": ageing,
    }


ZEROS = (0,) * len(ADDITIVE)


def _named(names: list[str]) -> list[str]:
    """The names, in the same order, each its own; of one that is blank that it is."""
    shown = _totals.labels(names, {name: name if name.strip() else _totals.NO_NAME for name in names})
    return [shown[name] for name in names]


def _listed(ranking: Ranking, line: Mapping[str, int]) -> dict[str, Any]:
    keys = {str(row[2]) for row in ranking.rows}
    shown = sorted(_totals.labels(keys, ranking.names).items(), key=lambda item: item[1])
    place = {key: i for i, (key, _) in enumerate(shown)}
    rows = [(row[0], None if row[1] is None else line[row[1]], place[str(row[2])], *row[3:]) for row in ranking.rows]
    return {"by": ranking.by, "names": [label for _, label in shown], "rows": rows, "rest": ranking.rest}


def _covered(frame: DataFrame, about: About) -> DataFrame:
    """The rows of the months that every table has: those of others would not add up to the same."""
    days = [months.first_day(month) for month in about.months]
    return frame.where(F.col("month_start").isin(days)) if days else frame.limit(0)


def _sums(rows: Iterable[Row], *, whole: bool) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for row in rows:
        month = -1 if whole else row[0]
        found[month] = tuple(a + b for a, b in zip(found.get(month, ZEROS), row[1:], strict=True))
    return found


def _whole(value: Any) -> Any:
    """An amount in cents, any other value as it is; an average is rounded to the cent."""
    return int((value * 100).to_integral_value(ROUND_HALF_UP)) if isinstance(value, Decimal) else value
