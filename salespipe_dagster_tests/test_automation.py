"""The nightly plan: a pure function of fingerprints and receipts, and the schedule that asks for what it says."""

import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import dagster as dg
import pytest

from salespipe_dagster.automation import (
    Fingerprints,
    Receipts,
    changed_months,
    is_stale,
    monthly_refresh,
    nightly,
    observe,
    plan,
)
from salespipe_dagster.charts import charts
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import SHOP, FakeSource, failures, local, materialise
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.tables import Table, tables

MONTHS = ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
LATER = "2024-09"
Lake = dict[str, dict[str, Receipt]]
Source = dict[str, dict[str, str]]


def receipt(table: str, part: str, inputs: dict[str, dict[str, str]], fingerprint: str) -> Receipt:
    figures = Figures(1, {}, 0, {}, "", "", f"rows of {table} {part}")
    names = {"engine": "sail", "code_version": "", "run": "", "published_at": "", "key": "", "etag": ""}
    return Receipt(table=table, part=part, figures=figures, provenance=Provenance(inputs, fingerprint), size=0, **names)


def taken(table: Table, given: Table, part: str, months: list[str]) -> list[str]:
    """The parts of an input that a part of a table is made from."""
    return given.parts([part] if table.monthly else months)


def made(months: list[str] = MONTHS) -> tuple[Source, Lake]:
    """A source, and a lake in which every table is made from what the source and its inputs are now."""
    source: Source = {}
    lake: Lake = {}
    for table in tables().values():
        parts = table.parts(months)
        if table.contract.source or table.contract.feed:
            source[table.name] = {part: f"{table.name} {part} as it was" for part in parts}
        inputs = [tables()[name] for name in table.upstream]
        lake[table.name] = {
            part: receipt(
                table.name,
                part,
                {i.name: {p: f"rows of {i.name} {p}" for p in taken(table, i, part, months)} for i in inputs},
                source.get(table.name, {}).get(part, ""),
            )
            for part in parts
        }
    return source, lake


def planned(source: Fingerprints, lake: Receipts, current: str = LATER) -> list[list[str]]:
    return plan(source, lake, set(), MONTHS, current)


def test_nothing_changed_asks_for_the_current_month_alone() -> None:
    assert planned(*made(), current="2024-05") == [["2024-05"]]


def test_current_month_that_is_not_configured_is_not_asked_for() -> None:
    """The lake's months are over: a run of a month that does not exist would fail every night."""
    assert planned(*made(), current=LATER) == []
    assert planned(*made(), current="2023-12") == []


def test_month_whose_source_changed_is_asked_for() -> None:
    source, lake = made()
    source["payments"]["2024-02"] = "one more payment"
    assert planned(source, lake) == [["2024-02"]]


def test_months_are_asked_for_in_unbroken_blocks() -> None:
    """A range run owns every month between its ends: one over a gap would run what did not change."""
    source, lake = made()
    for month in ("2024-05", "2024-01", "2024-02"):
        source["orders"][month] = "changed"
    assert planned(source, lake) == [["2024-01", "2024-02"], ["2024-05"]]
    assert planned(source, lake, current="2024-03") == [["2024-01", "2024-02", "2024-03"], ["2024-05"]]


def test_empty_lake_asks_for_everything_at_once() -> None:
    source, _ = made()
    assert planned(source, {name: {} for name in tables()}) == [MONTHS]


@pytest.mark.parametrize("name", [table.name for table in tables().values() if table.monthly])
def test_month_that_one_table_lacks_is_asked_for(name: str) -> None:
    """A run that died between two tables left the source's own months published and equal."""
    source, lake = made()
    del lake[name]["2024-03"]
    assert planned(source, lake) == [["2024-03"]]


@pytest.mark.parametrize("name", ["fact_orders", "fact_payments", "monthly_revenue", "revenue_by_country"])
def test_month_made_from_an_input_that_was_replaced_since_is_asked_for(name: str) -> None:
    """A run died after it published the input: the source's fingerprint is the receipt's, and all looks well."""
    source, lake = made()
    of_month = lake[name]["2024-04"]
    given = next(i for i in tables()[name].inputs if tables()[i].monthly)
    older = replace(of_month.provenance, inputs=of_month.provenance.inputs | {given: {"2024-04": "older rows"}})
    lake[name]["2024-04"] = replace(of_month, provenance=older)
    assert planned(source, lake) == [["2024-04"]]


