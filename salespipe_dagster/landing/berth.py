"""Putting a batch of parsed files into the lake: parts first, then what moved, the ledger's entries last."""

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from salespipe_dagster.landing.ledger import PARTS, Ledger, entry_key, part_key, quarantine_key
from salespipe_dagster.landing.moved import knows_any, merged_keys, moved, write_keys
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
        self._left: dict[str, dict[str, set[str]]] = {}

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
            if table.monthly:
                uploads += self._moved(table, entered, ledger, [file for file, _ in uploads], Path(folder))
            placed = [key for _, key in uploads]
            left = self._left_over(table, entered, ledger, placed)
            uploads += [(r.quarantine, quarantine_key(table.name, r.version.id)) for r in results if r.quarantine]
            self._lake.mapped(lambda upload: self._lake.upload(*upload), uploads)
            self._lake.mapped(self._lake.remove, left)
            self._lake.mapped(self._enter, results)
        return ledger

    def _left_over(self, table: Table, entered: Ledger, ledger: Ledger, placed: list[str]) -> list[str]:
        """The parts that would count once these versions are entered, and that were not placed with them.

        Killed landings left them: a run with fewer months, or other rules, does not put all of them in place
        again. Those of versions that nobody has entered yet are remembered until somebody does.
        """
        before, after = entered.statuses.keys(), ledger.statuses.keys()
        if table.name not in self._left:
            there = _versions_of(self._lake.list(f"{PARTS}/{table.name}", ".parquet"))
            self._left[table.name] = {key: versions for key, versions in there.items() if not versions <= before}
        left, mine = self._left[table.name], _versions_of(placed)
        counting = [key for key, versions in left.items() if versions <= after and not versions <= before]
        left |= {key: versions for key, versions in mine.items() if not versions <= after}
        return [key for key in counting if key not in mine]

    def _enter(self, result: Parsed) -> None:
        enter(self._lake, result, self._run)

    def _moved(
        self, table: Table, entered: Ledger, ledger: Ledger, fresh: list[Path], folder: Path
    ) -> list[tuple[Path, str]]:
        """The keys that moved between months, each object with where it is to lie.

        The fresh keys are put into the index first and the index is read then: of two runs that land at once
        one at least knows the keys of both. Keys in it that never land are of no version that counts.
        """
        name = f"{_index_folder(table)}/{uuid.uuid4().hex}.parquet"
        keys = folder / "keys.parquet"
        if fresh:
            self._lake.upload(write_keys(table, fresh, keys, self._scratch), name)
        index = self._read_index(table, entered, ledger, name)
        found = moved(table, index, keys, ledger.past, folder, self._scratch) if fresh else ()
        return [(each.file, part_key(table.name, each.part, each.newer, each.older)) for each in found]

    def _read_index(self, table: Table, entered: Ledger, ledger: Ledger, own: str) -> list[Path]:
        """The index but for one's own file, on this machine.

        Many files are made one, without what killed landings noted of the versions that land now. What these
        overtake stays in it: they may never be entered.
        """
        entering = set(ledger.statuses) - set(entered.statuses)
        for _ in range(ATTEMPTS):
            entries = [entry for entry in self._lake.entries(_index_folder(table)) if entry.key.endswith(".parquet")]
            others = [entry for entry in entries if entry.key != own]
            try:
                self._lake.mapped(self._fetch, [entry for entry in others if entry.key not in self._index])
            except Changed:
                continue  # another run has made them one
            found = {entry.key: self._index[entry.key] for entry in others}
            stale = bool(found) and knows_any(list(found.values()), entering, self._scratch)
            if stale or len(entries) >= INDEX_FILES:
                return [self._merged(table, found, entered.past | entering)]
            return list(found.values())
        raise Changed(self._lake.uri(_index_folder(table)))

    def _fetch(self, entry: Entry) -> None:
        target = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        self._lake.download(entry, target)
        self._index[entry.key] = target

    def _merged(self, table: Table, index: dict[str, Path], without: set[str]) -> Path:
        name = f"{_index_folder(table)}/{uuid.uuid4().hex}.parquet"
        target = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        merged = merged_keys(list(index.values()), without, target, self._scratch)
        self._lake.upload(merged, name)
        self._lake.mapped(self._lake.remove, index)
        self._index[name] = merged
        return merged


def enter(lake: Store, result: Parsed, run: str) -> None:
    """Write the ledger's entry of what came of a version: from now on it counts."""
    version = result.version
    with lake.writing():
        lake.put(entry_key(version.table, version.id, result.status), _entry(result, run))


def _versions_of(keys: Iterable[str]) -> dict[str, set[str]]:
    """The versions that each part is of: it counts when all of them do."""
    return {key: set(PurePosixPath(key).stem.split(".")) for key in keys}


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
