"""`python -m salespipe_dagster_tests.bench`: measure, print one table, leave nothing behind."""

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType

import click

from salespipe_dagster_tests import s3_servers, spark_servers
from salespipe_dagster_tests.bench import report, scaling
from salespipe_dagster_tests.bench.arrivals import arrival_lines
from salespipe_dagster_tests.bench.landing import landing_lines
from salespipe_dagster_tests.bench.measure import Measurement, company_lines
from salespipe_dagster_tests.bench.report import Line
from salespipe_dagster_tests.bench.shop import Shop
from salespipe_dagster_tests.bench.spark import BothEngines
from salespipe_dagster_tests.mariadb_server import NoServer, Server, install, running

LARGE = ("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M", "--character-set-server=utf8mb4")
SPAN = ("2024-01", "2025-12")
SIZES = "100000,1000000,5000000,10000000,20000000,50000000"
Sections = dict[str, list[Line]]


@dataclass
class Bench:
    """What there is to measure: a method for each section, which says what its lines are headed by."""

    folder: Path
    sizes: list[int]
    repeat: int
    floor_only: bool
    stack: ExitStack
    differing: list[str] = field(default_factory=list[str])

    @cached_property
    def server(self) -> Server:
        """MariaDB, started for the first section that needs it."""
        return self.stack.enter_context(running(install(self.folder / "db"), *LARGE))

    def lines(self) -> Sections:
        """Extraction and transforms beside their floors, and the whole run."""
        found: Sections = {}
        for count in self.sizes:
            start = time.perf_counter()
            shop = Shop(f"shop_{count}", count, *SPAN)
            shop.make(self.server)
            click.echo(f"{shop.lines:>10,} lines: made in {time.perf_counter() - start:.1f} s", err=True)
            taken = Measurement(self.server, shop, self.folder, self.repeat)
            taken.take(floor_only=self.floor_only)
            shop.drop(self.server)
            found[f"{count:,} order lines, 24 months"] = taken.lines
            self.differing += taken.differing
        return found

    def fixed(self) -> Sections:
        """A run over next to nothing."""
        shop = Shop("shop_tiny", 60, "2003-01", "2005-06", customers=20, products=20)
        shop.make(self.server)
        measurement = Measurement(self.server, shop, self.folder, self.repeat)
        at_once = measurement.whole_run("salespipe run, 30 months, 60 lines", most_seconds=report.FIXED_COST)
        return {"the fixed cost": [at_once, measurement.month_by_month(at_once)]}

    def landing(self) -> Sections:
        """Large files beside their floor."""
        return {"files that land": landing_lines(self.folder, self.repeat)}

    def company(self) -> Sections:
        """What the synthetic company makes and writes."""
        return {"the synthetic company, one month": company_lines(self.server, self.folder, self.repeat)}

    def arrivals(self) -> Sections:
        """Ticks of the sensor over many files."""
        return arrival_lines(self.folder, self.repeat)

    def spark(self) -> Sections:
        """Both engines beside the same tables written by hand."""
        found: Sections = {}
        for count in self.sizes:
            taken = BothEngines(Shop("", count, *SPAN), self.folder, self.repeat)
            taken.take()
            found[f"{count:,} order lines, 24 months, on both engines"] = taken.lines
            self.differing += taken.differing
        return found


SECTIONS: dict[str, Callable[[Bench], Sections]] = {
    section.__name__: section
    for section in (Bench.lines, Bench.fixed, Bench.landing, Bench.company, Bench.arrivals, Bench.spark)
}
SCALING = "scaling"
"""Has a table of its own, and takes an hour: it is asked for by name."""


@click.command()
@click.option("--only", multiple=True, type=click.Choice([*SECTIONS, SCALING]), help="A section; all but scaling.")
@click.option("--lines", default="1000000,5000000", show_default=True, help="Order lines of `lines` and `spark`.")
@click.option("--sizes", default=SIZES, show_default=True, help="Order lines of `scaling`.")
@click.option("--pool", default=2_000, show_default=True, help="Megabytes for Sail, once, in `scaling`; 0: not.")
@click.option("--repeat", default=3, show_default=True, help="Turns of each stage, of which the quickest counts.")
@click.option("--floor-only", is_flag=True, help="The floors of `lines` alone.")
def main(only: tuple[str, ...], lines: str, sizes: str, pool: int, repeat: int, *, floor_only: bool) -> None:
    """Time and memory by stage, beside the least possible. Exit code 1 where the two sides' answers differ."""
    signal.signal(signal.SIGTERM, _leave)  # so that the server and the temporary files go as well
    load = report.load()
    chosen = ("lines",) if floor_only else only or tuple(SECTIONS)
    on_spark = {Bench.spark.__name__, SCALING} & set(chosen)
    if on_spark and not spark_servers.installed():
        raise click.ClickException(
            f"there is no java: {', '.join(on_spark)} needs Java 17; --only names other sections"
        )
    found: Sections = {}
    points: list[scaling.Point] = []
    try:
        with tempfile.TemporaryDirectory(prefix="salespipe-bench-") as name, ExitStack() as stack:
            bench = Bench(Path(name), _numbers(lines), repeat, floor_only, stack)
            for section in SECTIONS:
                found |= SECTIONS[section](bench) if section in chosen else {}
            if SCALING in chosen:
                points = scaling.scaling(Path(name), _numbers(sizes), repeat, pool)
    except (NoServer, s3_servers.NoServer, spark_servers.NoServer) as error:
        raise click.ClickException(str(error)) from error
    if found:
        report.show(found, load)
    if points:
        scaling.show(points)
    for line in bench.differing:
        click.echo(f"the answers differ: {line}", err=True)
    if bench.differing:
        sys.exit(1)
    if not floor_only and {"lines", "spark"} & set(chosen):
        click.echo("Floor and pipeline made the same tables, cell by cell.")


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
