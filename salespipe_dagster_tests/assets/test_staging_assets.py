"""The staging assets, materialised by the definitions of production: only the source and the engine are replaced."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import dagster as dg

from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import (
    SHOP,
    FakeSource,
    evaluations,
    failures,
    local,
    materialise,
    read_parquet,
    tree,
)
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables

FACTS = ("orders", "order_details", "payments")
MONTHS = ["2024-01", "2024-02", "2024-03"]


def rows_of(settings: Settings, table: str, part: str) -> list[tuple[object, ...]]:
    catalogue = Catalogue(settings.lake)
    return read_parquet(local(catalogue).path(catalogue.intact(tables()[table], part).key))


def observations(result: dg.ExecuteInProcessResult) -> Iterator[dg.AssetObservation]:
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION:
            yield event.asset_observation_data.asset_observation


def test_rows_lie_in_their_orders_month(filled: Settings) -> None:
    """A line has no date of its own: it goes with its order."""
    assert [row[:2] for row in sorted(rows_of(filled, "order_details", "2024-01"))] == [
        (10100, "S10"),
        (10100, "S18"),
        (10101, "S10"),
    ]
    assert rows_of(filled, "order_details", "2024-03") == [
        (10102, "S18", 10, Decimal("12.34"), 1, date(2024, 3, 1)),
    ]
    assert rows_of(filled, "payments", "2024-03") == [SHOP["payments"][1]]


def test_month_without_rows_is_published_empty(filled: Settings) -> None:
    """Left out it would look like a month that was never run."""
    for name in FACTS:
        assert rows_of(filled, name, "2024-02") == []
        assert Catalogue(filled.lake).published(tables()[name]) == MONTHS


def test_snapshot_is_as_the_source_has_it(filled: Settings) -> None:
    """Trimming is for core: staging is what was read, blanks included."""
    assert rows_of(filled, "customers", "snapshot") == SHOP["customers"]


def test_receipt_keeps_the_fingerprint_that_was_read(filled: Settings) -> None:
    expected = FakeSource().fingerprints(tables()["orders"], MONTHS)
    for month in MONTHS:
        receipt = Catalogue(filled.lake).receipt(tables()["orders"], month)
        assert receipt
        assert receipt.provenance.fingerprint == expected[month].digest


def test_month_that_becomes_empty_is_emptied_and_nothing_else_is_touched(filled: Settings, engine: Engine) -> None:
    """Writers that overwrite what the data contains leave the old rows of a month that lost all of them."""
    before = tree(filled.lake)
    source = FakeSource()
    source.rows["payments"] = [SHOP["payments"][0]]
    assert materialise(filled, engine, source, MONTHS, *FACTS).success
    assert rows_of(filled, "payments", "2024-03") == []
    after = tree(filled.lake)
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {
        "staging/payments/year=2024/month=03/data.parquet",
        "_receipts/staging/payments/2024-03.json",
    }


def test_one_table_alone_can_be_made(settings: Settings, engine: Engine) -> None:
    source = FakeSource()
    assert materialise(settings, engine, source, ["2024-01"], "payments").success
    assert source.scans == ["payments"]
    assert rows_of(settings, "payments", "2024-01") == [SHOP["payments"][0]]
    assert Catalogue(settings.lake).published(tables()["orders"]) == []


def test_external_source_is_observed_month_by_month_with_its_data_version(settings: Settings, engine: Engine) -> None:
    """Nobody materialises the tables of the shop: what was seen of them is all that Dagster can show."""
    source = FakeSource()
    result = materialise(settings, engine, source, MONTHS, *FACTS, "offices")
    seen = {
        (each.asset_key.path[-1], each.partition): each.tags["dagster/data_version"]
        for each in observations(result)
        if each.asset_key.path[0] == "source"
    }
    assert set(seen) == {(name, m) for name in ("orders", "orderdetails", "payments") for m in MONTHS} | {
        ("offices", None)
    }
    assert seen["orders", "2024-03"] == source.fingerprints(tables()["orders"], MONTHS)["2024-03"].digest


def test_rows_outside_the_configured_months_are_counted(settings: Settings, engine: Engine) -> None:
    """They are in no figure: a first month set too late would lose sales, and nobody would know."""
    early = (112, "B0", date(2023, 12, 31), Decimal("7.50"))
    late = (112, "B9", date(2024, 4, 1), Decimal("0.25"))
    source = FakeSource({"payments": [*SHOP["payments"], early, late]})
    result = materialise(settings, engine, source, ["2024-01"], "orders", "payments")
    found = {
        each.asset_key.path[-1]: (each.metadata["rows_outside"].value, each.metadata["amount_outside"].value)
        for each in observations(result)
        if each.asset_key.path[0] == "staging"
    }
    assert found == {"orders": (0, ""), "payments": (2, "7.75")}


def test_months_that_are_configured_and_not_run_are_not_outside(settings: Settings, engine: Engine) -> None:
    result = materialise(settings, engine, FakeSource(), ["2024-02"], "payments")
    (found,) = [each for each in observations(result) if each.asset_key.path[0] == "staging"]
    assert found.metadata["rows_outside"].value == 0


def test_lost_row_fails_its_table_and_the_last_good_month_stays(filled: Settings, engine: Engine) -> None:
    """The check is recorded beside the failure: a step that only fails leaves the last run's green check."""
    before = tree(filled.lake)
    source = FakeSource()
    source.read = lambda table, rows: rows[1:] if table.name == "payments" else rows
    result = materialise(filled, engine, source, MONTHS, *FACTS)
    assert not result.success
    check = evaluations(result, "payments")["source"]
    assert not check.passed
    assert check.metadata["expected"].value == "rows and amount as counted by the server"
    assert check.metadata["actual"].value == "2024-01: 0 rows, amount 0, server 1, 3031.00"
    assert check.metadata["months"].value == "2024-01"
    assert "staging/payments did not pass its audit, nothing of it is published" in failures(result)[0]
    assert tree(filled.lake) == before