def test_changed_snapshot_restates_no_month() -> None:
    """A month keeps the prices and places that it took; only a run of the month by hand takes the new ones."""
    source, lake = made()
    lake["dim_products"][SNAPSHOT] = receipt("dim_products", SNAPSHOT, {}, "")
    lake["dim_products"][SNAPSHOT] = replace(
        lake["dim_products"][SNAPSHOT], figures=replace(lake["dim_products"][SNAPSHOT].figures, digest="new prices")
    )
    assert changed_months(source, lake, MONTHS) == []


def test_changed_snapshot_alone_asks_for_the_last_month() -> None:
    """A run of any month makes the snapshots anew; the current month does where there is one."""
    source, lake = made()
    source["customers"][SNAPSHOT] = "a new customer"
    assert planned(source, lake) == [["2024-05"]]
    assert planned(source, lake, current="2024-02") == [["2024-02"]]


def test_snapshot_that_was_never_read_asks_for_the_last_month() -> None:
    source, lake = made()
    del lake["offices"][SNAPSHOT]
    assert planned(source, lake) == [["2024-05"]]


@pytest.mark.parametrize("crash", ["never made", "made from older rows"])
def test_dimension_that_a_dead_run_left_behind_asks_for_the_last_month(crash: str) -> None:
    """The run died after it had published customers: their receipt is of the source, dim_customers is of older ones."""
    source, lake = made()
    if crash == "never made":
        del lake["dim_customers"][SNAPSHOT]
    else:
        older = {"customers": {SNAPSHOT: "older rows"}, "employees": {SNAPSHOT: "rows of employees snapshot"}}
        lake["dim_customers"][SNAPSHOT] = receipt("dim_customers", SNAPSHOT, older, "")
    assert planned(source, lake) == [["2024-05"]]


@pytest.mark.parametrize("gap", ["an older month", "a month too few", "a month too many"])
def test_snapshot_over_months_that_is_not_of_these_months_asks_for_a_run(gap: str) -> None:
    """The run died between the last month's mart and the snapshot over all of them."""
    source, lake = made()
    taken_months = dict(lake["cohort_revenue"][SNAPSHOT].provenance.inputs["revenue_by_customer"])
    if gap == "an older month":
        taken_months["2024-02"] = "older rows"
    elif gap == "a month too few":
        del taken_months["2024-05"]
    else:
        taken_months["2024-06"] = "rows of a month that is gone"
    lake["cohort_revenue"][SNAPSHOT] = receipt("cohort_revenue", SNAPSHOT, {"revenue_by_customer": taken_months}, "")
    assert planned(source, lake) == [["2024-05"]]


def test_snapshot_of_the_months_that_all_its_inputs_have_is_not_stale() -> None:
    """The month that one of them lacks is asked for, and no other for its sake."""
    source, lake = made()
    del lake["receivables"]["2024-02"]
    for name in ("customer_lifetimes", "receivables_ageing"):
        held = lake[name][SNAPSHOT]
        inputs = {
            given: {part: digest for part, digest in taken.items() if part != "2024-02"}
            for given, taken in held.provenance.inputs.items()
        }
        lake[name][SNAPSHOT] = replace(held, provenance=replace(held.provenance, inputs=inputs))
        assert not is_stale(tables()[name], SNAPSHOT, source, lake)
    assert planned(source, lake) == [["2024-02"]]


@pytest.mark.parametrize("part", ["2024-02", SNAPSHOT])
def test_input_that_went_with_a_new_version_stops_no_night(part: str) -> None:
    """Code that changed restates no month by itself; a receipt may name a table that is no more."""
    source, lake = made()
    name = "revenue_by_country" if part != SNAPSHOT else "dim_customers"
    held = lake[name][part]
    inputs = held.provenance.inputs | {"dim_cities": {SNAPSHOT: "rows of a table that is gone"}}
    lake[name][part] = replace(held, provenance=replace(held.provenance, inputs=inputs))
    assert planned(source, lake) == []


