"""What holds of landing from S3 into S3 on every server: the tests that moto and SeaweedFS both pass."""

from collections.abc import Callable
from copy import copy
from pathlib import Path

import pytest

from salespipe_dagster.landing import berth, land
from salespipe_dagster.landing.land import Dock
from salespipe_dagster.landing.ledger import read_landed
from salespipe_dagster_tests.landing.dropping import ACROSS, HEADER, SALES, everything, sale_line
from salespipe_dagster_tests.landing.faulty import Crash
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Entry
from salespipe_spark.lake.s3 import S3Store

MakeStore = Callable[[str], S3Store]


def dock_of(files: S3Store, lake: S3Store, scratch: Path) -> Dock:
    return Dock(files, lake, scratch, "2024-01", "2024-03", 0.05, "a run")


def drop(files: S3Store, name: str, lines: list[str]) -> None:
    files.put(f"sales/{name}.csv", "\n".join([HEADER, *lines, ""]).encode())


def rows_of(lake: S3Store, folder: Path) -> dict[str, list[tuple[str, int]]]:
    """The transactions of all months, from a copy of the lake."""
    copy = LocalStore(folder)
    for entry in lake.entries(""):
        target = copy.path(entry.key)
        target.parent.mkdir(parents=True, exist_ok=True)
        lake.download(entry, target)
    return everything(copy)


class LandingTests:
    def test_files_land_once_in_any_pieces(self, make_store: MakeStore, tmp_path: Path) -> None:
        files, lake = make_store("files"), make_store("lake")
        dock = dock_of(files, lake, tmp_path / "scratch")
        for name in "cab":
            drop(files, name, ACROSS[name][0])
            assert [r.version.key for r in land.land(dock).results] == [f"sales/{name}.csv"]
        other = dock_of(files, make_store("other"), tmp_path / "scratch")
        land.land(other)
        found = rows_of(lake, tmp_path / "copy")
        assert found == rows_of(make_store("other"), tmp_path / "other")
        assert sorted(number for rows in found.values() for number, _ in rows) == ["T1", "T2", "T3"]
        months = ["2024-01", "2024-02", "2024-03"]
        assert read_landed(lake, SALES).fingerprints(months) == read_landed(dock_lake(other), SALES).fingerprints(
            months
        )
        assert land.land(dock).results == []

    def test_file_overwritten_within_a_second_is_what_counts(self, make_store: MakeStore, tmp_path: Path) -> None:
        """The server tells seconds, and which of two ETags is larger is chance."""
        files, lake = make_store("files"), make_store("lake")
        dock = dock_of(files, lake, tmp_path / "scratch")
        for quantity in range(1, 7):
            drop(files, "a", [sale_line("T1", "2024-01-31", quantity)])
            land.land(dock)
        assert rows_of(lake, tmp_path / "copy") == {"2024-01": [("T1", 6)]}

    def test_two_landings_at_once_miss_no_row_that_moved(
        self, make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S3 has no locks: each puts its keys into the index before it reads the other's."""
        files, lake = make_store("files"), make_store("lake")
        drop(files, "a", ACROSS["a"][0])
        first = dock_of(files, lake, tmp_path / "scratch")
        second_is_due = [True]
        sound = berth.moved

        def moved(*given: object, **named: object) -> object:
            if second_is_due.pop() if second_is_due else False:
                drop(files, "b", ACROSS["b"][0])
                land.land(dock_of(files, lake, tmp_path / "scratch"))
            return sound(*given, **named)

        monkeypatch.setattr(berth, "moved", moved)
        land.land(first)
        found = rows_of(lake, tmp_path / "copy")
        assert sorted(number for rows in found.values() for number, _ in rows) == ["T1", "T2", "T3"]

    def test_crash_at_any_write_leaves_nothing_that_counts(self, make_store: MakeStore, tmp_path: Path) -> None:
        files = make_store("files")
        for name in "ab":
            drop(files, name, ACROSS[name][0])
        expected = make_store("expected")
        land.land(dock_of(files, expected, tmp_path / "scratch"))
        writes, done = 0, False
        while not done:
            lake = make_store(f"lake-{writes}")
            try:
                land.land(dock_of(files, faulty(lake, writes), tmp_path / "scratch"))
            except Crash:
                land.land(dock_of(files, lake, tmp_path / "scratch"))
                assert rows_of(lake, tmp_path / f"{writes}") == rows_of(expected, tmp_path / "expected")
            else:
                done = True
            writes += 1
        assert writes > 6


def dock_lake(dock: Dock) -> S3Store:
    assert isinstance(dock.lake, S3Store)
    return dock.lake


def faulty(store: S3Store, left: int) -> S3Store:
    """The store, in which the n-th write does not return."""

    class Faulty(S3Store):
        def upload(self, file: Path, key: str) -> Entry:
            count()
            return store.upload(file, key)

        def put(self, key: str, content: bytes) -> None:
            count()
            store.put(key, content)

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crash

    spoilt = copy(store)
    spoilt.__class__ = Faulty
    return spoilt
