"""How large wholesale orders are, as a histogram with mean, median and standard deviation."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.charts import _histogram, _sizes, _totals
from salespipe_dagster.charts._look import About


def deal_sizes(fact_orders: DataFrame, *, about: About) -> Figure:
    """How many wholesale orders, without cancelled ones, are of which size; with mean, median and deviation.

    Bins are equally wide, from zero; where a few orders are far larger than all others, these share the last,
    open one. Everything is counted on the engine.
    """
    live = fact_orders.where("NOT is_cancelled")
    orders = live.groupBy("order_number").agg(F.sum("amount").alias("amount"))
    sizes = _sizes.sizes(orders, _sizes.as_many_as_read_well)
    return _histogram.histogram(
        sizes, one="wholesale order", channel=_totals.WHOLESALE, source="core/fact_orders", about=about
    )
