"""What was put aside: which files it is from, what it is, and the decisions that only a person can take."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from salespipe_dagster.landing.berth import enter
from salespipe_dagster.landing.land import LANDING, Dock, Landing, land_again
from salespipe_dagster.landing.ledger import (
    QUARANTINE,
    Ledger,
    entries_of,
    feed_of,
    landed_of,
    quarantine_key,
    read_landed,
    read_ledger,
)
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_dagster.landing.survey import version_of
from salespipe_dagster.landing.version import Version, digest_of
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Store
from salespipe_spark.tables import Table, feeds

LIST = "salespipe quarantine list"


@dataclass(frozen=True)
class Item:
    """A file of which something is put aside, or all.

    Attributes:
        file: its key.
        status: landed, without what is put aside; held; or failed.
        reason: why it is held or failed.
        records: the records in it.
        quarantined: how many of them are put aside.
        reasons: these by the code of their reason.
        entered_at: when that was found.
    """

    file: str
    status: str
    reason: str
    records: int
    quarantined: int
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    entered_at: str = ""


class Record(NamedTuple):
    """A record that was put aside."""

    file: str
    line: int
    column: str
    reason: str
    text: str


def listing(lake: Store) -> list[Item]:
    """Every file of which something is put aside, held ones first."""
    found: list[Item] = []
    for table in feeds():
        ledger = read_ledger(lake, table)
        aside = {PurePosixPath(key).stem for key in lake.list(f"{QUARANTINE}/{table.name}", ".parquet")}
        versions = {*ledger.undecided, *(aside & ledger.current)}
        found += [_item(entry) for entry in entries_of(lake, table, ledger, sorted(versions)).values()]
    return sorted(found, key=lambda item: (item.status == Status.LANDED, item.file))


def records(lake: Store, key: str, most: int) -> Iterator[Record]:
    """The first records that were put aside of a file; none where nothing is.

    Raises:
        SalespipeError: there is no such file in the ledger.
    """
    table, ledger = _known(lake, key)
    entry = lake.entry(quarantine_key(table.name, ledger.newest[digest_of(key)]))
    if entry is None:
        return
    left = most
    with lake.open(entry) as file, pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=min(most, 10_000)):
            for row in batch.slice(0, left).to_pylist():
                yield Record(*(row[name] for name in Record._fields))
            left -= min(left, len(batch))
            if not left:
                return


def replay(dock: Dock, keys: list[str], *, release: bool = False) -> Landing:
    """Parse files again as they are there now, by today's contract and settings.

    Args:
        dock: where from and where to.
        keys: of the files; none for all that are there of which something is put aside.
        release: whether what can be landed of a file is landed, however much of it is rejected.

    Raises:
        SalespipeError: a file that is named is not there any more, or was never landed.
    """
    chosen = keys or [item.file for item in listing(dock.lake) if dock.files.entry(item.file)]
    versions = [_there(dock, key) for key in dict.fromkeys(chosen)]
    return land_again(dock, versions, max_rejected_share=1.0 if release else None)


def drop(dock: Dock, key: str) -> list[str]:
    """Decide that nothing of a file that is held, or cannot be read, is ever to land; returns the months it changes.

    Raises:
        SalespipeError: there is nothing to decide about it.
    """
    with dock.lake.locked(LANDING):
        table, ledger = _known(dock.lake, key)
        if ledger.newest[digest_of(key)] not in ledger.undecided:
            hint = f"salespipe quarantine forget {key} takes back what has landed of it"
            raise SalespipeError(f"{key} is not held: there is nothing to decide.", hint)
        return _dropped(dock, table, ledger, key, gone=False)


def forget(dock: Dock, key: str) -> list[str]:
    """Take back what has landed of a file that was deleted; returns the months that this changes.

    Raises:
        SalespipeError: it is there, or nothing of it has landed.
    """
    with dock.lake.locked(LANDING):
        table, ledger = _known(dock.lake, key)
        if dock.files.entry(key) is not None:
            raise SalespipeError(f"{dock.files.uri(key)} is still there.", "remove the file first; then forget it")
        return _dropped(dock, table, ledger, key, gone=True)


def _dropped(dock: Dock, table: Table, ledger: Ledger, key: str, *, gone: bool) -> list[str]:
    digest = digest_of(key)
    newest = ledger.newest[digest]
    if ledger.statuses[newest] is Status.DROPPED:
        raise SalespipeError(f"Nothing of {key} has landed, or it was taken back before.", LIST)
    before = landed_of(dock.lake, table, ledger)
    told = entries_of(dock.lake, table, ledger, [newest])[newest]
    version = Version(table.name, key, told["etag"], told["size"], datetime.fromisoformat(told["modified"]))
    reason = f"{'forgotten' if gone else 'dropped'} by command"
    enter(dock.lake, Parsed(ledger.dropping(version, gone=gone), Status.DROPPED, reason), dock.run)
    return before.unlike(read_landed(dock.lake, table))


def _there(dock: Dock, key: str) -> Version:
    """What is there now of a file that the ledger knows."""
    table, _ = _known(dock.lake, key)
    entry = dock.files.entry(key)
    if entry is None:
        hint = f"put it back, or `salespipe quarantine drop {key}` where it is held"
        raise SalespipeError(f"{dock.files.uri(key)} is not there any more.", hint)
    return version_of(table.name, entry)


def _known(lake: Store, key: str) -> tuple[Table, Ledger]:
    table = feed_of(key)
    ledger = read_ledger(lake, table) if table else None
    if table is None or ledger is None or digest_of(key) not in ledger.newest:
        raise SalespipeError(f"The ledger knows no file {key}.", f"{LIST} shows the names, such as sales/2024-05.csv")
    return table, ledger


def _item(entry: dict[str, Any]) -> Item:
    names = ("file", "status", "reason", "records", "quarantined", "reasons", "entered_at")
    return Item(**{name: entry[name] for name in names})
