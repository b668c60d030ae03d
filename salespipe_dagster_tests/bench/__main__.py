"""`python -m salespipe_dagster_tests.bench`: measure, print one table, leave nothing behind."""

import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

import click

from salespipe_dagster_tests.bench import report
from salespipe_dagster_tests.bench.landing import landing_lines
from salespipe_dagster_tests.bench.measure import Measurement, company_lines
from salespipe_dagster_tests.bench.report import Line
from salespipe_dagster_tests.bench.shop import Shop
from salespipe_dagster_tests.mariadb_server import NoServer, Server, install, running

LARGE = ("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M", "--character-set-server=utf8mb4")


@click.command()
@click.option("--lines", default="1000000,5000000", show_default=True, help="Order lines of each shop to measure.")
@click.option("--repeat", default=2, show_default=True, help="Turns of each stage, of which the quickest counts.")
@click.option("--floor-only", is_flag=True, help="The floors alone.")
def main(lines: str, repeat: int, *, floor_only: bool) -> None:
    """Time and memory by stage, beside the least possible. Exit code 1 where the two sides' answers differ."""
    signal.signal(signal.SIGTERM, _leave)  # so that the server and the temporary files go as well
    load = report.load()
    sections: dict[str, list[Line]] = {}
    differing: list[str] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="salespipe-bench-") as name,
            running(install(Path(name, "db")), *LARGE) as server,
        ):
            for count in (int(text) for text in lines.split(",")):
                shop = Shop(f"shop_{count}", count, "2024-01", "2025-12")
                taken = _measured(server, shop, Path(name), repeat, floor_only=floor_only)
                sections[f"{count:,} order lines, 24 months"] = taken.lines
                differing += taken.differing
            if not floor_only:
                sections["the fixed cost"] = _fixed_cost(server, Path(name), repeat)
                sections["files that land"] = landing_lines(Path(name), repeat)
                sections["the synthetic company, one month"] = company_lines(server, Path(name), repeat)
    except NoServer as error:
        raise click.ClickException(str(error)) from error
    report.show(sections, load)
    for line in differing:
        click.echo(f"the answers differ: {line}", err=True)
    if differing:
        sys.exit(1)
    if not floor_only:
        click.echo("Floor and pipeline made the same tables, cell by cell.")


def _measured(server: Server, shop: Shop, folder: Path, repeat: int, *, floor_only: bool) -> Measurement:
    start = time.perf_counter()
    shop.make(server)
    click.echo(f"{shop.lines:>10,} lines: made in {time.perf_counter() - start:.1f} s", err=True)
    measurement = Measurement(server, shop, folder, repeat)
    measurement.take(floor_only=floor_only)
    shop.drop(server)
    return measurement


def _fixed_cost(server: Server, folder: Path, repeat: int) -> list[Line]:
    shop = Shop("shop_tiny", 60, "2003-01", "2005-06", customers=20, products=20)
    shop.make(server)
    stage = "salespipe run, 30 months, 60 lines"
    measurement = Measurement(server, shop, folder, repeat)
    at_once = measurement.whole_run(stage, most_seconds=report.FIXED_COST)
    return [at_once, measurement.month_by_month(at_once)]


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
