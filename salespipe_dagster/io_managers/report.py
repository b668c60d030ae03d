"""The report's I/O manager: the page becomes one file in the lake's `report` folder."""

from pathlib import Path

import dagster as dg

from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import LocalStore

KEY = "report/index.html"
"""Where the report lies, below the lake's folder."""


class ReportIOManager(dg.IOManager):
    """Stores the page as report/index.html below the lake's folder, in one atomic step and only if it changed."""

    def __init__(self, root: Path) -> None:
        self._store = LocalStore(root)

    def handle_output(self, context: dg.OutputContext, obj: bytes) -> None:
        """Put the page in place; one whose bytes did not change is left alone."""
        with self._store.writing(), self._store.locked("report"):
            self._store.put(KEY, obj)
        context.add_output_metadata(
            {"page": dg.PathMetadataValue(self._store.path(KEY)), "bytes": dg.MetadataValue.int(len(obj))}
        )

    def load_input(self, context: dg.InputContext) -> Path:
        """Where the report lies.

        Raises:
            SalespipeError: it was never made.
        """
        path = self._store.path(KEY)
        if not path.exists():
            raise SalespipeError(f"No report at {path}.", "salespipe run --select report")
        return path


def report_io(settings: Settings) -> dg.IOManagerDefinition:
    """The report's I/O manager on the configured lake."""

    @dg.io_manager(description="Writes the report into the lake's folder.")
    def report(_: dg.InitResourceContext) -> ReportIOManager:
        return ReportIOManager(settings.lake)

    return report
