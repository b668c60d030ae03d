"""The assets of the charts: one for each, all from `salespipe_dagster.charts`."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pyspark.sql import DataFrame

from salespipe_dagster.assets.tables import OWNERS, SINGLE_RUN, asset_in
from salespipe_dagster.charts import About, Chart, charts, compared, touched
from salespipe_dagster.partitions import monthly_partitions
from salespipe_dagster.settings import Settings
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.objects import Raced
from salespipe_spark.tables import Table, tables


def chart_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset for each chart: of each month, or over whatever months are published."""
    return [_chart_asset(chart, settings) for chart in charts().values()]


def _chart_asset(chart: Chart, settings: Settings) -> dg.AssetsDefinition:
    read = [tables()[name] for name in chart.inputs]

    @dg.asset(
        key=["charts", chart.name],
        description=chart.description,
        group_name="charts",
        ins={table.name: asset_in(table, months_of_run=False) for table in read},
        partitions_def=monthly_partitions(settings) if chart.monthly else None,
        backfill_policy=SINGLE_RUN,
        io_manager_key="charts_io",
        kinds={"plotly"},
        tags={"partitioning": "monthly" if chart.monthly else "snapshot"},
        owners=OWNERS,
        required_resource_keys={"lake"},
    )
    def body(context: dg.AssetExecutionContext, **inputs: DataFrame) -> Any:
        lake: Catalogue = context.resources.lake.lake
        with undisturbed(lake, read):
            published = sorted(covered_by(lake, read, settings.months))
            if not chart.monthly:
                return chart.draw(**inputs, about=about_of(lake, read, published, settings.months, settings))
            # Also those that show a month of this run beside their own.
            asked = list(context.partition_keys)
            drawn = sorted({*asked, *(month for month in touched(asked) if month in published)})
            abouts = {month: _about_month(lake, read, published, month, settings) for month in drawn}
            return chart.draw(**inputs, abouts=abouts)

    return body


@contextmanager
def undisturbed(lake: Catalogue, read: list[Table]) -> Generator[None]:
    """What is drawn of these tables is of one state of them, and the newest: else it would stay over a newer one.

    Raises:
        Raced: another run published one of them meanwhile; what it draws itself stays.
    """
    before = _etags(lake, read)
    yield
    after = _etags(lake, read)
    for key, etag in after.items():
        if before.get(key) != etag:
            raise Raced(key)


def _etags(lake: Catalogue, read: list[Table]) -> dict[str, str]:
    return {key: etag for table in read for key, etag in lake.etags(table).items()}


def covered_by(lake: Catalogue, read: list[Table], configured: Sequence[str]) -> set[str]:
    """The months that all tables over months cover; the configured ones where none of them is over months."""
    covered = [months for table in read if (months := lake.covered(table)) is not None]
    return set[str].intersection(*covered) if covered else set(configured)


def _about_month(lake: Catalogue, read: list[Table], published: list[str], month: str, settings: Settings) -> About:
    """What the chart of one month says of its figures: of no months where its own is not published."""
    shown = compared(month)
    covered = [each for each in shown if each in published] if month in published else []
    return about_of(lake, read, covered, [each for each in settings.months if each in shown], settings)


def about_of(
    lake: Catalogue, read: list[Table], covered: list[str], expected: Sequence[str], settings: Settings
) -> About:
    """What the chart says of its figures.

    The run is the one that published them, not the one that draws: a chart whose figures did not
    change is the same file, byte for byte.
    """
    receipts = [receipt for table in read for receipt in lake.receipts(table, table.parts(covered)).values()]
    newest = max((receipt.published_at, receipt.run) for receipt in receipts) if covered else ("", "")
    return About(
        currency=settings.currency,
        months=covered,
        expected=len({*expected, *covered}),  # the lake may hold months from before a setting changed
        run=newest[1][:8],
    )
