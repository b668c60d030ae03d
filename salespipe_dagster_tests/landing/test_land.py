"""Landing: each content once, any order the same months, and what is held or broken keeps no other away."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from salespipe_dagster.landing import land
from salespipe_dagster.landing.land import Dock
from salespipe_dagster.landing.ledger import entries_of, read_landed, read_ledger
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.landing.dropping import (
    ACROSS,
    SALES,
    counting,
    dock_at,
    drop_file,
    drop_sales,
    everything,
    files_of,
    keys_below,
    lake_of,
    sale_line,
)
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Entry
from salespipe_spark.months import following


def statuses(dock: Dock) -> list[str]:
    return sorted(status.value for status in read_ledger(dock.lake, SALES).statuses.values())


def test_rows_land_in_the_months_of_their_dates(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-02-01", 3)])
    landing = land.land(dock)
    assert [(r.version.key, r.status, r.records, r.landed) for r in landing.results] == [
        ("sales/a.csv", Status.LANDED, 2, 2)
    ]
    assert everything(lake_of(dock)) == {"2024-01": [("T1", 1)], "2024-02": [("T2", 3)]}


def test_second_run_finds_nothing_and_changes_nothing(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31")])
    land.land(dock)
    before = list(keys_below(lake_of(dock).root))
    assert land.land(dock).results == []
    assert list(keys_below(lake_of(dock).root)) == before


def test_overwritten_file_is_what_counts(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-02-01")])
    land.land(dock)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-03-31", 5)], minutes=1)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-03": [("T1", 5)]}
    assert len(list(lake_of(dock).path("_landed/online_sales/2024-01").iterdir())) == 1, "nothing moves from itself"


def test_older_copy_that_was_put_back_counts(tmp_path: Path) -> None:
    """It is what is there now, whatever its time says; and it is not landed at every run again."""
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31", 5)], minutes=1)
    land.land(dock)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31")])
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-01": [("T1", 1)]}
    assert land.land(dock).found.pending == []


def test_older_copy_that_was_put_back_is_as_old_as_it_says(tmp_path: Path) -> None:
    """Landed as of the time of what it took the place of, it won over files newer than itself."""
    dock = dock_at(tmp_path)
    for quantity, minutes in ((5, 2), (1, 0)):
        drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31", quantity)], minutes=minutes)
        drop_sales(files_of(dock), "b", [sale_line("T1", "2024-02-01", 2)], minutes=1)
        land.land(dock)
    assert everything(lake_of(dock)) == {"2024-02": [("T1", 2)]}


def test_content_that_landed_before_counts_when_it_is_put_back_with_its_time(tmp_path: Path) -> None:
    """`cp -p`, or a deleted version of a bucket: the same name as the one that landed first, and overtaken since."""
    dock = dock_at(tmp_path)
    for _ in range(2):
        for minutes, quantity in enumerate([1, 5]):
            drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31", quantity)], minutes=minutes)
            assert len(land.land(dock).results) == 1
            assert everything(lake_of(dock)) == {"2024-01": [("T1", quantity)]}
    assert land.land(dock).results == []


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_order_of_landing_does_not_matter(tmp_path: Path, order: tuple[str, ...], at_once: int) -> None:
    """A transaction that moved between months is in one of them: the newest file's, also if that landed first."""
    dock = dock_at(tmp_path)
    for start in range(0, 3, at_once):
        for name in order[start : start + at_once]:
            drop_sales(files_of(dock), name, *ACROSS[name])
        land.land(dock)
    assert everything(lake_of(dock)) == {"2024-01": [("T2", 7)], "2024-02": [("T3", 1)], "2024-03": [("T1", 3)]}
    landed = read_landed(dock.lake, SALES)
    assert landed.fingerprints(["2024-01", "2024-02", "2024-03"]) == expected_fingerprints(tmp_path)


