"""Wholesale revenue by product line and month as a heatmap."""

from decimal import Decimal

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _heat, _look, _totals, _words
from salespipe_dagster.charts._look import About

MOST_LINES = 15


def product_line_by_month(revenue_by_country_and_product_line: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of each product line in each month; the smallest lines together where there are many.

    A published month in which a line sold nothing is zero; a month that is not published is blank.
    """
    found = _totals.sums(revenue_by_country_and_product_line, ("product_line", "month_start"), ("revenue",))
    totals: dict[str, Decimal] = {}
    for (line, _), (amount,) in found.items():
        totals[line] = totals.get(line, _totals.ZERO) + amount
    names, rest = _totals.ranked(totals, MOST_LINES)
    rows = {name: [name] for name in names} | ({f"{len(rest)} other lines": rest} if rest else {})
    cells = {
        (row, month): sum((found.get((line, month), (_totals.ZERO,))[0] for line in lines), _totals.ZERO)
        for row, lines in rows.items()
        for month in about.months
    }
    total = sum(totals.values(), _totals.ZERO)
    return _look.figure(
        _heat.heatmap(list(rows), about.span, cells, about, hover=_hover),
        kind="Heatmap of wholesale revenue by product line and month",
        finding=_totals.leader(totals, about, makes="make", many="product lines", channel=_totals.WHOLESALE),
        detail=f"{about.currency} {_words.short(total)} of wholesale revenue "
        f"from {_words.count(len(totals), 'product line')} in {_words.count(len(about.months), 'month')}, "
        "the largest line on top",
        source="marts/revenue_by_country_and_product_line",
        about=about,
        layout={"xaxis": _look.month_axis(about.span), "yaxis": _look.name_axis(list(rows))},
        left=220,
    )


def _hover(row: str, month: str) -> str:
    return f"{_words.literal(row)}, {_words.month_name(month)}"
