"""Wholesale revenue of each product line over time, as lines."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _lines, _look, _totals, _words
from salespipe_dagster.charts._lines import Lines
from salespipe_dagster.charts._look import About

MOST_LINES = 7


def product_lines_over_time(revenue_by_product: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of each product line in each month; the smallest together where there are more than seven.

    A published month in which a line sold nothing is zero; a month that is not published is a gap.
    """
    found = _totals.sums(revenue_by_product, ("product_line", "month_start"), ("revenue",))
    known = sorted({line for line, _ in found})
    every = {line: {m: found.get((line, m), (_totals.ZERO,))[0] for m in about.months} for line in known}
    totals = {line: sum(amounts.values(), _totals.ZERO) for line, amounts in every.items()}
    names, rest = _totals.ranked(totals, MOST_LINES)
    shown = {name: every[name] for name in names}
    colours = _look.colours(known)
    if rest:
        others = f"{len(rest)} other lines"
        shown[others] = {m: sum((every[line][m] for line in rest), _totals.ZERO) for m in about.months}
        colours[others] = _look.OTHER
    total = sum(totals.values(), _totals.ZERO)
    return _lines.revenue_lines(
        shown,
        colours,
        kind="Line chart of wholesale revenue by product line and month",
        finding=_finding(every, about),
        detail=f"{about.currency} {_words.short(total)} of wholesale revenue from "
        f"{_words.count(len(totals), 'product line')} in {_words.count(len(about.months), 'month')}",
        source="marts/revenue_by_product",
        about=about,
    )


def _finding(every: Lines, about: About) -> str:
    """Who is ahead in most months; a month without revenue has no one ahead."""
    totals = {f"{line} {month}": amount for line, amounts in every.items() for month, amount in amounts.items()}
    if empty := _totals.nothing(totals, about, _totals.WHOLESALE):
        return empty
    ahead = dict.fromkeys(every, 0)
    for month in about.months:
        top = max(amounts[month] for amounts in every.values())
        for line in every:
            ahead[line] += every[line][month] == top and any(amounts[month] for amounts in every.values())
    most = max(ahead.values())
    leaders = [line for line in ahead if ahead[line] == most]
    who, each = _words.enumeration(leaders, "product lines"), " each" if len(leaders) > 1 else ""
    if len(about.months) == 1:
        return f"{who}{each} sell most {_words.during(about.months)}"
    whole = most == len(about.months)
    return f"{who}{each} sell most in {f'all {most}' if whole else f'{most} of {len(about.months)}'} months"
