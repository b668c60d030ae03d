"""The assets made by transforms, materialised in isolation: only the source and the engine are replaced."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import dagster as dg
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster.assets import tables as module
from salespipe_dagster.checks import unreconciled
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
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02", "2024-03"]


def rows_of(settings: Settings, table: str, part: str) -> list[tuple[object, ...]]:
    catalogue = Catalogue(settings.lake)
    return sorted(read_parquet(local(catalogue).path(catalogue.intact(tables()[table], part).key)), key=repr)


def forget(settings: Settings, table: str) -> None:
    """Take a table out of the lake, as if it had never been made."""
    folder = f"{tables()[table].layer}/{table}"
    shutil.rmtree(settings.lake / folder)
    shutil.rmtree(settings.lake / "_receipts" / folder)


def made(result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, object]]:
    """What Dagster was told of each month that a run of one table made."""
    events = result.get_asset_materialization_events()
    return {
        event.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in events
    }


def test_one_month_is_made_alone(filled: Settings, engine: Engine) -> None:
    forget(filled, "fact_orders")
    result = materialise(filled, engine, FakeSource(), ["2024-01"], "fact_orders")
    assert result.success
    assert Catalogue(filled.lake).published(tables()["fact_orders"]) == ["2024-01"]
    assert list(made(result)) == ["2024-01"]
    columns = tables()["fact_orders"].contract.names
    picked = ("order_number", "quantity", "amount", "cost_amount", "margin_amount", "list_amount", "is_cancelled")
    found = [tuple(row[columns.index(name)] for name in picked) for row in rows_of(filled, "fact_orders", "2024-01")]
    assert found == [
        (10100, 30, Decimal("3000.00"), Decimal("1464.30"), Decimal("1535.70"), Decimal("2871.00"), False),
        (10100, 2, Decimal("31.00"), Decimal("20.00"), Decimal("11.00"), Decimal("40.00"), False),
        (10101, 1, Decimal("99.99"), Decimal("48.81"), Decimal("51.18"), Decimal("95.70"), True),
    ]


def test_range_is_one_run_that_tells_rows_and_amounts_of_each_month(filled: Settings, engine: Engine) -> None:
    """A range run gives one check evaluation and would give one row count: figures per month are metadata."""
    forget(filled, "fact_orders")
    result = materialise(filled, engine, FakeSource(), MONTHS, "fact_orders")
    told = made(result)
    assert list(told) == MONTHS
    assert [told[m]["rows"] for m in MONTHS] == [told[m]["dagster/partition_row_count"] for m in MONTHS] == [3, 0, 1]
    assert [told[m]["amount"] for m in MONTHS] == [3130.99, 0.0, 123.4]
    assert [told[m]["revenue"] for m in MONTHS] == [3031.0, 0.0, 123.4]
    assert [told[m]["replaced"] for m in MONTHS] == [True] * 3
    assert told["2024-02"]["object"] == "core/fact_orders/year=2024/month=02/data.parquet"
    assert ["dagster/column_lineage" in told[m] for m in MONTHS] == [False, False, True]


def test_second_run_replaces_nothing(filled: Settings, engine: Engine) -> None:
    before = tree(filled.lake)
    names = ("order_details", "orders", "customers", "dim_locations", "fact_orders", "revenue_by_country")
    result = materialise(filled, engine, FakeSource(), MONTHS, *names)
    assert result.success
    assert tree(filled.lake) == before
    assert not any(
        event.materialization.metadata["replaced"].value for event in result.get_asset_materialization_events()
    )


def test_data_version_of_a_month_is_the_digest_of_its_rows(filled: Settings, engine: Engine) -> None:
    result = materialise(filled, engine, FakeSource(), ["2024-01"], "monthly_revenue")
    (event,) = result.get_asset_materialization_events()
    receipt = Catalogue(filled.lake).receipt(tables()["monthly_revenue"], "2024-01")
    assert receipt
    assert (event.materialization.tags or {})["dagster/data_version"] == receipt.figures.digest


def test_mart_is_right_to_the_cent(filled: Settings) -> None:
    wholesale = (
        *(date(2024, 1, 1), "wholesale", Decimal("3130.99"), Decimal("99.99"), Decimal("3031.00"), 1, 32),
        *(Decimal("1546.70"), 1, Decimal("1484.30"), Decimal("3031.000000")),
    )
    online = (
        *(date(2024, 1, 1), "online", Decimal("149.99"), Decimal("0.00"), Decimal("149.99"), 3, 6),
        *(None, 3, None, Decimal("49.996667")),
    )
    assert rows_of(filled, "monthly_revenue", "2024-01") == [online, wholesale]
    assert rows_of(filled, "monthly_revenue", "2024-02") == []


def test_month_without_online_sales_is_published_empty(filled: Settings) -> None:
    """monthly_revenue needs both facts of a month: one that is not there would keep it from being made."""
    for name in ("online_sales", "fact_online_sales", "online_sales_summary", "online_revenue_by_segment"):
        assert Catalogue(filled.lake).published(tables()[name]) == MONTHS
        assert rows_of(filled, name, "2024-02") == []


def test_month_whose_online_fact_was_never_made_has_no_revenue(filled: Settings, engine: Engine) -> None:
    """Without it the month would be published as if nothing had been sold online."""
    forget(filled, "fact_online_sales")
    forget(filled, "monthly_revenue")
    (failure,) = failures(materialise(filled, engine, FakeSource(), ["2024-01"], "monthly_revenue"))
    assert "Not published: core/fact_online_sales 2024-01" in failure
    assert Catalogue(filled.lake).published(tables()["monthly_revenue"]) == []


def test_every_check_of_the_audit_tells_expected_and_actual(filled: Settings, engine: Engine) -> None:
    result = materialise(filled, engine, FakeSource(), MONTHS, "fact_orders")
    found = evaluations(result, "fact_orders")
    assert set(found) == {"schema", "rows_written", "parts_owned", "keys_unique", "not_null", "balance"} | {
        "keys_over_all_months"
    }
    assert all(check.passed for check in found.values())
    assert found["rows_written"].metadata["expected"].value == "4 rows in the files"
    assert found["rows_written"].metadata["actual"].value == "4 rows read"
    assert found["balance"].metadata["expected"].value == "rows = order_details.rows, amount = order_details.amount"
    assert found["balance"].metadata["actual"].value == "equal in 3 part(s)"


def test_snapshot_is_one_object_whatever_the_months(filled: Settings, engine: Engine) -> None:
    """A snapshot in a range run has no partition: told of as a month's it would be twenty-four."""
    forget(filled, "dim_customers")
    result = materialise(filled, engine, FakeSource(), MONTHS, "dim_customers")
    assert list(made(result)) == [None]
    places = [(row[0], row[4], row[5], row[7], row[11]) for row in rows_of(filled, "dim_customers", "snapshot")]
    assert places == [
        (103, "Nantes", None, "France", "Leslie Jennings"),
        (112, "Las Vegas", "NV", "USA", None),
    ]


