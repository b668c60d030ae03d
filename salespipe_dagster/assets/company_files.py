"""The assets of the files that the synthetic company drops: they are there only where no FILES_URL is set.

What lands of them is no matter of these assets: they write files as anybody else may.
"""

from typing import Any

import dagster as dg

from salespipe_dagster.assets.files import files_shown
from salespipe_dagster.assets.keys import files_key
from salespipe_dagster.assets.tables import SINGLE_RUN
from salespipe_dagster.partitions import monthly_partitions
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of, dropped_by, shop_of
from salespipe_dagster.synthetic.online.drops import drop, online_files
from salespipe_spark.tables import Table, feeds


def company_files(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset for the files of each feed."""
    return [_asset(table, settings) for table in feeds()]


def _asset(table: Table, settings: Settings) -> dg.AssetsDefinition:
    key = files_key(table)

    @dg.asset(  # pyright: ignore[reportUntypedFunctionDecorator]
        key=key,
        partitions_def=monthly_partitions(settings) if table.monthly else None,
        backfill_policy=SINGLE_RUN,
        required_resource_keys={"source_db"},
        **files_shown(table),
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        source, company = context.resources.source_db, company_of(settings)
        source.prepare_company(company)
        there = source.made_by() or company  # the company keeps its day in its database
        span = list(context.partition_keys) if table.monthly else []
        files = online_files(shop_of(settings), key.path[-1], dropped_by(settings, there), span)
        dropped = drop(settings.files, files)
        context.log.info(f"{len(dropped.files)} files, {len(dropped.written)} of them written now")
        return dg.MaterializeResult(
            metadata={
                "files": len(dropped.files),
                "written": len(dropped.written),
                "records": dropped.book.records,
                "spoilt": dropped.book.quarantined.total(),
                "repeated": dropped.book.duplicates,
                "folder": dg.MetadataValue.path(settings.files / key.path[-1]),
            }
        )

    assert isinstance(body, dg.AssetsDefinition)
    return body
