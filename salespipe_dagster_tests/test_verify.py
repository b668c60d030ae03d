"""The proof: whatever is not as receipt and source say is found and named, and nothing is changed by looking."""

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from salespipe_dagster.landing.ledger import entry_key
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.version import Version
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.company import Ledger
from salespipe_dagster.verify import verify
from salespipe_dagster_tests.landing.dropping import drop_sales, sale_line
from salespipe_dagster_tests.support import SHOP, FakeSource, land_rows, local, materialise, sale, write_parquet
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02", "2024-03"]


def problems(settings: Settings, engine: Engine, source: FakeSource | None = None) -> dict[str, list[str]]:
    """What is wrong, by table."""
    verdicts, _ = verify(Lake(settings.lake, engine), source or FakeSource(), MONTHS)
    return {verdict.table.name: verdict.problems for verdict in verdicts if verdict.problems}


def object_of(settings: Settings, table: str, part: str) -> Path:
    lake = Catalogue(settings.lake)
    return local(lake).path(lake.key(tables()[table], part))


def flipped(content: bytes, index: int) -> bytes:
    changed = bytearray(content)
    changed[index] ^= 0xFF
    return bytes(changed)


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_filled_lake_is_proven(filled: Settings, engine: Engine) -> None:
    verdicts, unbalanced = verify(Lake(filled.lake, engine), FakeSource(), MONTHS)
    assert unbalanced == []
    assert [verdict.problems for verdict in verdicts] == [[]] * len(tables())
    found = {verdict.table.name: (verdict.parts, verdict.rows) for verdict in verdicts}
    assert found["fact_orders"] == (3, 4)
    assert found["customers"] == (1, 2)
    assert found["monthly_revenue"] == (3, 4)
    assert found["fact_online_sales"] == (3, 4)


def test_months_that_are_not_asked_for_are_not_read(filled: Settings, engine: Engine) -> None:
    verdicts, _ = verify(Lake(filled.lake, engine), FakeSource(), ["2024-03"])
    assert {v.table.name: (v.parts, v.rows) for v in verdicts}["fact_orders"] == (1, 1)


def test_looking_changes_nothing(filled: Settings, engine: Engine) -> None:
    """Not a lock, not a staging folder: it may be run on a lake that may only be read."""
    before = everything(filled.lake)
    source = FakeSource()
    source.rows["payments"] = []
    verify(Lake(filled.lake, engine), source, MONTHS)
    assert everything(filled.lake) == before
    assert source.rows["payments"] == []


def test_object_that_was_replaced_is_named(filled: Settings, engine: Engine) -> None:
    schema = arrow_schema(tables()["fact_payments"].contract)
    write_parquet(object_of(filled, "fact_payments", "2024-01"), schema, [(103, "A1", date(2024, 1, 10), Decimal(1))])
    found = problems(filled, engine)
    assert set(found) == {"fact_payments"}
    assert "core/fact_payments 2024-01" in found["fact_payments"][0]


def test_object_that_was_deleted_is_named(filled: Settings, engine: Engine) -> None:
    object_of(filled, "revenue_by_product", "2024-02").unlink()
    found = problems(filled, engine)
    assert set(found) == {"revenue_by_product"}
    assert "marts/revenue_by_product 2024-02" in found["revenue_by_product"][0]


def test_month_that_is_not_published_is_named(filled: Settings, engine: Engine) -> None:
    (filled.lake / receipt_key(tables()["monthly_revenue"], "2024-02")).unlink()
    found = problems(filled, engine)
    assert set(found) == {"monthly_revenue"}
    assert "Not published: marts/monthly_revenue 2024-02" in found["monthly_revenue"][0]


def test_empty_lake_is_named_table_by_table(settings: Settings, engine: Engine) -> None:
    assert set(problems(settings, engine)) == set(tables())


def test_other_rows_under_the_receipts_etag_are_found(filled: Settings, engine: Engine) -> None:
    """Nothing but the rows tells: they are counted again."""
    file = object_of(filled, "fact_payments", "2024-01")
    other = filled.root / "other.parquet"
    schema = arrow_schema(tables()["fact_payments"].contract)
    write_parquet(other, schema, [(103, "A1", date(2024, 1, 11), Decimal("3031.00"))])
    shutil.copy(other, file)
    lake = Lake(filled.lake, engine)
    receipt = lake.receipt(tables()["fact_payments"], "2024-01")
    assert receipt
    changed = replace(receipt, etag=lake.store.etag(receipt.key))
    (filled.lake / receipt_key(tables()["fact_payments"], "2024-01")).write_text(changed.to_json())
    found = problems(filled, engine)
    assert set(found) == {"fact_payments"}
    assert "2024-01" in found["fact_payments"][0]


