"""The embedded engine with next to no memory: one clear error for each table that needs more, and the rest whole."""

import re
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration.pipeline import salespipe
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables

POOL = "SAIL_RUNTIME__MEMORY_POOL__GREEDY__MAX_SIZE"


def test_table_that_needs_more_memory_than_there_is_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a bound the engine takes what the machine has, and the machine takes the process."""
    monkeypatch.setenv(POOL, "1000000")
    span = {"start_month": "2024-01", "end_month": "2024-01"}
    done = salespipe("run", "--select", "not group:charts", home=tmp_path, **span)
    assert done.returncode == 1
    assert "Resources exhausted" in done.stderr
    assert "next: run fewer months at once, or give the engine more memory" in done.stderr
    failed = set(re.findall(r"could not (?:write \S+/|count what it staged of )(\w+)", done.stderr))
    assert "online_sales" in failed
    catalogue = Catalogue(tmp_path / "lake")
    assert [name for name in failed if catalogue.published(tables()[name])] == []
    assert catalogue.store.list("_staging", "") == []
    assert catalogue.intact(tables()["orders"], "2024-01").figures.rows > 0
