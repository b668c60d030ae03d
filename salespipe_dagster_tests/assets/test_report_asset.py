"""The report's asset, made from a lake that holds the literal shop."""

import json
import re

import dagster as dg

from salespipe_dagster.assets.report import report_asset
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import FakeSource
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables


def test_report_names_the_run_that_published_and_stays_as_it_is(filled: Settings, engine: Engine) -> None:
    """Not the run that makes it: with the same figures it is the same file, and its date says how old they are."""
    job = build_defs(filled, engine=engine, source_db=FakeSource()).resolve_job_def("monthly_refresh")
    file = filled.lake / "report" / "index.html"
    found: list[tuple[int, bytes]] = []
    for _ in range(2):
        assert job.execute_in_process(asset_selection=[dg.AssetKey("report")]).success
        found.append((file.stat().st_mtime_ns, file.read_bytes()))
    assert found[0] == found[1]
    receipt = Catalogue(filled.lake).receipt(tables()["revenue_by_country"], "2024-01")
    data = re.search(rb'id="data">(.*?)</script>', found[0][1])
    assert receipt
    assert data
    assert json.loads(data[1])["run"] == receipt.run[:8]


def test_asset_says_what_it_is(settings: Settings) -> None:
    asset = report_asset(settings)
    spec = asset.get_asset_spec()
    assert spec.key == dg.AssetKey(["report"])
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {
        "core/dim_customers",
        "core/dim_products",
        "marts/monthly_revenue",
        "marts/receivables_ageing",
        "marts/revenue_by_country",
        "marts/revenue_by_country_and_product_line",
        "marts/revenue_by_customer",
        "marts/revenue_by_product",
    }
    assert (spec.group_name, spec.kinds, spec.owners) == ("report", {"html"}, ["team:data-engineering"])
    assert spec.partitions_def is None
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
