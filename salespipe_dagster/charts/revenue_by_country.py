"""Wholesale revenue by country as bars."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About


def revenue_by_country(revenue_by_country: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of each country over all months; the smallest together where there are many."""
    totals = _totals.by_name(revenue_by_country, "country", "revenue")
    source = "marts/revenue_by_country"
    channel = _totals.WHOLESALE
    return _bars.revenue_bars(totals, one="country", many="countries", source=source, about=about, channel=channel)
