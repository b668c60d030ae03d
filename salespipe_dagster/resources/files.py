"""The `files` resource: the store that the online channel's files land in."""

import dagster as dg

from salespipe_dagster.settings import Settings
from salespipe_spark.lake.objects import Store
from salespipe_spark.lake.store import open_store


def files_store(settings: Settings) -> Store:
    """The store of the files; nothing is looked at before it is asked something."""
    return open_store(settings.files_place, settings.scratch, settings.s3_server)


def files_resource(settings: Settings) -> dg.ResourceDefinition:
    """The store of the files, of a run or of a sensor's tick."""

    @dg.resource(description=f"The files in {settings.files_place}.")
    def files(_: dg.InitResourceContext) -> Store:
        return files_store(settings)

    return files
