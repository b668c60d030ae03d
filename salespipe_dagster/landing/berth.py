"""Putting a batch of parsed files into the lake: parts first, then what moved, the ledger's entries last."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from salespipe_dagster.landing.ledger import PARTS, Ledger, entry_key, part_key, quarantine_key
from salespipe_dagster.landing.moved import merged_keys, moved, write_keys
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_spark.lake.objects import Changed, Entry, Store
from salespipe_spark.tables import Table

ATTEMPTS = 5
INDEX_FILES = 50
"""From so many files on the index is merged into one."""


class Berth:
    """The lake of one landing; a file of the index of keys is read once."""

    def __init__(self, lake: Store, scratch: Path, run: str) -> None:
        """A berth that nothing was put into yet."""
        self._lake = lake
        self._scratch = scratch
        self._run = run
        self._index: dict[str, Path] = {}
        self._left: dict[str, dict[str, str]] = {}

    def commit(self, table: Table, ledger: Ledger, results: list[Parsed]) -> Ledger:
        """Put what came of these files into the lake, and return the ledger with their entries."""
        if not results:
            return ledger
        entered, ledger = ledger, ledger.with_entries({result.version.id: result.status for result in results})
        uploads = [
            (file, part_key(table.name, part, result.version.id))
            for result in results
            if result.status is Status.LANDED
            for part, file in result.parts.items()
        ]
        with self._lake.writing(), TemporaryDirectory(dir=self._scratch) as folder:
            if table.monthly and uploads:
                uploads += self._moved(table, entered, ledger, [file for file, _ in uploads], Path(folder))
            uploads += [(r.quarantine, quarantine_key(table.name, r.version.id)) for r in results if r.quarantine]
            left = self._left_over(table, entered)
            self._lake.mapped(lambda upload: self._lake.upload(*upload), uploads)
            entering, placed = {result.version.id for result in results}, {key for _, key in uploads}
            self._lake.mapped(self._lake.remove, [k for k, v in left.items() if v in entering and k not in placed])
            self._lake.mapped(self._enter, results)
        return ledger

    def _left_over(self, table: Table, entered: Ledger) -> dict[str, str]:
        """The parts that killed landings left, each with its version: once it is entered, all of them would count.

        A run with fewer months, or other rules, does not put all of them in place again.
        """
        if table.name not in self._left:
            keys = self._lake.list(f"{PARTS}/{table.name}", ".parquet")
            versions = {key: PurePosixPath(key).stem for key in keys}
            self._left[table.name] = {key: v for key, v in versions.items() if v not in entered.statuses}
        return self._left[table.name]

    def _enter(self, result: Parsed) -> None:
        enter(self._lake, result, self._run)

    def _moved(
        self, table: Table, entered: Ledger, ledger: Ledger, fresh: list[Path], folder: Path
    ) -> list[tuple[Path, str]]:
        """The keys that moved between months, each object with where it is to lie.

        The fresh keys are put into the index first and the index is read then: of two runs that land at once
        one at least knows the keys of both. Keys in it that never land are of no version that counts, and
        those that what lands now overtakes stay in it: it may never be entered.
        """
        name = f"{_index_folder(table)}/{uuid.uuid4().hex}.parquet"
        keys = write_keys(table, fresh, folder / "keys.parquet", self._scratch)
        self._lake.upload(keys, name)
        index = self._read_index(table, entered)
        found = moved(
            table, [file for key, file in index.items() if key != name], keys, ledger.past, folder, self._scratch
        )
        return [(each.file, part_key(table.name, each.part, each.newer, each.older)) for each in found]

    def _read_index(self, table: Table, ledger: Ledger) -> dict[str, Path]:
        """The files of the index by their keys, on this machine; many are made one."""
        for _ in range(ATTEMPTS):
            entries = [entry for entry in self._lake.entries(_index_folder(table)) if entry.key.endswith(".parquet")]
            try:
                self._lake.mapped(self._fetch, [entry for entry in entries if entry.key not in self._index])
            except Changed:
                continue  # another run has made them one
            found = {entry.key: self._index[entry.key] for entry in entries}
            return found if len(found) < INDEX_FILES else self._merged(table, ledger, found)
        raise Changed(self._lake.uri(_index_folder(table)))

    def _fetch(self, entry: Entry) -> None:
        target = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        self._lake.download(entry, target)
        self._index[entry.key] = target

    def _merged(self, table: Table, ledger: Ledger, index: dict[str, Path]) -> dict[str, Path]:
        name = f"{_index_folder(table)}/{uuid.uuid4().hex}.parquet"
        target = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        merged = merged_keys(list(index.values()), ledger.past, target, self._scratch)
        self._lake.upload(merged, name)
        self._lake.mapped(self._lake.remove, index)
        self._index[name] = merged
        return {name: merged}


def enter(lake: Store, result: Parsed, run: str) -> None:
    """Write the ledger's entry of what came of a version: from now on it counts."""
    version = result.version
    with lake.writing():
        lake.put(entry_key(version.table, version.id, result.status), _entry(result, run))


def _index_folder(table: Table) -> str:
    return f"{PARTS}/{table.name}/_keys"


def _entry(result: Parsed, run: str) -> bytes:
    version = result.version
    told = {
        "file": version.key,
        "version": version.id,
        "table": version.table,
        "etag": version.etag,
        "size": version.size,
        "modified": version.modified.isoformat(),
        "status": result.status,
        "reason": result.reason,
        "records": result.records,
        "landed": result.landed,
        "quarantined": result.quarantined,
        "duplicates": result.duplicates,
        "reasons": result.reasons,
        "unknown_columns": result.unknown_columns,
        "rows": result.rows,
        "run": run,
        "entered_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()
