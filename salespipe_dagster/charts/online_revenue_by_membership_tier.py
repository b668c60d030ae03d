"""Online revenue by membership tier, as bars: a pie shows no more, and neither many tiers nor small differences."""

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.charts import _bars, _totals
from salespipe_dagster.charts._look import About

NOBODY = "Customers without a tier"


def online_revenue_by_membership_tier(online_revenue_by_segment: DataFrame, *, about: About) -> Figure:
    """Online revenue of each membership tier over all months; that of customers without one has a bar of its own.

    A customer without a profile has no tier either.
    """
    return _bars.revenue_bars(
        _totals.by_name(online_revenue_by_segment, "membership_tier", "total_revenue", NOBODY),
        one="membership tier",
        many="membership tiers",
        source="marts/online_revenue_by_segment",
        about=about,
        channel=_totals.ONLINE,
        nobody=NOBODY,
    )
