"""What is measured of one shop, each stage in a process of its own, and the whole run besides."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from salespipe_dagster_tests.bench import report
from salespipe_dagster_tests.bench.compare import differences
from salespipe_dagster_tests.bench.memory import MEGABYTE, PeakMemory
from salespipe_dagster_tests.bench.report import Line
from salespipe_dagster_tests.bench.shop import Shop
from salespipe_dagster_tests.mariadb_server import Server
from salespipe_spark import months

PACKAGE = "salespipe_dagster_tests.bench"
ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).parent / "salespipe"
LINES_QUERY = """SELECT d.orderNumber, d.productCode, d.quantityOrdered, d.priceEach, d.orderLineNumber, o.orderDate
    FROM orderdetails d JOIN orders o ON o.orderNumber = d.orderNumber
    WHERE o.orderDate >= '{first}' AND o.orderDate < '{end}'"""
ORDERS_QUERY = """SELECT orderNumber, orderDate, requiredDate, shippedDate, status, comments, customerNumber
    FROM orders WHERE orderDate >= '{first}' AND orderDate < '{end}'"""


Turns = dict[str, Callable[[int], dict[str, Any]]]
"""What is measured side by side: what it is called, and how one turn of it is taken."""


@dataclass
class Measurement:
    """The measurements of one shop; each is taken `repeat` times, and the quickest counts."""

    server: Server
    shop: Shop
    folder: Path
    repeat: int
    lines: list[Line] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def take(self, *, floor_only: bool) -> None:
        """Take all of them; with `floor_only` what is ours is not timed, but made where a floor reads it."""
        client, duckdb = "the client reads orders and lines", "DuckDB makes the tables"
        reading: Turns = {client: lambda _: self._client()} | ({} if floor_only else {"extraction": self._extraction})
        making: Turns = {duckdb: self._duckdb} | ({} if floor_only else {"transforms": self._transforms})
        best = self._best(reading) | self._best({"staging": self._staging}, times=1) | self._best(making)
        self.lines += self._extracted(best[client], best.get("extraction", {}))
        if not floor_only:
            self.lines += _staged(best["staging"])
        self.lines += self._transformed(best[duckdb], best.get("transforms", {}))
        if not floor_only:
            self.differing = differences(self._at("ours"), self._at("floor"), self._at("lake"))
            self.lines.append(self.whole_run("salespipe run"))

    def whole_run(self, stage: str, most_seconds: float | None = None) -> Line:
        """The command as a user starts it, over all months into an empty lake."""
        best = self._best({stage: lambda turn: self._run(self._at("home", turn))})[stage]
        rows = None if most_seconds else self.shop.lines
        return Line(stage, best["seconds"], rows, peak=best["peak"], most_seconds=most_seconds)

    def month_by_month(self, at_once: Line) -> Line:
        """The months of `whole_run` by a run each."""
        home = self._at("home-of-months")
        once_each = "a run for each month"
        best = self._best({once_each: lambda _: self._runs(home)}, times=1)[once_each]
        stage = "the same, a run for each month; beside it all at once"
        return Line(stage, best["seconds"], floor=at_once.seconds, peak=best["peak"], least_ratio=report.RANGE)

    def _extracted(self, floor: dict[str, Any], ours: dict[str, Any]) -> list[Line]:
        shop, seconds = self.shop, ours.get("seconds")
        memory = {"growth": ours.get("growth"), "peak": ours.get("peak"), "most_growth": report.GROWTH}
        whole = Line(
            "extraction: orders and lines to Parquet by month",
            seconds,
            shop.orders + shop.lines,
            floor["seconds"],
            most_ratio=report.RATIO,
            **memory,
        )
        counts = {"order_details": shop.lines, "orders": shop.orders}
        each = [
            Line(f"  {name}", ours.get("tables", {}).get(name), count, floor["tables"][name])
            for name, count in counts.items()
        ]
        return [whole, *each]

    def _transformed(self, floor: dict[str, Any], ours: dict[str, Any]) -> list[Line]:
        title = "transforms, audit and publish: core and marts"
        memory = {"growth": ours.get("growth"), "peak": ours.get("peak")}
        whole = Line(title, ours.get("seconds"), self.shop.lines, floor["seconds"], most_ratio=report.RATIO, **memory)
        made: dict[str, dict[str, float]] = ours.get("tables", {})
        phases = [
            Line(f"  {phase} in all", sum(each[phase] for each in made.values()))
            for phase in ("stage", "audit", "publish")
            if made
        ]
        each = [
            Line(f"  {name}", sum(made[name].values()) if made else None, None, seconds)
            for name, seconds in floor["tables"].items()
        ]
        return [whole, *phases, *each]

    def _client(self) -> dict[str, Any]:
        """The command-line client with --quick, its output thrown away: two statements, one after the other."""
        dates = {"first": months.first_day(self.shop.first_month), "end": months.end_day(self.shop.last_month)}
        seconds: dict[str, float] = {}
        for name, query in (("order_details", LINES_QUERY), ("orders", ORDERS_QUERY)):
            start = time.perf_counter()
            command = [
                *self.server.client("--quick", "--batch", self.shop.database),
                "--execute",
                query.format(**dates),
            ]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            seconds[name] = time.perf_counter() - start
        return {"seconds": sum(seconds.values()), "tables": seconds}

    def _extraction(self, turn: int) -> dict[str, Any]:
        return self._stage("extraction", self.server.url(self.shop.database), self._at(f"scan-{turn}"))

    def _staging(self, turn: int) -> dict[str, Any]:
        return self._stage("staging", self.server.url(self.shop.database), self._at("lake"))

    def _transforms(self, turn: int) -> dict[str, Any]:
        return self._stage("transforms", str(self._at("lake")), self._at("ours", turn))

    def _duckdb(self, turn: int) -> dict[str, Any]:
        places = (str(self._at("lake")), str(self._at("floor", turn)))
        return in_process(f"{PACKAGE}.floor_duckdb", *places, *self._years())

    def _stage(self, stage: str, origin: str, target: Path) -> dict[str, Any]:
        span = (self.shop.first_month, self.shop.last_month)
        return in_process(f"{PACKAGE}.stages", stage, origin, *span, str(target))

    def _runs(self, home: Path) -> dict[str, Any]:
        runs = [self._run(home, "--months", month) for month in self.shop.months]
        return {"seconds": sum(run["seconds"] for run in runs), "peak": max(run["peak"] for run in runs)}

    def _run(self, home: Path, *options: str) -> dict[str, Any]:
        settings = {
            "HOME": str(home),
            "SOURCE_URL": self.server.url(self.shop.database),
            "START_MONTH": self.shop.first_month,
            "END_MONTH": self.shop.last_month,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SALESPIPE_")}
        environment = kept | {f"SALESPIPE_{name}": value for name, value in settings.items()}
        start = time.perf_counter()
        with home.with_name(f"{home.name}.log").open("w+") as log:
            process = subprocess.Popen([str(COMMAND), "run", *options], env=environment, stdout=log, stderr=log)
            try:
                with PeakMemory(process.pid, tree=True, every=0.05) as memory:
                    code = process.wait()
            finally:
                process.kill()
            seconds = time.perf_counter() - start
            if code:
                log.seek(0)
                raise RuntimeError(f"salespipe run ended with {code}:\n{log.read()[-4000:]}")
        return {"seconds": seconds, "peak": memory.peak / MEGABYTE}

    def _best(self, sides: Turns, times: int | None = None) -> dict[str, dict[str, Any]]:
        return quickest(self.shop, times or self.repeat, sides)

    def _at(self, name: str, turn: int | None = None) -> Path:
        """A place of this shop; of several turns the first one's has the plain name."""
        return self.folder / f"{self.shop.database}-{name}{f'-{turn}' if turn else ''}"

    def _years(self) -> tuple[str, str]:
        return f"{self.shop.first_month[:4]}-01-01", f"{int(self.shop.last_month[:4]) + 1}-12-31"


