"""What a run leaves behind that dies while it stages or publishes, and who mends it."""

import os
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.spark.published import (
    A1,
    A2,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    THREE_MONTHS,
    Crash,
    crash_at,
    of_month,
    office,
    publish_facts,
    publish_locations,
    publish_payments,
    publish_snapshot,
    rows_in,
    seen,
)
from salespipe_dagster_tests.support import Rows, StandInEngine, assert_rows, local, named_on_disk
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.catalogue import receipt_key
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import tables


def die_publishing(lake: Lake, monkeypatch: pytest.MonkeyPatch, by_month: dict[str, Rows], step: int) -> None:
    """Publish payments by a run that dies at a step of `crash_at`."""
    with monkeypatch.context() as patch:
        crash_at(lake, patch, step)
        with pytest.raises(Crash):
            publish_payments(lake, by_month, run="run 2")


class TestCrash:
    """A run dies between an object and its receipt, or between two months."""

    def test_object_without_its_receipt_is_seen_by_who_reads_it(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        die_publishing(lake, monkeypatch, {JANUARY: [A1, A2]}, step=2)
        with pytest.raises(SalespipeError) as refused:
            lake.read(PAYMENTS, [JANUARY])
        assert refused.value.message.startswith("Not the object that its receipt names: staging/payments 2024-01 in ")
        assert refused.value.hint == "salespipe run --months 2024-01 --select staging/payments"

    def test_next_run_mends_it(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        publish_payments(lake, {JANUARY: [A1]})
        die_publishing(lake, monkeypatch, {JANUARY: [A1, A2]}, step=2)
        publish_payments(lake, {JANUARY: [A1, A2]}, run="run 3")
        assert lake.intact(PAYMENTS, JANUARY).run == "run 3"
        assert_rows(lake.read(PAYMENTS, [JANUARY]), PAYMENTS.contract.ddl, [A1, A2])

    def test_next_run_mends_it_also_when_the_rows_are_those_of_the_old_receipt(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The change was taken back in the source: digest and receipt agree, but the object is another."""
        publish_payments(lake, {JANUARY: [A1]})
        die_publishing(lake, monkeypatch, {JANUARY: [A1, A2]}, step=2)
        published = publish_payments(lake, {JANUARY: [A1]}, run="run 3")
        assert [each.replaced for each in published] == [True]
        assert rows_in(lake, PAYMENTS, JANUARY) == [A1]
        assert lake.intact(PAYMENTS, JANUARY).run == "run 3"

    def test_very_first_object_without_a_receipt_is_mended(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        die_publishing(lake, monkeypatch, {JANUARY: [A1]}, step=2)
        assert lake.published(PAYMENTS) == []
        publish_payments(lake, {JANUARY: [A1]}, run="run 2")
        assert lake.intact(PAYMENTS, JANUARY).run == "run 2"

    def test_range_that_died_half_way_is_completed(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each month is whole, the old one or the new one; the months that were done are not replaced again."""
        publish_payments(lake, THREE_MONTHS)
        changed: dict[str, Rows] = {JANUARY: [A1], FEBRUARY: [], MARCH: []}
        die_publishing(lake, monkeypatch, changed, step=3)
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


class TestPowerLoss:
    """The machine stops: what was not brought to the disk may be there by its name, and empty."""

    def test_object_is_on_the_disk_before_it_gets_its_name_and_a_receipt_before_the_run_goes_on(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: set[int] = set()
        replacing, sync = lake.store.replace, os.fsync
        monkeypatch.setattr(os, "fsync", lambda file: (sync(file), synced.add(os.fstat(file).st_ino)))

        def replace(staged: str, key: str, etag: str) -> str:
            assert local(lake).path(staged).stat().st_ino in synced
            return replacing(staged, key, etag)

        monkeypatch.setattr(lake.store, "replace", replace)
        changed: dict[str, Rows] = {**THREE_MONTHS, MARCH: []}
        publish_payments(lake, changed)
        keys = set().union(*(of_month(PAYMENTS, month) for month in changed))
        assert synced == {local(lake).path(key).stat().st_ino for key in keys}

    def test_receipt_that_is_there_is_never_lost(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        """The rows are the same, but the source's fingerprint is another: only receipts are replaced."""
        publish_payments(lake, THREE_MONTHS, fingerprints=dict.fromkeys(THREE_MONTHS, "one"))
        on_disk = named_on_disk(monkeypatch)
        publish_payments(lake, THREE_MONTHS, fingerprints=dict.fromkeys(THREE_MONTHS, "other"))
        assert on_disk == [True, True, True]

    def test_only_what_changes_is_brought_to_the_disk(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        publish_payments(lake, THREE_MONTHS)
        synced: list[int] = []
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
        publish_payments(lake, {**THREE_MONTHS, JANUARY: [A1]})
        assert sorted(synced) == sorted(local(lake).path(key).stat().st_ino for key in of_month(PAYMENTS, JANUARY))

    def test_disk_that_fails_then_replaces_nothing(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        """A disk elsewhere, such as NFS, may say only then that it is full: here with the second of three objects."""
        publish_payments(lake, THREE_MONTHS)
        before, sync, calls = seen(lake), os.fsync, iter([0])

        def full(file: int) -> None:
            if next(calls, None) is None:
                raise OSError("No space left on device")
            sync(file)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(SalespipeError, match="cannot be written: No space left on device"):
                publish_payments(lake, {JANUARY: [A1], FEBRUARY: [], MARCH: []})
        assert before.changed_to(seen(lake)) == set()

    @pytest.mark.parametrize("share", [0, 0.5])
    def test_receipt_that_came_to_the_disk_in_part_is_made_anew(self, lake: Lake, share: float) -> None:
        publish_payments(lake, THREE_MONTHS)
        receipt = local(lake).path(receipt_key(PAYMENTS, JANUARY))
        os.truncate(receipt, int(receipt.stat().st_size * share))
        with pytest.raises(SalespipeError, match="Not published: staging/payments 2024-01"):
            Lake(local(lake).root, lake.engine).read(PAYMENTS, [JANUARY])
        again = publish_payments(lake, THREE_MONTHS, run="run 2")
        assert [each.replaced for each in again] == [True, False, False]
        assert_rows(lake.read(PAYMENTS, [JANUARY]), PAYMENTS.contract.ddl, [A1, A2])


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
