"""The ledger: what became of every version of every file, told by the names of objects in the lake.

A version has landed when its entry lies in the ledger, which is written last: whatever else of it lies
in the lake counts for nothing before. Entries are never changed or removed; a later decision about a
file is a later version of it.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.version import Version, digest_of
from salespipe_spark.lake.objects import Store
from salespipe_spark.tables import Table, feeds

PARTS = "_landed"
INDEX = "_keys"
"""Beside the parts of a feed, the folder with the index of its keys."""
QUARANTINE = "_quarantine"
ENTRIES = "_receipts/_landed"
DECIDED = (Status.LANDED, Status.DROPPED)
STATUSES = {status.value: status for status in Status}
GONE = "gone"
"""What a file that was forgotten holds: the same content is a new one, should it come back."""

_AGAIN = re.compile(r"(.*)-r([0-9]{4,})-([0-9a-f]{16}|gone)")
"""The end of the name of a version that takes its place after another one: its number, and which content it is."""


def part_key(table: str, part: str, *versions: str) -> str:
    """Where the rows of a version in a part lie; of two versions: the keys that the first has elsewhere."""
    return f"{PARTS}/{table}/{part}/{'.'.join(versions)}.parquet"


def quarantine_key(table: str, version: str) -> str:
    """Where the records lie that were put aside of a version."""
    return f"{QUARANTINE}/{table}/{version}.parquet"


def entry_key(table: str, version: str, status: Status) -> str:
    """Where the ledger's entry of a version lies: all but the details is in its name."""
    return f"{ENTRIES}/{table}/{version}.{status.value}.json"


@dataclass(frozen=True)
class Ledger:
    """What became of every version of the files of one feed, by the version's id."""

    statuses: Mapping[str, Status]

    @cached_property
    def newest(self) -> dict[str, str]:
        """The newest version of each file, by the digest of its key."""
        return {digest: versions[-1] for digest, versions in self._by_file.items()}

    @cached_property
    def current(self) -> set[str]:
        """The versions whose rows count: of each file the newest that landed, if none was dropped after it."""
        decided = (_last(self.statuses, versions, DECIDED) for versions in self._by_file.values())
        return {version for version in decided if self.statuses.get(version) is Status.LANDED}

    @cached_property
    def past(self) -> set[str]:
        """The versions whose rows do not count and never will."""
        return set(self.statuses) - self.current

    @cached_property
    def undecided(self) -> list[str]:
        """The files' newest versions that are held or cannot be read: somebody has to decide."""
        return sorted(version for version in self.newest.values() if self.statuses[version] not in DECIDED)

    @cached_property
    def _by_file(self) -> dict[str, list[str]]:
        """The versions of each file, oldest first: names of one key sort by their instant."""
        found: dict[str, list[str]] = defaultdict(list)
        for version in sorted(self.statuses):
            found[file_of(version)].append(version)
        return found

    def newest_status(self, version: Version) -> Status | None:
        """What became of the newest version of a version's file; None where the ledger knows none."""
        newest = self.newest.get(digest_of(version.key))
        return self.statuses[newest] if newest else None

    def knows(self, version: Version) -> bool:
        """Whether the last that the ledger tells of a version's file is of this content.

        One that landed before another did is not known any more: where it is put back, with its time, it counts.
        """
        newest = self.newest.get(digest_of(version.key))
        return newest is not None and _content(newest) == _content(version.id)

    def with_entries(self, entries: Mapping[str, Status]) -> "Ledger":
        """The ledger with further entries."""
        return Ledger({**self.statuses, **entries})

    def landing(self, version: Version) -> Version:
        """The version as which a content lands, newer than all that the ledger knows of its file.

        What is there now counts, also where its time says that it is older than what landed before it: an
        older copy was put back, or two contents were written within one second of the store's clock.
        """
        newest = self.newest.get(digest_of(version.key))
        return version if newest is None or version.id > newest else _after(newest, version, _content(version.id))

    def dropping(self, version: Version, *, gone: bool) -> Version:
        """The version as which nothing more is to count of a file; `gone` if only until it comes back."""
        newest = self.newest[digest_of(version.key)]
        return _after(newest, version, GONE if gone else _content(newest))