def test_repeated_key_is_named_with_its_rows(settings: Settings, engine: Engine) -> None:
    twice = (103, "A1", date(2024, 1, 20), Decimal("1.00"))
    source = FakeSource({"payments": [*SHOP["payments"], twice]})
    result = materialise(settings, engine, source, MONTHS, "payments")
    check = evaluations(result, "payments")["keys_unique"]
    assert not check.passed
    assert check.metadata["months"].value == "2024-01"
    assert "'check_number': 'A1'" in str(check.metadata["rows"].value)
    assert "'check_number': 'A1'" in failures(result)[0]
    assert Catalogue(settings.lake).published(tables()["payments"]) == []


def test_torn_read_fails_the_step_by_month_and_order(settings: Settings, engine: Engine) -> None:
    source = FakeSource()
    source.read = lambda table, rows: [] if table.name == "orders" else rows
    result = materialise(settings, engine, source, MONTHS, *FACTS)
    (failure,) = failures(result)
    assert "2024-03: 1 rows of order_details without their orders, such as order_number 10102" in failure
    assert all(Catalogue(settings.lake).published(tables()[name]) == [] for name in FACTS)


def test_nothing_is_left_in_staging(filled: Settings) -> None:
    assert list((filled.lake / "_staging").iterdir()) == []


def test_snapshots_are_read_after_the_months(settings: Settings, engine: Engine) -> None:
    """An order that was read has its customer in a snapshot that is read later."""
    source = FakeSource()
    assert materialise(settings, engine, source, ["2024-01"], "offices", "payments", "customers").success
    assert source.scans[0] == "payments"


def test_published_month_is_intact_after_a_copy(filled: Settings) -> None:
    """The fixture's lake is a copy: if copying changed what an ETag is made of, the tests above would prove nothing."""
    assert all(Catalogue(filled.lake).intact(tables()["payments"], month) for month in MONTHS)
