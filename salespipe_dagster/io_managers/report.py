"""The report's I/O manager: the page becomes one file in the lake's `report` folder."""

import dagster as dg

from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Store

KEY = "report/index.html"
"""Where the report lies, below the lake's folder."""


class ReportIOManager(dg.IOManager):
    """Stores the page as report/index.html below the lake's folder, in one atomic step and only if it changed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle_output(self, context: dg.OutputContext, obj: bytes) -> None:
        """Put the page in place; one whose bytes did not change is left alone."""
        with self._store.writing(), self._store.locked("report"):
            self._store.put(KEY, obj)
        context.add_output_metadata(
            {"page": dg.MetadataValue.path(self._store.uri(KEY)), "bytes": dg.MetadataValue.int(len(obj))}
        )

    def load_input(self, context: dg.InputContext) -> str:
        """Where the report lies.

        Raises:
            SalespipeError: it was never made.
        """
        place = self._store.uri(KEY)
        if self._store.entry(KEY) is None:
            raise SalespipeError(f"No report at {place}.", "salespipe run --select report")
        return place


def report_io(settings: Settings) -> dg.IOManagerDefinition:
    """The report's I/O manager on the configured lake."""

    @dg.io_manager(description="Writes the report into the lake's folder.")
    def report(_: dg.InitResourceContext) -> ReportIOManager:
        return ReportIOManager(lake_store(settings))

    return report
