"""Landing: each content once, any order the same months, and a crash anywhere leaves nothing that counts."""

import itertools
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from salespipe_dagster.landing import berth, land
from salespipe_dagster.landing.land import Dock
from salespipe_dagster.landing.ledger import entries_of, read_landed, read_ledger
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.landing.dropping import (
    SALES,
    counting,
    dock_at,
    drop_file,
    drop_sales,
    everything,
    keys_below,
    sale_line,
)
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Entry
from salespipe_spark.months import following


class Crash(BaseException):
    """What kill -9 is to a test."""


class FaultyStore(LocalStore):
    """A store in which the n-th write does not return."""

    def __init__(self, root: Path, fails_at: int) -> None:
        super().__init__(root)
        self.left = fails_at

    def upload(self, file: Path, key: str) -> Entry:
        self._count()
        return super().upload(file, key)

    def put(self, key: str, content: bytes) -> None:
        self._count()
        super().put(key, content)

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Crash


def statuses(dock: Dock) -> list[str]:
    return sorted(status.value for status in read_ledger(dock.lake, SALES).statuses.values())


def lake_of(dock: Dock) -> LocalStore:
    assert isinstance(dock.lake, LocalStore)
    return dock.lake


def files_of(dock: Dock) -> Path:
    assert isinstance(dock.files, LocalStore)
    return dock.files.root


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
    drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31", 5)], minutes=1)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-01": [("T1", 5)]}


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


ACROSS = {
    "a": ([sale_line("T1", "2024-01-31"), sale_line("T2", "2024-01-02")], 0),
    "b": ([sale_line("T1", "2024-02-01", 2), sale_line("T3", "2024-02-02")], 1),
    "c": ([sale_line("T1", "2024-03-01", 3), sale_line("T2", "2024-01-02", 7)], 2),
}


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


def test_many_histories_come_to_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files dropped, overwritten and landed at random, with small batches and an index that is merged all the time."""
    monkeypatch.setattr(land, "BATCH_FILES", 2)
    monkeypatch.setattr(berth, "INDEX_FILES", 3)
    chance = random.Random(7)
    dock = dock_at(tmp_path)
    there: dict[str, tuple[int, dict[str, tuple[str, int]]]] = {}
    for minute in range(25):
        name = chance.choice("abcd")
        sold = {f"T{n}": (f"2024-0{chance.randint(1, 3)}-05", minute) for n in chance.sample(range(6), 3)}
        there[name] = (minute, sold)
        drop_sales(files_of(dock), name, [sale_line(n, *of) for n, of in sold.items()], minutes=minute)
        if chance.random() < 0.5:
            land.land(dock)
            assert everything(lake_of(dock)) == newest(there)
    land.land(dock)
    assert everything(lake_of(dock)) == newest(there)


def newest(there: dict[str, tuple[int, dict[str, tuple[str, int]]]]) -> dict[str, list[tuple[str, int]]]:
    """Of each transaction the newest file's, by month."""
    merged = {number: of for _, sold in sorted(there.values(), key=lambda each: each[0]) for number, of in sold.items()}
    found: dict[str, list[tuple[str, int]]] = {}
    for number, (day, quantity) in sorted(merged.items()):
        found.setdefault(day[:7], []).append((number, quantity))
    return dict(sorted(found.items()))


def test_crash_at_any_write_leaves_nothing_that_counts_and_the_rerun_ends_equal(tmp_path: Path) -> None:
    first = dock_at(tmp_path)
    drop_sales(files_of(first), "a", *ACROSS["a"])
    land.land(first)
    before = everything(lake_of(first))
    for name in "bc":
        drop_sales(files_of(first), name, *ACROSS[name])
    writes = 0
    while True:
        lake = shutil.copytree(lake_of(first).root, tmp_path / f"lake-{writes}")
        dock = replace(first, lake=FaultyStore(lake, writes))
        try:
            land.land(dock)
        except Crash:
            landed = read_landed(LocalStore(lake), SALES)
            entered = set(landed.ledger.statuses.values())
            assert entered == {Status.LANDED}
            if len(landed.ledger.statuses) == 1:
                assert everything(LocalStore(lake)) == before
            land.land(replace(first, lake=LocalStore(lake)))
        else:
            break
        assert everything(LocalStore(lake)) == {"2024-01": [("T2", 7)], "2024-02": [("T3", 1)], "2024-03": [("T1", 3)]}
        assert read_landed(LocalStore(lake), SALES).fingerprints(["2024-01"]) == {
            "2024-01": expected_fingerprints(tmp_path)["2024-01"]
        }
        writes += 1
    assert writes > 8
    assert list((first.scratch / "_staging").iterdir()) == []


