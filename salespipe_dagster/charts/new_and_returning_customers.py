"""Wholesale revenue of new and of returning customers per month, as stacked bars."""

from collections.abc import Mapping
from decimal import Decimal

from plotly.graph_objects import Bar, Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.charts import _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_spark import months

Parts = Mapping[str, tuple[Decimal, int]]
"""Revenue and customers by month."""


def new_and_returning_customers(cohort_revenue: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of each month from customers whose first month it is, and from those who have bought before.

    A customer is in one cohort, so that a month's customers may be added up over the cohorts. A published month
    without sales is zero; a month that is not published is a gap.
    """
    is_new = F.col("cohort_month") == F.col("month_start")
    sums = (F.sum("revenue").alias("revenue"), F.sum("customers").alias("customers"))
    rows = cohort_revenue.groupBy("month_start", is_new.alias("is_new")).agg(*sums).collect()
    found = {(months.month_of(row.month_start), row.is_new): (row.revenue, row.customers) for row in rows}
    new, returning = ({m: found.get((m, is_new), (_totals.ZERO, 0)) for m in about.months} for is_new in (True, False))
    gained = sum(customers for _, customers in new.values())
    stacks = [
        *(returning[m][0] + new[m][0] for m in about.months),
        *(a for p in (new, returning) for a, _ in p.values()),
    ]
    return _look.figure(
        _bars("Returning customers", returning, about, _look.RETURNING),
        _bars("New customers", new, about, _look.NEW),
        kind="Stacked bar chart of wholesale revenue per month from returning and from new customers",
        finding=_finding(new, returning, about),
        detail=f"{_words.count(gained, 'customer')} came in {_words.count(len(about.months), 'month')}"
        f"{_totals.all_new(about)}",
        source="marts/cohort_revenue",
        about=about,
        layout={
            "barmode": "relative",
            "xaxis": _look.month_axis(about.span),
            "yaxis": _look.money_axis(stacks, f"Revenue per month, {about.currency}"),
            "legend": _look.LEGEND | {"traceorder": "normal"},
            "hovermode": "x unified",
        },
        top=_look.LEGEND_TOP,
    )


def _finding(new: Parts, returning: Parts, about: About) -> str:
    totals = {
        "Returning customers": sum((revenue for revenue, _ in returning.values()), _totals.ZERO),
        "New customers": sum((revenue for revenue, _ in new.values()), _totals.ZERO),
    }
    return _totals.leader(totals, about, makes="make", many="kinds of customers", channel=_totals.WHOLESALE)


def _bars(name: str, parts: Parts, about: About, color: str) -> Bar:
    def hover(month: str) -> str:
        if month not in parts:
            return ""
        revenue, customers = parts[month]
        return f"{about.currency} {_words.exact(revenue)} from {_words.count(customers, 'customer')}"

    return Bar(
        name=name,
        x=about.span,
        y=[float(parts[month][0]) if month in parts else None for month in about.span],
        hovertext=[hover(month) for month in about.span],
        hovertemplate="%{hovertext}",
        textposition="none",
        width=0.75 * min(1, len(about.span) / _look.FEWEST_ROWS),
        marker={"color": color},
    )