def expected_fingerprints(folder: Path) -> dict[str, str]:
    dock = dock_at(folder, "all at once")
    land.land(dock)
    return read_landed(dock.lake, SALES).fingerprints(["2024-01", "2024-02", "2024-03"])


def test_third_file_leaves_in_place_what_moved_between_two_others(tmp_path: Path) -> None:
    """It has one of the two keys that moved: noted anew with that one alone, the other would count twice."""
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-01-31")])
    drop_sales(files_of(dock), "b", [sale_line("T1", "2024-02-01", 2), sale_line("T2", "2024-02-01", 2)], minutes=1)
    land.land(dock)
    drop_sales(files_of(dock), "c", [sale_line("T2", "2024-02-01", 3)], minutes=2)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-02": [("T1", 2), ("T2", 3)]}


def test_row_comes_back_when_the_file_that_moved_it_does_not_have_it_any_more(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    for name in "ab":
        drop_sales(files_of(dock), name, *ACROSS[name])
    land.land(dock)
    before = read_landed(dock.lake, SALES).fingerprint("2024-01")
    drop_sales(files_of(dock), "b", [sale_line("T3", "2024-02-02")], minutes=3)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-01": [("T1", 1), ("T2", 1)], "2024-02": [("T3", 1)]}
    assert read_landed(dock.lake, SALES).fingerprint("2024-01") != before, "the month would not be made again"


def test_file_that_changes_while_it_is_read_is_left_for_the_next_run(tmp_path: Path) -> None:
    class Overwritten(LocalStore):
        def download(self, entry: Entry, target: Path) -> None:
            if entry.key == "sales/a.csv" and entry.size < 200:
                drop_sales(self.root, "a", [sale_line("T1", "2024-01-31", 5)] * 3, minutes=9)
            super().download(entry, target)

    dock = dock_at(tmp_path)
    dock = replace(dock, files=Overwritten(files_of(dock)))
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31")])
    drop_sales(files_of(dock), "b", [sale_line("T2", "2024-01-31")])
    landing = land.land(dock)
    assert (landing.changed, [r.version.key for r in landing.results]) == (["sales/a.csv"], ["sales/b.csv"])
    assert [(r.version.key, r.duplicates) for r in land.land(dock).results] == [("sales/a.csv", 2)]
    assert counting(lake_of(dock), "2024-01") == [("T1", 5), ("T2", 1)]


def test_held_file_lands_nothing_and_is_not_tried_again(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31"), sale_line("T2", "2024-02-31")])
    drop_sales(files_of(dock), "empty", [])
    drop_file(files_of(dock), "sales/noise.csv.gz", "no archive")
    land.land(dock)
    assert (statuses(dock), everything(lake_of(dock))) == (["failed", "held", "landed"], {})
    assert land.land(dock).found.pending == []


def test_run_lands_the_oldest_files_and_tells_how_many_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land, "RUN_FILES", 2)
    dock = dock_at(tmp_path)
    for minutes, name in enumerate("cab"):
        drop_sales(files_of(dock), name, [sale_line(name, "2024-01-31")], minutes=minutes)
    landing = land.land(dock)
    assert ([r.version.key for r in landing.results], landing.waiting) == (["sales/c.csv", "sales/a.csv"], 1)
    assert [r.version.key for r in land.land(dock).results] == ["sales/b.csv"]


@pytest.mark.parametrize(
    "full",
    [
        OSError(28, "No space left on device"),
        duckdb.IOException("IO Error: Could not write file"),
    ],
)
def test_full_disk_is_no_fault_of_the_file_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Exception
) -> None:
    """Told to mend the file, somebody would; the next run finds nothing decided, and lands it."""

    def parse(*given: object) -> object:
        raise full

    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31")])
    monkeypatch.setattr(land, "parse", parse)
    with pytest.raises(SalespipeError, match=r"(?s)(No space|Could not write).*next: make room"):
        land.land(dock)
    assert statuses(dock) == []
    monkeypatch.undo()
    assert [r.version.key for r in land.land(dock).results] == ["sales/a.csv"]


