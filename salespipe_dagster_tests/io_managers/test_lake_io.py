"""The lake's I/O manager: publishes what was staged and audited, loads what is published and nothing else."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import DataFrame

from salespipe_dagster.io_managers.lake import PUBLISHED, LakeIOManager
from salespipe_dagster.partitions import range_tags
from salespipe_dagster_tests.support import Rows, local, tree, write_parquet
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import Staged, staged_file
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02", "2024-03"]
PARTITIONS = dg.MonthlyPartitionsDefinition("2024-01", fmt="%Y-%m", end_date="2024-04")
SINGLE_RUN = dg.BackfillPolicy.single_run()
PAYMENTS, OFFICES = tables()["payments"], tables()["offices"]
A1 = (103, "A1", date(2024, 1, 10), Decimal("10.00"))
A2 = (103, "A2", date(2024, 1, 31), Decimal("0.05"))
C1 = (112, "C1", date(2024, 3, 1), Decimal("99.99"))


def staged(lake: Lake, folder: Path, months: list[str], rows: Rows) -> Staged:
    """Payments of these months, staged and audited."""
    opening = lake.open(PAYMENTS, months)
    for month in months:
        found = [row for row in rows if f"{row[2]:%Y-%m}" == month]
        if found:
            write_parquet(staged_file(folder, PAYMENTS, month), arrow_schema(PAYMENTS.contract), found)
    return lake.audit(opening, folder / "staging" / "payments")


def store(lake: Lake, months: list[str], rows: Rows) -> dg.ExecuteInProcessResult:
    """Materialise payments of a range of months through the I/O manager."""

    @dg.asset(
        key=["staging", "payments"], partitions_def=PARTITIONS, backfill_policy=SINGLE_RUN, io_manager_key="lake_io"
    )
    def payments() -> dg.Output[Staged]:
        return dg.Output(staged(lake, folder, months, rows))

    with lake.staging() as folder:
        return dg.materialize([payments], resources={"lake_io": LakeIOManager(lake)}, tags=range_tags(months))


def load(lake: Lake, months: list[str] | None, metadata: dict[str, str] | None = None) -> list[str]:
    """The checks that a downstream asset of these months is given; unpartitioned if None."""
    given: list[str] = []

    @dg.asset(
        ins={"payments": dg.AssetIn(key=["staging", "payments"], metadata=metadata)},
        partitions_def=PARTITIONS if months else None,
        backfill_policy=SINGLE_RUN,
    )
    def downstream(payments: DataFrame) -> None:
        given.extend(row["check_number"] for row in payments.collect())

    spec = dg.AssetSpec(
        ["staging", "payments"], partitions_def=PARTITIONS, metadata={"dagster/io_manager_key": "lake_io"}
    )
    resources = {"lake_io": LakeIOManager(lake), "io_manager": dg.mem_io_manager}
    dg.materialize([downstream, spec], resources=resources, tags=range_tags(months) if months else None)
    return sorted(given)


def test_same_rows_written_twice_are_the_same_objects(lake: Lake) -> None:
    """Receipts too: an object that is replaced for nothing is loaded again by whoever reads the lake."""
    store(lake, MONTHS, [A1, A2, C1])
    before = tree(local(lake).root)
    again = store(lake, MONTHS, [C1, A2, A1])
    assert tree(local(lake).root) == before
    assert [e.materialization.metadata["replaced"].value for e in again.get_asset_materialization_events()] == [
        False
    ] * 3


def test_each_month_of_a_range_is_an_object_and_a_materialisation(lake: Lake) -> None:
    result = store(lake, MONTHS, [A1, A2, C1])
    told = {event.partition: event.materialization.metadata for event in result.get_asset_materialization_events()}
    assert list(told) == MONTHS
    assert [told[month]["rows"].value for month in MONTHS] == [2, 0, 1]
    assert [told[month]["amount"].value for month in MONTHS] == [10.05, 0.0, 99.99]
    assert [(local(lake).root / str(told[m]["object"].value)).is_file() for m in MONTHS] == [True] * 3


def test_month_that_becomes_empty_is_emptied_and_the_others_stay(lake: Lake) -> None:
    """A partitioned write replaces the months that the data holds, and so never one that has none any more."""
    store(lake, MONTHS, [A1, A2, C1])
    before = tree(local(lake).root)
    store(lake, MONTHS, [A1, A2])
    after = tree(local(lake).root)
    assert {key for key in after if after[key] != before.get(key)} == {
        "staging/payments/year=2024/month=03/data.parquet",
        "_receipts/staging/payments/2024-03.json",
    }
    assert load(lake, ["2024-03"]) == []


def test_run_of_one_month_touches_no_other(lake: Lake) -> None:
    store(lake, MONTHS, [A1, A2, C1])
    store(lake, ["2024-02"], [])
    assert load(lake, MONTHS) == ["A1", "A2", "C1"]


def test_run_is_given_its_own_months(lake: Lake) -> None:
    store(lake, MONTHS, [A1, A2, C1])
    assert load(lake, ["2024-01"]) == ["A1", "A2"]
    assert load(lake, ["2024-02", "2024-03"]) == ["C1"]


def test_chart_is_given_what_is_published(lake: Lake) -> None:
    """Dagster hands an unpartitioned asset every month that there can be, also those never made."""
    store(lake, ["2024-01"], [A1, A2])
    assert load(lake, None, PUBLISHED) == ["A1", "A2"]
    store(lake, ["2024-03"], [C1])
    assert load(lake, None, PUBLISHED) == ["A1", "A2", "C1"]


def test_month_that_is_not_published_names_itself_and_the_command(lake: Lake) -> None:
    store(lake, ["2024-01"], [A1])
    with pytest.raises(
        SalespipeError, match=r"staging/payments 2024-02(.|\n)*--months 2024-02 --select staging/payments"
    ):
        load(lake, ["2024-01", "2024-02"])


def test_month_whose_object_is_not_its_receipts_is_not_read(lake: Lake) -> None:
    """A run died between object and receipt: the figures that others were held against are not of this object."""
    store(lake, ["2024-01"], [A1])
    local(lake).path(lake.key(PAYMENTS, "2024-01")).write_bytes(b"half")
    with pytest.raises(SalespipeError, match="Not the object that its receipt names: staging/payments 2024-01"):
        load(lake, ["2024-01"])


def spoilt(change: Callable[[Rows], Rows]) -> Rows:
    return change([A1, A2])


@pytest.mark.parametrize(
    "rows",
    [
        spoilt(lambda rows: [*rows, rows[0]]),
        spoilt(lambda rows: [(None, *rows[0][1:]), rows[1]]),
    ],
    ids=["key twice", "key NULL"],
)
def test_what_did_not_pass_its_audit_is_refused(lake: Lake, rows: Rows) -> None:
    """The asset raises before it hands anything on; should one forget to, the lake does not take it."""
    store(lake, ["2024-01"], [A1])
    before = tree(local(lake).root)
    with pytest.raises(ValueError, match="not passed its audit"):
        store(lake, ["2024-01"], rows)
    assert tree(local(lake).root) == before


def test_snapshot_is_told_of_without_a_month(lake: Lake) -> None:
    office = ("1", "Paris", "+33", "43 Rue Jouffroy", None, None, "France", "75017", "EMEA")

    @dg.asset(key=["staging", "offices"], io_manager_key="lake_io")
    def offices() -> dg.Output[Staged]:
        opening = lake.open(OFFICES, ["snapshot"])
        write_parquet(staged_file(folder, OFFICES, "snapshot"), arrow_schema(OFFICES.contract), [office])
        return dg.Output(lake.audit(opening, folder / "staging" / "offices"))

    with lake.staging() as folder:
        result = dg.materialize([offices], resources={"lake_io": LakeIOManager(lake)})
    (event,) = result.get_asset_materialization_events()
    assert event.partition is None
    assert event.materialization.metadata["rows"].value == 1
    assert [tuple(row) for row in lake.read_published(OFFICES).collect()] == [office]
