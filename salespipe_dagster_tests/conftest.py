"""Fixtures of all tests. Nothing here needs a server, Java or a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from salespipe_spark.engine import SailEngine
from salespipe_spark.lake.lake import Lake


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SailEngine]:
    """The embedded engine, one for all tests. Classic Spark cannot start in this process after it."""
    engine = SailEngine(tmp_path_factory.mktemp("sail"))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def spark(engine: SailEngine) -> SparkSession:
    """The embedded engine's session."""
    return engine.session


@pytest.fixture
def lake(tmp_path: Path, engine: SailEngine) -> Lake:
    """An empty lake in a folder whose name holds a space."""
    return Lake(tmp_path / "a lake", engine)