@dataclass(frozen=True)
class Landed:
    """What has landed of a feed: its ledger, and the objects of each part that count."""

    table: Table
    ledger: Ledger
    parts: Mapping[str, list[str]]

    def fingerprint(self, part: str) -> str:
        """What a part is made from: the same whatever landed first."""
        names = sorted(PurePosixPath(key).stem for key in self.parts.get(part, []))
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]

    def fingerprints(self, parts: list[str]) -> dict[str, str]:
        """The fingerprint of each of these parts."""
        return {part: self.fingerprint(part) for part in parts}

    def unlike(self, later: "Landed") -> list[str]:
        """The parts that are made from something else by now, those with rows that came back or moved too."""
        parts = sorted({*self.parts, *later.parts})
        return [part for part in parts if self.fingerprint(part) != later.fingerprint(part)]

    def versions(self, parts: list[str]) -> list[str]:
        """The versions with rows in these parts."""
        stems = (PurePosixPath(key).stem for part in parts for key in self.parts.get(part, []))
        return sorted({stem for stem in stems if "." not in stem})


def file_of(version: str) -> str:
    """The digest of the key of a version's file."""
    return version.partition("-")[0]


def statuses_of(keys: Iterable[str]) -> dict[str, Status]:
    """What the names of entries say."""
    found: dict[str, Status] = {}
    for key in keys:
        version, _, status = PurePosixPath(key).name.removesuffix(".json").partition(".")
        if status in STATUSES:
            found[version] = STATUSES[status]
    return found


def parts_of(keys: Iterable[str], current: set[str]) -> dict[str, list[str]]:
    """The objects of each part that count: those all of whose versions do."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        path = PurePosixPath(key)
        if current.issuperset(path.stem.split(".")):
            found[path.parent.name].append(key)
    return dict(found)


def read_ledger(lake: Store, table: Table) -> Ledger:
    """The ledger of a feed: a listing, however many files there are."""
    return Ledger(statuses_of(lake.list(f"{ENTRIES}/{table.name}", ".json")))


def read_landed(lake: Store, table: Table, parts: list[str] | None = None) -> Landed:
    """What has landed of a feed, in these parts or in all: a listing of the ledger and one of each part."""
    return landed_of(lake, table, read_ledger(lake, table), parts)


def landed_of(lake: Store, table: Table, ledger: Ledger, parts: list[str] | None = None) -> Landed:
    """What has landed by a ledger that was read before: what lands meanwhile has parts that do not count yet."""
    whole = f"{PARTS}/{table.name}"
    folders = [whole] if parts is None else [f"{whole}/{part}" for part in parts]
    found = lake.mapped(lambda folder: lake.list(folder, ".parquet"), folders)
    return Landed(table, ledger, parts_of(chain.from_iterable(found), ledger.current))


def feed_of(key: str) -> Table | None:
    """The feed that a file belongs to, by the folder it lies in."""
    folder, _, name = key.partition("/")
    return _folders().get(folder) if name else None


def entries_of(lake: Store, table: Table, ledger: Ledger, versions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What the ledger's entries of these versions hold."""
    keys = {version: entry_key(table.name, version, ledger.statuses[version]) for version in versions}
    texts = lake.mapped(lake.read, keys.values())
    return {version: json.loads(text) for version, text in zip(keys, texts, strict=True) if text}


@cache
def _folders() -> dict[str, Table]:
    return {table.contract.feed.folder: table for table in feeds() if table.contract.feed}


def _last(statuses: Mapping[str, Status], versions: list[str], among: tuple[Status, ...]) -> str:
    return next((version for version in reversed(versions) if statuses[version] in among), "")


def _content(version: str) -> str:
    """Which content of its file a version is, whatever its place among the others."""
    again = _AGAIN.fullmatch(version)
    return again[3] if again else hashlib.sha256(version.encode()).hexdigest()[:16]


def _after(newest: str, version: Version, content: str) -> Version:
    """A version of the same file that sorts after the newest, of this content."""
    again = _AGAIN.fullmatch(newest)
    base, times = (again[1], int(again[2])) if again else (newest, 0)
    return replace(version, name=f"{base}-r{times + 1:04d}-{content}")
