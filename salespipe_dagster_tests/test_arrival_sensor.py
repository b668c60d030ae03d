"""The sensor's ticks, over folders of files, real run records and a lake that was filled by a run."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from salespipe_dagster.arrival_sensor import of_files
from salespipe_dagster.arrivals import RUN_TAG, made_from_files
from salespipe_dagster.automation import land_files
from salespipe_dagster.charts import charts
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.landing.ledger import entry_key
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.survey import version_of
from salespipe_dagster.landing.version import Version
from salespipe_dagster.resources.files import files_store
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.landing.dropping import drop_sales, sale_line
from salespipe_dagster_tests.support import ONLINE, FakeSource, failures, land_rows, materialise, sale
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02", "2024-03"]
CHAIN = {f"{table.layer}/{table.name}" for table in made_from_files()}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def tick(settings: Settings, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    """What the sensor asks for now."""
    defs = build_defs(settings, source_db=FakeSource())
    resources = {"files": files_store(settings)}
    with dg.build_sensor_context(instance=instance, cursor=cursor, definitions=defs, resources=resources) as context:
        found = defs.resolve_sensor_def("arrivals").evaluate_tick(context)
    return dg.SensorResult(
        run_requests=found.run_requests or [],
        skip_reason=dg.SkipReason(found.skip_message) if found.skip_message else None,
        cursor=found.cursor,
    )


def asked(result: dg.SensorResult) -> list[tuple[str | None, str]]:
    return [(request.job_name, request.tags[RUN_TAG]) for request in result.run_requests or []]


def ran(instance: dg.DagsterInstance, name: str, *, failed: bool) -> None:
    """Record a run that was asked for and has ended just now."""
    status = dg.DagsterRunStatus.FAILURE if failed else dg.DagsterRunStatus.SUCCESS
    instance.add_run(dg.DagsterRun(job_name=land_files.name, tags={RUN_TAG: name}, status=status))


def test_lake_that_is_made_of_its_files_asks_for_nothing(filled: Settings, instance: dg.DagsterInstance) -> None:
    result = tick(filled, instance)
    assert asked(result) == []
    assert result.skip_reason == dg.SkipReason("0 files to land, 0 months to make; nothing to ask for now.")


def test_file_asks_for_its_landing(filled: Settings, instance: dg.DagsterInstance) -> None:
    drop_sales(filled.files, "new", [sale_line("T9", "2024-02-03")])
    assert asked(tick(filled, instance)) == [("land_files", "land")]


def test_file_that_is_written_still_is_left_alone(filled: Settings, instance: dg.DagsterInstance) -> None:
    drop_sales(filled.files, "new", [sale_line("T9", "2024-02-03")])
    os.utime(filled.files / "sales" / "new.csv")
    assert asked(tick(filled, instance)) == []


def test_landed_file_asks_for_its_months_and_for_what_is_made_from_files_alone(
    filled: Settings, instance: dg.DagsterInstance
) -> None:
    at = datetime(2024, 4, 2, tzinfo=UTC)
    more = Version("online_sales", "sales/more.csv", "b", 1, at)
    lake = Catalogue(filled.lake).store
    land_rows(lake, tables()["online_sales"], more, [sale("T9", "2024-02-09", "C1", "Lamp", 1, "10.00", "North")])
    (request,) = tick(filled, instance).run_requests or []
    assert (request.job_name, request.partition_key) == ("monthly_refresh", None)
    assert request.tags[RUN_TAG] == "files 2024-02...2024-02"
    chosen = {key.to_user_string() for key in request.asset_selection or []}
    assert chosen >= CHAIN
    assert {key for key in chosen if key.startswith(("source/", "staging/"))} == {
        "staging/online_sales",
        "staging/online_customers",
        "staging/online_products",
    }
    assert "core/fact_orders" not in chosen


def test_what_was_asked_for_runs_and_is_not_asked_for_again(
    filled: Settings, engine: Engine, instance: dg.DagsterInstance
) -> None:
    at = datetime(2024, 4, 2, tzinfo=UTC)
    lake = Catalogue(filled.lake).store
    more = Version("online_sales", "sales/more.csv", "b", 1, at)
    land_rows(lake, tables()["online_sales"], more, [sale("T9", "2024-02-09", "C1", "Lamp", 1, "10.00", "North")])
    made = [table.name for table in made_from_files()]
    result = materialise(filled, engine, FakeSource(), ["2024-02"], *made)
    assert result.success, failures(result)
    assert asked(tick(filled, instance)) == []


def test_month_that_was_never_published_is_asked_for_whole(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Its wholesale tables are missing, too, and monthly_revenue has both channels."""
    lake = LocalStore(settings.lake)
    version = Version("online_sales", "sales/all.csv", "a", 1, datetime(2024, 4, 1, tzinfo=UTC))
    land_rows(lake, tables()["online_sales"], version, ONLINE["online_sales"])
    requests = tick(settings, instance).run_requests or []
    assert [(r.tags[RUN_TAG], r.asset_selection) for r in requests] == [
        ("all 2024-01...2024-01", None),
        ("all 2024-03...2024-03", None),
    ]


