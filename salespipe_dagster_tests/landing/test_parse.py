"""What lands of a file, and what becomes of it as a whole."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from salespipe_dagster.landing import unpacked
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.parts import QUARANTINE, landed_schema
from salespipe_dagster.landing.typed import Query
from salespipe_dagster_tests.landing.landed import AT, HEADER, parsed, rejects, rows, sale
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.staging import online_sales

SALE = (
    *("T1", datetime(2024, 5, 31, 0, 0, tzinfo=UTC), date(2024, 5, 31), "C1", "Lamp", 2),
    *(Decimal("9.99"), "North", Decimal("19.98")),
)


def test_a_file_becomes_one_part_for_each_of_its_months(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER + sale(1) + sale(2, date="2024-07-01") + sale(3, date="2024-05-01"))
    assert (found.status, found.records, found.rows) == (Status.LANDED, 3, {"2024-05": 2, "2024-07": 1})
    assert {part: file.name for part, file in found.parts.items()} == {m: f"{m}.parquet" for m in found.rows}


def test_a_part_holds_the_contracts_columns_exactly_and_says_where_they_are_from(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER + sale())
    assert rows(found) == [SALE]
    read = pq.read_schema(found.parts["2024-05"])
    assert read.equals(landed_schema(online_sales.CONTRACT), check_metadata=False)
    assert read.names[: len(SALE)] == arrow_schema(online_sales.CONTRACT).names
    assert rows(found, "landed_file", "landed_version", "landed_modified_at", "is_moved") == [
        ("sales/a.csv", found.version.id, AT, False)
    ]


def test_columns_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    """Readers of the engines map by position: a reordered header swaps columns in silence."""
    header = b' Region ,"TOTAL_AMOUNT",unit_price,quantity,product,customer_id,Date,transaction_id\r\n'
    assert rows(parsed(tmp_path, header + b"North,19.98,9.99,2,Lamp,C1,2024-05-31,T1\r\n")) == [SALE]


def test_columns_that_the_contract_does_not_know_are_told(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER.replace(b"date", b"Coupon,date") + sale().replace(b"2024", b"X1,2024", 1))
    assert (rows(found), found.unknown_columns) == ([SALE], ["Coupon"])


def test_a_column_that_may_be_empty_may_be_missing(tmp_path: Path) -> None:
    found = parsed(tmp_path, b"product,price\nLamp,9.99\nDesk,\n", "online_products")
    assert rows(found) == [("Desk", None, None, None), ("Lamp", None, Decimal("9.99"), None)]
    assert found.rows == {"snapshot": 2}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\r\n\n", "empty"),
        (HEADER.replace(b",region", b"") + sale(), "has no column region"),
        (HEADER.replace(b",date", b"").replace(b",region", b"") + sale(), "has no column date, region"),
        (HEADER.replace(b"region", b"date") + sale(), "two columns called date"),
        (HEADER.replace(b",", b";") + sale().replace(b",", b";"), "separated by semicolons"),
        (sale() + sale(2), "has no column transaction_id"),
        (b'"transaction_id,date\n' + sale(), "header that cannot be read: a quoted value"),
        (HEADER.replace(b"region", b"r\xe9gion") + sale(), "header that cannot be read: it is not UTF-8"),
        (HEADER.decode().encode("utf-16"), "UTF-16"),
        ((HEADER + sale()).decode().encode("utf-16-le"), "UTF-16"),
        ((HEADER + sale()).decode().encode("utf-16-be"), "UTF-16"),
        (b"PK\x03\x04" + HEADER, "zip"),
        (HEADER + sale(region="K\xf6ln").decode().encode("latin-1"), "Latin-1"),
        (b"{" + HEADER, "has no column transaction_id"),
    ],
)
def test_a_file_that_cannot_be_read_fails_by_name_and_leaves_nothing(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    found = parsed(tmp_path, content)
    assert found.status is Status.FAILED
    assert found.reason.startswith("sales/a.csv ")
    assert reason in found.reason
    assert (found.records, found.parts, found.quarantine) == (0, {}, None)
    assert not (tmp_path / "out").exists()


def test_a_header_alone_lands_as_nothing(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER)
    assert (found.status, found.records, found.parts) == (Status.LANDED, 0, {})


def test_identical_rows_are_one_row_and_duplicates(tmp_path: Path) -> None:
    """Rows are compared as typed: the same sale may be written in two ways."""
    again = sale(date="2024-05-31T00:00:00Z", price="9.990", total="19.98")
    found = parsed(tmp_path, HEADER + sale() + sale(2) + again + sale())
    assert (found.records, found.landed, found.duplicates, found.quarantined) == (4, 2, 2, 0)
    assert rows(found, "transaction_id") == [("T1",), ("T2",)]


def test_rows_of_one_key_that_differ_are_all_put_aside(tmp_path: Path) -> None:
    other = sale(region="South")
    found = parsed(tmp_path, HEADER + sale() + sale(2) + other + sale())
    assert (found.landed, found.quarantined, found.duplicates) == (1, 3, 0)
    assert rejects(found) == [
        (line, "transaction_id", "conflicting_id", text.decode().strip())
        for line, text in [(2, sale()), (4, other), (5, sale())]
    ]


def test_rows_of_one_key_in_two_months_contradict_each_other(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER + sale() + sale(date="2024-06-30"))
    assert (found.landed, found.rows, found.reasons) == (0, {}, {"conflicting_id": 2})


def test_a_good_row_lands_beside_a_bad_one_of_its_key(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER + sale() + sale(quantity="x"))
    assert (found.landed, found.reasons) == (1, {"bad_number": 1})


def test_keys_with_one_hash_are_not_taken_for_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal hashes make suspects, not duplicates."""
    honest = Query.values
    monkeypatch.setattr(Query, "values", lambda self: honest(self).replace("hash(", "0::UBIGINT + 0 * length("))
    found = parsed(tmp_path, HEADER + sale(1) + sale(2) + sale(2))
    assert (found.landed, found.duplicates) == (2, 1)


