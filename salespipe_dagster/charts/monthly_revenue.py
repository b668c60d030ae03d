"""Revenue per month as a line."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from plotly.graph_objects import Figure, Scatter
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_spark import months


def monthly_revenue(monthly_revenue: DataFrame, *, about: About) -> Figure:
    """Revenue of each month over all channels, and beside it what was cancelled.

    The line below the title holds the last month against the month and the year before, the hover text each month;
    in the picture of each month that is month_in_review. A published month without sales is zero; a month that is
    not published is a gap.
    """
    found = _totals.sums(monthly_revenue, ("month_start",), ("revenue", "cancelled_amount"))
    by_month = {month: found.get((month,), (_totals.ZERO, _totals.ZERO)) for month in about.months}
    revenue = {month: amounts[0] for month, amounts in by_month.items()}
    cancelled = {month: amounts[1] for month, amounts in by_month.items()}
    total, lost = sum(revenue.values(), _totals.ZERO), sum(cancelled.values(), _totals.ZERO)
    texts = {month: _hover(month, revenue, about) for month in revenue}
    lost_texts = {month: f"{about.currency} {_words.exact(amount)}" for month, amount in cancelled.items()}
    return _look.figure(
        _line("Revenue", revenue, texts, about, color=_look.REVENUE, dash="solid"),
        _line("Cancelled, not in revenue", cancelled, lost_texts, about, color=_look.CANCELLED, dash="dot"),
        kind="Line chart of revenue per month",
        finding=_finding(revenue, about),
        detail=f"{about.currency} {_words.short(total)} of revenue in {_words.count(len(revenue), 'month')}; "
        f"{about.currency} {_words.short(lost)} cancelled{_last(revenue)}",
        source="marts/monthly_revenue",
        about=about,
        layout={
            "xaxis": _look.month_axis(about.span),
            "yaxis": _look.money_axis([*revenue.values(), *cancelled.values()], f"Amount per month, {about.currency}"),
            "legend": _look.LEGEND,
            "hovermode": "x unified",
        },
        annotations=_highest(revenue, about),
        top=_look.LEGEND_TOP,
    )


def _finding(revenue: Mapping[str, Decimal], about: About) -> str:
    if empty := _totals.nothing(revenue, about):
        return empty
    top = max(revenue.values())
    amount = f"{about.currency} {_words.short(top)}"
    highest = [_words.month_name(month) for month in about.months if revenue[month] == top]
    if len(revenue) == 1:
        return f"Revenue was {amount} in {highest[0]}"
    if len(highest) == len(revenue):
        return f"Revenue was the same in all {len(revenue)} months: {amount}"
    each = " each" if len(highest) > 1 else ""
    return f"Revenue was highest in {_words.enumeration(highest, 'months')}: {amount}{each}"


def _changes(month: str, revenue: Mapping[str, Decimal]) -> list[str]:
    """How the month is to the month and to the year before, where these are published and it says something."""
    before = {text: revenue.get(months.shifted(month, -by)) for text, by in (("month", 1), ("year", 12))}
    changes = {text: _words.change(revenue[month], amount) for text, amount in before.items()}
    return [f"{change} on the {text} before" for text, change in changes.items() if change != _words.DASH]


def _last(revenue: Mapping[str, Decimal]) -> str:
    """How the last month is to those before, for the line below the title."""
    changes = _changes(max(revenue), revenue) if revenue else []
    return f"; {_words.month_name(max(revenue))} is {' and '.join(changes)}" if changes else ""


def _hover(month: str, revenue: Mapping[str, Decimal], about: About) -> str:
    amount = f"{about.currency} {_words.exact(revenue[month])}"
    return ", ".join([amount, *_changes(month, revenue)])


def _line(
    name: str, values: Mapping[str, Decimal], texts: Mapping[str, str], about: About, color: str, dash: str
) -> Scatter:
    return _look.line(name, values, texts, about.span, color=color, dash=dash, width=3, marker=8, hover="%{hovertext}")


def _highest(revenue: Mapping[str, Decimal], about: About) -> list[dict[str, Any]]:
    """The amount, at the one month that the title names."""
    top = max(revenue.values(), default=_totals.ZERO)
    highest = [month for month in revenue if revenue[month] == top]
    if len(highest) != 1 or not top:
        return []
    text = f"{about.currency} {_words.short(top)}"
    return [{"x": highest[0], "y": float(top), "text": text, "showarrow": False, "yshift": 18}]
