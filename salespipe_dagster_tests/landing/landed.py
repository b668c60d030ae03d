"""For tests of landing: a file's bytes in, what became of them out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from salespipe_dagster.landing.parse import parse
from salespipe_dagster.landing.parsed import Parsed
from salespipe_dagster.landing.version import Version
from salespipe_spark.tables import tables

AT = datetime(2025, 6, 1, 8, 30, tzinfo=UTC)
HEADER = b"transaction_id,date,customer_id,product,quantity,unit_price,region,total_amount\n"
PROVENANCE = ("landed_file", "landed_version", "landed_modified_at", "is_moved")


def parsed(folder: Path, content: bytes, table: str = "online_sales", share: float = 1.0) -> Parsed:
    """A file of a feed, parsed; by default nothing is held."""
    file = folder / "file"
    file.write_bytes(content)
    version = Version(table, "sales/a.csv", "e1", len(content), AT)
    return parse(file, version, tables()[table], "2024-01", "2025-12", folder / "out", share)


def rows(found: Parsed, *columns: str) -> list[tuple[Any, ...]]:
    """The landed rows in order, of the columns named or of all but the provenance."""
    read = [row for part in found.parts.values() for row in pq.ParquetFile(part).read().to_pylist()]
    chosen = columns or [name for name in (read[0] if read else {}) if name not in PROVENANCE]
    return sorted((tuple(row[name] for name in chosen) for row in read), key=str)


def rejects(found: Parsed) -> list[tuple[int, str | None, str, str]]:
    """The quarantined records: line, column, reason, text."""
    read = pq.ParquetFile(found.quarantine).read().to_pylist() if found.quarantine else []
    assert all(row["file"] == "sales/a.csv" for row in read)
    return sorted((row["line"], row["column"], row["reason"], row["text"]) for row in read)


def sale(number: int = 1, **values: str) -> bytes:
    """A line of sales: a good one, but for the values given."""
    given = {
        "id": f"T{number}",
        "date": "2024-05-31",
        "customer": "C1",
        "product": "Lamp",
        "quantity": "2",
        "price": "9.99",
        "region": "North",
        "total": "19.98",
    }
    return ",".join((given | values).values()).encode() + b"\n"