def test_landing_that_failed_is_asked_for_again_after_a_while(filled: Settings, instance: dg.DagsterInstance) -> None:
    """With a run key it would never be: Dagster asks once for a key, whatever became of the run."""
    drop_sales(filled.files, "new", [sale_line("T9", "2024-02-03")])
    ran(instance, "land", failed=True)
    assert asked(tick(filled, instance)) == []
    ran(instance, "land", failed=False)
    assert asked(tick(filled, instance)) == [("land_files", "land")]


@pytest.mark.parametrize("job", ["land_files", "monthly_refresh"])
def test_nothing_is_asked_for_while_a_run_is_under_way(
    filled: Settings, instance: dg.DagsterInstance, job: str
) -> None:
    drop_sales(filled.files, "new", [sale_line("T9", "2024-02-03")])
    instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED))
    result = tick(filled, instance)
    assert asked(result) == []
    assert "is under way: if it was killed, terminate it in Dagster" in str(result.skip_reason)


@pytest.mark.parametrize("cursor", [None, "", "no json", "[1]", '{"agreed": 3}', '{"agreed": {"2024-01": "0"}}'])
def test_lost_or_strange_cursor_loses_nothing(
    filled: Settings, instance: dg.DagsterInstance, cursor: str | None
) -> None:
    drop_sales(filled.files, "new", [sale_line("T9", "2024-02-03")])
    assert asked(tick(filled, instance, cursor)) == [("land_files", "land")]