def quickest(shop: Shop, repeat: int, sides: Turns) -> dict[str, dict[str, Any]]:
    """The quickest of several turns of each side, turn about: a busy hour is so for all; the most memory of all."""
    turns: dict[str, list[dict[str, Any]]] = {what: [] for what in sides}
    for turn in range(repeat):
        for what, once in sides.items():
            turns[what].append(once(turn))
            click.echo(f"{shop.lines:>10,} lines: {what}: {turns[what][-1]['seconds']:.2f} s", err=True)
    return {what: _quickest(taken) for what, taken in turns.items()}


def _quickest(turns: list[dict[str, Any]]) -> dict[str, Any]:
    most = {key: max(turn[key] for turn in turns) for key in ("growth", "peak") if key in turns[0]}
    return min(turns, key=lambda turn: turn["seconds"]) | most


def in_process(module: str, *arguments: str) -> dict[str, Any]:
    """What a stage of this module tells, in a process of its own."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def company_lines(server: Server, folder: Path, repeat: int) -> list[Line]:
    """The synthetic company's month: made on one core, and made and written; the quickest turn of each counts."""
    module = f"{PACKAGE}.company"
    made = min((in_process(module, "generation") for _ in range(repeat)), key=lambda turn: turn["seconds"])
    written = [_company_written(server, folder, module, turn) for turn in range(repeat)]
    floor, ours = (min(turn[side] for turn in written) for side in ("floor", "seconds"))
    lines, rows, peak = made["lines"], written[0]["rows"], max(turn["peak"] for turn in written)
    memory = {"growth": made["growth"], "peak": made["peak"], "most_growth": report.GROWTH}
    return [
        Line(
            "its orders, lines and payments made",
            made["seconds"],
            lines,
            most_seconds=lines / report.GENERATED,
            **memory,
        ),
        Line("made and written, beside LOAD DATA", ours, rows, floor, peak=peak, most_ratio=report.WRITTEN),
    ]


def _company_written(server: Server, folder: Path, module: str, turn: int) -> dict[str, Any]:
    names = [f"company_{side}_{turn}" for side in ("floor", "ours")]
    with server.cursor() as cursor:
        cursor.execute("SET GLOBAL local_infile = 1")
        for name in names:
            cursor.execute(f"CREATE DATABASE {name}")
    try:
        return in_process(module, "writing", *(server.url(name) for name in names), str(folder))
    finally:
        with server.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP DATABASE {name}")


def _staged(staged: dict[str, Any]) -> list[Line]:
    rest = staged["seconds"] - staged["fingerprints"] - staged["audits"]
    return [
        Line("staging as a run does it: all tables of the source", staged["seconds"]),
        Line("  fingerprints", staged["fingerprints"]),
        Line("  scans, and the search for torn reads", rest),
        Line("  audit", staged["audits"]),
    ]
