"""The online shop's files: the same bytes for the same seed, and the shop's books are what they say."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from salespipe_dagster.synthetic.online import sales as sales_module
from salespipe_dagster.synthetic.online.assortment import names
from salespipe_dagster.synthetic.online.books import OnlineLedger, online_ledger
from salespipe_dagster.synthetic.online.bulk import sales_csv
from salespipe_dagster.synthetic.online.catalogues import catalogue_files
from salespipe_dagster.synthetic.online.dropped import Book, OnlineFile, Piece
from salespipe_dagster.synthetic.online.drops import FOLDERS, online_files
from salespipe_dagster.synthetic.online.profiles import profile_files
from salespipe_dagster.synthetic.online.sales_files import sales_files
from salespipe_dagster.synthetic.online.shop import Shop, days
from salespipe_dagster.synthetic.online.spoilt import REASONS
from salespipe_dagster.synthetic.online.vocabulary import UNLISTED
from salespipe_dagster_tests.synthetic import reading
from salespipe_spark import months

MONTHS = months.between("2024-01", "2025-12")
TODAY = date(2025, 12, 31)
DIGESTS = """
import sys
from datetime import date
from salespipe_dagster.synthetic.online.drops import online_files
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster_tests.synthetic.test_online_shop import digest
for folder, month in {parts!r}:
    for file in online_files(Shop(), folder, date(2025, 12, 31), [month]):
        sys.stdout.buffer.write(digest(file).encode() + b"\\n")
"""


def digest(file: OnlineFile) -> str:
    """Of what is in it, unpacked: two versions of zlib may pack it otherwise."""
    return f"{file.key} {file.written.isoformat()} {hashlib.sha256(reading.content(file)).hexdigest()}"


def all_files(shop: Shop, span: list[str] = MONTHS, today: date = TODAY) -> list[OnlineFile]:
    return [file for folder in FOLDERS for file in online_files(shop, folder, today, span)]


@cache
def contents(shop: Shop) -> dict[str, bytes]:
    return {file.key: reading.content(file) for file in all_files(shop)}


# --- the same files everywhere


def test_another_process_with_another_hash_seed_and_order_makes_the_same_files() -> None:
    parts = [(folder, month) for folder in reversed(FOLDERS) for month in ("2025-03", "2024-02")]
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    script = DIGESTS.format(parts=parts)
    printed = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    here = {digest(file) for file in all_files(Shop(), ["2024-02", "2025-03"])}
    assert set(printed.stdout.decode().splitlines()) == here
    assert len(here) == 2 + 3 + 9 + 4


def test_the_bytes_are_those_of_another_python_and_numpy() -> None:
    """A change of what the shop does changes this text; a change of Python, numpy, Arrow or machine must not."""
    made = "\n".join(digest(file) for file in all_files(Shop(seed=11), MONTHS[8:15]))
    assert hashlib.sha256(made.encode()).hexdigest()[:16] == "4a3d947477056115"


def test_a_file_is_the_same_however_many_sales_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large day is made in pieces: no line may depend on where one ends."""
    expected = [digest(file) for file in all_files(Shop(), MONTHS[:3])]
    books = [file.book() for file in all_files(Shop(), MONTHS[:3])]
    monkeypatch.setattr(sales_module, "SALES_AT_ONCE", 17)
    assert [digest(file) for file in all_files(Shop(), MONTHS[:3])] == expected
    assert [file.book() for file in all_files(Shop(), MONTHS[:3])] == books


def test_another_seed_is_another_shop() -> None:
    first, second = (contents(Shop(seed=seed)) for seed in (7, 8))
    assert not {hashlib.sha256(each).digest() for each in first.values()} & {
        hashlib.sha256(each).digest() for each in second.values()
    }


def test_a_day_later_nothing_is_other_than_before() -> None:
    """What was dropped is dropped: no file of an earlier day may change, or it would land again."""
    before = {digest(file) for file in all_files(Shop(), today=date(2025, 3, 30))}
    after = {digest(file) for file in all_files(Shop(), today=date(2025, 4, 1))}
    assert before < after
    new = sorted(line.split()[0] for line in after - before)
    assert new == [
        "customers/profiles-2025-03-31.ndjson",
        "sales/2025/03/sales-2025-03-31-corrected.csv",
        "sales/2025/03/sales-2025-03-31.csv.gz",
    ]


# --- the books


SHOPS = {
    "as it is": Shop(),
    "without quirks": Shop(quirks=False),
    "several files a day": Shop(seed=3, files_per_month=40, first_month="2024-07"),
    "another size, opened in the middle of a quarter": Shop(
        seed=5, sales_per_month=1500, files_per_month=1, first_month="2024-05"
    ),
}