@pytest.mark.parametrize("fault", [ValueError("a fault"), duckdb.OutOfMemoryException("a fault")])
def test_file_that_breaks_the_parser_keeps_no_other_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """It is not decided for ever either: the next version of salespipe may read it."""
    sound = land.parse

    def parse(*given: object) -> object:
        if getattr(given[1], "key", "") == "sales/a.csv":
            raise fault
        return sound(*given)

    dock = dock_at(tmp_path)
    for name in "ab":
        drop_sales(files_of(dock), name, [sale_line(name, "2024-01-31")])
    monkeypatch.setattr(land, "parse", parse)
    landing = land.land(dock)
    said = f"{type(fault).__name__}: a fault"
    assert (landing.broken, statuses(dock)) == ({"sales/a.csv": said}, ["landed"])
    monkeypatch.undo()
    assert [r.version.key for r in land.land(dock).results] == ["sales/a.csv"]


def test_file_that_may_not_be_read_keeps_no_other_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Path.open

    def denied(path: Path, *mode: Any, **how: Any) -> Any:
        if path == files_of(dock) / "sales/a.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return sound(path, *mode, **how)

    dock = dock_at(tmp_path)
    for name in "ab":
        drop_sales(files_of(dock), name, [sale_line(name, "2024-01-31")])
    monkeypatch.setattr(Path, "open", denied)
    landing = land.land(dock)
    assert (list(landing.broken), statuses(dock)) == (["sales/a.csv"], ["landed"])
    assert "a.csv may not be read. Next: let the user" in landing.broken["sales/a.csv"]


def test_entry_tells_what_came_of_the_file(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    good = [sale_line(f"T{number}", "2024-01-31") for number in range(20)]
    drop_sales(files_of(dock), "a", [*good, good[0], sale_line("T99", "2024-07-01")])
    land.land(dock)
    ledger = read_ledger(dock.lake, SALES)
    (entry,) = entries_of(dock.lake, SALES, ledger, ledger.current).values()
    told = {name: entry[name] for name in ("file", "status", "records", "landed", "quarantined", "duplicates", "rows")}
    assert told == {
        "file": "sales/a.csv",
        "status": "landed",
        "records": 22,
        "landed": 20,
        "quarantined": 1,
        "duplicates": 1,
        "rows": {"2024-01": 20},
    }
    assert entry["reasons"] == {"out_of_range": 1}


def test_sale_of_a_month_that_has_not_begun_in_utc_waits_for_it(tmp_path: Path) -> None:
    """Without an END_MONTH the first sales of a month, from east of Greenwich, were put aside for good."""
    open_ended = Settings.checked(
        home=tmp_path, source_url="mysql+pymysql://shop@db.example/shop", start_month="2024-01"
    )
    soon = open_ended.last_landed_month
    assert soon == following(open_ended.months[-1])
    drop_sales(tmp_path / "files", "a", [sale_line("T1", f"{soon}-01")])
    lake = LocalStore(tmp_path / "lake")
    (result,) = land.land(land.dock_of(open_ended, LocalStore(tmp_path / "files"), lake, "a run")).results
    assert (result.rows, result.quarantined) == ({soon: 1}, 0)
    assert Settings.checked(home=tmp_path, end_month="2024-03", start_month="2024-01").last_landed_month == "2024-03"


def test_profiles_and_catalogue_land_whole(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    drop_file(files_of(dock), "customers/a.ndjson", '{"customer_id": "C1", "age_group": "25-34"}\n')
    drop_file(files_of(dock), "products/a.csv", "product,price\nLamp,2.50\n")
    found = land.land(dock)
    assert {r.version.table: list(r.rows.items()) for r in found.results} == {
        "online_customers": [("snapshot", 1)],
        "online_products": [("snapshot", 1)],
    }
