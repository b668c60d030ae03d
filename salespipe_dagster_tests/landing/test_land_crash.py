"""A landing that is killed: whatever it left counts for nothing, and the next one ends as if it had never been."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from salespipe_dagster.landing import index, land, quarantine
from salespipe_dagster.landing.land import Dock
from salespipe_dagster.landing.ledger import read_landed
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster_tests.landing.dropping import (
    ACROSS,
    SALES,
    counting,
    dock_at,
    drop_sales,
    everything,
    files_of,
    lake_of,
    sale_line,
)
from salespipe_dagster_tests.landing.faulty import ENTRY, PART, Crash, DyingStore
from salespipe_spark.lake.local import LocalStore


def kill(dock: Dock, at: int, among: str = "") -> None:
    """Land, and die instead of the n-th change to keys that begin so."""
    with pytest.raises(Crash):
        land.land(replace(dock, lake=DyingStore(lake_of(dock).root, at, among)))


@pytest.fixture
def dock(tmp_path: Path) -> Dock:
    """Where a file lands however much of it is put aside."""
    return replace(dock_at(tmp_path), max_rejected_share=1)


def test_crash_at_any_change_leaves_nothing_half_and_the_next_run_ends_equal(dock: Dock, tmp_path: Path) -> None:
    at_once = replace(dock, lake=LocalStore(tmp_path / "at once"))
    drop_sales(files_of(dock), "a", *ACROSS["a"])
    land.land(dock)
    before = everything(lake_of(dock))
    for name in "bc":
        drop_sales(files_of(dock), name, *ACROSS[name])
    land.land(at_once)
    expected = read_landed(at_once.lake, SALES).fingerprints(["2024-01", "2024-02", "2024-03"])
    changes = 0
    while True:
        lake = shutil.copytree(lake_of(dock).root, tmp_path / f"lake-{changes}")
        try:
            land.land(replace(dock, lake=DyingStore(lake, changes)))
        except Crash:
            entered = read_landed(LocalStore(lake), SALES).ledger.statuses
            assert set(entered.values()) == {Status.LANDED}
            assert len(entered) > 1 or everything(LocalStore(lake)) == before
            land.land(replace(dock, lake=LocalStore(lake)))
        else:
            break
        assert everything(LocalStore(lake)) == {"2024-01": [("T2", 7)], "2024-02": [("T3", 1)], "2024-03": [("T1", 3)]}
        assert read_landed(LocalStore(lake), SALES).fingerprints(list(expected)) == expected
        changes += 1
    assert changes > 8
    assert list((dock.scratch / "_staging").iterdir()) == []


def test_killed_between_two_entries_no_row_counts_twice(dock: Dock) -> None:
    """b is entered, a's new content is not and never will be: its old one counts on, and b has overtaken that."""
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-01-31")])
    land.land(dock)
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-02-01", 2)], minutes=1)
    drop_sales(files_of(dock), "a", [sale_line("T0", "2024-01-31")], minutes=2)
    kill(dock, 1, ENTRY)
    (files_of(dock) / "sales/a.csv").unlink()
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-02": [("T", 2)]}


def test_replay_that_is_killed_between_two_entries_lets_no_row_count_twice(dock: Dock) -> None:
    """Nothing waits to land afterwards, so that nobody would mend it."""
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-01-31")])
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-02-01", 2)], minutes=1)
    land.land(dock)
    dying = replace(dock, lake=DyingStore(lake_of(dock).root, 1, ENTRY))
    with pytest.raises(Crash):
        quarantine.replay(dying, ["sales/a.csv", "sales/b.csv"])
    assert everything(lake_of(dock)) == {"2024-02": [("T", 2)]}


def test_parts_of_more_months_that_were_left_do_not_count(dock: Dock) -> None:
    """The next run may have fewer months: rows that it puts aside do not count beside that."""
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-03-01")])
    kill(dock, 0, ENTRY)
    assert len(list((lake_of(dock).root / "_landed/online_sales/2024-03").iterdir())) == 1
    [landed] = land.land(replace(dock, last_month="2024-02")).results
    assert (landed.landed, landed.quarantined) == (1, 1)
    assert list(everything(lake_of(dock))) == ["2024-01"]


@pytest.mark.parametrize("others", [[sale_line("T1", "2024-01-31")], []], ids=["some rows land", "no row lands"])
def test_keys_that_were_left_move_no_row(dock: Dock, others: list[str]) -> None:
    """Noted in a month that the file's rows then do not have: whoever else has the key would lose its row."""
    drop_sales(files_of(dock), "a", [*others, sale_line("T", "2024-03-01")], minutes=1)
    kill(dock, 0, PART)
    fewer = replace(dock, last_month="2024-02")
    land.land(fewer)
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-01-31", 2)])
    land.land(fewer)
    assert ("T", 2) in counting(lake_of(dock), "2024-01")


def test_key_that_was_said_to_have_moved_counts_where_it_is(dock: Dock) -> None:
    """It lay there that an older file's row moved, to a month that the newer one then has no row of."""
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-01-31", 2)])
    land.land(dock)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-02-01"), sale_line("T", "2024-03-01")], minutes=1)
    kill(dock, 0, ENTRY)
    assert len(list((lake_of(dock).root / "_landed/online_sales/2024-01").iterdir())) == 2
    land.land(replace(dock, last_month="2024-02"))
    assert counting(lake_of(dock), "2024-01") == [("T", 2)]


def test_key_that_seems_moved_until_the_other_file_lands_counts_where_it_is(
    dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older file lands by what was left noted of the newer one, and then that lands otherwise."""
    monkeypatch.setattr(land, "BATCH_FILES", 1)
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-03-01"), sale_line("T1", "2024-02-01")], minutes=1)
    kill(dock, 0, PART)
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-01-31", 2)])
    land.land(replace(dock, last_month="2024-02"))
    assert everything(lake_of(dock)) == {"2024-01": [("T", 2)], "2024-02": [("T1", 1)]}


def test_records_that_were_left_put_aside_are_not_shown_of_what_lands(dock: Dock) -> None:
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-03-01")])
    kill(replace(dock, last_month="2024-02"), 0, ENTRY)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-03": [("T", 1)]}
    assert list(quarantine.records(dock.lake, "sales/a.csv", 9)) == []
    assert quarantine.listing(dock.lake) == []


@pytest.mark.parametrize("changes", range(7))
def test_crash_while_the_index_is_merged_loses_no_key_that_counts(
    dock: Dock, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content that overtakes another may never land: then the other counts on, and its keys must be found."""
    monkeypatch.setattr(index, "MOST_FILES", 1)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31")])
    land.land(dock)
    drop_sales(files_of(dock), "a", [sale_line("T2", "2024-01-31")], minutes=1)
    kill(dock, changes) if changes < 5 else kill(dock, 0, ENTRY)
    (files_of(dock) / "sales/a.csv").unlink()
    drop_sales(files_of(dock), "b", [sale_line("T1", "2024-02-01", 2)], minutes=2)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-02": [("T1", 2)]}
