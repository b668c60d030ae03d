"""Rows against seconds and memory: every table, for shops of many sizes, on Sail and on clusters of Apache Spark.

And once on Sail with little memory, to see whether it spills or says clearly that it cannot.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psutil
from rich.console import Console
from rich.table import Table as Grid

from salespipe_dagster_tests.bench import report
from salespipe_dagster_tests.bench.engines import CLUSTERS, SAIL
from salespipe_dagster_tests.bench.measure import PACKAGE, ROOT, in_process
from salespipe_dagster_tests.bench.memory import MEGABYTE
from salespipe_dagster_tests.bench.shop import Shop

ENGINES = (SAIL, *CLUSTERS)
MEMORY = ("engine", "orchestrator", "disk")
LINES_OF_CUSTOMER = 20
"""So many order lines has a customer, as the shop of 1,000,000: twice the lines are twice the customers."""
CAPTION = f"{os.cpu_count()} cores; Sail is within the orchestrator; on the disk is what was spilled, and shuffled"
LEFT = 0.05
"""The share of the machine's memory that must be left, or the engine is stopped before the system picks a victim."""


@dataclass(frozen=True)
class Point:
    """What a size came to on an engine: seconds, or why it came to an end; memory and disk in megabytes."""

    lines: int
    engine: str
    told: dict[str, Any]

    @property
    def seconds(self) -> float | None:
        """None where it failed."""
        return self.told.get("seconds")


def scaling(folder: Path, sizes: list[int], repeat: int, pool: int) -> list[Point]:
    """Every size on every engine, and the largest on Sail with so many megabytes; each shop is removed afterwards."""
    points: list[Point] = []
    for lines in sorted(sizes):
        shop = Shop("", lines, "2024-01", "2025-12", lines // LINES_OF_CUSTOMER)
        span, lake = (shop.first_month, shop.last_month), folder / f"scaling-{lines}"
        made = in_process(f"{PACKAGE}.made", str(lake), str(lines), *span, str(shop.customers))
        click.echo(f"{lines:>10,} lines: made in {made['seconds']:.1f} s", err=True)
        for engine in ENGINES:
            turns = [_taken(lake, span, engine) for _ in range(repeat)]
            points.append(Point(lines, engine, min(turns, key=lambda turn: turn.get("seconds", float("inf")))))
        if lines == max(sizes) and pool:
            points.append(Point(lines, f"sail, {pool:,} MB", _taken(lake, span, SAIL, pool)))
        shutil.rmtree(lake)
    return points


def show(points: list[Point]) -> None:
    """Print the table."""
    memory = [f"{name} MB" for name in MEMORY]
    grid = Grid("lines", "engine", "seconds", "lines/s", "beside half", *memory, "goal", box=None, caption=CAPTION)
    for column in (grid.columns[0], *grid.columns[2:-1]):
        column.justify = "right"
    seconds = {(point.lines, point.engine): point.seconds for point in points}
    for point in points:
        taken, half = point.seconds, seconds.get((point.lines // 2, point.engine))
        growth = taken / half if taken and half else None
        held = f"<= {report.DOUBLED:.1f}x {'met' if growth <= report.DOUBLED else 'MISSED'}" if growth else ""
        speed = (f"{taken:,.2f}", f"{point.lines / taken:,.0f}") if taken else ("failed", "")
        sizes = (f"{point.told[name]:,.0f}" if name in point.told else "" for name in MEMORY)
        beside = f"{growth:.2f}x" if growth else ""
        grid.add_row(f"{point.lines:,}", point.engine, *speed, beside, *sizes, held or point.told.get("failed", ""))
    Console(highlight=False, width=160).print(grid)


def _taken(lake: Path, span: tuple[str, str], engine: str, pool: int = 0) -> dict[str, Any]:
    """One turn in a process of its own, which may fail; with a pool in Sail's words for it."""
    folder = lake.with_name("turn")
    folder.mkdir()
    limit = "SAIL_RUNTIME__MEMORY_POOL__"
    limits = {f"{limit}TYPE": "greedy", f"{limit}GREEDY__MAX_SIZE": str(pool * MEGABYTE)}
    stage = ["everything", str(lake), *span, str(folder / "lake"), engine]
    command = [sys.executable, "-m", f"{PACKAGE}.stages", *stage]
    environment = os.environ | (limits if pool else {})
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        try:
            told = _told(process)
        finally:
            _end(process)
    shutil.rmtree(folder, ignore_errors=True)
    came_to = f"{told['seconds']:.2f} s" if "seconds" in told else told["failed"]
    click.echo(f"{lake.name}: {engine}{f' with {pool} MB' if pool else ''}: {came_to}", err=True)
    return told


def _told(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the process prints at its end; it is stopped where it leaves too little memory to the machine."""
    while True:
        try:
            out, _ = process.communicate(timeout=0.5)
            break
        except subprocess.TimeoutExpired:
            machine = psutil.virtual_memory()
            if machine.available < LEFT * machine.total:
                return {"failed": f"stopped, as it left {machine.available / MEGABYTE:,.0f} MB of the machine's memory"}
    if process.returncode:
        return {"failed": f"ended with {process.returncode}"}
    return json.loads(out)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it where it has not ended, and Spark's JVM with it."""
    if process.poll() is None:
        for each in [*psutil.Process(process.pid).children(recursive=True), process]:
            each.kill()
