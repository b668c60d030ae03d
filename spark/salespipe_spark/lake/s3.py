"""The store in a bucket of S3, or of any server that speaks it: keys below a prefix, and leased staging.

How one object is read and written, so that the outcome is known, is in `s3_object.py`.
"""

import contextlib
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lease import STAGING, leased
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Changed, Entry, Raced, Store
from salespipe_spark.lake.s3_client import client_of, explained
from salespipe_spark.lake.s3_object import S3Object, plain, side_by_side
from salespipe_spark.lake.store import S3Server

SMALL = 1024**2
"""Bytes: up to here an object is replaced by its bytes; a larger one is copied by the server, in parts."""

T = TypeVar("T")
R = TypeVar("R")


class S3Store(Store):
    """Objects below a prefix of a bucket."""

    def __init__(self, url: str, scratch: Path, server: S3Server) -> None:
        """A store that opens no connection before it is used.

        Args:
            url: s3://bucket/prefix.
            scratch: a folder of this machine for what is staged before it is uploaded.
            server: who serves it.
        """
        self.bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.place = f"s3://{self.bucket}/{self._prefix}".rstrip("/")
        self._scratch = LocalStore(scratch)
        self._server = server

    @property
    def client(self) -> Any:
        """The client of the server."""
        return client_of(self._server)

    def at(self, key: str) -> dict[str, str]:
        """The object of a key, as a request names it."""
        return self._object(key).at

    def uri(self, key: str) -> str:
        """The URL of the object."""
        return f"s3://{self.bucket}/{self._prefix}{key}"

    def entries(self, prefix: str) -> Iterator[Entry]:
        """All objects below a prefix, in the order of their keys; what ends in a slash is a folder's mark, not one."""
        yield from self.listed(prefix)[0]

    def listed(self, prefix: str) -> tuple[list[Entry], str]:
        """All objects below a prefix in order, and the time on the server's clock when it began to list them."""
        below = f"{self._prefix}{prefix.rstrip('/')}/" if prefix else self._prefix
        found: list[Entry] = []
        now = ""
        with explained(self.place):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=below):
                now = now or page["ResponseMetadata"]["HTTPHeaders"]["date"]
                found += [
                    self._entry(each["Key"].removeprefix(self._prefix), each) for each in page.get("Contents", ())
                ]
        objects = (entry for entry in found if not entry.key.endswith("/"))
        return sorted(objects, key=lambda entry: entry.key), now  # not every server lists in order

    def entry(self, key: str) -> Entry | None:
        """The object at the key; None where there is nothing."""
        found = self._object(key).head()
        return self._entry(key, found) if found else None

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None where there is nothing."""
        return self._object(key).read()

    def open(self, entry: Entry) -> BinaryIO:
        """The object for reading, a range at a time."""
        return self._object(entry.key).open(entry)

    def download(self, entry: Entry, target: Path) -> None:
        """Write the object to a file, a range at a time.

        Raises:
            Changed: it is no longer what was listed.
        """
        self._object(entry.key).download(entry, target)

    def put(self, key: str, content: bytes) -> None:
        """Put bytes in place in one step; the same ones are left alone."""
        found = self.entry(key)
        if found and found.size == len(content) and self.read(key) == content:
            return
        self._object(key).put(content)

    def put_over(self, key: str, content: bytes, seen: str) -> str:
        """Put bytes in place of what was seen, in one step; returns their ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        return self._object(key).put_over(content, seen)

    def replace(self, staged: str, key: str, seen: str) -> str:
        """Put a copy of a staged object in place of what was seen, in one step; returns its ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        source = self.entry(staged)
        content = self.read(staged) if source and source.size <= SMALL else None
        if source is None or (content is None and source.size <= SMALL):
            raise SalespipeError(f"{self.uri(staged)} is gone, before it was published.", "run again")
        if content is not None:
            return self.put_over(key, content, seen)
        return self._object(key).copy_over(self._object(staged), source, seen)

    def sync(self, keys: Iterable[str]) -> None:
        """S3 answers when it is."""

    def upload(self, file: Path, key: str) -> Entry:
        """Put a file in place in one step, a large one in parts."""
        self._object(key).upload(file)
        found = self.entry(key)
        if found is None:
            raise Changed(self.uri(key))
        return found

    def remove(self, key: str) -> None:
        """Remove the object; where there is nothing, nothing happens."""
        self._object(key).remove()

    def locked(self, name: str) -> contextlib.AbstractContextManager[None]:
        """There are no locks in S3: what is put on condition needs none."""
        return contextlib.nullcontext()

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Errors of S3 are clear as they come; those of this machine's disk are made so."""
        return self._scratch.writing()

    @contextlib.contextmanager
    def staging(self) -> Generator[Path]:
        """A fresh staging folder here, whose name is leased in S3 too; what dead runs left is removed first."""
        with leased(self) as name, self._scratch.staging() as folder:
            own = folder / name
            own.mkdir()
            yield own

    def staged_key(self, path: Path) -> str:
        """The key of a path in a staging folder: below the folder's name in S3."""
        _, *names = path.relative_to(self._scratch.path(STAGING)).parts
        return "/".join([STAGING, *names])

    def confirm(self, folder: Path) -> None:
        """Make sure that the lease is there: whoever sweeps removes it before anything else.

        Raises:
            SalespipeError: it is not.
        """
        _, run, *_ = self.staged_key(folder).split("/")
        if self.entry(f"{STAGING}/{run}/lease") is None:
            hint = "run again; another run took this one for dead, as it did not reach S3 for a minute"
            raise SalespipeError(f"What was staged in {self.uri(f'{STAGING}/{run}')} was swept.", hint)

    def mapped(self, function: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        """The results in order, with some requests side by side."""
        return side_by_side(function, items)

    def probe(self) -> str:
        """Write, read and remove an object; what was found, in words.

        Raises:
            SalespipeError: that is not possible, or the server takes no conditions: runs would overwrite each other.
        """
        key = f"_staging/probe-{uuid.uuid4().hex}"
        held = self.put_over(key, b"probe", "")
        try:
            for seen in ("", "0" * 32):
                with contextlib.suppress(Raced):
                    self.put_over(key, b"over it", seen)
                    hint = "use a server with conditional writes (If-Match, If-None-Match)"
                    raise SalespipeError(f"{self.place}: the server puts an object in spite of its condition.", hint)
            if self.read(key) != b"probe" or self.etag(key) != held:
                raise SalespipeError(f"{self.place}: what was written is not what is read.", "use another server")
        finally:
            self.remove(key)
        return f"{self.place}, read and written"

    def _object(self, key: str) -> S3Object:
        return S3Object(self.client, self.bucket, self._prefix + key)

    @staticmethod
    def _entry(key: str, found: dict[str, Any]) -> Entry:
        size = found["Size"] if "Size" in found else found["ContentLength"]
        return Entry(key, plain(found["ETag"]), size, found["LastModified"])
