"""Runs in this process: what a run tells of itself, also when it fails; its selection; its home."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from salespipe_dagster import runner
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.records import instance
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.runner import Outcome, run, selected
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import SHOP, FakeSource, Rows
from salespipe_spark.engine import Engine
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table

MONTHS = ["2024-01", "2024-02", "2024-03"]
SECRET = "s3cret-word"


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's records in memory, which is three times as fast as in the home's SQLite files."""
    monkeypatch.setattr(runner, "instance", lambda settings: dg.DagsterInstance.ephemeral())


def outcome(settings: Settings, engine: Engine, source: object, *names: str, months: list[str] = MONTHS) -> Outcome:
    select = " or ".join(f'key:"{name}"' for name in names)
    return run(build_defs(settings, engine=engine, source_db=source), settings, months, select)


@pytest.mark.usefixtures("in_memory")
def test_outcome_tells_parts_rows_amount_and_what_was_replaced(settings: Settings, engine: Engine) -> None:
    found = outcome(settings, engine, FakeSource(), "staging/payments", "staging/orders", "staging/offices")
    assert found.problems == []
    assert {n: (t.parts, t.replaced, t.rows, t.amount) for n, t in found.tables.items()} == {
        "orders": (3, 3, 3, None),
        "payments": (3, 3, 2, Decimal("3081.00")),
        "offices": (1, 1, 1, None),
    }


@pytest.mark.usefixtures("in_memory")
def test_outcome_of_a_run_that_changed_nothing_still_tells_rows_and_amounts(filled: Settings, engine: Engine) -> None:
    """What is there is of interest, not what moved: the second run's summary must not be empty."""
    names = ("core/fact_orders", "core/fact_online_sales", "marts/monthly_revenue", "marts/online_sales_summary")
    found = outcome(filled, engine, FakeSource(), *names)
    assert {n: (t.parts, t.replaced, t.rows, t.amount) for n, t in found.tables.items()} == {
        "fact_orders": (3, 0, 4, Decimal("3254.39")),
        "fact_online_sales": (3, 0, 4, Decimal("239.49")),
        "monthly_revenue": (3, 0, 4, Decimal("3493.88")),
        "online_sales_summary": (3, 0, 4, Decimal("239.49")),
    }
    assert found.problems == found.notes == []


@pytest.mark.usefixtures("in_memory")
def test_a_run_tells_of_each_part_of_the_source_that_it_has_written(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    """A large source takes long, and all of it is in a few steps."""
    company = Settings.checked(home=tmp_path, end_month="2024-02", company_orders_per_month=1)
    steps, parts = list[str](), list[tuple[str, float]]()
    select = 'key:"source/orders" or key:"source/offices"'
    done = run(
        build_defs(company, on_part=lambda *told: parts.append(told)),
        company,
        company.months,
        select,
        lambda *told: steps.append(told[0]),
    )
    assert done.problems == []
    assert steps == ["source__offices", "source__orders"]
    assert parts == [
        ("written snapshot, 1 of 1 (7 rows)", 1.0),
        ("written 2024-01, 1 of 2 (1 rows)", 0.5),
        ("written 2024-02, 2 of 2 (1 rows)", 1.0),
    ]


@pytest.mark.usefixtures("in_memory")
def test_failed_audit_is_a_sentence_that_names_the_rows(filled: Settings, engine: Engine) -> None:
    twice = (103, "A1", date(2024, 1, 20), Decimal("1.00"))
    found = outcome(filled, engine, FakeSource({"payments": [*SHOP["payments"], twice]}), "staging/payments")
    (problem,) = found.problems
    assert problem.startswith("staging/payments did not pass its audit")
    assert "'check_number': 'A1'" in problem
    assert "Traceback" not in problem
    assert found.tables == {}


@pytest.mark.usefixtures("in_memory")
def test_missing_month_is_a_sentence_with_the_next_command(settings: Settings, engine: Engine) -> None:
    found = outcome(settings, engine, FakeSource(), "core/fact_payments")
    (problem,) = found.problems
    assert problem.startswith("Not published: staging/payments 2024-01 in ")
    assert problem.endswith("next: salespipe run --months 2024-01 --select staging/payments")


@pytest.mark.usefixtures("in_memory")
def test_source_that_cannot_be_reached_is_one_problem_without_stack_or_password(
    settings: Settings, engine: Engine
) -> None:
    """Nothing listens on port 1 of this machine."""
    url = sa.make_url(f"mysql+pymysql://shop:{SECRET}@127.0.0.1:1/classicmodels")
    found = outcome(settings, engine, SourceDatabase(url), "staging/payments", "staging/offices")
    assert len(found.problems) == 1
    assert "127.0.0.1:1" in found.problems[0]
    assert "cannot be reached" in found.problems[0]
    assert "salespipe_spark.errors" not in found.problems[0]
    assert not any(word in found.problems[0] for word in (SECRET, "Traceback", "File "))


class Broken(FakeSource):
    """Fails in a way that nobody foresaw."""

    def probe(self) -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("the innermost error is what went wrong first") from error


@pytest.mark.usefixtures("in_memory")
def test_unforeseen_error_is_told_too(settings: Settings, engine: Engine) -> None:
    found = outcome(settings, engine, Broken(), "staging/payments")
    (problem,) = found.problems
    assert "inner" in problem
    assert "Traceback" not in problem


@pytest.mark.usefixtures("in_memory")
def test_lake_that_cannot_be_made_is_a_problem(settings: Settings, engine: Engine) -> None:
    """It fails before the first step, in a resource: a run without problems would end with exit code 0."""
    settings.root.mkdir()
    settings.lake.write_text("in the way")
    found = outcome(settings, engine, FakeSource(), "staging/payments")
    (problem,) = found.problems
    assert f"{settings.lake} cannot be written" in problem
    assert "SALESPIPE_LAKE_URL" in problem


@pytest.mark.usefixtures("in_memory")
def test_lost_race_is_told_in_our_own_words(settings: Settings, engine: Engine) -> None:
    """Another run publishes the month while this one reads it: no name of a Python class, and the next step."""
    source = FakeSource()
    file = settings.lake / "staging" / "payments" / "year=2024" / "month=01" / "data.parquet"

    def read(table: Table, rows: Rows) -> Rows:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"another run's")
        return rows

    source.read = read
    (problem,) = outcome(settings, engine, source, "staging/payments").problems
    assert problem.startswith("staging/payments/year=2024/month=01/data.parquet was published by another run")
    assert "run again when no other run is under way" in problem
    assert file.read_bytes() == b"another run's"


