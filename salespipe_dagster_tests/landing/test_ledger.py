"""The ledger: names in, what counts out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salespipe_dagster.landing.ledger import Landed, Ledger, entry_key, feed_of, part_key, parts_of, statuses_of
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.version import Version, digest_of
from salespipe_spark.tables import tables

AT = datetime(2024, 4, 1, tzinfo=UTC)
OLD = Version("online_sales", "sales/a.csv", "e1", 10, AT)
NEW = replace(OLD, etag="e0", modified=AT + timedelta(seconds=1))
OTHER = replace(OLD, key="sales/b.csv")


def ledger(*entries: tuple[Version, Status]) -> Ledger:
    return Ledger({version.id: status for version, status in entries})


def test_name_of_an_entry_says_all_that_a_listing_needs() -> None:
    keys = [entry_key("online_sales", OLD.id, Status.LANDED), entry_key("online_sales", NEW.id, Status.HELD)]
    assert statuses_of([*keys, "_receipts/_landed/online_sales/stray.txt"]) == {
        OLD.id: Status.LANDED,
        NEW.id: Status.HELD,
    }


def test_newest_version_that_landed_counts() -> None:
    found = ledger((OLD, Status.LANDED), (NEW, Status.LANDED), (OTHER, Status.LANDED))
    assert found.current == {NEW.id, OTHER.id}


@pytest.mark.parametrize("status", [Status.HELD, Status.FAILED])
def test_older_version_counts_until_the_newer_one_is_decided(status: Status) -> None:
    """Else a broken upload would empty the months of the good one before it."""
    found = ledger((OLD, Status.LANDED), (NEW, status))
    assert found.current == {OLD.id}
    assert found.undecided == [NEW.id]


def test_dropped_version_takes_the_older_one_with_it() -> None:
    found = ledger((OLD, Status.LANDED), (NEW, Status.DROPPED))
    assert (found.current, found.undecided) == (set(), [])


def test_held_version_that_was_overtaken_needs_no_decision() -> None:
    assert ledger((OLD, Status.HELD), (NEW, Status.LANDED)).undecided == []


def test_unknown_content_lands_under_its_own_name() -> None:
    assert ledger().landing(OLD) == OLD
    assert ledger((OLD, Status.LANDED)).landing(NEW) == NEW


def test_content_of_the_same_second_counts_although_its_etag_is_smaller() -> None:
    """S3 tells seconds: overwritten twice in one, the order of ETags is chance, and the file there is the truth."""
    overwritten = replace(OLD, etag="e0")
    lands_as = ledger((OLD, Status.LANDED)).landing(overwritten)
    assert lands_as.id > OLD.id
    assert (lands_as.key, lands_as.modified) == (OLD.key, OLD.modified)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "c-1"])), min_size=1, max_size=8))
def test_what_is_there_now_counts_whatever_clock_and_etags_say(history: list[tuple[int, str]]) -> None:
    found, before = Ledger({}), None
    for seconds, etag in history:
        there = replace(OLD, etag=etag, modified=AT + timedelta(seconds=seconds))
        lands_as = found.landing(there)
        assert found.knows(there) is (there == before)
        found = found.with_entries({lands_as.id: Status.LANDED})
        assert (found.current, found.knows(there)) == ({lands_as.id}, True)
        before = there


def test_dropped_content_stays_dropped_and_a_forgotten_one_may_come_back() -> None:
    held = ledger((OLD, Status.HELD))
    dropped = held.with_entries({held.dropping(OLD, gone=False).id: Status.DROPPED})
    assert (dropped.knows(OLD), dropped.knows(NEW), dropped.undecided) == (True, False, [])
    landed = ledger((OLD, Status.LANDED))
    forgotten = landed.with_entries({landed.dropping(OLD, gone=True).id: Status.DROPPED})
    assert (forgotten.knows(OLD), forgotten.current) == (False, set())
    back = forgotten.with_entries({forgotten.landing(OLD).id: Status.LANDED})
    assert (back.knows(OLD), back.current) == (True, {forgotten.landing(OLD).id})


@pytest.mark.parametrize("etag", ["e1", "f" * 64, "a.b"])
def test_content_that_lands_again_sorts_after_itself_whatever_its_etag(etag: str) -> None:
    """A server may call contents by 64 digits of SHA-256: with a number behind it is no longer a name as it stands."""
    found, there = ledger(), replace(OLD, etag=etag)
    for _ in range(4):
        lands_as = found.landing(there)
        assert not found.statuses or lands_as.id > max(found.statuses)
        found = found.with_entries({lands_as.id: Status.LANDED})
        assert found.knows(there)


def test_keys_that_moved_count_while_both_files_do() -> None:
    keys = [
        part_key("online_sales", "2024-01", OLD.id),
        part_key("online_sales", "2024-01", OTHER.id, OLD.id),
        part_key("online_sales", "2024-02", NEW.id),
        "_landed/online_sales/_keys/0123.parquet",
    ]
    assert parts_of(keys, {OLD.id, OTHER.id}) == {"2024-01": keys[:2]}
    assert parts_of(keys, {NEW.id, OTHER.id}) == {"2024-02": keys[2:3]}


def test_fingerprint_is_of_the_files_and_not_of_their_order() -> None:
    table = tables()["online_sales"]
    one = Landed(table, Ledger({}), {"2024-01": ["x/a.parquet", "x/b.parquet"]})
    other = Landed(table, Ledger({}), {"2024-01": ["x/b.parquet", "x/a.parquet"]})
    assert one.fingerprint("2024-01") == other.fingerprint("2024-01") != one.fingerprint("2024-02")


def test_feed_is_the_folder_that_a_file_lies_in() -> None:
    found = {key: feed_of(key) for key in ("sales/2024/a.csv", "customers/b", "sales", "else/sales/a.csv")}
    names = [table.name if table else None for table in found.values()]
    assert names == ["online_sales", "online_customers", None, None]


def test_versions_of_one_file_sort_by_their_instant() -> None:
    assert OLD.id < NEW.id
    assert OLD.id.startswith(digest_of(OLD.key))