@pytest.mark.parametrize("behind", ["receivables", "revenue_by_customer", "fact_orders"])
def test_snapshot_over_months_takes_the_same_months_of_all_its_inputs(
    filled: Settings, engine: Engine, behind: str
) -> None:
    """A run was killed between two inputs: revenue of three months beside orders of two would pass every balance."""
    whole = rows_of(filled, "customer_lifetimes", SNAPSHOT)
    catalogue = Catalogue(filled.lake)
    local(catalogue).path(receipt_key(tables()[behind], "2024-03")).unlink()
    result = materialise(filled, engine, FakeSource(), ["2024-02"], "customer_lifetimes", "receivables_ageing")
    assert result.success, failures(result)
    for name in ("customer_lifetimes", "receivables_ageing"):
        receipt = catalogue.intact(tables()[name], SNAPSHOT)
        over = {given: list(taken) for given, taken in receipt.provenance.inputs.items() if tables()[given].monthly}
        expected = MONTHS[:2] if behind in over else MONTHS
        assert over == dict.fromkeys(over, expected), name
    # Signal ordered in January, cancelled, and in March.
    columns = tables()["customer_lifetimes"].contract.names
    (signal,) = (
        dict(zip(columns, row, strict=True)) for row in rows_of(filled, "customer_lifetimes", SNAPSHOT) if row[0] == 112
    )
    march = behind == "fact_orders"
    assert (signal["orders"], signal["revenue"]) == ((1, Decimal("123.40")) if march else (0, Decimal("0.00")))
    assert (rows_of(filled, "customer_lifetimes", SNAPSHOT) == whole) == march
    assert not [
        line for line in unreconciled(catalogue) if "customer_lifetimes" in line or "receivables_ageing" in line
    ]


def test_place_once_published_stays_when_a_customer_moves(filled: Settings, engine: Engine) -> None:
    """Else an old month's revenue by country loses the country."""
    moved = FakeSource()
    moved.rows["customers"] = [(*SHOP["customers"][0][:7], "Lyon", *SHOP["customers"][0][8:]), SHOP["customers"][1]]
    assert materialise(filled, engine, moved, ["2024-03"], "customers", "dim_locations").success
    cities = sorted(str(row[1]) for row in rows_of(filled, "dim_locations", "snapshot"))
    assert cities == ["Las Vegas", "Lyon", "Nantes", "San Francisco"]


def test_first_run_has_no_places_yet(settings: Settings, engine: Engine) -> None:
    """The table is one of its own inputs, and not there."""
    result = materialise(settings, engine, FakeSource(), ["2024-01"], "customers", "offices", "dim_locations")
    assert result.success
    assert len(rows_of(settings, "dim_locations", "snapshot")) == 3


