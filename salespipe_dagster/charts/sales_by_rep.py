"""Wholesale revenue by sales rep as bars."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About

NOBODY = "Customers without a rep"


def sales_by_rep(revenue_by_sales_rep: DataFrame, dim_employees: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of each sales rep's customers over all months; those without one have a bar of their own."""
    names = _totals.names(dim_employees, "employee_number", "full_name")
    totals = _totals.named(_totals.by_name(revenue_by_sales_rep, "sales_rep_number", "revenue", NOBODY), names)
    source = "marts/revenue_by_sales_rep"
    return _bars.revenue_bars(
        totals,
        one="sales rep",
        many="sales reps",
        source=source,
        about=about,
        channel=_totals.WHOLESALE,
        nobody=NOBODY,
    )
