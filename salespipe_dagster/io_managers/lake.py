"""The lake's I/O manager: publishes what an asset staged, loads what is published.

A stored value is a `Staged` table that has passed its audit; a loaded one is a frame of the engine.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from pyspark.sql import DataFrame

from salespipe_dagster.assets.keys import asset_key
from salespipe_spark import lineage
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.publish import Published
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.lake.staged import Staged
from salespipe_spark.lineage import Origin
from salespipe_spark.tables import Table, tables

PUBLISHED = {"months": "published"}
"""Metadata of an AssetIn that takes whatever months are published, not those of the run."""


class LakeIOManager(dg.IOManager):
    """Publishes and loads the tables of the lake; an asset's key is its table's layer and name."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def handle_output(self, context: dg.OutputContext, obj: Staged) -> None:
        """Publish the parts whose rows changed, and tell Dagster of each part's rows and amounts."""
        *others, newest = self._lake.publish(obj, context.run_id)
        for each in others:
            self._tell(context, each, _metadata(each))
        # Dagster shows the lineage of the newest materialisation; one of each month would be most of its events.
        self._tell(context, newest, {**_metadata(newest), "dagster/column_lineage": column_lineage(obj.opening.table)})

    @staticmethod
    def _tell(context: dg.OutputContext, published: Published, metadata: Mapping[str, Any]) -> None:
        partition = None if published.receipt.part == SNAPSHOT else published.receipt.part
        context.step_context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=partition)

    def load_input(self, context: dg.InputContext) -> DataFrame:
        """The upstream table's months of this run, or its snapshot, or all that is published."""
        table = tables()[context.asset_key.path[-1]]
        if context.definition_metadata.get("months") == PUBLISHED["months"]:
            return self._lake.read_published(table)
        months = list(context.asset_partition_keys) if table.monthly else []
        return self._lake.read(table, table.parts(months))


@dg.io_manager(required_resource_keys={"lake"}, description="Publishes to the lake and loads from it.")
def lake_io(context: dg.InitResourceContext) -> LakeIOManager:
    """The I/O manager on the run's lake."""
    return LakeIOManager(context.resources.lake.lake)


def column_lineage(table: Table) -> dg.TableColumnLineage:
    """Each column's origins in the assets before it: tables of the lake or, for staging, of the source or the files."""

    def key(origin: Origin) -> dg.AssetKey:
        if table.contract.feed:
            return dg.AssetKey(origin.table.split("/"))
        return dg.AssetKey(["source", origin.table]) if table.contract.source else asset_key(tables()[origin.table])

    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(key(origin), origin.column) for origin in found]
            for name, found in lineage.origins(table).items()
        }
    )


def _metadata(published: Published) -> Mapping[str, dg.MetadataValue[Any]]:
    receipt: Receipt = published.receipt
    numbers = {name: dg.MetadataValue.float(float(value)) for name, value in receipt.figures.sums.items()}
    return numbers | {
        "dagster/partition_row_count": dg.MetadataValue.int(receipt.figures.rows),
        "rows": dg.MetadataValue.int(receipt.figures.rows),
        "digest": dg.MetadataValue.text(receipt.figures.digest),
        "replaced": dg.MetadataValue.bool(published.replaced),
        "object": dg.MetadataValue.text(receipt.key),
    }
