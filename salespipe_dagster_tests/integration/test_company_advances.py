"""The synthetic company moves forward, and the night makes exactly the months that changed."""

from pathlib import Path

from salespipe_dagster.automation import observe, plan
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.integration.pipeline import contents, objects, run_here, salespipe
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue

SPAN = {"start_month": "2025-01", "end_month": "2025-05", "company_orders_per_month": "60"}


def asked_at_night(home: Path) -> list[list[str]]:
    """What the schedule would ask for, were no month the current one."""
    settings = Settings.checked(home=home, **SPAN)
    observed = observe(SourceDatabase(settings.source), Catalogue(settings.lake), settings)
    return plan(*observed, settings.months, "2031-01")


def test_an_advance_is_followed_by_the_run_of_its_months(tmp_path: Path, engine: Engine) -> None:
    """An incremental run comes to the same as a run of everything, and verify proves it by the company's books."""
    run_here(engine, home=tmp_path, **SPAN)
    assert asked_at_night(tmp_path) == []
    before = objects(tmp_path)
    moved = salespipe("company", "advance", "--days", "25", home=tmp_path, **SPAN)
    assert moved.returncode == 0, moved.stderr
    assert "The company's day was 2025-05-31 and is 2025-06-25." in moved.stdout
    (asked,) = asked_at_night(tmp_path)
    assert asked[-1] == "2025-05"
    assert f"Next: salespipe run --months {asked[0]}...2025-05" in moved.stdout
    stale = salespipe("verify", home=tmp_path, **SPAN)
    assert stale.returncode == 1
    run_here(engine, home=tmp_path, span=(asked[0], "2025-05"), **SPAN)
    assert asked_at_night(tmp_path) == []
    proven = salespipe("verify", home=tmp_path, **SPAN)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    after = objects(tmp_path)
    assert (
        before["core/fact_orders/year=2025/month=05/data.parquet"]
        != (after["core/fact_orders/year=2025/month=05/data.parquet"])
    )
    assert (
        before["core/fact_orders/year=2025/month=01/data.parquet"]
        == (after["core/fact_orders/year=2025/month=01/data.parquet"])
    )
    incremental = contents(tmp_path)
    run_here(engine, home=tmp_path, **SPAN)
    assert contents(tmp_path) == incremental
