"""What tests of landing share: files that somebody drops, and what has landed of them."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from salespipe_dagster.landing.land import Dock
from salespipe_dagster.landing.ledger import read_landed
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.tables import tables

DAY = datetime(2024, 4, 1, tzinfo=UTC)
HEADER = "transaction_id,date,customer_id,product,quantity,unit_price,region,total_amount"
SALES = tables()["online_sales"]


def sale_line(number: str, day: str, quantity: int = 1) -> str:
    """A line of a sales file; each unit costs 2.50."""
    return f"{number},{day},C1,Lamp,{quantity},2.50,North,{quantity * 2.5:.2f}"


ACROSS = {
    "a": ([sale_line("T1", "2024-01-31"), sale_line("T2", "2024-01-02")], 0),
    "b": ([sale_line("T1", "2024-02-01", 2), sale_line("T3", "2024-02-02")], 1),
    "c": ([sale_line("T1", "2024-03-01", 3), sale_line("T2", "2024-01-02", 7)], 2),
}
"""Three files, each with its age, of which a newer one has a sale of an older one in another month."""


def drop_file(root: Path, key: str, content: str, minutes: float = 0) -> None:
    """Put a file below a folder, as old as so many minutes after midnight."""
    file = root / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    at = int((DAY + timedelta(minutes=minutes)).timestamp() * 1e9)
    os.utime(file, ns=(at, at))


def drop_sales(root: Path, name: str, lines: Sequence[str], minutes: float = 0) -> None:
    """Put a sales file below a folder."""
    drop_file(root, f"sales/{name}.csv", "\n".join([HEADER, *lines]) + "\n", minutes)


def dock_at(folder: Path, lake: str = "lake") -> Dock:
    """Files and a lake in folders, January to March 2024."""
    files, store = LocalStore(folder / "files"), LocalStore(folder / lake)
    return Dock(files, store, folder / "scratch", "2024-01", "2024-03", 0.05, "a run")


def lake_of(dock: Dock) -> LocalStore:
    assert isinstance(dock.lake, LocalStore)
    return dock.lake


def files_of(dock: Dock) -> Path:
    assert isinstance(dock.files, LocalStore)
    return dock.files.root


def counting(lake: LocalStore, part: str) -> list[tuple[str, int]]:
    """The transactions of a month and their quantities, as the newest file has them, by plain SQL."""
    files = [lake.uri(key) for key in read_landed(lake, SALES).parts.get(part, [])]
    if not files:
        return []
    with duckdb.connect() as database:
        return database.execute(
            "SELECT transaction_id, quantity FROM (SELECT *, row_number() OVER (PARTITION BY transaction_id"
            " ORDER BY landed_modified_at DESC, landed_file DESC, is_moved) AS place FROM read_parquet($files))"
            " WHERE place = 1 AND NOT is_moved ORDER BY ALL",
            {"files": files},
        ).fetchall()


def everything(lake: LocalStore) -> dict[str, list[tuple[str, int]]]:
    """The transactions of all months."""
    return {part: rows for part in ("2024-01", "2024-02", "2024-03") if (rows := counting(lake, part))}


def keys_below(root: Path) -> Iterator[str]:
    """Every file below a folder but locks."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and "_locks" not in path.parts:
            yield str(path.relative_to(root))
