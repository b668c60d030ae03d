"""What is put aside, with its line, its column, the reason and the text; and what looks like it and lands."""

import inspect
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from salespipe_dagster.landing import records
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.reasons import MEANINGS, Reason
from salespipe_dagster_tests.landing.landed import HEADER, parsed, rejects, rows, sale

REJECTED = [
    ({"date": "2024-02-30"}, "date", "bad_date"),
    ({"date": "2024-13-01"}, "date", "bad_date"),
    ({"date": "2024-5-1"}, "date", "bad_date"),
    ({"date": "31.05.2024"}, "date", "bad_date"),
    ({"date": "on 2024-05-31"}, "date", "bad_date"),
    ({"date": "2024-05-31 or so"}, "date", "bad_date"),
    ({"date": "20240531"}, "date", "bad_date"),
    ({"date": "2024-05-31 24:00:00"}, "date", "bad_date"),
    ({"date": "2024-05-31T10:60:00"}, "date", "bad_date"),
    ({"date": "2024-05-31T10:00:60"}, "date", "bad_date"),
    ({"date": "2024-05-31T"}, "date", "bad_date"),
    ({"date": "2024-05-31Z"}, "date", "bad_date"),
    ({"date": "2024-05-31T10:00:00+15:00"}, "date", "bad_date"),
    ({"date": "2024-05-31T10:00:00+02:60"}, "date", "bad_date"),
    ({"date": "2024-05-31 10:00:00 Europe/Berlin"}, "date", "bad_date"),
    ({"date": "infinity"}, "date", "bad_date"),
    ({"date": "epoch"}, "date", "bad_date"),
    ({"date": "0044-03-15 (BC)"}, "date", "bad_date"),
    ({"date": "\u0662\u0660\u0662\u0664-05-31"}, "date", "bad_date"),
    ({"date": "2023-12-31"}, "date", "out_of_range"),
    ({"date": "2023-12-31T23:59:59-02:00"}, "date", "out_of_range"),
    ({"date": "2026-01-01"}, "date", "out_of_range"),
    ({"date": "0001-01-01"}, "date", "out_of_range"),
    ({"date": "9999-12-31"}, "date", "out_of_range"),
    ({"date": ""}, "date", "missing_value"),
    ({"id": ""}, "transaction_id", "missing_value"),
    ({"id": "  "}, "transaction_id", "missing_value"),
    ({"customer": '""'}, "customer_id", "missing_value"),
    ({"quantity": ""}, "quantity", "missing_value"),
    ({"quantity": "two"}, "quantity", "bad_number"),
    ({"quantity": "1e3"}, "quantity", "bad_number"),
    ({"quantity": "0x2"}, "quantity", "bad_number"),
    ({"quantity": "1_000"}, "quantity", "bad_number"),
    ({"quantity": "\u0662"}, "quantity", "bad_number"),
    ({"quantity": "\u00a02"}, "quantity", "bad_number"),
    ({"quantity": "true"}, "quantity", "bad_number"),
    ({"quantity": "2.5"}, "quantity", "too_many_decimals"),
    ({"quantity": "2147483648"}, "quantity", "too_large"),
    ({"quantity": "-2", "total": "-19.98"}, "quantity", "negative_quantity"),
    ({"quantity": '"2,0"'}, "quantity", "decimal_comma"),
    ({"price": "NaN"}, "unit_price", "bad_number"),
    ({"price": "inf"}, "unit_price", "bad_number"),
    ({"price": "9.99e0"}, "unit_price", "bad_number"),
    ({"price": "$9.99"}, "unit_price", "bad_number"),
    ({"price": "9.99 USD"}, "unit_price", "bad_number"),
    ({"price": "."}, "unit_price", "bad_number"),
    ({"price": '"9,99"'}, "unit_price", "decimal_comma"),
    ({"price": '"1.009,99"'}, "unit_price", "decimal_comma"),
    ({"price": '"1,009.99"'}, "unit_price", "bad_number"),
    ({"price": "9.994"}, "unit_price", "too_many_decimals"),
    ({"price": "9.99000000000000000001"}, "unit_price", "too_many_decimals"),
    ({"price": "100000000.00"}, "unit_price", "too_large"),
    ({"price": "-9.99", "total": "-19.98"}, "unit_price", "negative_amount"),
    ({"total": "19.97"}, "total_amount", "total_mismatch"),
    ({"total": "19.980000001"}, "total_amount", "too_many_decimals"),
    ({"total": "12345678901234567.00"}, "total_amount", "too_large"),
    ({"region": "North,"}, None, "ragged_line"),
    ({"region": "North,South"}, None, "ragged_line"),
    ({"product": "Lamp, large", "total": ""}, None, "ragged_line"),
    ({"product": 'La"mp'}, None, "stray_quote"),
    ({"product": '5" pipe'}, None, "stray_quote"),
    ({"product": '"Lamp"s"'}, None, "stray_quote"),
    ({"product": '"Lamp" and "Desk"'}, None, "stray_quote"),
    ({"product": '"La\\"mp"'}, None, "stray_quote"),
    ({"product": '"Lamp'}, None, "unclosed_quote"),
    ({"product": '"Lamp""'}, None, "unclosed_quote"),
    ({"product": "La\x00mp"}, None, "control_character"),
    ({"product": "La\x1fmp"}, None, "control_character"),
]


