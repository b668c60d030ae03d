"""A range of months is one run: what it costs does not grow with the number of months."""

from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import DataFrame

from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.conftest import MONTHS
from salespipe_dagster_tests.support import FakeSource, failures, materialise
from salespipe_spark.engine import SailEngine
from salespipe_spark.tables import tables


def test_range_is_one_scan_and_one_engine_job_for_each_table(
    settings: Settings, engine: SailEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan or a job for each month made a backfill of two years take 24 times as long."""
    jobs: Counter[str] = Counter()
    write = engine.write

    def counted(frame: DataFrame, target: str, by: str = "", size: int = 0) -> None:
        jobs[Path(target).name] += 1
        write(frame, target, by, size)

    monkeypatch.setattr(engine, "write", counted)
    source = FakeSource()
    result = materialise(settings, engine, source, MONTHS, *tables())
    assert result.success, failures(result)
    assert len(MONTHS) == 3
    assert Counter(source.scans) == {table.name: 1 for table in tables().values() if table.contract.source}
    assert jobs == {table.name: 1 for table in tables().values() if table.transform}
