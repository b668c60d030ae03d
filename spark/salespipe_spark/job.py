"""One table by one job of Apache Spark, on a cluster where nothing else of salespipe is.

It reads the published inputs, transforms, stages, counts what it staged, and says so as JSON; whoever
started it audits and publishes. It needs pyspark from 3.5 on and Python from 3.11 on, and no other package:

    spark-submit --py-files salespipe_spark.zip salespipe_job.py --lake s3://bucket/prefix
        --table fact_orders --months 2024-01...2024-12 --target s3://bucket/prefix/_staging/mine/core/fact_orders

Started by Dagster Pipes, it logs into the run. What else is on its command line is the service's, and ignored.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, ClassVar

from pyspark.sql import DataFrame, SparkSession

from salespipe_spark import months
from salespipe_spark.apache import SQL_SETTINGS, ApacheEngine
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.engine import FAILURES, brief
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import audit
from salespipe_spark.lake.catalogue import object_key
from salespipe_spark.tables import CALENDAR, CALENDAR_DDL, LANDED, Table, tables

CONTEXT = "--dagster-pipes-context"
"""The argument by which services without an environment of their own hand on what Dagster Pipes says."""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What a job is to do.

    Attributes:
        lake: where the lake lies, as Spark names it.
        table: the table to make.
        months: the months to make; of a snapshot those that it takes of its monthly inputs.
        target: where it stages, a prefix at which nothing is.
        result: where its result goes, likewise; nowhere if empty.
        inputs: the parts of each input; of others the months, or the snapshot.
        calendar: the first and the last day of the years that the lake covers.
        size: how many bytes the files of the inputs have.
    """

    lake: str
    table: str
    months: list[str]
    target: str
    result: str = ""
    inputs: dict[str, list[str]] = field(default_factory=dict)
    calendar: tuple[date, date] | None = None
    size: int = 0

    def arguments(self) -> list[str]:
        """The command line that means the same."""
        given = {
            "lake": self.lake,
            "table": self.table,
            "months": months.describe(self.months),
            "target": self.target,
            "result": self.result,
            "inputs": ";".join(f"{name}={_described(parts)}" for name, parts in self.inputs.items()),
            "calendar": "...".join(day.isoformat() for day in self.calendar or ()),
            "size": str(self.size),
        }
        return [word for name, value in given.items() if value for word in (f"--{name}", value)]

    @staticmethod
    def parse(arguments: list[str]) -> "Order":
        """The order of a command line."""
        parser = argparse.ArgumentParser(prog="salespipe_job", description="Makes one table and stages it.")
        parser.add_argument("--lake", required=True, help="where the lake lies")
        parser.add_argument("--table", required=True, help="its name, for example fact_orders")
        parser.add_argument("--months", default="", help="2024-01...2024-12, or several such with commas")
        parser.add_argument("--target", required=True, help="an unused prefix to stage it at")
        parser.add_argument("--result", default="", help="an unused prefix for the result; it is printed in any case")
        parser.add_argument("--inputs", default="", help="parts of inputs: orders=2024-01...2024-03;dim_dates=snapshot")
        parser.add_argument("--calendar", default="", help="first and last day: 2024-01-01...2025-12-31")
        parser.add_argument("--size", type=int, default=0, help="bytes of the inputs' files")
        known = parser.parse_known_args(arguments)[0]
        pairs = (each.partition("=") for each in known.inputs.split(";") if each)
        days = [date.fromisoformat(day) for day in known.calendar.split("...") if day]
        return Order(
            lake=known.lake,
            table=known.table,
            months=months.described(known.months),
            target=known.target,
            result=known.result,
            inputs={name: _parts(text) for name, _, text in pairs},
            calendar=(days[0], days[1]) if days else None,
            size=known.size,
        )


class ClusterEngine(ApacheEngine):
    """The session of the cluster that the job runs on, which knows its own file systems."""

    name = "spark"
    # Of a table without rows the mark is all that is written, and without it there would be nothing to read.
    layout: ClassVar[dict[str, str]] = {
        **ApacheEngine.layout,
        "mapreduce.fileoutputcommitter.marksuccessfuljobs": "true",
    }

    def _start(self) -> SparkSession:
        session = SparkSession.builder.appName("salespipe").getOrCreate()
        for name, value in SQL_SETTINGS.items():
            session.conf.set(name, value)
        return session

    def _named(self, place: str) -> str:
        return place


