"""What charts sum, how they rank it, and the finding that one entity leads."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.charts import _look, _words
from salespipe_dagster.charts._look import About
from salespipe_spark import months

ZERO = Decimal("0.00")
NO_NAME = "No name"
"""What is shown of a country or a product line that is empty or blanks alone: a sentence needs a subject."""


@dataclass(frozen=True)
class Channel:
    """Whose revenue a chart shows, in words and in colour: that of one channel, or of all."""

    revenue: str
    color: str


ALL = Channel("revenue", _look.REVENUE)
WHOLESALE = Channel("wholesale revenue", _look.WHOLESALE)
ONLINE = Channel("online revenue", _look.ONLINE)


def sums(
    frame: DataFrame, by: tuple[str, ...], measures: tuple[str, ...], missing: str = NO_NAME
) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """The sums of additive measures by group, added up on the engine; a month is written YYYY-MM.

    Distinct counts and averages are not additive: they stand in a mart at their own grain, or nowhere.
    `missing` is what NULL is called.
    """
    rows = frame.groupBy(*by).agg(*(F.sum(name).alias(name) for name in measures)).collect()
    found: dict[tuple[str, ...], tuple[Decimal, ...]] = {}
    for row in rows:
        key, amounts = tuple(_label(row[name], missing) for name in by), tuple(row[name] for name in measures)
        found[key] = tuple(a + b for a, b in zip(found[key], amounts, strict=True)) if key in found else amounts
    return found


def by_name(frame: DataFrame, name: str, measure: str, missing: str = NO_NAME) -> dict[str, Decimal]:
    """The sum of an additive measure by the values of a column, as text; `missing` is what NULL is called."""
    return {key: amounts[0] for (key,), amounts in sums(frame, (name,), (measure,), missing).items()}


def names(dimension: DataFrame, key: str, name: str) -> dict[str, str]:
    """A dimension's names by key, both as text."""
    return {str(row[key]): row[name] for row in dimension.select(key, name).collect()}


def labels(keys: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """A label of its own for each key: its name; where several share one, or a key has none, the key tells them apart.

    A label that is made so is never the name of another: the key is added again until that holds.
    """
    found = {key: (names.get(key) or "").strip() for key in sorted(keys)}
    count = Counter(found.values())
    own = {key: name for key, name in found.items() if name and count[name] == 1}
    taken = set(own.values())
    for key, name in found.items():
        if key not in own:
            label = f"{name} {key}".strip()
            while label in taken:
                label += f" {key}"
            taken.add(label)
            own[key] = label
    return own


def named(totals: Mapping[str, Decimal], names: Mapping[str, str]) -> dict[str, Decimal]:
    """The totals by label instead of key."""
    shown = labels(totals, names)
    return {shown[key]: amount for key, amount in totals.items()}


def ranked(totals: Mapping[str, Decimal], limit: int) -> tuple[list[str], list[str]]:
    """The names from the largest total to the smallest, and those beyond the limit apart.

    Where some are left over, they take a place of their own, so that it is never a single one.
    """
    names = sorted(totals, key=lambda name: (-totals[name], name))
    return (names, []) if len(names) <= limit else (names[: limit - 1], names[limit - 1 :])


def nothing(revenue: Mapping[str, Decimal], about: About, channel: Channel = ALL) -> str:
    """The finding where there is no revenue to speak of; empty where there is."""
    if not about.months:
        return "No month is published yet"
    return "" if any(revenue.values()) else f"No {channel.revenue} {_words.during(about.months)}"


def leader(
    totals: Mapping[str, Decimal],
    about: About,
    makes: str,
    many: str,
    whole: Decimal | None = None,
    named: Callable[[str], str] = str,
    of: str = "",
    channel: Channel = ALL,
) -> str:
    """The finding "USA makes 35% of revenue", also where there is no one, or more than one, to name.

    Where an amount is negative, shares of the sum say nothing: the leader's amount stands instead. The
    sum is that of the totals, or the whole that is given. `named` says how a name is written, and `of`
    what stands before the names.
    """
    if empty := nothing(totals, about, channel):
        return empty
    top, total = max(totals.values()), sum(totals.values(), ZERO) if whole is None else whole
    names = sorted(name for name in totals if totals[name] == top)
    who, each = of + _words.enumeration([named(name) for name in names], many), " each" if len(names) > 1 else ""
    if min(totals.values()) < 0 or total < top:
        return f"Highest {channel.revenue}: {who}, {about.currency} {_words.short(top)}{each}"
    if top == total:
        return f"{who} {makes} all {channel.revenue}"
    return f"{who} {'each make' if each else makes} {_words.share(top, total)} of {channel.revenue}"


def all_new(about: About) -> str:
    """What must be said wherever a customer's first month is counted: nothing is known of the time before."""
    first = _words.month_name(about.months[0]) if about.months else ""
    return f"; in {first}, the first month, every customer counts as new" if first else ""


def _label(value: Any, missing: str) -> str:
    if value is None:
        return missing
    return months.month_of(value) if isinstance(value, date) else str(value) if str(value).strip() else NO_NAME