@pytest.mark.parametrize(("values", "column", "reason"), REJECTED)
def test_a_bad_record_is_put_aside_with_line_column_reason_and_text(
    tmp_path: Path, values: dict[str, str], column: str | None, reason: str
) -> None:
    bad = sale(2, **values)
    found = parsed(tmp_path, HEADER + sale(1) + bad + sale(3, product='"a\nb"') + sale(4))
    assert rejects(found) == [(3, column, reason, bad.decode().removesuffix("\n"))]
    assert rows(found, "transaction_id") == [("T1",), ("T3",), ("T4",)]
    assert (found.records, found.reasons) == (4, {reason: 1})


LANDING = [
    ({"date": "2024-05-31 23:59:59"}, "sold_at", datetime(2024, 5, 31, 23, 59, 59, tzinfo=UTC)),
    ({"date": "2024-05-31T23:59:59.999999999"}, "sold_at", datetime(2024, 5, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    (
        {"date": "2024-05-31T10:00:00.99999950000000001+00:00"},
        "sold_at",
        datetime(2024, 5, 31, 10, 0, 0, 999999, tzinfo=UTC),
    ),
    ({"date": "2024-05-31T10:00:00.5Z"}, "sold_at", datetime(2024, 5, 31, 10, 0, 0, 500000, tzinfo=UTC)),
    ({"date": "2024-05-31 10:00:00.123456 UTC"}, "sold_at", datetime(2024, 5, 31, 10, 0, 0, 123456, tzinfo=UTC)),
    ({"date": "2024-05-31t10:00z"}, "sold_at", datetime(2024, 5, 31, 10, tzinfo=UTC)),
    ({"date": "2024-05-31T01:00:00+02:00"}, "sold_at", datetime(2024, 5, 30, 23, tzinfo=UTC)),
    ({"date": "2024-05-31T01:00:00+0200"}, "sale_date", date(2024, 5, 31)),
    ({"date": "2024-05-31 23:30:00 -01:30"}, "sold_at", datetime(2024, 6, 1, 1, tzinfo=UTC)),
    ({"date": "2024-05-31 23:30:00-05"}, "sale_date", date(2024, 5, 31)),
    ({"date": "2024-05-31T10:00:00.Z"}, "sold_at", datetime(2024, 5, 31, 10, tzinfo=UTC)),
    ({"date": "2024-02-29"}, "sale_date", date(2024, 2, 29)),
    ({"date": "2024-01-01T00:00:00+14:00"}, "sold_at", datetime(2023, 12, 31, 10, tzinfo=UTC)),
    ({"quantity": "2.0"}, "quantity", 2),
    ({"quantity": "002"}, "quantity", 2),
    ({"quantity": " 2 "}, "quantity", 2),
    ({"quantity": "\t2"}, "quantity", 2),
    ({"quantity": '"2"'}, "quantity", 2),
    ({"quantity": ' "2"\t'}, "quantity", 2),
    ({"quantity": "0", "total": "0"}, "total_amount", Decimal("0.00")),
    ({"quantity": "2147483647", "price": "0.01", "total": "21474836.47"}, "quantity", 2147483647),
    ({"price": "9.9900"}, "unit_price", Decimal("9.99")),
    ({"price": "10", "total": "20."}, "total_amount", Decimal("20.00")),
    ({"price": ".5", "total": "1"}, "unit_price", Decimal("0.50")),
    ({"quantity": "9", "price": "99999999.99", "total": "899999999.91"}, "total_amount", Decimal("899999999.91")),
    ({"price": "0.1", "quantity": "3", "total": "0.3"}, "total_amount", Decimal("0.30")),
    ({"product": '"Lamp, ""large"""'}, "product", 'Lamp, "large"'),
    ({"product": '" Lamp "'}, "product", "Lamp"),
    ({"product": '"a\r\nb"'}, "product", "a\r\nb"),
    ({"product": "Gr\u00fc\u00dfe \U0001f4a1"}, "product", "Gr\u00fc\u00dfe \U0001f4a1"),
    ({"product": "NULL"}, "product", "NULL"),
    ({"product": "l'lamp;--"}, "product", "l'lamp;--"),
    ({"customer": "007"}, "customer_id", "007"),
]


@pytest.mark.parametrize(("values", "column", "expected"), LANDING)
def test_a_value_is_read_as_it_is_meant(tmp_path: Path, values: dict[str, str], column: str, expected: object) -> None:
    """Beside a plain line, and beside one with quotes and blanks: each is read by a query of its own."""
    for beside in (sale(1), sale(1, product=' "x" ')):
        assert ("T2", expected) in rows(parsed(tmp_path, HEADER + beside + sale(2, **values)), "transaction_id", column)


def test_a_missing_comma_and_one_too_many_are_ragged_lines(tmp_path: Path) -> None:
    """DuckDB takes a line with an empty value too many, in which all values may stand one column further."""
    found = parsed(tmp_path, HEADER + sale(1) + b"T2,2024-05-31\n" + sale(3)[:-1] + b",\n   \n")
    assert [reject[:3] for reject in rejects(found)] == [(line, None, "ragged_line") for line in (3, 4, 5)]


def test_an_unclosed_quote_costs_one_line_not_the_rest_of_the_file(tmp_path: Path) -> None:
    after = b"".join(sale(i) for i in range(3, 100))
    found = parsed(tmp_path, HEADER + sale(1) + sale(2, region='"North') + after + sale(100, product='"a, b"'))
    assert rejects(found) == [(3, None, "unclosed_quote", sale(2, region='"North').decode()[:-1])]
    assert found.landed == 99


def test_an_unclosed_quote_at_the_end_of_the_file(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER + sale(1) + sale(2, total='"19.98')[:-1])
    assert [reject[:3] for reject in rejects(found)] == [(3, None, "unclosed_quote")]


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """A count of records is too low after each line end inside quotes, and after each empty line."""
    content = b"\xef\xbb\xbf" + HEADER + sale(1, product='"a\nb\n\nc"') + b"\n\r\n" + sale(2, quantity="x")
    content += sale(3, product='"d\r\ne"', quantity="y") + sale(4, quantity="z")
    for written in (content, content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        assert [reject[0] for reject in rejects(parsed(tmp_path, written))] == [8, 9, 11]


def test_line_ends_may_be_mixed_and_those_of_an_old_macintosh(tmp_path: Path) -> None:
    lines = HEADER + sale(1).replace(b"\n", b"\r\n") + sale(2) + sale(3)[:-1]
    assert parsed(tmp_path, lines).landed == 3
    assert parsed(tmp_path, lines.replace(b"\r", b"").replace(b"\n", b"\r")).landed == 3


def test_bytes_that_are_no_utf_8_are_put_aside_and_shown(tmp_path: Path) -> None:
    """Readers of the engines turn them into a replacement character, and nobody hears of it."""
    bad = sale(2, region="K\xf6ln").decode().encode("latin-1")
    found = parsed(tmp_path, HEADER + sale(1, region="K\u00f6ln") + bad + sale(3))
    assert rejects(found) == [(3, None, "bad_encoding", r"T2,2024-05-31,C1,Lamp,2,9.99,K\xf6ln,19.98")]
    assert found.status is Status.LANDED


def test_a_line_without_end_is_put_aside_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST", 1000)
    monkeypatch.setattr("salespipe_dagster.landing.unpacked.CHUNK", 300)
    found = parsed(tmp_path, HEADER + sale(1) + sale(2, product="x" * 5000) + sale(3) + b"y" * 3000)
    assert [reject[:3] for reject in rejects(found)] == [(3, None, "line_too_long"), (5, None, "line_too_long")]
    assert (found.landed, found.records) == (2, 4)


def test_a_quoted_value_that_goes_on_for_too_long_is_unclosed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether chunks end in it or not: what waits for its end is never more than the longest record."""
    monkeypatch.setattr(records, "LONGEST", 1000)
    content = HEADER + sale(1) + sale(2, product='"x\n' + "y\n" * 600 + 'z"') + sale(3)
    for chunk in (200, 8 << 20):
        monkeypatch.setattr("salespipe_dagster.landing.unpacked.CHUNK", chunk)
        found = parsed(tmp_path, content)
        assert rows(found, "transaction_id") == [("T1",), ("T3",)]
        assert rejects(found)[0][:3] == (3, None, "unclosed_quote")
        assert found.records == 604


def test_every_reason_has_a_meaning_and_a_test() -> None:
    tested = inspect.getsource(sys.modules[__name__]) + (Path(__file__).parent / "test_ndjson.py").read_text()
    tested += (Path(__file__).parent / "test_parse.py").read_text()
    assert set(MEANINGS) == set(Reason)
    assert [reason for reason in Reason if f'"{reason}"' not in tested] == []