def run(order: Order, engine: ApacheEngine, log: Log) -> dict[str, Any]:
    """Stage the table and count what was staged; the result as JSON takes it.

    Raises:
        SalespipeError: there is no such table, or none that a job makes; or the engine failed.
    """
    start = time.monotonic()
    table = tables().get(order.table)
    if table is None or table.transform is None or LANDED in table.inputs:
        made = [t.name for t in tables().values() if t.transform and LANDED not in t.inputs]
        raise SalespipeError(f"No job makes the table {order.table}.", f"name one of {', '.join(made)}")
    monthly = [name for name in table.upstream if tables()[name].monthly and name not in order.inputs]
    if not order.months and (table.monthly or monthly):
        raise SalespipeError(f"Nobody says which months of {table.name} are to be made.", "add --months A...B")
    parts = table.parts(order.months)
    log(f"{table.name}: {months.describe(parts) if table.monthly else SNAPSHOT} from {order.lake}")
    given = {name: _input(order, table, name, engine) for name in table.inputs}
    contract = table.contract
    frame = audit.cut(table.transform(**given), contract)
    engine.write(frame, order.target, audit.PART, order.size)
    made_in = time.monotonic() - start
    log(f"{table.name}: staged in {made_in:.1f} s at {order.target}")
    rows = engine.read([order.target], contract.ddl).select(*contract.names)
    measured = audit.measure(rows, contract, parts, keys_apart=engine.keys_apart)
    seconds = {"stage": round(made_in, 3), "measure": round(time.monotonic() - start - made_in, 3)}
    log(f"{table.name}: {sum(figures.rows for figures in measured.figures.values())} rows counted")
    return {"measured": asdict(measured), "seconds": seconds, "spark": engine.session.version}


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says; the result is printed as a line of JSON."""
    given = sys.argv[1:] if arguments is None else arguments
    engine = ClusterEngine()
    with _told(given) as log:
        order = Order.parse(given)
        try:
            result = run(order, engine, log)
        except Exception as error:
            with contextlib.suppress(*FAILURES):  # the session may be what failed
                hint = {"hint": error.hint} if isinstance(error, SalespipeError) else {}
                _report({"error": brief(error), **hint}, order, engine)
            raise
        _report(result, order, engine)
    engine.close()


def _input(order: Order, table: Table, name: str, engine: ApacheEngine) -> DataFrame:
    if name == CALENDAR:
        if order.calendar is None:
            raise SalespipeError(f"{table.name} is made from the calendar.", "add --calendar 2024-01-01...2025-12-31")
        return engine.session.createDataFrame([order.calendar], CALENDAR_DDL)
    given = tables()[name]
    # What it holds itself so far is nothing, unless somebody says so.
    parts = order.inputs.get(name, [] if name == table.name else given.parts(order.months))
    return engine.read([f"{order.lake.rstrip('/')}/{object_key(given, part)}" for part in parts], given.contract.ddl)


def _report(result: dict[str, Any], order: Order, engine: ApacheEngine) -> None:
    text = json.dumps(result, default=str)
    sys.stdout.write(f"{text}\n")
    if order.result:
        frame = engine.session.createDataFrame([(text,)], "value string")
        frame.coalesce(1).write.text(order.result)


@contextmanager
def _told(arguments: list[str]) -> Generator[Log]:
    """Where the job's log goes: to the run that started it by Dagster Pipes, else to the cluster's own log."""
    try:
        import dagster_pipes as pipes
    except ImportError:  # started by hand, with this package alone
        yield lambda line: print(line, file=sys.stderr)  # noqa: T201
        return
    loader = pipes.PipesCliArgsParamsLoader() if CONTEXT in arguments else pipes.PipesEnvVarParamsLoader()
    if not loader.is_dagster_pipes_process():
        yield lambda line: print(line, file=sys.stderr)  # noqa: T201
        return
    with pipes.open_dagster_pipes(params_loader=loader) as context:
        yield context.log.info


def _described(parts: list[str]) -> str:
    return SNAPSHOT if parts == [SNAPSHOT] else months.describe(parts)


def _parts(text: str) -> list[str]:
    return [SNAPSHOT] if text == SNAPSHOT else months.described(text)


if __name__ == "__main__":
    main()
