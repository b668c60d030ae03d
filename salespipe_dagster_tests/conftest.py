"""Fixtures of all tests. Nothing here needs a server, Java or a network."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.side_by_side import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from salespipe_dagster_tests.support import ONLINE, FakeSource, failures, land_online, materialise
from salespipe_spark.engine import Engine
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import tables

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

MONTHS = ["2024-01", "2024-02", "2024-03"]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The embedded engine, one for all tests: classic Spark cannot start in this process after it.

    SALESPIPE_TESTS_ENGINE=spark makes it Apache Spark, for the tests of transforms.
    """
    name = os.environ.get("SALESPIPE_TESTS_ENGINE", "sail")
    with open_engine(Settings.checked(home=tmp_path_factory.mktemp(name), engine=name)) as engine:
        yield engine


@pytest.fixture(scope="session")
def spark(engine: Engine) -> SparkSession:
    """The engine's session."""
    return engine.session


@pytest.fixture
def lake(tmp_path: Path, engine: Engine) -> Lake:
    """An empty lake in a folder whose name holds a space."""
    return Lake(tmp_path / "a lake", engine)


def settings_below(home: Path) -> Settings:
    """An external source, which is replaced, and three months."""
    values = {"source_url": "mysql+pymysql://shop@db.example/shop", "start_month": MONTHS[0], "end_month": MONTHS[-1]}
    return Settings.checked(home=home, **values)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing of salespipe is set; DAGSTER_HOME, which a run sets, is as before afterwards."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    for name in [name for name in os.environ if name.upper().startswith("SALESPIPE_")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def settings(tmp_path: Path, environment: pytest.MonkeyPatch) -> Settings:
    """Three months of an external source, below an empty home."""
    return settings_below(tmp_path / "a home")


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """A home whose lake holds every table of the literal shop; made once and copied, never changed."""
    settings = settings_below(tmp_path_factory.mktemp("filled"))
    land_online(Lake(settings.lake, engine).store, ONLINE)
    result = materialise(settings, engine, FakeSource(), MONTHS, *tables())
    assert result.success, failures(result)
    return settings.root


@pytest.fixture
def filled(tmp_path: Path, environment: pytest.MonkeyPatch, filled_home: Path) -> Settings:
    """Three months, and a lake of one's own that holds every table of the literal shop."""
    return settings_below(Path(shutil.copytree(filled_home, tmp_path / "filled")))