def test_undrawn_chart_asks_for_the_last_month() -> None:
    """Its own step failed, or somebody removed it: any run draws all of them."""
    assert plan(*made(), {SNAPSHOT}, MONTHS, LATER) == [["2024-05"]]
    assert plan(*made(), {SNAPSHOT}, MONTHS, "2024-02") == [["2024-02"]]


def test_undrawn_chart_of_a_month_asks_for_that_month() -> None:
    assert plan(*made(), {"2024-02", SNAPSHOT}, MONTHS, LATER) == [["2024-02"]]
    assert plan(*made(), {"2024-02", "2019-01"}, MONTHS, "2024-05") == [["2024-02"], ["2024-05"]]


# From here on with a lake that was filled by a run: January, a February without rows, and March.


def draw(settings: Settings) -> None:
    """Draw the charts and the report, as far as the plan looks at them."""
    for chart in charts().values():
        for name in [f"{chart.name}/{month}" for month in settings.months] if chart.monthly else [chart.name]:
            picture = settings.lake / "charts" / f"{name}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.touch()
    page = settings.lake / "report" / "index.html"
    page.parent.mkdir(exist_ok=True)
    page.touch()


@pytest.fixture
def drawn(filled: Settings) -> Settings:
    """The filled lake with its charts, drawn after their tables."""
    draw(filled)
    return filled


def asked(settings: Settings, source: FakeSource, current: str = LATER) -> list[list[str]]:
    return plan(*observe(source, Catalogue(settings.lake), settings), settings.months, current)


def test_lake_just_filled_is_what_its_source_is(drawn: Settings) -> None:
    assert asked(drawn, FakeSource()) == []


@pytest.mark.parametrize("chart", ["missing", "older than its table"])
@pytest.mark.parametrize("file", ["charts/monthly_revenue.png", "report/index.html"])
def test_chart_or_report_that_failed_alone_is_asked_for(drawn: Settings, file: str, chart: str) -> None:
    if chart == "missing":
        (drawn.lake / file).unlink()
    else:
        os.utime(drawn.lake / file, (0, 0))
    assert asked(drawn, FakeSource()) == [["2024-03"]]


def test_chart_of_a_month_that_failed_alone_asks_for_its_month(drawn: Settings) -> None:
    (drawn.lake / "charts" / "month_in_review" / "2024-02.png").unlink()
    assert asked(drawn, FakeSource()) == [["2024-02"]]


def test_month_published_after_a_chart_that_shows_it_asks_for_that_chart(drawn: Settings) -> None:
    """The run died after January's tables: the reviews of January and of February, which shows it, are older."""
    for month in drawn.months:
        os.utime(drawn.lake / "charts" / "month_in_review" / f"{month}.png", (2e9, 2e9))
    republish(drawn, "monthly_revenue", "2024-01", at=3e9)
    assert asked(drawn, FakeSource()) == [["2024-01", "2024-02"]]


def test_new_name_of_a_product_redraws_no_months(drawn: Settings) -> None:
    """Of snapshots a month keeps what it took; else each new customer would redraw all of history."""
    for picture in (drawn.lake / "charts").rglob("*.png"):
        os.utime(picture, (2e9, 2e9))
    republish(drawn, "dim_products", SNAPSHOT, at=3e9)
    assert asked(drawn, FakeSource()) == [["2024-03"]]  # top_products alone


def republish(settings: Settings, table: str, part: str, at: float) -> None:
    """Let the receipt say that the part was published at another time."""
    catalogue = Catalogue(settings.lake)
    receipt = catalogue.receipt(tables()[table], part)
    assert receipt
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    path = local(catalogue).path(receipt_key(tables()[table], part))
    path.write_text(replace(receipt, published_at=when).to_json())


def test_order_whose_date_moves_changes_both_its_months(drawn: Settings) -> None:
    """Only the new month run, the order would be in two."""
    source = FakeSource()
    source.rows["orders"][0] = (10100, date(2024, 3, 6), *SHOP["orders"][0][2:])
    assert asked(drawn, source) == [["2024-01"], ["2024-03"]]