def test_calendar_has_every_day_of_the_configured_years_and_of_the_next(filled: Settings) -> None:
    """Whatever months a run owns: 366 days of 2024 and 365 of 2025, for orders that ship after the last month."""
    days = [row[0] for row in rows_of(filled, "dim_dates", "snapshot")]
    assert len(days) == len(set(days)) == 366 + 365
    assert (min(days), max(days)) == (date(2024, 1, 1), date(2025, 12, 31))


def test_failed_audit_publishes_nothing_and_keeps_the_last_good_month(filled: Settings, engine: Engine) -> None:
    """One bad month of the range: the good ones stay back too, and the marts are not made."""
    source = FakeSource()
    source.rows["products"] = [SHOP["products"][0]]
    names = ("products", "dim_products", "fact_orders", "monthly_revenue")
    before = tree(filled.lake)
    result = materialise(filled, engine, source, MONTHS, *names)
    assert not result.success
    check = evaluations(result, "fact_orders")["not_null"]
    assert not check.passed
    assert check.metadata["expected"].value == "no NULLs"
    assert check.metadata["actual"].value == "cost_amount: 2, list_amount: 2, margin_amount: 2"
    assert check.metadata["months"].value == "2024-01, 2024-03"
    assert "'order_number': 10102" in str(check.metadata["rows"].value)
    (failure,) = failures(result)
    assert "core/fact_orders did not pass its audit, nothing of it is published" in failure
    assert "2024-01" in failure
    assert "2024-03" in failure
    assert "'order_number': 10102" in failure
    assert "next: mend what is named, then salespipe run --months 2024-01...2024-03" in failure
    after = tree(filled.lake)
    changed = {key.removeprefix("_receipts/") for key in before if before[key] != after[key]}
    assert {"/".join(key.split("/")[:2]) for key in changed} == {"staging/products", "core/dim_products"}
    materialised = {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key}
    assert materialised == {"products", "dim_products"}


def test_month_that_was_never_read_fails_with_the_command_that_reads_it(settings: Settings, engine: Engine) -> None:
    """Sail reads a file that is not there as no rows: the month would be published empty."""
    result = materialise(settings, engine, FakeSource(), ["2024-01"], "fact_payments")
    (failure,) = failures(result)
    assert "Not published: staging/payments 2024-01" in failure
    assert "salespipe run --months 2024-01 --select staging/payments" in failure
    assert Catalogue(settings.lake).published(tables()["fact_payments"]) == []


def test_months_that_are_not_published_fail_a_range_as_a_whole(settings: Settings, engine: Engine) -> None:
    assert materialise(settings, engine, FakeSource(), ["2024-01", "2024-02"], "payments").success
    result = materialise(settings, engine, FakeSource(), MONTHS, "fact_payments")
    assert "staging/payments 2024-03" in failures(result)[0]
    assert Catalogue(settings.lake).published(tables()["fact_payments"]) == []


SPOILT: dict[str, tuple[str, str, Callable[[DataFrame], DataFrame]]] = {
    "missing column": ("schema", "check_number string is missing", lambda rows: rows.drop("check_number")),
    "extra column": ("schema", "is not in the contract", lambda rows: rows.withColumn("more", F.lit("x"))),
    "wrong type": (
        "schema",
        "amount is double",
        lambda rows: rows.withColumn("amount", F.col("amount").cast("double")),
    ),
    "null key": (
        "not_null",
        "check_number: 1",
        lambda rows: rows.withColumn("check_number", F.lit(None).cast("string")),
    ),
    "repeated key": ("keys_unique", "repeated", lambda rows: rows.unionByName(rows)),
    "month not owned": (
        "parts_owned",
        "2024-02: 1 rows",
        lambda rows: rows.withColumn("payment_date", F.expr("CAST(add_months(payment_date, 1) AS DATE)")),
    ),
    "lost cent": (
        "balance",
        "2024-01: amount 3030.99 is not payments.amount 3031.00",
        lambda rows: rows.withColumn("amount", (F.col("amount") - F.lit(Decimal("0.01"))).cast("decimal(18,2)")),
    ),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_transform_that_breaks_its_contract_is_not_published(
    filled: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    name, actual, spoil = SPOILT[spoilt]
    good = tables()["fact_payments"]

    def transform(payments: DataFrame) -> DataFrame:
        assert good.transform
        return spoil(good.transform(payments))

    monkeypatch.setattr(module, "tables", lambda: tables() | {"fact_payments": replace(good, transform=transform)})
    before = tree(filled.lake)
    result = materialise(filled, engine, FakeSource(), ["2024-01"], "fact_payments")
    check = evaluations(result, "fact_payments")[name]
    assert not check.passed
    assert actual in str(check.metadata["actual"].value)
    assert "nothing of it is published" in failures(result)[0]
    assert tree(filled.lake) == before
