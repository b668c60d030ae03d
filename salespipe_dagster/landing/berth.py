"""Putting a batch of parsed files into the lake: parts first, then what moved, the ledger's entries last."""

import json
from collections.abc import Iterable, Iterator, Set
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from salespipe_dagster.landing.index import KeyIndex
from salespipe_dagster.landing.ledger import INDEX, PARTS, QUARANTINE, Ledger, entry_key, part_key, quarantine_key
from salespipe_dagster.landing.moved import moved
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_spark.lake.objects import Store
from salespipe_spark.tables import Table

Upload = tuple[Path, str]
"""A file of this machine, and the key under which it is to lie."""


class Berth:
    """The lake of one landing, and what it remembers from batch to batch."""

    def __init__(self, lake: Store, scratch: Path, run: str) -> None:
        """A berth that nothing was put into yet."""
        self._lake = lake
        self._scratch = scratch
        self._run = run
        self._indexes: dict[str, KeyIndex] = {}
        self._waiting: dict[str, dict[str, set[str]]] = {}

    def commit(self, table: Table, ledger: Ledger, results: list[Parsed]) -> Ledger:
        """Put what came of these files into the lake, and return the ledger with their entries."""
        if not results:
            return ledger
        entering = {result.version.id for result in results}
        landing = {result.version.id: result.parts for result in results if result.status is Status.LANDED}
        uploads = [
            (file, part_key(table.name, part, version))
            for version, parts in landing.items()
            for part, file in parts.items()
        ]
        with self._lake.writing(), TemporaryDirectory(dir=self._scratch) as folder:
            if table.monthly and landing:
                uploads += self._moved(table, [file for file, _ in uploads], set(landing), ledger.past, Path(folder))
            uploads += [(r.quarantine, quarantine_key(table.name, r.version.id)) for r in results if r.quarantine]
            left = self._left_over(table, ledger, entering, {key for _, key in uploads})
            self._lake.mapped(lambda upload: self._lake.upload(*upload), uploads)
            self._lake.mapped(self._lake.remove, left)
            self._lake.mapped(lambda result: enter(self._lake, result, self._run), results)
        return ledger.with_entries({result.version.id: result.status for result in results})

    def _moved(
        self, table: Table, fresh: list[Path], landing: set[str], past: set[str], folder: Path
    ) -> Iterator[Upload]:
        """The keys that moved between months, each object with where it is to lie.

        The fresh keys are put into the index first and the index is read then: of two runs that land at once
        one at least knows the keys of both. It is read also where no row lands of these versions: what a killed
        landing noted of them has to go.
        """
        index = self._indexes.setdefault(table.name, KeyIndex(self._lake, table, self._scratch))
        own = index.note(fresh) if fresh else None
        others = index.read(own, landing, past)
        if own:
            for each in moved(table, others, own, past, folder, self._scratch):
                yield each.file, part_key(table.name, each.part, each.newer, each.older)

    def _left_over(self, table: Table, ledger: Ledger, entering: set[str], placed: set[str]) -> list[str]:
        """The objects that would count once these versions are entered, and that are not placed with them.

        Killed landings left them: a run with fewer months, or other rules, does not put all of them in place again.
        Those of versions that nobody has entered yet wait until somebody does, what is placed now among them.
        """
        if table.name not in self._waiting:
            folders = (f"{PARTS}/{table.name}", f"{QUARANTINE}/{table.name}")
            there = (key for folder in folders for key in self._lake.list(folder, ".parquet"))
            self._waiting[table.name] = _not_entered(there, ledger.statuses.keys())
        waiting, known = self._waiting[table.name], ledger.statuses.keys() | entering
        counting = [key for key, versions in waiting.items() if versions <= known]
        self._waiting[table.name] = _not_entered({*waiting, *placed}, known)
        return [key for key in counting if key not in placed]


def enter(lake: Store, result: Parsed, run: str) -> None:
    """Write the ledger's entry of what came of a version: from now on it counts."""
    version = result.version
    with lake.writing():
        lake.put(entry_key(version.table, version.id, result.status), _entry(result, run))


def _not_entered(keys: Iterable[str], known: Set[str]) -> dict[str, set[str]]:
    """The objects that do not count yet, each with the versions it is of: it counts when all of them do."""
    found: dict[str, set[str]] = {}
    for key in keys:
        path = PurePosixPath(key)
        versions = set(path.stem.split("."))
        if path.parent.name != INDEX and not versions <= known:
            found[key] = versions
    return found


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