def test_more_rejects_than_the_share_hold_the_file(tmp_path: Path) -> None:
    """A file of which much is wrong is likelier of another kind than a good one with faults."""
    lines = b"".join(sale(i) for i in range(19))
    at_share = parsed(tmp_path, HEADER + lines + sale(20, quantity="x"), share=0.05)
    assert (at_share.status, at_share.landed, at_share.quarantined) == (Status.LANDED, 19, 1)
    over = parsed(tmp_path, HEADER + lines + sale(20, quantity="x") + sale(21, price=""), share=0.05)
    assert (over.status, over.landed, over.quarantined, over.parts) == (Status.HELD, 19, 2, {})
    assert over.reason == "2 of 21 records are rejected: 1 bad_number, 1 missing_value."
    assert [reject[0] for reject in rejects(over)] == [21, 22]
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["quarantine.parquet"]


def test_what_an_earlier_attempt_left_is_gone(tmp_path: Path) -> None:
    parsed(tmp_path, HEADER + sale(date="2024-01-01"))
    found = parsed(tmp_path, HEADER + sale())
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["2024-05.parquet"]
    assert pq.read_schema(found.parts["2024-05"]).names
    assert QUARANTINE.names == ["file", "line", "column", "reason", "text"]


@pytest.mark.parametrize("chunk", [17, 64, 500])
def test_the_size_of_chunks_does_not_matter(tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "CHUNK", chunk)
    lines = [sale(1), b"\n", sale(2, product='"a\n""b"",\r\nc"'), sale(3, quantity="x"), sale(1), sale(4, region='"x')]
    found = parsed(tmp_path, HEADER + b"".join(lines) + sale(5)[:-1])
    assert rows(found, "transaction_id", "product") == [("T1", "Lamp"), ("T2", 'a\n"b",\r\nc'), ("T5", "Lamp")]
    assert [reject[:3] for reject in rejects(found)] == [(7, "quantity", "bad_number"), (9, None, "unclosed_quote")]
    assert found.duplicates == 1


def test_names_and_contents_are_never_sql(tmp_path: Path) -> None:
    nasty = """'); DROP TABLE records; --"""
    header = HEADER[:-1] + b',"' + nasty.encode() + b'""\' || x"\n'
    found = parsed(tmp_path, header + sale(product=nasty)[:-1] + b",'\n")
    assert rows(found, "product") == [(nasty,)]
    assert found.unknown_columns == [nasty + "\"' || x"]
