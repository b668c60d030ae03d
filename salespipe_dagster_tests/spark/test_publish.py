"""Publishing: what is replaced, what stays, and which of two runs wins."""

from datetime import date
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_dagster_tests.spark.published import (
    A1,
    A2,
    B1,
    C1,
    FACTS,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    THREE_MONTHS,
    object_of,
    of_month,
    office,
    payment,
    publish_facts,
    publish_payments,
    publish_snapshot,
    receipt_of,
    rows_in,
    seen,
    staged_facts,
    staged_payments,
)
from salespipe_dagster_tests.support import Rows, assert_rows, local, read_parquet
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.objects import Raced
from salespipe_spark.tables import tables


class TestPublishing:
    def test_range_of_months_is_an_object_and_a_receipt_each(self, lake: Lake) -> None:
        published = publish_payments(lake, THREE_MONTHS)
        assert [(each.receipt.part, each.replaced) for each in published] == [
            (JANUARY, True),
            (FEBRUARY, True),
            (MARCH, True),
        ]
        assert set(seen(lake).files) == set().union(*(of_month(PAYMENTS, month) for month in THREE_MONTHS))
        assert {month: rows_in(lake, PAYMENTS, month) for month in THREE_MONTHS} == THREE_MONTHS

    def test_engine_writes_each_row_into_its_own_month(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        publish_facts(lake, list(THREE_MONTHS))
        assert {month: rows_in(lake, FACTS, month) for month in THREE_MONTHS} == THREE_MONTHS

    def test_published_months_are_read_together(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        assert_rows(lake.read(PAYMENTS, [JANUARY, MARCH]), PAYMENTS.contract.ddl, [A1, A2, C1])
        assert_rows(lake.read_published(PAYMENTS), PAYMENTS.contract.ddl, [A1, A2, B1, C1])

    def test_what_was_never_published_is_read_as_nothing_only_on_request(self, lake: Lake) -> None:
        assert_rows(lake.read_published(PAYMENTS), PAYMENTS.contract.ddl, [])

    def test_snapshot_is_one_object_under_its_table(self, lake: Lake) -> None:
        publish_snapshot(lake, "offices", [office("1", "Boston")])
        assert set(seen(lake).files) == {"staging/offices/data.parquet", "_receipts/staging/offices/snapshot.json"}
        assert lake.published(tables()["offices"]) == [SNAPSHOT]

    def test_nothing_is_left_in_staging(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        publish_facts(lake, list(THREE_MONTHS))
        assert list((local(lake).root / "_staging").iterdir()) == []


class TestReplacing:
    def test_written_twice_nothing_is_replaced(self, lake: Lake) -> None:
        """An object that is new every night is downloaded every night by all who read the lake."""
        publish_payments(lake, THREE_MONTHS)
        publish_facts(lake, list(THREE_MONTHS))
        before = seen(lake)
        again = [
            *publish_payments(lake, THREE_MONTHS, run="run 2"),
            *publish_facts(lake, list(THREE_MONTHS), run="run 2"),
        ]
        assert [each.replaced for each in again] == [False] * 6
        assert {each.receipt.run for each in again} == {"run 1"}
        assert before.changed_to(seen(lake)) == set()

    def test_rows_in_another_order_replace_nothing(self, lake: Lake) -> None:
        """A source without ORDER BY returns them as it likes."""
        publish_payments(lake, {JANUARY: [A1, A2]})
        before = seen(lake)
        publish_payments(lake, {JANUARY: [A2, A1]})
        assert before.changed_to(seen(lake)) == set()

    def test_only_the_month_that_changed_is_replaced(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        before = seen(lake)
        late = payment("B2", date(2024, 2, 2), "5.00")
        again = publish_payments(lake, THREE_MONTHS | {FEBRUARY: [B1, late]}, run="run 2")
        assert [each.replaced for each in again] == [False, True, False]
        assert before.changed_to(seen(lake)) == of_month(PAYMENTS, FEBRUARY)
        assert rows_in(lake, PAYMENTS, FEBRUARY) == sorted([B1, late])
        assert receipt_of(lake, PAYMENTS, FEBRUARY).run == "run 2"

    def test_months_that_the_run_does_not_own_stay(self, lake: Lake) -> None:
        """Sail's dynamic partition overwrite deletes all other months of the table."""
        publish_payments(lake, THREE_MONTHS)
        publish_facts(lake, list(THREE_MONTHS))
        before = seen(lake)
        publish_payments(lake, {FEBRUARY: []})
        publish_facts(lake, [FEBRUARY])
        assert before.changed_to(seen(lake)) == of_month(PAYMENTS, FEBRUARY) | of_month(FACTS, FEBRUARY)

    def test_change_of_one_cent_replaces_the_object(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        publish_payments(lake, {JANUARY: [payment("A1", date(2024, 1, 1), "10.01")]})
        assert rows_in(lake, PAYMENTS, JANUARY) == [payment("A1", date(2024, 1, 1), "10.01")]
        assert receipt_of(lake, PAYMENTS, JANUARY).figures.sums == {"amount": Decimal("10.01")}


class TestEmptyMonths:
    def test_month_that_becomes_empty_is_emptied(self, lake: Lake) -> None:
        """A write that owns what the data happens to contain keeps the rows of yesterday."""
        publish_payments(lake, THREE_MONTHS)
        publish_facts(lake, list(THREE_MONTHS))
        publish_payments(lake, THREE_MONTHS | {FEBRUARY: []})
        published = publish_facts(lake, list(THREE_MONTHS))
        assert [each.replaced for each in published] == [False, True, False]
        assert {month: rows_in(lake, FACTS, month) for month in THREE_MONTHS} == THREE_MONTHS | {FEBRUARY: []}
        assert_rows(lake.read(FACTS, [JANUARY, FEBRUARY]), FACTS.contract.ddl, [A1, A2])

    def test_empty_month_is_one_object_with_the_full_schema(self, lake: Lake) -> None:
        """Sail writes no file for no rows: for a reader the month would be missing, not empty."""
        publish_payments(lake, {JANUARY: []})
        publish_facts(lake, [JANUARY])
        file = object_of(lake, FACTS, JANUARY)
        assert [path.name for path in file.parent.iterdir()] == ["data.parquet"]
        assert [(f.name, str(f.type)) for f in pq.read_schema(file)] == [
            ("customer_number", "int32"),
            ("check_number", "string"),
            ("payment_date", "date32[day]"),
            ("amount", "decimal128(18, 2)"),
        ]
        assert read_parquet(file) == []

    def test_receipt_of_an_empty_month_says_zero(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: []})
        figures = receipt_of(lake, PAYMENTS, JANUARY).figures
        assert (figures.rows, figures.sums, figures.first_date) == (0, {"amount": Decimal(0)}, "")

    def test_empty_month_that_stays_empty_is_not_replaced(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: []})
        before = seen(lake)
        publish_payments(lake, {JANUARY: []})
        assert before.changed_to(seen(lake)) == set()

    def test_empty_month_that_gets_rows_is_replaced(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: []})
        publish_payments(lake, {JANUARY: [A1]})
        assert rows_in(lake, PAYMENTS, JANUARY) == [A1]

    def test_empty_month_takes_a_new_provenance(self, lake: Lake) -> None:
        """Nothing is staged for it, not even a folder in which its receipt could be drafted."""
        publish_payments(lake, {JANUARY: []}, fingerprints={JANUARY: "before"})
        publish_payments(lake, {JANUARY: []}, fingerprints={JANUARY: "after"})
        assert receipt_of(lake, PAYMENTS, JANUARY).provenance.fingerprint == "after"

    def test_range_of_empty_months_is_published(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [], FEBRUARY: []})
        publish_facts(lake, [JANUARY, FEBRUARY])
        assert lake.published(FACTS) == [JANUARY, FEBRUARY]
        assert lake.read(FACTS, [JANUARY, FEBRUARY]).count() == 0


class TestFailedAudit:
    def test_what_failed_is_not_published(self, lake: Lake) -> None:
        with staged_payments(lake, {JANUARY: [A1, A1]}) as staged:
            assert not staged.passed
            with pytest.raises(ValueError, match="has not passed its audit"):
                lake.publish(staged, "run 1")
        assert seen(lake).files == {}

    def test_last_good_months_stay_also_those_that_were_right(self, lake: Lake) -> None:
        """All or nothing per table and run: half a range is a table that was never true."""
        publish_payments(lake, THREE_MONTHS)
        before = seen(lake)
        half_wrong: dict[str, Rows] = {JANUARY: [A1], FEBRUARY: [B1, B1], MARCH: []}
        with staged_payments(lake, half_wrong) as staged, pytest.raises(ValueError, match="has not passed its audit"):
            lake.publish(staged, "run 2")
        assert before.changed_to(seen(lake)) == set()

    def test_month_whose_amount_differs_from_its_input_is_named(self, lake: Lake) -> None:
        """A join that is not unique multiplies the sales of some months, and nothing else fails."""
        publish_payments(lake, THREE_MONTHS)
        one_cent_more = "CAST(CASE WHEN check_number = 'B1' THEN 100.00 ELSE amount END AS DECIMAL(18,2))"

        def spoiled(rows: DataFrame) -> DataFrame:
            return rows.withColumn("amount", F.expr(one_cent_more))

        with staged_facts(lake, list(THREE_MONTHS), spoiled) as staged:
            check = next(check for check in staged.checks if not check.passed)
        assert (check.name, check.parts) == ("balance", [FEBRUARY])
        assert check.actual == "2024-02: amount 100.00 is not payments.amount 99.99"
        assert check.expected == "rows = payments.rows, amount = payments.amount"

    def test_month_that_lost_all_its_rows_on_the_way_is_named(self, lake: Lake) -> None:
        """No row, no group, no figure: a month that is not in the result is compared as well."""
        publish_payments(lake, THREE_MONTHS)
        with staged_facts(lake, list(THREE_MONTHS), lambda rows: rows.where("month(payment_date) <> 2")) as staged:
            check = next(check for check in staged.checks if not check.passed)
        assert (check.name, check.parts) == ("balance", [FEBRUARY])
        assert check.actual == (
            "2024-02: rows 0 is not payments.rows 1; 2024-02: amount 0 is not payments.amount 99.99"
        )


class TestRaces:
    def test_second_of_two_runs_is_told_and_the_first_ones_month_stays(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        with staged_payments(lake, {JANUARY: [A1, A2]}) as late:
            publish_payments(lake, {JANUARY: [A2]}, run="the first")
            with pytest.raises(
                Raced, match=r"^staging/payments/year=2024/month=01/data\.parquet was published by another run"
            ):
                lake.publish(late, "the second")
        assert rows_in(lake, PAYMENTS, JANUARY) == [A2]
        assert lake.intact(PAYMENTS, JANUARY).run == "the first"

    def test_first_month_of_two_runs_is_the_first_ones(self, lake: Lake) -> None:
        with staged_payments(lake, {JANUARY: [A1, A2]}) as late:
            publish_payments(lake, {JANUARY: [A2]}, run="the first")
            with pytest.raises(Raced):
                lake.publish(late, "the second")
        assert rows_in(lake, PAYMENTS, JANUARY) == [A2]

    def test_one_month_that_was_raced_for_holds_back_the_whole_range(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        with staged_payments(lake, {JANUARY: [], FEBRUARY: [], MARCH: []}) as late:
            publish_payments(lake, {MARCH: []}, run="the first")
            before = seen(lake)
            with pytest.raises(Raced):
                lake.publish(late, "the second")
            assert {key for key in before.changed_to(seen(lake)) if not key.startswith("_staging")} == set()

    def test_run_that_published_the_same_rows_is_no_rival(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        with staged_payments(lake, {JANUARY: [A1, A2]}) as late:
            publish_payments(lake, {JANUARY: [A1]}, run="the first")
            lake.publish(late, "the second")
        assert rows_in(lake, PAYMENTS, JANUARY) == [A1, A2]

    def test_input_that_was_republished_in_between_stops_the_run(self, lake: Lake) -> None:
        """Facts of the old payments beside new payments reconcile with nothing."""
        publish_payments(lake, THREE_MONTHS)
        with staged_facts(lake, list(THREE_MONTHS)) as late:
            publish_payments(lake, {FEBRUARY: []})
            with pytest.raises(Raced, match="An input of core/fact_payments"):
                lake.publish(late, "the second")
        assert lake.published(FACTS) == []

    def test_input_of_another_month_may_be_republished(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        with staged_facts(lake, [JANUARY]) as staged:
            publish_payments(lake, {FEBRUARY: []})
            lake.publish(staged, "run 2")
        assert rows_in(lake, FACTS, JANUARY) == [A1, A2]