def test_what_a_killed_landing_left_of_more_months_does_not_count(tmp_path: Path) -> None:
    """The next run may have fewer months: rows that it puts aside do not count beside that."""
    dock = dock_at(tmp_path)
    drop_sales(
        files_of(dock), "a", [sale_line(f"T{n}", "2024-01-31") for n in range(39)] + [sale_line("T", "2024-03-01")]
    )
    with pytest.raises(Crash):
        land.land(replace(dock, lake=FaultyStore(lake_of(dock).root, 3)))
    assert len(list((lake_of(dock).root / "_landed/online_sales/2024-03").iterdir())) == 1
    [landed] = land.land(replace(dock, last_month="2024-02")).results
    assert (landed.landed, landed.quarantined) == (39, 1)
    assert list(everything(lake_of(dock))) == ["2024-01"]


@pytest.mark.parametrize("others", [39, 0])
def test_keys_that_a_killed_landing_left_move_no_row(tmp_path: Path, others: int) -> None:
    """It noted a key in a month that the file's rows then do not have: whoever else has the key would lose its row."""
    dock = replace(dock_at(tmp_path), max_rejected_share=1)
    many = [sale_line(f"T{n}", "2024-01-31") for n in range(others)]
    drop_sales(files_of(dock), "a", [*many, sale_line("T", "2024-03-01")], minutes=1)
    with pytest.raises(Crash):
        land.land(replace(dock, lake=FaultyStore(lake_of(dock).root, 1)))
    fewer = replace(dock, last_month="2024-02")
    land.land(fewer)
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-01-31", 2)])
    land.land(fewer)
    assert ("T", 2) in counting(lake_of(dock), "2024-01")


def test_key_that_seems_moved_until_the_other_file_lands_counts_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older file lands by what a killed landing noted of the newer one, and then that lands otherwise."""
    monkeypatch.setattr(land, "BATCH_FILES", 1)
    dock = replace(dock_at(tmp_path), max_rejected_share=1)
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-03-01"), sale_line("T0", "2024-02-01")], minutes=1)
    with pytest.raises(Crash):
        land.land(replace(dock, lake=FaultyStore(lake_of(dock).root, 1)))
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-01-31", 2)])
    land.land(replace(dock, last_month="2024-02"))
    assert everything(lake_of(dock)) == {"2024-01": [("T", 2)], "2024-02": [("T0", 1)]}


def test_key_that_a_killed_landing_said_had_moved_counts_where_it_is(tmp_path: Path) -> None:
    """It had put in place that an older file's row moved to a month that the newer one then has no row of."""
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-01-31", 2)])
    land.land(dock)
    many = [sale_line(f"T{n}", "2024-02-01") for n in range(39)]
    drop_sales(files_of(dock), "a", [*many, sale_line("T", "2024-03-01")], minutes=1)
    with pytest.raises(Crash):
        land.land(replace(dock, lake=FaultyStore(lake_of(dock).root, 4)))
    assert len(list((lake_of(dock).root / "_landed/online_sales/2024-01").iterdir())) == 2
    land.land(replace(dock, last_month="2024-02"))
    assert counting(lake_of(dock), "2024-01") == [("T", 2)]


def test_crash_after_the_index_was_merged_loses_no_key_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content that overtakes another may never land: then the other counts on, and its keys must be found."""
    monkeypatch.setattr(berth, "INDEX_FILES", 2)
    for writes in range(4):
        dock = dock_at(tmp_path / str(writes))
        drop_sales(files_of(dock), "a", [sale_line("T1", "2024-01-31")])
        land.land(dock)
        drop_sales(files_of(dock), "a", [sale_line("T2", "2024-01-31")], minutes=1)
        with pytest.raises(Crash):
            land.land(replace(dock, lake=FaultyStore(lake_of(dock).root, writes)))
        (files_of(dock) / "sales/a.csv").unlink()
        drop_sales(files_of(dock), "b", [sale_line("T1", "2024-02-01", 2)], minutes=2)
        land.land(dock)
        assert everything(lake_of(dock)) == {"2024-02": [("T1", 2)]}, writes


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


def test_file_that_breaks_the_parser_keeps_no_other_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not decided for ever either: the next version of salespipe may read it."""
    sound = land.parse

    def parse(*given: object) -> object:
        if getattr(given[1], "key", "") == "sales/a.csv":
            raise ValueError("a fault")
        return sound(*given)

    dock = dock_at(tmp_path)
    for name in "ab":
        drop_sales(files_of(dock), name, [sale_line(name, "2024-01-31")])
    monkeypatch.setattr(land, "parse", parse)
    landing = land.land(dock)
    assert (landing.broken, statuses(dock)) == ({"sales/a.csv": "ValueError: a fault"}, ["landed"])
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
