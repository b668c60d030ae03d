"""One file that landed: read strictly, typed by the contract, cut into the parts of its table.

A chunk at a time: it is framed into records by arrays, typed by the database's SQL in a thread, and written;
memory does not grow with the file. The file is read a second time where a key stands in it twice.
"""

import os
import shutil
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from salespipe_dagster.landing.csv_file import CsvFile
from salespipe_dagster.landing.database import Database
from salespipe_dagster.landing.keys import Hashes, Keys, among
from salespipe_dagster.landing.ndjson_file import NdjsonFile
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_dagster.landing.parts import Parts, Quarantine
from salespipe_dagster.landing.reasons import Reason
from salespipe_dagster.landing.records import Records, Spoiled
from salespipe_dagster.landing.suspects import Suspects
from salespipe_dagster.landing.typed import Query
from salespipe_dagster.landing.unpacked import Unreadable
from salespipe_dagster.landing.version import Version
from salespipe_spark.tables import Table

UNKNOWN = 100
"""How many columns that the contract does not know are told by name."""

THREADS = min(4, os.cpu_count() or 1)
_IDLE: SimpleQueue[Database] = SimpleQueue()
"""Databases without tables, kept because making one costs as much as typing a thousand records."""


@dataclass(frozen=True)
class Task:
    """A file to parse, and what it is parsed by."""

    file: Path
    version: Version
    table: Table
    first_month: str
    last_month: str
    folder: Path


def parse(
    file: Path,
    version: Version,
    table: Table,
    first_month: str,
    last_month: str,
    folder: Path,
    max_rejected_share: float,
) -> Parsed:
    """Parse a local file of a feed into Parquet files in a folder of its own, which is made.

    Args:
        file: where it lies on this machine, packed or not.
        version: which content of which key it is.
        table: the feed's staging table.
        first_month: rows before it are put aside.
        last_month: rows after it are put aside.
        folder: where parts and quarantine are written; what was there is removed.
        max_rejected_share: with a larger share of its records put aside, nothing of the file lands.
    """
    task = Task(file, version, table, first_month, last_month, folder)
    try:
        counted = _counted(task, np.zeros(0, np.uint64))
        if len(counted.repeated):
            counted = _counted(task, counted.repeated, counted.only)
    except Unreadable as error:
        shutil.rmtree(folder, ignore_errors=True)
        return Parsed(version, Status.FAILED, f"{version.shown_key} {error}.")
    return _decided(counted.parsed, folder, max_rejected_share)


@dataclass(frozen=True)
class _Counted:
    """What was written of a file, and the hashes of keys that it may hold more than once.

    `only` is all that was read, where that was a single batch: it need not be read again.
    """

    parsed: Parsed
    repeated: Hashes
    only: list["_Read"]


def _counted(task: Task, suspected: Hashes, read_before: Sequence["_Read"] = ()) -> _Counted:
    """Read the file; rows whose key's hash is suspected are compared with each other before they land."""
    shutil.rmtree(task.folder, ignore_errors=True)
    task.folder.mkdir(parents=True)
    contract, records, unknown = task.table.contract, 0, list[str]()
    source = (CsvFile if contract.feed and contract.feed.format == "csv" else NdjsonFile)(task.file, contract)
    query = Query(contract, source.names, task.first_month, task.last_month)
    keys = Keys(task.folder)
    only: list[_Read] = []
    with (
        closing(Parts(task.folder, contract, task.version)) as parts,
        closing(Quarantine(task.folder, task.version)) as quarantine,
        closing(Suspects(task.folder, contract)) as suspects,
    ):
        for count, read in enumerate(read_before or _typed(source, query)):
            only = [read] if count == 0 else []
            records += read.rows.num_rows + read.faults.num_rows
            unknown = list(dict.fromkeys([*unknown, *read.unknown]))[:UNKNOWN]
            quarantine.add(read.faults)
            doubtful = among(read.hashes, suspected)
            if doubtful.any():
                suspects.add(read.rows.filter(pa.array(doubtful)))
            keys.add(read.hashes[~doubtful])
            parts.add(read.rows.filter(pa.array(~doubtful)) if doubtful.any() else read.rows)
        duplicates = suspects.judge()
        for some in suspects.landing():
            parts.add(pa.Table.from_batches([some]))
        for some in suspects.conflicting():
            quarantine.add(pa.Table.from_batches([some]))
        parts.finish()
    shutil.rmtree(task.folder / "spill", ignore_errors=True)
    parsed = Parsed(
        task.version,
        Status.LANDED,
        records=records,
        landed=parts.rows.total(),
        quarantined=quarantine.reasons.total(),
        duplicates=duplicates,
        reasons=dict(quarantine.reasons.most_common()),
        unknown_columns=unknown,
        parts=parts.files,
        rows={part: parts.rows[part] for part in parts.files},
        quarantine=quarantine.path if quarantine.reasons else None,
    )
    return _Counted(parsed, keys.repeated(), only)


