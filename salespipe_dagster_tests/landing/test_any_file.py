"""Whatever the dialect, the same rows land; whatever the bytes, every record is accounted for."""

import csv
import gzip
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salespipe_dagster.landing import records, unpacked
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.reasons import Reason
from salespipe_dagster.landing.values import cut
from salespipe_dagster_tests.landing.landed import HEADER, parsed, rejects, rows, sale

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
NAMES = HEADER.decode().strip().split(",")
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(",\"\n\n;|'"), min_size=1
)
NAMES_OF_THINGS = TEXTS.map(lambda text: text.strip(" \t")).filter(bool)
ANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def sales(draw: st.DrawFn) -> dict[str, Any]:
    quantity = draw(st.integers(0, 10_000))
    price = draw(st.decimals(0, 99_999_999, places=2))
    return {
        "moment": draw(st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))),
        "zone": draw(st.none() | st.integers(-14 * 60, 14 * 60)),
        "digits": draw(st.integers(0, 9)),
        "customer_id": draw(NAMES_OF_THINGS),
        "product": draw(NAMES_OF_THINGS),
        "quantity": quantity,
        "unit_price": price,
        "region": draw(NAMES_OF_THINGS),
        "total_amount": quantity * price,
    }


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "order": draw(st.permutations([*NAMES, "comment"])),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "mark": draw(st.booleans()),
        "pack": draw(st.sampled_from(["", "gzip", "zstd"])),
        "last_end": draw(st.booleans()),
        "chunk": draw(st.sampled_from([50, 333, 8 << 20])),
    }


def written(found: list[dict[str, Any]], dialect: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=dialect["end"], quoting=dialect["quoting"])
    writer.writerow(name.upper() for name in dialect["order"])
    for number, row in enumerate(found):
        values = row | {"transaction_id": f"T{number}", "date": moment(row), "comment": 'of "no" use,\n'}
        writer.writerow(values[name] for name in dialect["order"])
    content = text.getvalue()
    if not dialect["last_end"]:
        content = content.removesuffix(dialect["end"])
    encoded = content.encode("utf-8-sig" if dialect["mark"] else "utf-8")
    if dialect["pack"] == "gzip":
        return gzip.compress(encoded, 1)
    return pa.compress(encoded, "zstd", asbytes=True) if dialect["pack"] else encoded


def moment(row: dict[str, Any]) -> str:
    fraction = f"{row['moment'].microsecond:06d}999"[: row["digits"]]
    zone = row["zone"]
    offset = "" if zone is None else f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"
    return f"{row['moment']:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}{offset}"


def typed(number: int, row: dict[str, Any]) -> tuple[Any, ...]:
    digits = min(row["digits"], 6)
    cut = row["moment"].microsecond // 10 ** (6 - digits) * 10 ** (6 - digits)
    sold_at = row["moment"].replace(microsecond=cut, tzinfo=UTC) - timedelta(minutes=row["zone"] or 0)
    texts = row["customer_id"], row["product"]
    return (
        f"T{number}",
        sold_at,
        row["moment"].date(),
        *texts,
        row["quantity"],
        row["unit_price"],
        row["region"],
        row["total_amount"],
    )


