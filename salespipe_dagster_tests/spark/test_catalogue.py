"""The catalogue: what is not there names itself, and receipts tell what is."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salespipe_dagster_tests.spark.published import (
    A1,
    A2,
    C1,
    FACTS,
    FEBRUARY,
    JANUARY,
    MARCH,
    PAYMENTS,
    THREE_MONTHS,
    object_of,
    office,
    publish_facts,
    publish_payments,
    publish_snapshot,
    receipt_of,
    seen,
)
from salespipe_dagster_tests.support import local
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.receipt import Figures, Provenance, Receipt
from salespipe_spark.tables import Table, tables


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
    def test_draft_that_a_killed_run_left_is_no_receipt(self, lake: Lake) -> None:
        """It would stand for an object that is in place, while its receipt is the one before: a month nobody mends."""
        publish_payments(lake, {JANUARY: [A1]})
        held = receipt_of(lake, PAYMENTS, JANUARY)
        draft = local(lake).path("_receipts/staging/payments/_2024-01.json.draft")
        draft.write_text(replace(held, etag="another").to_json(), encoding="utf-8")
        assert lake.receipts(PAYMENTS) == {JANUARY: held}

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
