"""What a file becomes in the lake: a Parquet file for each of its parts, and one of what is put aside."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from salespipe_dagster.landing.version import Version
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT, Contract
from salespipe_spark.lake.schema import arrow_schema, writer_of
from salespipe_spark.staging import _landed

BUFFERED_ROWS = 200_000
QUARANTINE = pa.schema(
    [
        pa.field("file", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("column", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("text", pa.string()),
    ]
)
"""A record that is put aside: the file's key, its first line, the column at fault, why, and the record as written."""


def landed_schema(contract: Contract) -> pa.Schema:
    """The contract's columns, and what a landed row says of the file that it is from."""
    return arrow_schema(replace(contract, columns=contract.columns + _landed.PROVENANCE))


class Parts:
    """The writers of a version's parts; at most BUFFERED_ROWS wait in memory."""

    def __init__(self, folder: Path, contract: Contract, version: Version) -> None:
        self._folder, self._monthly = folder, bool(contract.month)
        self._schema = landed_schema(contract)
        self._values = [
            pa.scalar(version.shown_key, pa.string()),
            pa.scalar(version.id, pa.string()),
            pa.scalar(version.modified, pa.timestamp("us", tz="UTC")),
            pa.scalar(False),
        ]
        self._constants = [pa.repeat(value, 0) for value in self._values]
        self._waiting: dict[str, list[pa.Table]] = defaultdict(list)
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._stack = ExitStack()
        self.rows: Counter[str] = Counter()
        self._rows_waiting: Counter[str] = Counter()

    def close(self) -> None:
        """Close the files, whatever still waits."""
        self._stack.close()

    @property
    def files(self) -> dict[str, Path]:
        """The file of each part."""
        return {part: self._folder / f"{part}.parquet" for part in sorted(self.rows)}

    def add(self, rows: pa.Table) -> None:
        """Take rows with the contract's columns, and `month_number` where the table is monthly."""
        for part, some in self._by_part(rows):
            self._waiting[part].append(some.select(self._schema.names[: -len(_landed.PROVENANCE)]))
            self._rows_waiting[part] += some.num_rows
            self.rows[part] += some.num_rows
        while self._rows_waiting.total() > BUFFERED_ROWS:
            self._flush(self._rows_waiting.most_common(1)[0][0])

    def finish(self) -> None:
        """Write what still waits, and close the files."""
        for part in list(self._waiting):
            self._flush(part)
        self.close()

    def _flush(self, part: str) -> None:
        rows = pa.concat_tables(self._waiting.pop(part))
        del self._rows_waiting[part]
        for name, column in self._provenance(rows.num_rows):
            rows = rows.append_column(name, column)
        if part not in self._writers:
            writer = writer_of(self._folder / f"{part}.parquet", self._schema)
            self._writers[part] = self._stack.enter_context(writer)
        self._writers[part].write_table(rows.cast(self._schema))

    def _provenance(self, rows: int) -> Iterator[tuple[str, pa.Array]]:
        """The same in every row, so that the columns are made once and cut to size."""
        if len(self._constants[0]) < rows:
            self._constants = [pa.repeat(value, rows) for value in self._values]
        names = self._schema.names[-len(self._values) :]
        return ((name, column.slice(0, rows)) for name, column in zip(names, self._constants, strict=True))

    def _by_part(self, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """The rows cut by part: sorted by month where there is more than one, not filtered for each."""
        if not rows.num_rows:
            return
        if not self._monthly:
            yield SNAPSHOT, rows
            return
        months = rows["month_number"].to_numpy()
        order: Any = np.argsort(months, kind="stable")
        ordered = months[order]
        if ordered[0] == ordered[-1]:
            yield calendar.from_index(int(ordered[0])), rows
            return
        starts = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist()]
        in_order = bool((np.diff(months) >= 0).all())
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
            # A slice keeps all rows in memory while it waits: it is taken only where it is most of them.
            large = in_order and (end - start) * 4 > rows.num_rows
            some = rows.slice(start, end - start) if large else rows.take(pa.array(order[start:end]))
            yield calendar.from_index(int(ordered[start])), some


class Quarantine:
    """The writer of what is put aside of a version; there is no file until there is a record."""

    def __init__(self, folder: Path, version: Version) -> None:
        self.path, self._version = folder / "quarantine.parquet", version
        self._writer: Any = None
        self.reasons: Counter[str] = Counter()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def add(self, records: pa.Table) -> None:
        """Put some records aside: their `line`, `column`, `reason` and `text`."""
        if not records.num_rows:
            return
        for counted in pc.value_counts(records["reason"]).to_pylist():
            self.reasons[counted["values"]] += counted["counts"]
        if self._writer is None:
            self._writer = writer_of(self.path, QUARANTINE)
        file = pa.repeat(pa.scalar(self._version.shown_key, pa.string()), records.num_rows)
        columns = [file, *(records[name] for name in QUARANTINE.names[1:])]
        self._writer.write_table(pa.table(columns, names=QUARANTINE.names).cast(QUARANTINE))
