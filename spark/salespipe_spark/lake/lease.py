"""Leases of staging in S3, where no system drops a lock when a process dies.

A run writes `_staging/<run>/lease` before anything else and again every 20 seconds; one that has not been
written for 60 seconds, by the server's own clock, is dead. Whoever sweeps removes the lease first: as long as
it is there, all that was staged is.
"""

import contextlib
import threading
import uuid
from collections import defaultdict
from collections.abc import Generator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Entry

if TYPE_CHECKING:
    from salespipe_spark.lake.s3 import S3Store

RENEWED_EVERY = 20.0
DEAD_AFTER = 60.0
"""Seconds."""

STAGING = "_staging"
OURS = ("_", "staging/", "core/", "marts/")
"""What the keys of a lake's large objects begin with: in a bucket of many, nobody else's upload is touched."""


@contextlib.contextmanager
def leased(store: "S3Store") -> Generator[str]:
    """The name of a run's staging, leased until the block ends; those of dead runs are removed first."""
    name = f"{sweep(store):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}"
    key = f"{STAGING}/{name}/lease"
    store.put_over(key, b"1", "")
    ended = threading.Event()
    keeper = threading.Thread(target=_renew, args=(store, key, ended), daemon=True, name=f"lease of {name}")
    keeper.start()
    try:
        yield name
    finally:
        ended.set()
        keeper.join()
        with contextlib.suppress(SalespipeError):  # what stays is swept later
            _remove(store, [entry.key for entry in store.entries(f"{STAGING}/{name}")])


def sweep(store: "S3Store") -> datetime:
    """Remove the staging of dead runs and their unfinished uploads; returns the time on the server's clock."""
    entries, said = store.listed(STAGING)
    now = parsedate_to_datetime(said)
    runs: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        runs[entry.key.split("/")[1]].append(entry)
    living: list[str] = []
    for name, staged in runs.items():
        lease = [entry for entry in staged if entry.key == f"{STAGING}/{name}/lease"]
        # Without a lease it is what a sweep has left that was itself cut short.
        newest = max(entry.modified for entry in lease or staged)
        if now - newest > timedelta(seconds=DEAD_AFTER) and _ended(store, lease):
            _remove(store, [entry.key for entry in staged])
        else:
            living.append(name)
    _abort(store, min([now - timedelta(seconds=DEAD_AFTER), *(begun for name in living if (begun := _begun(name)))]))
    return now


def _renew(store: "S3Store", key: str, ended: threading.Event) -> None:
    """Write the lease again and again, each time other bytes; if it is gone, `confirm` will tell the run."""
    number = 1
    while not ended.wait(RENEWED_EVERY):
        number += 1
        with contextlib.suppress(SalespipeError):  # also of a race, with a renewal of one's own whose answer was lost
            etag = store.etag(key)
            if not etag:
                return
            store.put_over(key, b"%d" % number, etag)


def _ended(store: "S3Store", lease: list[Entry]) -> bool:
    """Remove the lease, unless it has been renewed since it was listed; whether it is gone."""
    try:
        for entry in lease:
            store.client.delete_object(**store.at(entry.key), IfMatch=f'"{entry.etag}"')
    except ClientError:
        return False
    return True


def _remove(store: "S3Store", keys: list[str]) -> None:
    """Remove objects, the lease first."""
    for key in [key for key in keys if key.endswith("/lease")]:
        store.remove(key)
    store.mapped(store.remove, [key for key in keys if not key.endswith("/lease")])


def _abort(store: "S3Store", before: datetime) -> None:
    """Abort the uploads to this lake that began before: no living run's are among them."""
    root = store.at("")["Key"]
    with contextlib.suppress(ClientError, BotoCoreError):  # not every server lists them; they are in nobody's way
        pages = store.client.get_paginator("list_multipart_uploads").paginate(Bucket=store.bucket, Prefix=root)
        for upload in [each for page in pages for each in page.get("Uploads", ())]:
            if upload["Key"].removeprefix(root).startswith(OURS) and upload["Initiated"] < before:
                store.client.abort_multipart_upload(Bucket=store.bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _begun(name: str) -> datetime | None:
    """When the run began, which its name says."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S%z")
    return None