@pytest.mark.usefixtures("in_memory")
def test_rows_outside_the_months_are_a_note_with_their_amount(settings: Settings, engine: Engine) -> None:
    early = (112, "B0", date(2023, 12, 31), Decimal("7.50"))
    source = FakeSource({"payments": [*SHOP["payments"], early]})
    source.rows["orders"].append((10099, date(2023, 12, 1), date(2023, 12, 2), None, "Shipped", None, 103))
    found = outcome(settings, engine, source, "staging/payments", "staging/orders")
    assert found.problems == []
    assert sorted(found.notes) == [
        "orders: 1 rows lie outside the configured months",
        "payments: 1 rows lie outside the configured months, amount 7.50",
    ]


@pytest.mark.usefixtures("in_memory")
def test_order_in_two_months_is_a_problem_though_every_step_succeeded(filled: Settings, engine: Engine) -> None:
    """Exit code 0 only if all is published and reconciled: a check that fails fails no step."""
    source = FakeSource()
    source.rows["orders"][2] = (10102, date(2024, 1, 30), *SHOP["orders"][2][2:])
    found = outcome(filled, engine, source, "staging/orders", months=["2024-01"])
    assert found.problems == ["staging/orders keys_over_all_months: {'order_number': 10102, 'rows': 2}"]
    assert found.tables["orders"].rows == 3


@pytest.mark.usefixtures("in_memory")
def test_lake_that_is_not_filled_yet_is_a_note(filled: Settings, engine: Engine) -> None:
    """A lake that is filled month by month is not wrong, and it is said once, not of each mart."""
    names = ["monthly_revenue", "revenue_by_country"]
    for name in names:
        (filled.lake / "_receipts" / "marts" / name / "2024-02.json").unlink()
        (filled.lake / "marts" / name / "year=2024" / "month=02" / "data.parquet").unlink()
    found = outcome(filled, engine, FakeSource(), *(f"marts/{name}" for name in names), months=["2024-03"])
    assert found.problems == []
    assert found.notes == [
        "marts/monthly_revenue, marts/revenue_by_country coverage: covers 2 of 3 months, missing 2024-02"
    ]


@pytest.mark.usefixtures("in_memory")
def test_progress_is_told_of_each_step_and_of_how_many_there_are(filled: Settings, engine: Engine) -> None:
    told: list[tuple[str, int]] = []

    def keep(step: str, steps: int) -> None:
        told.append((step, steps))

    defs = build_defs(filled, engine=engine, source_db=FakeSource())
    run(defs, filled, ["2024-01"], 'key:"staging/payments" or key:"core/fact_payments"', keep)
    steps = [step for step, _ in told]
    assert steps[:2] == ["extract_months", "core__fact_payments"]
    assert {count for _, count in told} == {len(told)}


def test_selection_is_dagsters_own(settings: Settings) -> None:
    defs = build_defs(settings)
    assert selected(defs, "core/fact_orders") == [dg.AssetKey(["core", "fact_orders"])]
    after = selected(defs, 'key:"core/fact_payments"+')
    assert dg.AssetKey(["core", "fact_payments"]) in after


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("core/fact_order", "--select core/fact_order"),
        ("key:(", "--select key:("),
        ("", "--select "),
        ("tag:x", "--select tag:x names no asset"),
    ],
)
def test_selection_that_names_nothing_is_an_error_with_an_example(settings: Settings, select: str, said: str) -> None:
    """A run of nothing would end with exit code 0."""
    with pytest.raises(SalespipeError) as caught:
        selected(build_defs(settings), select)
    assert said in str(caught.value)
    assert "core/fact_orders" in caught.value.hint


def test_runs_are_recorded_in_the_home_and_one_at_a_time(settings: Settings, engine: Engine) -> None:
    found = outcome(settings, engine, FakeSource(), "staging/offices")
    with instance(settings) as records:
        recorded = records.get_run_by_id(found.run_id)
        assert recorded
        assert recorded.status == dg.DagsterRunStatus.SUCCESS
        assert recorded.tags["dagster/asset_partition_range_end"] == "2024-03"
        assert not records.telemetry_enabled