@pytest.mark.parametrize("today", [TODAY, date(2024, 8, 17)], ids=str)
@pytest.mark.parametrize("shop", SHOPS.values(), ids=SHOPS)
def test_the_books_are_what_the_files_say(shop: Shop, today: date) -> None:
    """Read by the plainest means, and right to the cent: month by month, by region, product, age and tier."""
    span = months.between(shop.first_month, months.month_of(today))
    sales = [(f.written, f.key, reading.sales(f)) for month in span for f in sales_files(shop, month, today)]
    profiles = reading.newest((f.written, f.key, reading.profiles(f)) for f in profile_files(shop, today))
    for row in (rows := reading.newest(sales)).values():
        profile = profiles.get(row["customer_id"], {})
        row["month"] = row["date"][:7]
        row["age"], row["tier"] = profile.get("age_group"), profile.get("membership_tier")
    for month in span:
        ledger = online_ledger(shop, month, today)
        found = [row for row in rows.values() if row["month"] == month]
        assert reading.tallied(found).get((), (0, 0, 0)) == ledger.total
        assert reading.tallied(found, "region", "product") == ledger.by_region_and_product
        assert reading.tallied(found, "age", "tier") == ledger.by_segment
        assert len({row["customer_id"] for row in found}) == ledger.customers
    assert {row["month"] for row in rows.values()} <= set(span)


@pytest.mark.parametrize("shop", SHOPS.values(), ids=SHOPS)
def test_every_record_of_a_file_is_booked(shop: Shop) -> None:
    """Records are those that land, those that repeat one and those that are put aside, each by its reason."""
    readers = {"sales": reading.sales, "customers": reading.profiles, "products": reading.products}
    for folder, reader in readers.items():
        for file in online_files(shop, folder, TODAY, months.between(shop.first_month, "2025-12")):
            read = reader(file)
            assert file.book() == Book(len(read.rows), read.duplicates, read.quarantined), file.key
            assert file.book().records == read.records, file.key


def test_the_files_of_a_month_are_in_its_books() -> None:
    ledger = online_ledger(Shop(), "2024-03", TODAY)
    assert ledger.files == sum((file.book() for file in sales_files(Shop(), "2024-03", TODAY)), Book())
    assert ledger.files.records > ledger.total.sales


def test_a_shop_that_sells_nothing_has_no_files() -> None:
    assert all_files(Shop(sales_per_month=0)) == []
    assert online_ledger(Shop(sales_per_month=0), "2024-05", TODAY).total == (0, 0, 0)


def test_a_month_that_the_shop_has_not_come_to_is_empty() -> None:
    assert online_ledger(Shop(), "2026-02", TODAY) == OnlineLedger((0, 0, 0), 0, {}, {}, Book())


# --- quirks


def text(key_part: str) -> str:
    return b"".join(found for key, found in contents(Shop()).items() if key_part in key).decode("utf-8", "replace")


def test_every_quirk_of_a_file_is_there() -> None:
    files = contents(Shop())
    sales = {key: found for key, found in files.items() if key.startswith("sales/")}
    headers = {found.split(b"\n")[0].strip(b"\r\xef\xbb\xbf") for found in sales.values()}
    assert len(headers) == 5
    assert sum(key.endswith(".gz") for key in files) > 10
    assert sum(found.startswith(b"\xef\xbb\xbf") for found in sales.values()) > 8
    assert sum(b"\r\n" in found for found in sales.values()) > 15
    assert any(b'"For Opa,\nwith love,\nthe children"' in found for found in sales.values())
    assert any(b'"Glider 40"" span"' in found for found in sales.values())
    everything = text("sales/")
    for zone in ("-05:00", "+01:00", "+0900", "-0300", "Z"):
        assert f"{zone}," in everything or f"{zone}\n" in everything
    assert max(len(part) for part in everything.split(".")) > 8
    assert "gift_message" in everything
    assert '"contact": {"newsletter"' in text("customers/")
    assert "\\u" in text("customers/")


@pytest.mark.parametrize("seed", [1, 7])
def test_every_reason_is_there_for_every_seed(seed: int) -> None:
    booked = Counter[str]()
    for month in MONTHS:
        booked += online_ledger(Shop(seed), month, TODAY).files.quarantined
    assert set(booked) == set(REASONS)
    profiles = sum((file.book().quarantined for file in profile_files(Shop(seed, 5000), TODAY)), Counter[str]())
    assert set(profiles) == {"bad_json", "missing_value", "bad_date", "not_an_object"}


