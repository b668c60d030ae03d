"""The shop's files come into their folder whole, as old as they say, and once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from salespipe_dagster.assets.company_files import company_files
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of, dropped_by, shop_of
from salespipe_dagster.synthetic.online.dropped import Book, OnlineFile, Piece
from salespipe_dagster.synthetic.online.drops import FOLDERS, drop, online_files
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster_tests.support import named_on_disk
from salespipe_spark import months
from salespipe_spark.lake.local import LocalStore

SHOP = Shop(sales_per_month=60)
SPAN = months.between("2024-01", "2024-03")
TODAY = date(2024, 3, 31)
Seen = dict[str, tuple[bytes, int, int]]


@pytest.fixture(autouse=True)
def _nothing_set(environment: pytest.MonkeyPatch) -> None:
    """What is set on the machine of the developer is not what is tested."""


def all_files() -> Iterator[OnlineFile]:
    for folder in FOLDERS:
        yield from online_files(SHOP, folder, TODAY, SPAN)


def seen(root: Path) -> Seen:
    """What lies there: content, time, and which file it is."""
    files = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
        for path in files
    }


def test_files_are_there_as_they_were_made_and_as_old_as_they_say(tmp_path: Path) -> None:
    dropped = drop(tmp_path, all_files())
    files = {file.key: file for file in all_files()}
    assert dropped.files == dropped.written == list(files)
    assert dropped.months == set(SPAN)
    assert dropped.book == sum((file.book() for file in files.values()), Book())
    found = seen(tmp_path)
    assert {key: content for key, (content, _, _) in found.items()} == {
        key: b"".join(file.chunks()) for key, file in files.items()
    }
    listed = {entry.key: entry.modified for entry in LocalStore(tmp_path).entries("sales")}
    assert listed == {key: file.written for key, file in files.items() if key.startswith("sales/")}


def test_a_second_time_no_file_is_touched(tmp_path: Path) -> None:
    """Another time or another inode would be another version, and would land again."""
    drop(tmp_path, all_files())
    before = seen(tmp_path)
    again = drop(tmp_path, all_files())
    assert (again.written, again.months) == ([], set())
    assert set(again.files) == before.keys()
    assert seen(tmp_path) == before


def test_a_file_that_somebody_changed_is_made_good(tmp_path: Path) -> None:
    drop(tmp_path, all_files())
    before = seen(tmp_path)
    key = "sales/2024/02/sales-2024-02-29.csv"
    (tmp_path / key).write_bytes(b"something else")
    assert drop(tmp_path, all_files()).written == [key]
    assert {each: found[:2] for each, found in seen(tmp_path).items()} == {k: found[:2] for k, found in before.items()}


def test_content_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_disk = named_on_disk(monkeypatch)
    drop(tmp_path, all_files())
    assert on_disk
    assert all(on_disk)


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    """What stops in the middle of a file leaves nothing that could be taken for one."""

    def pieces() -> Iterator[Piece]:
        yield Piece(Book(), b"half a line".hex().encode)
        raise KeyboardInterrupt

    broken = OnlineFile("sales/broken.csv", datetime(2024, 1, 1, tzinfo=UTC), pieces)
    with pytest.raises(KeyboardInterrupt):
        drop(tmp_path, [broken])
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["staging"]


def test_the_file_is_made_a_piece_at_a_time(tmp_path: Path) -> None:
    """A file of any size takes the memory of one piece."""
    asked: list[int] = []

    def pieces() -> Iterator[Piece]:
        for number in range(3):
            if number:
                assert asked == list(range(number))
            yield Piece(Book(landed=1), lambda number=number: asked.append(number) or b"x" * 1000)

    dropped = drop(tmp_path, [OnlineFile("sales/large.csv", datetime(2024, 1, 1, tzinfo=UTC), pieces)])
    assert dropped.book.records == 3
    assert (tmp_path / "sales/large.csv").stat().st_size == 3000


# --- as assets


def settings(home: Path, **values: object) -> Settings:
    small = {"company_orders_per_month": 5, "company_online_sales_per_month": 60}
    return Settings.checked(home=home, start_month="2024-01", end_month="2024-03", **(small | values))


def materialized(configured: Settings, span: list[str], select: str = "*") -> dg.ExecuteInProcessResult:
    return dg.materialize(
        company_files(configured),
        resources={"source_db": SourceDatabase(configured.source)},
        tags=range_tags(span),
        selection=select,
    )


def test_a_run_drops_the_files_of_its_months_and_tells_what_is_in_them(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    result = materialized(configured, ["2024-02", "2024-03"])
    today = dropped_by(configured, company_of(configured))
    expected = {file.key for folder in FOLDERS for file in online_files(shop_of(configured), folder, today, SPAN[1:])}
    assert seen(configured.files).keys() == expected
    (told, *_) = result.asset_materializations_for_node("files__sales")
    assert told.metadata["files"].value == sum(key.startswith("sales/") for key in expected)
    assert told.metadata["written"].value == told.metadata["files"].value
    before = seen(configured.files)
    materialized(configured, ["2024-02", "2024-03"])
    assert seen(configured.files) == before


def test_the_company_drops_what_its_day_has_come_to(tmp_path: Path) -> None:
    """Its database says which day it is there, not the settings."""
    configured = settings(tmp_path)
    source = SourceDatabase(configured.source)
    source.prepare_company(replace(company_of(configured), today=date(2024, 2, 16)))
    materialized(configured, SPAN)
    sales = sorted(key for key in seen(configured.files) if key.startswith("sales/"))
    assert [key.rpartition("/")[2].partition(".")[0] for key in sales] == [
        "sales-2024-01-15",
        "sales-2024-01-31",
        "sales-2024-02-14",
    ]


def test_several_runs_in_any_order_are_one(tmp_path: Path) -> None:
    for place, spans in {"one": [SPAN], "many": [[month] for month in reversed(SPAN)]}.items():
        for span in spans:
            materialized(settings(tmp_path / place), span)
    found = [{key: each[:2] for key, each in seen(tmp_path / place / "files").items()} for place in ("one", "many")]
    assert found[0] == found[1]
