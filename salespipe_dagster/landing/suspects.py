"""Records of a file whose keys stand in it more than once: which of them land, exactly."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from salespipe_dagster.landing.reasons import Reason
from salespipe_spark.contract import Contract

_MEMORY = "512MB"
_BATCH = 100_000


class Suspects:
    """Rows whose keys may be there more than once, in a database that spills to disk.

    Identical rows are one row and duplicates of it. Rows of one key that differ contradict each other: none of
    them is better than the others, so none lands.
    """

    def __init__(self, folder: Path, contract: Contract) -> None:
        spill = str(folder / "spill")
        self._database = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": spill, "threads": "2"})
        self._columns = ", ".join(f'"{name}"' for name in contract.names)
        self._key = ", ".join(f'"{name}"' for name in contract.key)
        self._column = contract.key[0]
        self._there = False

    def close(self) -> None:
        """Let go of them."""
        self._database.close()

    def add(self, rows: pa.Table) -> None:
        """Take some more."""
        self._database.register("some", rows)
        into = "INSERT INTO suspects" if self._there else "CREATE TABLE suspects AS"
        self._database.execute(f"{into} SELECT * FROM some")
        self._database.unregister("some")
        self._there = True

    def judge(self) -> int:
        """Decide on all of them; returns how many are duplicates of another one."""
        if not self._there:
            return 0
        self._database.execute(f"""
            CREATE TABLE verdicts AS
            SELECT {self._key}, min(line) AS line, count(*) = 1 AS agree, sum(copies - 1) AS duplicates
            FROM (SELECT {self._columns}, min(line) AS line, count(*) AS copies FROM suspects GROUP BY {self._columns})
            GROUP BY {self._key}""")
        found = self._database.execute("SELECT coalesce(sum(duplicates), 0) FROM verdicts WHERE agree").fetchone()
        return int(found[0]) if found else 0

    def landing(self) -> Iterator[pa.RecordBatch]:
        """One row of each key whose rows agree."""
        return self._batches("SELECT * FROM suspects WHERE line IN (SELECT line FROM verdicts WHERE agree)")

    def conflicting(self) -> Iterator[pa.RecordBatch]:
        """All rows of each key whose rows differ, as they are put aside."""
        return self._batches(f"""
            SELECT suspects.line, '{self._column}' AS "column", '{Reason.CONFLICTING_ID}' AS reason, text
            FROM suspects JOIN verdicts USING ({self._key}) WHERE NOT agree""")

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        return iter(self._database.sql(query).to_arrow_reader(_BATCH)) if self._there else iter(())
