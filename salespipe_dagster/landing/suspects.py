"""Records of a file whose keys stand in it more than once: which of them land, exactly."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from salespipe_dagster.landing.reasons import Reason
from salespipe_dagster.landing.spilling import connected
from salespipe_spark.contract import Contract

_MEMORY = "512MB"
_BATCH = 100_000


class Suspects:
    """Rows whose keys may be there more than once, in a database that spills to disk.

    Identical rows are one row and duplicates of it. Rows of one key that differ contradict each other: none of
    them is better than the others, so none lands.
    """

    def __init__(self, folder: Path, contract: Contract) -> None:
        self._folder = folder
        self._columns = ", ".join(f'"{name}"' for name in contract.names)
        self._key = ", ".join(f'"{name}"' for name in contract.key)
        self._column = contract.key[0]
        self._database: duckdb.DuckDBPyConnection | None = None

    def close(self) -> None:
        """Let go of them."""
        if self._database is not None:
            self._database.close()

    def add(self, rows: pa.Table) -> None:
        """Take some more."""
        into = "INSERT INTO suspects"
        if self._database is None:
            into = "CREATE TABLE suspects AS"
            self._database = connected(self._folder, memory_limit=_MEMORY, threads=2)
        self._database.register("more", rows)
        self._database.execute(f"{into} SELECT * FROM more")
        self._database.unregister("more")

    def judge(self) -> int:
        """Decide on all of them; returns how many are duplicates of another one."""
        if self._database is None:
            return 0
        self._database.execute(f"""
            CREATE TABLE verdicts AS
            SELECT {self._key}, min(line) AS line, count(*) = 1 AS agree, sum(copies - 1) AS duplicates
            FROM (SELECT {self._columns}, min(line) AS line, count(*) AS copies FROM suspects GROUP BY {self._columns})
            GROUP BY {self._key}""")
        found = self._database.sql("SELECT coalesce(sum(duplicates), 0) FROM verdicts WHERE agree").fetchall()
        return int(found[0][0])

    def landing(self) -> Iterator[pa.RecordBatch]:
        """One row of each key whose rows agree."""
        return self._batches("SELECT * FROM suspects WHERE line IN (SELECT line FROM verdicts WHERE agree)")

    def conflicting(self) -> Iterator[pa.RecordBatch]:
        """All rows of each key whose rows differ, as they are put aside."""
        return self._batches(f"""
            SELECT suspects.line, '{self._column}' AS "column", '{Reason.CONFLICTING_ID}' AS reason, text
            FROM suspects JOIN verdicts USING ({self._key}) WHERE NOT agree""")

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        return iter(()) if self._database is None else iter(self._database.sql(query).to_arrow_reader(_BATCH))
