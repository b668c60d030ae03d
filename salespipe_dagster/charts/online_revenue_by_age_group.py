"""Online revenue and the average transaction by age group, as bars side by side."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from plotly.graph_objects import Bar, Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _look, _totals, _words
from salespipe_dagster.charts._look import About

UNKNOWN = "Customers of unknown age"
MOST_GROUPS = 15
LEFT, RIGHT, UP = [0.0, 0.56], [0.66, 1.0], [0.0, 1.0]
"""The panels, as shares of width and height."""


@dataclass(frozen=True)
class Group:
    """What customers of an age bought."""

    revenue: Decimal
    transactions: int

    @property
    def average(self) -> Decimal:
        """Revenue by transaction."""
        return self.revenue / self.transactions if self.transactions else _totals.ZERO


Groups = Mapping[str, Group]
"""By name."""


def online_revenue_by_age_group(online_revenue_by_segment: DataFrame, *, about: About) -> Figure:
    """Online revenue of each age group over all months, and beside it the average amount of its transactions.

    The youngest are on top. A customer without a profile is of unknown age.
    """
    measures = ("total_revenue", "transaction_count")
    found = _totals.sums(online_revenue_by_segment, ("age_group",), measures, missing=UNKNOWN)
    every = {name: Group(revenue, int(count)) for (name,), (revenue, count) in found.items()}
    known = {name: group for name, group in every.items() if name != UNKNOWN}
    shown = _shown(every, known)
    others = set(shown) - set(known)
    total = sum((group.revenue for group in every.values()), _totals.ZERO)
    revenue = {name: group.revenue for name, group in shown.items()}
    averages = {name: group.average for name, group in shown.items()}
    beside = _bars.axes(averages, about)
    beside["xaxis"]["title"]["text"] = f"Average transaction, {about.currency}"
    beside["yaxis"]["showticklabels"] = False
    return _look.figure(
        _bars.trace(revenue, total, about, _totals.ONLINE, others),
        _averages(shown, about, others),
        kind="Bar chart of online revenue, and beside it one of the average transaction, by age group",
        finding=_finding(every, known, total, about),
        detail=_detail(every, known, total, about),
        source="marts/online_revenue_by_segment",
        about=about,
        layout={
            **_bars.panel(_bars.axes(revenue, about), LEFT, UP),
            **_bars.panel(beside, RIGHT, UP, "2"),
            "bargap": 0.3,
            "showlegend": False,
        },
        left=220,
    )


def _shown(every: Groups, known: Groups) -> dict[str, Group]:
    """The groups by age; the smallest together where there are many; those of unknown age at the end."""
    unknown = {name: group for name, group in every.items() if name not in known}
    names, rest = _totals.ranked({name: group.revenue for name, group in known.items()}, MOST_GROUPS - len(unknown))
    shown = {name: known[name] for name in sorted(names, key=_age)}
    if rest:
        revenue = sum((known[name].revenue for name in rest), _totals.ZERO)
        shown[f"{len(rest)} other age groups"] = Group(revenue, sum(known[name].transactions for name in rest))
    return shown | unknown


def _age(name: str) -> tuple[bool, float, str]:
    """Where a group stands: by its first number, before all others where it is under one, at the end without one."""
    number = re.search(r"[0-9]{1,3}", name)
    is_under = re.match(r"\s*(under|below|less|up to|<)", name, re.IGNORECASE) is not None
    return (not is_under, float(number[0]) if number else math.inf, name)


def _finding(every: Groups, known: Groups, total: Decimal, about: About) -> str:
    leading = known if any(group.revenue for group in known.values()) else every
    return _totals.leader(
        {name: group.revenue for name, group in leading.items()},
        about,
        makes="makes" if leading is known else "make",
        many="age groups",
        whole=total,
        named=lambda name: name if name == UNKNOWN else f"Age group {name}",
        channel=_totals.ONLINE,
    )


def _detail(every: Groups, known: Groups, total: Decimal, about: About) -> str:
    text = f"{about.currency} {_words.short(total)} of online revenue from {_words.count(len(known), 'age group')} "
    text += f"in {_words.count(len(about.months), 'month')}"
    if UNKNOWN in every:
        text += f", {_words.short(every[UNKNOWN].revenue)} of it from {UNKNOWN.lower()}"
    averages = {name: group.average for name, group in known.items()}
    top = max(averages.values(), default=_totals.ZERO)
    most = sorted((name for name in averages if averages[name] == top), key=_age)
    if top and len(known) > 1:
        text += f"; {_words.enumeration(most, 'of them')} spend most at a time, {about.currency} {_words.short(top)}"
    return text


def _averages(shown: Groups, about: About, others: Collection[str]) -> Bar:
    def hover(name: str) -> str:
        group = shown[name]
        count = _words.count(group.transactions, "transaction")
        return f"{_words.literal(name)}<br>{about.currency} {_words.exact(group.average)} in each of {count}"

    return Bar(
        orientation="h",
        y=list(shown),
        x=[float(group.average) for group in shown.values()],
        text=[_words.short(group.average) for group in shown.values()],
        textposition="outside",
        hovertext=[hover(name) for name in shown],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": [_look.OTHER if name in others else _look.AVERAGE for name in shown]},
        cliponaxis=False,
        xaxis="x2",
        yaxis="y2",
    )
