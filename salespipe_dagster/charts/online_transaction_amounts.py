"""How large online transactions are, as a histogram with mean, median and standard deviation."""

from functools import partial

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _histogram, _sizes, _totals
from salespipe_dagster.charts._look import About

BINS = 50


def online_transaction_amounts(fact_online_sales: DataFrame, *, about: About) -> Figure:
    """How many online transactions are of which size, in fifty bins; with mean, median and standard deviation.

    Bins are equally wide, from zero; where a few transactions are far larger than all others, these share the
    last, open one. Everything is counted on the engine.
    """
    sizes = _sizes.sizes(fact_online_sales, partial(_sizes.exactly, BINS))
    return _histogram.histogram(
        sizes, one="online transaction", channel=_totals.ONLINE, source="core/fact_online_sales", about=about
    )
