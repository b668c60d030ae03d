"""Whether the floor and the pipeline made the same tables: a bench of different answers is worthless."""

from pathlib import Path
from typing import Any

import duckdb

from salespipe_dagster_tests.bench import floor


def differences(ours: Path, hand_written: Path, staging: Path) -> list[str]:
    """How the two lakes differ, cell by cell; nothing where they agree."""
    link = duckdb.connect(config={"threads": floor.THREADS})
    found = [line for name in floor.TABLES for line in _unequal(link, name, ours, hand_written)]
    lines = _count(link, _files(staging, "staging", "order_details"))
    facts = _count(link, _files(ours, "core", "fact_orders"))
    return found if lines == facts else [*found, f"{lines} order lines, but {facts} facts"]


def _unequal(link: duckdb.DuckDBPyConnection, name: str, ours: Path, hand_written: Path) -> list[str]:
    left, right = (_files(root, floor.layer(name), name) for root in (ours, hand_written))
    columns, theirs = _columns(link, left), _columns(link, right)
    if sorted(columns) != sorted(theirs):
        return [f"{name}: columns {sorted(set(columns) ^ set(theirs))}"]
    row = ", ".join(column for column, _ in columns)
    digest = f"SELECT count(*), sum(hash({row})::HUGEINT) FROM"
    if _rows(link, f"{digest} {left}") == _rows(link, f"{digest} {right}"):
        return []
    extra = _rows(link, f"SELECT {row} FROM {left} EXCEPT ALL SELECT {row} FROM {right} LIMIT 3")
    missing = _rows(link, f"SELECT {row} FROM {right} EXCEPT ALL SELECT {row} FROM {left} LIMIT 3")
    return [f"{name}: ours has {extra}, the floor {missing}"]


def _columns(link: duckdb.DuckDBPyConnection, files: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in _rows(link, f"DESCRIBE SELECT * FROM {files}")]


def _count(link: duckdb.DuckDBPyConnection, files: str) -> int:
    return _rows(link, f"SELECT count(*) FROM {files}")[0][0]


def _rows(link: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return link.execute(query).fetchall()


def _files(root: Path, layer: str, name: str) -> str:
    return f"read_parquet('{root}/{layer}/{name}/**/*.parquet', hive_partitioning = false)"
