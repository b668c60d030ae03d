"""The wholesale customers who buy most, as bars."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About


def top_customers(revenue_by_customer: DataFrame, dim_customers: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of the customers who buy most, over all months; of all others in the line below the title."""
    names = _totals.names(dim_customers, "customer_number", "customer_name")
    totals = _totals.named(_totals.by_name(revenue_by_customer, "customer_number", "revenue"), names)
    source = "marts/revenue_by_customer"
    return _bars.revenue_bars(
        totals,
        one="customer",
        many="customers",
        source=source,
        about=about,
        channel=_totals.WHOLESALE,
        rest_as_bar=False,
    )
