"""The shop's files read by the plainest means, and what they come to: nothing here is shared with their making."""

import csv
import gzip
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from salespipe_dagster.synthetic.online.dropped import OnlineFile

SALES = ("transaction_id", "date", "customer_id", "product", "quantity", "unit_price", "region", "total_amount")
DATE = re.compile(r"(2\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[T ]\d\d:\d\d:\d\d(\.\d{9})?(Z|[+-]\d\d:?\d\d)?")


@dataclass
class Read:
    """What is in a file: its rows by key as far as they are sound, and what became of the others."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    duplicates: int = 0
    quarantined: Counter[str] = field(default_factory=Counter[str])
    records: int = 0

    def add(self, key: str, found: list[dict[str, str]]) -> None:
        """All records of a key: equal ones are one row, others contradict each other."""
        if all(each == found[0] for each in found):
            self.rows[key] = found[0]
            self.duplicates += len(found) - 1
        else:
            self.quarantined["conflicting_id"] += len(found)


def content(file: OnlineFile) -> bytes:
    """What is in the file, unpacked."""
    found = b"".join(file.chunks())
    return gzip.decompress(found) if file.key.endswith(".gz") else found


def sales(file: OnlineFile) -> Read:
    """The sales of a CSV file."""
    read, found = Read(), defaultdict[str, list[dict[str, str]]](list)
    text = content(file).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    header, *records = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = [name.strip().lower() for name in header]
    read.records = len(records)
    for values in records:
        row = dict(zip(names, values, strict=False))
        if reason := "ragged_line" if len(values) != len(names) else wrong(row):
            read.quarantined[reason] += 1
        else:
            found[row["transaction_id"]].append({name: row[name] for name in SALES})
    for key, same in found.items():
        read.add(key, same)
    return read


def wrong(row: dict[str, str]) -> str:
    """Why a sale cannot be taken; nothing where it can."""
    if any("\udc80" <= letter <= "\udcff" for value in row.values() for letter in value):
        return "bad_encoding"
    if not all(row[name] for name in SALES):
        return "missing_value"
    if row["date"].startswith("1999-"):
        return "out_of_range"
    if not DATE.fullmatch(row["date"]):
        return "bad_date"
    for name in ("quantity", "unit_price", "total_amount"):
        if "," in row[name]:
            return "decimal_comma"
        if not re.fullmatch(r"-?\d+(\.\d+)?", row[name]):
            return "bad_number"
        if len(row[name].partition(".")[2]) > 2:
            return "too_many_decimals"
    if int(row["quantity"]) < 0:
        return "negative_quantity"
    right = int(row["quantity"]) * Decimal(row["unit_price"]) == Decimal(row["total_amount"])
    return "" if right else "total_mismatch"


def profiles(file: OnlineFile) -> Read:
    """The profiles of an NDJSON file."""
    read, found = Read(), defaultdict[str, list[dict[str, Any]]](list)
    lines = content(file).decode().splitlines()
    read.records = len(lines)
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            read.quarantined["bad_json"] += 1
            continue
        if not isinstance(row, dict):
            read.quarantined["not_an_object"] += 1
        elif not row["customer_id"]:
            read.quarantined["missing_value"] += 1
        elif not re.fullmatch(r"\d{4}-\d\d-\d\d", row["signup_date"]):
            read.quarantined["bad_date"] += 1
        else:
            found[row["customer_id"]].append(row)
    for key, same in found.items():
        read.add(key, same)
    return read


def products(file: OnlineFile) -> Read:
    """The catalogue of a CSV file."""
    read, found = Read(), defaultdict[str, list[dict[str, str]]](list)
    records = list(csv.DictReader(io.StringIO(content(file).decode(), newline=""), strict=True))
    read.records = len(records)
    for row in records:
        if row["stock"] and not row["stock"].isdigit():
            read.quarantined["bad_number"] += 1
        else:
            found[row["product"]].append(row)
    for key, same in found.items():
        read.add(key, same)
    return read


def newest(files: Iterable[tuple[datetime, str, Read]]) -> dict[str, dict[str, str]]:
    """Of each key the row of the file that was written last."""
    return {key: row for _, _, read in sorted(files, key=lambda each: each[:2]) for key, row in read.rows.items()}


def tallied(rows: Iterable[dict[str, str]], *names: str) -> dict[Any, tuple[int, int, Decimal]]:
    """Sales, units and amount of each value of one column, or each tuple of several."""
    found: dict[Any, tuple[int, int, Decimal]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        sales, units, amount = found.get(key, (0, 0, Decimal("0.00")))
        found[key] = sales + 1, units + int(row["quantity"]), amount + Decimal(row["total_amount"])
    return found
