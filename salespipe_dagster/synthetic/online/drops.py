"""How the shop's files come into the folder where files land: whole, and as old as they say they are."""

import filecmp
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from salespipe_dagster.synthetic.online import catalogues, profiles, sales_files
from salespipe_dagster.synthetic.online.dropped import Book, OnlineFile
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_spark.lake.local import LocalStore

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOLDERS = (sales_files.FOLDER, profiles.FOLDER, catalogues.FOLDER)


@dataclass
class Dropped:
    """What came of dropping files: which there are now, what is in them, which were written, their sales' months."""

    files: list[str]
    book: Book
    written: list[str]
    months: set[str]


def online_files(shop: Shop, folder: str, today: date, months: Iterable[str]) -> Iterator[OnlineFile]:
    """The files of a folder that are there by today.

    Args:
        shop: whose.
        folder: one of `FOLDERS`.
        today: what the shop has not come to is not there.
        months: of the sales; profiles and catalogues belong to no month.
    """
    if folder == sales_files.FOLDER:
        for month in months:
            yield from sales_files.sales_files(shop, month, today)
    elif folder == profiles.FOLDER:
        yield from profiles.profile_files(shop, today)
    else:
        yield from catalogues.catalogue_files(shop, today)


def drop(root: Path, files: Iterable[OnlineFile]) -> Dropped:
    """Put files below a folder, each in one step; one that is there already, byte for byte, is left alone.

    The files are as old as they say, not as their writing is: of two with the same record the newest counts.

    Raises:
        SalespipeError: the folder cannot be written, or somebody else writes there.
    """
    store, dropped = LocalStore(root), Dropped([], Book(), [], set())
    with store.writing(), store.staging() as staging:
        draft = staging / "file"
        for file in files:
            with draft.open("wb") as handle:
                dropped.book += file.write(handle)
            dropped.files.append(file.key)
            there = store.path(file.key)
            if there.is_file() and filecmp.cmp(draft, there, shallow=False):
                continue
            written = (file.written - _EPOCH) // timedelta(microseconds=1) * 1000
            os.utime(draft, ns=(written, written))
            store.sync([store.staged_key(draft)])
            store.replace(store.staged_key(draft), file.key, store.etag(file.key))
            dropped.written.append(file.key)
            dropped.months.update(file.months)
    return dropped
