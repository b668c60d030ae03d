"""The `lake` resource: the lake as one run sees it, with the run's own staging folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from salespipe_dagster.settings import Settings
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.objects import Store
from salespipe_spark.lake.store import open_store


@dataclass(frozen=True)
class RunLake:
    """The lake of a run, and the staging folder on this machine that is gone when the run ends."""

    lake: Lake
    staging: Path


def lake_store(settings: Settings) -> Store:
    """The store of the lake; nothing is looked at before it is asked something."""
    return open_store(settings.lake_place, settings.scratch, settings.s3_server)


def lake_resource(settings: Settings) -> dg.ResourceDefinition:
    """The lake of a run."""

    @dg.resource(required_resource_keys={"engine"}, description=f"The lake in {settings.lake_place}.")
    def lake(context: dg.InitResourceContext) -> Iterator[RunLake]:
        opened = Lake(lake_store(settings), context.resources.engine)
        with opened.staging() as staging:
            yield RunLake(opened, staging)

    return lake
