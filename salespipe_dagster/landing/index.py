"""The index of keys: which version of which file has which key in which month, of all that landed of a feed.

It lies in the lake as any number of files. A key may stand in it twice, and one of a version that never
landed may: it counts as its version does.
"""

import uuid
from pathlib import Path

from salespipe_dagster.landing.ledger import INDEX, PARTS
from salespipe_dagster.landing.spilling import spilling
from salespipe_spark.lake.objects import Changed, Entry, Store
from salespipe_spark.tables import Table

ATTEMPTS = 5
MOST_FILES = 50
"""From so many files on, all but what was just noted are made one."""


class KeyIndex:
    """The index of one feed as one landing sees it; each of its files is fetched once."""

    def __init__(self, lake: Store, table: Table, scratch: Path) -> None:
        """An index that was not looked at yet."""
        self._lake = lake
        self._table = table
        self._scratch = scratch
        self._folder = f"{PARTS}/{table.name}/{INDEX}"
        self._files: dict[str, Path] = {}

    def note(self, parts: list[Path]) -> Path:
        """Put the keys of the rows in these parts into the index; returns the file that holds them."""
        file = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        (key,) = self._table.contract.key
        with spilling(self._scratch) as database:
            database.execute(
                f"COPY (SELECT {key} AS key, strftime({self._table.contract.month}, '%Y-%m') AS part,"
                " landed_file, landed_version, landed_modified_at FROM read_parquet($parts))"
                " TO $file (FORMAT parquet, COMPRESSION zstd)",
                {"parts": [str(part) for part in parts], "file": str(file)},
            )
        self._upload(file)
        return file

    def read(self, own: Path | None, entering: set[str], past: set[str]) -> list[Path]:
        """The files of the index but for what was just noted, on this machine.

        They are made one where they are many, or where a killed landing noted keys of versions that land now: it
        may have had months that these do not have any more.

        Args:
            own: what was just noted, if anything was.
            entering: the versions that land now.
            past: the versions that do not count and never will.
        """
        for _ in range(ATTEMPTS):
            entries = [entry for entry in self._lake.entries(self._folder) if entry.key.endswith(".parquet")]
            try:
                self._lake.mapped(self._fetch, [entry for entry in entries if entry.key not in self._files])
            except Changed:
                continue  # another run has made them one
            found = {entry.key: self._files[entry.key] for entry in entries if self._files[entry.key] != own}
            if found and (len(found) >= MOST_FILES or self._knows_any(entering, found)):
                return [self._merged(found, own, past | entering)]
            return list(found.values())
        raise Changed(self._lake.uri(self._folder))

    def _fetch(self, entry: Entry) -> None:
        target = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        self._lake.download(entry, target)
        self._files[entry.key] = target

    def _upload(self, file: Path) -> None:
        key = f"{self._folder}/{uuid.uuid4().hex}.parquet"
        self._files[key] = file
        self._lake.upload(file, key)

    def _knows_any(self, versions: set[str], files: dict[str, Path]) -> bool:
        with spilling(self._scratch, wanted=versions) as database:
            found = "FROM read_parquet($files) WHERE landed_version IN (FROM wanted) LIMIT 1"
            return database.execute(found, {"files": [str(file) for file in files.values()]}).fetchone() is not None

    def _merged(self, files: dict[str, Path], own: Path | None, without: set[str]) -> Path:
        """One file in place of several, without the keys of some versions, and with all of one's own.

        Who lands the same files at once does likewise: whichever of the two is merged last has their keys.
        """
        merged = self._scratch / f"index-{uuid.uuid4().hex}.parquet"
        kept, given = "", {"files": [str(file) for file in files.values()], "merged": str(merged)}
        if own:
            kept, given["own"] = "UNION ALL FROM read_parquet($own)", str(own)
        with spilling(self._scratch, dropped=without) as database:
            database.execute(
                "COPY (SELECT DISTINCT * FROM read_parquet($files) WHERE landed_version NOT IN (FROM dropped)"
                f" {kept}) TO $merged (FORMAT parquet, COMPRESSION zstd)",
                given,
            )
        self._upload(merged)
        self._lake.mapped(self._lake.remove, files)
        return merged
