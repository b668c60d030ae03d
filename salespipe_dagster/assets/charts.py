"""The assets of the charts: one for each, all from `salespipe_dagster.charts`."""

import dagster as dg
from plotly.graph_objects import Figure
from pyspark.sql import DataFrame

from salespipe_dagster.assets.tables import OWNERS, SINGLE_RUN, asset_in
from salespipe_dagster.charts import About, Chart, charts
from salespipe_dagster.settings import Settings
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import Table, tables


def chart_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset for each chart, over whatever months are published."""
    return [_chart_asset(chart, settings) for chart in charts().values()]


def _chart_asset(chart: Chart, settings: Settings) -> dg.AssetsDefinition:
    read = [tables()[name] for name in chart.inputs]

    @dg.asset(
        key=["charts", chart.name],
        description=chart.description,
        group_name="charts",
        ins={table.name: asset_in(table, months_of_run=False) for table in read},
        backfill_policy=SINGLE_RUN,
        io_manager_key="charts_io",
        kinds={"plotly"},
        owners=OWNERS,
        required_resource_keys={"lake"},
    )
    def body(context: dg.AssetExecutionContext, **inputs: DataFrame) -> Figure:
        return chart.draw(**inputs, about=about_of(context.resources.lake.lake, read, settings))

    return body


def about_of(lake: Catalogue, read: list[Table], settings: Settings) -> About:
    """What the chart says of its figures.

    The run is the one that published them, not the one that draws: a chart whose figures did not
    change is the same file, byte for byte.
    """
    covered = sorted(set[str].intersection(*(set(lake.published(table)) for table in read if table.monthly)))
    receipts = [lake.receipt(table, part) for table in read for part in table.parts(covered)]
    newest = max((r.published_at, r.run) for r in receipts if r) if covered else ("", "")
    return About(
        currency=settings.currency,
        months=covered,
        expected=len({*settings.months, *covered}),  # the lake may hold months from before a setting changed
        run=newest[1][:8],
    )