def test_status_of_one_order_changes_its_month(drawn: Settings) -> None:
    source = FakeSource()
    source.rows["orders"][2] = (*SHOP["orders"][2][:4], "Shipped", *SHOP["orders"][2][5:])
    assert asked(drawn, source) == [["2024-03"]]


def test_asked_month_is_not_asked_for_again_once_it_was_run(drawn: Settings, engine: Engine) -> None:
    """The receipt keeps the fingerprint of what was read; not before all that is made of it was made, too."""
    source = FakeSource()
    source.rows["payments"][1] = (*SHOP["payments"][1][:3], Decimal("50.01"))
    assert asked(drawn, source) == [["2024-03"]]
    assert materialise(drawn, engine, source, ["2024-03"], "payments").success
    assert asked(drawn, source) == [["2024-03"]]
    made_of_it = ("fact_payments", "receivables", "customer_lifetimes", "receivables_ageing")
    result = materialise(drawn, engine, source, ["2024-03"], "payments", *made_of_it)
    assert result.success, failures(result)
    draw(drawn)
    assert asked(drawn, source) == []


def test_object_without_its_receipt_is_asked_for(drawn: Settings) -> None:
    """Kill -9 between the two: the object is new, the receipt is of the one before."""
    file = drawn.lake / "marts" / "revenue_by_product" / "year=2024" / "month=02" / "data.parquet"
    shutil.copy(file, file.with_suffix(".new"))
    file.with_suffix(".new").rename(file)
    assert asked(drawn, FakeSource()) == [["2024-02"]]


def test_object_that_was_deleted_is_asked_for(drawn: Settings) -> None:
    shutil.rmtree(drawn.lake / "core" / "fact_orders" / "year=2024" / "month=01")
    assert asked(drawn, FakeSource()) == [["2024-01"]]


def test_server_is_asked_once_for_each_table(filled: Settings) -> None:
    source = FakeSource()
    asked(filled, source)
    assert sorted(source.asked) == sorted(
        [("probe", ""), *(("fingerprints", table.name) for table in tables().values() if table.contract.source)]
    )


def tick(settings: Settings, source: FakeSource, at: datetime) -> tuple[list[dg.RunRequest], str | None]:
    """What the schedule asks for at an hour, and why where it asks for nothing."""
    defs = build_defs(settings, source_db=source)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=at,
            resources={"source_db": source},
            repository_def=defs.get_repository_def(),
        ) as context,
    ):
        found = defs.resolve_schedule_def("nightly").evaluate_tick(context)
    return list(found.run_requests or []), found.skip_message


def test_night_asks_for_one_run_a_block_with_the_range_as_tags(drawn: Settings) -> None:
    source = FakeSource()
    source.rows["payments"] = [(*SHOP["payments"][0][:3], Decimal("1.00")), SHOP["payments"][1]]
    requests, reason = tick(drawn, source, datetime(2024, 3, 2, tzinfo=UTC))
    ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    assert [tuple(request.tags[end] for end in ends) for request in requests] == [
        ("2024-01", "2024-01"),
        ("2024-03", "2024-03"),
    ]
    assert reason is None


def test_night_says_why_it_asks_for_nothing(drawn: Settings) -> None:
    assert tick(drawn, FakeSource(), datetime(2024, 9, 1, tzinfo=UTC)) == (
        [],
        "Every month is what its source is, and every chart is drawn.",
    )


def test_night_asks_again_for_a_month_whose_run_failed(filled: Settings) -> None:
    """With the month alone as run key Dagster would ask for it once for ever, whatever became of the run."""
    source = FakeSource()
    source.rows["payments"] = [SHOP["payments"][1]]
    keys: list[str | None] = []
    for day in (1, 2):
        (request,), _ = tick(filled, source, datetime(2024, 9, day, tzinfo=UTC))
        keys.append(request.run_key)
    assert keys == [None, None] or len(set(keys)) == 2


def test_schedule_is_daily_at_midnight_utc(settings: Settings) -> None:
    schedule = nightly(settings)
    assert (schedule.cron_schedule, schedule.execution_timezone or "UTC") == ("0 0 * * *", "UTC")
    assert schedule.job_name == monthly_refresh.name == "monthly_refresh"
