"""The lake: staged, audited, published; what is replaced, what stays, and what a crash leaves behind."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from salespipe_dagster_tests.support import Rows, StandInEngine, assert_rows, frame, local, read_parquet, write_parquet
from salespipe_spark.contract import SNAPSHOT, Column, Contract, Type
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.objects import Raced
from salespipe_spark.lake.publish import Published
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import Staged, staged_file
from salespipe_spark.tables import Table, tables

PAYMENTS, FACTS = tables()["payments"], tables()["fact_payments"]
JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


def payment(check: str, day: date, amount: str, customer: int = 103) -> tuple[Any, ...]:
    return (customer, check, day, Decimal(amount))


A1 = payment("A1", date(2024, 1, 1), "10.00")
A2 = payment("A2", date(2024, 1, 31), "0.05")
B1 = payment("B1", date(2024, 2, 29), "99.99", customer=112)
C1 = payment("C1", date(2024, 3, 1), "1.00")
THREE_MONTHS: dict[str, Rows] = {JANUARY: [A1, A2], FEBRUARY: [B1], MARCH: [C1]}


@contextmanager
def staged_payments(
    lake: Lake, by_month: dict[str, Rows], fingerprints: dict[str, str] | None = None
) -> Generator[Staged]:
    """Payments as an extraction stages them: a file for each month that has rows, written without the engine."""
    with lake.staging() as folder:
        opening = lake.open(PAYMENTS, list(by_month))
        for month, rows in by_month.items():
            if rows:
                write_parquet(staged_file(folder, PAYMENTS, month), arrow_schema(PAYMENTS.contract), rows)
        yield lake.audit(opening, folder / "staging" / "payments", fingerprints)


def publish_payments(
    lake: Lake, by_month: dict[str, Rows], run: str = "run 1", fingerprints: dict[str, str] | None = None
) -> list[Published]:
    with staged_payments(lake, by_month, fingerprints) as staged:
        assert staged.passed, staged.checks
        return lake.publish(staged, run)


@contextmanager
def staged_facts(
    lake: Lake, months: list[str], change: Callable[[DataFrame], DataFrame] = lambda rows: rows
) -> Generator[Staged]:
    """fact_payments of these months, made on the engine; `change` spoils what the transform returns."""
    assert FACTS.transform
    with lake.staging() as folder:
        opening = lake.open(FACTS, months)
        yield lake.stage(opening, change(FACTS.transform(lake.read(PAYMENTS, months))), folder)


def publish_facts(lake: Lake, months: list[str], run: str = "run 1") -> list[Published]:
    with staged_facts(lake, months) as staged:
        assert staged.passed, staged.checks
        return lake.publish(staged, run)


def object_of(lake: Lake, table: Table, part: str) -> Path:
    return local(lake).path(lake.key(table, part))


def receipt_of(lake: Lake, table: Table, part: str) -> Receipt:
    receipt = lake.receipt(table, part)
    assert receipt
    return receipt


def rows_in(lake: Lake, table: Table, part: str) -> Rows:
    return sorted(read_parquet(object_of(lake, table, part)))


@dataclass(frozen=True)
class Seen:
    """All that a reader of the lake can see of its files: content and time, by key."""

    files: dict[str, tuple[int, bytes]]

    def changed_to(self, other: "Seen") -> set[str]:
        return {k for k in self.files.keys() | other.files.keys() if self.files.get(k) != other.files.get(k)}


def seen(lake: Lake) -> Seen:
    paths = [p for p in local(lake).root.rglob("*") if p.is_file() and "_locks" not in p.parts]
    return Seen({str(p.relative_to(local(lake).root)): (p.stat().st_mtime_ns, p.read_bytes()) for p in paths})


def of_month(table: Table, part: str) -> set[str]:
    """The keys of a month's object and receipt."""
    folder = f"{table.layer}/{table.name}"
    return {
        f"{folder}/year={part[:4]}/month={part[5:]}/data.parquet",
        f"_receipts/{folder}/{part}.json",
    }


class Crash(Exception):
    """The process is gone."""


