"""What is there, held against the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from salespipe_dagster.landing.ledger import Ledger
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.survey import is_file, settled, survey, version_of
from salespipe_spark.lake.objects import Entry
from salespipe_spark.tables import feeds

AT = datetime(2024, 4, 1, tzinfo=UTC)
EMPTY = {table.name: Ledger({}) for table in feeds()}


def entry(key: str, seconds: float = 0, etag: str = "e") -> Entry:
    return Entry(key, etag, 1, AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "key",
    ["sales/", "sales/2024/", "_locks/staging", "sales/_SUCCESS", "sales/.a.csv.swp", "sales/a.csv.tmp", "a.part"],
)
def test_markers_and_unfinished_files_are_no_files(key: str) -> None:
    assert not is_file(key)


def test_pending_are_those_that_the_ledger_does_not_know_oldest_first() -> None:
    entries = [entry("sales/a.csv", 2), entry("customers/b", 1), entry("sales/c.csv", 1), entry("sales/2024/d.csv")]
    known = version_of("online_sales", entries[0])
    ledgers = EMPTY | {"online_sales": Ledger({known.id: Status.FAILED})}
    assert [v.key for v in survey(entries, ledgers).pending] == ["sales/2024/d.csv", "customers/b", "sales/c.csv"]


def test_file_that_was_overwritten_is_pending_again() -> None:
    known = version_of("online_sales", entry("sales/a.csv"))
    ledgers = EMPTY | {"online_sales": Ledger({known.id: Status.LANDED})}
    assert survey([entry("sales/a.csv")], ledgers).pending == []
    assert [v.etag for v in survey([entry("sales/a.csv", etag="other")], ledgers).pending] == ["other"]


def test_siblings_of_one_second_are_all_pending() -> None:
    """A cursor of the last time seen loses those that come after it within the same second."""
    entries = [entry(f"sales/{name}.csv") for name in "abc"]
    known = version_of("online_sales", entries[1])
    ledgers = EMPTY | {"online_sales": Ledger({known.id: Status.LANDED})}
    assert [v.key for v in survey(entries, ledgers).pending] == ["sales/a.csv", "sales/c.csv"]


def test_deleted_file_is_told_while_its_rows_count() -> None:
    gone, dropped = version_of("online_sales", entry("sales/a.csv")), version_of("online_sales", entry("sales/b.csv"))
    ledgers = EMPTY | {"online_sales": Ledger({gone.id: Status.LANDED, dropped.id: Status.DROPPED})}
    assert survey([], ledgers).gone["online_sales"] == [gone.id]


def test_files_of_no_feed_are_told() -> None:
    """Also one whose name is no text: no terminal and no database takes it as it is."""
    keys = ["invoices/a.pdf", "readme.txt", "sales/a.csv", "invoices/r\udce9sum.csv"]
    found = survey([entry(key) for key in keys], EMPTY)
    assert found.foreign == ["invoices/a.pdf", "readme.txt", "invoices/r\\udce9sum.csv"]


@pytest.mark.parametrize(("age", "taken"), [(9.9, False), (10, True), (0, False), (-3600, True)])
def test_file_that_may_be_written_still_is_left_alone(age: float, *, taken: bool) -> None:
    """One from the future is taken: a clock that was set back must not keep it away for hours."""
    version = version_of("online_sales", entry("sales/a.csv"))
    assert bool(settled([version], AT + timedelta(seconds=age))) is taken
