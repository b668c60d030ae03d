"""NDJSON: values as they are written, and every line accounted for."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from salespipe_dagster.landing.parse import parse
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.version import Version
from salespipe_dagster_tests.landing.landed import AT, parsed, rejects, rows
from salespipe_spark.contract import Column, Feed, Type
from salespipe_spark.tables import tables

GOOD = b'{"customer_id": "C1", "age_group": "25-34", "membership_tier": "Gold", "signup_date": "2020-02-29"}\n'


def test_profiles_land_as_one_part(tmp_path: Path) -> None:
    found = parsed(
        tmp_path,
        GOOD + b'\n{"customer_id":"C2","age_group":null,"name":"\\u00c5sa \\ud83d\\udca1"}',
        "online_customers",
    )
    assert rows(found) == [
        ("C1", "25-34", "Gold", date(2020, 2, 29), None, None, None),
        ("C2", None, None, None, "\u00c5sa \U0001f4a1", None, None),
    ]
    assert found.rows == {"snapshot": 2}


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (b"{", None, "bad_json"),
        (b"C2,25-34", None, "bad_json"),
        (b'{"customer_id": "C2"} {"customer_id": "C3"}', None, "bad_json"),
        (b'{"customer_id": "C2", "age_group": NaN}', None, "bad_json"),
        (b'{"customer_id": "C2",}', None, "bad_json"),
        (b"{'customer_id': 'C2'}", None, "bad_json"),
        (b'{"customer_id": ' + b"[" * 100_000, None, "bad_json"),
        (b'["customer_id", "C2"]', None, "not_an_object"),
        (b'"C2"', None, "not_an_object"),
        (b"null", None, "not_an_object"),
        (b'{"customer_id": "C2", "CUSTOMER_ID ": "C3"}', "customer_id", "duplicate_key"),
        (b'{"customer_id": "C2", "customer_id": "C2"}', "customer_id", "duplicate_key"),
        (b'{"customer_id": {"id": "C2"}}', "customer_id", "nested_value"),
        (b'{"customer_id": "C2", "age_group": ["25-34"]}', "age_group", "nested_value"),
        (b'{"customer_id": true}', "customer_id", "nested_value"),
        (b'{"age_group": "25-34"}', "customer_id", "missing_value"),
        (b'{"customer_id": null}', "customer_id", "missing_value"),
        (b'{"customer_id": " "}', "customer_id", "missing_value"),
        (b"{}", "customer_id", "missing_value"),
        (b'{"customer_id": "C2", "signup_date": "2021-02-29"}', "signup_date", "bad_date"),
        (b'{"customer_id": "C2", "signup_date": 1612137600}', "signup_date", "bad_date"),
        (b'{"customer_id": "C2", "signup_date": "infinity"}', "signup_date", "bad_date"),
        (b'{"customer_id": "C\\u0000"}', "customer_id", "control_character"),
        (b'{"customer_id": "C\\ud800"}', "customer_id", "bad_encoding"),
    ],
)
def test_a_bad_line_is_put_aside_with_its_reason(tmp_path: Path, line: bytes, column: str | None, reason: str) -> None:
    found = parsed(tmp_path, GOOD + b"\n" + line + b"\r\n" + GOOD.replace(b"C1", b"C3"), "online_customers")
    assert [reject[:3] for reject in rejects(found)] == [(3, column, reason)]
    assert rejects(found)[0][3] == line.decode()[: 1 << 14]
    assert rows(found, "customer_id") == [("C1",), ("C3",)]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    """A float holds no more than 2^53 exactly: 9007199254740993 would become another customer."""
    lines = b'{"customer_id": 9007199254740993}\n{"customer_id": "9007199254740992"}\n{"customer_id": 1.10}\n'
    assert rows(parsed(tmp_path, lines, "online_customers"), "customer_id") == [
        ("1.10",),
        ("9007199254740992",),
        ("9007199254740993",),
    ]


def test_money_is_never_a_float(tmp_path: Path) -> None:
    """Prices in NDJSON: as numbers and as texts, to the last digit that a float would lose."""
    columns = (Column("id", Type.BIGINT, "x"), Column("amount", Type.MONEY, "x", nullable=True))
    table = tables()["online_products"]
    contract = replace(table.contract, columns=columns, key=("id",), feed=Feed("x", "ndjson"))
    (tmp_path / "f").write_bytes(
        b'{"id": 9223372036854775807, "amount": 1234567890123456.78}\n{"id": "2", "amount": "0.10"}\n'
        b'{"id": 3, "amount": 1e2}\n{"id": 4, "amount": 0.105}\n{"id": 9223372036854775808}\n{"id": 5}\n'
    )
    version = Version("x", "sales/a.csv", "e", 1, AT)
    table = replace(table, contract=contract)
    found = parse(tmp_path / "f", version, table, "2024-01", "2025-12", tmp_path / "o", 1.0)
    assert rows(found, "id", "amount") == [
        (2, Decimal("0.10")),
        (5, None),
        (9223372036854775807, Decimal("1234567890123456.78")),
    ]
    assert [r[:3] for r in rejects(found)] == [
        (3, "amount", "bad_number"),
        (4, "amount", "too_many_decimals"),
        (5, "id", "too_large"),
    ]


@pytest.mark.parametrize(
    "content", [b"[" + GOOD.strip() + b"]", b" [\n" + GOOD + b"]\n", b'{\n"customer_id": "C1"\n}\n', b"[]"]
)
def test_json_that_is_not_one_object_a_line_is_named(tmp_path: Path, content: bytes) -> None:
    """A reader that skips what it cannot parse would take such a file for an empty one."""
    found = parsed(tmp_path, content, "online_customers")
    assert found.status is Status.FAILED
    assert "jq -c" in found.reason


def test_names_that_the_contract_does_not_know_are_told_once(tmp_path: Path) -> None:
    line = GOOD.replace(b"}", b', "loyalty": {"points": [1]}, "name ": "A"}')
    found = parsed(tmp_path, line + line.replace(b"C1", b"C2"), "online_customers")
    assert (found.unknown_columns, found.landed) == (["loyalty"], 2)
    assert rows(found, "name") == [("A",), ("A",)]


def test_no_line_at_all_lands_as_nothing(tmp_path: Path) -> None:
    found = parsed(tmp_path, b"\n\n", "online_customers")
    assert (found.status, found.records, found.parts) == (Status.LANDED, 0, {})
    assert parsed(tmp_path, b"", "online_customers").status is Status.LANDED


def test_profiles_that_contradict_each_other_are_put_aside(tmp_path: Path) -> None:
    found = parsed(
        tmp_path, GOOD + GOOD + GOOD.replace(b"Gold", b"Silver") + GOOD.replace(b"C1", b"C2") * 2, "online_customers"
    )
    assert (found.landed, found.duplicates, found.reasons) == (1, 1, {"conflicting_id": 3})
