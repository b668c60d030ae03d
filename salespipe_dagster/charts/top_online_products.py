"""The products that sell most online, as bars."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About


def top_online_products(online_sales_summary: DataFrame, *, about: About) -> Figure:
    """Online revenue of the products that sell most, over all months; of all others in the line below the title."""
    return _bars.revenue_bars(
        _totals.by_name(online_sales_summary, "product", "total_revenue"),
        one="product",
        many="products",
        source="marts/online_sales_summary",
        about=about,
        channel=_totals.ONLINE,
        rest_as_bar=False,
    )