def crash_at(lake: Lake, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the run die instead of its nth replacement of an object: odd ones are data, even ones receipts."""
    steps = iter(range(1, step + 1))

    def dying(replacing: Callable[..., str]) -> Callable[..., str]:
        def or_dead(given: object, key: str, seen_etag: str) -> str:
            if next(steps) == step:
                raise Crash
            return replacing(given, key, seen_etag)

        return or_dead

    monkeypatch.setattr(lake.store, "replace", dying(lake.store.replace))
    monkeypatch.setattr(lake.store, "put_over", dying(lake.store.put_over))


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


class TestCrash:
    """A run dies between an object and its receipt, or between two months."""

    def test_object_without_its_receipt_is_seen_by_who_reads_it(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        with monkeypatch.context() as patch:
            crash_at(lake, patch, step=2)
            with pytest.raises(Crash):
                publish_payments(lake, {JANUARY: [A1, A2]}, run="run 2")
        with pytest.raises(SalespipeError) as refused:
            lake.read(PAYMENTS, [JANUARY])
        assert refused.value.message.startswith("Not the object that its receipt names: staging/payments 2024-01 in ")
        assert refused.value.hint == "salespipe run --months 2024-01 --select staging/payments"

    def test_next_run_mends_it(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        with monkeypatch.context() as patch:
            crash_at(lake, patch, step=2)
            with pytest.raises(Crash):
                publish_payments(lake, {JANUARY: [A1, A2]}, run="run 2")
        publish_payments(lake, {JANUARY: [A1, A2]}, run="run 3")
        assert lake.intact(PAYMENTS, JANUARY).run == "run 3"
        assert_rows(lake.read(PAYMENTS, [JANUARY]), PAYMENTS.contract.ddl, [A1, A2])

    def test_next_run_mends_it_also_when_the_rows_are_those_of_the_old_receipt(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The change was taken back in the source: digest and receipt agree, but the object is another."""
        publish_payments(lake, {JANUARY: [A1]})
        with monkeypatch.context() as patch:
            crash_at(lake, patch, step=2)
            with pytest.raises(Crash):
                publish_payments(lake, {JANUARY: [A1, A2]}, run="run 2")
        published = publish_payments(lake, {JANUARY: [A1]}, run="run 3")
        assert [each.replaced for each in published] == [True]
        assert rows_in(lake, PAYMENTS, JANUARY) == [A1]
        assert lake.intact(PAYMENTS, JANUARY).run == "run 3"

    def test_very_first_object_without_a_receipt_is_mended(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            crash_at(lake, patch, step=2)
            with pytest.raises(Crash):
                publish_payments(lake, {JANUARY: [A1]})
        assert lake.published(PAYMENTS) == []
        publish_payments(lake, {JANUARY: [A1]}, run="run 2")
        assert lake.intact(PAYMENTS, JANUARY).run == "run 2"

    def test_range_that_died_half_way_is_completed(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each month is whole, the old one or the new one; the months that were done are not replaced again."""
        publish_payments(lake, THREE_MONTHS)
        changed: dict[str, Rows] = {JANUARY: [A1], FEBRUARY: [], MARCH: []}
        with monkeypatch.context() as patch:
            crash_at(lake, patch, step=3)
            with pytest.raises(Crash):
                publish_payments(lake, changed, run="run 2")
        assert {month: rows_in(lake, PAYMENTS, month) for month in THREE_MONTHS} == THREE_MONTHS | {JANUARY: [A1]}
        again = publish_payments(lake, changed, run="run 3")
        assert [each.replaced for each in again] == [False, True, True]
        assert {month: rows_in(lake, PAYMENTS, month) for month in THREE_MONTHS} == changed

    def test_table_that_is_its_own_input_is_mended_and_keeps_its_old_places(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """dim_locations reads itself: were its half-published object refused, no run could ever make it again."""
        publish_snapshot(lake, "offices", [office("1", "Boston")])
        publish_snapshot(lake, "customers", [])
        publish_locations(lake)
        publish_snapshot(lake, "offices", [office("1", "Paris")])
        with monkeypatch.context() as patch:
            crash_at(lake, patch, step=2)
            with pytest.raises(Crash):
                publish_locations(lake)
        publish_snapshot(lake, "offices", [office("1", "Tokyo")])
        publish_locations(lake)
        cities = lake.read(tables()["dim_locations"], [SNAPSHOT]).select("city")
        assert_rows(cities, "city string", [("Boston",), ("Paris",), ("Tokyo",)])


def office(code: str, city: str) -> tuple[Any, ...]:
    return (code, city, "+1 215 837 0825", "1550 Court Place", None, None, "Country", "1", "NA")


def publish_snapshot(lake: Lake, name: str, rows: Rows) -> None:
    table = tables()[name]
    with lake.staging() as folder:
        opening = lake.open(table, [SNAPSHOT])
        if rows:
            write_parquet(staged_file(folder, table, SNAPSHOT), arrow_schema(table.contract), rows)
        lake.publish(lake.audit(opening, folder / table.layer / table.name), "run 1")


def publish_locations(lake: Lake) -> None:
    """As the table's asset does: what is its own input is read as it is published."""
    table = tables()["dim_locations"]
    assert table.transform
    with lake.staging() as folder:
        opening = lake.open(table, [SNAPSHOT])
        given = {name: lake.read_published(tables()[name]) for name in table.inputs if name != table.name}
        given[table.name] = lake.read_own(table)
        staged = lake.stage(opening, table.transform(**given), folder)
        assert staged.passed, staged.checks
        lake.publish(staged, "run 1")


class TestMissing:
    """What is not there fails once and names itself; Sail would read it as no rows."""

    def test_month_that_was_never_published_is_an_error_with_its_name_place_and_command(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        with pytest.raises(SalespipeError) as refused:
            lake.read(PAYMENTS, [JANUARY, FEBRUARY])
        assert refused.value.message == f"Not published: staging/payments 2024-02 in {local(lake).root}."
        assert refused.value.hint == "salespipe run --months 2024-02 --select staging/payments"
        assert str(refused.value) == f"{refused.value.message}\n  next: {refused.value.hint}"

    def test_snapshot_that_was_never_published_names_no_month_in_its_command(self, lake: Lake) -> None:
        with pytest.raises(SalespipeError) as refused:
            lake.read(tables()["offices"], [SNAPSHOT])
        assert refused.value.hint == "salespipe run --select staging/offices"

    def test_object_that_somebody_deleted_is_an_error(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        object_of(lake, PAYMENTS, JANUARY).unlink()
        with pytest.raises(SalespipeError, match="Not the object that its receipt names"):
            lake.read(PAYMENTS, [JANUARY])

    def test_object_that_somebody_replaced_is_an_error(self, lake: Lake) -> None:
        publish_payments(lake, THREE_MONTHS)
        file = object_of(lake, PAYMENTS, JANUARY)
        file.write_bytes(object_of(lake, PAYMENTS, FEBRUARY).read_bytes())
        with pytest.raises(SalespipeError, match="Not the object that its receipt names"):
            lake.read(PAYMENTS, [JANUARY])

    def test_run_does_not_begin_without_its_inputs(self, lake: Lake) -> None:
        with pytest.raises(SalespipeError, match="Not published: staging/payments 2024-01"):
            lake.open(FACTS, [JANUARY])


class TestReceipts:
    def test_receipt_tells_what_is_published_and_where_it_came_from(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1, A2]}, fingerprints={JANUARY: "f1"})
        publish_facts(lake, [JANUARY], run="run 7")
        given, made = receipt_of(lake, PAYMENTS, JANUARY), receipt_of(lake, FACTS, JANUARY)
        file = object_of(lake, FACTS, JANUARY)
        assert (made.table, made.part, made.key) == ("core/fact_payments", JANUARY, lake.key(FACTS, JANUARY))
        assert (made.size, made.etag) == (file.stat().st_size, lake.store.etag(made.key))
        assert (made.engine, made.run, made.code_version) == ("sail", "run 7", FACTS.code_version)
        assert (made.figures.rows, made.figures.sums) == (2, {"amount": Decimal("10.05")})
        assert (made.figures.first_date, made.figures.last_date) == ("2024-01-01", "2024-01-31")
        assert made.provenance == Provenance({"payments": {JANUARY: given.figures.digest}})
        assert given.provenance == Provenance(fingerprint="f1")

    def test_month_names_only_its_own_month_of_its_inputs(self, lake: Lake) -> None:
        """Named in full, the change of one month would be a change of all."""
        publish_payments(lake, THREE_MONTHS)
        publish_facts(lake, list(THREE_MONTHS))
        for month in THREE_MONTHS:
            assert list(receipt_of(lake, FACTS, month).provenance.inputs["payments"]) == [month]

    def test_month_names_the_whole_of_a_snapshot(self, lake: Lake) -> None:
        publish_snapshot(lake, "offices", [office("1", "Boston")])
        table = Table("core", "visits", FACTS.contract, "Visits of a test.", "c0de", inputs=("offices",))
        digest = receipt_of(lake, tables()["offices"], SNAPSHOT).figures.digest
        with lake.staging() as folder:
            opening = lake.open(table, [JANUARY])
            unbalanced = replace(opening, table=replace(table, contract=replace(FACTS.contract, balances=())))
            lake.publish(lake.audit(unbalanced, folder / "core" / "visits"), "run 1")
        assert receipt_of(lake, table, JANUARY).provenance.inputs == {"offices": {SNAPSHOT: digest}}

    def test_snapshot_over_months_names_all_that_are_published(self, lake: Lake) -> None:
        publish_payments(lake, {JANUARY: [A1], MARCH: [C1]})
        contract = replace(FACTS.contract, month="", balances=())
        table = Table("marts", "all_payments", contract, "A snapshot of a test.", "c0de", inputs=("payments",))
        assert list(lake.open(table, [SNAPSHOT]).inputs["payments"]) == [JANUARY, MARCH]

    def test_new_provenance_rewrites_the_receipt_and_not_the_object(self, lake: Lake) -> None:
        """A fingerprint that is not kept asks for the same month every night."""
        publish_payments(lake, {JANUARY: [A1]}, fingerprints={JANUARY: "before"})
        before, old = seen(lake), receipt_of(lake, PAYMENTS, JANUARY)
        again = publish_payments(lake, {JANUARY: [A1]}, run="run 2", fingerprints={JANUARY: "after"})
        assert [each.replaced for each in again] == [False]
        assert before.changed_to(seen(lake)) == {"_receipts/staging/payments/2024-01.json"}
        assert receipt_of(lake, PAYMENTS, JANUARY) == replace(old, provenance=Provenance(fingerprint="after"))

    @given(st.dictionaries(st.text(max_size=5), st.decimals(allow_nan=False, allow_infinity=False), max_size=5))
    def test_receipt_is_read_as_it_was_written(self, sums: dict[str, Decimal]) -> None:
        """Through a float, 12345678901234567.89 comes back as 12345678901234568."""
        figures = Figures(3, sums, 1, {"amount": 2}, "2024-01-01", "2024-01-31", "c0ffee-3-0123456789abcdef")
        provenance = Provenance({"payments": {JANUARY: "c0ffee-3-0"}}, "a fingerprint")
        receipt = Receipt(
            table="core/fact_payments",
            part=JANUARY,
            figures=figures,
            provenance=provenance,
            engine="sail",
            code_version="c0de",
            run="run 1",
            published_at="2024-02-01T00:00:00+00:00",
            key="core/fact_payments/year=2024/month=01/data.parquet",
            size=2**40,
            etag="1-2",
        )
        back = Receipt.from_json(receipt.to_json().encode())
        assert back == receipt
        assert {name: str(value) for name, value in back.figures.sums.items()} == {n: str(v) for n, v in sums.items()}


EVERY_TYPE = Contract(
    grain="One row per test.",
    key=("a_int",),
    month="a_date",
    columns=tuple(Column(f"a_{type.value}", type, "", nullable=type is Type.TEXT) for type in Type),
)
TYPED = Table("core", "typed", EVERY_TYPE, "A column of each type.", "c0de")


def typed(number: int) -> tuple[Any, ...]:
    return (
        *('Zoë\'s "place"', None, number, 2**40 + number, True, date(2024, 1, 31)),
        datetime(2024, 1, 31, 23, 59, 59, 123456, tzinfo=UTC),
        *(Decimal("1234.56"), Decimal("1234567890123456.78"), Decimal("0.000001")),
    )


class TestFiles:
    """What any reader finds: Athena, DuckDB, Spark, pandas, Tableau."""

    ROWS: ClassVar[dict[str, Rows]] = {
        "written by the engine": [typed(1), typed(2)],
        "merged from many": [typed(1), typed(2), typed(3)],
        "empty": [],
    }

    @pytest.fixture(params=ROWS)
    def made(self, request: pytest.FixtureRequest) -> str:
        """How the file comes to be."""
        return request.param

    @pytest.fixture
    def file(self, made: str, lake: Lake, spark: SparkSession) -> Path:
        with lake.staging() as folder:
            opening = lake.open(TYPED, [JANUARY])
            if made == "written by the engine":
                staged = lake.stage(opening, frame(spark, EVERY_TYPE.ddl, self.ROWS[made]), folder)
            else:
                for n, row in enumerate(self.ROWS[made]):
                    target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                    write_parquet(target, arrow_schema(EVERY_TYPE), [row])
                staged = lake.audit(opening, folder / "core" / "typed")
            assert staged.passed, staged.checks
            lake.publish(staged, "run 1")
        return object_of(lake, TYPED, JANUARY)

    def test_columns_are_those_of_the_contract_without_the_folders_names(self, file: Path) -> None:
        """Year and month, or the part, inside the file too are a duplicate column for Athena."""
        assert [(f.name, str(f.type)) for f in pq.read_schema(file)] == [
            ("a_string", "string"),
            ("a_text", "string"),
            ("a_int", "int32"),
            ("a_bigint", "int64"),
            ("a_boolean", "bool"),
            ("a_date", "date32[day]"),
            ("a_instant", "timestamp[us, tz=UTC]"),
            ("a_price", "decimal128(10, 2)"),
            ("a_money", "decimal128(18, 2)"),
            ("a_average", "decimal128(18, 6)"),
        ]

    def test_dates_and_decimals_are_stored_as_such(self, file: Path) -> None:
        parquet = pq.ParquetFile(file).schema
        stored = {c.name: c for c in (parquet.column(i) for i in range(len(parquet.names)))}
        assert str(stored["a_date"].logical_type) == "Date"
        assert str(stored["a_price"].logical_type) == "Decimal(precision=10, scale=2)"
        assert str(stored["a_money"].logical_type) == "Decimal(precision=18, scale=2)"
        assert str(stored["a_average"].logical_type) == "Decimal(precision=18, scale=6)"
        assert {str(stored[name].logical_type) for name in ("a_string", "a_text")} == {"String"}
        assert "INT96" not in {column.physical_type for column in stored.values()}

    def test_columns_are_compressed_with_zstd(self, file: Path, made: str) -> None:
        metadata = pq.read_metadata(file)
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        codecs = {group.column(i).compression for group in groups for i in range(group.num_columns)}
        assert codecs == ({"ZSTD"} if self.ROWS[made] else set())

    def test_rows_are_all_there_with_every_value_exact(self, file: Path, made: str) -> None:
        assert sorted(read_parquet(file), key=lambda row: row[2]) == self.ROWS[made]

    def test_many_staged_files_become_one_object_with_all_their_rows(self, lake: Lake) -> None:
        """A month is one object: of several, a reader could see some."""
        with lake.staging() as folder:
            opening = lake.open(TYPED, [JANUARY])
            for n in range(5):
                target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                write_parquet(target, arrow_schema(EVERY_TYPE), [typed(3 * n + i) for i in range(3)])
            [published] = lake.publish(lake.audit(opening, folder / "core" / "typed"), "run 1")
        file = object_of(lake, TYPED, JANUARY)
        assert list(file.parent.iterdir()) == [file]
        assert sorted(row[2] for row in read_parquet(file)) == list(range(15))
        assert published.receipt.figures.rows == 15

    def test_every_row_group_of_every_staged_file_is_merged(self, lake: Lake) -> None:
        """A file of a million rows has several: the first alone looks right in every small test."""
        rows = pa.Table.from_pylist([dict(zip(EVERY_TYPE.names, typed(n), strict=True)) for n in range(6)])
        rows = rows.cast(arrow_schema(EVERY_TYPE))
        with lake.staging() as folder:
            for n in range(2):
                target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                target.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(rows.slice(3 * n, 3), target, row_group_size=1)
            lake.publish(lake.audit(lake.open(TYPED, [JANUARY]), folder / "core" / "typed"), "run 1")
        assert sorted(row[2] for row in read_parquet(object_of(lake, TYPED, JANUARY))) == [0, 1, 2, 3, 4, 5]

    def test_staged_files_that_differ_in_nullability_become_one(self, lake: Lake) -> None:
        """A task whose rows have no NULL may declare its columns as required."""
        required = pa.schema([field.with_nullable(field.name == "a_text") for field in arrow_schema(EVERY_TYPE)])
        with lake.staging() as folder:
            for n, schema in enumerate((arrow_schema(EVERY_TYPE), required)):
                target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                write_parquet(target, schema, [typed(n)])
            lake.publish(lake.audit(lake.open(TYPED, [JANUARY]), folder / "core" / "typed"), "run 1")
        assert sorted(row[2] for row in read_parquet(object_of(lake, TYPED, JANUARY))) == [0, 1]


class DyingEngine(StandInEngine):
    """An engine that dies while it writes: one of its files is there already, the other is half written."""

    def write(self, frame: DataFrame, target: str, by: str, size: int) -> None:
        super().write(frame.limit(1), target, by, size)
        (Path(target) / "half.parquet").write_bytes(b"PAR1")
        raise Crash


def test_write_that_dies_half_way_leaves_what_is_published_untouched(lake: Lake, spark: SparkSession) -> None:
    """Sail leaves the files of a failed write where it wrote them: that may only be in staging."""
    publish_payments(lake, THREE_MONTHS)
    publish_facts(lake, list(THREE_MONTHS))
    publish_payments(lake, {JANUARY: [A1], FEBRUARY: []})
    before = seen(lake)
    dying = Lake(local(lake).root, DyingEngine(spark))
    with pytest.raises(Crash):
        publish_facts(dying, list(THREE_MONTHS), run="run 2")
    assert before.changed_to(seen(lake)) == set()