@dataclass(frozen=True)
class _Read:
    """What was read of a batch.

    Attributes:
        rows: those that fit, with `line` and `text` as written.
        faults: those that do not, as they are put aside.
        hashes: of the keys of `rows`.
        unknown: the columns that the contract does not know.
    """

    rows: pa.Table
    faults: pa.Table
    hashes: Hashes
    unknown: list[str]


def _typed(source: CsvFile | NdjsonFile, query: Query) -> Iterator[_Read]:
    """What is read of each batch, in threads while the next ones are framed; the order is kept."""
    waiting: deque[Future[_Read]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for records in source.records():
            waiting.append(pool.submit(_read, source, records, query))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        for read in waiting:
            yield read.result()


def _read(source: CsvFile | NdjsonFile, records: Records, query: Query) -> _Read:
    """Cut and type the records of a batch."""
    batch = source.cut(records)
    faults = [_spoiled(batch.spoiled)]
    with _database() as database:
        rows = database.answer(query.values(), batch.rows)
        if not rows["line"].equals(batch.rows["line"]):
            raise AssertionError("The database returned the records in another order.")
        rows = rows.append_column("text", batch.rows["text"])
        bad = pc.invert(rows["fits"])
        if pc.any(bad).as_py():
            faults.append(database.answer(query.faults(), batch.rows.filter(bad)))
            rows = rows.filter(rows["fits"])
    return _Read(rows, pa.concat_tables(faults), rows["key_hash"].to_numpy(), batch.unknown)


@contextmanager
def _database() -> Generator[Database]:
    """A database that is nobody else's at the time. One that an error may have broken is not used again."""
    try:
        database = _IDLE.get_nowait()
    except Empty:
        database = Database()
    yield database
    _IDLE.put(database)


def _spoiled(records: list[Spoiled]) -> pa.Table:
    columns = {
        "line": pa.array([record.line for record in records], pa.int64()),
        "column": pa.array([record.column for record in records], pa.string()),
        "reason": pa.array([str(record.reason) for record in records], pa.string()),
        "text": pa.array([record.text for record in records], pa.string()),
    }
    return pa.table(columns)


def _decided(parsed: Parsed, folder: Path, max_rejected_share: float) -> Parsed:
    """What was parsed, held or failed where too much of it was put aside; then its parts are gone."""
    undecodable = parsed.reasons.get(Reason.BAD_ENCODING, 0)
    if undecodable * 2 > parsed.records:
        shutil.rmtree(folder, ignore_errors=True)
        reason = (
            f"{parsed.version.shown_key} is not UTF-8: {undecodable} of {parsed.records} records cannot be decoded. "
            "Files in Latin-1 look like this; `iconv -f WINDOWS-1252 -t UTF-8` mends them."
        )
        return Parsed(parsed.version, Status.FAILED, reason)
    if parsed.quarantined <= max_rejected_share * parsed.records:
        return parsed
    for part in parsed.parts.values():
        part.unlink()
    told = ", ".join(f"{count} {reason}" for reason, count in parsed.reasons.items())
    reason = f"{parsed.quarantined} of {parsed.records} records are rejected: {told}."
    return replace(parsed, status=Status.HELD, reason=reason, parts={}, rows={})