def test_flipped_byte_is_named(filled: Settings, engine: Engine) -> None:
    file = object_of(filled, "fact_orders", "2024-01")
    file.write_bytes(flipped(file.read_bytes(), 40))
    found = problems(filled, engine)
    assert set(found) == {"fact_orders"}
    assert "core/fact_orders 2024-01" in found["fact_orders"][0]


@pytest.mark.parametrize("index", [40, -200, -1], ids=["rows", "footer", "end"])
def test_byte_that_rotted_on_the_disk_is_a_verdict_and_no_crash(filled: Settings, engine: Engine, index: int) -> None:
    """Size and time are the receipt's; the file cannot be read. The search goes on, and names table and month."""
    file = object_of(filled, "fact_orders", "2024-01")
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(flipped(file.read_bytes(), index))
    os.utime(file, ns=times)
    found = problems(filled, engine)
    assert set(found) == {"fact_orders"}
    assert "2024-01" in " ".join(found["fact_orders"]).replace("year=2024/month=01", "2024-01")


def test_receipt_with_another_sum_is_found(filled: Settings, engine: Engine) -> None:
    table = tables()["revenue_by_country"]
    lake = Lake(filled.lake, engine)
    receipt = lake.intact(table, "2024-01")
    sums = receipt.figures.sums | {"revenue": Decimal("3030.99")}
    forged = replace(receipt, figures=replace(receipt.figures, sums=sums))
    (filled.lake / receipt_key(table, "2024-01")).write_text(forged.to_json())
    verdicts, unbalanced = verify(lake, FakeSource(), MONTHS)
    assert [(v.table.name, v.problems[0][:8]) for v in verdicts if v.problems] == [("revenue_by_country", "2024-01:")]
    assert unbalanced == ["2024-01: revenue_by_country.revenue 3030.99 is not fact_orders.revenue 3031.00"]


def test_source_that_changed_is_named_by_month(filled: Settings, engine: Engine) -> None:
    source = FakeSource()
    source.rows["payments"][1] = (*SHOP["payments"][1][:3], Decimal("50.01"))
    source.rows["offices"] = [(*SHOP["offices"][0][:-1], "EMEA")]
    assert problems(filled, engine, source) == {
        "payments": ["2024-03: the source has changed since it was read"],
        "offices": ["snapshot: the source has changed since it was read"],
    }


def test_one_bad_object_hides_no_other(filled: Settings, engine: Engine) -> None:
    """The first finding must not end the search."""
    object_of(filled, "fact_orders", "2024-01").unlink()
    object_of(filled, "fact_orders", "2024-03").unlink()
    object_of(filled, "dim_dates", "snapshot").unlink()
    source = FakeSource()
    source.rows["payments"].pop()
    found = problems(filled, engine, source)
    assert {name: len(lines) for name, lines in found.items()} == {"fact_orders": 2, "dim_dates": 1, "payments": 1}


class Books:
    """A company whose books say what the test says."""

    def __init__(self, **january: object) -> None:
        shop = Ledger(1, 3, Decimal("3130.99"), Decimal("99.99"))
        empty = Ledger(0, 0, Decimal("0.00"), Decimal("0.00"))
        self.books = {"2024-01": replace(shop, **january), "2024-02": empty}
        self.books["2024-03"] = Ledger(1, 1, Decimal("123.40"), Decimal("0.00"))

    def ledger(self, month: str) -> Ledger:
        return self.books[month]


class CompanySource(FakeSource):
    """The literal shop, as the source of such a company."""

    def __init__(self, company: Books | None) -> None:
        super().__init__()
        self.company = company

    def made_by(self) -> Books | None:
        return self.company


@pytest.mark.parametrize(
    ("january", "says"),
    [
        ({}, []),
        ({"orders": 2}, ["2024-01: orders 1, but in the company's own books 2"]),
        ({"lines": 2}, ["2024-01: order lines 3, but in the company's own books 2"]),
        (
            {"ordered_amount": Decimal("3131.00")},
            ["2024-01: ordered_amount 3130.99, but in the company's own books 3131.00"],
        ),
        (
            {"cancelled_amount": Decimal("0.00")},
            ["2024-01: cancelled_amount 99.99, but in the company's own books 0.00"],
        ),
    ],
)
def test_marts_are_held_against_the_companys_own_books(
    filled: Settings, engine: Engine, january: dict[str, object], says: list[str]
) -> None:
    """Every balance holds, every receipt is right, and what was read was not what was made."""
    _, unbalanced = verify(Lake(filled.lake, engine), CompanySource(Books(**january)), MONTHS, ledgers=True)
    assert unbalanced == says


