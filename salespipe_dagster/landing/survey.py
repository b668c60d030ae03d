"""What is there, held against the ledger: the files to land, those that are gone, those of no feed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from salespipe_dagster.landing.ledger import Ledger, feed_of
from salespipe_dagster.landing.version import Version, digest_of, shown
from salespipe_spark.lake.objects import Entry

UNFINISHED = (".tmp", ".part")
SETTLED = timedelta(seconds=10)
"""A file of a folder that was written less than this ago may be written still."""


@dataclass(frozen=True)
class Survey:
    """What is there.

    Attributes:
        pending: the versions that the ledger does not know, or knows as overtaken; oldest first.
        gone: the versions whose rows count although their file is not there any more, by table.
        foreign: the keys of files that belong to no feed, as they are shown.
    """

    pending: list[Version]
    gone: dict[str, list[str]]
    foreign: list[str]


def survey(entries: Iterable[Entry], ledgers: Mapping[str, Ledger]) -> Survey:
    """Hold what is there against the ledgers, by table."""
    there: dict[str, set[str]] = {table: set() for table in ledgers}
    pending: list[Version] = []
    foreign: list[str] = []
    for entry in entries:
        if not is_file(entry.key):
            continue
        table = feed_of(entry.key)
        if table is None:
            foreign.append(shown(entry.key))
            continue
        there[table.name].add(digest_of(entry.key))
        version = version_of(table.name, entry)
        if not ledgers[table.name].knows(version):
            pending.append(version)
    gone = {
        table: sorted(version for version in ledger.current if version.partition("-")[0] not in there[table])
        for table, ledger in ledgers.items()
    }
    return Survey(sorted(pending, key=_oldest_first), gone, foreign)


def settled(pending: Iterable[Version], now: datetime) -> list[Version]:
    """Those that nobody writes any more. A time in the future is a clock's mistake, and not waited for."""
    return [version for version in pending if not timedelta(0) <= now - version.modified < SETTLED]


def is_file(key: str) -> bool:
    """Whether a key is a file that somebody dropped: no directory marker, and finished by its name."""
    names = key.split("/")
    return not (key.endswith(("/", *UNFINISHED)) or any(name.startswith(("_", ".")) for name in names))


def version_of(table: str, entry: Entry) -> Version:
    """The version of a file that lies there now."""
    return Version(table, entry.key, entry.etag, entry.size, entry.modified)


def _oldest_first(version: Version) -> tuple[datetime, str]:
    return version.modified, version.key
