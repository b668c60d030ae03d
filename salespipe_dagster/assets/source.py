"""The assets of the source's tables: made by the synthetic company, or there already.

In synthetic mode each is an asset that the company writes through the MySQL I/O manager. In external
mode each is a plain spec: the tables are never written, and staging logs what it saw of them.
"""

from typing import Any

import dagster as dg

from salespipe_dagster.assets.keys import source_key
from salespipe_dagster.assets.tables import OWNERS, SINGLE_RUN, shown, tags
from salespipe_dagster.partitions import monthly_partitions
from salespipe_dagster.resources.source_db import Rows
from salespipe_dagster.resources.source_sql import own_columns
from salespipe_dagster.settings import Settings
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.tables import Table, sources


def source_assets(settings: Settings) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """One asset or spec for each table of the source."""
    if settings.synthetic:
        return [_company_asset(table, settings) for table in sources()]
    return [
        dg.AssetSpec(source_key(table), partitions_def=_partitions(table, settings), **_shown(table))
        for table in sources()
    ]


def _company_asset(table: Table, settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=source_key(table),
        partitions_def=_partitions(table, settings),
        backfill_policy=SINGLE_RUN,
        io_manager_key="mysql_io",
        dagster_type=dg.Any,  # Dagster cannot read the annotation
        **_shown(table),
    )
    def body(context: dg.AssetExecutionContext) -> list[tuple[str, Rows]]:
        parts = table.parts(list(context.partition_keys) if table.monthly else [])
        return [(part, _rows(table, part)) for part in parts]

    assert isinstance(body, dg.AssetsDefinition)
    return body


def _rows(table: Table, part: str) -> Rows:
    """What makes the part's rows, of the company at the day that it has come to when they are written."""
    return lambda company: company.batches(table.name, None if part == SNAPSHOT else part)


def _partitions(table: Table, settings: Settings) -> dg.PartitionsDefinition | None:
    return monthly_partitions(settings) if table.monthly else None


def _shown(table: Table) -> dict[str, Any]:
    return {
        "description": f"{table.contract.grain}\n\nA table of the shop's database, as it is there.",
        "group_name": "source",
        "kinds": {"mysql"},
        "owners": OWNERS,
        "tags": tags(table),
        "metadata": {
            "dagster/column_schema": dg.TableSchema(
                [shown(c, c.source_name, c.description, table.contract.key) for c in own_columns(table)]
            )
        },
    }
