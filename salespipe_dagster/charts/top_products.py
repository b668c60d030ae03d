"""The products that sell most in the wholesale channel, as bars."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About


def top_products(revenue_by_product: DataFrame, dim_products: DataFrame, *, about: About) -> Figure:
    """Wholesale revenue of the products that sell most, over all months; of all others in the line below the title."""
    names = _totals.names(dim_products, "product_code", "product_name")
    totals = _totals.named(_totals.by_name(revenue_by_product, "product_code", "revenue"), names)
    source = "marts/revenue_by_product"
    return _bars.revenue_bars(
        totals,
        one="product",
        many="products",
        source=source,
        about=about,
        channel=_totals.WHOLESALE,
        rest_as_bar=False,
    )
