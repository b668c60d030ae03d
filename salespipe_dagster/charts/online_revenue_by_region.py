"""Online revenue by region as bars."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About


def online_revenue_by_region(online_sales_summary: DataFrame, *, about: About) -> Figure:
    """Online revenue of each region over all months; the smallest together where there are many."""
    return _bars.revenue_bars(
        _totals.by_name(online_sales_summary, "region", "total_revenue"),
        one="region",
        many="regions",
        source="marts/online_sales_summary",
        about=about,
        channel=_totals.ONLINE,
    )