def test_a_file_corrects_others() -> None:
    """Every third month: other quantities, and a sale that turns out to be of the month before."""
    files = {file.key: reading.sales(file) for file in sales_files(Shop(), "2024-06", TODAY)}
    (correction,) = (key for key in files if "corrected" in key)
    others = {id: row for key, read in files.items() if key != correction for id, row in read.rows.items()}
    right = files[correction].rows
    assert right
    assert right.keys() <= others.keys()
    assert {row["date"][:7] for row in right.values()} == {"2024-05", "2024-06"}
    grown = [int(row["quantity"]) - int(others[id]["quantity"]) for id, row in right.items()]
    assert Counter(grown) == {1: len(right) - 1, 0: 1}


def test_exports_overlap_and_some_customers_have_no_profile() -> None:
    exports = [reading.sales(file).rows for file in sales_files(Shop(), "2024-02", TODAY)]
    assert [len(a.keys() & b.keys()) for a, b in pairwise(exports)] == [3]
    ledger = online_ledger(Shop(), "2024-05", TODAY)
    assert (None, None) in ledger.by_segment
    assert any(age is None and tier for age, tier in ledger.by_segment)


def test_a_product_is_sold_that_no_catalogue_names() -> None:
    listed = {product for file in catalogue_files(Shop(), TODAY) for product in reading.products(file).rows}
    assert set(names(Shop())) - listed == {UNLISTED}


def test_a_clean_shop_has_none_of_it() -> None:
    files = all_files(Shop(quirks=False))
    assert not any(file.packed for file in files)
    assert len({reading.content(file).split(b"\n")[0] for file in files if file.key.startswith("sales/")}) == 1
    assert not any(mark in found for found in contents(Shop(quirks=False)).values() for mark in (b"\r", b'""'))
    assert all(file.book() == Book(landed=file.book().records) for file in files)


@pytest.mark.parametrize("files_per_month", [1, 4, 31, 100])
@pytest.mark.parametrize("sales_per_month", [1, 60, 420, 3000])
def test_no_file_is_held(sales_per_month: int, files_per_month: int) -> None:
    """The twentieth part that MAX_REJECTED_SHARE allows is not reached, whatever the size."""
    shop = Shop(1, sales_per_month, files_per_month)
    for file in all_files(shop, MONTHS[:3]):
        book = file.book()
        assert book.quarantined.total() <= book.records * 0.05, file.key


# --- time and size


def test_exports_cover_each_month_once() -> None:
    for files in (1, 4, 31, 100, 10_000):
        shop = Shop(quirks=False, files_per_month=files)
        for month in MONTHS[:3]:
            booked = sum(file.book().landed for file in sales_files(shop, month, TODAY))
            assert booked == days(shop, month)[-1]


def test_files_are_written_after_what_is_in_them_in_order() -> None:
    files = sales_files(Shop(files_per_month=60), "2024-03", TODAY)
    written = [file.written for file in files]
    assert written == sorted(set(written))
    assert written[0] == datetime(2024, 3, 1, 13, 30, tzinfo=UTC)
    assert files[0].key == "sales/2024/03/sales-2024-03-01-0001.csv"
    assert files[-1].key.startswith("sales/2024/03/sales-2024-03-31-corrected.csv")


def test_the_default_shop_sells_ten_thousand_times_in_two_years() -> None:
    sold = [int(days(Shop(), month)[-1]) for month in MONTHS]
    assert 9_500 < sum(sold) < 10_700
    assert sold[10] > sold[8]


@pytest.mark.parametrize("wrong", [{"sales_per_month": -1}, {"sales_per_month": 14_000_001}, {"files_per_month": 0}])
def test_a_size_that_has_no_numbers_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"is not within"):
        Shop(**wrong)


@pytest.mark.parametrize("quirks", [False, True])
def test_a_large_file_is_as_large_as_asked_and_its_amount_is_known(tmp_path: Path, *, quirks: bool) -> None:
    """Measurements hold what lands of it against this; the same seed makes the same bytes."""
    made = sales_csv(tmp_path / "large.csv", 300_000, quirks=quirks)
    content = (tmp_path / "large.csv").read_bytes()
    assert 300_000 <= made.size == len(content) < 400_000
    whole = OnlineFile("large.csv", datetime(2024, 1, 1, tzinfo=UTC), lambda: [Piece(Book(), lambda: content)])
    read = reading.sales(whole)
    assert made.book == Book(len(read.rows), read.duplicates, read.quarantined)
    assert made.amount == sum(Decimal(row["total_amount"]) for row in read.rows.values())
    assert bool(made.book.quarantined) is quirks
    assert sales_csv(tmp_path / "again.csv", 300_000, quirks=quirks) == made
    assert (tmp_path / "again.csv").read_bytes() == content
