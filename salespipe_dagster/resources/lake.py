"""The `lake` resource: the lake as one run sees it, with the run's own staging folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr
from salespipe_spark.lake.lake import Lake

from salespipe_dagster.resources.engine import EngineResource


class LakeResource(dg.ConfigurableResource):
    """The lake of a run. Attributes: root (its folder)."""

    root: str
    engine: dg.ResourceDependency[EngineResource]
    _lake: Lake | None = PrivateAttr(default=None)
    _staging: Path | None = PrivateAttr(default=None)

    @property
    def lake(self) -> Lake:
        """The lake of the run under way."""
        if self._lake is None:
            raise RuntimeError("The lake is there only while a run is under way.")
        return self._lake

    @property
    def staging(self) -> Path:
        """The run's staging folder; it is gone when the run ends."""
        if self._staging is None:
            raise RuntimeError("The lake is there only while a run is under way.")
        return self._staging

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["LakeResource"]:
        """Hold the lake and a staging folder for the run."""
        lake = Lake(Path(self.root), self.engine.engine)
        with lake.staging() as staging:
            self._lake, self._staging = lake, staging
            try:
                yield self
            finally:
                self._lake = self._staging = None
