"""What the lake's tests publish, and what a reader sees of it then."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame

from salespipe_dagster_tests.support import Rows, local, read_parquet, write_parquet
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.publish import Published
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import Staged, staged_file
from salespipe_spark.tables import Table, tables

PAYMENTS, FACTS = tables()["payments"], tables()["fact_payments"]
JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


def payment(check: str, day: date, amount: str, customer: int = 103) -> tuple[Any, ...]:
    return (customer, check, day, Decimal(amount))


A1 = payment("A1", date(2024, 1, 1), "10.00")
A2 = payment("A2", date(2024, 1, 31), "0.05")
B1 = payment("B1", date(2024, 2, 29), "99.99", customer=112)
C1 = payment("C1", date(2024, 3, 1), "1.00")
THREE_MONTHS: dict[str, Rows] = {JANUARY: [A1, A2], FEBRUARY: [B1], MARCH: [C1]}


@contextmanager
def staged_payments(
    lake: Lake, by_month: dict[str, Rows], fingerprints: dict[str, str] | None = None
) -> Generator[Staged]:
    """Payments as an extraction stages them: a file for each month that has rows, written without the engine."""
    with lake.staging() as folder:
        opening = lake.open(PAYMENTS, list(by_month))
        for month, rows in by_month.items():
            if rows:
                write_parquet(staged_file(folder, PAYMENTS, month), arrow_schema(PAYMENTS.contract), rows)
        yield lake.audit(opening, folder / "staging" / "payments", fingerprints)


def publish_payments(
    lake: Lake, by_month: dict[str, Rows], run: str = "run 1", fingerprints: dict[str, str] | None = None
) -> list[Published]:
    with staged_payments(lake, by_month, fingerprints) as staged:
        assert staged.passed, staged.checks
        return lake.publish(staged, run)


@contextmanager
def staged_facts(
    lake: Lake, months: list[str], change: Callable[[DataFrame], DataFrame] = lambda rows: rows
) -> Generator[Staged]:
    """fact_payments of these months, made on the engine; `change` spoils what the transform returns."""
    assert FACTS.transform
    with lake.staging() as folder:
        opening = lake.open(FACTS, months)
        yield lake.stage(opening, change(FACTS.transform(lake.read(PAYMENTS, months))), folder)


def publish_facts(lake: Lake, months: list[str], run: str = "run 1") -> list[Published]:
    with staged_facts(lake, months) as staged:
        assert staged.passed, staged.checks
        return lake.publish(staged, run)


def object_of(lake: Lake, table: Table, part: str) -> Path:
    return local(lake).path(lake.key(table, part))


def receipt_of(lake: Lake, table: Table, part: str) -> Receipt:
    receipt = lake.receipt(table, part)
    assert receipt
    return receipt


def rows_in(lake: Lake, table: Table, part: str) -> Rows:
    return sorted(read_parquet(object_of(lake, table, part)))


@dataclass(frozen=True)
class Seen:
    """All that a reader of the lake can see of its files: content and time, by key."""

    files: dict[str, tuple[int, bytes]]

    def changed_to(self, other: "Seen") -> set[str]:
        return {k for k in self.files.keys() | other.files.keys() if self.files.get(k) != other.files.get(k)}


def seen(lake: Lake) -> Seen:
    paths = [p for p in local(lake).root.rglob("*") if p.is_file() and "_locks" not in p.parts]
    return Seen({str(p.relative_to(local(lake).root)): (p.stat().st_mtime_ns, p.read_bytes()) for p in paths})


def of_month(table: Table, part: str) -> set[str]:
    """The keys of a month's object and receipt."""
    folder = f"{table.layer}/{table.name}"
    return {
        f"{folder}/year={part[:4]}/month={part[5:]}/data.parquet",
        f"_receipts/{folder}/{part}.json",
    }


class Crash(Exception):
    """The process is gone."""


def crash_at(lake: Lake, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the run die instead of its nth replacement of an object: odd ones are data, even ones receipts."""
    steps = iter(range(1, step + 1))

    def dying(replacing: Callable[..., str]) -> Callable[..., str]:
        def or_dead(given: object, key: str, seen_etag: str) -> str:
            if next(steps) == step:
                raise Crash
            return replacing(given, key, seen_etag)

        return or_dead

    monkeypatch.setattr(lake.store, "replace", dying(lake.store.replace))
    monkeypatch.setattr(lake.store, "put_over", dying(lake.store.put_over))


def office(code: str, city: str) -> tuple[Any, ...]:
    return (code, city, "+1 215 837 0825", "1550 Court Place", None, None, "Country", "1", "NA")


def publish_snapshot(lake: Lake, name: str, rows: Rows) -> None:
    table = tables()[name]
    with lake.staging() as folder:
        opening = lake.open(table, [SNAPSHOT])
        if rows:
            write_parquet(staged_file(folder, table, SNAPSHOT), arrow_schema(table.contract), rows)
        lake.publish(lake.audit(opening, folder / table.layer / table.name), "run 1")


def publish_locations(lake: Lake) -> None:
    """As the table's asset does: what is its own input is read as it is published."""
    table = tables()["dim_locations"]
    assert table.transform
    with lake.staging() as folder:
        opening = lake.open(table, [SNAPSHOT])
        given = {name: lake.read_published(tables()[name]) for name in table.inputs if name != table.name}
        given[table.name] = lake.read_own(table)
        staged = lake.stage(opening, table.transform(**given), folder)
        assert staged.passed, staged.checks
        lake.publish(staged, "run 1")
