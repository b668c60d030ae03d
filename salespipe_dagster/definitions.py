"""What Dagster loads: `defs`, built by the same `build_defs` that the tests call. No logic here."""

from typing import Any

import dagster as dg

from salespipe_dagster import automation, checks
from salespipe_dagster.arrival_sensor import arrivals_sensor
from salespipe_dagster.assets.charts import chart_assets
from salespipe_dagster.assets.company_files import company_files
from salespipe_dagster.assets.files import feed_assets, file_specs, landing_asset
from salespipe_dagster.assets.report import report_asset
from salespipe_dagster.assets.source import source_assets
from salespipe_dagster.assets.staging import staging_assets
from salespipe_dagster.assets.tables import table_assets
from salespipe_dagster.cluster.services import service_of
from salespipe_dagster.io_managers.chart import charts_io
from salespipe_dagster.io_managers.lake import lake_io
from salespipe_dagster.io_managers.mysql import MySQLIOManager, OnPart
from salespipe_dagster.io_managers.report import report_io
from salespipe_dagster.resources.engine import engine_resource
from salespipe_dagster.resources.files import files_resource
from salespipe_dagster.resources.lake import lake_resource
from salespipe_dagster.resources.maker import maker_resource
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of


def build_defs(
    settings: Settings, *, on_part: OnPart = lambda said, share: None, **resource_overrides: Any
) -> dg.Definitions:
    """The definitions for these settings; a test replaces a resource by its name and nothing else.

    Opens no socket, reads no database, starts no engine. A run in this process tells `on_part` how it gets on.
    """
    source_db = resource_overrides.get("source_db") or SourceDatabase(settings.source)
    resources: dict[str, Any] = {
        "engine": engine_resource(settings),
        "lake": lake_resource(settings),
        "cluster": service_of(settings),
        "maker": maker_resource(settings),
        "source_db": source_db,
        "files": files_resource(settings),
        "lake_io": lake_io,
        "charts_io": charts_io(settings),
        "report_io": report_io(settings),
        "mysql_io": MySQLIOManager(source_db, company_of(settings), on_part),
    }
    return dg.Definitions(
        assets=[
            *source_assets(settings),
            *(company_files(settings) if settings.drops_files else file_specs()),
            landing_asset(settings, on_part),
            *staging_assets(settings),
            *feed_assets(settings),
            *table_assets(settings),
            *chart_assets(settings),
            report_asset(settings),
        ],
        asset_checks=checks.asset_checks(settings),
        jobs=[automation.monthly_refresh, automation.land_files],
        schedules=[automation.nightly(settings)],
        sensors=[arrivals_sensor(settings)],
        resources=resources | resource_overrides,
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of what is configured, made when Dagster asks for them."""
    return build_defs(Settings.load())
