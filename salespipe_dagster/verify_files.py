"""The proof of the online channel: files against the ledger, what has landed against both, staging against that."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from salespipe_dagster.assets.files import read_files
from salespipe_dagster.landing.ledger import Landed, entries_of, part_key
from salespipe_dagster.landing.survey import survey
from salespipe_dagster.landing.version import shown
from salespipe_spark.engine import FAILURES, brief
from salespipe_spark.lake import audit
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.objects import Changed, Entry, Store
from salespipe_spark.lake.receipt import Figures, Receipt

SHOWN = 3


def unlanded(files: Store, landed: Mapping[str, Landed]) -> dict[str, list[str]]:
    """By table, the files that are there and have not landed, as a sentence; nothing where all have."""
    found = survey(files.entries(""), {table: each.ledger for table, each in landed.items()})
    keys = {table: [version.shown_key for version in found.pending if version.table == table] for table in landed}
    return {
        table: [f"{len(waiting)} files have not landed: {', '.join(waiting[:SHOWN])}{' …' * (len(waiting) > SHOWN)}"]
        for table, waiting in keys.items()
        if waiting
    }


def unlike_the_ledger(store: Store, landed: Landed, parts: list[str]) -> list[str]:
    """Where what lies in these parts is not what the ledger says has landed, as sentences."""
    table, versions = landed.table.name, sorted(landed.ledger.current)
    entries = entries_of(store, landed.table, landed.ledger, versions)
    found = [f"the ledger's entry of {version} cannot be read" for version in versions if version not in entries]
    for version, entry in entries.items():
        told = {name: entry.get(name, 0) for name in ("records", "landed", "quarantined", "duplicates")}
        if told["records"] != told["landed"] + told["quarantined"] + told["duplicates"]:
            found.append(f"the ledger's entry of {version} does not add up: {told}")
    named = [
        (part_key(table, part, version), entry["file"], rows)
        for version, entry in entries.items()
        for part, rows in entry["rows"].items()
        if part in parts
    ]
    objects = {entry.key: entry for part in parts for entry in store.entries(f"_landed/{table}/{part}")}
    for (key, file, rows), there in zip(
        named, store.mapped(lambda each: _rows(store, objects.get(each[0])), named), strict=True
    ):
        if there != rows:
            found.append(f"{key}: {there} rows, but {rows} of {shown(file)} have landed")
    return found


def unlike_what_landed(lake: Lake, landed: Landed, receipts: Mapping[str, Receipt]) -> list[str]:
    """Where a staging table is not what its transform makes of what has landed, as sentences; `receipts` by part."""
    contract, parts = landed.table.contract, list(receipts)
    assert landed.table.transform is not None
    made: dict[str, Figures] = {}
    try:
        if parts:
            rows = landed.table.transform(read_files(lake, landed, parts))
            made = audit.figures(rows, contract, keys_apart=lake.engine.keys_apart)
    except FAILURES as error:
        return [f"what has landed cannot be read ({brief(error)})"]
    return [
        f"{part}: the rows are not those that have landed"
        for part, receipt in receipts.items()
        if made.get(part, audit.no_rows(contract)).digest != receipt.figures.digest
    ]


def _rows(store: Store, entry: Entry | None) -> int | str:
    """How many rows the footer of a part declares; why it cannot be read, if it cannot."""
    if entry is None:
        return "no"
    try:
        with store.open(entry) as file:
            return pq.read_metadata(file).num_rows
    except (pa.ArrowException, OSError, Changed) as error:
        return f"unreadable ({error})"
