"""Extraction: the source's tables scanned into staging, by one streaming statement for each or by Spark over JDBC.

Streamed rows are routed to their month's file as they come; no table is ever held in memory. Children are
scanned before their parents, so that an order placed in between is at worst an order without lines,
which the next fingerprint shows; a line without its order is a torn read, and all is read again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from salespipe_dagster.resources.source_answers import Fingerprint
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_jdbc import JdbcScan, size_of
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.audit import PART, Check, cut, part_name
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.receipt import Figures
from salespipe_spark.lake.schema import arrow_schema, writer_of
from salespipe_spark.lake.staged import Opening, Staged, staged_file
from salespipe_spark.tables import Table, tables

ATTEMPTS = 3
BUFFERED_ROWS = 200_000


def extract(
    source: SourceDatabase,
    lake: Lake,
    staging: Path,
    chosen: list[Table],
    months: list[str],
    jdbc: JdbcScan | None = None,
) -> list[Staged]:
    """Scan the tables into staging and audit them; `months` is an unbroken range, empty for snapshots.

    By Spark where a scan over JDBC is given. What lies staged is then held to the same rules, however it came there.

    Raises:
        SalespipeError: after three attempts the tables still do not fit together.
    """
    ordered = sorted(chosen, key=_children_first)
    torn: list[str] = []
    for attempt in range(ATTEMPTS):
        folder = staging / f"scan-{attempt}"
        openings = {table.name: lake.open(table, table.parts(months)) for table in ordered}
        before = {table.name: source.fingerprints(table, months or None) for table in ordered}
        if jdbc is None:
            _stream(source, lake, folder, ordered, months)
        else:
            for table in ordered:
                rows = sum(each.rows for each in before[table.name].values())
                _stage_by_spark(jdbc, lake, folder, table, months, rows)
        torn = [line for table in ordered for line in _orphans(lake, folder, table, ordered)]
        if not torn:
            break
    else:
        hint = "run again; if it stays, these orders are missing from the source"
        raise SalespipeError(f"The source changed while it was read, {ATTEMPTS} times: {'; '.join(torn)}.", hint)
    return [
        _against_source(source, _audited(lake, folder, openings[table.name], before[table.name]), before[table.name])
        for table in ordered
    ]


def _stream(source: SourceDatabase, lake: Lake, folder: Path, ordered: list[Table], months: list[str]) -> None:
    """Scan all tables to this machine's disk, then stage them: what is sent in between would tear them apart."""
    with lake.store.writing():
        for table in ordered:
            scan_into(folder, source.scan(table, months or None), table)
    for table in ordered:
        lake.send(folder / table.layer / table.name)


def _stage_by_spark(jdbc: JdbcScan, lake: Lake, folder: Path, table: Table, months: list[str], rows: int) -> None:
    """Have Spark read the table and stage it in one job: each range of keys is one query, whatever the months."""
    with jdbc.explained():
        lake.write(table, jdbc.frame(table, months or None, rows), folder, size_of(rows))


def scan_into(folder: Path, batches: Iterable[pa.RecordBatch], table: Table) -> None:
    """Write a scan's rows to one file for each part, with at most BUFFERED_ROWS waiting in memory."""
    waiting: dict[str, list[pa.RecordBatch]] = defaultdict(list)
    rows: dict[str, int] = defaultdict(int)
    schema = arrow_schema(table.contract)
    with ExitStack() as stack:
        writers: dict[str, pq.ParquetWriter] = {}

        def flush(part: str) -> None:
            if part not in writers:
                writers[part] = stack.enter_context(writer_of(staged_file(folder, table, part), schema))
            writers[part].write_table(pa.Table.from_batches(waiting.pop(part)).cast(schema))
            del rows[part]

        for batch in batches:
            for part, piece in _by_part(batch, table):
                waiting[part].append(piece)
                rows[part] += piece.num_rows
            while sum(rows.values()) > BUFFERED_ROWS:
                flush(max(rows, key=rows.__getitem__))
        for part in list(waiting):
            flush(part)


def _by_part(batch: pa.RecordBatch, table: Table) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batch cut by part: sorted by month once, not filtered once a month.

    Each piece is a copy: a slice of a few rows that wait would keep the whole batch in memory.
    """
    if not table.monthly:
        yield SNAPSHOT, batch
        return
    days = batch.column(table.contract.month)
    month = pc.add(pc.multiply(pc.year(days), 12), pc.subtract(pc.month(days), 1))
    order = pc.sort_indices(month)
    runs = pc.run_end_encode(month.take(order))
    start = 0
    for index, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield calendar.from_index(index), batch.take(order.slice(start, end - start))
        start = end


def _children_first(table: Table) -> bool:
    source = table.contract.source
    return not (source and source.dated_by)


def _orphans(lake: Lake, folder: Path, table: Table, scanned: list[Table]) -> list[str]:
    """The rows of a table whose parent is not among the rows scanned of the parent, month by month."""
    parent = tables().get(table.contract.source.dated_by) if table.contract.source else None
    if parent is None or parent not in scanned:
        return []
    child_rows, parent_rows = lake.read_staged(table, folder), lake.read_staged(parent, folder)
    key = list(parent.contract.key)
    lost = child_rows.join(parent_rows.select(*key), on=key, how="left_anti")
    found = (
        cut(lost, table.contract)
        .groupBy(PART)
        .agg(F.count(F.lit(1)).alias("rows"), F.min(F.col(key[0])).alias("first"))
    )
    return [
        f"{part_name(table.contract, row[PART])}: {row['rows']} rows of {table.name} without their {parent.name}, "
        f"such as {key[0]} {row['first']}"
        for row in found.orderBy(PART).collect()
    ]


def _audited(lake: Lake, folder: Path, opening: Opening, before: dict[str, Fingerprint]) -> Staged:
    table = opening.table
    digests = {part: fingerprint.digest for part, fingerprint in before.items()}
    return lake.audit(opening, folder / table.layer / table.name, digests)


def _against_source(source: SourceDatabase, staged: Staged, before: dict[str, Fingerprint]) -> Staged:
    """Hold rows and amounts against the server's own, taken before the scan.

    Where they differ, the source is asked again: if it changed meanwhile, what was read is whole and
    newer, and the fingerprint kept in the receipt is the old one, so that the next plan asks for the
    month once more. If it did not change, rows were lost or made on the way.
    """
    table = staged.opening.table
    differing = [part for part, figures in staged.figures.items() if not _equal(figures, before[part])]
    moved = ""
    if differing:
        now = source.fingerprints(table, differing if table.monthly else None)
        moved = ", ".join(part for part in differing if now[part] != before[part])
        differing = [part for part in differing if now[part] == before[part]]
    lines = [f"{p}: {_figures_text(staged.figures[p])}, server {before[p].rows}, {before[p].amount}" for p in differing]
    actual = "; ".join(lines) or (f"equal, but the source changed during the scan: {moved}" if moved else "equal")
    check = Check("source", not differing, "rows and amount as counted by the server", actual, differing)
    return replace(staged, checks=[*staged.checks, check])


def _equal(figures: Figures, before: Fingerprint) -> bool:
    return figures.rows == before.rows and (before.amount is None or figures.sums["amount"] == before.amount)


def _figures_text(figures: Figures) -> str:
    return f"{figures.rows} rows, amount {figures.sums.get('amount')}"
