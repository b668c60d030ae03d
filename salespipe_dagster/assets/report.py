"""The asset of the report: one page over whatever months are published."""

import inspect

import dagster as dg
from pyspark.sql import DataFrame

from salespipe_dagster.assets.charts import about_of, covered_by, undisturbed
from salespipe_dagster.assets.tables import OWNERS, SINGLE_RUN, asset_in
from salespipe_dagster.report import INPUTS, report
from salespipe_dagster.settings import Settings
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables


def report_asset(settings: Settings) -> dg.AssetsDefinition:
    """The report, made anew whenever the charts are."""
    read = [tables()[name] for name in INPUTS]

    @dg.asset(
        key=["report"],
        description=inspect.getdoc(report),
        group_name="report",
        ins={table.name: asset_in(table, months_of_run=False) for table in read},
        backfill_policy=SINGLE_RUN,
        io_manager_key="report_io",
        kinds={"html"},
        tags={"partitioning": "snapshot"},
        owners=OWNERS,
        required_resource_keys={"lake"},
    )
    def body(context: dg.AssetExecutionContext, **inputs: DataFrame) -> bytes:
        lake: Catalogue = context.resources.lake.lake
        with undisturbed(lake, read):
            covered = sorted(covered_by(lake, read, settings.months))
            return report(**inputs, about=about_of(lake, read, covered, settings.months, settings))

    return body
