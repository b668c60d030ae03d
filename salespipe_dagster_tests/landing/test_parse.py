"""Files in, rows out: one literal file a rule."""

from datetime import UTC, datetime
from pathlib import Path

from salespipe_dagster.landing.parse import parse
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_dagster.landing.version import Version
from salespipe_spark.tables import tables

AT = datetime(2025, 6, 1, 8, 30, tzinfo=UTC)
HEADER = b"transaction_id,date,customer_id,product,quantity,unit_price,region,total_amount\n"
LINE = b"T1,2024-05-31 10:00:00,C1,Lamp,2,9.99,North,19.98\n"


def parsed(tmp_path: Path, content: bytes, table: str = "online_sales", share: float = 1.0) -> Parsed:
    file = tmp_path / "file"
    file.write_bytes(content)
    version = Version(table, "sales/a.csv", "e1", len(content), AT)
    return parse(file, version, tables()[table], "2024-01", "2025-12", tmp_path / "out", share)


def test_a_file_becomes_one_part_for_each_of_its_months(tmp_path: Path) -> None:
    found = parsed(tmp_path, HEADER + LINE + b"T2,2024-06-01,C1,Lamp,1,9.99,North,9.99\n")
    assert (found.status, found.records, found.rows) == (Status.LANDED, 2, {"2024-05": 1, "2024-06": 1})
