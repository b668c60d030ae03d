"""The assets of the files: what is there, what has landed of it, and the staging tables made from that.

Landing is one step for all feeds and has no months: a file lands once, whatever months it has rows of.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.arrivals import RUN_TAG
from salespipe_dagster.assets.keys import asset_key, files_key, landed_key
from salespipe_dagster.assets.landing_report import metadata
from salespipe_dagster.assets.tables import OWNERS, SINGLE_RUN, check_specs, declaration, outcome, shown, tags
from salespipe_dagster.landing.land import Landing, OnFile, dock_of, land
from salespipe_dagster.landing.ledger import Landed, entries_of, read_landed
from salespipe_dagster.partitions import monthly_partitions
from salespipe_dagster.settings import Settings
from salespipe_spark.contract import SPARK
from salespipe_spark.lake.audit import PART, Check, cut, part_name
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.staged import Staged
from salespipe_spark.staging._landed import PROVENANCE
from salespipe_spark.tables import Table, feeds

LANDED_CHECK = ("landed", "The rows read are those that the ledger says have landed.")
ACCOUNTED = "accounted"


def file_specs() -> list[dg.AssetSpec]:
    """The files as somebody drops them: never written."""
    return [dg.AssetSpec(files_key(table), **files_shown(table)) for table in feeds()]


def files_shown(table: Table) -> dict[str, Any]:
    """What Dagster shows of the files of a feed, whoever writes them."""
    feed, contract = table.contract.feed, table.contract
    assert feed is not None
    columns = {
        column.source or column.name: shown(column, column.source or column.name, column.description, contract.key)
        for column in contract.columns
    }
    return {
        **_told_of(
            "files", f"The files in the folder {feed.folder}, as somebody drops them there: {table.description}"
        ),
        "kinds": {feed.format},
        "tags": tags(table),
        "metadata": {"dagster/column_schema": dg.TableSchema(list(columns.values()))},
    }


def landing_asset(settings: Settings, on_file: OnFile) -> dg.AssetsDefinition:
    """One step that lands what is there and has not landed, of all feeds."""
    by_key = {landed_key(table): table for table in feeds()}

    @dg.multi_asset(
        name="land",
        specs=[
            dg.AssetSpec(
                key,
                deps=[files_key(table)],
                kinds={"parquet"},
                tags=tags(table),
                **_told_of(
                    "landed", f"What has landed of {files_key(table).to_user_string()}, file by file, for {table.name}."
                ),
            )
            for key, table in by_key.items()
        ],
        check_specs=[
            dg.AssetCheckSpec(ACCOUNTED, asset=key, description="input = landed + quarantined + duplicates.")
            for key in by_key
        ],
        backfill_policy=SINGLE_RUN,
        can_subset=True,
        required_resource_keys={"lake", "files"},
    )
    def body(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        dock = dock_of(settings, context.resources.files, context.resources.lake.lake.store, context.run.run_id)
        landing = land(dock, only_settled=RUN_TAG in context.run.tags, on_file=_told(context, on_file))
        for key, table in by_key.items():
            if key in context.selected_asset_keys:
                yield dg.MaterializeResult(
                    asset_key=key, metadata=metadata(landing, table), check_results=[_accounted(landing, table)]
                )
        if landing.broken:
            lines = "\n  ".join(f"{key}: {why}" for key, why in landing.broken.items())
            said = f"Files that could not be read or parsed; all others have landed:\n  {lines}\n"
            raise dg.Failure(f"{said}Mend them or move them elsewhere, then run again.", allow_retries=False)

    return body


def feed_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One staging asset for each feed."""
    return [_feed_asset(table, settings) for table in feeds()]


def read_files(lake: Lake, landed: Landed, parts: list[str]) -> DataFrame:
    """The rows of the files that have landed, of these parts."""
    provenance = ", ".join(f"{column.name} {SPARK[column.type]}" for column in PROVENANCE)
    keys = [key for part in parts for key in landed.parts.get(part, [])]
    return lake.engine.read([lake.store.uri(key) for key in keys], f"{landed.table.contract.ddl}, {provenance}")


def rows_by_part(rows: DataFrame, table: Table) -> dict[str, int]:
    """How many rows of files there are in each part; a key that moved is no row."""
    counted = cut(rows, table.contract).groupBy(PART).agg(F.count_if(~F.col("is_moved")).alias("rows"))
    return {part_name(table.contract, row[PART]): row["rows"] for row in counted.collect()}


def _feed_asset(table: Table, settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(  # pyright: ignore[reportUntypedFunctionDecorator]
        key=asset_key(table),
        deps=[landed_key(table)],
        partitions_def=monthly_partitions(settings) if table.monthly else None,
        backfill_policy=SINGLE_RUN,
        kinds={"spark", "parquet"},
        check_specs=check_specs(table, LANDED_CHECK),
        required_resource_keys={"lake"},
        **declaration(table),
    )
    def body(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.Output[Staged]]:
        lake, staging = context.resources.lake.lake, context.resources.lake.staging
        parts = table.parts(list(context.partition_keys) if table.monthly else [])
        opening, landed = lake.open(table, parts), read_landed(lake.store, table, parts)
        rows = read_files(lake, landed, parts)
        assert table.transform is not None
        staged = lake.stage(opening, table.transform(rows), staging)
        counted = rows_by_part(rows, table)
        check = _all_read(lake, landed, parts, counted)
        for part, figures in staged.figures.items():
            told = {"superseded": counted.get(part, 0) - figures.rows, "files": len(landed.versions([part]))}
            context.add_asset_metadata(told, asset_key(table), part if table.monthly else None)
        staged = replace(staged, checks=[*staged.checks, check], fingerprints=landed.fingerprints(parts))
        yield from outcome({"result": staged})

    assert isinstance(body, dg.AssetsDefinition)
    return body


def _all_read(lake: Lake, landed: Landed, parts: list[str], counted: dict[str, int]) -> Check:
    """Hold the rows that the engine read against those that the ledger has of the same files."""
    entries = entries_of(lake.store, landed.table, landed.ledger, landed.versions(parts))
    expected = {part: sum(entry["rows"].get(part, 0) for entry in entries.values()) for part in parts}
    wrong = [part for part in parts if counted.get(part, 0) != expected[part]]
    lines = [f"{part}: {counted.get(part, 0)} rows read, {expected[part]} have landed" for part in wrong]
    return Check(LANDED_CHECK[0], not wrong, "the rows that the ledger names", "; ".join(lines) or "equal", wrong)


def _accounted(landing: Landing, table: Table) -> dg.AssetCheckResult:
    results = landing.of(table.name)
    records = sum(result.records for result in results)
    parts = [sum(getattr(result, name) for result in results) for name in ("landed", "quarantined", "duplicates")]
    return dg.AssetCheckResult(
        asset_key=landed_key(table),
        check_name=ACCOUNTED,
        passed=records == sum(parts),
        metadata={"expected": f"{records} records", "actual": " + ".join(map(str, parts))},
    )


def _told(context: dg.AssetExecutionContext, on_file: OnFile) -> OnFile:
    def tell(said: str, share: float) -> None:
        context.log.info(said)
        on_file(said, share)

    return tell


def _told_of(group: str, description: str) -> dict[str, Any]:
    return {"description": description, "group_name": group, "owners": OWNERS}
