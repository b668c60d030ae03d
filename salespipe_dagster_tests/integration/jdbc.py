"""What Spark reads over JDBC, beside what the stream reads: `python -m … <questions.json>`, answers as JSON.

A process of its own: classic Spark cannot start where Sail has been. One session answers everything.
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from salespipe_dagster.resources import source_jdbc
from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_jdbc import JdbcScan
from salespipe_dagster.resources.source_jdbc_connection import connection_options
from salespipe_dagster.settings import Settings
from salespipe_spark.engine import Engine
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import Table, sources, tables

CIPHER = "(SELECT VARIABLE_VALUE AS cipher FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER')"
SCANS = "SELECT id FROM information_schema.processlist WHERE info LIKE :of"


class Reader:
    """One engine over several databases."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder

    def scan(self, url: str) -> JdbcScan:
        """A scan of this database."""
        return JdbcScan(SourceDatabase(sa.make_url(url)), self._engine, self._folder)

    def differences(self, url: str, months: list[str] | None) -> dict[str, Any]:
        """Of each table: rows, partitions, and the rows that only one of the two ways reads."""
        source = SourceDatabase(sa.make_url(url))
        return {table.name: self._difference(url, source, table, months) for table in sources()}

    def _difference(self, url: str, source: SourceDatabase, table: Table, months: list[str] | None) -> dict[str, Any]:
        span = months if table.monthly else None
        streamed = [tuple(row.values()) for batch in source.scan(table, span) for row in batch.to_pylist()]
        frame = self.scan(url).frame(table, span, len(streamed))
        found = [tuple(row) for row in frame.collect()]
        one, other = Counter(streamed), Counter(found)
        return {
            "rows": len(found),
            "partitions": frame.rdd.getNumPartitions(),
            "types": ", ".join(f"{name} {kind}" for name, kind in frame.dtypes) == table.contract.ddl,
            "differing": repr([*list((one - other).items())[:2], *list((other - one).items())[:2]]),
        }

    def cipher(self, url: str, changes: dict[str, Any]) -> str:
        """How a connection of Spark's is encrypted."""
        changed = sa.make_url(url).set(**changes)
        asked = connection_options(changed, self._folder) | {"dbtable": f"{CIPHER} AS c"}
        with self.scan(changed.render_as_string(hide_password=False)).explained():
            return self._engine.session.read.format("jdbc").options(**asked).load().collect()[0]["cipher"]

    def killed(self, url: str) -> int:
        """A scan that the server ends midway."""
        lake, payments = Lake(self._folder / "lake", self._engine), tables()["payments"]
        killer = threading.Thread(target=kill_scans, args=(url, "payments"))
        scan = self.scan(url)
        with lake.staging() as folder, scan.explained():
            frame = scan.frame(payments, ["2004-01"], 800_000)
            killer.start()
            try:
                lake.write(payments, frame, folder, 0)
            finally:
                killer.join()
            return lake.read_staged(payments, folder).count()

    def plan(self, url: str) -> str:
        """All that Spark tells of a scan and of itself."""
        session = self._engine.session
        frame = self.scan(url).frame(tables()["orders"], None, 326)
        frame.createOrReplaceTempView("orders")
        plans = [row[0] for row in session.sql("EXPLAIN EXTENDED SELECT * FROM orders").collect()]
        plans += [row[0] for row in session.sql("EXPLAIN FORMATTED SELECT * FROM orders").collect()]
        shown = session.sparkContext.getConf().getAll() + list(session.conf.getAll.items())
        return repr((plans, frame.schema.json(), shown))


def kill_scans(url: str, table: str) -> None:
    """Wait until Spark reads the table, then kill its connections."""
    of_spark = f"%) AS {table}%"
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as link:
        for _ in range(600):
            asked = sa.text(f"{SCANS} AND db = DATABASE() AND id <> CONNECTION_ID()")
            found = link.execute(asked, {"of": of_spark}).scalars().all()
            threading.Event().wait(0.05)
            if found:
                for number in found:
                    with suppress(DBAPIError):
                        link.exec_driver_sql(f"KILL {number}")
                return


def refusal(ask: Callable[[], Any]) -> str:
    """The error of a question that has no answer, as its user sees it."""
    try:
        return f"answered: {ask()!r}"
    except SalespipeError as error:
        return str(error)


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """The answers by name."""
    settings = Settings.checked(
        home=Path(asked["home"]),
        engine="local[2]",
        extraction="jdbc",
        source_url=asked["classicmodels"],
        start_month="2003-01",
        end_month="2005-06",
    )
    with open_engine(settings) as engine:
        reader = Reader(engine, Path(asked["home"]))
        answers: dict[str, Any] = {
            "classicmodels": reader.differences(asked["classicmodels"], settings.months),
            "odd": reader.differences(asked["odd"], None),
            "company": reader.differences(asked["company"], None),
            "plan": reader.plan(asked["classicmodels"]),
            "killed": refusal(lambda: reader.killed(asked["long"])),
            "errors": [refusal(lambda url=url: reader.differences(url, None)) for url in asked["wrong"]],
            "ciphers": [
                refusal(lambda url=url, changes=changes: reader.cipher(url, changes)) for url, changes in asked["tls"]
            ],
        }
        source_jdbc.ROWS = 100
        answers["cut"] = reader.differences(asked["classicmodels"], settings.months)
        return answers


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