def test_books_of_a_source_that_nobody_signed_are_not_asked_for(filled: Settings, engine: Engine) -> None:
    assert verify(Lake(filled.lake, engine), CompanySource(None), MONTHS, ledgers=True)[1] == []


def test_a_month_that_is_not_published_is_named_once(filled: Settings, engine: Engine) -> None:
    (filled.lake / receipt_key(tables()["fact_orders"], "2024-02")).unlink()
    verdicts, unbalanced = verify(Lake(filled.lake, engine), CompanySource(Books(lines=9)), MONTHS, ledgers=True)
    assert next(verdict.table.name for verdict in verdicts if verdict.problems) == "fact_orders"
    assert [line for line in unbalanced if "books" in line] == []


# The online channel: files, ledger, what has landed, staging.


def store_of(settings: Settings) -> LocalStore:
    return LocalStore(settings.lake)


def test_file_that_has_not_landed_is_named(filled: Settings, engine: Engine) -> None:
    drop_sales(filled.files, "late", [sale_line("T9", "2024-02-03")])
    verdicts, _ = verify(Lake(filled.lake, engine), FakeSource(), MONTHS, files=LocalStore(filled.files))
    found = {verdict.table.name: verdict.problems for verdict in verdicts if verdict.problems}
    assert found == {"online_sales": ["1 files have not landed: sales/late.csv"]}


def test_files_that_landed_since_are_named_by_month(filled: Settings, engine: Engine) -> None:
    more = Version("online_sales", "sales/more.csv", "b", 1, datetime(2024, 4, 2, tzinfo=UTC))
    rows = [sale("T9", "2024-02-09", "C1", "Lamp", 1, "10.00", "North")]
    land_rows(store_of(filled), tables()["online_sales"], more, rows)
    assert problems(filled, engine) == {"online_sales": ["2024-02: other files have landed since it was made"]}


def test_month_whose_customer_has_another_profile_by_now_is_named(filled: Settings, engine: Engine) -> None:
    """Its revenue stood under the old age group, and the proof was content."""
    late = Version("online_customers", "customers/late.ndjson", "b", 1, datetime(2024, 4, 2, tzinfo=UTC))
    rows = [("C9", "65+", "Gold", None, None, None, None)]  # C9 bought in January alone
    land_rows(store_of(filled), tables()["online_customers"], late, rows)
    made = materialise(filled, engine, FakeSource(), MONTHS, "online_customers", "dim_online_customers")
    assert made.success
    assert problems(filled, engine) == {"fact_online_sales": ["2024-01: a customer's profile has changed since"]}


def landed_objects(settings: Settings, part: str) -> list[Path]:
    return sorted((settings.lake / "_landed" / "online_sales" / part).glob("*.parquet"))


def test_rows_that_landed_and_are_lost_are_named(filled: Settings, engine: Engine) -> None:
    """The months are not as their files any more, and the file itself will not land again."""
    (lost,) = landed_objects(filled, "2024-03")
    lost.unlink()
    found = problems(filled, engine)["online_sales"]
    assert found[0] == "2024-03: other files have landed since it was made"
    assert found[1].endswith("no rows, but 1 of sales/all.csv have landed")


def test_rotten_part_is_a_verdict_and_no_crash(filled: Settings, engine: Engine) -> None:
    (part,) = landed_objects(filled, "2024-01")
    part.write_bytes(part.read_bytes()[:-20])
    found = problems(filled, engine)["online_sales"]
    assert any("unreadable" in line and line.endswith("but 3 of sales/all.csv have landed") for line in found)


def test_staging_that_is_not_what_landed_is_named(filled: Settings, engine: Engine) -> None:
    """Another row under the same name: the ledger and the receipt agree with each other, and with nothing else."""
    version = Version("online_sales", "sales/all.csv", "a", 1, datetime(2024, 4, 1, tzinfo=UTC))
    rows = [sale("T4", "2024-03-01", "C1", "Kettle", 1, "89.51", "North")]
    entry = entry_key("online_sales", version.id, Status.LANDED)
    text = store_of(filled).read(entry)
    land_rows(store_of(filled), tables()["online_sales"], version, rows)
    store_of(filled).put(entry, text or b"")
    assert problems(filled, engine) == {"online_sales": ["2024-03: the rows are not those that have landed"]}


def test_entry_that_does_not_add_up_is_named(filled: Settings, engine: Engine) -> None:
    version = Version("online_sales", "sales/all.csv", "a", 1, datetime(2024, 4, 1, tzinfo=UTC))
    key = entry_key("online_sales", version.id, Status.LANDED)
    told = json.loads(store_of(filled).read(key) or b"")
    store_of(filled).put(key, json.dumps(told | {"records": 5, "landed": 4}).encode())
    assert "does not add up" in problems(filled, engine)["online_sales"][0]