def test_tick_after_which_nothing_was_landed_reads_nothing_that_was_made(
    filled: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hundred thousand files the objects of their rows are as many."""
    cursor = tick(filled, instance).cursor
    monkeypatch.setattr("salespipe_dagster.arrival_sensor.landed_of", None)
    assert asked(tick(filled, instance, cursor)) == []
    monkeypatch.undo()
    more = Version("online_sales", "sales/more.csv", "b", 1, datetime(2024, 4, 2, tzinfo=UTC))
    row = sale("T9", "2024-02-09", "C1", "Lamp", 1, "10.00", "North")
    land_rows(LocalStore(filled.lake), tables()["online_sales"], more, [row])
    result = tick(filled, instance, cursor)
    assert asked(result) == [("monthly_refresh", "files 2024-02...2024-02")]
    assert asked(tick(filled, instance, result.cursor)) == [("monthly_refresh", "files 2024-02...2024-02")]


def profile(filled: Settings, *rows: tuple[object, ...]) -> None:
    """Let newer profiles land."""
    version = Version("online_customers", "customers/late.ndjson", "b", 1, datetime(2024, 4, 2, tzinfo=UTC))
    land_rows(Catalogue(filled.lake).store, tables()["online_customers"], version, list(rows))


def make_snapshots(filled: Settings, engine: Engine) -> None:
    names = [table.name for table in made_from_files() if not table.monthly]
    result = materialise(filled, engine, FakeSource(), MONTHS, *names)
    assert result.success, failures(result)


def test_late_profile_restates_the_months_of_its_customer_and_no_others(
    filled: Settings, engine: Engine, instance: dg.DagsterInstance
) -> None:
    profile(filled, ("C9", "65+", "Gold", None, None, None, None))  # C9 bought in January alone
    result = tick(filled, instance)
    assert asked(result) == [("monthly_refresh", "snapshot")]
    (request,) = result.run_requests or []
    monthly = {f"{table.layer}/{table.name}" for table in tables().values() if table.monthly}
    assert not monthly & {key.to_user_string() for key in request.asset_selection or []}
    make_snapshots(filled, engine)
    assert asked(tick(filled, instance)) == [("monthly_refresh", "files 2024-01...2024-01")]
    made = [table.name for table in made_from_files()]
    assert materialise(filled, engine, FakeSource(), ["2024-01"], *made).success
    assert asked(tick(filled, instance)) == []


def test_profile_of_somebody_who_never_bought_restates_nothing_and_is_not_compared_again(
    filled: Settings, engine: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(filled, ("C7", "65+", "Gold", None, None, None, None))
    make_snapshots(filled, engine)
    result = tick(filled, instance)
    assert asked(result) == []
    monkeypatch.setattr("salespipe_dagster.profiles._read", None)
    assert asked(tick(filled, instance, result.cursor)) == []


def test_name_or_category_that_changes_restates_no_month(
    filled: Settings, engine: Engine, instance: dg.DagsterInstance
) -> None:
    profile(filled, ("C1", "25-34", "Gold", None, "Another Name", None, None))
    version = Version("online_products", "products/new.csv", "b", 1, datetime(2024, 4, 2, tzinfo=UTC))
    land_rows(
        Catalogue(filled.lake).store, tables()["online_products"], version, [("Lamp", "Other", Decimal("1.00"), 1)]
    )
    make_snapshots(filled, engine)
    assert asked(tick(filled, instance)) == []


def test_five_thousand_files_are_seen_in_a_tick(settings: Settings, instance: dg.DagsterInstance) -> None:
    """And of five thousand that have landed the one that has not: the state does not grow with them."""
    known = 5_000
    folder = settings.files / "sales"
    drop_many(folder, known)
    began = time.perf_counter()
    result = tick(settings, instance)
    assert asked(result) == [("land_files", "land")]
    files, lake = LocalStore(settings.files), LocalStore(settings.lake)
    entries = list(files.entries(""))
    assert len(entries) == known
    target = lake.path("_receipts/_landed/online_sales")
    target.mkdir(parents=True)
    for entry in entries:
        version = version_of("online_sales", entry).id
        lake.path(entry_key("online_sales", version, Status.LANDED)).touch()
    assert asked(tick(settings, instance)) == []
    drop_sales(settings.files, "one more", [sale_line("T9", "2024-02-03")])
    last = tick(settings, instance)
    assert asked(last) == [("land_files", "land")]
    assert len(last.cursor or "") < 100_000
    assert time.perf_counter() - began < 3 * 20


def drop_many(folder: Path, number: int) -> None:
    """Empty files, a second apart."""
    folder.mkdir(parents=True)
    for place in range(number):
        file = folder / f"{place:06d}.csv"
        file.touch()
        at = (datetime(2024, 4, 1, tzinfo=UTC) + timedelta(seconds=place)).timestamp()
        os.utime(file, (at, at))


def test_sensor_is_on_where_somebody_names_a_place_for_files(settings: Settings, tmp_path: Path) -> None:
    for files_url, status in ((None, dg.DefaultSensorStatus.STOPPED), (str(tmp_path), dg.DefaultSensorStatus.RUNNING)):
        given = settings.model_copy(update={"files_url": files_url})
        assert build_defs(given).resolve_sensor_def("arrivals").default_status is status


def test_charts_of_the_online_channel_follow_its_files() -> None:
    drawn = {key.path[-1] for key in of_files(monthly=True) if key.path[0] == "charts"}
    made = {table.name for table in made_from_files()}
    assert drawn == {chart.name for chart in charts().values() if made & set(chart.inputs)}
    assert "top_customers" not in drawn
