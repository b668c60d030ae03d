"""The staging assets: the source's tables scanned into the lake.

The monthly tables are one step and the snapshots another, after it: an order that was read has its
customer and its product in snapshots that are read later.
"""

from collections.abc import Iterator

import dagster as dg

from salespipe_dagster.assets.keys import asset_key, source_key
from salespipe_dagster.assets.tables import SINGLE_RUN, check_specs, declaration, outcome
from salespipe_dagster.extract import extract
from salespipe_dagster.partitions import monthly_partitions
from salespipe_dagster.resources.source_jdbc import JdbcScan
from salespipe_dagster.settings import Settings
from salespipe_spark.lake.staged import Staged
from salespipe_spark.tables import Table, sources

SOURCE_CHECK = ("source", "Rows and amount are those that the source's own server counts.")


def staging_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Two steps that each make several tables: the monthly ones, then the snapshots."""
    monthly = [table for table in sources() if table.monthly]
    snapshots = [table for table in sources() if not table.monthly]
    return [
        _extraction("extract_months", monthly, settings, after=[]),
        _extraction("extract_snapshots", snapshots, settings, after=[asset_key(table) for table in monthly]),
    ]


def _extraction(name: str, group: list[Table], settings: Settings, after: list[dg.AssetKey]) -> dg.AssetsDefinition:
    monthly = all(table.monthly for table in group)

    @dg.multi_asset(
        name=name,
        outs={
            table.name: dg.AssetOut(
                key=asset_key(table), is_required=False, kinds={"mysql", "parquet"}, **declaration(table)
            )
            for table in group
        },
        deps=[*(source_key(table) for table in group), *after],
        check_specs=[spec for table in group for spec in check_specs(table, SOURCE_CHECK)],
        partitions_def=monthly_partitions(settings) if monthly else None,
        backfill_policy=SINGLE_RUN,
        can_subset=True,
        required_resource_keys={"lake", "source_db"},
    )
    def body(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.Output[Staged]]:
        source, lake = context.resources.source_db, context.resources.lake
        chosen = [table for table in group if asset_key(table) in context.selected_asset_keys]
        source.probe()
        # All of the source's tables, also those that a later step scans: all is well, or nothing is published.
        for column in source.check_schema(sources()):
            context.log.warning(f"The source's column {column} is in no contract: it is ignored.")
        months = list(context.partition_keys) if monthly else []
        jdbc = JdbcScan(source, lake.lake.engine, lake.staging) if settings.extraction == "jdbc" else None
        scanned = extract(source, lake.lake, lake.staging, chosen, months, jdbc)
        for staged in scanned:
            table = staged.opening.table
            if not settings.synthetic:
                _observe(context, table, staged.fingerprints)
            if monthly:
                _report_outside(context, table, settings)
        yield from outcome({staged.opening.table.name: staged for staged in scanned})

    return body


def _observe(context: dg.AssetExecutionContext, table: Table, fingerprints: dict[str, str]) -> None:
    """Log what was seen of an external table, with its fingerprint as data version."""
    for part, digest in fingerprints.items():
        partition = part if table.monthly else None
        tags = {"dagster/data_version": digest}
        context.log_event(dg.AssetObservation(source_key(table), partition=partition, tags=tags))


def _report_outside(context: dg.AssetExecutionContext, table: Table, settings: Settings) -> None:
    """Name the rows that no configured month holds: they are in no figure, and never silent."""
    outside = context.resources.source_db.outside(table, settings.first_month, settings.last_month)
    if outside.rows:
        context.log.warning(f"{source_key(table).path[-1]}: {outside} outside the configured months.")
    metadata = {"rows_outside": outside.rows, "amount_outside": str(outside.amount or "")}
    context.log_event(dg.AssetObservation(asset_key(table), metadata=metadata))
