"""The monthly partitions as Dagster sees them; the arithmetic of months is in `salespipe_spark.months`."""

import dagster as dg

from salespipe_dagster.settings import Settings
from salespipe_spark import months

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def monthly_partitions(settings: Settings) -> dg.MonthlyPartitionsDefinition:
    """The configured months; without an END_MONTH the current month is the last."""
    if settings.is_open_ended:
        return dg.MonthlyPartitionsDefinition(settings.first_month, fmt="%Y-%m", end_offset=1)
    after = months.following(settings.last_month)
    # Dagster ends at the month before this one unless told to look ahead; end_date stays the limit.
    ahead = len(settings.months)
    return dg.MonthlyPartitionsDefinition(settings.first_month, fmt="%Y-%m", end_date=after, end_offset=ahead)


def range_tags(block: list[str]) -> dict[str, str]:
    """The tags that make one run of an unbroken range of months."""
    return {RANGE_START: block[0], RANGE_END: block[-1]}
