"""Files that somebody drops, through the definitions of production: landed, staged, accounted for."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from salespipe_dagster.arrivals import RUN_TAG
from salespipe_dagster.assets.keys import landed_key
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.landing.ledger import read_landed
from salespipe_dagster.landing.version import Version
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.landing.dropping import drop_file, drop_sales, sale_line
from salespipe_dagster_tests.support import (
    FakeSource,
    evaluations,
    failures,
    land_rows,
    materialise,
    read_parquet,
    sale,
)
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.tables import feeds, tables

MONTHS = ["2024-01", "2024-02", "2024-03"]
ONLINE_STAGING = [table.name for table in feeds()]


def land(settings: Settings, engine: Engine, tags: dict[str, str] | None = None) -> dg.ExecuteInProcessResult:
    """Run the job of the sensor."""
    job = build_defs(settings, engine=engine, source_db=FakeSource()).resolve_job_def("land_files")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return job.execute_in_process(run_config=quiet, tags=tags, raise_on_error=False)


def told(result: dg.ExecuteInProcessResult, key: dg.AssetKey, part: str | None = None) -> dict[str, object]:
    """What Dagster was told of an asset, or of a month of it."""
    (found,) = [
        event.materialization
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
        and (event.asset_key, event.partition) == (key, part)
    ]
    return {name: value.value for name, value in found.metadata.items()}


def staged(settings: Settings, part: str) -> list[tuple[object, object]]:
    lake = Catalogue(settings.lake)
    receipt = lake.intact(tables()["online_sales"], part)
    return sorted((row[0], row[5]) for row in read_parquet(settings.lake / receipt.key))


def test_files_land_and_become_months(settings: Settings, engine: Engine) -> None:
    drop_sales(settings.files, "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-03-01", 3)])
    drop_file(settings.files, "customers/a.ndjson", '{"customer_id": "C1", "age_group": "25-34"}\n')
    assert land(settings, engine).success
    result = materialise(settings, engine, FakeSource(), MONTHS, *ONLINE_STAGING)
    assert result.success, failures(result)
    assert {part: staged(settings, part) for part in MONTHS} == {
        "2024-01": [("T1", 1)],
        "2024-02": [],
        "2024-03": [("T2", 3)],
    }
    receipt = Catalogue(settings.lake).receipt(tables()["online_sales"], "2024-01")
    landed = read_landed(LocalStore(settings.lake), tables()["online_sales"])
    assert receipt
    assert receipt.provenance.fingerprint == landed.fingerprint("2024-01")


@pytest.mark.parametrize("runs", [[MONTHS], [["2024-02"], ["2024-01"]]], ids=["a range", "each month"])
def test_transaction_that_moved_to_another_month_is_in_that_one_alone(
    settings: Settings, engine: Engine, runs: list[list[str]]
) -> None:
    """In a range both months are read at once: what says that it left the one must not take it from the other."""
    drop_sales(settings.files, "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-01-31")])
    drop_sales(settings.files, "b", [sale_line("T1", "2024-02-01", 7)], minutes=1)
    assert land(settings, engine).success
    for months in runs:
        result = materialise(settings, engine, FakeSource(), months, "online_sales")
        assert result.success, failures(result)
    assert [staged(settings, part) for part in MONTHS[:2]] == [[("T2", 1)], [("T1", 7)]]


def test_what_landed_is_told_file_by_file(settings: Settings, engine: Engine) -> None:
    good = [sale_line(f"T{number}", "2024-01-31") for number in range(20)]
    drop_sales(settings.files, "a|b", [*good, good[0], sale_line("T99", "2024-07-01")])
    drop_sales(settings.files, "held", [sale_line("T1", "2024-01-32")], minutes=1)
    drop_file(settings.files, "invoices/1.pdf", "")
    result = land(settings, engine)
    assert result.success
    found = told(result, landed_key(tables()["online_sales"]))
    names = ("files", "rows", "records", "quarantined", "duplicates", "held", "failed", "waiting", "gone")
    assert [found[name] for name in names] == [1, 20, 23, 2, 1, 1, 0, 0, 0]
    assert (found["foreign"], found["held_files"], found["months"]) == ("invoices/1.pdf", "sales/held.csv", "2024-01")
    assert "| sales/a\\|b.csv | landed | 22 | 20 | 1 | 1 | 1 out\\_of\\_range |" in str(found["by_file"])
    check = next(c for c in result.get_asset_check_evaluations() if c.asset_key.path[-1] == "online_sales")
    assert (check.check_name, check.passed) == ("accounted", True)
    assert check.metadata["actual"].value == "20 + 2 + 1"


def test_superseded_rows_are_counted(settings: Settings, engine: Engine) -> None:
    drop_sales(settings.files, "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-01-31")])
    drop_sales(settings.files, "b", [sale_line("T1", "2024-01-30", 7)], minutes=1)
    land(settings, engine)
    result = materialise(settings, engine, FakeSource(), MONTHS, "online_sales")
    key = dg.AssetKey(["staging", "online_sales"])
    found = told(result, key, "2024-01")
    assert (found["rows"], found["superseded"], found["files"]) == (2, 1, 2)


def test_part_that_is_not_what_the_ledger_says_fails_the_check_and_publishes_nothing(
    settings: Settings, engine: Engine
) -> None:
    store, table = LocalStore(settings.lake), tables()["online_sales"]
    version = Version("online_sales", "sales/a.csv", "a", 1, datetime(2024, 4, 1, tzinfo=UTC))
    row = sale("T1", "2024-01-05", "C1", "Lamp", 2, "10.00", "North")
    land_rows(store, table, version, [row, sale("T2", "2024-01-05", "C1", "Lamp", 2, "10.00", "North")])
    (entry,) = store.list("_receipts/_landed", ".json")
    text = store.read(entry)
    land_rows(store, table, version, [row])
    store.put(entry, text or b"")
    result = materialise(settings, engine, FakeSource(), ["2024-01"], "online_sales")
    assert not result.success
    check = evaluations(result, "online_sales")["landed"]
    assert (check.passed, check.metadata["actual"].value) == (False, "2024-01: 1 rows read, 2 have landed")
    assert Catalogue(settings.lake).published(table) == []


def test_run_of_the_sensor_leaves_alone_what_is_written_still(settings: Settings, engine: Engine) -> None:
    drop_sales(settings.files, "a", [sale_line("T1", "2024-01-31")])
    (settings.files / "sales" / "a.csv").touch()
    key = landed_key(tables()["online_sales"])
    assert told(land(settings, engine, {RUN_TAG: "land"}), key)["files"] == 0
    assert told(land(settings, engine), key)["files"] == 1


def test_fault_of_the_parser_fails_the_step_after_all_others_have_landed(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*given: object) -> object:
        raise ValueError("a fault")

    monkeypatch.setattr("salespipe_dagster.landing.land.parse", parse)
    drop_sales(settings.files, "a", [sale_line("T1", "2024-01-31")])
    result = land(settings, engine)
    assert not result.success
    assert "sales/a.csv: ValueError: a fault" in failures(result)[0]
