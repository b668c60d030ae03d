"""Wholesale revenue by the customers' first month and the months since, as a heatmap."""

from decimal import Decimal
from typing import Any

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _heat, _look, _totals, _words
from salespipe_dagster.charts._look import About
from salespipe_spark import months


def cohort_revenue_by_month(cohort_revenue: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue in each month since their first of the customers who came in one month.

    A published month in which a cohort bought nothing is zero; one that is not published, or not yet there, is
    blank. Months in which nobody came have no row.
    """
    found = _totals.sums(cohort_revenue, ("cohort_month", "month_start"), ("revenue",))
    totals: dict[str, Decimal] = {}
    for (cohort, _), (amount,) in found.items():
        totals[cohort] = totals.get(cohort, _totals.ZERO) + amount
    cohorts = sorted(totals)
    cells = {
        (cohort, _since(cohort, month)): found.get((cohort, month), (_totals.ZERO,))[0]
        for cohort in cohorts
        for month in about.months
        if month >= cohort
    }
    columns = [str(number) for number in range(len(about.span))] if cohorts else []
    total = sum(totals.values(), _totals.ZERO)
    return _look.figure(
        _heat.heatmap(cohorts, columns, cells, about, hover=_hover),
        kind="Heatmap of wholesale revenue by the customers' first month and the months since",
        finding=_totals.leader(
            totals,
            about,
            makes="make",
            many="months",
            named=_words.month_name,
            of="Customers of ",
            channel=_totals.WHOLESALE,
        ),
        detail=f"{about.currency} {_words.short(total)} of wholesale revenue from customers who first came "
        f"in {_words.count(len(cohorts), 'month')}{_totals.all_new(about)}",
        source="marts/cohort_revenue",
        about=about,
        layout={"xaxis": _axis_of_months_since(columns), "yaxis": _axis_of_cohorts(cohorts)},
        left=120,
    )


def _since(cohort: str, month: str) -> str:
    return str(months.index(month) - months.index(cohort))


def _hover(cohort: str, since: str) -> str:
    month = months.shifted(cohort, int(since))
    return f"Customers of {_words.month_name(cohort)}, in {_words.month_name(month)}"


def _axis_of_months_since(columns: list[str]) -> dict[str, Any]:
    ticks = columns[:: _look.month_step(columns)]
    return _look.column_axis(columns, ticks, ticks, "Months since the first")


def _axis_of_cohorts(cohorts: list[str]) -> dict[str, Any]:
    ticks = _look.month_ticks(cohorts)
    return _look.name_axis(cohorts) | {
        "tickvals": ticks,
        "ticktext": [_words.month_name(month) + " " for month in ticks],
        "title": {"text": "First month", "standoff": 12},
    }
