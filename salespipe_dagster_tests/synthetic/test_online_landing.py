"""The shop's files as they are parsed when they land: what its books say, file by file and month by month."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from salespipe_dagster.landing.parse import parse
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_dagster.landing.version import Version
from salespipe_dagster.synthetic.online.books import online_ledger
from salespipe_dagster.synthetic.online.drops import online_files
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster.synthetic.online.spoilt import REASONS
from salespipe_dagster_tests.synthetic.reading import tallied
from salespipe_spark import months
from salespipe_spark.tables import Table, feeds

SHOP = Shop()
MONTHS = months.between("2024-01", "2024-12")
TODAY = date(2024, 12, 31)


def landed(table: Table, home: Path) -> list[Parsed]:
    """All files of a feed, each held against its book."""
    assert table.contract.feed
    found: list[Parsed] = []
    for number, file in enumerate(online_files(SHOP, table.contract.feed.folder, TODAY, MONTHS)):
        path, book = home / "file", file.book()
        path.write_bytes(b"".join(file.chunks()))
        version = Version(table.name, file.key, "etag", path.stat().st_size, file.written)
        parsed = parse(path, version, table, MONTHS[0], MONTHS[-1], home / f"{table.name}-{number}", 0.05)
        told = (parsed.records, parsed.landed, parsed.duplicates, parsed.reasons)
        assert told == (book.records, book.landed, book.duplicates, dict(book.quarantined)), file.key
        assert parsed.status is Status.LANDED
        found.append(parsed)
    return found


def newest(files: list[Parsed], key: str) -> list[dict[str, Any]]:
    """Of each key the row of the file that was written last."""
    rows = pa.concat_tables([pq.read_table(part) for parsed in files for part in parsed.parts.values()])
    in_order = rows.sort_by([("landed_modified_at", "ascending"), ("landed_file", "ascending")]).to_pylist()
    return list({row[key]: row for row in in_order}.values())


@pytest.mark.parametrize("table", [table for table in feeds() if not table.monthly], ids=lambda table: table.name)
def test_every_record_of_profiles_and_catalogues_is_where_the_shop_says(table: Table, tmp_path: Path) -> None:
    assert landed(table, tmp_path)


def test_what_lands_of_the_sales_is_what_the_shop_sold(tmp_path: Path) -> None:
    """All its ways of writing a file, all that it spoils, repeats and corrects: right to the cent."""
    (table,) = (table for table in feeds() if table.monthly)
    files = landed(table, tmp_path)
    rows = newest(files, "transaction_id")
    for month in MONTHS:
        ledger = online_ledger(SHOP, month, TODAY)
        found = [row for row in rows if months.month_of(row["sale_date"]) == month]
        assert tallied(found)[()] == ledger.total
        assert tallied(found, "region", "product") == ledger.by_region_and_product
    assert {reason for parsed in files for reason in parsed.reasons} == set(REASONS)
    assert {name for parsed in files for name in parsed.unknown_columns} == {"gift_message"}