@ANY
@given(st.lists(sales(), min_size=1, max_size=12), dialects())
def test_the_same_rows_land_whatever_the_dialect(
    tmp_path: Path, found: list[dict[str, Any]], dialect: dict[str, Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacked, "CHUNK", dialect["chunk"])
        outcome = parsed(tmp_path, written(found, dialect))
    assert (outcome.status, outcome.reasons, outcome.unknown_columns) == (Status.LANDED, {}, ["COMMENT"])
    expected = sorted((typed(number, row) for number, row in enumerate(found)), key=str)
    assert rows(outcome) == expected
    total = sum((amount for (amount,) in rows(outcome, "total_amount")), Decimal(0))
    assert total == sum((row["total_amount"] for row in found), Decimal(0))
    days: list[date] = [day for (day,) in rows(outcome, "sale_date")]
    assert set(outcome.parts) == {f"{day:%Y-%m}" for day in days}


@ANY
@given(
    st.lists(
        st.sampled_from([sale(1), sale(2), sale(3, region='"a,\nb"'), sale(4, quantity="x")])
        | st.binary(max_size=30)
        | st.text('",\nT1', max_size=12).map(str.encode),
        max_size=12,
    )
)
def test_every_record_is_landed_quarantined_or_a_duplicate(tmp_path: Path, pieces: list[bytes]) -> None:
    """Any bytes after a header: no crash, and no record lost; the sum itself is asserted by Parsed."""
    outcome = parsed(tmp_path, HEADER + b"".join(pieces))
    if outcome.status is Status.LANDED:
        lines = [line for line, *_ in rejects(outcome)]
        assert len(lines) == outcome.quarantined
        assert len(rows(outcome, "transaction_id")) == outcome.landed


@settings(ANY, max_examples=1000)
@given(
    st.lists(st.sampled_from([b'"', b",", b"\n", b"\r\n", b"a", b'""', b" ", b'"b\n"', b",x"]), max_size=40),
    st.integers(1, 9),
)
def test_records_do_not_depend_on_chunks_and_are_those_of_pythons_csv(pieces: list[bytes], size: int) -> None:
    """Where Python's strict reader takes the whole file, the records are its records, on its lines."""
    content = b"".join(pieces)
    chunks = [content[i : i + size] for i in range(0, len(content), size)]
    one, many = (list(records.records(given, quotes=True)) for given in ([content], chunks))
    assert flat(one) == flat(many)
    text = content.decode()
    if '"' in re.sub(r'(?:^|(?<=[,\n]))"(?:[^"]|"")*"(?=,|\r?\n|$)', "", text) or " " in text:
        return
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [row for row in reader if row]
    except csv.Error:
        return
    assert len(rows) == sum(len(some.lines) for some in one)
    assert not any(some.spoiled for some in one)


@settings(ANY, max_examples=1000)
@given(
    st.lists(st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"a", b'""', b" ", b"\xef\xbb\xbf"]), max_size=30),
    st.integers(1, 3),
)
def test_values_are_those_of_the_grammar_whoever_cuts_them(pieces: list[bytes], width: int) -> None:
    """Arrow's reader and ours take one record for the same, by itself and among others."""
    names = ["a", "", "c"][:width]
    columns = [f"t_{name}" for name in names if name]
    for found in records.records([b"".join(pieces)], quotes=True):
        rows, spoiled = cut(found, names)
        lines, rejected = rows["line"].to_pylist(), {each.line: each for each in [*found.spoiled, *spoiled]}
        assert sorted([*lines, *rejected]) == sorted([*found.lines.tolist(), *(each.line for each in found.spoiled)])
        kept = dict(zip(lines, rows.select(["text", *columns]).to_pylist(), strict=True))
        for line, text in zip(found.lines.tolist(), found.texts.to_pylist(), strict=True):
            values = by_the_grammar(text)
            if values is not None and len(values) == width:
                given = [value for value, name in zip(values, names, strict=True) if name]
                assert kept[line] == {"text": text, **dict(zip(columns, given, strict=True))}
            else:
                reason = Reason.STRAY_QUOTE if values is None else Reason.RAGGED_LINE
                assert (rejected[line].reason, rejected[line].text) == (reason, text)


def by_the_grammar(text: str) -> list[str] | None:
    """The values of a record, character by character; None where a quote stands where none may."""
    values: list[str] = []
    while True:
        bare = text.lstrip(" \t")
        if bare.startswith('"'):
            value, text = "", bare[1:]
            while text.startswith('""') or not text.startswith('"'):
                step = 2 if text.startswith('""') else 1
                value, text = value + text[step - 1 : step], text[step:]
            text = text[1:].lstrip(" \t")
        else:
            value, comma, rest = text.partition(",")
            text = comma + rest
            if '"' in value:
                return None
        values.append(value.strip(" \t"))
        if not text:
            return values
        if not text.startswith(","):
            return None
        text = text[1:]


def flat(found: list[records.Records]) -> list[Any]:
    good = [
        (line, text) for some in found for line, text in zip(some.lines.tolist(), some.texts.to_pylist(), strict=True)
    ]
    return [sorted(good), sorted((bad.line, bad.reason, bad.text) for some in found for bad in some.spoiled)]
